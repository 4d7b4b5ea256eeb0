import { rounded, timestampText } from '../analyse/cast-text.ts';
import { castTo } from '../analyse/cast.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';
import { jodaFormat, mysqlFormat } from '../time-format.ts';
import type { TimeFormat } from '../time-format.ts';
import {
  bigint,
  date,
  double,
  intervalDay,
  quoteText,
  timestamp,
  timestampWithZone,
  typeText,
  varchar,
} from '../types.ts';
import { fromLocal, offsetMinutes, readTimestamp, readZone, toLocal } from '../zones.ts';
import { checkCount, give, plain } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

type TimeType =
  | Extract<Typed['type'], { kind: 'timestamp' | 'timestamptz' | 'time' }>
  | { readonly kind: 'date' };

interface Time {
  /** What the clocks show: TIMESTAMP, or DATE for a date. */
  readonly local: string;
  readonly sql: string;
  readonly type: TimeType;
}

/** An argument that is a date or a timestamp, by the clocks of its zone. */
function time(call: Call, index: number): Time {
  const { sql, type } = call.value(index);
  if (type.kind === 'timestamptz') return { sql, type, local: toLocal(sql, type.zone) };
  if (type.kind === 'timestamp' || type.kind === 'date') return { sql, type: type as TimeType, local: sql };
  if (type.kind === 'unknown')
    return {
      sql: 'CAST(NULL AS TIMESTAMP)',
      local: 'CAST(NULL AS TIMESTAMP)',
      type: { kind: 'timestamp', precision: 3 },
    };
  return call.refuse(
    `The function ${call.name} takes a date or a timestamp, not ${typeText(type).slice(0, 100)}`,
  );
}

const part =
  (name: string): FunctionRule =>
  (call) => {
    checkCount(call, 1);
    return give(call, `CAST(${name}(${time(call, 0).local}) AS BIGINT)`, bigint);
  };

/** The parts that an interval of months has too. */
const monthsPart =
  (name: string, write: (months: string) => string): FunctionRule =>
  (call) => {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    return type.kind === 'interval-month'
      ? give(call, `CAST(${write(sql)} AS BIGINT)`, bigint)
      : part(name)(call);
  };

/** The parts that a date lacks, and an interval has too. */
const clockPart =
  (name: string, unit: number, of: number): FunctionRule =>
  (call) => {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    if (type.kind === 'interval-day')
      return give(call, `CAST((${sql} // ${unit}) % ${of} AS BIGINT)`, bigint);
    if (type.kind === 'time') return give(call, `CAST(${name}(${sql}) AS BIGINT)`, bigint);
    if (type.kind === 'date') return call.refuse(`A date has no ${name}`);
    return give(call, `CAST(${name}(${time(call, 0).local}) AS BIGINT)`, bigint);
  };

