import { dirname } from 'node:path';
import type { Random } from '../../src/kernel/index.ts';
import type { FileSystem, OpenFile } from '../../src/store/embedded/index.ts';

/** What the disk writes as one; small, so that small files tear too. */
const sectorBytes = 32;

/** A file as the program sees it, and as it would be found after the power went. */
interface Inode {
  seen: Buffer;
  durable: Buffer;
  readonly dirty: Set<number>;
}

type Names = Map<string, Inode>;

/**
 * A disk in memory that keeps no more promises than a real one: what was not synced survives a crash in part, in any
 * order, torn between sectors; names survive a crash only as far as their directory was synced, in order.
 */
export interface SimulatedDisk {
  /** The file system as mounted now. After a crash, that of before only fails. */
  readonly files: FileSystem;
  /** Lets the power go after that many further operations. */
  crashAfter(operations: number): void;
  /** The power goes (if it did not yet), and comes back: only what survived is there. */
  restart(): void;
  /** While full, writes stop somewhere and fail with ENOSPC. */
  full: boolean;
  /** Makes the next sync fail with EIO and drop what it should have written. */
  failNextSync(): void;
  /** Flips one bit of what is durable; returns the byte's offset. */
  flip(path: string, offset: number): void;
  /** Paths and sizes of the files that are there. */
  sizes(): ReadonlyMap<string, number>;
  /** Removes or shortens a file behind the program's back. */
  damage(path: string, sizeBytes: number | undefined): void;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** What of an inode is found after a crash: any of the sectors that were not synced, at the old size or the new. */
function surviving({ seen, durable, dirty }: Inode, random: Random): Buffer {
  const chance = [0, 1, 5, 9, 10][random.below(5)] ?? 0;
  const size = random.below(2) === 0 ? durable.length : seen.length;
  const found = Buffer.alloc(Math.max(size, dirty.size > 0 && random.below(2) === 0 ? seen.length : 0));
  durable.copy(found);
  for (const sector of dirty) {
    if (random.below(10) >= chance) continue;
    const at = sector * sectorBytes;
    if (at < found.length) seen.copy(found, at, at, Math.min(at + sectorBytes, found.length));
  }
  return found;
}

function put(inode: Inode, bytes: Uint8Array, position: number): void {
  if (bytes.length === 0) return;
  if (inode.seen.length < position + bytes.length) {
    inode.seen = Buffer.concat([inode.seen, Buffer.alloc(position + bytes.length - inode.seen.length)]);
  }
  inode.seen.set(bytes, position);
  const last = Math.floor((position + bytes.length - 1) / sectorBytes);
  for (let sector = Math.floor(position / sectorBytes); sector <= last; sector += 1) inode.dirty.add(sector);
}

export function openSimulatedDisk(random: Random): SimulatedDisk {
  let names: Names = new Map();
  let durableNames: Names = new Map();
  let pendingNames: { readonly directory: string; readonly apply: (names: Names) => void }[] = [];
  let mount = 0;
  let left = Infinity;
  let crashed = false;
  let syncFails = false;
  let full = false;

  function change(directory: string, apply: (names: Names) => void): void {
    apply(names);
    pendingNames.push({ directory, apply });
  }

  /** Every operation begins here: it takes its time, and may be the one that the power goes in. */
  async function begin(of: number): Promise<void> {
    for (let ticks = random.below(4); ticks >= 0; ticks -= 1) await Promise.resolve();
    left -= 1;
    if (left < 0) crashed = true;
    if (crashed || of !== mount) throw failure('EPOWER');
  }

  function openInode(inode: Inode, of: number): OpenFile {
    return {
      async read(into, position) {
        await begin(of);
        return inode.seen.copy(into, 0, Math.min(position, inode.seen.length));
      },
      async write(parts, position) {
        const bytes = Buffer.concat(parts);
        try {
          await begin(of);
        } catch (error) {
          // The power went while this was being written.
          if (of === mount) put(inode, bytes.subarray(0, random.below(bytes.length + 1)), position);
          throw error;
        }
        if (!full) return put(inode, bytes, position);
        put(inode, bytes.subarray(0, random.below(bytes.length + 1)), position);
        throw failure('ENOSPC');
      },
      async datasync() {
        await begin(of);
        if (syncFails) {
          syncFails = false;
          inode.durable = surviving(inode, random);
          inode.dirty.clear();
          throw failure('EIO');
        }
        inode.durable = Buffer.from(inode.seen);
        inode.dirty.clear();
      },
      async truncate(sizeBytes) {
        await begin(of);
        const shorter = Buffer.alloc(sizeBytes);
        inode.seen.copy(shorter);
        inode.seen = shorter;
      },
      async size() {
        await begin(of);
        return inode.seen.length;
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  function openFiles(of: number): FileSystem {
    return {
      async open(path, how) {
        await begin(of);
        const there = names.get(path);
        if (how !== 'create') {
          if (!there) throw failure('ENOENT');
          return openInode(there, of);
        }
        if (there) throw failure('EEXIST');
        if (full && random.below(2) === 0) throw failure('ENOSPC');
        const inode: Inode = { seen: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: new Set() };
        change(dirname(path), (to) => to.set(path, inode));
        return openInode(inode, of);
      },
      async names(directory) {
        await begin(of);
        return [...names.keys()].flatMap((path) =>
          dirname(path) === directory ? path.slice(directory.length + 1) : [],
        );
      },
      async sizeOf(path) {
        await begin(of);
        return names.get(path)?.seen.length;
      },
      makeDirectory: () => begin(of),
      async rename(from, to) {
        await begin(of);
        const inode = names.get(from);
        if (!inode) throw failure('ENOENT');
        change(dirname(to), (in_) => {
          in_.delete(from);
          in_.set(to, inode);
        });
      },
      async remove(path) {
        await begin(of);
        change(dirname(path), (from) => from.delete(path));
      },
      async syncDirectory(directory) {
        await begin(of);
        const synced = pendingNames.filter((pending) => pending.directory === directory);
        pendingNames = pendingNames.filter((pending) => pending.directory !== directory);
        for (const { apply } of synced) apply(durableNames);
      },
    };
  }

  function restart(): void {
    const directories = new Set(pendingNames.map(({ directory }) => directory));
    for (const directory of directories) {
      const pending = pendingNames.filter((change) => change.directory === directory);
      for (const { apply } of pending.slice(0, random.below(pending.length + 1))) apply(durableNames);
    }
    for (const inode of new Set(durableNames.values())) {
      inode.durable = surviving(inode, random);
      inode.seen = Buffer.from(inode.durable);
      inode.dirty.clear();
    }
    names = new Map(durableNames);
    durableNames = new Map(durableNames);
    pendingNames = [];
    mount += 1;
    left = Infinity;
    crashed = false;
    syncFails = false;
    full = false;
  }

  const inodeAt = (path: string): Inode => {
    const inode = names.get(path);
    if (!inode) throw failure('ENOENT');
    return inode;
  };
  return {
    get files() {
      return openFiles(mount);
    },
    get full() {
      return full;
    },
    set full(now: boolean) {
      full = now;
    },
    crashAfter(operations: number) {
      left = operations;
    },
    restart,
    failNextSync() {
      syncFails = true;
    },
    flip(path: string, offset: number) {
      const inode = inodeAt(path);
      const bit = 1 << random.below(8);
      for (const bytes of [inode.seen, inode.durable]) bytes[offset] = (bytes[offset] ?? 0) ^ bit;
    },
    sizes: () => new Map([...names].map(([path, inode]) => [path, inode.seen.length])),
    damage(path: string, sizeBytes: number | undefined) {
      const inode = inodeAt(path);
      if (sizeBytes === undefined) {
        names.delete(path);
        durableNames.delete(path);
      } else {
        inode.seen = Buffer.from(inode.seen.subarray(0, sizeBytes));
        inode.durable = Buffer.from(inode.seen);
      }
    },
  };
}
