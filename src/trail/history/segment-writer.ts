import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { openByteWriter } from './byte-writer.ts';
import { syncDirectory, writeFully } from './durable-file.ts';
import { writeIdTable } from './id-table.ts';
import { encodeNumbers } from './number-column.ts';
import { writePostings } from './postings.ts';
import type { TermGroups } from './term-groups.ts';
import { pointerWidth, termCount, writeHashTable, writeTextTable, type Terms } from './term-table.ts';
import {
  headerBytes,
  pageBytes,
  segmentMagic,
  segmentVersion,
  trailerBytes,
  type AttributeSections,
  type IndexedAttribute,
  type SectionPlace,
  type SegmentFooter,
} from './segment-format.ts';

/** Writes one segment file: first all raw blocks, then the columns, then the attributes, then `finish`. */
export interface SegmentWriter {
  /** Appends compressed blocks, one behind the other in `bytes`, with their lengths. */
  addBlocks(bytes: Uint8Array, lengths: readonly number[], dictionary: number): void;
  readonly blocks: number;
  /** Times, places and hashes of the eventIDs, by document. */
  addColumns(columns: {
    readonly times: Float64Array;
    readonly places: Float64Array;
    readonly idHashes: Uint32Array;
  }): void;
  addAttribute(name: IndexedAttribute, terms: Terms, groups: TermGroups): void;
  /** Makes the file durable under its name. */
  finish(): SegmentFooter;
  /** Gives up and removes what was written. */
  abandon(): void;
}

/** Encodes the posting lists of an attribute; gives each term's pointer. */
function encodeLists(groups: TermGroups, terms: number, documents: number) {
  const lists = openByteWriter(65_536);
  const offsets = new Float64Array(terms);
  for (let term = 0; term < terms; term += 1) {
    const start = groups.starts[term] as number;
    const end = groups.starts[term + 1] as number;
    if (end - start === 1) {
      offsets[term] = -1 - (groups.docs[start] as number);
      continue;
    }
    offsets[term] = lists.length;
    writePostings(lists, groups.docs.subarray(start, end), documents);
  }
  const pointerBytes = pointerWidth(lists.length, documents);
  const inline = 2 ** (pointerBytes * 8 - 1);
  const pointers = offsets.map((offset) => (offset < 0 ? inline - 1 - offset : offset));
  return { lists: lists.view(), pointers, pointerBytes };
}

/** Begins a segment under a temporary name beside `file`. */
export function openSegmentWriter(file: string): SegmentWriter {
  const temporary = `${file}.tmp`;
  const handle = openSync(temporary, 'w');
  const header = Buffer.alloc(headerBytes);
  segmentMagic.copy(header);
  header.writeUInt32LE(segmentVersion, 8);
  writeFully(handle, header);
  let isClosed = false;
  let position = headerBytes;
  const blockOffsets = openByteWriter();
  let blocks = 0;
  const dictionaries: [number, number][] = [];

  let indexAt = 0;
  let indexLength = 0;
  const sums = openByteWriter();
  let page = Buffer.alloc(0);
  const addToPages = (bytes: Uint8Array): void => {
    page = Buffer.concat([page, bytes]);
    let at = 0;
    for (; at + pageBytes <= page.length; at += pageBytes) sums.u32(crc32(page.subarray(at, at + pageBytes)));
    page = Buffer.from(page.subarray(at));
  };
  const addSection = (bytes: Uint8Array): SectionPlace => {
    const at = indexLength;
    writeFully(handle, bytes);
    addToPages(bytes);
    indexLength += bytes.length;
    return [at, bytes.length];
  };

  let columnPlaces: Pick<
    SegmentFooter,
    'documents' | 'newest' | 'oldest' | 'times' | 'places' | 'ids' | 'blockTable'
  >;
  const attributes: Partial<Record<IndexedAttribute, AttributeSections>> = {};
  return {
    addBlocks(bytes, lengths, dictionary) {
      if (lengths.length > 0 && dictionaries.at(-1)?.[1] !== dictionary)
        dictionaries.push([blocks, dictionary]);
      writeFully(handle, bytes);
      for (const length of lengths) {
        blockOffsets.uint(position, 6);
        position += length;
      }
      blocks += lengths.length;
    },
    get blocks() {
      return blocks;
    },
    addColumns({ times, places, idHashes }) {
      indexAt = position;
      blockOffsets.uint(position, 6);
      columnPlaces = {
        documents: times.length,
        newest: times[0] as number,
        oldest: times.at(-1) as number,
        times: addSection(encodeNumbers(times)),
        places: addSection(encodeNumbers(places.map((place, doc) => place - doc))),
        ids: addSection(writeIdTable(idHashes)),
        blockTable: addSection(blockOffsets.view()),
      };
    },
    addAttribute(name, terms, groups) {
      const { lists, pointers, pointerBytes } = encodeLists(groups, termCount(terms), columnPlaces.documents);
      const table =
        terms.kind === 'text'
          ? writeTextTable(terms.texts, pointers, pointerBytes)
          : writeHashTable(terms, pointers, pointerBytes);
      attributes[name] = {
        kind: terms.kind,
        terms: termCount(terms),
        pointerBytes,
        table: addSection(table),
        postings: addSection(lists),
      };
    },
    finish() {
      if (page.length > 0) sums.u32(crc32(page));
      const footer: SegmentFooter = {
        version: segmentVersion,
        ...columnPlaces,
        blocks,
        dictionaries,
        indexAt,
        indexLength,
        attributes: attributes as Record<IndexedAttribute, AttributeSections>,
        pageSums: sums.view().toString('base64'),
      };
      const bytes = Buffer.from(JSON.stringify(footer));
      const trailer = Buffer.alloc(trailerBytes);
      trailer.writeUInt32LE(bytes.length, 0);
      trailer.writeUInt32LE(crc32(bytes), 4);
      segmentMagic.copy(trailer, 8);
      writeFully(handle, Buffer.concat([bytes, trailer]));
      fsyncSync(handle);
      closeSync(handle);
      isClosed = true;
      renameSync(temporary, file);
      syncDirectory(dirname(file));
      return footer;
    },
    abandon() {
      if (!isClosed) closeSync(handle);
      isClosed = true;
      // On a full disk every attempt would otherwise leave more behind.
      rmSync(temporary, { force: true });
    },
  };
}
