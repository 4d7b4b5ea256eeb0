import { setImmediate as nextTurn } from 'node:timers/promises';
import { sourceOfBuffer, type ByteSource } from './byte-source.ts';
import { comparePositions } from './event-order.ts';
import { matchesIn, prepareQuery, type Cutoffs } from './event-query.ts';
import { readIdHashes } from './id-table.ts';
import { mergeTerms, withoutEmptyTerms, type TermOptions } from './merge-terms.ts';
import { unpackPostings } from './postings.ts';
import { blockEnds, type BlockPacker } from './raw-blocks.ts';
import { positionInSegment, sourceOfSegment } from './segment-source.ts';
import type { Segment } from './segment.ts';
import { blockRecords, type IndexedAttribute, type SegmentFooter } from './segment-format.ts';
import { openSegmentWriter, type SegmentWriter } from './segment-writer.ts';
import { indexedAttributes, isMultiple } from './tail.ts';
import { groupColumn, groupPairs, type TermGroups } from './term-groups.ts';
import { readHashTable, termCount, type TermPlace, type Terms } from './term-table.ts';

/** One segment that goes into a merge. */
interface Input {
  readonly segment: Segment;
  readonly times: Float64Array;
  readonly idHashes: Uint32Array;
  /** Documents that are kept, ascending. */
  readonly kept: Int32Array;
  /** For each document its number in the merged segment, -1 where it has expired. */
  readonly newDoc: Int32Array;
}

/** A section as a whole, in memory. */
function whole(source: ByteSource): ByteSource {
  return sourceOfBuffer(source.bytes(0, source.length));
}

function readInput(segment: Segment, cutoffs: Cutoffs): Input {
  const { documents } = segment;
  const times = new Float64Array(documents);
  for (let doc = 0; doc < documents; doc += 1) times[doc] = segment.timeAt(doc);
  const { cursor } = matchesIn(sourceOfSegment(segment), prepareQuery({}, cutoffs), 0);
  const kept = new Int32Array(documents);
  let count = 0;
  for (let doc = cursor.seek(0); doc < documents; doc = cursor.seek(doc + 1)) {
    kept[count] = doc;
    count += 1;
  }
  return {
    segment,
    times,
    idHashes: readIdHashes(segment.ids, documents),
    kept: kept.subarray(0, count),
    newDoc: new Int32Array(documents).fill(-1),
  };
}

/** Numbers the documents of all inputs in the history's order; returns how many there are. */
function orderDocuments(inputs: readonly Input[]): number {
  const next = new Int32Array(inputs.length);
  const compare = (one: Input, oneDoc: number, other: Input, otherDoc: number): number =>
    (other.times[otherDoc] as number) - (one.times[oneDoc] as number) ||
    (one.idHashes[oneDoc] as number) - (other.idHashes[otherDoc] as number) ||
    comparePositions(positionInSegment(one.segment, oneDoc), positionInSegment(other.segment, otherDoc));
  let documents = 0;
  for (;;) {
    let first = -1;
    for (let index = 0; index < inputs.length; index += 1) {
      const input = inputs[index] as Input;
      const at = next[index] as number;
      if (at >= input.kept.length) continue;
      const best = inputs[first];
      const comesFirst =
        !best ||
        compare(input, input.kept[at] as number, best, best.kept[next[first] as number] as number) < 0;
      if (comesFirst) first = index;
    }
    const input = inputs[first];
    if (!input) return documents;
    const at = next[first] as number;
    input.newDoc[input.kept[at] as number] = documents;
    next[first] = at + 1;
    documents += 1;
  }
}

/** Bytes of blocks copied at a time. */
const copyBytes = 4 * 1024 * 1024;

function copyBlocks(input: Input, writer: SegmentWriter, places: Float64Array): void {
  const { segment, newDoc } = input;
  const shift = writer.blocks * blockRecords;
  for (let doc = 0; doc < segment.documents; doc += 1)
    places[newDoc[doc] as number] = segment.placeAt(doc) + shift;
  const runs = segment.footer.dictionaries;
  for (const [index, [first, dictionary]] of runs.entries()) {
    const end = runs[index + 1]?.[0] ?? segment.footer.blocks;
    let frames: Buffer[] = [];
    let size = 0;
    for (let block = first; block < end; block += 1) {
      const frame = segment.frame(block);
      frames.push(frame);
      size += frame.length;
      if (size < copyBytes && block + 1 < end) continue;
      writer.addBlocks(
        Buffer.concat(frames),
        frames.map((one) => one.length),
        dictionary,
      );
      frames = [];
      size = 0;
    }
  }
}

/** Where some records have expired, the others are packed anew. */
async function repackBlocks(
  input: Input,
  writer: SegmentWriter,
  places: Float64Array,
  options: { readonly packer: BlockPacker; readonly dictionary: number },
): Promise<void> {
  const { segment, kept, newDoc } = input;
  let start = 0;
  for (const end of blockEnds((index) => segment.raw(kept[index] as number).length, kept.length)) {
    const docs = kept.subarray(start, end);
    for (const [slot, doc] of docs.entries())
      places[newDoc[doc] as number] = writer.blocks * blockRecords + slot;
    const frame = await options.packer.pack(Array.from(docs, (doc) => segment.raw(doc)));
    writer.addBlocks(frame, [frame.length], options.dictionary);
    start = end;
  }
}

