import { open, readdir, stat } from 'node:fs/promises';
import type { FileSystem, OpenFile } from '../../store/embedded/index.ts';

/** A file that is read; what is written to it goes nowhere, and a shorter length is only remembered. */
async function openToRead(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r');
  let end = Infinity;
  return {
    async read(into, position) {
      let filled = 0;
      while (filled < into.length && position + filled < end) {
        const length = Math.min(into.length - filled, end - position - filled);
        const { bytesRead } = await handle.read(into, filled, length, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    write: () => Promise.resolve(),
    datasync: () => Promise.resolve(),
    async truncate(sizeBytes) {
      end = sizeBytes;
    },
    size: async () => Math.min(end, (await handle.stat()).size),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

const nothing: OpenFile = {
  read: () => Promise.resolve(0),
  write: () => Promise.resolve(),
  datasync: () => Promise.resolve(),
  truncate: () => Promise.resolve(),
  size: () => Promise.resolve(0),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * The machine's file system, seen but not touched: whoever looks into a data directory through it, repairs included,
 * changes nothing.
 */
export const readOnlyFiles: FileSystem = {
  open: (path, how) => (how === 'create' ? Promise.resolve(nothing) : openToRead(path)),
  names: (directory) => readdir(directory).catch(() => []),
  sizeOf: (path) =>
    stat(path).then(
      ({ size }) => size,
      () => undefined,
    ),
  makeDirectory: () => Promise.resolve(),
  rename: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  syncDirectory: () => Promise.resolve(),
};
