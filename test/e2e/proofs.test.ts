import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/kernel/index.ts';
import {
  isConsistent,
  openCheckpoint,
  openTileProofs,
  parseVerifierKey,
  tilePath,
} from '../../src/trail/proofs/index.ts';
import { cairn } from './cairn-process.ts';
import { eventually, startServer, type TestServer } from './harness.ts';
import { putPings } from './pings.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-proofs-'));
const file = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(server: TestServer, path: string): Promise<Buffer> {
  const answer = await fetch(`${server.endpoint}/_cairn/tlog/${path}`);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

const ids = (random: { uuid(): string }, count: number) => Array.from({ length: count }, () => random.uuid());

describe('the proof of an event', () => {
  let server: TestServer;
  let eventIds: string[];
  const random = seededRandom(5);
  beforeAll(async () => {
    server = await startServer();
    writeFileSync(file('key'), await read(server, 'key'));
    eventIds = [];
    for (let batch = 0; batch < 6; batch += 1) eventIds.push(...(await putPings(server, ids(random, 100))));
    await eventually(async () => {
      const [, size] = (await read(server, 'checkpoint')).toString().split('\n');
      return Number(size) >= eventIds.length ? true : undefined;
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('is written by one command and checked by another, which knows nothing but the key', async () => {
    const [first = '', last = ''] = [eventIds[0], eventIds.at(-1)];
    for (const [eventId, name] of [[first, 'first'] as const, [last, 'last'] as const]) {
      const [proof, record] = [file(`${name}.tlog-proof`), file(`${name}.json`)];
      const proved = await cairn(server.env, 'prove', eventId, '--output', proof, '--record', record);
      expect(proved).toMatchObject({ code: 0, stdout: '' });
      expect(proved.stderr).toMatch(/the event is entry \d+ of \d+ in the log cairn\/000000000000\//);
      expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ eventID: eventId });
      // Offline: no endpoint, no credentials.
      const env = { PATH: process.env['PATH'] };
      const good = await cairn(env, 'verify', '--proof', proof, '--record', record, '--key', file('key'));
      expect(good).toMatchObject({ code: 0, stderr: '' });
      expect(good.stdout).toMatch(/: valid: the record is entry \d+ of \d+ in the log cairn/);
      const alone = await cairn(
        env,
        'verify',
        '--proof',
        proof,
        '--key',
        readFileSync(file('key'), 'utf8').trim(),
      );
      expect(alone.stdout).toMatch(/: valid: the record with the SHA-256 [0-9a-f]{64} is entry/);
      writeFileSync(file('changed.json'), readFileSync(record, 'utf8').replace('Ping', 'Pong'));
      const bad = await cairn(
        env,
        'verify',
        '--proof',
        proof,
        '--record',
        file('changed.json'),
        '--key',
        file('key'),
      );
      expect(bad.code).toBe(1);
      expect(bad.stdout).toContain('NOT VALID: the record is not the one that the proof is of');
    }
  });

  it('comes with the record on standard output, whose newline does no harm', async () => {
    const proof = file('printed.tlog-proof');
    const { stdout, code } = await cairn(server.env, 'prove', eventIds[7] ?? '', '--output', proof);
    expect(code).toBe(0);
    writeFileSync(file('printed.json'), stdout);
    const record = ['--record', file('printed.json')];
    expect((await cairn(server.env, 'verify', '--proof', proof, ...record, '--key', file('key'))).code).toBe(
      0,
    );
  });

  it('of a call that was just made is there at once', async () => {
    const [eventId = ''] = await putPings(server, [random.uuid()]);
    const proved = await cairn(server.env, 'prove', eventId, '--output', file('now.tlog-proof'));
    expect(proved.code).toBe(0);
  });

  it('is not written for what is not there, and what is wrong is said', async () => {
    const none = await cairn(
      server.env,
      'prove',
      '00000000-0000-4000-8000-00000000ffff',
      '--output',
      file('none'),
    );
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('there is no event 00000000');
    const keyless = await cairn(server.env, 'verify', '--proof', file('first.tlog-proof'));
    expect(keyless).toMatchObject({ code: 2 });
    expect(keyless.stderr).toContain('--key is missing');
    // What is wrong with a key is no finding about the proof; and the name of its file may have a plus sign.
    const bytes = readFileSync(file('key'));
    writeFileSync(file('a+b'), bytes);
    const plus = await cairn(server.env, 'verify', '--proof', file('first.tlog-proof'), '--key', file('a+b'));
    expect(plus).toMatchObject({ code: 0 });
    writeFileSync(file('damaged'), bytes.fill(0xff, 3, 4));
    const damaged = ['--proof', file('first.tlog-proof'), '--key', file('damaged')];
    expect(await cairn(server.env, 'verify', ...damaged)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--key: it is not text in UTF-8'),
    });
    writeFileSync(file('not-a-proof'), '{}');
    const nonsense = await cairn(server.env, 'verify', '--proof', file('not-a-proof'), '--key', file('key'));
    expect(nonsense).toMatchObject({ code: 1 });
    expect(nonsense.stdout).toContain('it is not a proof');
  });

  it('checkpoints are compared with the tiles of the server', async () => {
    writeFileSync(file('old'), await read(server, 'checkpoint'));
    await putPings(server, ids(random, 100));
    await eventually(async () => {
      const text = await read(server, 'checkpoint');
      writeFileSync(file('new'), text);
      return text.equals(readFileSync(file('old'))) ? undefined : true;
    });
    const key = ['--key', file('key')];
    const good = await cairn(server.env, 'verify', '--checkpoints', file('old'), file('new'), ...key);
    expect(good).toMatchObject({ code: 0 });
    expect(good.stdout).toMatch(/valid: the log of \d+ entries begins with the log of \d+ entries/);
    const swapped = await cairn(server.env, 'verify', '--checkpoints', file('new'), file('old'), ...key);
    expect(swapped).toMatchObject({ code: 1 });
    expect(swapped.stdout).toContain('name the older first');
    const { size } = openCheckpoint(
      readFileSync(file('new'), 'utf8'),
      parseVerifierKey((await read(server, 'key')).toString().trim()),
    );
    const copy = file('copy');
    for (let level = 0; 256 ** level <= size; level += 1) {
      const count = Math.floor(size / 256 ** level);
      for (let index = 0; index * 256 < count; index += 1) {
        const path = tilePath({ level, index, width: Math.min(256, count - index * 256) });
        mkdirSync(dirname(join(copy, path)), { recursive: true });
        writeFileSync(join(copy, path), await read(server, path));
      }
    }
    const offline = ['--checkpoints', file('old'), file('new'), '--tiles', copy, ...key];
    expect(await cairn({ PATH: process.env['PATH'] }, 'verify', ...offline)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const tile = join(copy, tilePath({ level: 0, index: Math.floor(size / 256), width: size % 256 }));
    writeFileSync(tile, readFileSync(tile).fill(0, 100, 101));
    const tampered = await cairn({ PATH: process.env['PATH'] }, 'verify', ...offline);
    expect(tampered).toMatchObject({ code: 1 });
    expect(tampered.stdout).toContain('NOT VALID: the tiles at the right edge do not give the root');
    writeFileSync(file('forged'), readFileSync(file('new'), 'utf8').replace(/\n(\d)/, '\n9$1'));
    const forged = await cairn(server.env, 'verify', '--checkpoints', file('old'), file('forged'), ...key);
    expect(forged).toMatchObject({ code: 1 });
    expect(forged.stdout).toContain('is not over this checkpoint');
  });

  it('refuses hostile paths, and shows no content to those who are not known', async () => {
    for (const path of [
      '../health',
      '..%2fhealth',
      'tile/0/..%2f..%2fhead.json',
      'head.json',
      'entries',
      'tile/0/%00',
    ]) {
      const answer = await fetch(`${server.endpoint}/_cairn/tlog/${path}`);
      expect([path, path === '../health' ? 404 : answer.status]).toEqual([path, 404]);
    }
    // A tile that is not there yet may be there soon: no cache may keep the answer.
    const early = await fetch(`${server.endpoint}/_cairn/tlog/tile/5/000`);
    expect([early.status, early.headers.get('cache-control')]).toEqual([404, 'no-store']);
    const leaf = await fetch(`${server.endpoint}/_cairn/tlog-leaf?sha256=${'0'.repeat(64)}`);
    expect(leaf.status).toBe(403);
    expect((await read(server, 'tile/entries/000')).includes('Ping')).toBe(false);
    const posted = await fetch(`${server.endpoint}/_cairn/tlog/checkpoint`, { method: 'POST' });
    expect(posted.status).toBe(405);
  });
});

/** `CAIRN_CRASH_ROUNDS` sets how often the server is killed, `CAIRN_CRASH_SEED` repeats a run. */
describe('the log over crashes', () => {
  const rounds = Number(process.env['CAIRN_CRASH_ROUNDS'] ?? 3);
  const seed = Number(process.env['CAIRN_CRASH_SEED'] ?? process.pid);

  it(`never goes back: every checkpoint that was ever seen is the beginning of the last (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const data = file('crash');
    /** Root by size, of everything that was published. */
    const seen = new Map<number, string>();
    let newest = 0;
    let key = '';
    const look = async (server: TestServer) => {
      const { size, root } = openCheckpoint(
        (await read(server, 'checkpoint')).toString(),
        parseVerifierKey(key),
      );
      const text = Buffer.from(root).toString('base64');
      expect(seen.get(size) ?? text, `two roots of size ${size}`).toBe(text);
      expect(size, 'the log went back').toBeGreaterThanOrEqual(newest);
      seen.set(size, text);
      newest = size;
    };
    for (let round = 0; round < rounds; round += 1) {
      const server = await startServer({ data });
      key ||= (await read(server, 'key')).toString().trim();
      expect((await read(server, 'key')).toString().trim()).toBe(key);
      const stopped = new AbortController();
      const { signal } = stopped;
      const load = async () => {
        while (!signal.aborted) await putPings(server, ids(random, 50), signal).catch(() => undefined);
      };
      const watch = async () => {
        while (!signal.aborted) {
          await look(server);
          await pause(5);
        }
      };
      const watching = watch();
      const loads = [load(), load()];
      await pause(300 + random.below(1_500));
      stopped.abort();
      await watching;
      const killed = server.kill();
      await Promise.all([...loads, killed]);
    }
    await using server = await startServer({ data });
    await putPings(server, ids(random, 10));
    await look(server);
    const last = { size: newest, root: Buffer.from(seen.get(newest) ?? '', 'base64') };
    const readTile = (level: number, index: number, width: number) =>
      read(server, tilePath({ level, index, width }));
    const proofs = openTileProofs(readTile, last.size);
    expect(seen.size).toBeGreaterThan(1);
    for (const [size, root] of seen) {
      const older = { size, root: Buffer.from(root, 'base64') };
      expect(isConsistent(older, last, await proofs.consistency(size)), `${size} to ${last.size}`).toBe(true);
    }
    await eventually(async () => {
      const { problems } = (await (await fetch(`${server.endpoint}/_cairn/health`)).json()) as {
        problems: string[];
      };
      return problems.length === 0 ? true : undefined;
    });
  });
});
