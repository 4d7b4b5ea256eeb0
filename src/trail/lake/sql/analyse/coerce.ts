import { refuse } from '../refusal.ts';
import { commonType, engineType, isInteger, isNumeric, sameType, typeText, varchar } from '../types.ts';
import type { SqlType } from '../types.ts';
import { fromLocal, fromLocalLiteral, readTimestamp } from '../zones.ts';
import { readField, withOperands } from './typed.ts';
import type { Typed } from './typed.ts';

function coerceRow(
  sql: string,
  from: SqlType & { kind: 'row' },
  to: SqlType & { kind: 'row' },
): string | undefined {
  const parts: string[] = [];
  for (const [index, field] of to.fields.entries()) {
    const source = from.fields[index];
    if (!source) return undefined;
    const value = coerceSql(readField(sql, source), source.type, field.type);
    if (value === undefined) return undefined;
    parts.push(`'${field.physical.replaceAll("'", "''")}': ${value}`);
  }
  if (to.fields.length !== from.fields.length) return undefined;
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE {${parts.join(', ')}} END`;
}

/** What Trino converts without being told: numbers to wider ones, dates to timestamps, and so inside arrays, maps, rows. */
function coerceSql(sql: string, from: SqlType, to: SqlType): string | undefined {
  if (sameType(from, to)) return sql;
  if (from.kind === 'unknown') return `CAST(${sql} AS ${engineType(to)})`;
  if (from.kind === 'varchar' && to.kind === 'varchar') return sql;
  if (isNumeric(from) && isNumeric(to)) return `CAST(${sql} AS ${engineType(to)})`;
  if (from.kind === 'date' && to.kind === 'timestamp') return `CAST(${sql} AS TIMESTAMP)`;
  if (from.kind === 'date' && to.kind === 'timestamptz') return fromLocal(`CAST(${sql} AS TIMESTAMP)`, 'UTC');
  if (from.kind === 'timestamp' && (to.kind === 'timestamp' || to.kind === 'timestamptz')) return sql;
  if (from.kind === 'timestamptz' && to.kind === 'timestamptz') return sql;
  if (from.kind === 'time' && to.kind === 'time') return sql;
  if (from.kind === 'array' && to.kind === 'array') {
    if (from.element.kind === 'unknown') return `CAST(${sql} AS ${engineType(to)})`;
    const element = coerceSql('"e"', from.element, to.element);
    return element === undefined
      ? undefined
      : element === '"e"'
        ? sql
        : `list_transform(${sql}, lambda "e": ${element})`;
  }
  if (from.kind === 'map' && to.kind === 'map') {
    const key = from.key.kind === 'unknown' ? '' : coerceSql('"k"', from.key, to.key);
    const value = from.value.kind === 'unknown' ? '' : coerceSql('"v"', from.value, to.value);
    if (key === undefined || value === undefined) return undefined;
    return engineType(from) === engineType(to) ? sql : `CAST(${sql} AS ${engineType(to)})`;
  }
  if (from.kind === 'row' && to.kind === 'row')
    return withOperands([sql], (row) => coerceRow(row, from, to) ?? '') || undefined;
  return undefined;
}

/** Whether a value of the first type may stand where the second is wanted, without a cast. */
export function isCoercible(from: SqlType, to: SqlType): boolean {
  if (sameType(from, to) || from.kind === 'unknown') return true;
  const common = commonType(from, to);
  if (!common) return false;
  if (common.kind === 'varchar' && to.kind === 'varchar') return true;
  if (isInteger(from) && to.kind === 'decimal') return true;
  if (common.kind === to.kind && ['timestamp', 'timestamptz', 'time'].includes(to.kind)) return true;
  if (common.kind === to.kind && ['array', 'map', 'row', 'decimal'].includes(to.kind)) return true;
  return sameType(common, to);
}

/** The value as that type; refuses what Trino would not convert by itself. */
export function coerce(value: Typed, to: SqlType, at: number, what: string): Typed {
  if (sameType(value.type, to)) return value;
  const sql = isCoercible(value.type, to) ? coerceSql(value.sql, value.type, to) : undefined;
  if (sql === undefined) refuse(at, `${what} takes ${typeText(to)}, not ${typeText(value.type)}`);
  return { ...value, sql, type: to };
}

/** One type for several values, and the values in it. */
export function unify(
  values: readonly Typed[],
  at: number,
  what: string,
): { values: Typed[]; type: SqlType } {
  let type: SqlType = { kind: 'unknown' };
  for (const value of values) {
    const common = commonType(type, value.type);
    if (!common) refuse(at, `${what} cannot have both ${typeText(type)} and ${typeText(value.type)}`);
    type = common;
  }
  if (type.kind === 'timestamptz' && type.zone === 'mixed')
    refuse(at, `${what} cannot have values of several time zones; bring them to one with AT TIME ZONE`);
  return { values: values.map((value) => coerce(value, type, at, what)), type };
}

/**
 * A string literal that stands beside a timestamp or date, read as one: CloudTrail Lake's documented queries compare
 * eventTime with strings ("CloudTrail Lake queries"). Any other value is given back as it is.
 */
export function readBesideTime(value: Typed, other: SqlType, at: number): Typed {
  if (value.text === undefined || value.type.kind !== 'varchar') return value;
  if (!['timestamp', 'timestamptz', 'date'].includes(other.kind)) return value;
  const read = readTimestamp(value.text);
  if (!read)
    refuse(
      at,
      `The string ${value.text.slice(0, 40)} is compared with a time and is none; write it like 2024-05-01 12:30:00`,
    );
  const { text, precision, zone } = read;
  if (other.kind === 'date' && zone === undefined && text.endsWith(' 00:00:00'))
    return { sql: `DATE '${text.slice(0, 10)}'`, type: { kind: 'date' } };
  const clocks = zone ?? (other.kind === 'timestamptz' ? other.zone : 'UTC');
  const sql = fromLocalLiteral(read, clocks);
  if (sql === undefined) refuse(at, `The clocks of ${clocks} never show '${text}'`);
  if (zone === undefined) return { sql, type: { kind: 'timestamp', precision } };
  return { sql, type: { kind: 'timestamptz', precision, zone } };
}

/** Two values in one type, for comparison. */
export function unifyPair(
  one: Typed,
  two: Typed,
  at: number,
  what: string,
): { left: Typed; right: Typed; type: SqlType } {
  const left = readBesideTime(one, two.type, at);
  const right = readBesideTime(two, one.type, at);
  const type = commonType(left.type, right.type);
  if (!type) refuse(at, `${what} cannot compare ${typeText(left.type)} with ${typeText(right.type)}`);
  return { left: coerce(left, type, at, what), right: coerce(right, type, at, what), type };
}

/** A value's text, if it is varchar. */
export function asVarchar(value: Typed, at: number, what: string): string {
  return coerce(value, varchar, at, what).sql;
}
