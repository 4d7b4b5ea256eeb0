import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sourceOfBuffer } from './byte-source.ts';
import { openByteWriter } from './byte-writer.ts';
import {
  intersectDocs,
  unionDocs,
  withinDocs,
  withoutDocs,
  arrayDocs,
  type DocCursor,
} from './doc-cursor.ts';
import { documentOfEntry, documentsOfHash, readIdFilter, readIdHashes, writeIdTable } from './id-table.ts';
import { mergeTerms } from './merge-terms.ts';
import { encodeNumbers, openNumberColumn } from './number-column.ts';
import { openPostings, unpackPostings, writePostings } from './postings.ts';
import { groupColumn, groupPairs } from './term-groups.ts';
import { hashTerm, termKey } from './term-hash.ts';
import {
  findHash,
  placeOf,
  pointerWidth,
  readHashTable,
  readTextTable,
  writeHashTable,
  writeTextTable,
} from './term-table.ts';

const key = termKey(Buffer.from('0123456789abcdef').toString('base64'));

/** Ascending documents of a segment of `documents`: of any density, in runs and gaps. */
const docSet = fc
  .record({
    documents: fc.integer({ min: 1, max: 5000 }),
    density: fc.double({ min: 0.0005, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ documents, density, seed }) => {
    let state = seed;
    const docs: number[] = [];
    for (let doc = 0; doc < documents; doc += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      if (state / 2 ** 32 < density) docs.push(doc);
    }
    return { documents, docs: Int32Array.from(docs.length === 0 ? [documents - 1] : docs) };
  });

/** As `walk`, in steps that end after `stride` documents. */
function walkInSteps(cursor: DocCursor, documents: number, stride: number): readonly number[] {
  const docs: number[] = [];
  for (let target = 0; target < documents;) {
    const limit = Math.min(documents, target + stride);
    const doc = cursor.seek(target, limit);
    if (doc < limit) docs.push(doc);
    target = doc < limit ? doc + 1 : doc;
  }
  return docs;
}

function walk(cursor: DocCursor, documents: number): readonly number[] {
  const docs: number[] = [];
  for (let doc = cursor.seek(0); doc < documents; doc = cursor.seek(doc + 1)) docs.push(doc);
  return docs;
}

function written(docs: Int32Array, documents: number) {
  const out = openByteWriter(1);
  out.bytes(Buffer.from('before'));
  writePostings(out, docs, documents);
  const offset = 6;
  writePostings(out, Int32Array.of(0), documents);
  return { source: sourceOfBuffer(Buffer.from(out.view())), offset };
}

function ascending(docs: Iterable<number>): readonly number[] {
  return [...docs].toSorted((one, other) => one - other);
}

describe('posting lists', () => {
  test('give back their documents, walked, sought and unpacked', () => {
    fc.assert(
      fc.property(docSet, fc.array(fc.nat(5000)), ({ documents, docs }, targets) => {
        const { source, offset } = written(docs, documents);
        expect(walk(openPostings(source, offset, documents), documents)).toEqual([...docs]);
        const unpacked = new Int32Array(documents);
        expect(unpackPostings(source, offset, documents, unpacked)).toBe(docs.length);
        expect(unpacked.subarray(0, docs.length)).toEqual(docs);
        const cursor = openPostings(source, offset, documents);
        const reference = [...docs];
        for (const target of targets.toSorted((one, other) => one - other)) {
          expect(cursor.seek(target)).toBe(
            reference.find((doc) => doc >= target) ?? Math.max(documents, Math.min(target, documents)),
          );
        }
      }),
    );
  });

  test('combine as sets', () => {
    fc.assert(
      fc.property(docSet, docSet, fc.nat(5000), fc.nat(5000), (one, other, low, high) => {
        const documents = Math.max(one.documents, other.documents);
        const cursors = () =>
          [one, other].map(({ docs }) => arrayDocs(docs, documents)) as [DocCursor, DocCursor];
        const [left, right] = [new Set(one.docs), new Set(other.docs)];
        expect(walk(unionDocs(cursors(), documents), documents)).toEqual(ascending(left.union(right)));
        expect(walk(intersectDocs(cursors(), documents), documents)).toEqual(
          ascending(left.intersection(right)),
        );
        expect(walk(withoutDocs(...cursors(), documents), documents)).toEqual(
          ascending(left.difference(right)),
        );
        const inRange = (docs: Iterable<number>) =>
          ascending([...docs].filter((doc) => doc >= low && doc < high));
        const both = withinDocs(intersectDocs(cursors(), documents), low, high, documents);
        expect(walkInSteps(both, documents, 1 + (low % 300))).toEqual(inRange(left.intersection(right)));
        const [first, second] = cursors();
        const without = withoutDocs(withinDocs(first, low, high, documents), second, documents);
        expect(walkInSteps(without, documents, 1 + (low % 300))).toEqual(inRange(left.difference(right)));
        expect(walk(withinDocs(cursors()[0], low, high, documents), documents)).toEqual(
          [...one.docs].filter((doc) => doc >= low && doc < high),
        );
      }),
    );
  });
});

test('a column of numbers gives back its numbers, near or far apart', () => {
  const numbers = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 700 }),
    fc.array(fc.integer({ min: -5, max: 2 ** 33 }), { maxLength: 300 }),
    fc.array(
      fc.integer({ min: 1_700_000_000, max: 1_800_000_000 }).map((second) => second * 1000),
      { maxLength: 300 },
    ),
  );
  fc.assert(
    fc.property(numbers, fc.array(fc.nat()), (values, reads) => {
      const column = openNumberColumn(
        sourceOfBuffer(encodeNumbers(Float64Array.from(values))),
        values.length,
      );
      expect(Array.from(values, (_, index) => column.at(index))).toEqual(values);
      for (const read of reads)
        if (values.length > 0) expect(column.at(read % values.length)).toBe(values[read % values.length]);
    }),
  );
});

