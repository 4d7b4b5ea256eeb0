import { join } from 'node:path';
import { readHead, type SignedHead } from './head-file.ts';
import { isSameHash } from './merkle-tree.ts';
import { NoteError, parseVerifierKey } from './signed-note.ts';
import { openTileProofs } from './tile-proofs.ts';
import { hashesAt, tileWidth } from './tile-path.ts';
import { entriesFile, levelCounts, levelFile, openTreeFiles, TreeDamage } from './tree-files.ts';

export interface TreeFindings {
  /** Records under the newest signed checkpoint; undefined where there is none. */
  readonly size: number | undefined;
  /** One sentence, which begins with the file. */
  readonly damage?: string;
}

/** A tree that is damaged, with the file that is. */
class FileDamage extends Error {}

async function checkFullTiles(directory: string, size: number): Promise<void> {
  await using files = openTreeFiles(directory);
  const levels = levelCounts(size).length;
  for (let level = 0; level < levels; level += 1) {
    const file = join(directory, level === 0 ? entriesFile : levelFile(level));
    for (let index = 0; index < hashesAt(level + 1, size); index += 1) {
      await files.readTile(level, index, tileWidth).catch((error: unknown) => {
        if (!(error instanceof TreeDamage)) throw error;
        throw new FileDamage(`${file}, or ${levelFile(level + 1)} beside it: ${error.message}`);
      });
    }
  }
}

async function checkRoot(directory: string, { size, root }: SignedHead): Promise<void> {
  if (size === 0) return;
  await using files = openTreeFiles(directory);
  const found = await openTileProofs(files.readTile, size)
    .root(size)
    .catch((error: unknown) => {
      if (error instanceof TreeDamage) throw new FileDamage(`${directory}: ${error.message}`);
      throw error;
    });
  if (isSameHash(found, root)) return;
  throw new FileDamage(
    `${join(directory, entriesFile)} and the levels beside it do not give the root that was signed`,
  );
}

/**
 * Reads the tree of a log that nobody has open, and changes nothing: the signature over the newest checkpoint, by the key of
 * control state, and every hash under its root.
 */
export async function verifyTree(directory: string, verifierKey: string): Promise<TreeFindings> {
  const file = join(directory, 'head.json');
  let size: number | undefined;
  try {
    const head = await readHead(file, parseVerifierKey(verifierKey));
    if (!head) return { size };
    size = head.size;
    await checkFullTiles(directory, head.size);
    await checkRoot(directory, head);
    return { size };
  } catch (error) {
    if (error instanceof NoteError) return { size, damage: `${file}: ${error.message}` };
    if (error instanceof FileDamage) return { size, damage: error.message };
    throw error;
  }
}
