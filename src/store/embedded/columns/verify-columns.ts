import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { measureFile } from './durable-file.ts';
import { idsName, ManifestDamage, readManifest, type SealedFile } from './manifest.ts';

export interface ColumnsFindings {
  readonly files: number;
  readonly rows: number;
  /** Files of before checksums were noted: only their sizes could be compared. */
  readonly withoutSums: number;
  /** One sentence each, which begins with the file. */
  readonly damage: readonly string[];
  /** Folders of files that were set aside when the manifest could not be read. */
  readonly aside: readonly string[];
}

interface NotedFile {
  readonly name: string;
  readonly bytes: number;
  readonly crc: number | undefined;
}

function notedFiles({ name, bytes, crc, idBytes, idCrc }: SealedFile): readonly NotedFile[] {
  const own = { name, bytes, crc };
  return idBytes === undefined ? [own] : [own, { name: idsName(name), bytes: idBytes, crc: idCrc }];
}

function damageOf(directory: string, { name, bytes, crc }: NotedFile): string | undefined {
  const path = join(directory, name);
  if (!existsSync(path)) return `${path} is missing`;
  const found = measureFile(path);
  if (found.bytes !== bytes) return `${path} has ${found.bytes} bytes, and was written with ${bytes}`;
  return crc === undefined || crc === found.crc ? undefined : `${path}: wrong checksum`;
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).toSorted() : [];
}

/** Reads every file that the manifest names, and changes nothing. */
export async function verifyColumns(directory: string): Promise<ColumnsFindings> {
  const aside = namesIn(join(directory, 'quarantine')).map((name) => join(directory, 'quarantine', name));
  const nothing = { files: 0, rows: 0, withoutSums: 0, aside };
  try {
    const manifest = await readManifest(directory);
    if (!manifest) {
      const owners = namesIn(directory).filter((name) => /^\d{12}$/.test(name));
      const damage = owners.length === 0 ? [] : [`${join(directory, 'manifest.json')} is missing`];
      return { ...nothing, damage };
    }
    const noted = manifest.files.flatMap(notedFiles);
    const damage = noted.map((file) => damageOf(directory, file)).filter((found) => found !== undefined);
    const withoutSums = noted.filter(({ crc }) => crc === undefined).length;
    const rows = manifest.files.reduce((sum, file) => sum + file.rows, 0);
    return { files: noted.length, rows, withoutSums, damage, aside };
  } catch (error) {
    if (!(error instanceof ManifestDamage)) throw error;
    return { ...nothing, damage: [error.message] };
  }
}
