import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../journal/index.ts';
import { manualClock, seededRandom, silentLog } from '../../kernel/index.ts';
import { openSegmentLog } from '../../store/embedded/index.ts';
import { openMemoryCursors } from '../../store/memory/index.ts';
import { checkJournal } from './journal-check.ts';

const clock = manualClock(Date.UTC(2026, 10, 22));
let data: string;
let segment: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'cairn-journal-check-'));
  const directory = join(data, 'journal', 'audit');
  const journal = await openJournal({
    openLog: () => openSegmentLog({ directory, random: seededRandom(1), log: silentLog }),
    openCursors: () => Promise.resolve(openMemoryCursors()),
    clock,
    log: silentLog,
  });
  for (let entry = 0; entry < 20; entry++) {
    const payload = Buffer.from(`{"eventID":"entry ${entry} ${'x'.repeat(100)}"}`);
    await journal.stream('audit').append([{ kind: 'record', payload }]);
  }
  await journal[Symbol.asyncDispose]();
  segment = join(directory, (await readdir(directory))[0] ?? '');
});
afterEach(() => rm(data, { recursive: true }));

/** Runs the check and asserts that it left the file as it was. */
async function check() {
  const before = await readFile(segment);
  const checks = await checkJournal(data, { clock, random: seededRandom(2) });
  expect((await readFile(segment)).equals(before)).toBe(true);
  expect(await readdir(join(data, 'journal', 'audit'))).toHaveLength(1);
  return checks;
}

describe('checkJournal', () => {
  it('finds a whole journal whole', async () => {
    expect(await check()).toEqual([
      { level: 'ok', name: 'journal', finding: expect.stringMatching(/20 entries from 0 on, .* all whole$/) },
    ]);
  });

  it('names the place of damage, and what stands around it stays readable', async () => {
    const bytes = await readFile(segment);
    const at = bytes.indexOf('entry 10 ');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(segment, bytes);
    const [summary, damage, ...rest] = await check();
    expect(summary?.finding).toMatch(/19 entries from 0 on, .* readable$/);
    expect(damage).toMatchObject({ level: 'fail', finding: expect.stringContaining('entry 10') });
    expect(damage?.finding).toContain(segment);
    expect(rest).toEqual([]);
  });

  it('tells a torn last write, which the next start cuts off, from damage', async () => {
    const lastEntry = (await readFile(segment)).indexOf('entry 19 ');
    await truncate(segment, lastEntry + 30);
    const [summary, torn, ...rest] = await check();
    expect(summary?.finding).toMatch(/19 entries/);
    expect(torn).toMatchObject({ level: 'warn', finding: expect.stringContaining('torn write') });
    expect(rest).toEqual([]);
  });

  it('finds nothing where there is no journal', async () => {
    expect(await checkJournal(join(data, 'elsewhere'), { clock, random: seededRandom(3) })).toEqual([]);
  });
});
