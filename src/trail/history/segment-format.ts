import { fstatSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { AttributeName } from './history-types.ts';

/** See FORMAT.md. */
export const segmentMagic = Buffer.from('CAIRNSEG');
export const segmentVersion = 2;
/** Its blocks say the length of each record. */
const oldestVersion = 1;
/** The magic, the version (u32) and four bytes of zero. */
export const headerBytes = 16;
/** Length and CRC-32 of the footer (u32 each), the magic. */
export const trailerBytes = 16;
/** The index is checked in pages of this many bytes. */
export const pageBytes = 16_384;
/** Raw records are compressed in blocks of at most this many, which is also the stride of a record's place. */
export const blockRecords = 32;
/** A block is closed early at this many bytes. */
export const blockBytes = 96 * 1024;

/** A segment holds no more documents: numbers of documents take 21 bits. */
export const mostDocuments = 0x20_0000;

/** The attributes that have term tables: all but the eventID, which has a table of its own. */
export type IndexedAttribute = Exclude<AttributeName, 'EventId'>;

/** Place and length of a section of the index, relative to the start of the index. */
export type SectionPlace = readonly [offset: number, length: number];

export interface AttributeSections {
  /** `text`: the terms as text, for attributes with few values. `hash`: keyed 64-bit hashes, sorted. */
  readonly kind: 'text' | 'hash';
  readonly terms: number;
  /** Width of a pointer in bytes. */
  readonly pointerBytes: number;
  readonly table: SectionPlace;
  readonly postings: SectionPlace;
}

export interface SegmentFooter {
  readonly version: number;
  readonly documents: number;
  /** Epoch milliseconds. */
  readonly newest: number;
  readonly oldest: number;
  readonly blocks: number;
  /** From each block on, the dictionary that it was compressed with (0: none), by its number in the store. */
  readonly dictionaries: readonly (readonly [firstBlock: number, dictionary: number])[];
  /** Offset of the index in the file: the raw blocks stand before it. */
  readonly indexAt: number;
  readonly indexLength: number;
  readonly times: SectionPlace;
  /** For each document, its place among the raw records less its number. */
  readonly places: SectionPlace;
  readonly ids: SectionPlace;
  /** For each block, its offset in the file in six bytes; one more for the end. */
  readonly blockTable: SectionPlace;
  readonly attributes: Readonly<Record<IndexedAttribute, AttributeSections>>;
  /** CRC-32 of each page of the index, u32, in base64. */
  readonly pageSums: string;
}

/** Why a segment is damaged that is not there. */
export const missingReason = 'the file is missing';

/** Bytes of a segment that are not what was written. */
export class SegmentDamage extends Error {
  override name = 'SegmentDamage';
  readonly file: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly reason: string;

  constructor(file: string, offset: number, sizeBytes: number, reason: string) {
    super(`${file}: ${reason} at offset ${offset} (${sizeBytes} bytes)`);
    this.file = file;
    this.offset = offset;
    this.sizeBytes = sizeBytes;
    this.reason = reason;
  }
}

/** Reads exactly `length` bytes; a file that is shorter is damaged. */
export function readExactly(handle: number, file: string, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(handle, bytes, done, length - done, offset + done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      throw new SegmentDamage(file, offset + done, length - done, 'the disk cannot read it');
    }
    if (count === 0) throw new SegmentDamage(file, offset + done, length - done, 'the file ends too early');
    done += count;
  }
  return bytes;
}

/** Checks the header, the trailer and the footer of an open segment file. Throws SegmentDamage. */
export function readFooter(handle: number, file: string): SegmentFooter {
  const size = fstatSync(handle).size;
  if (size < headerBytes + trailerBytes) throw new SegmentDamage(file, 0, size, 'too short for a segment');
  const header = readExactly(handle, file, 0, headerBytes);
  const trailer = readExactly(handle, file, size - trailerBytes, trailerBytes);
  if (!header.subarray(0, 8).equals(segmentMagic)) throw new SegmentDamage(file, 0, 8, 'not a segment file');
  if (!trailer.subarray(8).equals(segmentMagic)) {
    throw new SegmentDamage(file, size - trailerBytes, trailerBytes, 'the segment has no end');
  }
  const version = header.readUInt32LE(8);
  if (version < oldestVersion || version > segmentVersion) {
    throw new SegmentDamage(
      file,
      8,
      4,
      `segment version ${version}, this program reads up to ${segmentVersion}`,
    );
  }
  const length = trailer.readUInt32LE(0);
  const at = size - trailerBytes - length;
  if (at < headerBytes) throw new SegmentDamage(file, size - trailerBytes, 4, 'wrong length of the footer');
  const footer = readExactly(handle, file, at, length);
  if (crc32(footer) !== trailer.readUInt32LE(4))
    throw new SegmentDamage(file, at, length, 'wrong checksum of the footer');
  return JSON.parse(footer.toString()) as SegmentFooter;
}
