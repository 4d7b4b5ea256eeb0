import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileSystem } from './file-system.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { openSmallReads } from './small-reads.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-small-reads-'));
  file = join(folder, 'file');
  await writeFile(file, '0123456789');
});
afterAll(() => rm(folder, { recursive: true }));

/** The machine's files, on a disk whose reads on this thread take as long as is said, with what was done by whom. */
function openWatched() {
  const watched = { nowMs: 0, readMs: 0, done: [] as string[] };
  const files: FileSystem = {
    ...nodeFileSystem,
    open: (path, how) => {
      watched.done.push('pool');
      return nodeFileSystem.open(path, how);
    },
    readNow: (path, into, position) => {
      watched.done.push('now');
      watched.nowMs += watched.readMs;
      return nodeFileSystem.readNow?.(path, into, position) ?? 0;
    },
  };
  return { watched, read: openSmallReads(files, { monotonic: () => watched.nowMs }) };
}

describe('openSmallReads', () => {
  it('gives what there is of a range, and says when there is no file, whoever reads', async () => {
    const { watched, read } = openWatched();
    watched.readMs = 10;
    for (const _ of ['now', 'pool']) {
      expect((await read(file, { first: 2, last: 4 }))?.toString()).toBe('234');
      expect((await read(file, { first: 8, last: 99 }))?.toString()).toBe('89');
      expect((await read(file, { first: 20, last: 30 }))?.length).toBe(0);
      expect(await read(join(folder, 'absent'), { first: 0, last: 9 })).toBeUndefined();
    }
    expect(new Set(watched.done)).toEqual(new Set(['now', 'pool']));
  });

  it('reads on this thread for as long as that is quick, and tries again twenty times as long after it was not', async () => {
    const { watched, read } = openWatched();
    const once = async () => {
      await read(file, { first: 0, last: 3 });
      return watched.done.at(-1);
    };
    expect([await once(), await once()]).toEqual(['now', 'now']);
    watched.readMs = 3;
    expect([await once(), await once(), await once()]).toEqual(['now', 'pool', 'pool']);
    watched.nowMs += 59;
    expect(await once()).toBe('pool');
    watched.nowMs += 1;
    watched.readMs = 1;
    expect([await once(), await once()]).toEqual(['now', 'now']);
  });
});