test.each([1, 7, 100, 3000, 70_000])('a table of %i eventIDs finds each, and only those', (count) => {
  let state = 9;
  const hashes = Uint32Array.from(
    { length: count },
    () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0),
  );
  // Some hashes stand twice, as they may.
  if (count > 10) hashes[3] = hashes[count - 1] as number;
  const source = sourceOfBuffer(writeIdTable(hashes));
  expect(readIdHashes(source, count)).toEqual(hashes);
  const filter = readIdFilter(source, count);
  for (let doc = 0; doc < count; doc += Math.ceil(count / 500)) {
    const found = documentsOfHash(source, count, hashes[doc] as number);
    expect(found).toContain(doc);
    for (const other of found) expect(hashes[other]).toBe(hashes[doc]);
    expect(
      filter.entries(hashes[doc] as number).map((entry) => documentOfEntry(source, count, entry)),
    ).toEqual(found);
  }
  const absent = [0, 1, 0xffff_ffff, 12_345].filter((one) => !hashes.includes(one));
  for (const one of absent) expect(documentsOfHash(source, count, one)).toEqual([]);
});

describe('term tables', () => {
  test.each([0, 1, 9, 300, 30_000])('of %i hashes find each, and only those', (count) => {
    const texts = Array.from({ length: count }, (_, index) => `arn:aws:s3:::bucket-${index}`);
    const { terms, numbers } = mergeTerms(
      'ResourceName',
      [
        { kind: 'loose', texts },
        { kind: 'hash', high: new Uint32Array(), low: new Uint32Array() },
      ],
      { hashKey: key, mostTextTerms: 0 },
    );
    if (terms.kind !== 'hash') throw new Error('these are kept as hashes');
    const pointerBytes = pointerWidth(count * 4, 100_000);
    const pointers = Float64Array.from({ length: count }, (_, index) => index * 3);
    const source = sourceOfBuffer(writeHashTable(terms, pointers, pointerBytes));
    const table = readHashTable(source, count, pointerBytes);
    expect(table.terms).toEqual(terms);
    for (const [index, text] of texts.entries()) {
      const number = numbers[0]?.[index] ?? -1;
      const expected = { kind: 'list', offset: number * 3 };
      if (index % Math.ceil(count / 300) === 0)
        expect(findHash(source, count, pointerBytes, hashTerm(key, text))).toEqual(expected);
    }
    expect(findHash(source, count, pointerBytes, hashTerm(key, 'absent'))).toBeUndefined();
  });

  test('of texts find each, and only those', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ maxLength: 200, unit: 'grapheme' }), { maxLength: 60 }),
        (loose) => {
          const { terms } = mergeTerms('EventName', [{ kind: 'loose', texts: loose }], {
            hashKey: key,
            mostTextTerms: 100,
          });
          if (terms.kind !== 'text') throw new Error('these are kept as text');
          const pointers = Float64Array.from(terms.texts, (_, index) => 0x80_00_00 + index);
          const table = readTextTable(sourceOfBuffer(writeTextTable(terms.texts, pointers, 3)), 3);
          for (const [index, text] of terms.texts.entries())
            expect(table.find(text)).toEqual({ kind: 'one', doc: index });
          expect(table.find('never there \u0001')).toBeUndefined();
        },
      ),
    );
  });

  test('merging texts and hashes agrees on what is the same value', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { maxLength: 20 }),
        fc.uniqueArray(fc.string(), { maxLength: 20 }),
        fc.boolean(),
        (one, other, hashed) => {
          const options = { hashKey: key, mostTextTerms: 1000 };
          const sorted = [...new Set(other)].toSorted((a, b) => (a < b ? -1 : 1));
          const second = hashed
            ? mergeTerms('Username', [{ kind: 'loose', texts: sorted }], { ...options, mostTextTerms: -1 })
            : undefined;
          const lists = [
            { kind: 'loose' as const, texts: one },
            second ? second.terms : { kind: 'text' as const, texts: sorted },
          ];
          const merged = mergeTerms('Username', lists, options);
          const numberOf = (list: number, place: number) => merged.numbers[list]?.[place];
          const shared = one.flatMap((text, place) => {
            const at = sorted.indexOf(text);
            return at < 0
              ? []
              : [[numberOf(0, place), numberOf(1, second ? (second.numbers[0]?.[at] ?? -1) : at)]];
          });
          for (const [left, right] of shared) expect(left).toBe(right);
          const all = [...(merged.numbers[0] ?? []), ...(merged.numbers[1] ?? [])];
          expect(new Set(all).size).toBe(new Set([...one, ...other]).size);
        },
      ),
    );
  });

  test('a pointer is an offset or a document', () => {
    expect(placeOf(0x7f_ff, 2)).toEqual({ kind: 'list', offset: 0x7f_ff });
    expect(placeOf(0x80_05, 2)).toEqual({ kind: 'one', doc: 5 });
    expect([pointerWidth(10, 10), pointerWidth(10, 0x80_00), pointerWidth(0x80_00_00, 1)]).toEqual([2, 3, 4]);
  });
});

