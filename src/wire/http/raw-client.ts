import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { manualClock, type ManualClock } from '../../kernel/index.ts';
import { signRequest } from '../sigv4/index.ts';
import type { TestEndpoint } from '../test-endpoint.ts';

/** For tests: a socket, and everything that came back on it. */
export interface RawClient {
  readonly socket: Socket;
  text(): string;
  /** Resolves once what came back matches, or the server has closed its side. */
  until(pattern: RegExp): Promise<string>;
  readonly closed: Promise<void>;
  readonly ended: boolean;
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
    get ended() {
      return seen.ended;
    },
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

/** Lets what is under way on the sockets go on until it has come so far; the test's own time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A clock turned by hand that counts how often somebody began to wait on it. */
export interface WatchedClock extends ManualClock {
  readonly waits: number;
}

export function watchedClock(startMs: number): WatchedClock {
  const clock = manualClock(startMs);
  let waits = 0;
  return {
    ...clock,
    get waits() {
      return waits;
    },
    after(delayMs, run) {
      waits++;
      return clock.after(delayMs, run);
    },
  };
}

/** Turns the clock on and on, for what waits again and again. */
export async function turnUntil(clock: ManualClock, byMs: number, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await clock.advance(byMs);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
