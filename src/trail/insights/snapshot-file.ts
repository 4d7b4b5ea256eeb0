import { join } from 'node:path';
import { readText, replaceTextOf } from '../../store/index.ts';
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

async function* textsOf({ engine, counted, secret }: Snapshot): AsyncIterable<string> {
  const first: FirstLine = { format, counted, secret: Buffer.from(secret).toString('base64') };
  let written = 0;
  let waiting = [JSON.stringify(first)];
  for (const line of engineLines(engine)) {
    written += 1;
    waiting.push(line);
    if (waiting.length < stride) continue;
    yield `${waiting.join('\n')}\n`;
    waiting = [];
    await pause();
  }
  yield `${[...waiting, JSON.stringify({ end: written })].join('\n')}\n`;
}

/** Replaces the snapshot in a directory: after a crash it is the old one or the new one, whole. */
export const writeSnapshot = (directory: string, snapshot: Snapshot): Promise<void> =>
  replaceTextOf(join(directory, fileName), textsOf(snapshot));

/** The snapshot in a directory; undefined when there is none. Throws for one that is not understood. */
export async function readSnapshot(directory: string): Promise<Snapshot | undefined> {
  const file = join(directory, fileName);
  const text = await readText(file);
  if (text === undefined) return undefined;
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const head = JSON.parse(first) as FirstLine;
  const last = JSON.parse(lines.pop() ?? '{}') as { readonly end?: number };
  if (head.format !== format || last.end !== lines.length)
    throw new Error(`${file} is not whole, or of another format`);
  return { engine: engineOf(lines), counted: head.counted, secret: Buffer.from(head.secret, 'base64') };
}
