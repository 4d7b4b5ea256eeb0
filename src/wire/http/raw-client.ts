import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { signRequest } from '../sigv4/index.ts';
import type { TestEndpoint } from '../test-endpoint.ts';

/** For tests: a socket, and everything that came back on it. */
export interface RawClient {
  readonly socket: Socket;
  text(): string;
  /** Resolves once what came back matches, or the server has closed its side. */
  until(pattern: RegExp): Promise<string>;
  readonly closed: Promise<void>;
}

export function rawClient(port: number): RawClient {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const seen = { text: '', ended: false };
  const changes = new EventEmitter();
  socket.setEncoding('latin1');
  socket.on('error', () => undefined);
  socket.on('data', (piece: string) => {
    seen.text += piece;
    changes.emit('change');
  });
  const closed = new Promise<void>((resolve) => {
    const onEnd = () => {
      seen.ended = true;
      changes.emit('change');
      resolve();
    };
    socket.on('end', onEnd).on('close', onEnd);
  });
  return {
    socket,
    closed,
    text: () => seen.text,
    async until(pattern) {
      while (!pattern.test(seen.text) && !seen.ended) await once(changes, 'change');
      return seen.text;
    },
  };
}

/** The bytes of a signed call of STS GetCallerIdentity. */
export function callIdentity(
  endpoint: TestEndpoint,
  edit: { readonly body?: string; readonly extra?: string } = {},
): string {
  const body = edit.body ?? 'Action=GetCallerIdentity&Version=2011-06-15';
  const url = new URL(endpoint.url);
  const headers = signRequest({
    method: 'POST',
    url,
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    service: 'sts',
    region: 'us-east-1',
    credentials: endpoint.credentials,
    time: endpoint.clock.now(),
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST / HTTP/1.1\r\n${lines.join('')}${edit.extra ?? `content-length: ${body.length}\r\n`}\r\n${body}`;
}

export async function expectServing(endpoint: TestEndpoint): Promise<void> {
  const client = rawClient(endpoint.port);
  client.socket.write(callIdentity(endpoint));
  expect(await client.until(/<\/GetCallerIdentityResponse>/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  client.socket.destroy();
}

/** Lets everything that is under way on the sockets happen, without waiting for a time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Waits until the request has reached the pipeline and is waiting for more. */
export async function arrived(endpoint: TestEndpoint): Promise<void> {
  while (endpoint.received.length === 0) await settle();
  await settle();
}
