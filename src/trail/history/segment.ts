import { hashTerm, type TermKey } from './term-hash.ts';
import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { AttributeName } from './history-types.ts';
import type { ByteSource } from './byte-source.ts';
import type { ByteCache } from './page-cache.ts';
import type { Dictionaries } from './dictionaries.ts';
import { openNumberColumn } from './number-column.ts';
import { openPostings } from './postings.ts';
import { unpackBlock, type RawBlock } from './raw-blocks.ts';
import { attributeValues } from './scanned-record.ts';
import { scanRecord } from './scan-record.ts';
import { findHash, readTextTable, type TermPlace, type TextTable } from './term-table.ts';
import {
  blockRecords,
  pageBytes,
  readExactly,
  readFooter,
  SegmentDamage,
  type IndexedAttribute,
  type SectionPlace,
  type SegmentFooter,
} from './segment-format.ts';

/** What all segments of a history share. */
export interface SegmentShare {
  /** Pages of indexes, by segment and page. */
  readonly pages: ByteCache<Buffer>;
  /** Unpacked raw blocks, by segment and block. */
  readonly blocks: ByteCache<RawBlock>;
  /** Text tables, by segment and attribute. */
  readonly tables: ByteCache<TextTable>;
  readonly dictionaries: Dictionaries;
  /** Secret key of the hashes of terms. */
  readonly hashKey: TermKey;
}

/** An immutable file of events, newest first: document 0 is the newest. Reads are checked; damage throws SegmentDamage. */
export interface Segment {
  readonly file: string;
  readonly footer: SegmentFooter;
  readonly documents: number;
  /** eventTime of a document. */
  timeAt(doc: number): number;
  /** The bytes of a document's record; a view. */
  raw(doc: number): Buffer;
  /** The block that a document's record lies in. */
  blockOf(doc: number): number;
  block(number: number): RawBlock;
  /** The compressed bytes of a block. */
  frame(number: number): Buffer;
  /** Place of a document's record: its block times `blockRecords` and its slot. */
  placeAt(doc: number): number;
  /** The documents of a value; undefined when no document has it. */
  findTerm(attribute: IndexedAttribute, value: string): TermPlace | undefined;
  /** The terms of an attribute that keeps them as text. */
  texts(attribute: IndexedAttribute): TextTable;
  postings(attribute: IndexedAttribute): ByteSource;
  table(attribute: IndexedAttribute): ByteSource;
  readonly ids: ByteSource;
  close(): void;
}

/** Cache keys are one number: the segment's own and the page's (or block's), which are fewer than this. */
const keysPerSegment = 2 ** 26;
let segmentsOpened = 0;

/** Pages that are read at once are not worth caching: they belong to a pass over everything. */
const mostCachedPages = 4;

interface CheckedIndex {
  section(place: SectionPlace): ByteSource;
}

function openIndex(
  handle: number,
  file: string,
  footer: SegmentFooter,
  share: SegmentShare,
  key: number,
): CheckedIndex {
  const sums = Buffer.from(footer.pageSums, 'base64');
  const readPages = (first: number, count: number): Buffer => {
    const start = first * pageBytes;
    const length = Math.min(count * pageBytes, footer.indexLength - start);
    const bytes = readExactly(handle, file, footer.indexAt + start, length);
    for (let page = 0; page < count; page += 1) {
      const part = bytes.subarray(page * pageBytes, (page + 1) * pageBytes);
      if (crc32(part) !== sums.readUInt32LE((first + page) * 4)) {
        throw new SegmentDamage(
          file,
          footer.indexAt + start + page * pageBytes,
          part.length,
          'wrong checksum of the index',
        );
      }
    }
    return bytes;
  };
  const pageAt = (page: number): Buffer => {
    const cached = share.pages.get(key + page);
    if (cached) return cached;
    const bytes = readPages(page, 1);
    share.pages.put(key + page, bytes, bytes.length + 100);
    return bytes;
  };
  const read = (offset: number, length: number): Buffer => {
    if (length === 0) return Buffer.alloc(0);
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + length - 1) / pageBytes);
    const start = offset - first * pageBytes;
    if (first === last) return pageAt(first).subarray(start, start + length);
    if (last - first >= mostCachedPages)
      return readPages(first, last - first + 1).subarray(start, start + length);
    const pages = Array.from({ length: last - first + 1 }, (_, index) => pageAt(first + index));
    return Buffer.concat(pages).subarray(start, start + length);
  };
  return {
    section: ([at, length]) => ({ length, bytes: (offset, wanted) => read(at + offset, wanted) }),
  };
}

