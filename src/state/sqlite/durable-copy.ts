import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface CopyPaths {
  readonly path: string;
  readonly copyPath: string;
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes the live database durable, so that its write-ahead log can begin anew, and puts a durable copy of it in place
 * of the last one. Returns the cursor that the copy stands at. Waits for the disk: it runs in a worker, beside the
 * connection that is in use.
 *
 * The live database's own files are never opened other than through SQLite here: closing them would let go of the
 * locks that this process holds on them.
 */
export function makeDurableCopy({ path, copyPath }: CopyPaths): number {
  const unfinished = `${copyPath}.new`;
  rmSync(unfinished, { force: true });
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec('PRAGMA synchronous = FULL');
    database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
    database.prepare('VACUUM INTO ?').run(unfinished);
  } finally {
    database.close();
  }
  const copy = new DatabaseSync(unfinished, { readOnly: true });
  const cursor = Number(copy.prepare('SELECT sequence FROM cursor').get()?.['sequence']);
  copy.close();
  syncPath(unfinished);
  renameSync(unfinished, copyPath);
  syncPath(dirname(copyPath));
  return cursor;
}
