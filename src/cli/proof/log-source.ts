import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadTile } from '../../trail/proofs/index.ts';
import {
  NoteError,
  parseVerifierKey,
  readText,
  tilePath,
  type VerifierKey,
} from '../../trail/proofs/index.ts';
import { readBody, type Connection } from '../connection/connection.ts';
import { CommandError, exitCodes, usageError } from '../exit-codes.ts';

/** Where a log's files are read: `checkpoint`, `key` and tiles, by their path below the log's prefix. */
export type ReadLogFile = (path: string) => Promise<Uint8Array>;

/** The prefix of a Cairn's own log. */
const logPrefix = '/_cairn/tlog/';

/** Reads the log of the server. */
export function logOfServer(connection: Connection, signal: AbortSignal): ReadLogFile {
  return async (path) => {
    const { body } = await connection.ask({ method: 'GET', path: logPrefix + path, unsigned: true, signal });
    return readBody(body);
  };
}

/** Reads a log that was copied into a directory as it is served. */
export function logOfDirectory(directory: string): ReadLogFile {
  return (path) => readGiven(join(directory, path));
}

export function tilesOf(read: ReadLogFile): ReadTile {
  return (level, index, width) => read(tilePath({ level, index, width }));
}

/** Reads a file that the command line names. */
export async function readGiven(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CommandError((error as Error).message, exitCodes.usage, { cause: error });
  }
}

/** Reads a verifier key: as text, or from a file that holds it. */
export async function readKey(given: string, option: string): Promise<VerifierKey> {
  // A path may have a plus sign too, but hardly NAME+KEYID+….
  const isText = /^[^+]+\+[^+/]+\+/.test(given);
  const bytes = isText ? Buffer.from(given) : await readGiven(given);
  try {
    return parseVerifierKey(readText(bytes).trim());
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw usageError(`${option}: ${error.message}`);
  }
}
