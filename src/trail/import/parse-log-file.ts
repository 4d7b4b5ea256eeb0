import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { entryRoomBytes, hashInPlace } from '../../journal/index.ts';
import { openScanPacker, scanLogFile } from '../history/index.ts';
import type { LaidOutRecords } from '../laid-out-records.ts';

/** A record of a file that cannot be taken. */
export interface BadRecord {
  /** Its place among the file's records, from 0. */
  readonly record: number;
  readonly reason: string;
}

/** A log file taken apart, with its good records laid out. */
export interface ParsedLogFile extends LaidOutRecords {
  readonly kind: 'parsed';
  /** Hexadecimal, of the file as it was sent. */
  readonly sha256: string;
  readonly badCount: number;
  /** The first of them. */
  readonly bad: readonly BadRecord[];
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Smallest and greatest eventTime, epoch milliseconds; absent without records. */
  readonly from?: number;
  readonly to?: number;
}

/** A file that is no log file as a whole. Nothing of it is taken. */
export interface BrokenLogFile {
  readonly kind: 'broken';
  readonly reason: string;
}

/** How many bad records are named one by one. */
const namedBadRecords = 100;

/** Log files were seen to unpack to less than this many times their size. */
const likelyRatio = 32;

type Inflated = { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> } | BrokenLogFile;

function broken(reason: string): BrokenLogFile {
  return { kind: 'broken', reason };
}

function tooLarge(mostBytes: number): BrokenLogFile {
  return broken(`larger than ${Math.floor(mostBytes / 1024 / 1024)} MiB when unpacked`);
}

interface InfoResult {
  readonly buffer: Buffer<ArrayBuffer>;
  readonly engine: { readonly bytesWritten: number };
}

/** So much is unpacked at once: all of it, if the gzip file says truly how much that is; a false one gets what is likely. */
function chunkBytes(file: Uint8Array, mostBytes: number): number {
  const said = file.length < 4 ? 0 : Buffer.from(file.subarray(-4)).readUInt32LE(0);
  // One more byte, so that the end is seen at once.
  return Math.max(64 * 1024, Math.min(said + 1, file.length * likelyRatio, mostBytes));
}

function inflate(file: Uint8Array<ArrayBuffer>, mostBytes: number): Inflated {
  const isGzip = file[0] === 0x1f && file[1] === 0x8b;
  if (!isGzip) return file.length > mostBytes ? tooLarge(mostBytes) : { kind: 'bytes', bytes: file };
  try {
    const options = { info: true, maxOutputLength: mostBytes, chunkSize: chunkBytes(file, mostBytes) };
    const { buffer, engine } = gunzipSync(file, options) as unknown as InfoResult;
    if (engine.bytesWritten < file.length) return broken('other bytes follow the gzip data');
    return { kind: 'bytes', bytes: buffer };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(mostBytes);
    if (code === 'Z_BUF_ERROR') return broken('the gzip data is cut off');
    return broken(`the gzip data is damaged: ${message}`);
  }
}

/**
 * Takes a CloudTrail log file apart: `.json` as it is or `.json.gz`, told by its first bytes. Unpacks at most
 * `mostBytes`. The bytes of each record are kept as they are, and laid out as journal entries want them.
 */
export function parseLogFile(
  file: Uint8Array<ArrayBuffer>,
  mostBytes: number,
): ParsedLogFile | BrokenLogFile {
  const inflated = inflate(file, mostBytes);
  if (inflated.kind === 'broken') return inflated;
  const { bytes } = inflated;
  const scan = scanLogFile(bytes);
  if (scan.problem) {
    const { reason, offset } = scan.problem;
    return broken(reason === 'not valid JSON' ? `${reason} (at byte ${offset})` : reason);
  }
  const good = scan.records.filter((record) => record.scan.kind === 'record');
  const sizeBytes = good.reduce((sum, { start, end }) => sum + entryRoomBytes + end - start, 0);
  const laidOut = Buffer.allocUnsafeSlow(sizeBytes);
  const spans = new Uint32Array(good.length * 2);
  const packer = openScanPacker();
  const accounts = new Set<string>();
  const regions = new Set<string>();
  const bad: BadRecord[] = [];
  let count = 0;
  let at = 0;
  let from = Infinity;
  let to = -Infinity;
  scan.records.forEach(({ start, end, scan: result }, index) => {
    if (result.kind === 'problem') {
      if (bad.length < namedBadRecords) bad.push({ record: index, reason: result.problem });
      return;
    }
    const { record } = result;
    accounts.add(record.accountId);
    regions.add(record.region);
    from = Math.min(from, record.eventTime);
    to = Math.max(to, record.eventTime);
    packer.add(record);
    const payloadAt = at + entryRoomBytes;
    at = payloadAt + end - start;
    laidOut.set(bytes.subarray(start, end), payloadAt);
    hashInPlace(laidOut, payloadAt, at);
    spans[count * 2] = payloadAt;
    spans[count * 2 + 1] = at;
    count++;
  });
  return {
    kind: 'parsed',
    sha256: hash('sha256', file, 'hex'),
    bytes: new Uint8Array(laidOut.buffer),
    spans,
    scans: packer.pack(),
    badCount: scan.records.length - good.length,
    bad,
    accounts: [...accounts].toSorted(),
    regions: [...regions].toSorted(),
    ...(good.length > 0 && { from, to }),
  };
}
