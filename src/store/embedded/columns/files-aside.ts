import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Moves the folders of all owners into a new folder below `quarantine/`, because nothing says any more which of their files
 * count. Returns that folder; undefined where there is nothing to move.
 */
export async function setFilesAside(directory: string): Promise<string | undefined> {
  const owners = (await readdir(directory)).filter((name) => /^\d{12}$/.test(name));
  if (owners.length === 0) return undefined;
  const quarantine = join(directory, 'quarantine');
  await mkdir(quarantine, { recursive: true, mode: 0o700 });
  const aside = join(quarantine, String((await readdir(quarantine)).length + 1));
  await mkdir(aside, { mode: 0o700 });
  for (const owner of owners) await rename(join(directory, owner), join(aside, owner));
  return aside;
}
