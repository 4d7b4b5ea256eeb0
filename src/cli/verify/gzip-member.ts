import { createHash, hash } from 'node:crypto';
import { constants, crc32, createInflateRaw, inflateRawSync, type InflateRaw } from 'node:zlib';

/**
 * A gzip file that is exactly one member, with what it holds hashed. `wrapping` is the part of the header that says nothing
 * about the content (flags, time, compression, system), in hexadecimal.
 */
export interface GzipMember {
  readonly kind: 'member';
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly wrapping: string;
  /** The unused bits behind the compressed data are not all zero, as every compressor leaves them. */
  readonly paddingIsSet: boolean;
  /** The content, where it was asked for. */
  readonly content?: Buffer;
}

export interface BrokenGzip {
  readonly kind: 'not-gzip' | 'damaged' | 'trailing-bytes';
  readonly detail: string;
}

/** Up to this size a file is unpacked in one piece, to at most `oneInflatedBytes`; larger ones stream. */
const onePieceBytes = 512 * 1024;
const onePieceInflatedBytes = 16 * 1024 * 1024;
const trailerBytes = 8;
const fixedHeaderBytes = 10;

type Header = { readonly length: number; readonly wrapping: string } | 'incomplete' | BrokenGzip;

/** Reads the member's header (RFC 1952, 2.3). */
function readHeader(bytes: Buffer): Header {
  if (bytes.length >= 2 && bytes.readUInt16BE(0) !== 0x1f8b) {
    return {
      kind: 'not-gzip',
      detail: `it begins with ${bytes.subarray(0, 4).toString('hex')}, not with 1f8b`,
    };
  }
  if (bytes.length < fixedHeaderBytes) return 'incomplete';
  const flags = bytes[3] ?? 0;
  if (bytes[2] !== 8 || (flags & 0xe0) !== 0)
    return { kind: 'not-gzip', detail: 'its header is not that of gzip' };
  let length = fixedHeaderBytes;
  if (flags & 4) {
    if (bytes.length < length + 2) return 'incomplete';
    length += 2 + bytes.readUInt16LE(length);
  }
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, length);
    if (end < 0) return 'incomplete';
    length = end + 1;
  }
  if (flags & 2) length += 2;
  if (bytes.length < length) return 'incomplete';
  return { length, wrapping: bytes.subarray(3, fixedHeaderBytes).toString('hex') };
}

function damaged(detail: string): BrokenGzip {
  return { kind: 'damaged', detail };
}

interface Checked {
  readonly crc: number;
  readonly sizeBytes: number;
  /** What follows the compressed data. */
  readonly rest: Buffer;
  /** How many bytes follow it, of which `rest` may hold only the first. */
  readonly restBytes: number;
}

function trailerProblem({ crc, sizeBytes, rest, restBytes }: Checked): BrokenGzip | undefined {
  if (restBytes < trailerBytes) return damaged('it is cut off');
  if (rest.readUInt32LE(0) !== crc) return damaged('its checksum does not match its content');
  if (rest.readUInt32LE(4) !== sizeBytes % 2 ** 32) return damaged('its length does not match its content');
  if (restBytes === trailerBytes) return undefined;
  return { kind: 'trailing-bytes', detail: `${restBytes - trailerBytes} bytes follow its one gzip member` };
}

/** The byte without its highest bit that is set. */
function withoutHighestBit(byte: number): number {
  return byte === 0 ? 0 : byte & ~(1 << (31 - Math.clz32(byte)));
}

interface Unpacked {
  readonly content: Buffer;
  readonly usedBytes: number;
}

/**
 * Unpacks at once: for the size of log files, handing the work to another thread costs more than the work. `expectedBytes`
 * is what the trailer claims, so that one allocation does.
 */
