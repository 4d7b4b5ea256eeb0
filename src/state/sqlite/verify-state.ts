import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { keyBehind } from '../document-key.ts';
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

/** Documents of a stopped server. */
export interface KeptDocuments {
  /** The value of a document; undefined when there is none. */
  get(key: string): unknown;
  /** Those whose keys begin with the prefix, in the order of their keys. */
  list(prefix: string): Iterable<{ readonly key: string; readonly value: unknown }>;
}

/** The control state of a stopped server, as its files have it. */
export interface KeptState extends AsyncDisposable {
  readonly files: readonly StateFileFindings[];
  /** Those of the live database; undefined where it is missing or damaged. */
  readonly documents: KeptDocuments | undefined;
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function look(file: string, database: DatabaseSync): StateFileFindings {
  try {
    const [integrity] = database.prepare('PRAGMA integrity_check(1)').all();
    const said = String(integrity?.['integrity_check']);
    const hasSums = database.prepare('PRAGMA user_version').get()?.['user_version'] === schemaVersion;
    const damage = said === 'ok' ? hasSums && damageIn(database) : `its integrity check says: ${said}`;
    const documents = Number(database.prepare('SELECT count(*) AS n FROM documents').get()?.['n']);
    return { file, documents, hasSums, ...(damage ? { damage } : {}) };
  } catch (error) {
    return { file, documents: 0, hasSums: false, damage: String(error) };
  }
}

function documentsIn(database: DatabaseSync): KeptDocuments {
  const one = database.prepare('SELECT json FROM documents WHERE key = ?');
  const some = 'SELECT key, json FROM documents WHERE key >= ? AND key < ? ORDER BY key';
  return {
    get(key) {
      const row = one.get(key);
      return row && (JSON.parse(String(row['json'])) as unknown);
    },
    *list(prefix) {
      for (const row of database.prepare(some).iterate(prefix, keyBehind(prefix) ?? new Uint8Array()))
        yield { key: String(row['key']), value: JSON.parse(String(row['json'])) as unknown };
    },
  };
}

/** A copy of a database, for SQLite writes beside one even where it only reads. */
async function openCopy(file: string, directory: string): Promise<DatabaseSync> {
  const path = join(directory, basename(file));
  await copyFile(file, path);
  if (await isThere(`${file}-wal`)) await copyFile(`${file}-wal`, `${path}-wal`);
  return new DatabaseSync(path);
}

/**
 * Reads the databases in `directory`, which nobody may have open, and changes nothing: the sum of every document, and of
 * all together. Rejects where a file cannot be read, or there is no room for a copy of it.
 */
export async function openKeptState(directory: string): Promise<KeptState> {
  await using opening = new AsyncDisposableStack();
  const copies = await mkdtemp(join(tmpdir(), 'cairn-doctor-'));
  opening.defer(() => rm(copies, { recursive: true, force: true }));
  const databases = opening.use(new DisposableStack());
  const found: StateFileFindings[] = [];
  let live: DatabaseSync | undefined;
  for (const name of ['state.sqlite', 'state-copy.sqlite']) {
    const file = join(directory, name);
    if (!(await isThere(file))) continue;
    const database = databases.use(await openCopy(file, copies));
    const findings = look(file, database);
    found.push(findings);
    if (name === 'state.sqlite' && findings.damage === undefined) live = database;
  }
  const opened = opening.move();
  return {
    files: found,
    documents: live && documentsIn(live),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
