import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom, systemClock } from '../../kernel/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { withPatience } from '../import/retry.ts';
import { AnswerBrokenError, openConnection, readBody, type Connection } from './connection.ts';

let broken = 0;
/** Ends its first two answers in the middle. */
const server = createServer((_, answer) => {
  answer.writeHead(200, { 'content-length': 10 });
  if (broken++ >= 2) return answer.end('0123456789');
  answer.write('01234', () => answer.destroy());
  return undefined;
});
let connection: Connection;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  connection = openConnection({
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    credentials: () => Promise.reject(new Error('nothing is signed here')),
    region: 'us-east-1',
    clock: systemClock,
    version: '0',
    caFile: undefined,
    sockets: 1,
  });
});
afterAll(() => {
  connection.close();
  server.close();
});

const read = async () => readBody((await connection.ask({ method: 'GET', path: '/', unsigned: true })).body);

it('says of an answer that breaks off that it is not whole', async () => {
  const failure = await read().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AnswerBrokenError);
  expect(failure).toMatchObject({
    exitCode: exitCodes.serverFailed,
    message: expect.stringContaining('broke in the middle of the answer, which is not whole') as string,
  });
});

it('an import asks again after an answer that broke off', async () => {
  const waits: string[] = [];
  const options = {
    clock: systemClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    patienceMs: 60_000,
    onWait: (reason: string) => void waits.push(reason),
  };
  expect(String(await withPatience(options, read))).toBe('0123456789');
  expect(waits).toEqual([expect.stringContaining('broke in the middle')]);
});