interface InputTerms {
  readonly terms: Terms;
  placeAt(index: number): TermPlace;
}

function termsOf(segment: Segment, attribute: IndexedAttribute): InputTerms {
  const { kind, terms, pointerBytes } = segment.footer.attributes[attribute];
  if (kind === 'hash') return readHashTable(whole(segment.table(attribute)), terms, pointerBytes);
  const table = segment.texts(attribute);
  return { terms: { kind: 'text', texts: table.texts }, placeAt: (index) => table.placeAt(index) };
}

/** Calls `visit` with the new documents of every term of an attribute, input by input. */
function visitTerms(
  inputs: readonly Input[],
  attribute: IndexedAttribute,
  tables: readonly InputTerms[],
  numbers: readonly Int32Array[],
  visit: (newDoc: number, term: number) => void,
): void {
  for (const [index, { segment, newDoc }] of inputs.entries()) {
    const table = tables[index] as InputTerms;
    const lists = whole(segment.postings(attribute));
    const docs = new Int32Array(segment.documents);
    const count = termCount(table.terms);
    for (let term = 0; term < count; term += 1) {
      const number = (numbers[index] as Int32Array)[term] as number;
      const place = table.placeAt(term);
      if (place.kind === 'one') {
        if ((newDoc[place.doc] as number) >= 0) visit(newDoc[place.doc] as number, number);
        continue;
      }
      const length = unpackPostings(lists, place.offset, segment.documents, docs);
      for (let at = 0; at < length; at += 1) {
        const doc = newDoc[docs[at] as number] as number;
        if (doc >= 0) visit(doc, number);
      }
    }
  }
}

function mergeAttribute(
  inputs: readonly Input[],
  attribute: IndexedAttribute,
  documents: number,
  options: TermOptions,
): { readonly terms: Terms; readonly groups: TermGroups } {
  const tables = inputs.map(({ segment }) => termsOf(segment, attribute));
  const { terms, numbers } = mergeTerms(
    attribute,
    tables.map((table) => table.terms),
    options,
  );
  if (!isMultiple(attribute)) {
    const column = new Int32Array(documents).fill(-1);
    visitTerms(inputs, attribute, tables, numbers, (doc, term) => {
      column[doc] = term;
    });
    return withoutEmptyTerms(terms, groupColumn(column, termCount(terms)));
  }
  let docs = new Int32Array(documents + 1024);
  let pairTerms = new Int32Array(documents + 1024);
  let pairs = 0;
  visitTerms(inputs, attribute, tables, numbers, (doc, term) => {
    if (pairs === docs.length) {
      const [larger, largerTerms] = [new Int32Array(pairs * 2), new Int32Array(pairs * 2)];
      larger.set(docs);
      largerTerms.set(pairTerms);
      [docs, pairTerms] = [larger, largerTerms];
    }
    docs[pairs] = doc;
    pairTerms[pairs] = term;
    pairs += 1;
  });
  const groups = groupPairs(
    docs.subarray(0, pairs),
    pairTerms.subarray(0, pairs),
    documents,
    termCount(terms),
  );
  return withoutEmptyTerms(terms, groups);
}

function columnsOf(inputs: readonly Input[], documents: number) {
  const times = new Float64Array(documents);
  const idHashes = new Uint32Array(documents);
  for (const input of inputs) {
    for (const doc of input.kept) {
      const number = input.newDoc[doc] as number;
      times[number] = input.times[doc] as number;
      idHashes[number] = input.idHashes[doc] as number;
    }
  }
  return { times, idHashes };
}

/**
 * Writes one segment from several, leaving out what has expired. Compressed blocks are copied as they are; only a
 * segment of which some records have expired is packed anew. Returns undefined when nothing is left. Lets other work of
 * the thread run between its steps.
 */
export async function mergeSegments(
  segments: readonly Segment[],
  file: string,
  options: {
    readonly packer: BlockPacker;
    readonly dictionary: number;
    readonly terms: TermOptions;
    readonly cutoffs: Cutoffs;
  },
): Promise<SegmentFooter | undefined> {
  const inputs = segments.map((segment) => readInput(segment, options.cutoffs));
  await nextTurn();
  const documents = orderDocuments(inputs);
  if (documents === 0) return undefined;
  const writer = openSegmentWriter(file);
  try {
    const places = new Float64Array(documents);
    for (const input of inputs) {
      if (input.kept.length === input.segment.documents) copyBlocks(input, writer, places);
      else await repackBlocks(input, writer, places, options);
      await nextTurn();
    }
    writer.addColumns({ ...columnsOf(inputs, documents), places });
    for (const attribute of indexedAttributes) {
      const { terms, groups } = mergeAttribute(inputs, attribute, documents, options.terms);
      writer.addAttribute(attribute, terms, groups);
      await nextTurn();
    }
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
