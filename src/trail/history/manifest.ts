import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { replaceText } from '../../store/index.ts';

/** Raised with what the segments may hold, so that a program which cannot read those leaves them alone. */
export const manifestVersion = 2;

/**
 * What a history consists of: replaced as a whole with every change, so that after a crash it is the old state or the
 * new one. Files of the directory that it does not name are left-overs.
 */
export interface Manifest {
  readonly version: typeof manifestVersion;
  /** Secret key of the hashes of terms. */
  readonly hashKey: string;
  /** Every journal entry before this sequence is in the segments. */
  readonly durable: number;
  /** Number of the next segment file. */
  readonly nextFile: number;
  /** The dictionary for new blocks; 0 for none. */
  readonly dictionary: number;
  /** Names of the segment files, in the order in which their events arrived. */
  readonly segments: readonly string[];
  /** Those of them whose index was made with a key that is lost, until they are indexed anew. */
  readonly unindexed?: readonly string[];
}

/** The manifest is there and is not what was written. */
export class ManifestDamage extends Error {
  override name = 'ManifestDamage';
}

const manifestName = 'manifest.json';

/** Reads the manifest; undefined where there is none. Throws ManifestDamage. */
export function readManifest(directory: string): Manifest | undefined {
  const file = join(directory, manifestName);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const [sum, body = ''] = text.split('\n', 2);
  if (crc32(body).toString(16).padStart(8, '0') !== sum) {
    throw new ManifestDamage(`${file}: wrong checksum`);
  }
  const manifest = JSON.parse(body) as Omit<Manifest, 'version'> & { readonly version: number };
  if (manifest.version > manifestVersion) {
    throw new Error(
      `${file} is of version ${manifest.version}, this program reads version ${manifestVersion}; start the newer program again`,
    );
  }
  return { ...manifest, version: manifestVersion };
}

/** Makes a new manifest durable. */
export function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const body = JSON.stringify(manifest);
  const sum = crc32(body).toString(16).padStart(8, '0');
  return replaceText(join(directory, manifestName), `${sum}\n${body}\n`);
}
