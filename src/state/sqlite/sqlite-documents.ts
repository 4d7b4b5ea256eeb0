import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert, DiskFullError, sequence, type Logger, type Sequence } from '../../kernel/index.ts';
import { compareKeys, keyBehind } from '../document-key.ts';
import {
  StateDamagedError,
  StateLostError,
  StateUnreadableError,
  type Documents,
  type DurableChange,
  type StoredDocument,
  type StreamBounds,
} from '../documents.ts';
import { openReserve } from './reserve.ts';
import { openCountedPrefixes } from './counted-prefixes.ts';
import { addMissingSums, createTables, readableVersions, schemaVersion } from './database-schema.ts';
import {
  addSums,
  damageIn,
  damageOf,
  isWhole,
  sumOf,
  sumOfCursor,
  type CursorRow,
  type DocumentRow,
} from './document-sums.ts';
import { runCheckpoint } from './run-checkpoint.ts';

/**
 * NORMAL never corrupts the database and never syncs when it commits: what a power failure takes is applied again
 * from the journal. Checkpoints, which sync, are left to the worker.
 */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0';

interface Live {
  readonly database: DatabaseSync;
  readonly get: (key: string) => DocumentRow | undefined;
  readonly list: (
    from: string,
    after: string | null,
    behind: string | Uint8Array,
    limit: number,
  ) => readonly DocumentRow[];
  readonly count: (from: string, behind: string | Uint8Array) => number;
  /** The sum of a document, as it stands beside it; undefined when there is none of the key. */
  readonly sum: (key: string) => number | undefined;
  readonly put: (document: DocumentRow) => void;
  readonly remove: (key: string) => void;
  /** What `writeCursor` wrote last, or what was there. */
  readonly cursor: CursorRow;
  readonly writeCursor: (cursor: CursorRow) => void;
}

function prepare(database: DatabaseSync): Live {
  const get = database.prepare('SELECT key, json, version, sum FROM documents WHERE key = ?');
  const list = database.prepare(
    'SELECT key, json, version, sum FROM documents WHERE key >= ? AND key IS NOT ? AND key < ? ORDER BY key LIMIT ?',
  );
  const count = database.prepare('SELECT count(*) AS n FROM documents WHERE key >= ? AND key < ?');
  const sum = database.prepare('SELECT sum FROM documents WHERE key = ?');
  const put = database.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM documents WHERE key = ?');
  const cursor = database.prepare('SELECT sequence, documents, sums FROM cursor');
  const writeCursor = database.prepare('UPDATE cursor SET sequence = ?, documents = ?, sums = ?, sum = ?');
  return {
    database,
    get: (key) => get.get(key) as DocumentRow | undefined,
    list: (...bounds) => list.all(...bounds) as unknown as readonly DocumentRow[],
    count: (...bounds) => Number(count.get(...bounds)?.['n']),
    sum: (key) => sum.get(key)?.['sum'] as number | undefined,
    put: (row) => void put.run(row.key, row.json, row.version, row.sum),
    remove: (key) => void remove.run(key),
    cursor: cursor.get() as unknown as CursorRow,
    writeCursor: (row) => void writeCursor.run(row.sequence, row.documents, row.sums, sumOfCursor(row)),
  };
}

/** Why the database cannot be believed; undefined when it can. */
function doubtAbout(database: DatabaseSync, { start, end }: StreamBounds): string | undefined {
  const [integrity] = database.prepare('PRAGMA quick_check(1)').all();
  if (integrity?.['quick_check'] !== 'ok')
    return `its integrity check says: ${String(integrity?.['quick_check'])}`;
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (!readableVersions.includes(version)) return `it is of schema ${String(version)}, not ${schemaVersion}`;
  const damage = version === schemaVersion ? damageIn(database) : undefined;
  if (damage !== undefined) return damage;
  const cursor = Number(database.prepare('SELECT sequence FROM cursor').get()?.['sequence']);
  if (cursor > end) return `it is ahead of the journal (${cursor}, which ends at ${end})`;
  return cursor >= start ? undefined : `the journal between it (${cursor}) and ${start} is gone`;
}

/** SQLite's codes for what says nothing about the file: no permission, busy, no memory, read-only, full, cannot be opened. */
const passingCodes = new Set([3, 5, 6, 7, 8, 13, 14]);

