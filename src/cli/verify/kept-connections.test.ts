import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openKeptConnections, readAnswerHead } from './kept-connections.ts';

let server: Server | undefined;
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (!server) return;
  server.close();
  await once(server, 'close');
  server = undefined;
});

/** A server that answers each request with the next of `answers`, in pieces; `undefined` hangs up. */
async function serve(answers: readonly (readonly string[] | undefined)[]) {
  const left = [...answers];
  const seen = { connections: 0, requests: [] as string[] };
  const made = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      seen.requests.push(chunk.toString('latin1'));
      const pieces = left.shift();
      if (!pieces) return void socket.destroy();
      let wait: Promise<void> = Promise.resolve();
      for (const piece of pieces) {
        wait = wait.then(
          () =>
            new Promise((resolve) => {
              socket.write(piece, 'latin1', () => setImmediate(resolve));
            }),
        );
      }
    });
  });
  server = made;
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  const { port } = made.address() as AddressInfo;
  const stop = new AbortController();
  const origin = { isTls: false, hostname: '127.0.0.1', port };
  return { seen, stop, connections: openKeptConnections(origin, stop.signal) };
}

const head = 'GET /one HTTP/1.1\r\nhost: here\r\n\r\n';
const ok = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\nETag: "e"\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

async function textOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('latin1');
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

describe('readAnswerHead', () => {
  it('reads status, headers and length', () => {
    const read = readAnswerHead('HTTP/1.1 404 Not Found\r\nA: 1\r\na:  2 \r\ncontent-length: 7');
    expect(read).toMatchObject({ status: 404, sizeBytes: 7, endsConnection: false });
    expect(read?.headers.get('a')).toBe('1, 2');
  });

  it.each([
    ['no length', 'HTTP/1.1 200 OK\r\na: 1'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1'],
    ['a body in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1'],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\ncontent-length: 0'],
    ['another version', 'HTTP/1.0 200 OK\r\ncontent-length: 0'],
    ['a folded line', 'HTTP/1.1 200 OK\r\na: 1\r\n b\r\ncontent-length: 0'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH'],
  ])('does not understand %s', (_what, text) => {
    expect(readAnswerHead(text)).toBeUndefined();
  });
});

describe('openKeptConnections', () => {
  it('asks again on the same connection, however the answers come in pieces', async () => {
    const whole = ok('hello');
    const { seen, connections } = await serve([[whole], whole.split(''), [ok('')]]);
    for (const expected of ['hello', 'hello', '']) {
      const answer = await connections.ask(head);
      expect(answer?.status).toBe(200);
      expect(answer?.headers.get('etag')).toBe('"e"');
      expect(await textOf(answer?.body ?? Buffer.from('none'))).toBe(expected);
    }
    expect(seen).toEqual({ connections: 1, requests: [head, head, head] });
    connections.close();
  });

  it('uses a connection no more that the server ends, or on which it says too much', async () => {
    const { seen, connections } = await serve([
      [ok('a', 'Connection: close\r\n')],
      [`${ok('b')}HTTP/1.1 200 OK\r\n`],
      [ok('c')],
    ]);
    expect((await connections.ask(head))?.status).toBe(200);
    expect(await connections.ask(head)).toBeUndefined();
    expect((await connections.ask(head))?.status).toBe(200);
    expect(seen.connections).toBe(3);
    connections.close();
  });

  it('streams a long answer, and throws when it is cut off', async () => {
    const long = 'x'.repeat(3_000_000);
    const { seen, connections } = await serve([
      [ok(long)],
      [ok(long).slice(0, 1_000_000), 'x'],
      [ok('next')],
    ]);
    const first = await connections.ask(head);
    expect(first?.sizeBytes).toBe(long.length);
    expect(await textOf(first?.body ?? Buffer.from(''))).toBe(long);
    const second = await connections.ask(head);
    const read = textOf(second?.body ?? Buffer.from(''));
    for (const socket of sockets) socket.end();
    await expect(read).rejects.toThrow('cut off');
    expect((await connections.ask(head))?.status).toBe(200);
    expect(seen.connections).toBe(3);
    connections.close();
  });

  it('gives nothing when the server hangs up, is not there, or the run was stopped', async () => {
    const { stop, connections } = await serve([undefined, [ok('a').slice(0, 20)], [ok('b')]]);
    expect(await connections.ask(head)).toBeUndefined();
    const waiting = connections.ask(head);
    await once(server as Server, 'connection');
    stop.abort(new Error('stopped'));
    expect(await waiting).toBeUndefined();
    expect(await connections.ask(head)).toBeUndefined();
    const nobody = openKeptConnections(
      { isTls: false, hostname: '127.0.0.1', port: 1 },
      new AbortController().signal,
    );
    expect(await nobody.ask(head)).toBeUndefined();
  });
});
