import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { hashBytes, hashLeaves, rootOver } from './merkle-tree.ts';
import type { ReadTile } from './tile-proofs.ts';
import { hashesAt, tileWidth } from './tile-path.ts';

/** The file of the entries, and those of the levels above the leaves. FORMAT.md describes them. */
export const entriesFile = 'entries';
export const levelFile = (level: number) => `level-${level}`;

/** What is looked at between two turns of the event loop when an entry is searched. */
const sliceBytes = 1024 * 1024;

/** The files of the tree are not whole; they are made anew from the archive of hashes. */
export class TreeDamage extends Error {
  override name = 'TreeDamage';
}

/** Reads the tree's files. */
export interface TreeFiles extends AsyncDisposable {
  /**
   * The hashes of a tile; those of level 0 are made of the entries. Throws TreeDamage where the files are too short, and
   * when a full tile is not what the level above says.
   */
  readonly readTile: ReadTile;
  /** The entries under a tile of level 0, in the form of a bundle: each with its length before it. */
  readBundle(index: number, width: number): Promise<Uint8Array>;
  /**
   * The index of an entry among the first `size`, the newest if it is there more than once; undefined when it is not.
   * Goes through the file from its end in slices.
   */
  find(entry: Uint8Array, size: number): Promise<number | undefined>;
}

/** Where a whole entry begins in a slice; matches across two entries are none. */
function lastIn(slice: Buffer, entry: Uint8Array): number | undefined {
  let at = slice.lastIndexOf(entry);
  while (at > 0 && at % hashBytes !== 0) at = slice.lastIndexOf(entry, at - 1);
  return at < 0 || at % hashBytes !== 0 ? undefined : at / hashBytes;
}

export function openTreeFiles(directory: string): TreeFiles {
  const handles = new Map<string, Promise<FileHandle>>();

  async function read(name: string, first: number, count: number): Promise<Buffer> {
    const opened = handles.get(name) ?? open(join(directory, name), 'r');
    handles.set(name, opened);
    const handle = await opened.catch((error: unknown) => {
      handles.delete(name);
      throw new TreeDamage(`${name}: ${(error as Error).message}`, { cause: error });
    });
    const bytes = Buffer.allocUnsafe(count * hashBytes);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, first * hashBytes + done);
      if (bytesRead === 0) throw new TreeDamage(`${name} ends before entry ${first + count}`);
      done += bytesRead;
    }
    return bytes;
  }

  /** Makes sure that a full tile is the one whose hash stands in the level above. */
  async function check(level: number, index: number, tile: Buffer): Promise<void> {
    if (tile.length < tileWidth * hashBytes) return;
    const above = await read(levelFile(level + 1), index, 1);
    if (rootOver(tile, tileWidth).equals(above)) return;
    throw new TreeDamage(`tile ${index} of level ${level} does not give the hash that stands above it`);
  }

  async function readTile(level: number, index: number, width: number): Promise<Buffer> {
    const stored = await read(level === 0 ? entriesFile : levelFile(level), index * tileWidth, width);
    const tile = level === 0 ? leavesOf(stored) : stored;
    await check(level, index, tile);
    return tile;
  }

  return {
    readTile,
    async readBundle(index, width) {
      const entries = await read(entriesFile, index * tileWidth, width);
      await check(0, index, leavesOf(entries));
      const bundle = Buffer.alloc(width * (2 + hashBytes));
      for (let entry = 0; entry < width; entry += 1) {
        const at = entry * (2 + hashBytes);
        bundle.writeUInt16BE(hashBytes, at);
        entries.copy(bundle, at + 2, entry * hashBytes, (entry + 1) * hashBytes);
      }
      return bundle;
    },
    async find(entry, size) {
      const step = sliceBytes / hashBytes;
      for (let end = size; end > 0; end -= step) {
        const first = Math.max(0, end - step);
        const found = lastIn(await read(entriesFile, first, end - first), entry);
        if (found !== undefined) return first + found;
      }
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const one of await Promise.allSettled(handles.values())) {
        if (one.status === 'fulfilled') await one.value.close();
      }
    },
  };
}

function leavesOf(entries: Buffer): Buffer {
  const leaves = Buffer.allocUnsafe(entries.length);
  hashLeaves(entries, entries.length / hashBytes, leaves);
  return leaves;
}

/** Hashes of each level that a tree of `size` leaves has, from level 0 up to the topmost that has any. */
export function levelCounts(size: number): readonly number[] {
  const counts: number[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level += 1) counts.push(hashesAt(level, size));
  return counts;
}