function unpack(
  bytes: Buffer,
  expectedBytes: number,
  finishFlush = constants.Z_FINISH,
): Unpacked | NodeJS.ErrnoException {
  const chunkSize = Math.min(Math.max(expectedBytes + 64, 1024), onePieceInflatedBytes);
  const maxOutputLength = onePieceInflatedBytes;
  try {
    const result = inflateRawSync(bytes, { info: true, maxOutputLength, chunkSize, finishFlush });
    const { buffer, engine } = result as unknown as { readonly buffer: Buffer; readonly engine: InflateRaw };
    return { content: buffer, usedBytes: engine.bytesWritten };
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/**
 * Whether clearing the last bit that is set changes nothing: then that bit belongs to no symbol. Otherwise the data does
 * not end where it did, and unpacking goes on into the trailer behind it; that it does not come to an end there either is
 * no error then, because making one takes longer than all the rest.
 */
function lastBitIsPadding(packed: Buffer, { content, usedBytes }: Unpacked): boolean {
  const last = usedBytes - 1;
  const byte = packed[last] ?? 0;
  if (byte === 0) return false;
  packed[last] = withoutHighestBit(byte);
  const other = unpack(packed, content.length, constants.Z_SYNC_FLUSH);
  packed[last] = byte;
  return 'content' in other && other.usedBytes === usedBytes && other.content.equals(content);
}

function readOnePiece(bytes: Buffer, keepContent: boolean): GzipMember | BrokenGzip | 'too large' {
  const header = readHeader(bytes);
  if (header === 'incomplete') return { kind: 'not-gzip', detail: `it has ${bytes.length} bytes` };
  if ('kind' in header) return header;
  const packed = bytes.subarray(header.length);
  const claimedBytes = bytes.length < trailerBytes ? 0 : bytes.readUInt32LE(bytes.length - 4);
  const unpacked = unpack(packed, claimedBytes);
  if (!('content' in unpacked)) {
    return unpacked.code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : damaged(unpacked.message);
  }
  const { content, usedBytes } = unpacked;
  const rest = packed.subarray(usedBytes);
  const problem = trailerProblem({
    crc: crc32(content),
    sizeBytes: content.length,
    rest,
    restBytes: rest.length,
  });
  if (problem) return problem;
  return {
    kind: 'member',
    sha256: hash('sha256', content),
    sizeBytes: content.length,
    wrapping: header.wrapping,
    paddingIsSet: lastBitIsPadding(packed, unpacked),
    ...(keepContent && { content }),
  };
}

interface Sink {
  write(chunk: Buffer): Promise<void>;
  end(): Promise<void>;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly error: Error | undefined;
}

/** Unpacks what is written to it, and takes note of what comes out. */
function openSink(onContent?: (chunk: Buffer) => void): Sink {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  let crc = 0;
  let sizeBytes = 0;
  let error: Error | undefined;
  let resume: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    const settle = () => {
      resolve();
      resume?.();
    };
    inflate.on('end', settle);
    inflate.on('error', (reason) => {
      error = reason;
      settle();
    });
  });
  let isEnded = false;
  void ended.then(() => (isEnded = true));
  inflate.on('data', (chunk: Buffer) => {
    crc = crc32(chunk, crc);
    sizeBytes += chunk.length;
    onContent?.(chunk);
  });
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        if (isEnded || error) {
          resolve();
          return;
        }
        resume = resolve;
        inflate.write(chunk, () => resolve());
      }),
    async end() {
      if (!isEnded) inflate.end();
      await ended;
    },
    get crc() {
      return crc;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    get usedBytes() {
      return inflate.bytesWritten;
    },
    get error() {
      return error;
    },
  };
}

/**
 * Reads a member of any size in bounded memory. The last nine bytes are held back until the end is known, so that a second
 * unpacking can end with the last compressed byte as it would be without padding.
 */
async function readStreaming(body: AsyncIterable<Uint8Array>): Promise<GzipMember | BrokenGzip> {
  const hash = createHash('sha256');
  const sink = openSink((chunk) => void hash.update(chunk));
  const probe = openSink();
  let head: Buffer = Buffer.alloc(0);
  let header: Exclude<Header, string> | undefined;
  let held: Buffer = Buffer.alloc(0);
  let packedBytes = 0;
  const take = async (chunk: Buffer) => {
    packedBytes += chunk.length;
    held = Buffer.concat([held, chunk]);
    if (held.length <= trailerBytes + 1) return;
    const ready = held.subarray(0, held.length - trailerBytes - 1);
    held = Buffer.from(held.subarray(-trailerBytes - 1));
    await Promise.all([sink.write(ready), probe.write(ready)]);
  };
  for await (const piece of body) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    if (header) {
      await take(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const read = readHeader(head);
    if (read === 'incomplete' && head.length < onePieceBytes) continue;
    if (read === 'incomplete') return { kind: 'not-gzip', detail: 'its header does not end' };
    if ('kind' in read) return read;
    header = read;
    await take(head.subarray(read.length));
  }
  if (!header || 'kind' in header) return { kind: 'not-gzip', detail: `it has ${head.length} bytes` };
  const lastByte = held[0] ?? 0;
  await Promise.all([sink.write(held), probe.write(Buffer.from([withoutHighestBit(lastByte)]))]);
  await Promise.all([sink.end(), probe.end()]);
  if (sink.error) return damaged(sink.error.message);
  const restBytes = packedBytes - sink.usedBytes;
  const { crc, sizeBytes } = sink;
  const rest = restBytes > held.length ? Buffer.alloc(0) : held.subarray(held.length - restBytes);
  const problem =
    restBytes > held.length
      ? ({
          kind: 'trailing-bytes',
          detail: `${restBytes - trailerBytes} bytes follow its one gzip member`,
        } as const)
      : trailerProblem({ crc, sizeBytes, rest, restBytes });
  if (problem) return problem;
  const paddingIsSet = lastByte !== 0 && !probe.error && probe.sizeBytes === sizeBytes && probe.crc === crc;
  return { kind: 'member', sha256: hash.digest('hex'), sizeBytes, wrapping: header.wrapping, paddingIsSet };
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return parts.length === 1 && parts[0]
    ? Buffer.from(parts[0].buffer, parts[0].byteOffset, parts[0].length)
    : Buffer.concat(parts);
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Reads a log file: unpacks it, checks that it is one whole gzip member and nothing else, and hashes what it holds. */
export async function readGzip(file: {
  readonly body: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
}): Promise<GzipMember | BrokenGzip> {
  if (file.sizeBytes > onePieceBytes) return readStreaming(file.body);
  const bytes = await collect(file.body);
  const read = readOnePiece(bytes, false);
  return read === 'too large' ? readStreaming(once(bytes)) : read;
}

/** As `readGzip` for a digest file, whose content is wanted: it must fit into memory. */
export async function readSmallGzip(body: AsyncIterable<Uint8Array>): Promise<GzipMember | BrokenGzip> {
  const read = readOnePiece(await collect(body), true);
  return read === 'too large' ? damaged('it unpacks to more than a digest can hold') : read;
}
