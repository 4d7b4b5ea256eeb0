import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { SpentBytes } from './spent-bytes.ts';

/**
 * The bytes of a blob: the plain text in chunks of 64 KiB, each sealed by AES-256-GCM under a key of the blob's own, with
 * the chunk's number and whether it is the last in the nonce. So any range can be read by its chunks alone, and chunks can
 * neither be changed, swapped, repeated, moved to another blob nor cut off. FORMAT.md has the layout.
 */

export const chunkBytes = 64 * 1024;
export const tagBytes = 16;

/** The stored bytes did not authenticate: damaged on disk, or not what was put. */
export class ContentDamagedError extends Error {
  override name = 'ContentDamagedError';
}

/** Keys are key objects, which Node's functions take many times faster than bytes. */
function blobKey(dataKey: Uint8Array, blob: string): KeyObject {
  const derived = hkdfSync('sha256', createSecretKey(dataKey), '', `cairn/s3/content/v1/${blob}`, 32);
  return createSecretKey(new Uint8Array(derived));
}

function nonceOf(chunk: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce[3] = last ? 1 : 0;
  nonce.writeBigUInt64BE(BigInt(chunk), 4);
  return nonce;
}

/** The sealed chunk and its tag, apart: joining them would copy every byte once more. */
function seal(key: KeyObject, chunk: number, last: boolean, plain: Uint8Array): readonly [Buffer, Buffer] {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(chunk, last));
  const sealed = cipher.update(plain);
  cipher.final();
  return [sealed, cipher.getAuthTag()];
}

function open(key: KeyObject, chunk: number, last: boolean, sealed: Buffer): Buffer {
  if (sealed.length < tagBytes) throw new ContentDamagedError('a stored chunk is cut off');
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(chunk, last), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const plain = decipher.update(sealed.subarray(0, -tagBytes));
  try {
    decipher.final();
  } catch (error) {
    throw new ContentDamagedError(`chunk ${chunk} of the stored bytes is damaged`, { cause: error });
  }
  return plain;
}

/**
 * Cuts a stream into full chunks and a last one, which is empty only if it is the only one. Each is to be used before the
 * next is asked for: the buffer is the same.
 */
async function* inChunks(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ plain: Buffer; last: boolean }> {
  let filled = 0;
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      if (filled === chunkBytes) {
        yield { plain: buffer, last: false };
        filled = 0;
      }
      const taken = Math.min(chunkBytes - filled, piece.length - at);
      buffer.set(piece.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
    }
  }
  yield { plain: buffer.subarray(0, filled), last: true };
}

/**
 * Seals a stream for the blob of this name. `spent` is told of the bytes that were taken in, sealed and, behind this, copied
 * by the store: three buffers for each byte.
 */
export async function* sealStream(
  dataKey: Uint8Array,
  blob: string,
  source: AsyncIterable<Uint8Array>,
  spent: SpentBytes = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const key = blobKey(dataKey, blob);
  let chunk = 0;
  for await (const { plain, last } of inChunks(source)) {
    yield* seal(key, chunk++, last, plain);
    spent(3 * plain.length);
  }
}

/** Where a range of the plain text, both ends inclusive, lies in a blob. */
interface SealedRange {
  readonly firstChunk: number;
  readonly lastChunk: number;
  /** Bytes of the blob, both ends inclusive. */
  readonly first: number;
  readonly last: number;
}

function sealedRange(first: number, last: number, sizeBytes: number): SealedRange {
  const firstChunk = Math.floor(first / chunkBytes);
  const lastChunk = Math.floor(last / chunkBytes);
  const stored = chunkBytes + tagBytes;
  const storedBytes = sizeBytes + Math.ceil(sizeBytes / chunkBytes) * tagBytes;
  // One byte more than the blob should have, so that bytes behind its end are found.
  const end = Math.min((lastChunk + 1) * stored - 1, storedBytes);
  return { firstChunk, lastChunk, first: firstChunk * stored, last: end };
}

/**
 * Reads a range (both ends inclusive, within the plain text) of a blob. `sizeBytes` is that of the whole plain text, from
 * control state: so a blob that was cut off is found too. `get` reads a range of the blob. Throws ContentDamagedError
 * from the iteration, before any byte of a damaged chunk is handed on.
 */
export async function* openSealed(options: {
  readonly dataKey: Uint8Array;
  readonly blob: string;
  readonly sizeBytes: number;
  readonly first: number;
  readonly last: number;
  /** Told of the bytes that were read and opened: two buffers for each byte. */
  readonly spent?: SpentBytes;
  get(range: {
    readonly first: number;
    readonly last: number;
  }): Promise<AsyncIterable<Uint8Array> | undefined>;
}): AsyncGenerator<Uint8Array, void, undefined> {
  const { dataKey, blob, sizeBytes, first, last } = options;
  if (last < first) return;
  const range = sealedRange(first, last, sizeBytes);
  const key = blobKey(dataKey, blob);
  const final = Math.floor(Math.max(0, sizeBytes - 1) / chunkBytes);
  const stored = await options.get(range);
  if (!stored) throw new ContentDamagedError(`the stored bytes of ${blob} are gone`);
  let chunk = range.firstChunk;
  for await (const sealed of inPieces(stored, chunkBytes + tagBytes)) {
    const plain = open(key, chunk, chunk === final, sealed);
    const start = chunk * chunkBytes;
    yield plain.subarray(Math.max(0, first - start), Math.min(plain.length, last + 1 - start));
    options.spent?.(2 * plain.length);
    chunk += 1;
  }
  if (chunk <= range.lastChunk) throw new ContentDamagedError(`the stored bytes of ${blob} are cut off`);
}

/** Cuts a stream into pieces of `size` bytes; the last may be shorter. Copies only what lies across two of the source's. */
async function* inPieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  const across = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const given of source) {
    const piece = Buffer.from(given.buffer, given.byteOffset, given.length);
    let at = 0;
    if (filled > 0) {
      at = piece.copy(across, filled, 0, size - filled);
      filled += at;
      if (filled < size) continue;
      yield across;
      filled = 0;
    }
    for (; piece.length - at >= size; at += size) yield piece.subarray(at, at + size);
    filled = piece.copy(across, 0, at);
  }
  if (filled > 0) yield across.subarray(0, filled);
}
