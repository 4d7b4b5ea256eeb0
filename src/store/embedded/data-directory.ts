import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { Blob } from '../blob-port.ts';
import type { Cursors } from '../cursor-port.ts';
import type { Log } from '../log-port.ts';
import { openDirectoryBlob } from './directory-blob.ts';
import { lockDirectory, type DirectoryLock, type DirectoryLostError } from './directory-lock.ts';
import { openFileCursors } from './file-cursors.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { openSegmentLog } from './segment-log.ts';
import { readWholeFile, writeWholeFile } from './whole-file.ts';

/** The layout of the data directory; raised when a change of it needs a conversion. */
const formatVersion = 1;
const formatFile = 'format.json';
/** What a directory may hold that is to become a data directory: what an interrupted first start left, and what every new ext4 has. */
const ownFiles = new Set([
  'lock.sqlite',
  'lock.sqlite-journal',
  'holder.json',
  `${formatFile}.new`,
  'lost+found',
]);

/** How often is looked whether the directory is still there and this process's. */
const lookEveryMs = 1000;

/** The directory is not one that this version can use; the message says what to do. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError';
}

/** The one place on disk where everything durable lies. Nothing else in the program builds paths into it. */
export interface DataDirectory extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  readonly openLog: (name: string) => Promise<Log>;
  readonly openCursors: (name: string) => Promise<Cursors>;
  readonly openBlob: (name: string) => Promise<Blob>;
  /** Why this process may write here no longer; undefined while it may. */
  readonly lost: () => DirectoryLostError | undefined;
  /** Makes a directory (mode 0700) for what is kept otherwise, and returns its path. */
  readonly directory: (name: string) => Promise<string>;
}

function readFormat(content: string): number | undefined {
  try {
    const { format } = JSON.parse(content) as { format?: unknown };
    return typeof format === 'number' && Number.isInteger(format) ? format : undefined;
  } catch {
    return undefined;
  }
}

/** Refuses a directory that belongs to something else, before anything is written into it. */
async function refuseForeign(path: string): Promise<void> {
  const names = await readdir(path);
  const foreign = names.find((name) => !ownFiles.has(name));
  if (foreign === undefined || names.includes(formatFile)) return;
  throw new DataDirectoryError(
    `${path} holds files (such as ${foreign}) but no ${formatFile}, so it is not a data directory; name an empty one, or restore ${formatFile} from a backup`,
  );
}

/** Checks the format, or writes it into a directory that is new. */
async function checkFormat(path: string): Promise<void> {
  const file = join(path, formatFile);
  const content = await readWholeFile(nodeFileSystem, file);
  if (content === undefined) {
    await writeWholeFile(nodeFileSystem, file, Buffer.from(`${JSON.stringify({ format: formatVersion })}\n`));
    return;
  }
  const format = readFormat(content.toString());
  if (format === undefined) {
    throw new DataDirectoryError(
      `${file} cannot be read; restore it from a backup (it says {"format":${formatVersion}})`,
    );
  }
  if (format > formatVersion) {
    throw new DataDirectoryError(
      `${path} is of format ${format}, this version reads format ${formatVersion}; start the newer version again`,
    );
  }
  if (format < formatVersion) {
    throw new DataDirectoryError(
      `${path} is of format ${format}, which no version ever wrote; restore ${formatFile} from a backup`,
    );
  }
}

/**
 * Makes a directory (mode 0700) and what is missing above it; says whether it was missing. Node's own recursive mkdir tries
 * for ever where a directory exists that nothing can be made in, such as /proc.
 */
async function makeDirectory(path: string): Promise<boolean> {
  const failure = await mkdir(path, { mode: 0o700 }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  if (failure === undefined) return true;
  if (failure.code === 'EEXIST') {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return false;
    throw new DataDirectoryError(`${path} is no directory; name another place for the data with --data`);
  }
  if (failure.code !== 'ENOENT' || !(await makeDirectory(dirname(path)))) {
    throw new DataDirectoryError(
      `the data directory cannot be made: ${failure.message}; name another with --data`,
    );
  }
  return makeDirectory(path);
}

/** Tells `onLost`, once, that the directory is gone from under the process. */
function watchLock(
  lock: DirectoryLock,
  clock: Clock,
  onLost: (error: DirectoryLostError) => void,
): Disposable {
  let timer = clock.after(lookEveryMs, look);
  function look(): void {
    const error = lock.lost();
    if (error) onLost(error);
    else timer = clock.after(lookEveryMs, look);
  }
  return { [Symbol.dispose]: () => timer.cancel() };
}

/**
 * Opens the data directory, made (mode 0700) if it is missing, for this process alone. Throws DirectoryHeldError when
 * another process has it, and DataDirectoryError when it is not a data directory or of another format.
 */
export async function openDataDirectory(
  directory: string,
  options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    /** Told when the directory is deleted, or made anew by another process, while this one has it. */
    readonly onLost?: (error: DirectoryLostError) => void;
  },
): Promise<DataDirectory> {
  const { clock, random, log, onLost } = options;
  const path = resolve(directory);
  // The process's umask may have taken bits away, and nothing may add any.
  if (await makeDirectory(path)) await chmod(path, 0o700);
  await refuseForeign(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    log.warn(
      { path, mode: (mode & 0o777).toString(8) },
      'others may look into the data directory; chmod it to 700',
    );
  using opening = new DisposableStack();
  const lock = opening.use(lockDirectory(path, clock));
  await checkFormat(path);
  if (onLost) opening.use(watchLock(lock, clock, onLost));
  const opened = opening.move();
  return {
    path,
    openLog: (name) => openSegmentLog({ directory: join(path, 'journal', name), random, log }),
    openCursors: (name) => openFileCursors({ directory: join(path, 'cursors', name), log }),
    openBlob: (name) => openDirectoryBlob({ directory: join(path, 'blob', name), clock, log }),
    async directory(name) {
      const made = join(path, name);
      await nodeFileSystem.makeDirectory(made);
      return made;
    },
    lost: () => lock.lost(),
    async [Symbol.asyncDispose]() {
      opened.dispose();
    },
  };
}
