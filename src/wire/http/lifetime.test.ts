import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits, manualClock } from '../../kernel/index.ts';
import type { HttpRoute } from '../endpoint.ts';
import { signRequest } from '../sigv4/index.ts';
import { openTestEndpoint, type TestEndpoint } from '../test-endpoint.ts';
import { callIdentity, expectServing, rawClient, turnUntil, until } from './raw-client.ts';
import { selfSigned } from './self-signed.ts';

const start = Date.parse('2026-11-22T12:00:00Z');
let open: TestEndpoint[] = [];
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-http-'));
});
afterEach(async () => {
  await Promise.all(open.map((endpoint) => endpoint.close()));
  open = [];
  await rm(directory, { recursive: true });
});

async function endpointWith(edit: Parameters<typeof openTestEndpoint>[0] = {}): Promise<TestEndpoint> {
  const endpoint = await openTestEndpoint(edit);
  open.push(endpoint);
  return endpoint;
}

/** An unsigned route that answers when it is told to. */
function heldRoute(): {
  readonly route: HttpRoute<undefined>;
  release(): void;
  readonly aborted: Promise<void>;
} {
  const held = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  return {
    route: {
      method: 'GET',
      path: '/_cairn/held',
      unsigned: true,
      operationName: 'GetHeld',
      access: 'read',
      async handle({ signal }) {
        signal.addEventListener('abort', () => aborted.resolve());
        await held.promise;
        return { status: 200, body: 'at last' };
      },
    },
    release: () => held.resolve(),
    aborted: aborted.promise,
  };
}

/** A stream of server-sent events that ends only when it is told to. */
function eventStream(): { readonly route: HttpRoute<undefined>; readonly ended: Promise<void> } {
  const ended = Promise.withResolvers<void>();
  async function* events(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: first\n\n');
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
    ended.resolve();
  }
  return {
    route: {
      method: 'GET',
      path: '/_cairn/stream',
      unsigned: true,
      operationName: 'StreamEvents',
      access: 'read',
      handle: async ({ signal }) => ({
        status: 200,
        headers: { 'Content-Type': 'text/event-stream' },
        body: events(signal),
      }),
    },
    ended: ended.promise,
  };
}

const getHeld = 'GET /_cairn/held HTTP/1.1\r\nhost: a\r\n\r\n';
const getStream = 'GET /_cairn/stream HTTP/1.1\r\nhost: a\r\n\r\n';

