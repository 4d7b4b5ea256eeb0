import { assert, asyncProperty, constantFrom, oneof, string, stringMatching, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Blob, ByteRange } from './blob-port.ts';

/** One adapter of the blob store, as its tests open it. */
export interface BlobAdapter {
  readonly name: string;
  /** Opens an empty store. */
  open(): Promise<Blob>;
}

async function* stream(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('ne');
  throw new Error('the client went away');
}

async function readBlob(blob: Blob, key: string, range?: ByteRange): Promise<string | undefined> {
  const body = await blob.get(key, range);
  if (!body) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

async function keysOf(blob: Blob, ...asked: Parameters<Blob['list']>): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of blob.list(...asked)) keys.push(key);
  return keys;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Keys that have broken stores before, and any others. */
const hostileKeys = [
  '..',
  '.',
  '/',
  '//',
  '../../etc/passwd',
  '/etc/passwd',
  'a/../b',
  'a//b',
  'a/',
  'A',
  'a',
  'a\0b',
  '\0',
  'a\\b',
  'CON',
  'a~',
  'a^b',
  'a,b',
  'a%2fb',
  '%',
  'é',
  'e\u0301',
  '😀',
  '\uffff',
  ' ',
  'a\nb',
  'a.',
  '.a',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(128),
  'x'.repeat(1024),
  '/'.repeat(1024),
  `${'x'.repeat(64)}/y`,
  `${'x'.repeat(63)}é`,
];
const anyKey = oneof(
  constantFrom(...hostileKeys),
  string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((key) => key.isWellFormed()),
  stringMatching(/^[ab/.]{1,200}$/),
);

/** What every blob store promises, whatever it is kept in. */
export function describeBlob(adapter: BlobAdapter): void {
  describe(`blob contract: ${adapter.name}`, () => {
    it('gives back what was put, whole or in ranges', async () => {
      await using blob = await adapter.open();
      expect(await blob.put('k', stream('01', '', '234', '56789'))).toEqual({ key: 'k', sizeBytes: 10 });
      expect(await blob.info('k')).toEqual({ key: 'k', sizeBytes: 10 });
      expect(await readBlob(blob, 'k')).toBe('0123456789');
      expect(await readBlob(blob, 'k', { first: 2, last: 4 })).toBe('234');
      expect(await readBlob(blob, 'k', { first: 9, last: 9 })).toBe('9');
      expect(await readBlob(blob, 'k', { first: 8, last: 100 })).toBe('89');
      expect(await readBlob(blob, 'k', { first: 10, last: 20 })).toBe('');
    });

    it('keeps large and empty blobs', async () => {
      await using blob = await adapter.open();
      const part = Buffer.alloc(100_000, 'abc');
      await blob.put('large', stream(...Array.from({ length: 11 }, () => part)));
      await blob.put('empty', stream());
      expect((await readBlob(blob, 'large'))?.length).toBe(1_100_000);
      const across = { first: 262_100, last: 262_199 };
      const whole = Buffer.concat(Array.from({ length: 11 }, () => part)).toString('latin1');
      expect(await readBlob(blob, 'large', across)).toBe(whole.slice(262_100, 262_200));
      expect(await readBlob(blob, 'empty')).toBe('');
    });

    it('replaces as a whole, and keeps the old one when the stream breaks', async () => {
      await using blob = await adapter.open();
      await blob.put('k', stream('old'));
      await expect(blob.put('k', breaking())).rejects.toThrow('the client went away');
      expect(await readBlob(blob, 'k')).toBe('old');
      await blob.put('k', stream('new'));
      expect(await readBlob(blob, 'k')).toBe('new');
      expect(await keysOf(blob, '')).toEqual(['k']);
    });

    it('does not keep a view of the buffers it is given', async () => {
      await using blob = await adapter.open();
      const reused = Buffer.alloc(3);
      const body = (async function* parts() {
        for (const text of ['abc', 'def']) {
          reused.write(text);
          yield reused;
        }
      })();
      await blob.put('k', body);
      expect(await readBlob(blob, 'k')).toBe('abcdef');
    });

    it('has nothing where nothing was put or all was deleted', async () => {
      await using blob = await adapter.open();
      expect(await blob.get('k')).toBeUndefined();
      expect(await blob.info('k')).toBeUndefined();
      await blob.delete('k');
      await blob.put('k', stream('x'));
      await blob.delete('k');
      expect(await blob.get('k')).toBeUndefined();
      expect(await keysOf(blob, '')).toEqual([]);
    });

    it('refuses keys that are empty, too long or not text', async () => {
      await using blob = await adapter.open();
      for (const key of ['', 'x'.repeat(1025), 'é'.repeat(513), '\ud800']) {
        await expect(blob.put(key, stream('x'))).rejects.toThrow(RangeError);
        await expect(blob.get(key)).rejects.toThrow(RangeError);
        await expect(blob.info(key)).rejects.toThrow(RangeError);
        await expect(blob.delete(key)).rejects.toThrow(RangeError);
      }
    });

    it('keeps every key apart and lists them in the order of their bytes', async () => {
      await assert(
        asyncProperty(uniqueArray(anyKey, { maxLength: 12 }), anyKey, async (keys, other) => {
          await using blob = await adapter.open();
          for (const key of keys) await blob.put(key, stream(`content of ${key}`));
          for (const key of keys) {
            expect(await readBlob(blob, key)).toBe(Buffer.from(`content of ${key}`).toString('latin1'));
          }
          const sorted = keys.toSorted(byBytes);
          expect(await keysOf(blob, '')).toEqual(sorted);
          const prefix = other.slice(0, 1).isWellFormed() ? other.slice(0, 1) : other;
          const under = sorted.filter((key) => key.startsWith(prefix));
          expect(await keysOf(blob, prefix)).toEqual(under);
          expect(await keysOf(blob, '', { after: other })).toEqual(
            sorted.filter((key) => byBytes(key, other) > 0),
          );
          expect(await keysOf(blob, prefix, { after: other, limit: 2 })).toEqual(
            under.filter((key) => byBytes(key, other) > 0).slice(0, 2),
          );
          for (const key of keys) await blob.delete(key);
          expect(await keysOf(blob, '')).toEqual([]);
        }),
        { numRuns: 60 },
      );
    });
  });
}
