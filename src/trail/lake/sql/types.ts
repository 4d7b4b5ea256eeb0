/**
 * The types of Trino as far as this language has them, each with the DuckDB type that holds it. Some values are
 * held otherwise than the engine would hold them, so that its session cannot change what they mean:
 * a timestamp with time zone is the instant as a TIMESTAMP in UTC and its zone is part of the type, an interval day
 * to second is a number of milliseconds (BIGINT), an interval year to month a number of months (INTEGER), JSON is
 * its text (VARCHAR), an address of IP its 16 bytes (BLOB).
 */
export type SqlType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'varchar'; readonly length?: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp' | 'time'; readonly precision: number }
  | { readonly kind: 'timestamptz'; readonly precision: number; readonly zone: string }
  | { readonly kind: 'array'; readonly element: SqlType }
  | { readonly kind: 'map'; readonly key: SqlType; readonly value: SqlType }
  | { readonly kind: 'row'; readonly fields: readonly RowField[] };

export type SimpleKind =
  | 'unknown'
  | 'boolean'
  | 'tinyint'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'double'
  | 'varbinary'
  | 'date'
  | 'json'
  | 'ipaddress'
  | 'interval-day'
  | 'interval-month';

/** A field of a row: its name if it has one, and what the engine's STRUCT calls it. */
export interface RowField {
  readonly name?: string;
  readonly physical: string;
  readonly type: SqlType;
}

export const unknown: SqlType = { kind: 'unknown' };
export const boolean: SqlType = { kind: 'boolean' };
export const integer: SqlType = { kind: 'integer' };
export const bigint: SqlType = { kind: 'bigint' };
export const double: SqlType = { kind: 'double' };
export const varchar: SqlType = { kind: 'varchar' };
export const varbinary: SqlType = { kind: 'varbinary' };
export const date: SqlType = { kind: 'date' };
export const json: SqlType = { kind: 'json' };
export const ipAddress: SqlType = { kind: 'ipaddress' };
export const intervalDay: SqlType = { kind: 'interval-day' };
export const intervalMonth: SqlType = { kind: 'interval-month' };

export function timestamp(precision = 3): SqlType {
  return { kind: 'timestamp', precision };
}

export function timestampWithZone(precision = 3, zone = 'UTC'): SqlType {
  return { kind: 'timestamptz', precision, zone };
}

export function arrayOf(element: SqlType): SqlType {
  return { kind: 'array', element };
}

export function mapOf(key: SqlType, value: SqlType): SqlType {
  return { kind: 'map', key, value };
}

/** A row whose fields have no names. */
export function rowOf(types: readonly SqlType[]): SqlType {
  return { kind: 'row', fields: types.map((type, index) => ({ physical: `f${index}`, type })) };
}

const integers = ['tinyint', 'smallint', 'integer', 'bigint'];

export function isInteger(type: SqlType): boolean {
  return integers.includes(type.kind);
}

export function isNumeric(type: SqlType): boolean {
  return isInteger(type) || ['decimal', 'real', 'double'].includes(type.kind);
}

export function isFloating(type: SqlType): boolean {
  return type.kind === 'real' || type.kind === 'double';
}

