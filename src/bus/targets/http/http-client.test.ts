import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, openHttpReceiver, type Respond } from '../../../../test/http-receiver.ts';
import { https, manualClock, systemClock } from '../../../kernel/index.ts';
import { openEgress } from './egress.ts';
import { openHttpClient, type HttpRequest } from './http-client.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

const never = new AbortController().signal;

function request(url: string, over: Partial<HttpRequest> = {}): HttpRequest {
  return {
    url: new URL(url),
    method: 'POST',
    headers: { 'X-Key': 'the-secret-key' },
    body: Buffer.from('{"a":1}'),
    mostBodyBytes: 1000,
    ...over,
  };
}

const client = (clock = systemClock) => openHttpClient({ egress: openEgress(['127.0.0.1']), clock });

async function receiverWith(respond?: Respond) {
  const receiver = await openHttpReceiver();
  opened.push(receiver);
  if (respond) receiver.respond = respond;
  return receiver;
}

/** An endpoint that does with a connection what it likes. */
async function rawServer(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  opened.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('a request', () => {
  it('is sent as it is, on a connection of its own', async () => {
    const receiver = await receiverWith(answer(201, { 'X-A': 'b' }, 'thanks'));
    const got = await client()(request(`http://${receiver.host}/a?b=c`), never);
    expect(got).toMatchObject({ kind: 'answered', status: 201, isWhole: true });
    expect(got.kind === 'answered' && got.body.toString()).toBe('thanks');
    expect(receiver.requests).toMatchObject([
      {
        method: 'POST',
        url: '/a?b=c',
        body: '{"a":1}',
        headers: {
          'x-key': 'the-secret-key',
          'content-length': '7',
          connection: 'close',
          host: receiver.host,
        },
      },
    ]);
  });

  it('is not sent to where it may not go', async () => {
    const receiver = await receiverWith();
    const send = openHttpClient({ egress: openEgress([]), clock: systemClock });
    for (const url of [`http://${receiver.host}/`, `https://${receiver.host}/`]) {
      expect((await send(request(url), never)).kind).toBe('failed');
    }
    expect(receiver.requests).toEqual([]);
  });

  it('is not sent to a name that leads to such an address', async () => {
    const receiver = await receiverWith();
    const port = receiver.host.split(':')[1];
    const egress = openEgress([], (_host, _options, done) =>
      done(null, [{ address: '127.0.0.1', family: 4 }]),
    );
    const send = openHttpClient({ egress, clock: systemClock });
    const got = await send(request(`https://hooks.example.com:${port}/`), never);
    expect(got).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/\(127\.0\.0\.1\) is no public/) as string,
    });
    expect(receiver.requests).toEqual([]);
  });

  it('does not follow a redirect', async () => {
    const other = await receiverWith();
    const receiver = await receiverWith(answer(307, { Location: `http://${other.host}/` }));
    expect(await client()(request(`http://${receiver.host}/`), never)).toMatchObject({ status: 307 });
    expect(other.requests).toEqual([]);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['nothing', () => {}],
    ['half a head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
    ['continue for ever', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
  ])('fails after five seconds where the endpoint answers %s', async (_, serve) => {
    const clock = manualClock(0);
    const asked = Promise.withResolvers<void>();
    const url = await rawServer((socket) => {
      socket.once('data', () => {
        serve(socket);
        asked.resolve();
      });
    });
    const got = client(clock)(request(url), never);
    await asked.promise;
    await clock.advance(4_999);
    expect(await Promise.race([got, Promise.resolve('waiting')])).toBe('waiting');
    await clock.advance(1);
    expect(await got).toEqual({ kind: 'failed', reason: 'no answer within 5 seconds' });
  });

  it.each<[string, string]>([
    ['garbage', '\0\0\0\0 this is no HTTP\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'],
  ])('fails where the endpoint answers %s', async (_, text) => {
    const url = await rawServer((socket) => void socket.once('data', () => socket.end(text)));
    const got = await client()(request(url), never);
    expect(got.kind).toBe('failed');
    expect(JSON.stringify(got)).not.toContain('the-secret-key');
  });

  it.each<[string, (socket: Socket) => void]>([
    ['at once', (socket) => socket.destroy()],
    ['by a reset', (socket) => socket.resetAndDestroy()],
    ['when it was asked', (socket) => void socket.once('data', () => socket.destroy())],
    ['in the middle of the head', (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200'))],
  ])('fails where the endpoint closes the connection %s', async (_, serve) => {
    const got = await client()(request(await rawServer(serve)), never);
    expect(got.kind).toBe('failed');
  });

  it('is answered once the head is there, whatever becomes of the body', async () => {
    const clock = manualClock(0);
    const hanging = await receiverWith((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('some');
    });
    const got = client(clock)(request(`http://${hanging.host}/`), never);
    await hanging.received(1);
    // Until the five seconds are over, in which the rest may come.
    while ((await Promise.race([got, clock.advance(1_000).then(() => 'waiting')])) === 'waiting') {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
    expect(await got).toMatchObject({ kind: 'answered', status: 200, isWhole: false });
  });

  it('takes no more of a huge body than is of interest', async () => {
    let sent = 0;
    const receiver = await receiverWith((_, response) => {
      response.writeHead(200);
      const part = Buffer.alloc(64 * 1024, 'a');
      const more = () => {
        while (!response.destroyed && sent < 1024 * 1024 * 1024) {
          sent += part.length;
          if (!response.write(part)) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const got = await client()(request(`http://${receiver.host}/`), never);
    expect(got).toMatchObject({ kind: 'answered', status: 200, isWhole: false });
    expect(got.kind === 'answered' && got.body.length).toBe(1000);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('says what an endpoint answers that wants another protocol', async () => {
    const url = await rawServer(
      (socket) =>
        void socket.once('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
        ),
    );
    expect(await client()(request(url), never)).toMatchObject({ status: 101 });
  });

  it('fails, and does not throw, where HTTP cannot have what it is given', async () => {
    const receiver = await receiverWith();
    const got = await client()(request(`http://${receiver.host}/`, { headers: { 'X-A': 'a\r\nb' } }), never);
    expect(got.kind).toBe('failed');
    expect(receiver.requests).toEqual([]);
  });

  it('ends where it is aborted', async () => {
    const receiver = await receiverWith(() => {});
    const stop = new AbortController();
    const got = client()(request(`http://${receiver.host}/`), stop.signal);
    await receiver.received(1);
    stop.abort(new Error('stopped'));
    await expect(got).rejects.toThrow('stopped');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate of its own for `localhost`, and its key. */
function certificate(directory: string) {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const command = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  const made = spawnSync('openssl', [...command.split(' '), '-keyout', key, '-out', cert]);
  expect(made.status).toBe(0);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

describe.skipIf(!hasOpenssl)('a request over HTTPS', () => {
  it('is sent to who proves to be the host, and to nobody else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cairn-tls-'));
    const trusted = tls.getCACertificates();
    const pair = certificate(directory);
    let asked = 0;
    const server = https.createServer(pair, (_, response) => {
      asked += 1;
      response.end('hello');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    try {
      const egress = openEgress(['localhost', 'other.internal'], (_host, _options, done) =>
        done(null, [{ address: '127.0.0.1', family: 4 }]),
      );
      const send = openHttpClient({ egress, clock: systemClock });
      const ask = (host: string) => send(request(`https://${host}:${port}/`), never);
      expect(await ask('localhost')).toMatchObject({
        kind: 'failed',
        reason: expect.stringMatching(/^self-signed certificate/) as string,
      });
      tls.setDefaultCACertificates([...trusted, pair.cert.toString()]);
      expect(await ask('localhost')).toMatchObject({ kind: 'answered', status: 200 });
      expect(await ask('other.internal')).toMatchObject({
        kind: 'failed',
        reason: expect.stringMatching(/does not match certificate's altnames/) as string,
      });
      expect(asked).toBe(1);
    } finally {
      tls.setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
