import type { ByteWriter } from './byte-writer.ts';
import type { ByteSource } from './byte-source.ts';
import { arrayDocs, rangeDocs, type DocCursor } from './doc-cursor.ts';

/**
 * Posting lists: the documents (numbered from the newest, 0) that have a term, ascending, so that walking a list forward
 * walks from the newest event. A list begins with its length `df`; what follows depends on `df` and on the number of
 * documents `n` of the segment:
 * - `df = n`: nothing; every document.
 * - `df > n / 8`: a bitmap of `n` bits, lowest bit first.
 * - `df <= 128`: the first document and the differences, each as a varint.
 * - otherwise: the length of the data, u32; for each 128 documents the first document and the offset of their
 *   differences in the data, u32 each; the data.
 */
const blockSize = 128;

/** Varints of a short list, or of one block, take no more. */
const mostBlockBytes = blockSize * 5;

function isBitmap(count: number, documents: number): boolean {
  return count * 8 > documents;
}

function writeBitmap(out: ByteWriter, docs: Int32Array, documents: number): void {
  const bits = new Uint8Array(Math.ceil(documents / 8));
  for (const doc of docs) bits[doc >> 3] = (bits[doc >> 3] as number) | (1 << (doc & 7));
  out.bytes(bits);
}

function writeBlocks(out: ByteWriter, docs: Int32Array): void {
  const blocks = Math.ceil(docs.length / blockSize);
  const lengthAt = out.length;
  out.u32(0);
  const skipsAt = out.length;
  for (let block = 0; block < blocks; block += 1) {
    out.u32(docs[block * blockSize] as number);
    out.u32(0);
  }
  const dataAt = out.length;
  for (let block = 0; block < blocks; block += 1) {
    out.setU32(skipsAt + block * 8 + 4, out.length - dataAt);
    const end = Math.min(docs.length, (block + 1) * blockSize);
    for (let index = block * blockSize + 1; index < end; index += 1) {
      out.varint((docs[index] as number) - (docs[index - 1] as number));
    }
  }
  out.setU32(lengthAt, out.length - dataAt);
}

/** Appends one list; `docs` are ascending and distinct, at least one. */
export function writePostings(out: ByteWriter, docs: Int32Array, documents: number): void {
  out.varint(docs.length);
  if (docs.length === documents) return;
  if (isBitmap(docs.length, documents)) writeBitmap(out, docs, documents);
  else if (docs.length > blockSize) writeBlocks(out, docs);
  else {
    let previous = 0;
    for (const doc of docs) {
      out.varint(doc - previous);
      previous = doc;
    }
  }
}

/** Where a list is and how long; read from its head. */
interface ListHead {
  readonly count: number;
  /** Offset behind the head. */
  readonly at: number;
}

function readHead(source: ByteSource, offset: number): ListHead {
  const bytes = source.bytes(offset, Math.min(5, source.length - offset));
  let count = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    count += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { count, at: offset + index + 1 };
  }
  throw new RangeError(`no posting list at ${offset}`);
}

/** Reads `count` varints of differences that follow `first`, into `out`. Returns the position behind them. */
function readDifferences(
  bytes: Buffer,
  from: number,
  first: number,
  out: Int32Array,
  start: number,
  end: number,
): number {
  let at = from;
  let doc = first;
  for (let index = start; index < end; index += 1) {
    let byte = bytes[at] as number;
    at += 1;
    let difference = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at] as number;
      at += 1;
      difference |= (byte & 0x7f) << shift;
    }
    doc += difference;
    out[index] = doc;
  }
  return at;
}

function shortList(source: ByteSource, head: ListHead): Int32Array {
  const docs = new Int32Array(head.count);
  const bytes = source.bytes(head.at, Math.min(mostBlockBytes, source.length - head.at));
  readDifferences(bytes, 0, 0, docs, 0, head.count);
  return docs;
}

