import { checkBlobKey } from '../blob-key.ts';
import type { Blob, BlobInfo, ByteRange } from '../blob-port.ts';

async function* slice(bytes: Uint8Array, range: ByteRange | undefined) {
  const part = range ? bytes.subarray(Math.max(0, range.first), Math.max(0, range.last + 1)) : bytes;
  if (part.length > 0) yield part;
}

/** Opens an empty blob store in memory. */
export async function openMemoryBlob(): Promise<Blob> {
  const blobs = new Map<string, Buffer>();
  const infoOf = (key: string): BlobInfo | undefined => {
    const bytes = blobs.get(key);
    return bytes && { key, sizeBytes: bytes.length };
  };
  async function* list(prefix: string, options: { readonly after?: string; readonly limit?: number } = {}) {
    const keys = [...blobs.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => ({ key, utf8: Buffer.from(key) }))
      .toSorted((a, b) => Buffer.compare(a.utf8, b.utf8));
    const after = options.after === undefined ? undefined : Buffer.from(options.after);
    let left = options.limit ?? Infinity;
    for (const { key, utf8 } of keys) {
      if (left <= 0) return;
      if (after && Buffer.compare(utf8, after) <= 0) continue;
      const info = infoOf(key);
      if (!info) continue;
      left -= 1;
      yield info;
    }
  }
  return {
    async put(key, body) {
      checkBlobKey(key);
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(Uint8Array.from(part));
      const bytes = Buffer.concat(parts);
      blobs.set(key, bytes);
      return { key, sizeBytes: bytes.length };
    },
    async get(key, range) {
      checkBlobKey(key);
      const bytes = blobs.get(key);
      return bytes && slice(bytes, range);
    },
    async info(key) {
      checkBlobKey(key);
      return infoOf(key);
    },
    list,
    async delete(key) {
      checkBlobKey(key);
      blobs.delete(key);
    },
    async [Symbol.asyncDispose]() {
      blobs.clear();
    },
  };
}