const units = ['millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
type Unit = (typeof units)[number];

function unitOf(call: Call): Unit {
  const text = call.literal(0, 'the unit').toLowerCase();
  return (
    units.find((unit) => unit === text) ?? call.refuse(`${call.name} knows no unit ${text.slice(0, 40)}`)
  );
}

function isClock(unit: Unit): boolean {
  return ['millisecond', 'second', 'minute', 'hour'].includes(unit);
}

function checkUnit(call: Call, unit: Unit, kind: string): void {
  if (kind === 'date' && isClock(unit)) call.refuse(`${call.name} takes no ${unit} for a date`);
}

/** A time of day as the same time of one day; undefined if the argument is none. */
function timeOfDay(call: Call, index: number, unit: Unit): string | undefined {
  const { sql, type } = call.value(index);
  if (type.kind !== 'time') return undefined;
  if (!isClock(unit)) call.refuse(`${call.name} takes no ${unit} for a time`);
  return `(DATE '1970-01-01' + ${sql})`;
}

const dateTrunc: FunctionRule = (call) => {
  checkCount(call, 2);
  const unit = unitOf(call);
  const clock = timeOfDay(call, 1, unit);
  if (clock !== undefined)
    return give(call, `CAST(date_trunc('${unit}', ${clock}) AS TIME)`, call.value(1).type);
  const { local, sql, type } = time(call, 1);
  checkUnit(call, unit, type.kind);
  const truncated = `date_trunc('${unit}', ${local})`;
  if (type.kind === 'date') return give(call, `CAST(${truncated} AS DATE)`, date);
  if (type.kind !== 'timestamptz') return give(call, truncated, type);
  // What is cut off of an hour is cut off of the instant, so that an hour that the clocks show twice stays the one it was.
  return give(
    call,
    isClock(unit) ? `(${sql} - (${local} - ${truncated}))` : fromLocal(truncated, type.zone),
    type,
  );
};

const adding: Readonly<Record<Unit, (amount: string) => string>> = {
  millisecond: (amount) => `to_milliseconds(${amount})`,
  second: (amount) => `to_seconds(${amount})`,
  minute: (amount) => `to_minutes(${amount})`,
  hour: (amount) => `to_hours(${amount})`,
  day: (amount) => `to_days(CAST(${amount} AS INTEGER))`,
  week: (amount) => `to_weeks(CAST(${amount} AS INTEGER))`,
  month: (amount) => `to_months(CAST(${amount} AS INTEGER))`,
  quarter: (amount) => `to_months(CAST(${amount} * 3 AS INTEGER))`,
  year: (amount) => `to_years(CAST(${amount} AS INTEGER))`,
};

const dateAdd: FunctionRule = (call) => {
  checkCount(call, 3);
  const unit = unitOf(call);
  const clock = timeOfDay(call, 2, unit);
  if (clock !== undefined)
    return give(call, `CAST(${clock} + ${adding[unit](call.as(1, bigint).sql)} AS TIME)`, call.value(2).type);
  const { local, sql, type } = time(call, 2);
  checkUnit(call, unit, type.kind);
  const amount = adding[unit](call.as(1, bigint).sql);
  if (type.kind === 'date') return give(call, `CAST(${local} + ${amount} AS DATE)`, date);
  if (type.kind !== 'timestamptz') return give(call, `(${local} + ${amount})`, type);
  return give(
    call,
    isClock(unit) ? `(${sql} + ${amount})` : fromLocal(`(${local} + ${amount})`, type.zone),
    type,
  );
};

/** Whole units between two times, as Trino counts them. */
const dateDiff: FunctionRule = (call) => {
  checkCount(call, 3);
  const unit = unitOf(call);
  const clocks = [timeOfDay(call, 1, unit), timeOfDay(call, 2, unit)];
  if (clocks.every((clock) => clock !== undefined))
    return give(call, `CAST(date_sub('${unit}', ${clocks.join(', ')}) AS BIGINT)`, bigint);
  const [first, second] = [time(call, 1), time(call, 2)];
  if (first.type.kind === 'date' && second.type.kind === 'date') checkUnit(call, unit, 'date');
  // Days and longer units are counted on the clocks of the first one's zone, shorter ones as time that goes by.
  const zone = first.type.kind === 'timestamptz' && !isClock(unit) ? first.type.zone : 'UTC';
  const [from, to] = [first, second].map(({ sql, type }) =>
    toLocal(type.kind === 'date' ? `CAST(${sql} AS TIMESTAMP)` : sql, zone),
  );
  return give(call, `CAST(date_sub('${unit}', ${from}, ${to}) AS BIGINT)`, bigint);
};

function formatted(call: Call, format: TimeFormat): string {
  if (format.kind === 'unsupported')
    return call.refuse(`The part ${format.what} in the format of ${call.name} is not supported`);
  return quoteText(format.text);
}

/** What the clocks show in milliseconds, of which formats know no part. */
function formattable(call: Call): { readonly local: string; readonly type: TimeType } {
  const { local, type } = time(call, 0);
  if (type.kind === 'date') return { local: `CAST(${local} AS TIMESTAMP)`, type };
  return { local: 'precision' in type ? rounded(local, type.precision, 3) : local, type };
}

const dateFormat: FunctionRule = (call) => {
  checkCount(call, 2);
  const { local } = formattable(call);
  const format = formatted(call, mysqlFormat(call.literal(1, 'the format'), 'write'));
  return give(call, `strftime(${local}, ${format})`, varchar);
};

const formatDatetime: FunctionRule = (call) => {
  checkCount(call, 2);
  const { local, type } = formattable(call);
  const zone = type.kind === 'timestamptz' ? type.zone : 'UTC';
  const fixed = offsetMinutes(zone) === undefined ? undefined : zone;
  const format = formatted(call, jodaFormat(call.literal(1, 'the format'), 'write', fixed));
  return give(call, `strftime(${local}, ${format})`, varchar);
};

/**
 * The time that text shows. What the format has no part for is that of 1970-01-01 00:00, except that a month or day without
 * a year is one of 2000; 12 o'clock without AM and PM is midnight. White space counts, which the engine skips at both ends.
 */
function parsing(call: Call, format: TimeFormat): string {
  formatted(call, format);
  const written =
    format.kind === 'format' ? format.text.replaceAll(/%(.)/g, (part) => (part === '%f' ? '%n' : part)) : '';
  if (written === '') return call.refuse(`The format of ${call.name} is empty`);
  const letters = new Set([...written.matchAll(/%(.)/g)].map(([, letter]) => letter ?? ''));
  const has = (some: string): boolean => [...letters].some((letter) => some.includes(letter));
  const year = has('yYG') ? '' : has('mdbBjaA') ? '2000 ' : '1970 ';
  const text = year === '' ? call.as(0, varchar).sql : `('${year}' || ${call.as(0, varchar).sql})`;
  const read = (value: string): string =>
    `date_trunc('milliseconds', CAST(strptime(${value}, ${quoteText(year === '' ? written : `%Y ${written}`)}) AS TIMESTAMP))`;
  const fail = (what: string): string =>
    failing(call.place, `The text of ${call.name} has ${what}`, 'TIMESTAMP');
  const spaces = [...`${year}${written}`.matchAll(/\s/g)].length;
  const checked = withOperands(
    [text],
    (value) =>
      `CASE WHEN length(${value}) - length(regexp_replace(${value}, '\\s', '', 'g')) <> ${spaces} THEN ${fail('other white space than its format')} ELSE ${read(value)} END`,
  );
  const weekday = has('aA');
  if (weekday && (!has('yYG') || !(has('j') || (has('d') && has('mbB')))))
    return call.refuse(`${call.name} reads the day of the week only beside a whole date`);
  const lower = `lower(${call.as(0, varchar).sql})`;
  const corrections = [
    // Years of two digits are those from 1970 to 2069; the engine's begin with 1969.
    ...(letters.has('y') ? [(at: string) => `WHEN year(${at}) = 1969 THEN ${at} + INTERVAL 100 YEAR`] : []),
    ...(letters.has('I') && !has('pH')
      ? [(at: string) => `WHEN hour(${at}) = 12 THEN ${at} - INTERVAL 12 HOUR`]
      : []),
    ...(weekday
      ? [
          (at: string) =>
            `WHEN NOT contains(${lower}, lower(strftime(${at}, '%a'))) THEN ${fail('another day of the week than its date')}`,
        ]
      : []),
  ];
  return corrections.reduce(
    (sql, correct) => withOperands([sql], (at) => `CASE ${correct(at)} ELSE ${at} END`),
    checked,
  );
}

const isoShape = String.raw`^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]00:?00)?)?$`;

/** Text of ISO 8601. An offset other than UTC's fails unless the text is a literal, for the zone is part of the type. */
const fromIsoTimestamp: FunctionRule = (call) => {
  checkCount(call, 1);
  const value = call.as(0, varchar);
  if (value.text !== undefined) {
    const read = /^\d{4}-\d{2}-\d{2}(?:T|$)/.test(value.text)
      ? readTimestamp(value.text.replace(/T(\d{2})(?=$|Z|[+-])/, 'T$1:00'))
      : undefined;
    if (!read) return call.refuse(`'${value.text.slice(0, 40)}' is no timestamp of ISO 8601`);
    const zone = read.zone ?? 'UTC';
    return give(call, fromLocal(`TIMESTAMP '${read.text.slice(0, 23)}'`, zone), timestampWithZone(3, zone));
  }
  const fail = failing(
    call.place,
    'Text of ISO 8601 in UTC was expected, such as 2024-05-01T12:30:00Z',
    'TIMESTAMP',
  );
  const sql = withOperands([value.sql], (text) => {
    const bare = String.raw`replace(regexp_replace(${text}, '(Z|[+-]00:?00)$', ''), 'T', ' ')`;
    const whole = `CASE length(${bare}) WHEN 13 THEN ${bare} || ':00:00' WHEN 16 THEN ${bare} || ':00' ELSE left(${bare}, 23) END`;
    return `CASE WHEN ${text} IS NULL THEN NULL WHEN regexp_matches(${text}, '${isoShape}') THEN CAST(${whole} AS TIMESTAMP) ELSE ${fail} END`;
  });
  return give(call, sql, timestampWithZone(3));
};

const toIso: FunctionRule = (call) => {
  checkCount(call, 1);
  const { local, type } = time(call, 0);
  if (type.kind === 'date') return give(call, `CAST(${local} AS VARCHAR)`, varchar);
  if (type.kind === 'timestamptz' && offsetMinutes(type.zone) === undefined)
    return call.refuse(
      "to_iso8601 in a zone without a fixed offset is not supported; use AT TIME ZONE 'UTC' first",
    );
  const suffix = type.kind === 'timestamptz' ? (type.zone === 'UTC' ? 'Z' : type.zone) : '';
  const precision = 'precision' in type ? type.precision : 3;
  return give(call, `(replace(${timestampText(local, precision)}, ' ', 'T') || '${suffix}')`, varchar);
};

/** The zone that hours and minutes make; both have the same sign. */
function zoneOf(call: Call): string | undefined {
  const [hours, minutes] = [call.as(1, bigint).number, call.as(2, bigint).number];
  if (hours === undefined || minutes === undefined)
    return call.refuse(`${call.name} takes hours and minutes as literals`);
  const total = hours * 60 + minutes;
  if (Math.abs(hours) > 14 || Math.abs(minutes) > 59 || hours * minutes < 0) return undefined;
  const [whole, rest] = [Math.floor(Math.abs(total) / 60), Math.abs(total) % 60];
  return readZone(`${total < 0 ? '-' : '+'}${whole}:${String(rest).padStart(2, '0')}`);
}

const fromUnixtime: FunctionRule = (call) => {
  checkCount(call, 1, 3);
  const zone =
    call.count === 3 ? zoneOf(call) : call.count === 2 ? readZone(call.literal(1, 'the zone')) : 'UTC';
  if (zone === undefined) return call.refuse('There is no such time zone');
  const sql = `make_timestamp(CAST(floor(${call.as(0, double).sql} * 1000 + 0.5) AS BIGINT) * 1000)`;
  return give(call, sql, timestampWithZone(3, zone));
};

/** The time of the statement. */
function now({ place }: Call): string {
  const { nowMs } = place.session;
  return nowMs === undefined
    ? `CAST(timezone('UTC', now()) AS TIMESTAMP)`
    : `epoch_ms(CAST(${Math.trunc(nowMs)} AS BIGINT))`;
}

function currentPrecision(call: Call): number {
  checkCount(call, 0, 1);
  if (call.count === 0) return 3;
  const { number } = call.value(0);
  if (number === undefined || number < 0 || number > 6)
    return call.refuse(`${call.name} takes a precision from 0 to 6`);
  return number;
}

const current: FunctionRule = (call) => {
  const precision = currentPrecision(call);
  const unit = precision >= 3 ? 'milliseconds' : 'second';
  return { sql: `date_trunc('${unit}', ${now(call)})`, type: timestampWithZone(precision) };
};

const withTimezone: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = time(call, 0);
  const zone = readZone(call.literal(1, 'the zone'));
  if (zone === undefined) return call.refuse('There is no such time zone');
  if (type.kind !== 'timestamp') return call.refuse('with_timezone takes a timestamp without time zone');
  return give(call, fromLocal(sql, zone), timestampWithZone(type.precision, zone));
};

