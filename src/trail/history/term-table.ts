import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { openByteWriter } from './byte-writer.ts';

/**
 * The terms of one attribute, each with a pointer to its postings. Attributes with few values keep them as text.
 * Attributes with many keep a 64-bit hash each, keyed with a secret of the store so that nobody can choose values that
 * collide; what a term's text is stands in the records of its documents.
 *
 * A pointer is the offset of the posting list, or, for the many terms that one document alone has, that document: the
 * highest bit tells.
 */
export interface TextTerms {
  readonly kind: 'text';
  /** Ascending, as JavaScript compares text. */
  readonly texts: readonly string[];
}

/** Ascending by `high`, then `low`. */
export interface HashTerms {
  readonly kind: 'hash';
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export type Terms = TextTerms | HashTerms;

export function termCount(terms: Terms): number {
  return terms.kind === 'text' ? terms.texts.length : terms.high.length;
}

/** Where a term's documents are: in a posting list, or one document inline. */
export type TermPlace =
  | { readonly kind: 'list'; readonly offset: number }
  | { readonly kind: 'one'; readonly doc: number };

export function placeOf(pointer: number, pointerBytes: number): TermPlace {
  const inline = 2 ** (pointerBytes * 8 - 1);
  return pointer >= inline ? { kind: 'one', doc: pointer - inline } : { kind: 'list', offset: pointer };
}

/** As few bytes as offsets below `listBytes` and documents below `documents` need beside the highest bit. */
export function pointerWidth(listBytes: number, documents: number): number {
  const most = Math.max(listBytes, documents);
  return most < 0x80_00 ? 2 : most < 0x80_00_00 ? 3 : 4;
}

/** Small tables are not worth a compressor. */
const leastPackedBytes = 2048;

const tablePacking = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 17 },
};

/** Text: the length of the texts as they follow, the texts (JSON, as zstd unless that begins with `[`), the pointers. */
export function writeTextTable(
  texts: readonly string[],
  pointers: Float64Array,
  pointerBytes: number,
): Buffer {
  const plain = Buffer.from(JSON.stringify(texts));
  const packed = plain.length < leastPackedBytes ? plain : zstdCompressSync(plain, tablePacking);
  const out = openByteWriter(packed.length + 4 + pointers.length * pointerBytes);
  out.u32(packed.length);
  out.bytes(packed);
  for (const pointer of pointers) out.uint(pointer, pointerBytes);
  return out.view();
}

/** A text table, unpacked. */
export interface TextTable {
  readonly texts: readonly string[];
  placeAt(index: number): TermPlace;
  find(text: string): TermPlace | undefined;
  readonly sizeBytes: number;
}

export function readTextTable(source: ByteSource, pointerBytes: number): TextTable {
  const packedLength = source.bytes(0, 4).readUInt32LE(0);
  const packed = source.bytes(4, packedLength);
  const plain = packed[0] === 0x5b ? packed : zstdDecompressSync(packed);
  const texts = JSON.parse(plain.toString()) as readonly string[];
  const pointersAt = 4 + packedLength;
  const pointers = Buffer.from(source.bytes(pointersAt, source.length - pointersAt));
  const placeAt = (index: number) =>
    placeOf(pointers.readUIntLE(index * pointerBytes, pointerBytes), pointerBytes);
  return {
    texts,
    placeAt,
    find(text) {
      let low = 0;
      let high = texts.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((texts[middle] as string) < text) low = middle + 1;
        else high = middle;
      }
      return texts[low] === text ? placeAt(low) : undefined;
    },
    sizeBytes: texts.reduce((sum, text) => sum + text.length + 32, 0),
  };
}

/** Bits of the hash that the directory of a hash table takes: about eight terms to a slot. */
function directoryBits(count: number): number {
  return Math.max(0, Math.min(16, Math.floor(Math.log2(count + 1)) - 3));
}

/** Whole bytes of `high` that the directory makes superfluous. */
function savedBytes(count: number): number {
  return directoryBits(count) >> 3;
}

/** Hash: a directory (for each slot the number of its first term, u32, and one more), then the terms with pointers. */
export function writeHashTable(terms: HashTerms, pointers: Float64Array, pointerBytes: number): Buffer {
  const count = terms.high.length;
  const bits = directoryBits(count);
  const highBytes = 4 - savedBytes(count);
  const mask = highBytes === 4 ? 0xffff_ffff : 2 ** (highBytes * 8) - 1;
  const out = openByteWriter((2 ** bits + 1) * 4 + count * (highBytes + 4 + pointerBytes));
  let next = 0;
  for (let slot = 0; slot <= 2 ** bits; slot += 1) {
    while (next < count && (terms.high[next] as number) / 2 ** (32 - bits) < slot) next += 1;
    out.u32(next);
  }
  for (let index = 0; index < count; index += 1) {
    out.uint(((terms.high[index] as number) & mask) >>> 0, highBytes);
    out.u32(terms.low[index] as number);
    out.uint(pointers[index] as number, pointerBytes);
  }
  return out.view();
}

/** Finds a hash in a table without reading the whole. */
export function findHash(
  source: ByteSource,
  count: number,
  pointerBytes: number,
  [high, low]: readonly [number, number],
): TermPlace | undefined {
  const bits = directoryBits(count);
  const highBytes = 4 - savedBytes(count);
  const entryBytes = highBytes + 4 + pointerBytes;
  const entriesAt = (2 ** bits + 1) * 4;
  const slot = Math.floor(high / 2 ** (32 - bits));
  const bounds = source.bytes(slot * 4, 8);
  const first = bounds.readUInt32LE(0);
  const end = bounds.readUInt32LE(4);
  const entries = source.bytes(entriesAt + first * entryBytes, (end - first) * entryBytes);
  const wanted = highBytes === 4 ? high : high % 2 ** (highBytes * 8);
  for (let at = 0; at < entries.length; at += entryBytes) {
    if (entries.readUIntLE(at, highBytes) === wanted && entries.readUInt32LE(at + highBytes) === low) {
      return placeOf(entries.readUIntLE(at + highBytes + 4, pointerBytes), pointerBytes);
    }
  }
  return undefined;
}

/** A hash table, unpacked: for counts and merges. */
export function readHashTable(
  source: ByteSource,
  count: number,
  pointerBytes: number,
): { readonly terms: HashTerms; placeAt(index: number): TermPlace } {
  const bits = directoryBits(count);
  const highBytes = 4 - savedBytes(count);
  const entryBytes = highBytes + 4 + pointerBytes;
  const bytes = source.bytes(0, source.length);
  const entriesAt = (2 ** bits + 1) * 4;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  const known = 2 ** (highBytes * 8);
  for (let slot = 0; slot < 2 ** bits; slot += 1) {
    const prefix = slot * 2 ** (32 - bits);
    const upper = prefix - (prefix % known);
    const end = bytes.readUInt32LE((slot + 1) * 4);
    for (let index = bytes.readUInt32LE(slot * 4); index < end; index += 1) {
      const at = entriesAt + index * entryBytes;
      high[index] = (highBytes === 4 ? 0 : upper) + bytes.readUIntLE(at, highBytes);
      low[index] = bytes.readUInt32LE(at + highBytes);
    }
  }
  return {
    terms: { kind: 'hash', high, low },
    placeAt: (index) =>
      placeOf(bytes.readUIntLE(entriesAt + index * entryBytes + highBytes + 4, pointerBytes), pointerBytes),
  };
}
