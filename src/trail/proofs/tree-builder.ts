import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { emptyRoot, hashBytes, hashLeaves, rootOver } from './merkle-tree.ts';
import { entriesFile, levelCounts, levelFile, TreeDamage } from './tree-files.ts';
import { tileWidth } from './tile-path.ts';

/** Makes the tree grow. Works synchronously: it lives in a thread of its own. */
export interface TreeBuilder extends Disposable {
  readonly size: number;
  /** Writes entries (32 bytes each) and the hashes of the tiles that they fill. Not durable before `sync`. */
  append(entries: Buffer): void;
  sync(): void;
  root(): Buffer;
}

/** A level's file, and the hashes of its tile at the right edge, which is not full. */
interface Level {
  readonly file: number;
  readonly edge: Buffer;
  count: number;
  dirty: boolean;
}

const tileBytes = tileWidth * hashBytes;

function writeAt(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

function readAt(file: number, count: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  for (let done = 0; done < count;) {
    const read = readSync(file, bytes, done, count - done, position + done);
    if (read === 0) throw new TreeDamage(`a file of the tree ends at ${position + done}`);
    done += read;
  }
  return bytes;
}

/**
 * Opens the tree's files at `size` leaves and cuts off what lies beyond: leaves that no checkpoint was signed over, which
 * the journal brings again. Throws TreeDamage when a file is shorter than that.
 */
export function openTreeBuilder(directory: string, size: number): TreeBuilder {
  const levels: Level[] = [];
  let leaves = size;
  let hasNewFile = false;

  function openOrMake(path: string): number {
    try {
      return openSync(path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      hasNewFile = true;
      return openSync(path, 'wx+', 0o600);
    }
  }

  function openLevel(level: number, hashes: number): Level {
    const name = level === 0 ? entriesFile : levelFile(level);
    const opened = openOrMake(join(directory, name));
    try {
      const found = fstatSync(opened).size;
      if (found < hashes * hashBytes)
        throw new TreeDamage(`${name} has ${found} bytes instead of ${hashes * hashBytes}`);
      if (found > hashes * hashBytes) ftruncateSync(opened, hashes * hashBytes);
      const count = hashes % tileWidth;
      const edge = Buffer.alloc(tileBytes);
      const held = readAt(opened, count * hashBytes, (hashes - count) * hashBytes);
      if (level === 0) hashLeaves(held, count, edge);
      else held.copy(edge);
      return { file: opened, edge, count, dirty: false };
    } catch (error) {
      closeSync(opened);
      throw error;
    }
  }

  const close = () => {
    for (const { file } of levels) closeSync(file);
  };
  try {
    for (const [level, hashes] of [...levelCounts(size), 0].entries()) levels.push(openLevel(level, hashes));
  } catch (error) {
    close();
    throw error;
  }

  /** Adds the hash of a full tile to the level above it. */
  function carry(level: number, hash: Buffer): void {
    const above = (levels[level] ??= openLevel(level, 0));
    const place = Math.floor((leaves - 1) / tileWidth ** level);
    writeAt(above.file, hash, place * hashBytes);
    above.dirty = true;
    hash.copy(above.edge, above.count * hashBytes);
    above.count += 1;
    if (above.count < tileWidth) return;
    above.count = 0;
    carry(level + 1, rootOver(above.edge, tileWidth));
  }

  return {
    get size() {
      return leaves;
    },
    append(entries) {
      const [bottom] = levels;
      if (!bottom) throw new Error('assertion failed: a tree has a level of leaves');
      writeAt(bottom.file, entries, leaves * hashBytes);
      bottom.dirty = true;
      for (let at = 0; at < entries.length;) {
        const count = Math.min(tileWidth - bottom.count, (entries.length - at) / hashBytes);
        hashLeaves(entries.subarray(at), count, bottom.edge.subarray(bottom.count * hashBytes));
        bottom.count += count;
        leaves += count;
        at += count * hashBytes;
        if (bottom.count < tileWidth) continue;
        bottom.count = 0;
        carry(1, rootOver(bottom.edge, tileWidth));
      }
    },
    sync() {
      for (const level of levels.filter(({ dirty }) => dirty)) {
        fdatasyncSync(level.file);
        level.dirty = false;
      }
      if (!hasNewFile) return;
      const names = openSync(directory, 'r');
      try {
        fsyncSync(names);
      } finally {
        closeSync(names);
      }
      hasNewFile = false;
    },
    root() {
      let right: Buffer | undefined;
      for (const { edge, count } of levels) {
        const hashes = Buffer.concat([edge.subarray(0, count * hashBytes), ...(right ? [right] : [])]);
        if (hashes.length > 0) right = rootOver(hashes, hashes.length / hashBytes);
      }
      return right ?? emptyRoot();
    },
    [Symbol.dispose]: close,
  };
}
