import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence } from '../kernel/index.ts';
import { cacheDocuments } from './document-cache.ts';
import type { Documents } from './documents.ts';
import { openMemoryDocuments } from './memory/memory-documents.ts';

const seed = 20_261_129;
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const step = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({
    kind: fc.constant('apply' as const),
    puts: fc.array(fc.record({ key, json: fc.constantFrom('1', '22', '"a long text"') }), { maxLength: 3 }),
    deletes: fc.array(key, { maxLength: 2 }),
    fails: fc.boolean(),
  }),
);

/** Documents that count how often they are asked, and that refuse a change when they are told to. */
function openWatched() {
  const documents = openMemoryDocuments();
  let fails = false;
  let asked = 0;
  const watched: Documents = {
    ...documents,
    get: (name) => {
      asked += 1;
      return documents.get(name);
    },
    apply(changes, cursor) {
      if (fails) throw new Error('no room');
      documents.apply(changes, cursor);
    },
  };
  return {
    documents,
    watched,
    asked: () => asked,
    failing: (failing: boolean) => {
      fails = failing;
    },
  };
}

describe('cacheDocuments', () => {
  it('answers what the documents themselves would, whatever was applied, refused or forgotten before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { documents, watched, failing } = openWatched();
        const cached = cacheDocuments(watched, { documents: 3, characters: 8 });
        let version = 0;
        for (const one of steps) {
          if (one.kind === 'get') {
            expect(cached.get(one.key)).toEqual(documents.get(one.key));
            continue;
          }
          const { puts, deletes, fails } = one;
          failing(fails);
          version += 1;
          const apply = () =>
            cached.apply([{ version: sequence(version), puts, deletes }], sequence(version));
          if (fails) expect(apply).toThrow('no room');
          else apply();
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('asks once for what is read again, also for what is not there, and every time for a long document', () => {
    const { watched, asked } = openWatched();
    const cached = cacheDocuments(watched, { documents: 3, characters: 8 });
    const puts = [
      { key: 'short', json: '1' },
      { key: 'long', json: '"123456789"' },
    ];
    cached.apply([{ version: sequence(1), puts, deletes: [] }], sequence(1));
    for (const name of ['short', 'short', 'absent', 'absent', 'long', 'long']) cached.get(name);
    expect(asked()).toBe(4);
  });

  it('keeps what is read again and again, and forgets what was read long ago', () => {
    const { watched, asked } = openWatched();
    const cached = cacheDocuments(watched, { documents: 4, characters: 8 });
    const puts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ key: name, json: '1' }));
    cached.apply([{ version: sequence(1), puts, deletes: [] }], sequence(1));
    for (const name of ['a', 'b', 'a', 'c', 'a', 'd', 'a', 'e', 'a', 'f', 'a']) cached.get(name);
    expect(asked()).toBe(6);
    cached.get('b');
    expect(asked()).toBe(7);
  });
});
