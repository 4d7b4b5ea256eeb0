import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../kernel/index.ts';
import type { BucketSource, StoredFile } from '../verify/bucket-source.ts';
import { findObjects, openKnownObjects } from './s3-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-objects-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function* pieces(...parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
}

/** A bucket whose objects are read as the function says. */
function sourceOf(keys: readonly string[], read: BucketSource['read']): BucketSource {
  const files = keys.map((key): StoredFile => ({ key, sizeBytes: 1, tag: key }));
  return {
    bucket: 'logs',
    show: (key) => `s3://logs/${key}`,
    folders: () => Promise.resolve([]),
    async *list() {
      yield files;
    },
    read,
    close() {},
  };
}

describe('the objects of a bucket', () => {
  it('that could not be read for now are told apart from those that are gone or too large', async () => {
    const source = sourceOf(['a.json', 'gone.json', 'large.json', 'away.json'], (key) => {
      if (key === 'away.json') return Promise.reject(new Error('connection lost'));
      if (key === 'gone.json') return Promise.resolve(undefined);
      const large = Buffer.alloc(limits.importFileBytes / 2 + 1);
      const body = key === 'a.json' ? pieces(Buffer.from('{}')) : pieces(large, large);
      return Promise.resolve({ body, sizeBytes: 2, tag: key, metadata: {} });
    });
    const unread = new Set<string>();
    const known = await openKnownObjects(join(folder, 'known'));
    const { files } = await findObjects(source, '', known, { seen: new Set(), unread });
    const opened = await Promise.allSettled(files.map(async (file) => file.open?.()));
    expect(opened.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect([...unread]).toEqual(['away.json']);
    const later = await findObjects(source, '', known, {
      seen: new Set(['gone.json', 'large.json', 'a.json']),
      unread,
    });
    expect(later.keys).toEqual(['away.json']);
    // What was read once is known by its hash, also to the next command.
    const again = await openKnownObjects(join(folder, 'known'));
    expect(again.hashOf({ key: 'a.json', tag: 'a.json' })).toMatch(/^[0-9a-f]{64}$/);
    expect(again.hashOf({ key: 'a.json', tag: 'another' })).toBeUndefined();
  });
});
