import { crc32 } from 'node:zlib';
import { sequence, type Sequence } from '../../kernel/index.ts';
import { readText, replaceText } from '../../store/index.ts';
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
  const text = await readText(file);
  if (text === undefined) return undefined;
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

/** Replaces the head as a whole; durable when it resolves. */
export function writeHead(file: string, { checkpoint, next }: SignedHead): Promise<void> {
  return replaceText(file, `${JSON.stringify({ checkpoint, next, sum: sumOf(checkpoint, next) })}\n`);
}