/** The dictionary that a block was compressed with. */
function dictionaryOf(footer: SegmentFooter, block: number): number {
  let number = 0;
  for (const [firstBlock, dictionary] of footer.dictionaries) if (firstBlock <= block) number = dictionary;
  return number;
}

/** Opens a segment file: reads its header and footer, and nothing else until asked. Throws SegmentDamage. */
export function openSegment(file: string, share: SegmentShare): Segment {
  const handle = openSync(file, 'r');
  let footer: SegmentFooter;
  try {
    footer = readFooter(handle, file);
  } catch (error) {
    closeSync(handle);
    throw error;
  }
  segmentsOpened += 1;
  const key = segmentsOpened * keysPerSegment;
  const index = openIndex(handle, file, footer, share, key);
  const times = openNumberColumn(index.section(footer.times), footer.documents);
  const places = openNumberColumn(index.section(footer.places), footer.documents);
  const blockTable = index.section(footer.blockTable);
  const ids = index.section(footer.ids);

  const frame = (number: number): Buffer => {
    const bounds = blockTable.bytes(number * 6, 12);
    const start = bounds.readUIntLE(0, 6);
    return readExactly(handle, file, start, bounds.readUIntLE(6, 6) - start);
  };
  const block = (number: number): RawBlock => {
    const cached = share.blocks.get(key + number);
    if (cached) return cached;
    const bytes = frame(number);
    let unpacked: RawBlock;
    try {
      // A dictionary that is missing or damaged makes the block as unreadable as damage of its own.
      unpacked = unpackBlock(bytes, share.dictionaries.get(dictionaryOf(footer, number)));
    } catch {
      const start = blockTable.bytes(number * 6, 6).readUIntLE(0, 6);
      throw new SegmentDamage(file, start, bytes.length, 'a block of records cannot be unpacked');
    }
    share.blocks.put(key + number, unpacked, unpacked.sizeBytes + 1000);
    return unpacked;
  };
  const placeAt = (doc: number) => places.at(doc) + doc;
  const raw = (doc: number): Buffer => {
    const place = placeAt(doc);
    return block(Math.floor(place / blockRecords)).record(place % blockRecords);
  };
  const attributeKeys = Object.keys(footer.attributes) as readonly IndexedAttribute[];
  const postings = (attribute: IndexedAttribute) => index.section(footer.attributes[attribute].postings);
  const table = (attribute: IndexedAttribute) => index.section(footer.attributes[attribute].table);
  const texts = (attribute: IndexedAttribute): TextTable => {
    const tableKey = key + attributeKeys.indexOf(attribute);
    const cached = share.tables.get(tableKey);
    if (cached) return cached;
    const read = readTextTable(table(attribute), footer.attributes[attribute].pointerBytes);
    share.tables.put(tableKey, read, read.sizeBytes);
    return read;
  };
  const isValueOf = (doc: number, attribute: AttributeName, value: string): boolean => {
    const scan = scanRecord(raw(doc));
    return scan.kind === 'record' && attributeValues(scan.record, attribute).includes(value);
  };
  return {
    file,
    footer,
    documents: footer.documents,
    timeAt: (doc) => times.at(doc),
    raw,
    blockOf: (doc) => Math.floor(placeAt(doc) / blockRecords),
    block,
    frame,
    placeAt,
    findTerm(attribute, value) {
      const { kind, terms, pointerBytes } = footer.attributes[attribute];
      if (kind === 'text') return texts(attribute).find(value);
      const place = findHash(table(attribute), terms, pointerBytes, hashTerm(share.hashKey, value));
      if (!place) return undefined;
      // Two values with one hash would be wrong rows, so the first document's record has the last word.
      const first =
        place.kind === 'one'
          ? place.doc
          : openPostings(postings(attribute), place.offset, footer.documents).seek(0);
      return isValueOf(first, attribute, value) ? place : undefined;
    },
    texts,
    postings,
    table,
    ids,
    close: () => closeSync(handle),
  };
}