test('the hash of terms depends on the key, on each unit and on the length', () => {
  const texts = ['', 'a', 'b', 'aa', 'a\u0000', 'ab', 'ba', 'abc', 'abcd', 'ab\ud83d\ude00'];
  const hashes = texts.map((text) => hashTerm(key, text).join());
  expect(new Set(hashes).size).toBe(texts.length);
  expect(hashTerm(termKey(Buffer.from('0123456789abcdeX').toString('base64')), 'a')).toEqual(
    hashTerm(key, 'a'),
  );
  expect(hashTerm(termKey(Buffer.from('X123456789abcdef').toString('base64')), 'a')).not.toEqual(
    hashTerm(key, 'a'),
  );
});

test('grouping by term gives ascending documents, for one value a document and for several', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 50 }), (column) => {
      const groups = groupColumn(Int32Array.from(column), 6);
      const pairs = column.flatMap((term, doc) => (term < 0 ? [] : [[doc, term] as const])).toReversed();
      const paired = groupPairs(
        Int32Array.from(pairs, (pair) => pair[0]),
        Int32Array.from(pairs, (pair) => pair[1]),
        column.length,
        6,
      );
      expect(paired).toEqual(groups);
      for (let term = 0; term < 6; term += 1) {
        const docs = [...groups.docs.subarray(groups.starts[term], groups.starts[term + 1])];
        expect(docs).toEqual(column.flatMap((value, doc) => (value === term ? [doc] : [])));
      }
    }),
  );
});

test('a byte writer keeps what was written when it grows', () => {
  const out = openByteWriter(1);
  for (let index = 0; index < 100; index += 1) {
    out.u8(index);
    out.u16(index * 100);
    out.u32(index * 1_000_000);
    out.f64(index / 3);
    out.uint(index * 1_000_000_000, 6);
  }
  const bytes = out.view();
  for (let index = 0; index < 100; index += 1) {
    const at = index * 21;
    expect([
      bytes[at],
      bytes.readUInt16LE(at + 1),
      bytes.readUInt32LE(at + 3),
      bytes.readDoubleLE(at + 7),
      bytes.readUIntLE(at + 15, 6),
    ]).toEqual([index, index * 100, index * 1_000_000, index / 3, index * 1_000_000_000]);
  }
});
