import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** A sealed file of one owner's rows. */
export interface SealedFile {
  /** Below the directory, such as `000000000000/17.parquet`. */
  readonly name: string;
  readonly owner: string;
  readonly rows: number;
  readonly bytes: number;
  /** Least and greatest time of its rows, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** What there is: replaced as a whole, so that a row is in a file that counts or comes again. */
export interface Manifest {
  readonly format: 1;
  /** Everything of the journal before it is in the files. */
  readonly durable: number;
  /** The number of the next file. */
  readonly nextFile: number;
  /** Of each owner in the order in which their rows came. */
  readonly files: readonly SealedFile[];
}

const fileName = 'manifest.json';

export const emptyManifest: Manifest = { format: 1, durable: 0, nextFile: 1, files: [] };

export function ownersOf(files: readonly SealedFile[]): readonly string[] {
  return [...new Set(files.map(({ owner }) => owner))].toSorted();
}

/** Reads the manifest; undefined where there is none. Throws for one that this version cannot read. */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, fileName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== 1)
    throw new Error(
      `${join(directory, fileName)} is of format ${String(manifest.format)}, this version reads format 1`,
    );
  return manifest;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts the manifest in place of the old one: after a crash there is the one or the other. */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const file = join(directory, fileName);
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(manifest));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncDirectory(directory);
}
