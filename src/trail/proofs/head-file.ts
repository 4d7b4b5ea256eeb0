import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { sequence, type Sequence } from '../../kernel/index.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { TreeHead } from './merkle-tree.ts';
import { NoteError, type VerifierKey } from './signed-note.ts';

/** The newest tree that was signed. */
export interface SignedHead extends TreeHead {
  /** The signed note, with the log's own signature alone. */
  readonly checkpoint: string;
  /** Every entry of the journal before this one is in the tree, if it is a record. */
  readonly next: Sequence;
}

/** Reads the head; undefined when none was ever written. Throws NoteError when the log did not sign what is there. */
export async function readHead(file: string, key: VerifierKey): Promise<SignedHead | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { checkpoint, next } = parseHead(text);
  const { size, root } = openCheckpoint(checkpoint, key);
  return { size, root, checkpoint, next: sequence(next) };
}

/** Over what the signature does not cover: a place that is another one would leave records out of the tree. */
const sumOf = (checkpoint: string, next: number): number => crc32(`${next} ${checkpoint}`);

function parseHead(text: string): { readonly checkpoint: string; readonly next: number } {
  try {
    const { checkpoint, next, sum } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    // Heads of before it was written have no sum.
    const isWhole = typeof checkpoint === 'string' && typeof next === 'number' && Number.isSafeInteger(next);
    if (isWhole && (sum === undefined || sum === sumOf(checkpoint, next))) return { checkpoint, next };
  } catch {
    // Said below, as for everything else that is not what was written.
  }
  throw new NoteError('it is not what was written');
}

async function syncAndClose(path: string, flags: string, text?: string): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces the head as a whole; durable when it resolves. */
export async function writeHead(file: string, { checkpoint, next }: SignedHead): Promise<void> {
  await syncAndClose(
    `${file}.new`,
    'w',
    `${JSON.stringify({ checkpoint, next, sum: sumOf(checkpoint, next) })}\n`,
  );
  await rename(`${file}.new`, file);
  await syncAndClose(dirname(file), 'r');
}