/** A cursor over a list in blocks: it finds the block by the skips, and unpacks one block at a time. */
function blockDocs(source: ByteSource, head: ListHead, documents: number): DocCursor {
  const blocks = Math.ceil(head.count / blockSize);
  const dataLength = source.bytes(head.at, 4).readUInt32LE(0);
  const skipsAt = head.at + 4;
  const dataAt = skipsAt + blocks * 8;
  const firstOf = (block: number) => source.bytes(skipsAt + block * 8, 4).readUInt32LE(0);
  const offsetOf = (block: number) =>
    block === blocks ? dataLength : source.bytes(skipsAt + block * 8 + 4, 4).readUInt32LE(0);
  const unpacked = new Int32Array(blockSize);
  let block = -1;
  let count = 0;
  let index = 0;
  let nextFirst = 0;

  const load = (wanted: number): void => {
    const offset = offsetOf(wanted);
    const bytes = source.bytes(dataAt + offset, offsetOf(wanted + 1) - offset);
    const first = firstOf(wanted);
    count = Math.min(blockSize, head.count - wanted * blockSize);
    unpacked[0] = first;
    readDifferences(bytes, 0, first, unpacked, 1, count);
    nextFirst = wanted + 1 < blocks ? firstOf(wanted + 1) : documents;
    block = wanted;
    index = 0;
  };
  /** The last block from `from` on whose first document is at most `target`. */
  const findBlock = (from: number, target: number): number => {
    let low = from;
    let high = blocks - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (firstOf(middle) <= target) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    seek(target) {
      if (target >= documents) return documents;
      if (block < 0) load(findBlock(0, target));
      else if (target >= nextFirst) load(findBlock(block + 1, target));
      while (index < count && (unpacked[index] as number) < target) index += 1;
      if (index < count) return unpacked[index] as number;
      if (block + 1 >= blocks) return documents;
      load(block + 1);
      return unpacked[0] as number;
    },
  };
}

const chunkBytes = 4096;

function bitmapDocs(source: ByteSource, head: ListHead, documents: number): DocCursor {
  const total = Math.ceil(documents / 8);
  let chunk = -1;
  let bytes = Buffer.alloc(0);
  return {
    seek(target) {
      let doc = target;
      while (doc < documents) {
        const at = doc >> 3;
        const wanted = Math.floor(at / chunkBytes);
        if (wanted !== chunk) {
          const start = wanted * chunkBytes;
          bytes = Buffer.from(source.bytes(head.at + start, Math.min(chunkBytes, total - start)));
          chunk = wanted;
        }
        const rest = (bytes[at - wanted * chunkBytes] as number) >> (doc & 7);
        if (rest !== 0) return doc + (31 - Math.clz32(rest & -rest));
        doc = (at + 1) << 3;
      }
      return documents;
    },
  };
}

/** A cursor over the list at `offset`. */
export function openPostings(source: ByteSource, offset: number, documents: number): DocCursor {
  const head = readHead(source, offset);
  if (head.count === documents) return rangeDocs(documents);
  if (isBitmap(head.count, documents)) return bitmapDocs(source, head, documents);
  if (head.count > blockSize) return blockDocs(source, head, documents);
  return arrayDocs(shortList(source, head), documents);
}

/**
 * Unpacks the whole list at `offset` of a section in memory into `out` (which has room for `documents`), and returns
 * its length: for counts and merges, which read everything.
 */
export function unpackPostings(
  source: ByteSource,
  offset: number,
  documents: number,
  out: Int32Array,
): number {
  const { count, at } = readHead(source, offset);
  if (count === documents) {
    for (let doc = 0; doc < documents; doc += 1) out[doc] = doc;
  } else if (isBitmap(count, documents)) {
    const bytes = source.bytes(at, Math.ceil(documents / 8));
    let index = 0;
    for (let byte = 0; byte < bytes.length; byte += 1) {
      for (let rest = bytes[byte] as number; rest !== 0; rest &= rest - 1) {
        out[index] = byte * 8 + (31 - Math.clz32(rest & -rest));
        index += 1;
      }
    }
  } else if (count > blockSize) {
    const blocks = Math.ceil(count / blockSize);
    const bytes = source.bytes(at, 4 + blocks * 8 + source.bytes(at, 4).readUInt32LE(0));
    let from = 4 + blocks * 8;
    for (let block = 0; block < blocks; block += 1) {
      const start = block * blockSize;
      const first = bytes.readUInt32LE(4 + block * 8);
      out[start] = first;
      from = readDifferences(bytes, from, first, out, start + 1, Math.min(count, start + blockSize));
    }
  } else {
    const bytes = source.bytes(at, Math.min(mostBlockBytes, source.length - at));
    readDifferences(bytes, 0, 0, out, 0, count);
  }
  return count;
}
