import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a file and its name durable; its size in bytes. */
export function syncFile(path: string): number {
  syncPath(path);
  syncPath(dirname(path));
  return statSync(path).size;
}
