import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Logger } from '../../kernel/index.ts';
import { readText, replaceText } from '../../store/index.ts';

/** How far routing and deliveries have come, beyond what the cursors say. FORMAT.md describes the file. */
export interface Progress {
  /** Everything before `audit` in that stream is routed, by deliveries that stand before `bus` in the other. */
  readonly routed: { readonly audit: number; readonly bus: number };
  /** Of what stands before it in the stream `bus`, all is settled but for the following. */
  readonly read: number;
  /** Sequence, attempts that failed, and when the next one is due in epoch milliseconds. */
  readonly waiting: readonly (readonly [number, number, number])[];
  /** ARN of a target, and the sequence from which on none of its deliveries is settled. */
  readonly passedOver: readonly (readonly [string, number])[];
}

const fileName = 'progress.json';
const version = 1;

const isNumbers = (value: unknown, count: number): boolean =>
  Array.isArray(value) && value.length === count && value.every((one) => Number.isFinite(one));

function isProgress(value: unknown): value is Progress & { readonly version: number } {
  const found = value as Partial<Record<keyof Progress | 'version', unknown>> | null;
  const routed = found?.routed as Partial<Progress['routed']> | undefined;
  return (
    found?.version === version &&
    isNumbers([routed?.audit, routed?.bus, found.read], 3) &&
    Array.isArray(found.waiting) &&
    found.waiting.every((one) => isNumbers(one, 3)) &&
    Array.isArray(found.passedOver) &&
    found.passedOver.every(
      (one) => Array.isArray(one) && typeof one[0] === 'string' && isNumbers([one[1]], 1),
    )
  );
}

const sumOf = (json: string): string => crc32(json).toString(16).padStart(8, '0');

function parseProgress(text: string): Progress | undefined {
  const [, json = '', sum] = /^(.*) ([0-9a-f]{8})\n$/s.exec(text) ?? [];
  if (sum !== sumOf(json)) return undefined;
  const found: unknown = JSON.parse(json);
  return isProgress(found) ? found : undefined;
}

/**
 * Undefined where there is none, or none that can be read: it is kept to repeat less, and what is not in it is delivered again.
 */
export async function readProgress(directory: string, log: Logger): Promise<Progress | undefined> {
  const file = join(directory, fileName);
  try {
    const text = await readText(file);
    if (text === undefined) return undefined;
    const found = parseProgress(text);
    if (!found)
      log.error({ file }, 'the progress of deliveries cannot be read; events may be delivered a second time');
    return found;
  } catch (error) {
    log.error(
      { err: error, file },
      'the progress of deliveries cannot be read; events may be delivered a second time',
    );
    return undefined;
  }
}

/** Replaces the file: after a crash there is the old one or the new one. */
export async function writeProgress(directory: string, progress: Progress): Promise<void> {
  const json = JSON.stringify({ version, ...progress });
  await replaceText(join(directory, fileName), `${json} ${sumOf(json)}\n`);
}
