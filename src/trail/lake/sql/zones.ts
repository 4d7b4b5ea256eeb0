import { withOperands } from './analyse/typed.ts';

/** Time zones as Trino names them: UTC, an offset such as +05:30, or a name of the IANA database. */

function two(value: number | string): string {
  return String(value).padStart(2, '0');
}

/** The zone's canonical name; undefined if there is no such zone. */
export function readZone(text: string): string | undefined {
  const offset = /^(?:UTC|GMT|UT)?([+-])(\d{1,2}):?(\d{2})?$/i.exec(text);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
    if (minutes > 14 * 60 || Number(offset[3] ?? 0) > 59) return undefined;
    if (minutes === 0) return 'UTC';
    return `${offset[1]}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
  if (/^(?:z|utc|ut|gmt|etc\/utc)$/i.test(text)) return 'UTC';
  if (!/^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+$/.test(text)) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text }).format(0);
  } catch {
    return undefined;
  }
  return text
    .toLowerCase()
    .replaceAll(/(^|[/_-])([a-z])/g, (_all, before: string, letter: string) => before + letter.toUpperCase());
}

/** The minutes of a zone that is an offset; undefined for a name. */
export function offsetMinutes(zone: string): number | undefined {
  if (zone === 'UTC') return 0;
  const match = /^([+-])(\d{2}):(\d{2})$/.exec(zone);
  if (!match) return undefined;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** The time on the clocks of a zone, from an instant in UTC (TIMESTAMP to TIMESTAMP). */
export function toLocal(sql: string, zone: string): string {
  const minutes = offsetMinutes(zone);
  if (minutes === 0) return sql;
  if (minutes !== undefined) return `(${sql} + to_minutes(${minutes}))`;
  return `timezone('${zone}', timezone('UTC', ${sql}))`;
}

/**
 * The instant in UTC, from the time on the clocks of a zone. A time that they show twice is the first of the two, where
 * the engine takes the second: it has the offset of the day before. A time that they never show is as much later.
 */
export function fromLocal(sql: string, zone: string): string {
  const minutes = offsetMinutes(zone);
  if (minutes === 0) return sql;
  if (minutes !== undefined) return `(${sql} - to_minutes(${minutes}))`;
  const engines = (local: string): string => `timezone('UTC', timezone('${zone}', ${local}))`;
  return withOperands([sql], (local) => {
    const first = `(${engines(`${local} - to_days(1)`)} + to_days(1))`;
    return `CASE WHEN ${toLocal(first, zone)} = ${local} THEN ${first} ELSE ${engines(local)} END`;
  });
}

/** The instant of a literal's time on the clocks of a zone; undefined if they never show it. */
export function fromLocalLiteral({ text }: TimestampText, zone: string): string | undefined {
  return offsetMinutes(zone) === undefined && !isShown(text, zone)
    ? undefined
    : fromLocal(`TIMESTAMP '${text}'`, zone);
}

function isShown(text: string, zone: string): boolean {
  const wanted = `${text.slice(0, 10)} ${text.slice(11, 19)}`;
  const clock = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  const asUtc = Date.parse(`${wanted.replace(' ', 'T')}Z`);
  // The offsets that a zone had around that time are those of a day before and a day after.
  return [-1, 1].some((days) => {
    const near = asUtc + days * 86_400_000;
    const offset = Date.parse(`${clock.format(near).replace(' ', 'T')}Z`) - near;
    return clock.format(asUtc - offset) === wanted;
  });
}

export interface TimestampText {
  /** As the engine reads it. */
  readonly text: string;
  readonly precision: number;
  readonly zone?: string;
}

/** Reads the text of a date and time: `2024-05-01`, `2024-05-01 12:30[:15[.123]]`, with T for the space, and a zone. */
export function readTimestamp(text: string): TimestampText | undefined {
  const match =
    /^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?(?:\s*([A-Za-z+-]\S*))?\s*$/.exec(
      text,
    );
  if (!match) return undefined;
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zoneText] =
    match;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const zone = zoneText === undefined ? undefined : readZone(zoneText);
  if (zoneText !== undefined && zone === undefined) return undefined;
  const time = `${two(hour)}:${two(minute)}:${two(second)}${fraction === '' ? '' : `.${fraction}`}`;
  const written = `${year}-${two(month)}-${two(day)} ${time}`;
  return { text: written, precision: fraction.length, ...(zone === undefined ? {} : { zone }) };
}
