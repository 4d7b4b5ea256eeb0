import type { DatabaseSync } from 'node:sqlite';
import { sumOf, sumOfCursor, type CursorRow } from './document-sums.ts';

/** See FORMAT.md. Version 1 had no sums. */
export const schemaVersion = 2;
export const readableVersions: readonly unknown[] = [1, schemaVersion];

const cursorTable =
  'CREATE TABLE cursor (sequence INTEGER NOT NULL, documents INTEGER NOT NULL, sums INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT';

function insertCursor(database: DatabaseSync, cursor: CursorRow): void {
  const { sequence, documents, sums } = cursor;
  database
    .prepare('INSERT INTO cursor VALUES (?, ?, ?, ?)')
    .run(sequence, documents, sums, sumOfCursor(cursor));
}

function inOneTransaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Makes the tables of an empty database. */
export function createTables(database: DatabaseSync): void {
  inOneTransaction(database, () => {
    database.exec(`
      CREATE TABLE documents (
        key TEXT PRIMARY KEY, json TEXT NOT NULL, version INTEGER NOT NULL, sum INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      ${cursorTable};
    `);
    insertCursor(database, { sequence: 0, documents: 0, sums: 0 });
  });
}

/** Gives the documents of a database of version 1 their sums, of what they are now. */
export function addMissingSums(database: DatabaseSync): void {
  if (database.prepare('PRAGMA user_version').get()?.['user_version'] !== 1) return;
  database.function('sum_of', (key, json, version) =>
    sumOf({ key, json, version } as Parameters<typeof sumOf>[0]),
  );
  inOneTransaction(database, () => {
    database.exec('ALTER TABLE documents ADD COLUMN sum INTEGER NOT NULL DEFAULT 0');
    database.exec('UPDATE documents SET sum = sum_of(key, json, version)');
    const { sequence } = database.prepare('SELECT sequence FROM cursor').get() as Pick<CursorRow, 'sequence'>;
    const all = database
      .prepare('SELECT count(*) AS documents, total(sum) AS sums FROM documents')
      .get() as unknown as Pick<CursorRow, 'documents' | 'sums'>;
    database.exec(`DROP TABLE cursor; ${cursorTable}`);
    insertCursor(database, { sequence, documents: all.documents, sums: all.sums % 2 ** 32 });
  });
}
