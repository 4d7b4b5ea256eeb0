import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert, sequence, type Logger, type Sequence } from '../../kernel/index.ts';
import { compareKeys, keyBehind } from '../document-key.ts';
import { StateLostError, type Documents, type StoredDocument, type StreamBounds } from '../documents.ts';
import { openCountedPrefixes } from './counted-prefixes.ts';
import { runCheckpoint } from './run-checkpoint.ts';

const schemaVersion = 1;
const schema = `
  CREATE TABLE documents (key TEXT PRIMARY KEY, json TEXT NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE cursor (sequence INTEGER NOT NULL) STRICT;
  INSERT INTO cursor VALUES (0);
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * NORMAL never corrupts the database and never syncs when it commits: what a power failure takes is applied again
 * from the journal. Checkpoints, which sync, are left to the worker.
 */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0';

interface Live {
  readonly database: DatabaseSync;
  get(key: string): StoredDocument | undefined;
  list(
    from: string,
    after: string | null,
    behind: string | Uint8Array,
    limit: number,
  ): readonly StoredDocument[];
  count(from: string, behind: string | Uint8Array): number;
  put(key: string, json: string, version: Sequence): void;
  remove(key: string): void;
  moveCursor(cursor: Sequence): void;
}

function prepare(database: DatabaseSync): Live {
  const get = database.prepare('SELECT key, json, version FROM documents WHERE key = ?');
  const list = database.prepare(
    'SELECT key, json, version FROM documents WHERE key >= ? AND key IS NOT ? AND key < ? ORDER BY key LIMIT ?',
  );
  const count = database.prepare('SELECT count(*) AS n FROM documents WHERE key >= ? AND key < ?');
  const put = database.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM documents WHERE key = ?');
  const moveCursor = database.prepare('UPDATE cursor SET sequence = max(sequence, ?)');
  return {
    database,
    get: (key) => get.get(key) as StoredDocument | undefined,
    list: (...bounds) => list.all(...bounds) as unknown as readonly StoredDocument[],
    count: (...bounds) => Number(count.get(...bounds)?.['n']),
    put: (key, json, version) => void put.run(key, json, version),
    remove: (key) => void remove.run(key),
    moveCursor: (cursor) => void moveCursor.run(cursor),
  };
}

/** Why the database cannot be believed; undefined when it can. */
function doubtAbout(database: DatabaseSync, { start, end }: StreamBounds): string | undefined {
  const [integrity] = database.prepare('PRAGMA quick_check(1)').all();
  if (integrity?.['quick_check'] !== 'ok')
    return `its integrity check says: ${String(integrity?.['quick_check'])}`;
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version !== schemaVersion) return `it is of schema ${String(version)}, not ${schemaVersion}`;
  const cursor = Number(database.prepare('SELECT sequence FROM cursor').get()?.['sequence']);
  if (cursor > end) return `it is ahead of the journal (${cursor}, which ends at ${end})`;
  return cursor >= start ? undefined : `the journal between it (${cursor}) and ${start} is gone`;
}

/** Opens a database and says why it cannot be believed, if so; then it is closed. */
function openBelieved(path: string, bounds: StreamBounds): { database: DatabaseSync } | { doubt: string } {
  if (!existsSync(path)) return { doubt: 'there is none' };
  const database = new DatabaseSync(path, { timeout: 1000 });
  try {
    const doubt = doubtAbout(database, bounds);
    if (doubt === undefined) return { database };
    database.close();
    return { doubt };
  } catch (error) {
    database.close();
    return { doubt: String(error) };
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/**
 * Opens documents kept in SQLite, in `directory`: the live database, and a durable copy of it that each checkpoint
 * makes and that the journal is trimmed by.
 */
export function openSqliteDocuments(options: {
  readonly directory: string;
  readonly log: Logger;
}): Documents {
  const path = join(options.directory, 'state.sqlite');
  const copyPath = join(options.directory, 'state-copy.sqlite');
  const log = options.log.child({ part: 'state', path });
  const counted = openCountedPrefixes();
  let opened: Live | undefined;
  const live = (): Live => {
    assert(opened, 'control state is used before it was recovered or after it was closed');
    return opened;
  };

  /** The live database if it can be believed, else a copy that can, else an empty one if the journal has everything. */
  function recoverDatabase(bounds: StreamBounds): DatabaseSync {
    const kept = openBelieved(path, bounds);
    if ('database' in kept) return kept.database;
    const isNew = !existsSync(path);
    if (isNew) {
      if (bounds.end > 0) log.error('the control state is missing; it is rebuilt');
    } else {
      log.error({ doubt: kept.doubt }, 'the control state is in doubt; it is set aside and rebuilt');
      removeDatabase(`${path}.doubtful`);
      renameSync(path, `${path}.doubtful`);
    }
    removeDatabase(path);
    const copy = openBelieved(copyPath, bounds);
    if ('database' in copy) {
      copy.database.close();
      copyFileSync(copyPath, path);
      return new DatabaseSync(path, { timeout: 1000 });
    }
    if (bounds.start > 0) {
      throw new StateLostError(
        `the control state in ${path} cannot be used (${kept.doubt}), neither can its copy ${copyPath} (${copy.doubt}), and the journal begins at ${bounds.start}; restore the data directory from a backup`,
      );
    }
    const database = new DatabaseSync(path, { timeout: 1000 });
    database.exec(schema);
    return database;
  }

  return {
    async recover(bounds) {
      const database = recoverDatabase(bounds);
      database.exec(settings);
      opened = prepare(database);
      return sequence(Number(database.prepare('SELECT sequence FROM cursor').get()?.['sequence']));
    },
    get: (key) => live().get(key),
    list(prefix, { after, limit } = {}) {
      const from = after !== undefined && compareKeys(after, prefix) > 0 ? after : prefix;
      // SQLite orders every blob behind every text, so an empty one is behind all keys.
      return live().list(from, after ?? null, keyBehind(prefix) ?? new Uint8Array(), limit ?? -1);
    },
    // SQLite orders every blob behind every text, so an empty one is behind all keys.
    count: (prefix) =>
      counted.count(prefix, () => live().count(prefix, keyBehind(prefix) ?? new Uint8Array())),
    apply(changes, cursor) {
      const { database, ...statements } = live();
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const { puts, deletes, version } of changes) {
          for (const { key, json } of puts) {
            counted.put(key, () => statements.get(key) !== undefined);
            statements.put(key, json, version);
          }
          for (const key of deletes) {
            counted.remove(key, () => statements.get(key) !== undefined);
            statements.remove(key);
          }
        }
        statements.moveCursor(cursor);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        counted.forget();
        throw error;
      }
    },
    async checkpoint(cursor) {
      live().moveCursor(cursor);
      return sequence(await runCheckpoint({ path, copyPath }));
    },
    async [Symbol.asyncDispose]() {
      opened?.database.close();
      opened = undefined;
    },
  };
}
