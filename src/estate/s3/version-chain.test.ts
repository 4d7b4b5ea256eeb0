import { array, assert, asyncProperty, constantFrom, nat, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import type { Change, StateDocument } from '../../state/index.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { listVersions } from './listing.ts';
import { contentKey, readCurrent, type ObjectVersion } from './object-documents.ts';
import { findVersion, putInFront, removeCurrent, removeVersion, type ChainParts } from './version-chain.ts';

const seed = 20_261_123;
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A change over plain documents. */
function openDocuments(): Change {
  const documents = new Map<string, string>();
  const document = <T>(key: string) =>
    ({ key, version: 0, value: JSON.parse(documents.get(key) ?? '') }) as unknown as StateDocument<T>;
  return {
    get: async <T>(key: string) => (documents.has(key) ? document<T>(key) : undefined),
    list: async <T>(prefix: string, { after, limit }: { after?: string; limit?: number } = {}) =>
      [...documents.keys()]
        .filter((key) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
        .toSorted(byBytes)
        .slice(0, limit)
        .map((key) => document<T>(key)),
    count: async (prefix) => [...documents.keys()].filter((key) => key.startsWith(prefix)).length,
    put: (key, value) => void documents.set(key, JSON.stringify(value)),
    delete: (key) => void documents.delete(key),
    append: () => {},
    entries: [],
  };
}

/** What S3's user guide says of versions, without regard to how they are kept: newest first. */
interface ModelVersion {
  readonly id: string;
  readonly content: string | undefined;
}

const step = oneof(
  record({ kind: constantFrom('put' as const, 'delete' as const) }),
  record({ kind: constantFrom('deleteVersion' as const), which: nat(20) }),
  record({ kind: constantFrom('enable' as const, 'suspend' as const) }),
  record({ kind: constantFrom('clock' as const), which: nat(20) }),
);

describe('the versions of a key', () => {
  it('are what S3 documents, whatever is put, deleted, enabled and suspended', async () => {
    await assert(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const change = openDocuments();
        const random = seededRandom(seed);
        const discarded: string[] = [];
        let versioning: BucketDocument['versioning'];
        let nowMs = 1_000_000;
        let contents = 0;
        let model: ModelVersion[] = [];
        const parts = (): ChainParts => ({
          change,
          bucket: { name: 'b', ...(versioning && { versioning }) } as BucketDocument,
          key: 'k',
          nowMs,
          random,
          discard: (content) => void discarded.push(content),
        });
        const withoutNull = () => model.filter(({ id }) => id !== 'null');
        for (const one of steps) {
          if (one.kind === 'enable') versioning = 'Enabled';
          if (one.kind === 'suspend' && versioning) versioning = 'Suspended';
          // Clocks go back as well.
          if (one.kind === 'clock') nowMs += one.which - 10;
          if (one.kind === 'put') {
            const content = `c${contents++}`;
            const version = await putInFront(parts(), (place, versionId) => {
              change.put(contentKey(content), {});
              return { kind: 'object', key: 'k', versionId, place, content } as ObjectVersion;
            });
            if (versioning !== 'Enabled') model = withoutNull();
            model.unshift({ id: version.versionId, content });
            expect(version.versionId === 'null').toBe(versioning !== 'Enabled');
          }
          if (one.kind === 'delete') {
            const { marker } = await removeCurrent(parts());
            if (versioning !== 'Enabled') model = withoutNull();
            if (versioning) model.unshift({ id: marker!.versionId, content: undefined });
            else expect(marker).toBeUndefined();
          }
          if (one.kind === 'deleteVersion' && model.length > 0) {
            const at = one.which % model.length;
            const gone = await removeVersion(parts(), model[at]!.id, false);
            expect(gone?.versionId).toBe(model[at]!.id);
            model.splice(at, 1);
          }
          const listing = await listVersions(
            change,
            'b',
            { prefix: '', delimiter: undefined, most: 100 },
            undefined,
          );
          const listed = listing.items.map((version) => ({
            id: version.versionId,
            content: version.kind === 'object' ? version.content : undefined,
          }));
          expect(listed).toEqual(model);
          expect(listing.items.map(({ isLatest }) => isLatest)).toEqual(model.map((_, at) => at === 0));
          expect((await readCurrent(change, 'b', 'k'))?.content).toBe(model[0]?.content);
          expect((await findVersion(change, 'b', 'k'))?.versionId).toBe(model[0]?.id);
          for (const { id } of model) {
            expect((await findVersion(change, 'b', 'k', id))?.versionId).toBe(id);
          }
          const named = await change.list(contentKey(''));
          expect(named.map(({ key }) => key).toSorted()).toEqual(
            model.flatMap(({ content }) => (content === undefined ? [] : [contentKey(content)])).toSorted(),
          );
        }
        const kept = model.flatMap(({ content }) => content ?? []);
        expect([...discarded, ...kept].toSorted()).toEqual(
          Array.from({ length: contents }, (_, at) => `c${at}`).toSorted(),
        );
      }),
      { numRuns: 300, seed },
    );
  });

  it('one that is not there is deleted without a word', async () => {
    const change = openDocuments();
    const bucket = { name: 'b' } as BucketDocument;
    const parts = { change, bucket, key: 'k', nowMs: 1, random: seededRandom(1), discard: () => undefined };
    expect(await removeVersion(parts, 'f'.repeat(32), false)).toBeUndefined();
    expect(await removeVersion(parts, 'null', false)).toBeUndefined();
    expect(await removeCurrent(parts)).toEqual({ marker: undefined, gone: undefined });
    expect(await findVersion(change, 'b', 'k', '../x')).toBeUndefined();
  });
});
