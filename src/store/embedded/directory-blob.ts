import { join } from 'node:path';
import { DiskFullError, saysNoRoom, type Clock, type Logger } from '../../kernel/index.ts';
import { checkBlobKey } from '../blob-key.ts';
import type { Blob, BlobInfo, ByteRange } from '../blob-port.ts';
import { blobPath, orderNames, type BlobName } from './blob-path.ts';
import { type FileSystem, type OpenFile } from './file-system.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { openSmallReads } from './small-reads.ts';

const chunkBytes = 256 * 1024;
/** Up to so much is read in one go. */
const smallBytes = 128 * 1024;

/** Writes a stream into a file, in large writes, and makes it durable; returns its size. */
async function writeStream(file: OpenFile, body: AsyncIterable<Uint8Array>): Promise<number> {
  let at = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async () => {
    if (waitingBytes === 0) return;
    await file.write(waiting, at);
    at += waitingBytes;
    waiting = [];
    waitingBytes = 0;
  };
  for await (const part of body) {
    if (part.length === 0) continue;
    // A source may use its buffer again once the next part is asked for.
    waiting.push(Uint8Array.from(part));
    waitingBytes += part.length;
    if (waitingBytes >= chunkBytes) await flush();
  }
  await flush();
  await file.datasync();
  return at;
}

async function* readStream(files: FileSystem, path: string, range: ByteRange | undefined) {
  await using file = await files.open(path, 'read');
  const end = Math.min(await file.size(), range ? range.last + 1 : Infinity);
  for (let at = Math.max(0, range?.first ?? 0); at < end; at += chunkBytes) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - at));
    if ((await file.read(chunk, at)) < chunk.length)
      throw new Error(`${path} became shorter while it was read`);
    yield chunk;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** Whether keys that begin with `path` may begin with `prefix`, or lie in it already. */
function mayHold(path: Buffer, prefix: Buffer): boolean {
  const shared = Math.min(path.length, prefix.length);
  return path.subarray(0, shared).equals(prefix.subarray(0, shared));
}

/**
 * Opens a blob store kept as a directory tree. A blob is written under a temporary name and then moved to its own, so
 * that it is there as a whole or not at all; what a crash left unfinished is removed here.
 */
export async function openDirectoryBlob(options: {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly files?: FileSystem;
}): Promise<Blob> {
  const { directory, clock, log, files = nodeFileSystem } = options;
  const readSmall = openSmallReads(files, clock);
  const kept = join(directory, 'kept');
  const unfinished = join(directory, 'unfinished');
  await files.makeDirectory(kept);
  await files.makeDirectory(unfinished);
  const leftovers = await files.names(unfinished);
  for (const name of leftovers) await files.remove(join(unfinished, name));
  if (leftovers.length > 0)
    log.warn({ directory, files: leftovers.length }, 'removed blobs that a crash left unfinished');
  let nextUnfinished = 0;

  const pathOf = (key: string): string => {
    checkBlobKey(key);
    const place = blobPath(key);
    return join(kept, place.directory, place.file);
  };

  async function put(key: string, body: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    checkBlobKey(key);
    const place = blobPath(key);
    const target = join(kept, place.directory);
    const temporary = join(unfinished, String(nextUnfinished++));
    try {
      let sizeBytes: number;
      {
        await using file = await files.open(temporary, 'create');
        sizeBytes = await writeStream(file, body);
      }
      await files.makeDirectory(target);
      await files.rename(temporary, join(target, place.file));
      await files.syncDirectory(target);
      return { key, sizeBytes };
    } catch (error) {
      await files.remove(temporary);
      if (!saysNoRoom(error)) throw error;
      throw new DiskFullError(`no room on the disk of ${directory}; the blob was not kept`, { cause: error });
    }
  }

  async function info(key: string): Promise<BlobInfo | undefined> {
    const sizeBytes = await files.sizeOf(pathOf(key));
    return sizeBytes === undefined ? undefined : { key, sizeBytes };
  }

  async function* walk(
    path: string,
    above: Buffer,
    bounds: { prefix: Buffer; after: Buffer },
  ): AsyncGenerator<BlobInfo> {
    const inside = ({ piece }: BlobName) => mayHold(Buffer.concat([above, piece]), bounds.prefix);
    for (const entry of orderNames(await files.names(path)).filter(inside)) {
      const bytes = Buffer.concat([above, entry.piece]);
      if (entry.directory) {
        // Everything in it begins with `bytes`, so it can be behind `after` only if `bytes` is not before its beginning.
        const last = bounds.after.subarray(0, bytes.length);
        if (Buffer.compare(bytes, last) >= 0) yield* walk(join(path, entry.name), bytes, bounds);
        continue;
      }
      if (bytes.length < bounds.prefix.length || Buffer.compare(bytes, bounds.after) <= 0) continue;
      const sizeBytes = await files.sizeOf(join(path, entry.name));
      if (sizeBytes !== undefined) yield { key: bytes.toString(), sizeBytes };
    }
  }

  async function* list(
    prefix: string,
    listOptions: { readonly after?: string; readonly limit?: number } = {},
  ) {
    let left = listOptions.limit ?? Infinity;
    if (left <= 0) return;
    const bounds = { prefix: Buffer.from(prefix), after: Buffer.from(listOptions.after ?? '') };
    for await (const found of walk(kept, Buffer.alloc(0), bounds)) {
      yield found;
      left -= 1;
      if (left <= 0) return;
    }
  }

  return {
    put,
    async get(key, range) {
      const path = pathOf(key);
      if (range && range.last - range.first < smallBytes) {
        const bytes = await readSmall(path, range);
        return bytes && once(bytes);
      }
      return (await files.sizeOf(path)) === undefined ? undefined : readStream(files, path, range);
    },
    info,
    list,
    async delete(key) {
      const place = blobPath(key);
      const path = pathOf(key);
      if ((await files.sizeOf(path)) === undefined) return;
      await files.remove(path);
      await files.syncDirectory(join(kept, place.directory));
    },
    async [Symbol.asyncDispose]() {},
  };
}
