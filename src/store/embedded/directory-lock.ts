import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../kernel/index.ts';

/** Another process has the data directory. */
export class DirectoryHeldError extends Error {
  override name = 'DirectoryHeldError';
}

/** SQLite's result code for "somebody else has it". */
const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === sqliteBusy;
}

/** What the holder wrote about itself. It may be gone or of an earlier holder: the lock decides, this only tells. */
function describeHolder(path: string): string {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; host: string; since: string };
    return `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  } catch {
    return 'another process';
  }
}

/** A system error names the file and who may not do what; SQLite's own says only that it cannot open a file. */
function openLockFile(file: string): DatabaseSync {
  if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  return new DatabaseSync(file, { timeout: 0 });
}

/**
 * Takes the directory for this process alone. The lock is an exclusively locked SQLite file, which the kernel lets go
 * of however the process ends; Node itself has no file locks. Throws DirectoryHeldError, naming the holder.
 */
export function lockDirectory(directory: string, clock: Clock): Disposable {
  const holderPath = join(directory, 'holder.json');
  const database = openLockFile(join(directory, 'lock.sqlite'));
  try {
    database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    const holder = describeHolder(holderPath);
    throw new DirectoryHeldError(
      `${directory} is in use by ${holder}; stop that one first, or start with another data directory`,
      { cause: error },
    );
  }
  const since = new Date(clock.now()).toISOString();
  writeFileSync(holderPath, `${JSON.stringify({ pid: process.pid, host: hostname(), since })}\n`, {
    mode: 0o600,
  });
  return {
    [Symbol.dispose]() {
      rmSync(holderPath, { force: true });
      database.close();
    },
  };
}
