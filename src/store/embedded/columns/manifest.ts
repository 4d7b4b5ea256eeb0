import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readText, replaceText } from '../../whole-file.ts';

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
  /** Version of the table when it was written. */
  readonly version: number;
  /** Bytes of the index of its ids, `N.ids.parquet` beside it; absent where there is none. */
  readonly idBytes?: number;
  /** CRC-32 of the file and of the index; absent for what was written before they were noted. */
  readonly crc?: number;
  readonly idCrc?: number;
}

/** What there is: replaced as a whole, so that a row is in a file that counts or comes again. */
export interface Manifest {
  readonly format: 2;
  /** Everything of the journal before it is in the files. */
  readonly durable: number;
  /** The number of the next file. */
  readonly nextFile: number;
  /** Of each owner in the order in which their rows came. */
  readonly files: readonly SealedFile[];
}

/** Format 1 knew one version of the table. */
interface FirstManifest extends Omit<Manifest, 'format' | 'files'> {
  readonly format: 1;
  readonly files: readonly Omit<SealedFile, 'version' | 'idBytes'>[];
}

const fileName = 'manifest.json';

/** The manifest is there and is not what was written. */
export class ManifestDamage extends Error {
  override name = 'ManifestDamage';
}

export const emptyManifest: Manifest = { format: 2, durable: 0, nextFile: 1, files: [] };

/** The name of the index of a file's ids. */
export function idsName(name: string): string {
  return name.replace(/\.parquet$/, '.ids.parquet');
}

/** Everything on disk that belongs to a file. */
export function namesOf({ name, idBytes }: SealedFile): readonly string[] {
  return idBytes === undefined ? [name] : [name, idsName(name)];
}

export function ownersOf(files: readonly SealedFile[]): readonly string[] {
  return [...new Set(files.map(({ owner }) => owner))].toSorted();
}

function parse(file: string, text: string): Manifest | FirstManifest {
  let written: (Manifest | FirstManifest) & { readonly sum?: number };
  try {
    written = JSON.parse(text) as typeof written;
  } catch (error) {
    throw new ManifestDamage(`${file} is no JSON`, { cause: error });
  }
  // Manifests of before it was written have no sum.
  const { sum, ...manifest } = written;
  if (sum !== undefined && crc32(JSON.stringify(manifest)) !== sum)
    throw new ManifestDamage(`${file}: wrong checksum`);
  return manifest;
}

/** Reads the manifest; undefined where there is none. Throws ManifestDamage, and for one that this version cannot read. */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const text = await readText(join(directory, fileName));
  if (text === undefined) return undefined;
  const manifest = parse(join(directory, fileName), text);
  switch (manifest.format) {
    case 1:
      return { ...manifest, format: 2, files: manifest.files.map((file) => ({ ...file, version: 1 })) };
    case 2:
      return manifest;
    default:
      throw new Error(
        `${join(directory, fileName)} is of format ${String((manifest as { readonly format: unknown }).format)}, ` +
          'this version reads the formats 1 and 2; start the version that wrote it, or a later one',
      );
  }
}

/** Puts the manifest in place of the old one: after a crash there is the one or the other. */
export function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const sum = crc32(JSON.stringify(manifest));
  return replaceText(join(directory, fileName), JSON.stringify({ ...manifest, sum }));
}