describe('stopping', () => {
  it('finishes what was accepted and takes nothing new', async () => {
    const held = heldRoute();
    const endpoint = await endpointWith({ routes: [held.route] });
    const idle = rawClient(endpoint.port);
    idle.socket.write(callIdentity(endpoint));
    await idle.until(/<\/GetCallerIdentityResponse>/);
    const client = rawClient(endpoint.port);
    client.socket.write(getHeld);
    await until(() => endpoint.received.length === 2);
    const closing = endpoint.close();
    await idle.closed;
    const late = rawClient(endpoint.port);
    late.socket.write(getHeld);
    await late.closed;
    expect(late.text()).toBe('');
    held.release();
    expect(await client.until(/at last/)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close[^]*at last$/i);
    await closing;
    for (const { socket } of [idle, client, late]) socket.destroy();
  });

  it('gives up on what does not end in time', async () => {
    const held = heldRoute();
    const clock = manualClock(start);
    const endpoint = await endpointWith({ routes: [held.route], server: { clock } });
    const client = rawClient(endpoint.port);
    client.socket.write(getHeld);
    await until(() => endpoint.received.length === 1);
    const closing = endpoint.close();
    await clock.advance(limits.stopMs);
    await closing;
    await held.aborted;
    await client.closed;
    expect(client.text()).toBe('');
    client.socket.destroy();
    held.release();
  });

  it('ends event streams at once', async () => {
    const stream = eventStream();
    const endpoint = await endpointWith({ routes: [stream.route], server: { clock: manualClock(start) } });
    const client = rawClient(endpoint.port);
    client.socket.write(getStream);
    await client.until(/data: first/);
    await endpoint.close();
    await stream.ended;
    await client.closed;
    expect(client.text()).toMatch(/\r\n0\r\n\r\n$/);
    client.socket.destroy();
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('some');
  throw new Error('no more');
}

describe('streams', () => {
  it('send what there is at once, and are told when the client goes away', async () => {
    const stream = eventStream();
    const endpoint = await endpointWith({ routes: [stream.route] });
    const client = rawClient(endpoint.port);
    client.socket.write(getStream);
    await client.until(/data: first/);
    client.socket.destroy();
    await stream.ended;
    await expectServing(endpoint);
  });

  it('go no faster than the client reads', async () => {
    let produced = 0;
    const clock = manualClock(start);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        produced++;
        yield Buffer.alloc(65_536);
      }
    }
    const route: HttpRoute<undefined> = {
      method: 'GET',
      path: '/_cairn/held',
      unsigned: true,
      operationName: 'Download',
      access: 'read',
      handle: async () => ({ status: 200, body: endless() }),
    };
    const endpoint = await endpointWith({ routes: [route], server: { clock } });
    const client = rawClient(endpoint.port);
    client.socket.write(getHeld);
    await client.until(/200 OK/);
    client.socket.pause();
    await turnUntil(clock, limits.streamIdleMs + 1, () => endpoint.reports.length > 0);
    // What the system's own buffers take is some megabytes at most.
    expect(produced).toBeLessThan(500);
    client.socket.destroy();
  });

  it('that fail in the middle cut the connection, so that nobody takes a part for the whole', async () => {
    const route: HttpRoute<undefined> = {
      ...heldRoute().route,
      handle: async () => ({ status: 200, body: failing() }),
    };
    const endpoint = await endpointWith({ routes: [route] });
    const client = rawClient(endpoint.port);
    client.socket.write(getHeld);
    await client.closed;
    expect(client.text()).not.toMatch(/\r\n0\r\n\r\n$/);
    client.socket.destroy();
    await expectServing(endpoint);
  });
});

describe('overload', () => {
  it('is answered by name, and not recorded', async () => {
    const held = heldRoute();
    const endpoint = await endpointWith({
      routes: [held.route],
      pipeline: { bounds: { requestsInFlight: 1, requestBytesInFlight: 1000 } },
    });
    const first = rawClient(endpoint.port);
    first.socket.write(getHeld);
    await until(() => endpoint.received.length === 1);
    const second = rawClient(endpoint.port);
    second.socket.write(callIdentity(endpoint));
    expect(await second.until(/<\/ErrorResponse>/)).toMatch(
      /^HTTP\/1\.1 503 [^]*<Code>ServiceUnavailable<\/Code>/,
    );
    const s3 = await fetch(`${endpoint.url}/b/k`, {
      headers: signRequest({
        method: 'GET',
        url: new URL(`${endpoint.url}/b/k`),
        service: 's3',
        region: 'us-east-1',
        credentials: endpoint.credentials,
        time: endpoint.clock.now(),
      }),
    });
    expect([s3.status, await s3.text()]).toEqual([503, expect.stringContaining('<Code>SlowDown</Code>')]);
    const unsigned = rawClient(endpoint.port);
    unsigned.socket.write(getHeld);
    held.release();
    expect(await unsigned.until(/at last/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(endpoint.rejected).toEqual([]);
    for (const { socket } of [first, second, unsigned]) socket.destroy();
    await until(() => endpoint.reports.length === 4);
    await expectServing(endpoint);
  });

  it('is none that senders make who prove nothing and send no body', async () => {
    const endpoint = await endpointWith({
      pipeline: { bounds: { requestsInFlight: 4, requestBytesInFlight: 10_000 } },
    });
    const form = 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n';
    const signature = `SignedHeaders=host, Signature=${'0'.repeat(64)}`;
    const scope = '20261122/us-east-1/sts/aws4_request';
    const heads = [
      '',
      `authorization: AWS4-HMAC-SHA256 Credential=AKIAUNKNOWN000000000/${scope}, ${signature}\r\n`,
      '',
      `authorization: AWS4-HMAC-SHA256 Credential=AKIAUNKNOWN000000000/${scope}, ${signature}\r\n`,
    ];
    const clients = heads.map((head, index) => {
      const client = rawClient(endpoint.port);
      client.socket.write(`POST / HTTP/1.1\r\nhost: a${index}\r\n${form}${head}\r\n`);
      return client;
    });
    await until(() => endpoint.received.length === 4);
    await expectServing(endpoint);
    for (const { socket } of clients) socket.destroy();
    await until(() => endpoint.reports.length === 5);
  });

  it('of memory: what bodies unpack to counts for as long as they are used', async () => {
    const held = Promise.withResolvers<void>();
    const endpoint = await endpointWith({
      pipeline: {
        bounds: { requestsInFlight: 10, requestBytesInFlight: 3_000 },
        async perform() {
          await held.promise;
          return {};
        },
      },
    });
    const post = () => {
      const body = gzipSync(`Action=GetCallerIdentity&Version=2011-06-15&x=${'x'.repeat(2_000)}`);
      const url = new URL(endpoint.url);
      const headers = signRequest({
        method: 'POST',
        url,
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
        service: 'sts',
        region: 'us-east-1',
        credentials: endpoint.credentials,
        time: endpoint.clock.now(),
      });
      return fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
    };
    const first = post();
    const second = post();
    expect((await Promise.race([first, second])).status).toBe(503);
    held.resolve();
    const statuses = [(await first).status, (await second).status];
    expect(statuses).toContain(503);
    expect((await post()).status).not.toBe(503);
  });

  it('of memory: bodies beyond what all may hold together', async () => {
    const endpoint = await endpointWith({
      pipeline: { bounds: { requestsInFlight: 10, requestBytesInFlight: 100 } },
    });
    await expectServing(endpoint);
    const client = rawClient(endpoint.port);
    client.socket.write(
      callIdentity(endpoint, { body: `Action=GetCallerIdentity&Version=2011-06-15&x=${'x'.repeat(100)}` }),
    );
    expect(await client.until(/<\/ErrorResponse>/)).toMatch(
      /^HTTP\/1\.1 503 [^]*<Code>ServiceUnavailable<\/Code>/,
    );
    client.socket.destroy();
    for (let round = 0; round < 5; round++) await expectServing(endpoint);
  });
});

describe('HTTPS', () => {
  it('with a certificate that is read again when it changes', async () => {
    const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
    const replace = async (name: keyof typeof files, text: string) => {
      await writeFile(`${files[name]}.new`, text);
      await rename(`${files[name]}.new`, files[name]);
    };
    const [one, two] = [selfSigned(1), selfSigned(2)];
    await replace('certFile', one.cert);
    await replace('keyFile', one.key);
    const clock = manualClock(start);
    const endpoint = await endpointWith({ server: { tls: files, clock }, routes: [eventStream().route] });
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const request = get(
          `${endpoint.url}/_cairn/none`,
          { rejectUnauthorized: false, agent: false },
          (answer) => {
            resolve((answer.socket as TLSSocket).getPeerCertificate().serialNumber);
            answer.resume();
          },
        );
        request.on('error', reject);
      });
    // The clock is turned until the files, which the system reads in its own time, have been looked at.
    // The system reads the files in its own time.
    const said = (text: string) => turnUntil(clock, 5_000, () => endpoint.logged().includes(text));
    expect(await serial()).toBe('01');
    await replace('certFile', two.cert);
    await said('the one in use stays');
    expect(await serial()).toBe('01');
    await replace('keyFile', two.key);
    await said('was read again');
    expect(await serial()).toBe('02');
    expect(endpoint.received.at(-1)).toMatchObject({ tls: { version: 'TLSv1.3' } });
  });

  it('refuses to start with files that do not fit', async () => {
    const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
    await expect(openTestEndpoint({ server: { tls: files } })).rejects.toThrow(
      /CAIRN_TLS_CERT and CAIRN_TLS_KEY/,
    );
    await writeFile(files.certFile, selfSigned(1).cert);
    await writeFile(files.keyFile, selfSigned(2).key);
    await expect(openTestEndpoint({ server: { tls: files } })).rejects.toThrow(/belong together/);
  });
});

describe('proxies', () => {
  it('that are trusted say where a request comes from and that it came over TLS', async () => {
    const trusting = await endpointWith({ server: { trustedProxies: ['127.0.0.0/8'] } });
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
    await fetch(`${trusting.url}/_cairn/none`, { headers });
    expect(trusting.received.at(-1)).toMatchObject({ sourceIp: '203.0.113.7', tls: { version: '-' } });
    const other = await endpointWith();
    await fetch(`${other.url}/_cairn/none`, { headers });
    expect(other.received.at(-1)).toMatchObject({ sourceIp: '127.0.0.1', tls: undefined });
  });
});