function unreadable(path: string, error: unknown): StateUnreadableError {
  const said = (error as Error).message;
  return new StateUnreadableError(
    `the control state ${path} cannot be opened (${said}): the file and its directory must belong to the user that Cairn runs as, on a disk that has room`,
    { cause: error },
  );
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 1000 });
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Opens a database and says why it cannot be believed, if so; then it is closed. Throws where that cannot be told. */
function openBelieved(path: string, bounds: StreamBounds): { database: DatabaseSync } | { doubt: string } {
  if (!existsSync(path)) return { doubt: 'there is none' };
  const database = openDatabase(path);
  try {
    const doubt = doubtAbout(database, bounds);
    if (doubt === undefined) return { database };
    database.close();
    return { doubt };
  } catch (error) {
    database.close();
    const code = (error as { readonly errcode?: number }).errcode ?? 0;
    if (passingCodes.has(code & 0xff)) throw unreadable(path, error);
    return { doubt: String(error) };
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** SQLite's codes for a full disk, of the database and its log, and of the index of the log; and for a write that failed, as by a quota or a file's largest size. */
const noRoomCodes = new Set<unknown>([13, 4874, 778]);

function saysNoRoom(error: unknown): boolean {
  return noRoomCodes.has((error as { readonly errcode?: number }).errcode);
}

/** SQLite's codes of a file that is not what it wrote, and Node's of a number that cannot have been written. */
function isDamage(error: unknown): boolean {
  const { code, errcode = 0 } = error as { readonly code?: string; readonly errcode?: number };
  return code === 'ERR_OUT_OF_RANGE' || [11, 26].includes(errcode & 0xff);
}

function moved(from: CursorRow, to: Sequence): CursorRow {
  return { ...from, sequence: Math.max(from.sequence, to) };
}

/**
 * Opens documents kept in SQLite, in `directory`: the live database, and a durable copy of it that each checkpoint
 * makes and that the journal is trimmed by. Damage that is met in what is read is thrown, and told to `onDamage`:
 * others may be wrong as well, or missing, and only opening it anew mends it.
 */
export function openSqliteDocuments(options: {
  readonly directory: string;
  readonly log: Logger;
  onDamage(error: StateDamagedError): void;
}): Documents {
  const path = join(options.directory, 'state.sqlite');
  const copyPath = join(options.directory, 'state-copy.sqlite');
  const log = options.log.child({ part: 'state', path });
  const counted = openCountedPrefixes();
  const reserve = openReserve(join(options.directory, 'reserve'));
  let opened: Live | undefined;
  let cursor: CursorRow = { sequence: 0, documents: 0, sums: 0 };
  /** What is durable could not be applied, so nothing may follow it. */
  let stuck = false;
  const live = (): Live => {
    assert(opened, 'control state is used before it was recovered or after it was closed');
    return opened;
  };

  function damaged(reason: string): StateDamagedError {
    const error = new StateDamagedError(
      `the control state in ${path} is damaged: ${reason}; start Cairn again: it sets the file aside and rebuilds it from ${copyPath} and the journal`,
    );
    options.onDamage(error);
    return error;
  }

  function read<T>(from: (database: Live) => T): T {
    try {
      return from(live());
    } catch (error) {
      throw isDamage(error) ? damaged(String(error)) : error;
    }
  }

  function whole(row: DocumentRow): StoredDocument {
    if (!isWhole(row)) throw damaged(damageOf(row.key));
    return { key: row.key, json: row.json, version: row.version };
  }

  function putDocument(document: StoredDocument, before: CursorRow): CursorRow {
    const { put, sum: sumAt } = live();
    const sum = sumOf(document);
    const replaced = sumAt(document.key);
    counted.put(document.key, () => replaced !== undefined);
    put({ ...document, sum });
    const documents = before.documents + (replaced === undefined ? 1 : 0);
    return { ...before, documents, sums: addSums(before.sums, sum, replaced ?? 0) };
  }

  function removeDocument(key: string, before: CursorRow): CursorRow {
    const { remove, sum: sumAt } = live();
    const removed = sumAt(key);
    counted.remove(key, () => removed !== undefined);
    if (removed === undefined) return before;
    remove(key);
    return { ...before, documents: before.documents - 1, sums: addSums(before.sums, 0, removed) };
  }

  function writeCursor(next: CursorRow): void {
    live().writeCursor(next);
    cursor = next;
  }

  function applyOnce(changes: readonly DurableChange[], until: Sequence): void {
    const { database } = live();
    const before = cursor;
    database.exec('BEGIN IMMEDIATE');
    try {
      let next = moved(before, until);
      for (const { puts, deletes, version } of changes) {
        for (const { key, json } of puts) next = putDocument({ key, json, version }, next);
        for (const key of deletes) next = removeDocument(key, next);
      }
      writeCursor(next);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      cursor = before;
      counted.forget();
      throw isDamage(error) ? damaged(String(error)) : error;
    }
  }

  /** Gives up the room that was kept on the disk, and the room inside SQLite's log: that may be what may not grow. */
  function makeRoom(cause: unknown): void {
    reserve.give();
    log.error(
      { err: cause },
      'no room on the disk: what is durable is applied in the room that was kept for it',
    );
    try {
      live().database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      log.error({ err: error }, "SQLite's log could not be emptied");
    }
  }

  /** Puts the durable copy, or an empty database, in the place of one that cannot be believed. */
  function replaceDatabase(doubt: string, bounds: StreamBounds): DatabaseSync {
    const copy = openBelieved(copyPath, bounds);
    if ('database' in copy) copy.database.close();
    else if (bounds.start > 0) {
      throw new StateLostError(
        `the control state in ${path} cannot be used (${doubt}), neither can its copy ${copyPath} (${copy.doubt}), and the journal begins at ${bounds.start}; restore the data directory from a backup`,
      );
    }
    if (existsSync(path)) {
      log.error({ doubt }, 'the control state is in doubt; it is set aside and rebuilt');
      removeDatabase(`${path}.doubtful`);
      renameSync(path, `${path}.doubtful`);
    } else if (bounds.end > 0) log.error('the control state is missing; it is rebuilt');
    removeDatabase(path);
    if ('database' in copy) copyFileSync(copyPath, path);
    const database = new DatabaseSync(path, { timeout: 1000 });
    if ('doubt' in copy) createTables(database);
    return database;
  }

  /** The live database if it can be believed, else a copy that can, else an empty one if the journal has everything. */
  function recoverDatabase(bounds: StreamBounds): DatabaseSync {
    const kept = openBelieved(path, bounds);
    return 'database' in kept ? kept.database : replaceDatabase(kept.doubt, bounds);
  }

  return {
    async recover(bounds) {
      const database = recoverDatabase(bounds);
      database.exec(settings);
      addMissingSums(database);
      opened = prepare(database);
      cursor = opened.cursor;
      return sequence(cursor.sequence);
    },
    get(key) {
      const row = read(({ get }) => get(key));
      return row && whole(row);
    },
    list(prefix, { after, limit } = {}) {
      const from = after !== undefined && compareKeys(after, prefix) > 0 ? after : prefix;
      // SQLite orders every blob behind every text, so an empty one is behind all keys.
      const behind = keyBehind(prefix) ?? new Uint8Array();
      return read(({ list }) => list(from, after ?? null, behind, limit ?? -1)).map(whole);
    },
    // SQLite orders every blob behind every text, so an empty one is behind all keys.
    count: (prefix) =>
      counted.count(prefix, () => read(({ count }) => count(prefix, keyBehind(prefix) ?? new Uint8Array()))),
    apply(changes, until) {
      try {
        applyOnce(changes, until);
      } catch (error) {
        if (!saysNoRoom(error)) throw error;
        makeRoom(error);
        stuck = true;
        applyOnce(changes, until);
      }
      stuck = false;
    },
    reserve() {
      reserve.take();
      if (stuck) throw new DiskFullError(`no room for ${path}; nothing was recorded, reading goes on`);
    },
    async checkpoint(until) {
      writeCursor(moved(cursor, until));
      const result = await runCheckpoint({ path, copyPath });
      if ('damage' in result) throw damaged(result.damage);
      return sequence(result.cursor);
    },
    async [Symbol.asyncDispose]() {
      opened?.database.close();
      opened = undefined;
    },
  };
}