const atTimezone: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = time(call, 0);
  const zone = readZone(call.literal(1, 'the zone'));
  if (zone === undefined) return call.refuse('There is no such time zone');
  if (type.kind !== 'timestamptz') return call.refuse('at_timezone takes a timestamp with time zone');
  return give(call, sql, timestampWithZone(type.precision, zone));
};

const zonePart =
  (write: (minutes: number) => number): FunctionRule =>
  (call) => {
    checkCount(call, 1);
    const { type } = time(call, 0);
    const minutes = type.kind === 'timestamptz' ? offsetMinutes(type.zone) : undefined;
    if (minutes === undefined)
      return call.refuse(`${call.name} takes a timestamp with a time zone of fixed offset`);
    return give(call, `CAST(${write(minutes)} AS BIGINT)`, bigint);
  };

/** Date and time functions. */
export const timeFunctions: FunctionTable = {
  year: monthsPart('year', (months) => `${months} // 12`),
  quarter: part('quarter'),
  month: monthsPart('month', (months) => `${months} % 12`),
  week: part('week'),
  week_of_year: part('week'),
  day(call) {
    const { sql, type } = call.value(0);
    if (type.kind === 'interval-day') return give(call, `(${sql} // 86400000)`, bigint);
    return part('day')(call);
  },
  day_of_month: part('day'),
  day_of_week: part('isodow'),
  dow: part('isodow'),
  day_of_year: part('dayofyear'),
  doy: part('dayofyear'),
  year_of_week: part('isoyear'),
  yow: part('isoyear'),
  hour: clockPart('hour', 3_600_000, 24),
  minute: clockPart('minute', 60_000, 60),
  second: clockPart('second', 1000, 60),
  millisecond(call) {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    if (type.kind === 'interval-day') return give(call, `CAST(${sql} % 1000 AS BIGINT)`, bigint);
    if (type.kind === 'date') return call.refuse('A date has no millisecond');
    if (type.kind === 'time') return give(call, `CAST(millisecond(${sql}) % 1000 AS BIGINT)`, bigint);
    return give(call, `CAST(millisecond(${time(call, 0).local}) % 1000 AS BIGINT)`, bigint);
  },
  timezone_hour: zonePart((minutes) => Math.trunc(minutes / 60)),
  timezone_minute: zonePart((minutes) => minutes % 60),
  date_trunc: dateTrunc,
  date_add: dateAdd,
  date_diff: dateDiff,
  date_format: dateFormat,
  date_parse(call) {
    checkCount(call, 2);
    return give(call, parsing(call, mysqlFormat(call.literal(1, 'the format'), 'read')), timestamp(3));
  },
  format_datetime: formatDatetime,
  parse_datetime(call) {
    checkCount(call, 2);
    const format = jodaFormat(call.literal(1, 'the format'), 'read', undefined);
    return give(call, parsing(call, format), timestampWithZone(3));
  },
  from_iso8601_timestamp: fromIsoTimestamp,
  from_iso8601_date(call) {
    checkCount(call, 1);
    return give(call, castTo(call.as(0, varchar), date, call.place, call.at).sql, date);
  },
  to_iso8601: toIso,
  from_unixtime: fromUnixtime,
  to_unixtime(call) {
    checkCount(call, 1);
    const { sql, type } = time(call, 0);
    return give(call, `epoch(${type.kind === 'date' ? `CAST(${sql} AS TIMESTAMP)` : sql})`, double);
  },
  date(call) {
    checkCount(call, 1);
    return give(call, castTo(call.value(0), date, call.place, call.at).sql, date);
  },
  last_day_of_month(call) {
    checkCount(call, 1);
    return give(call, `last_day(${time(call, 0).local})`, date);
  },
  now: current,
  current_timestamp: current,
  current_date(call) {
    checkCount(call, 0);
    return { sql: `CAST(${now(call)} AS DATE)`, type: date };
  },
  localtimestamp(call) {
    const { sql } = current(call);
    return { sql, type: timestamp(currentPrecision(call)) };
  },
  localtime(call) {
    const precision = currentPrecision(call);
    return { sql: `CAST(${current(call).sql} AS TIME)`, type: { kind: 'time', precision } };
  },
  current_timezone(call) {
    checkCount(call, 0);
    return { sql: "'UTC'", type: varchar };
  },
  with_timezone: withTimezone,
  at_timezone: atTimezone,
  to_milliseconds: plain([intervalDay], bigint, (interval = '') => interval),
};
