import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../kernel/index.ts';
import { signRequest } from '../sigv4/index.ts';
import { openTestEndpoint, type TestEndpoint } from '../test-endpoint.ts';
import { callIdentity, expectServing, rawClient, turnUntil, until, watchedClock } from './raw-client.ts';

/** The server as raw sockets meet it: whatever they send, it answers or hangs up, and goes on serving. */
const start = Date.parse('2026-11-22T12:00:00Z');
let open: TestEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.map((endpoint) => endpoint.close()));
  open = [];
});

async function endpointWith(edit: Parameters<typeof openTestEndpoint>[0] = {}): Promise<TestEndpoint> {
  const endpoint = await openTestEndpoint(edit);
  open.push(endpoint);
  return endpoint;
}

describe('heads that are no HTTP', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a header without a name', 'GET / HTTP/1.1\r\nhost: a\r\n: x\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', /header Host is missing/],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length that is no number',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: five\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a whole URL',
      'GET http://elsewhere/ HTTP/1.1\r\nhost: a\r\n\r\n',
      /MalformedHttpRequestException.*must be a path/s,
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', /header host stands more than once/],
    [
      'an expectation',
      'GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n',
      /header Expect may be 100-continue/,
    ],
    [
      'two signatures',
      'GET / HTTP/1.1\r\nhost: a\r\nauthorization: a\r\nauthorization: b\r\n\r\n',
      /header authorization stands more than once/,
    ],
    [
      'too large a head',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(limits.requestHeadBytes)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*RequestHeaderSectionTooLarge/s,
    ],
  ])('%s', async (_, bytes, answer) => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    client.socket.write(bytes);
    await client.closed;
    expect(client.text()).toMatch(answer);
    expect(client.text()).toMatch(/x-amzn-requestid: [0-9a-f-]{36}/);
    client.socket.destroy();
    await expectServing(endpoint);
  });

  it('any bytes are answered or end the connection', async () => {
    const endpoint = await endpointWith();
    const good = callIdentity(endpoint);
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .tuple(fc.nat(good.length), fc.string({ unit: 'binary', maxLength: 10 }))
        .map(([at, text]) => good.slice(0, at) + text + good.slice(at + text.length)),
      fc.nat(good.length - 1).map((at) => good.slice(0, at)),
    );
    await fc.assert(
      fc.asyncProperty(noise, async (bytes) => {
        const client = rawClient(endpoint.port);
        client.socket.end(bytes, 'latin1');
        await client.closed;
        const statuses = [...client.text().matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => match[1]);
        for (const status of statuses) expect(status).toMatch(/^(?:200|4\d\d)$/);
        client.socket.destroy();
      }),
      { numRuns: 150, seed: 20_261_122 },
    );
    await expectServing(endpoint);
    expect(endpoint.logged()).not.toContain('mistake of the program');
  });

  it('one byte of a signed request changed is never taken for another request', async () => {
    const endpoint = await endpointWith();
    const good = callIdentity(endpoint);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 127 }), async (at, flip) => {
        const changed =
          good.slice(0, at) + String.fromCharCode(good.charCodeAt(at) ^ flip) + good.slice(at + 1);
        fc.pre(changed.toLowerCase() !== good.toLowerCase());
        const client = rawClient(endpoint.port);
        client.socket.end(changed, 'latin1');
        await client.closed;
        client.socket.destroy();
        const seen = endpoint.performed.splice(0);
        // What is neither signed nor read, such as white space around values, may change.
        for (const call of seen) expect([call.operationName, call.input]).toEqual(['GetCallerIdentity', {}]);
      }),
      { numRuns: 300, seed: 20_261_122 },
    );
  });
});

