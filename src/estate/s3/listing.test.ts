import { array, assert, asyncProperty, constantFrom, integer, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateDocument, StateView } from '../../state/index.ts';
import { listObjects, listUploads, listVersions, rolledUp, startAt, type ListingStart } from './listing.ts';
import { objectKey, uploadKey, versionKey } from './object-documents.ts';

const seed = 20_261_123;

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Documents in the order of their keys, as every state keeps them. */
function viewOf(documents: ReadonlyMap<string, unknown>): Pick<StateView, 'list'> & { reads: number } {
  const keys = [...documents.keys()].toSorted(byBytes);
  const view = {
    reads: 0,
    async list<T>(prefix: string, { after, limit }: { after?: string; limit?: number } = {}) {
      const found = keys
        .filter((key) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
        .slice(0, limit);
      view.reads += found.length;
      return found.map((key) => ({ key, version: 0, value: documents.get(key) }) as StateDocument<T>);
    },
  };
  return view;
}

const objectsOf = (keys: readonly string[]) =>
  viewOf(new Map(keys.map((key) => [objectKey('b', key), { kind: 'object', key }])));

/** What a listing of everything has, in order: keys, and common prefixes once. */
function linesOf(keys: readonly string[], prefix: string, delimiter: string | undefined): readonly string[] {
  const lines = keys
    .toSorted(byBytes)
    .filter((key) => key.startsWith(prefix))
    .map((key) => rolledUp(key, prefix, delimiter) ?? key);
  return lines.filter((line, at) => line !== lines[at - 1]);
}

const anyKey = array(constantFrom('a', 'b', '/', '/', '.', '\0', '\u0001', '\u0002', 'é', '\uffff', '😀'), {
  minLength: 1,
  maxLength: 6,
}).map((units) => units.join(''));

const question = record({
  keys: uniqueArray(anyKey, { maxLength: 40 }),
  prefix: constantFrom('', 'a', 'a/', '/', '\u0001', 'é'),
  delimiter: constantFrom(undefined, '/', '//', 'a', '\0'),
  most: integer({ min: 1, max: 7 }),
});

describe('listings', () => {
  it('page by page give every key and common prefix once, in the order of bytes', async () => {
    await assert(
      asyncProperty(question, async ({ keys, prefix, delimiter, most }) => {
        const view = objectsOf(keys);
        const lines: string[] = [];
        let start: ListingStart;
        for (let page = 0; page < 100; page++) {
          const listing = await listObjects(view, 'b', { prefix, delimiter, most }, start);
          const got = [...listing.items.map(({ key }) => key), ...listing.commonPrefixes];
          expect(got.length).toBeLessThanOrEqual(most);
          lines.push(...got.toSorted(byBytes));
          if (!listing.next) break;
          expect(got.length).toBe(most);
          start = 'item' in listing.next ? { key: listing.next.item.key } : listing.next;
        }
        expect(lines).toEqual(linesOf(keys, prefix, delimiter));
      }),
      { numRuns: 300, seed },
    );
  });

  it('go on behind a marker, and behind all of a common prefix that is one', async () => {
    await assert(
      asyncProperty(question, anyKey, async ({ keys, prefix, delimiter }, marker) => {
        const start = startAt(marker, prefix, delimiter);
        const listing = await listObjects(objectsOf(keys), 'b', { prefix, delimiter, most: 1000 }, start);
        const behind = keys.filter(
          (key) =>
            byBytes(key, marker) > 0 &&
            !(start && 'commonPrefix' in start && key.startsWith(start.commonPrefix)),
        );
        expect([...listing.items.map(({ key }) => key), ...listing.commonPrefixes].toSorted(byBytes)).toEqual(
          linesOf(behind, prefix, delimiter),
        );
      }),
      { numRuns: 300, seed },
    );
  });

  it('leap over what a common prefix holds', async () => {
    const keys = Array.from({ length: 5000 }, (_, at) => `${at % 5}/${String(at).padStart(5, '0')}`);
    const view = objectsOf(keys);
    const listing = await listObjects(view, 'b', { prefix: '', delimiter: '/', most: 1000 }, undefined);
    expect(listing.commonPrefixes).toEqual(['0/', '1/', '2/', '3/', '4/']);
    expect(view.reads).toBeLessThan(200);
  });

  it('a page of nothing is not cut off', async () => {
    const listing = await listObjects(
      objectsOf(['a']),
      'b',
      { prefix: '', delimiter: undefined, most: 0 },
      undefined,
    );
    expect(listing).toEqual({ items: [], commonPrefixes: [], next: undefined });
  });

  it('of versions give each key its versions, newest first, over any pages', async () => {
    const version = record({ key: anyKey, marker: constantFrom(true, false) });
    await assert(
      asyncProperty(
        array(version, { maxLength: 30 }),
        question,
        async (versions, { prefix, delimiter, most }) => {
          const documents = new Map<string, unknown>();
          const byKey = new Map<string, { place: string; marker: boolean }[]>();
          for (const [at, { key, marker }] of versions.entries()) {
            const place = (1000 - at).toString(16).padStart(32, '0');
            byKey.set(key, [{ place, marker }, ...(byKey.get(key) ?? [])]);
          }
          const expected: string[] = [];
          for (const key of [...byKey.keys()].toSorted(byBytes)) {
            for (const [at, { place, marker }] of (byKey.get(key) ?? []).entries()) {
              const value = { kind: marker ? 'marker' : 'object', key, place, versionId: place };
              const name = at === 0 && !marker ? objectKey('b', key) : versionKey('b', key, place);
              documents.set(name, value);
              const rolled = key.startsWith(prefix) && rolledUp(key, prefix, delimiter);
              if (key.startsWith(prefix)) expected.push(rolled || `${key} ${place} ${at === 0}`);
            }
          }
          const got: string[] = [];
          let start: Parameters<typeof listVersions>[3];
          for (let page = 0; page < 100; page++) {
            const listing = await listVersions(viewOf(documents), 'b', { prefix, delimiter, most }, start);
            got.push(...listing.commonPrefixes);
            got.push(...listing.items.map((one) => `${one.key} ${one.place} ${one.isLatest}`));
            if (!listing.next) break;
            start =
              'item' in listing.next
                ? { key: listing.next.item.key, place: listing.next.item.place }
                : listing.next;
          }
          const once = expected.filter((line, at) => line !== expected[at - 1]);
          expect(got.toSorted()).toEqual(once.toSorted());
        },
      ),
      { numRuns: 150, seed },
    );
  });

  it('of uploads go by key and then by when they were begun', async () => {
    const documents = new Map<string, unknown>();
    for (const [key, id] of [
      ['b', 'm1'],
      ['a', 'm2'],
      ['a', 'm1'],
      ['a!', 'm3'],
    ] as const) {
      documents.set(uploadKey('b', key, id), { key, id });
    }
    const view = viewOf(documents);
    const request = { prefix: '', delimiter: undefined, most: 2 };
    const first = await listUploads(view, 'b', request, undefined);
    expect(first.items.map(({ key, id }) => `${key} ${id}`)).toEqual(['a m1', 'a m2']);
    const second = await listUploads(view, 'b', request, { key: 'a', uploadId: 'm2' });
    expect(second.items.map(({ key, id }) => `${key} ${id}`)).toEqual(['a! m3', 'b m1']);
    expect(second.next).toBeUndefined();
    const behindKey = await listUploads(view, 'b', request, { key: 'a' });
    expect(behindKey.items.map(({ key }) => key)).toEqual(['a!', 'b']);
  });
});
