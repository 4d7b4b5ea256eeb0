import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { schemaVersion } from './database-schema.ts';
import { damageIn } from './document-sums.ts';

/** What was found out about one database of control state. */
export interface StateFileFindings {
  readonly file: string;
  readonly documents: number;
  /** False where the file is of a version without sums: then its structure alone was looked at. */
  readonly hasSums: boolean;
  readonly damage?: string;
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function look(file: string, path: string): StateFileFindings {
  const database = new DatabaseSync(path);
  try {
    const [integrity] = database.prepare('PRAGMA integrity_check(1)').all();
    const said = String(integrity?.['integrity_check']);
    const hasSums = database.prepare('PRAGMA user_version').get()?.['user_version'] === schemaVersion;
    const damage = said === 'ok' ? hasSums && damageIn(database) : `its integrity check says: ${said}`;
    const documents = Number(database.prepare('SELECT count(*) AS n FROM documents').get()?.['n']);
    return { file, documents, hasSums, ...(damage ? { damage } : {}) };
  } catch (error) {
    return { file, documents: 0, hasSums: false, damage: String(error) };
  } finally {
    database.close();
  }
}

/** Reads `file` in a copy, for SQLite writes beside a database even where it only reads. */
async function verifyFile(file: string): Promise<StateFileFindings> {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-doctor-'));
  try {
    const path = join(directory, basename(file));
    await copyFile(file, path);
    if (await isThere(`${file}-wal`)) await copyFile(`${file}-wal`, `${path}-wal`);
    return look(file, path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Reads the databases that are in `directory`, which nobody may have open, and changes nothing: the sum of every document,
 * and of all together. Rejects where a file cannot be read, or there is no room for a copy.
 */
export async function verifyState(directory: string): Promise<readonly StateFileFindings[]> {
  const found: StateFileFindings[] = [];
  for (const name of ['state.sqlite', 'state-copy.sqlite']) {
    const file = join(directory, name);
    if (await isThere(file)) found.push(await verifyFile(file));
  }
  return found;
}