describe('bodies', () => {
  it('cut off: the connection ends, the attempt is recorded, nothing is performed', async () => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    client.socket.end(callIdentity(endpoint).slice(0, -5));
    await client.closed;
    client.socket.destroy();
    await until(() => endpoint.rejected.length > 0);
    expect(endpoint.performed).toEqual([]);
    expect(endpoint.rejected.at(-1)).toMatchObject({ error: { code: 'RequestAbortedException' } });
    await expectServing(endpoint);
  });

  it('longer than announced: the rest is no request', async () => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    client.socket.write(`${callIdentity(endpoint)}and more`);
    client.socket.end();
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 /);
    client.socket.destroy();
    await expectServing(endpoint);
  });

  it('announced as too large: refused before it is sent', async () => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    const extra = `content-length: ${limits.requestBodyBytes + 1}\r\nexpect: 100-continue\r\n`;
    client.socket.write(callIdentity(endpoint, { extra }).replace(/Action=.*$/, ''));
    expect(await client.until(/<\/ErrorResponse>/)).toMatch(
      /^HTTP\/1\.1 413 .*<Code>RequestEntityTooLarge<\/Code>/s,
    );
    client.socket.destroy();
  });

  it('too large in chunks', async () => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    client.socket.write(
      callIdentity(endpoint, { extra: 'transfer-encoding: chunked\r\n' }).replace(/Action=.*$/, ''),
    );
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    for (let sent = 0; sent < 17; sent++) client.socket.write(chunk);
    expect(await client.until(/<\/ErrorResponse>/)).toMatch(/<Code>RequestEntityTooLarge<\/Code>/);
    client.socket.destroy();
    await expectServing(endpoint);
  });

  it('asked for with Expect: 100-continue only once the signature is verified', async () => {
    const endpoint = await endpointWith();
    const request = callIdentity(endpoint);
    const [head = '', body = ''] = request.split('\r\n\r\n');
    const client = rawClient(endpoint.port);
    client.socket.write(`${head}\r\nexpect: 100-continue\r\n\r\n`);
    expect(await client.until(/100 Continue\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write(body);
    expect(await client.until(/<\/GetCallerIdentityResponse>/)).toMatch(/HTTP\/1\.1 200 OK/);
    client.socket.destroy();
    const stranger = rawClient(endpoint.port);
    const tampered = head.replace(/Signature=./, 'Signature=0').replace(/\/us-east-1\//, '/us-east-2/');
    stranger.socket.write(
      `${tampered}\r\nexpect: 100-continue\r\ncontent-length: 999999\r\n\r\n`.replace(
        /content-length: \d+\r\n/,
        '',
      ),
    );
    expect(await stranger.until(/<\/ErrorResponse>/)).toMatch(/^HTTP\/1\.1 403 .*connection: close/is);
    stranger.socket.destroy();
  });

  it('that stop flowing are refused after a while', async () => {
    const clock = watchedClock(start);
    const endpoint = await endpointWith({ server: { clock } });
    const client = rawClient(endpoint.port);
    client.socket.write(callIdentity(endpoint).slice(0, -5));
    await until(() => clock.waits > 0);
    await clock.advance(limits.streamIdleMs + 1);
    expect(await client.until(/<\/ErrorResponse>/)).toMatch(
      /^HTTP\/1\.1 408 .*<Code>RequestTimeout<\/Code>/s,
    );
    await turnUntil(clock, 1_000, () => client.ended);
    client.socket.destroy();
    await expectServing(endpoint);
  });

  it('that stop flowing into an operation that streams fail there, and leave nothing behind', async () => {
    const clock = watchedClock(start);
    const endpoint = await endpointWith({ server: { clock } });
    const url = new URL(`${endpoint.url}/b/stalled`);
    const body = 'x'.repeat(1000);
    const headers = signRequest({
      method: 'PUT',
      url,
      body,
      service: 's3',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: clock.now(),
    });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const client = rawClient(endpoint.port);
    client.socket.write(`PUT /b/stalled HTTP/1.1\r\n${lines.join('')}content-length: 1000\r\n\r\n`);
    await until(() => clock.waits > 0);
    for (let piece = 0; piece < 3; piece++) {
      const { waits } = clock;
      client.socket.write(body.slice(0, 300));
      await until(() => clock.waits > waits);
      await clock.advance(limits.streamIdleMs - 1000);
      expect(client.text()).toBe('');
    }
    await clock.advance(1001);
    expect(await client.until(/<\/Error>/)).toMatch(/^HTTP\/1\.1 400 .*<Code>RequestTimeout<\/Code>/s);
    expect(endpoint.objects.size).toBe(0);
    client.socket.destroy();
  });

  it('that trickle in are refused once the time for a whole body is over', async () => {
    const clock = watchedClock(start);
    const endpoint = await endpointWith({ server: { clock } });
    const client = rawClient(endpoint.port);
    const request = callIdentity(endpoint);
    client.socket.write(request.slice(0, -10));
    await until(() => clock.waits > 0);
    for (let passed = 0; passed < limits.requestBodyMs; passed += 20_000) {
      const { waits } = clock;
      client.socket.write('x');
      await until(() => clock.waits > waits);
      await clock.advance(20_000);
    }
    expect(await client.until(/<\/ErrorResponse>/)).toMatch(/^HTTP\/1\.1 408 /);
    client.socket.destroy();
  });
});

describe('connections', () => {
  it('are kept for further requests, also pipelined ones', async () => {
    const endpoint = await endpointWith();
    const client = rawClient(endpoint.port);
    const request = callIdentity(endpoint);
    client.socket.write(request + request + request);
    const text = await client.until(/(?:<\/GetCallerIdentityResponse>[^]*){3}/);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    client.socket.destroy();
  });

  it('that end before the answer do no harm', async () => {
    const endpoint = await endpointWith();
    for (let round = 0; round < 20; round++) {
      const client = rawClient(endpoint.port);
      client.socket.write(callIdentity(endpoint));
      client.socket.resetAndDestroy();
    }
    await expectServing(endpoint);
  });
});
