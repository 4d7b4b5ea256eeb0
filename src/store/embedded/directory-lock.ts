import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../kernel/index.ts';
import { holdDirectory } from './held-directories.ts';

/** Another process has the data directory. */
export class DirectoryHeldError extends Error {
  override name = 'DirectoryHeldError';
}

/** The directory that this process had is deleted, or another process made it anew: nothing may be written there any more. */
export class DirectoryLostError extends Error {
  override name = 'DirectoryLostError';
}

export interface DirectoryLock extends Disposable {
  /** Why the directory is no longer this process's; undefined while it is. The lock goes with the file that was deleted. */
  lost(): DirectoryLostError | undefined;
}

const lockName = 'lock.sqlite';
const holderName = 'holder.json';

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

/** What a file holds; undefined when there is none, and what is unlike everything when that cannot be told. */
function contentOf(path: string): string | undefined | Error {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : (error as Error);
  }
}

/**
 * Whether a process has the directory, by the lock itself: what `holder.json` says may be of a process that was killed.
 * Undefined where that cannot be told. Changes nothing.
 */
export function isDirectoryHeld(directory: string): boolean | undefined {
  const file = join(directory, lockName);
  if (!existsSync(file)) return false;
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    try {
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
      return false;
    } finally {
      database.close();
    }
  } catch (error) {
    return isBusy(error) ? true : undefined;
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
export function lockDirectory(directory: string, clock: Clock): DirectoryLock {
  const holderPath = join(directory, holderName);
  const lockPath = join(directory, lockName);
  const database = openLockFile(lockPath);
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
  const holder = `${JSON.stringify({ pid: process.pid, host: hostname(), since })}\n`;
  writeFileSync(holderPath, holder, { mode: 0o600 });
  const lost = (): DirectoryLostError | undefined => {
    const said = contentOf(holderPath);
    if (said === holder || said instanceof Error) return undefined;
    // Whoever deleted this one file alone let nobody in.
    if (said === undefined && existsSync(lockPath)) return undefined;
    const what =
      said === undefined ? 'was deleted or moved' : `is now in use by ${describeHolder(holderPath)}`;
    return new DirectoryLostError(
      `${directory} ${what} while this process ran on it; nothing more is written there, and what was recorded here is in the directory that this process had: start Cairn again where that is now`,
    );
  };
  const hold = holdDirectory(directory, lost);
  return {
    lost,
    [Symbol.dispose]() {
      hold[Symbol.dispose]();
      if (!lost()) rmSync(holderPath, { force: true });
      database.close();
    },
  };
}
