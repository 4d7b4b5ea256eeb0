import type { ByteSource } from './byte-source.ts';
import { openByteWriter } from './byte-writer.ts';
import { mostDocuments } from './segment-format.ts';

/**
 * Which documents have an eventID with a given 32-bit hash: sorted by the hash, so a look-up reads one slot of a
 * directory and the few hashes of that slot. The document's eventID is then compared in full. The same 32 bits order
 * events of the same time, so merging segments reads them back from here.
 *
 * Layout: the directory (for each slot the number of its first entry, u32, and one more), the hashes without the whole
 * bytes that the slot tells, the documents in three bytes each.
 */
function directoryBits(count: number): number {
  return Math.max(0, Math.min(16, Math.floor(Math.log2(count + 1)) - 3));
}

function restBytes(count: number): number {
  return 4 - (directoryBits(count) >> 3);
}

/** `hashes` by document. */
export function writeIdTable(hashes: Uint32Array): Buffer {
  const count = hashes.length;
  const bits = directoryBits(count);
  const rest = restBytes(count);
  // Hash and document (21 bits, see mostDocuments) fit one exact double, and sorting those is what the machine does fastest.
  const keys = new Float64Array(count);
  for (let doc = 0; doc < count; doc += 1) keys[doc] = (hashes[doc] as number) * mostDocuments + doc;
  keys.sort();
  const out = openByteWriter((2 ** bits + 1) * 4 + count * (rest + 3));
  let next = 0;
  for (let slot = 0; slot <= 2 ** bits; slot += 1) {
    while (next < count && (keys[next] as number) / 2 ** (53 - bits) < slot) next += 1;
    out.u32(next);
  }
  for (const key of keys) out.uint(Math.floor(key / mostDocuments) % 2 ** (rest * 8), rest);
  for (const key of keys) out.uint(key % mostDocuments, 3);
  return out.view();
}

/** The part of a table that says whether a hash is there, in memory: about two bytes an event. */
export interface IdFilter {
  /** Numbers of the entries with this hash. */
  entries(idHash: number): readonly number[];
  readonly sizeBytes: number;
}

const none: readonly number[] = [];

export function readIdFilter(source: ByteSource, count: number): IdFilter {
  const bits = directoryBits(count);
  const rest = restBytes(count);
  const directoryBytes = (2 ** bits + 1) * 4;
  const directory = new Uint32Array(Uint8Array.from(source.bytes(0, directoryBytes)).buffer);
  const bytes = source.bytes(directoryBytes, count * rest);
  // Full segments have two bytes a hash, which are taken as they are; the machines that this runs on are little-endian.
  const hashes = rest === 2 ? new Uint16Array(Uint8Array.from(bytes).buffer) : new Uint32Array(count);
  if (rest > 2)
    for (let index = 0; index < count; index += 1) hashes[index] = bytes.readUIntLE(index * rest, rest);
  const modulus = 2 ** (rest * 8);
  const scale = 2 ** (32 - bits);
  return {
    entries(idHash) {
      const slot = Math.floor(idHash / scale);
      const wanted = idHash % modulus;
      let found = none;
      const end = directory[slot + 1] as number;
      for (let index = directory[slot] as number; index < end; index += 1) {
        if (hashes[index] === wanted) found = [...found, index];
      }
      return found;
    },
    sizeBytes: directory.byteLength + hashes.byteLength,
  };
}

/** The document of an entry. */
export function documentOfEntry(source: ByteSource, count: number, entry: number): number {
  const docsAt = (2 ** directoryBits(count) + 1) * 4 + count * restBytes(count);
  return source.bytes(docsAt + entry * 3, 3).readUIntLE(0, 3);
}

/** The documents with this hash, reading no more than their slot. */
export function documentsOfHash(source: ByteSource, count: number, idHash: number): readonly number[] {
  const bits = directoryBits(count);
  const rest = restBytes(count);
  const slot = Math.floor(idHash / 2 ** (32 - bits));
  const bounds = source.bytes(slot * 4, 8);
  const first = bounds.readUInt32LE(0);
  const end = bounds.readUInt32LE(4);
  const bytes = source.bytes((2 ** bits + 1) * 4 + first * rest, (end - first) * rest);
  const wanted = idHash % 2 ** (rest * 8);
  const docs: number[] = [];
  for (let index = 0; index < end - first; index += 1) {
    if (bytes.readUIntLE(index * rest, rest) === wanted)
      docs.push(documentOfEntry(source, count, first + index));
  }
  return docs;
}

/** The hash of every document. */
export function readIdHashes(source: ByteSource, count: number): Uint32Array {
  const bits = directoryBits(count);
  const rest = restBytes(count);
  const bytes = source.bytes(0, source.length);
  const hashesAt = (2 ** bits + 1) * 4;
  const docsAt = hashesAt + count * rest;
  const known = 2 ** (rest * 8);
  const hashes = new Uint32Array(count);
  for (let slot = 0; slot < 2 ** bits; slot += 1) {
    const prefix = slot * 2 ** (32 - bits);
    const upper = rest === 4 ? 0 : prefix - (prefix % known);
    const end = bytes.readUInt32LE((slot + 1) * 4);
    for (let index = bytes.readUInt32LE(slot * 4); index < end; index += 1) {
      const doc = bytes.readUIntLE(docsAt + index * 3, 3);
      hashes[doc] = upper + bytes.readUIntLE(hashesAt + index * rest, rest);
    }
  }
  return hashes;
}
