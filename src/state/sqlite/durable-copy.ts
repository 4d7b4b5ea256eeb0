import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { damageIn } from './document-sums.ts';

export interface CopyPaths {
  readonly path: string;
  readonly copyPath: string;
}

/** The cursor that the copy stands at, or why there is no new one: what the live database holds is not what was written. */
export type CopyResult = { readonly cursor: number } | { readonly damage: string };

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
 * of the last one, if it is whole: it is read from end to end first, because the journal is trimmed by it. Waits for
 * the disk: it runs in a worker, beside the connection that is in use.
 *
 * The live database's own files are never opened other than through SQLite here: closing them would let go of the
 * locks that this process holds on them.
 */
export function makeDurableCopy({ path, copyPath }: CopyPaths): CopyResult {
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
  const damage = damageIn(copy);
  const cursor = Number(copy.prepare('SELECT sequence FROM cursor').get()?.['sequence']);
  copy.close();
  if (damage !== undefined) {
    rmSync(unfinished);
    return { damage };
  }
  syncPath(unfinished);
  renameSync(unfinished, copyPath);
  syncPath(dirname(copyPath));
  return { cursor };
}
