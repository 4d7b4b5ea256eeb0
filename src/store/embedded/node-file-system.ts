import { closeSync, fstat, open as openFile, openSync, read as readFile, readSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, type FileSystem, type OpenFile } from './file-system.ts';

const flags = { read: 'r', change: 'r+', create: 'wx+' } as const;

async function readAll(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** What is left of `parts` behind the first `count` bytes. The system may take fewer bytes than it was given. */
function behind(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  const index = parts.findIndex((part) => {
    if (skip < part.length) return true;
    skip -= part.length;
    return false;
  });
  const [first, ...rest] = index < 0 ? [] : parts.slice(index);
  return first ? [first.subarray(skip), ...rest] : [];
}

async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let left = parts;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

function wrap(handle: FileHandle): OpenFile {
  return {
    read: (into, position) => readAll(handle, into, position),
    write: (parts, position) => writeAll(handle, parts, position),
    datasync: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    size: async () => (await handle.stat()).size,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

const openDescriptor = promisify(openFile);
const readDescriptor = promisify(readFile);
const statDescriptor = promisify(fstat);
const notForWriting = () => Promise.reject(new Error('this file was opened to be read'));

/** Through a bare descriptor: for a small file, opening and closing a handle is most of the work of reading it. */
async function openToRead(path: string): Promise<OpenFile> {
  const descriptor = await openDescriptor(path, flags.read);
  return {
    async read(into, position) {
      let filled = 0;
      while (filled < into.length) {
        const length = into.length - filled;
        const { bytesRead } = await readDescriptor(descriptor, into, filled, length, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    write: notForWriting,
    datasync: notForWriting,
    truncate: notForWriting,
    size: async () => (await statDescriptor(descriptor)).size,
    // Closing what was only read waits for no disk.
    [Symbol.asyncDispose]: async () => closeSync(descriptor),
  };
}

function readNow(path: string, into: Uint8Array, position: number): number {
  const descriptor = openSync(path, flags.read);
  try {
    let filled = 0;
    while (filled < into.length) {
      const bytesRead = readSync(descriptor, into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  } finally {
    closeSync(descriptor);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

/** Makes missing directories from the top down, syncing each parent, so that a file in them cannot vanish with them. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
    await syncDirectory(dirname(path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
}

async function orWhenMissing<T, U>(work: Promise<T>, missing: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing;
    throw error;
  }
}

/** The machine's own file system. */
export const nodeFileSystem: FileSystem = {
  open: async (path, how) => (how === 'read' ? openToRead(path) : wrap(await open(path, flags[how], 0o600))),
  readNow,
  names: (directory) => orWhenMissing(readdir(directory), []),
  sizeOf: async (path) => (await orWhenMissing(stat(path), undefined))?.size,
  makeDirectory,
  rename,
  remove: (path) => rm(path, { force: true }),
  syncDirectory,
};
