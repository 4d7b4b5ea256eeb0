import { hashBytes, isPowerOfTwo, nodeHash, rootOver } from './merkle-tree.ts';
import { NoteError } from './signed-note.ts';
import { hashesAt, tileWidth } from './tile-path.ts';

/** Gives a tile's bytes: `width` hashes of 32 bytes. Rejects when there is no such tile. */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** Proofs and roots of one tree, made from its tiles. */
export interface TileProofs {
  /** The inclusion proof of leaf `index`, from its sibling up (RFC 6962, section 2.1.1). */
  inclusion(index: number): Promise<readonly Uint8Array[]>;
  /** The consistency proof from the tree of the first `older` leaves (RFC 6962, section 2.1.2); empty for 0 leaves. */
  consistency(older: number): Promise<readonly Uint8Array[]>;
  /** The root of the tree of the first `size` leaves, at least one. */
  root(size: number): Promise<Uint8Array>;
}

/** Leaves of a full tile of each level: 256, 65536, … */
const tileLevelBits = 8;

/** The largest power of two below `count`, which is at least 2. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Opens the proofs of the tree of `size` leaves. Each tile is read once; of a partial tile what this tree has of it. */
export function openTileProofs(readTile: ReadTile, size: number): TileProofs {
  const tiles = new Map<string, Promise<Uint8Array>>();

  function tile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    const known = tiles.get(key);
    if (known) return known;
    const width = Math.min(tileWidth, hashesAt(level, size) - index * tileWidth);
    const read = readTile(level, index, width).then((bytes) => {
      if (bytes.length === width * hashBytes) return bytes;
      throw new NoteError(`tile ${key} has ${bytes.length} bytes instead of ${width * hashBytes}`);
    });
    tiles.set(key, read);
    return read;
  }

  /** The hash of a full subtree of 2^height leaves that begins at leaf `start`. */
  async function fullSubtree(start: number, height: number): Promise<Uint8Array> {
    const level = Math.floor(height / tileLevelBits);
    const first = start / tileWidth ** level;
    const count = 2 ** (height - level * tileLevelBits);
    const bytes = await tile(level, Math.floor(first / tileWidth));
    const at = (first % tileWidth) * hashBytes;
    return rootOver(bytes.subarray(at, at + count * hashBytes), count);
  }

  /** The root over leaves `start` to `end`, a range that the tree has as a subtree. */
  async function subtree(start: number, end: number): Promise<Uint8Array> {
    const count = end - start;
    if (isPowerOfTwo(count)) return fullSubtree(start, Math.round(Math.log2(count)));
    const split = start + splitOf(count);
    return nodeHash(...(await Promise.all([subtree(start, split), subtree(split, end)])));
  }

  async function path(index: number, start: number, end: number): Promise<readonly Uint8Array[]> {
    if (end - start === 1) return [];
    const split = start + splitOf(end - start);
    return index < split
      ? [...(await path(index, start, split)), await subtree(split, end)]
      : [...(await path(index, split, end)), await subtree(start, split)];
  }

  /** `whole`: the older tree is exactly this subtree, and whoever verifies knows its root already. */
  async function between(
    older: number,
    start: number,
    end: number,
    whole: boolean,
  ): Promise<readonly Uint8Array[]> {
    if (older === end) return whole ? [] : [await subtree(start, end)];
    const split = start + splitOf(end - start);
    return older <= split
      ? [...(await between(older, start, split, whole)), await subtree(split, end)]
      : [...(await between(older, split, end, false)), await subtree(start, split)];
  }

  return {
    inclusion: (index) => path(index, 0, size),
    consistency: (older) => (older === 0 ? Promise.resolve([]) : between(older, 0, size, true)),
    root: (leaves) => subtree(0, leaves),
  };
}
