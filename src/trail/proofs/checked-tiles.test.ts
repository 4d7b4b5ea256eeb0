import { hash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedTiles } from './checked-tiles.ts';
import { leafHash, rootOver } from './merkle-tree.ts';
import { NoteError } from './signed-note.ts';
import { tilePath } from './tile-path.ts';
import { openTileProofs, type ReadTile } from './tile-proofs.ts';

const size = 256 * 256 + 256 + 17;
const leaves = Buffer.concat(
  Array.from({ length: size }, (_, at) => leafHash(hash('sha256', `entry ${at}`, 'buffer'))),
);
const levels = [leaves];
for (let below = leaves; below.length >= 256 * 32; below = levels.at(-1) ?? leaves) {
  const count = Math.floor(below.length / (256 * 32));
  levels.push(
    Buffer.concat(
      Array.from({ length: count }, (_, at) => rootOver(below.subarray(at * 8192, (at + 1) * 8192), 256)),
    ),
  );
}
const root = rootOver(leaves, size);
const kept: ReadTile = (level, index, width) => {
  const bytes = levels[level]?.subarray(index * 8192, index * 8192 + width * 32) ?? Buffer.alloc(0);
  return Promise.resolve(bytes);
};

const proofsOver = (read: ReadTile) => openTileProofs(checkedTiles(read, { size, root }), size);

describe('tiles that somebody else keeps', () => {
  it('are believed when they give the root', async () => {
    const proofs = openTileProofs(checkedTiles(kept, { size, root }), size);
    expect((await proofs.consistency(300)).length).toBeGreaterThan(8);
    expect((await proofs.inclusion(size - 1)).length).toBeGreaterThan(1);
  });

  it('any flipped bit of a tile that is read is found, and the tile is named', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: size - 1 }),
        fc.nat(),
        fc.nat(),
        async (index, pick, bit) => {
          const paths: string[] = [];
          const watched: ReadTile = (level, at, width) => {
            paths.push(tilePath({ level, index: at, width }));
            return kept(level, at, width);
          };
          await proofsOver(watched).inclusion(index);
          const path = paths[pick % paths.length] ?? '';
          const changed: ReadTile = async (level, at, width) => {
            const tile = Buffer.from(await kept(level, at, width));
            const place = bit % (tile.length * 8);
            if (tilePath({ level, index: at, width }) === path) {
              tile[Math.floor(place / 8)] = (tile[Math.floor(place / 8)] ?? 0) ^ (1 << (place % 8));
            }
            return tile;
          };
          const failure = await proofsOver(changed)
            .inclusion(index)
            .catch((error: unknown) => error as Error);
          expect(failure, path).toBeInstanceOf(NoteError);
          const words = path.includes('.p/') ? /right edge|was changed/ : /was changed/;
          expect((failure as Error).message).toMatch(words);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('those of another log give another root', async () => {
    const other = checkedTiles(kept, { size, root: Buffer.alloc(32, 1) });
    await expect(openTileProofs(other, size).inclusion(3)).rejects.toThrow(/right edge/);
  });
});
