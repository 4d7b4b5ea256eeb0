import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Random } from '../../kernel/index.ts';
import type { OpenFile } from './file-system.ts';

/**
 * A segment file. Its name carries what its header does (first sequence and salt), so that damage to the header
 * costs nothing else.
 */
export interface SegmentName {
  readonly file: string;
  readonly first: number;
  readonly salt: number;
}

export const segmentHeaderBytes = 32;
const magic = Buffer.from('CAIRNLOG');
const formatVersion = 1;
const checkedBytes = 28;

/** The log was written by a later version of the program. */
class LogFormatError extends Error {
  override name = 'LogFormatError';
}

/** Names a new segment, with a salt of its own. */
export function nameSegment(first: number, random: Random): SegmentName {
  const salt = Buffer.from(random.bytes(4)).readUInt32LE();
  const file = `${String(first).padStart(16, '0')}-${salt.toString(16).padStart(8, '0')}.segment`;
  return { file, first, salt };
}

/** What a file's name says; undefined when it is not a segment's. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const match = /^(\d{16})-([0-9a-f]{8})\.segment$/.exec(file);
  return match ? { file, first: Number(match[1]), salt: Number.parseInt(match[2] ?? '', 16) } : undefined;
}

export function segmentPath(directory: string, segment: SegmentName): string {
  return join(directory, segment.file);
}

/** The header that a segment begins with: magic, format, header size, first sequence, salt, CRC-32. */
export function segmentHeader({ first, salt }: SegmentName): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.set(magic, 0);
  header.writeUInt16LE(formatVersion, 8);
  header.writeUInt16LE(segmentHeaderBytes, 10);
  header.writeBigUInt64LE(BigInt(first), 12);
  header.writeUInt32LE(salt, 20);
  header.writeUInt32LE(crc32(header.subarray(0, checkedBytes)), checkedBytes);
  return header;
}

/**
 * Whether the file begins with the header that its name asks for. Throws LogFormatError for a whole header of a
 * format that this version does not read.
 */
export async function headerHolds(file: OpenFile, segment: SegmentName): Promise<boolean> {
  const header = Buffer.alloc(segmentHeaderBytes);
  if ((await file.read(header, 0)) < segmentHeaderBytes) return false;
  if (header.equals(segmentHeader(segment))) return true;
  const whole = crc32(header.subarray(0, checkedBytes)) === header.readUInt32LE(checkedBytes);
  const version = header.readUInt16LE(8);
  if (whole && header.subarray(0, 8).equals(magic) && version > formatVersion) {
    throw new LogFormatError(
      `${segment.file} is of log format ${version}, this version reads up to ${formatVersion}; start the newer version`,
    );
  }
  return false;
}
