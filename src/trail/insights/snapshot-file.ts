import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RateEngine } from './rate-engine.ts';
import { engineLines, engineOf } from './engine-snapshot.ts';

const fileName = 'rates.jsonl';
const format = 1;
/** APIs that are written without a pause. */
const stride = 50;

/** What the file holds: the engine as it was when everything before a place of the journal had been counted. */
export interface Snapshot {
  readonly engine: RateEngine;
  /** Journal sequence. */
  readonly counted: number;
  /** Of the ids of insights; made once. */
  readonly secret: Uint8Array;
}

interface FirstLine {
  readonly format: number;
  readonly counted: number;
  /** Base 64. */
  readonly secret: string;
}

const pause = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Replaces the snapshot in a directory: after a crash it is the old one or the new one, whole. */
export async function writeSnapshot(directory: string, { engine, counted, secret }: Snapshot): Promise<void> {
  const file = join(directory, fileName);
  const handle = await open(`${file}.tmp`, 'w', 0o600);
  try {
    const first: FirstLine = { format, counted, secret: Buffer.from(secret).toString('base64') };
    let written = 0;
    let waiting = [JSON.stringify(first)];
    for (const line of engineLines(engine)) {
      written += 1;
      waiting.push(line);
      if (waiting.length < stride) continue;
      await handle.write(`${waiting.join('\n')}\n`);
      waiting = [];
      await pause();
    }
    await handle.write(`${[...waiting, JSON.stringify({ end: written })].join('\n')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.tmp`, file);
  const parent = await open(dirname(file), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

/** The snapshot in a directory; undefined when there is none. Throws for one that is not understood. */
export async function readSnapshot(directory: string): Promise<Snapshot | undefined> {
  const file = join(directory, fileName);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const head = JSON.parse(first) as FirstLine;
  const last = JSON.parse(lines.pop() ?? '{}') as { readonly end?: number };
  if (head.format !== format || last.end !== lines.length)
    throw new Error(`${file} is not whole, or of another format`);
  return { engine: engineOf(lines), counted: head.counted, secret: Buffer.from(head.secret, 'base64') };
}
