import { hashBytes, isSameHash, rootOver, type TreeHead } from './merkle-tree.ts';
import { NoteError } from './signed-note.ts';
import { openTileProofs, type ReadTile } from './tile-proofs.ts';
import { hashesAt, tilePath, tileWidth } from './tile-path.ts';

/**
 * Reads tiles that somebody else keeps, and believes none of them: a full tile must give the hash that the tile above it
 * has, and the tiles of the right edge, which are not full, must give the root of `head` together. Throws NoteError, which
 * names the tile. Each tile is read once.
 */
export function checkedTiles(readTile: ReadTile, head: TreeHead): ReadTile {
  const { size, root } = head;
  const tiles = new Map<string, Promise<Uint8Array>>();
  let edges: Promise<void> | undefined;

  function read(level: number, index: number, width: number): Promise<Uint8Array> {
    const path = tilePath({ level, index, width });
    const known = tiles.get(path) ?? readTile(level, index, width);
    tiles.set(path, known);
    return known;
  }

  async function checkEdges(): Promise<void> {
    if (isSameHash(await openTileProofs(read, size).root(size), root)) return;
    throw new NoteError(
      `the tiles at the right edge do not give the root of the checkpoint of ${size} entries: they were changed, or are those of another log`,
    );
  }

  return async function checked(level, index, width): Promise<Uint8Array> {
    const tile = await read(level, index, width);
    if (width < tileWidth) {
      await (edges ??= checkEdges());
      return tile;
    }
    const above = Math.floor(index / tileWidth);
    const aboveWidth = Math.min(tileWidth, hashesAt(level + 1, size) - above * tileWidth);
    const parent = await checked(level + 1, above, aboveWidth);
    const at = (index % tileWidth) * hashBytes;
    if (!isSameHash(rootOver(tile, tileWidth), parent.subarray(at, at + hashBytes))) {
      throw new NoteError(
        `${tilePath({ level, index, width })} was changed: it does not give the hash that the tile above it has`,
      );
    }
    return tile;
  };
}
