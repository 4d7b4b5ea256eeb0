import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualClock, sequence, silentLog } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import { openHistory } from '../../trail/history/index.ts';
import { checkHistory } from './history-check.ts';

let data: string;
let directory: string;
const manifest = () => join(directory, 'manifest.json');
const segment = async () =>
  join(directory, (await readdir(directory)).find((name) => name.endsWith('.seg')) ?? '');

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'cairn-history-check-'));
  directory = join(data, 'history');
  await using history = await openHistory({ directory, clock: manualClock(0), log: silentLog });
  const records = Array.from({ length: 200 }, (_, at) => ({
    eventID: `event-${at}`,
    eventTime: new Date(Date.UTC(2026, 5, 1) + at * 1000).toISOString(),
    eventName: 'CreateUser',
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-east-1',
    recipientAccountId: '111111111111',
  }));
  await history.apply(
    records.map((record, at): JournalEntry => ({
      sequence: sequence(at),
      time: 0,
      kind: 'record',
      payload: Buffer.from(JSON.stringify(record)),
      hash: Buffer.alloc(32),
    })),
  );
  await history.flush();
});
afterEach(() => rm(data, { recursive: true }));

const failures = async () =>
  (await checkHistory(data))
    .filter(({ level }) => level !== 'ok')
    .map(({ level, finding }) => [level, finding]);

it('finds a whole history whole, and none where there is none', async () => {
  const finding = `${directory}: 200 events in 1 segment, all whole`;
  expect(await checkHistory(data)).toEqual([{ level: 'ok', name: 'history', finding }]);
  expect(await checkHistory(join(data, 'nothing'))).toMatchObject([{ level: 'ok' }]);
});

it('finds a bit that is another wherever it is, and changes nothing', async () => {
  const file = await segment();
  const whole = await readFile(file);
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 40)) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    await writeFile(file, flipped);
    expect([at, await failures()]).toEqual([at, [['fail', expect.stringContaining(file)]]]);
    expect((await readFile(file)).equals(flipped)).toBe(true);
  }
});

it('finds what is cut off, what is missing, and what was set aside', async () => {
  const file = await segment();
  await truncate(file, 1000);
  expect(await failures()).toEqual([['fail', expect.stringContaining(`${file}: the segment has no end`)]]);
  await mkdir(join(directory, 'quarantine'));
  await copyFile(file, join(directory, 'quarantine', 'segment-00000009.seg'));
  await rm(file);
  expect(await failures()).toEqual([
    ['fail', `${file} is missing`],
    ['warn', expect.stringContaining('segment-00000009.seg')],
  ]);
});

it('finds a manifest that is damaged or missing', async () => {
  await truncate(manifest(), 30);
  expect(await failures()).toEqual([['fail', `${manifest()}: wrong checksum`]]);
  await rm(manifest());
  expect(await failures()).toEqual([['fail', `${manifest()} is missing`]]);
});
