import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom, sequence, silentLog, systemClock } from '../../kernel/index.ts';
import { describeBlob } from '../blob-contract.ts';
import type { InFlightBounds } from '../in-flight.ts';
import { describeLog } from '../log-contract.ts';
import type { Log } from '../log-port.ts';
import { openDirectoryBlob, openFileCursors, openSegmentLog } from './index.ts';

async function* body() {
  yield Buffer.from('x');
}

let root = '';
let count = 0;
const fresh = () => join(root, String(count++));
const directories = new Map<Log, string>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cairn-store-'));
});
afterAll(() => rm(root, { recursive: true }));

const random = seededRandom(1);
async function openIn(directory: string, bounds?: InFlightBounds): Promise<Log> {
  const options = { directory, random, log: silentLog, segmentBytes: 10_000 };
  const log = await openSegmentLog(bounds ? { ...options, bounds } : options);
  directories.set(log, directory);
  return log;
}

describeLog({
  name: 'segment files',
  open: (bounds) => openIn(fresh(), bounds),
  async reopen(log) {
    await log[Symbol.asyncDispose]();
    return openIn(directories.get(log) ?? '');
  },
});

describeBlob({
  name: 'directory',
  open: () => openDirectoryBlob({ directory: fresh(), clock: systemClock, log: silentLog }),
});

describe('directory of blobs', () => {
  it('removes what a crash left unfinished', async () => {
    const directory = fresh();
    await openDirectoryBlob({ directory, clock: systemClock, log: silentLog });
    await writeFile(join(directory, 'unfinished', '7'), 'half');
    await openDirectoryBlob({ directory, clock: systemClock, log: silentLog });
    expect(await readdir(join(directory, 'unfinished'))).toEqual([]);
  });

  it('puts nothing outside its directory', async () => {
    const directory = fresh();
    const blob = await openDirectoryBlob({ directory, clock: systemClock, log: silentLog });
    for (const key of ['../outside', '/outside', '..', 'a/../../../outside']) {
      await blob.put(key, body());
    }
    expect((await readdir(directory)).toSorted()).toEqual(['kept', 'unfinished']);
    expect(await readdir(join(directory, 'kept'))).toHaveLength(4);
  });
});

describe('file cursors', () => {
  it('keeps each reader its place', async () => {
    const directory = fresh();
    {
      await using cursors = await openFileCursors({ directory, log: silentLog });
      await Promise.all([3, 5, 4].map((at) => cursors.save('history', sequence(at))));
      await cursors.save('state', sequence(9));
    }
    const cursors = await openFileCursors({ directory, log: silentLog });
    expect(Object.fromEntries(cursors.all())).toEqual({ history: 4, state: 9 });
  });

  it('never believes a damaged one', async () => {
    const directory = fresh();
    const cursors = await openFileCursors({ directory, log: silentLog });
    await cursors.save('history', sequence(12));
    const [file = ''] = await readdir(directory);
    for (const content of ['', '13', '92 00000000\n', 'x']) {
      await writeFile(join(directory, file), content);
      expect((await openFileCursors({ directory, log: silentLog })).all().size).toBe(0);
    }
  });
});
