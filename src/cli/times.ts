import { usageError } from './exit-codes.ts';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A duration such as `30s`, `15m`, `2h`, `7d`, `1w`, in milliseconds; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})\s*([smhdw])$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/** ISO 8601 with at least a day; a time without a zone is UTC, as everything that CloudTrail writes. */
const isoForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

function parseIso(text: string): number | undefined {
  const match = isoForm.exec(text);
  if (!match) return undefined;
  const [, day = '', minute = '00:00', second = ':00', zone = 'Z'] = match;
  const epochMs = Date.parse(`${day}T${minute}${second}${zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  if (Number.isNaN(epochMs)) return undefined;
  // Date.parse takes 30 February for 2 March; a day that does not exist is a mistake, not another day.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? epochMs : undefined;
}

/**
 * A moment, in epoch milliseconds: `now`, a duration before now (`2h`), epoch seconds or ISO 8601. `option` names the
 * option in the usage error for anything else.
 */
export function parseTime(text: string, option: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const ago = parseDuration(text);
  if (ago !== undefined) return nowMs - ago;
  if (/^\d{9,11}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  const epochMs = parseIso(text);
  if (epochMs !== undefined) return epochMs;
  throw usageError(
    `${option} takes a time such as 2026-11-22T10:00:00Z, 2026-11-22, 1763805600, or how long ago, such as 2h or 7d; not "${text}"`,
  );
}

/** A positive whole number of at most `most`. */
export function parseCount(text: string, option: string, most: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > most) {
    throw usageError(`${option} takes a whole number from 1 to ${most}, not "${text}"`);
  }
  return count;
}
