import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { sha256Bytes, writeSha256 } from '../../kernel/index.ts';
import { openScanPacker, scanLogFile, type PackedScans } from '../history/index.ts';

/** A record of a file that cannot be taken. */
export interface BadRecord {
  /** Its place among the file's records, from 0. */
  readonly record: number;
  readonly reason: string;
}

/** A log file taken apart. */
export interface ParsedLogFile {
  readonly kind: 'parsed';
  /** Hexadecimal, of the file as it was sent. */
  readonly sha256: string;
  /** The file, unpacked. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the good records stand in `bytes`: start and end of each, one after the other. */
  readonly spans: Uint32Array<ArrayBuffer>;
  /** SHA-256 of each good record, 32 bytes each. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** What was found in each good record. */
  readonly scans: PackedScans;
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

function inflate(file: Uint8Array<ArrayBuffer>, mostBytes: number): Inflated {
  const isGzip = file[0] === 0x1f && file[1] === 0x8b;
  if (!isGzip) return file.length > mostBytes ? tooLarge(mostBytes) : { kind: 'bytes', bytes: file };
  try {
    const options = { info: true, maxOutputLength: mostBytes, chunkSize: 1024 * 1024 };
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
 * `mostBytes`. The bytes of each record are kept as they are.
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
  const spans = new Uint32Array(scan.records.length * 2);
  const hashes = Buffer.alloc(scan.records.length * sha256Bytes);
  const packer = openScanPacker();
  const accounts = new Set<string>();
  const regions = new Set<string>();
  const bad: BadRecord[] = [];
  let badCount = 0;
  let good = 0;
  let from = Infinity;
  let to = -Infinity;
  scan.records.forEach(({ start, end, scan: result }, index) => {
    if (result.kind === 'problem') {
      badCount++;
      if (bad.length < namedBadRecords) bad.push({ record: index, reason: result.problem });
      return;
    }
    const { record } = result;
    accounts.add(record.accountId);
    regions.add(record.region);
    from = Math.min(from, record.eventTime);
    to = Math.max(to, record.eventTime);
    spans[good * 2] = start;
    spans[good * 2 + 1] = end;
    packer.add(record);
    writeSha256(bytes.subarray(start, end), hashes, good * sha256Bytes);
    good++;
  });
  return {
    kind: 'parsed',
    sha256: hash('sha256', file, 'hex'),
    bytes,
    spans: spans.slice(0, good * 2),
    hashes: new Uint8Array(hashes.buffer.slice(0, good * sha256Bytes)),
    scans: packer.pack(),
    badCount,
    bad,
    accounts: [...accounts].toSorted(),
    regions: [...regions].toSorted(),
    ...(good > 0 && { from, to }),
  };
}