/** The type as Trino's typeof() shows it. */
export function typeText(type: SqlType): string {
  switch (type.kind) {
    case 'varchar':
      return type.length === undefined ? 'varchar' : `varchar(${type.length})`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
    case 'time':
      return `${type.kind}(${type.precision})`;
    case 'timestamptz':
      return `timestamp(${type.precision}) with time zone`;
    case 'array':
      return `array(${typeText(type.element)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'row':
      return `row(${type.fields.map((field) => fieldText(field)).join(', ')})`;
    case 'interval-day':
      return 'interval day to second';
    case 'interval-month':
      return 'interval year to month';
    case 'unknown':
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'real':
    case 'double':
    case 'varbinary':
    case 'date':
    case 'json':
    case 'ipaddress':
      return type.kind;
  }
}

function fieldText({ name, type }: RowField): string {
  if (name === undefined) return typeText(type);
  return `${/^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name}"`} ${typeText(type)}`;
}

/** The DuckDB type that holds it. */
export function engineType(type: SqlType): string {
  switch (type.kind) {
    case 'unknown':
      return 'INTEGER';
    case 'varchar':
    case 'json':
      return 'VARCHAR';
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'timestamp':
    case 'timestamptz':
      return 'TIMESTAMP';
    case 'time':
      return 'TIME';
    case 'interval-day':
      return 'BIGINT';
    case 'interval-month':
      return 'INTEGER';
    case 'varbinary':
    case 'ipaddress':
      return 'BLOB';
    case 'real':
      return 'FLOAT';
    case 'array':
      return `${engineType(type.element)}[]`;
    case 'map':
      return `MAP(${engineType(type.key)}, ${engineType(type.value)})`;
    case 'row':
      return `STRUCT(${type.fields.map((field) => `${quoteName(field.physical)} ${engineType(field.type)}`).join(', ')})`;
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'date':
      return type.kind.toUpperCase();
  }
}

/** An identifier for the engine. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string for the engine: its only special character is the quote, and NUL cannot stand in SQL text. */
export function quoteText(text: string): string {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' || chr(0) || ')})`;
}

/** What two numbers become when they meet: the smallest type that holds both. */
function commonNumber(left: SqlType, right: SqlType): SqlType {
  if (left.kind === 'double' || right.kind === 'double') return double;
  if (left.kind === 'real' || right.kind === 'real') return { kind: 'real' };
  if (left.kind !== 'decimal' && right.kind !== 'decimal')
    return integers.indexOf(left.kind) > integers.indexOf(right.kind) ? left : right;
  const [one, other] = [asDecimal(left), asDecimal(right)];
  const scale = Math.max(one.scale, other.scale);
  const whole = Math.max(one.precision - one.scale, other.precision - other.scale);
  return { kind: 'decimal', precision: Math.min(38, whole + scale), scale };
}

/** The decimal that holds an integer or decimal type. */
export function asDecimal(type: SqlType): { readonly precision: number; readonly scale: number } {
  if (type.kind === 'decimal') return type;
  const precision = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }[type.kind as string] ?? 19;
  return { precision, scale: 0 };
}

function commonTime(left: SqlType, right: SqlType): SqlType | undefined {
  const rank = (type: SqlType): number => ['date', 'timestamp', 'timestamptz'].indexOf(type.kind);
  if (rank(left) < 0 || rank(right) < 0) return undefined;
  const [low, high] = rank(left) <= rank(right) ? [left, right] : [right, left];
  if (high.kind === 'date') return high;
  const precision = Math.max(
    'precision' in low ? low.precision : 0,
    'precision' in high ? high.precision : 0,
  );
  if (high.kind === 'timestamptz') {
    const zone = low.kind === 'timestamptz' && low.zone !== high.zone ? 'mixed' : high.zone;
    return { kind: 'timestamptz', precision, zone };
  }
  return timestamp(precision);
}

function commonRow(left: readonly RowField[], right: readonly RowField[]): SqlType | undefined {
  if (left.length !== right.length) return undefined;
  const fields: RowField[] = [];
  for (const [index, field] of left.entries()) {
    const other = right[index] as RowField;
    const type = commonType(field.type, other.type);
    if (!type) return undefined;
    const same = field.name !== undefined && field.name.toLowerCase() === other.name?.toLowerCase();
    fields.push(
      same ? { name: field.name, physical: field.physical, type } : { physical: `f${index}`, type },
    );
  }
  return { kind: 'row', fields };
}

/** The type that two values take to stand in one column; undefined if there is none. */
export function commonType(left: SqlType, right: SqlType): SqlType | undefined {
  if (left.kind === 'unknown') return right;
  if (right.kind === 'unknown') return left;
  if (isNumeric(left) && isNumeric(right)) return commonNumber(left, right);
  if (left.kind === 'varchar' && right.kind === 'varchar') {
    if (left.length === undefined || right.length === undefined) return varchar;
    return { kind: 'varchar', length: Math.max(left.length, right.length) };
  }
  if (left.kind === 'time' && right.kind === 'time')
    return { kind: 'time', precision: Math.max(left.precision, right.precision) };
  if (left.kind === 'array' && right.kind === 'array') {
    const element = commonType(left.element, right.element);
    return element && arrayOf(element);
  }
  if (left.kind === 'map' && right.kind === 'map') {
    const key = commonType(left.key, right.key);
    const value = commonType(left.value, right.value);
    return key && value && mapOf(key, value);
  }
  if (left.kind === 'row' && right.kind === 'row') return commonRow(left.fields, right.fields);
  if (left.kind === right.kind && left.kind !== 'timestamp' && left.kind !== 'timestamptz') return left;
  return commonTime(left, right);
}

/** Whether the two are held and meant alike. */
export function sameType(left: SqlType, right: SqlType): boolean {
  const zones = left.kind !== 'timestamptz' || right.kind !== 'timestamptz' || left.zone === right.zone;
  return typeText(left) === typeText(right) && engineType(left) === engineType(right) && zones;
}

/** Whether a value can be compared for order. */
export function isOrderable(type: SqlType): boolean {
  return !['map', 'row', 'array', 'json'].includes(type.kind);
}

/** Whether values can be told apart with =, DISTINCT and GROUP BY. */
export function isComparable(type: SqlType): boolean {
  if (type.kind === 'array') return isComparable(type.element);
  if (type.kind === 'map') return isComparable(type.key) && isComparable(type.value);
  if (type.kind === 'row') return type.fields.every((field) => isComparable(field.type));
  return type.kind !== 'json';
}
