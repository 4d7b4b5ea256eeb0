import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes the names in a directory durable. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes all of `bytes` at the file's position. */
export function writeFully(handle: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(handle, bytes, done, bytes.length - done);
}

/** Replaces a file as a whole: after a crash it holds the old bytes or the new ones. */
export function writeDurably(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.tmp`;
  const handle = openSync(temporary, 'w');
  try {
    writeFully(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  syncDirectory(dirname(file));
}
