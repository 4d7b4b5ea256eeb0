import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { idsName, namesOf, type Manifest } from './manifest.ts';

/** Removes files that the manifest does not name: all of them, or a file of this name (`N.parquet`) of each owner and its index. */
export async function removeUnnamed(directory: string, manifest: Manifest, name?: string): Promise<void> {
  const named = new Set(manifest.files.flatMap(namesOf));
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory() || !/^\d{12}$/.test(entry.name)) continue;
    for (const file of await readdir(join(directory, entry.name))) {
      const isMeant = name === undefined || file === name || file === idsName(name);
      if (isMeant && !named.has(`${entry.name}/${file}`)) await rm(join(directory, entry.name, file));
    }
  }
}
