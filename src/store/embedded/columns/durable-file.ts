import { closeSync, fsyncSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

const chunkBytes = 1024 * 1024;

export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Size and CRC-32 of a file. */
export function measureFile(path: string): { readonly bytes: number; readonly crc: number } {
  const handle = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let [bytes, crc] = [0, 0];
    for (let read = readSync(handle, chunk); read > 0; read = readSync(handle, chunk)) {
      crc = crc32(chunk.subarray(0, read), crc);
      bytes += read;
    }
    return { bytes, crc };
  } finally {
    closeSync(handle);
  }
}

/** Makes a file and its name durable; its size and CRC-32. */
export function syncFile(path: string): ReturnType<typeof measureFile> {
  syncPath(path);
  syncPath(dirname(path));
  return measureFile(path);
}
