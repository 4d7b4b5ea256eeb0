import type { TypeName } from '../ast.ts';
import { refuse } from '../refusal.ts';
import {
  arrayOf,
  engineType,
  isFloating,
  isInteger,
  isNumeric,
  mapOf,
  sameType,
  timestamp,
  timestampWithZone,
  typeText,
} from '../types.ts';
import type { RowField, SqlType } from '../types.ts';
import { fromLocal, toLocal } from '../zones.ts';
import { fromJson, toJson } from './cast-json.ts';
import { fromText, rounded, toText } from './cast-text.ts';
import { coerce, isCoercible } from './coerce.ts';
import { failing, readField, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

const kinds: Readonly<Record<string, SqlType['kind']>> = {
  boolean: 'boolean',
  tinyint: 'tinyint',
  smallint: 'smallint',
  int: 'integer',
  integer: 'integer',
  bigint: 'bigint',
  real: 'real',
  double: 'double',
  varbinary: 'varbinary',
  date: 'date',
  json: 'json',
  ipaddress: 'ipaddress',
};

function precisionOf({ name, numbers, at }: TypeName): number {
  const precision = numbers[0] ?? 3;
  if (precision > 6)
    refuse(at, `${name}(${precision}) is not supported; a ${name} has at most 6 digits of a second`);
  return precision;
}

function rowType(type: TypeName): SqlType {
  const fields = type.parameters.map(({ name, type: field }, index): RowField => {
    const read = readTypeName(field);
    return name
      ? { name: name.text, physical: name.text, type: read }
      : { physical: `f${index}`, type: read };
  });
  const names = fields.map((field) => field.physical.toLowerCase());
  if (new Set(names).size < names.length) refuse(type.at, 'Two fields of a row have the same name');
  return { kind: 'row', fields };
}

/** The type that a CAST names. */
export function readTypeName(type: TypeName): SqlType {
  const { name, numbers, parameters, at } = type;
  switch (name) {
    case 'varchar':
      if (numbers[0] === 0) refuse(at, 'varchar(0) is not supported');
      return numbers[0] === undefined ? { kind: 'varchar' } : { kind: 'varchar', length: numbers[0] };
    case 'decimal':
    case 'dec':
    case 'numeric': {
      const [precision = 38, scale = 0] = numbers;
      if (precision < 1 || precision > 38 || scale > precision)
        refuse(at, `decimal(${precision},${scale}) is no decimal`);
      return { kind: 'decimal', precision, scale };
    }
    case 'timestamp':
      return type.withTimeZone ? timestampWithZone(precisionOf(type)) : timestamp(precisionOf(type));
    case 'time':
      if (type.withTimeZone) refuse(at, 'time with time zone is not supported');
      return { kind: 'time', precision: precisionOf(type) };
    case 'array':
      if (parameters.length !== 1) refuse(at, 'An array type is written array(bigint)');
      return arrayOf(readTypeName(parameters[0]?.type as TypeName));
    case 'map':
      if (parameters.length !== 2) refuse(at, 'A map type is written map(varchar, bigint)');
      return mapOf(
        readTypeName(parameters[0]?.type as TypeName),
        readTypeName(parameters[1]?.type as TypeName),
      );
    case 'row':
      return rowType(type);
    default: {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined || numbers.length > 0)
        refuse(at, `The type ${name.slice(0, 40)} is not supported`);
      return { kind } as SqlType;
    }
  }
}
function scalarCast(value: Typed, to: SqlType): string | undefined {
  const { sql, type: from } = value;
  const held = engineType(to);
  if (isNumeric(from) && isNumeric(to)) {
    const narrows = isInteger(to) && (isFloating(from) || from.kind === 'decimal');
    return narrows ? `CAST(round(${sql}) AS ${held})` : `CAST(${sql} AS ${held})`;
  }
  if (from.kind === 'boolean' && isNumeric(to)) return `CAST(${sql} AS ${held})`;
  if (isNumeric(from) && to.kind === 'boolean') return `(${sql} <> 0)`;
  if (from.kind === 'timestamp') {
    if (to.kind === 'date') return `CAST(${sql} AS DATE)`;
    if (to.kind === 'time') return `CAST(${sql} AS TIME)`;
    if (to.kind === 'timestamp' || to.kind === 'timestamptz')
      return rounded(sql, from.precision, to.precision);
  }
  if (from.kind === 'timestamptz') {
    const local = toLocal(sql, from.zone);
    if (to.kind === 'date') return `CAST(${local} AS DATE)`;
    if (to.kind === 'time') return `CAST(${local} AS TIME)`;
    if (to.kind === 'timestamp') return rounded(local, from.precision, to.precision);
    if (to.kind === 'timestamptz') return rounded(sql, from.precision, to.precision);
  }
  if (from.kind === 'date' && to.kind === 'timestamptz')
    return fromLocal(`CAST(${sql} AS TIMESTAMP)`, to.zone);
  return undefined;
}

/** Casts inside arrays, maps and rows, value by value. */
function nestedCast(value: Typed, to: SqlType, place: Place, at: number): string | undefined {
  const { sql, type: from } = value;
  if (from.kind === 'array' && to.kind === 'array')
    return `list_transform(${sql}, lambda "x": ${castTo({ sql: '"x"', type: from.element }, to.element, place, at).sql})`;
  if (from.kind === 'map' && to.kind === 'map') {
    const key = castTo({ sql: '"x"', type: from.key }, to.key, place, at).sql;
    const element = castTo({ sql: '"x"', type: from.value }, to.value, place, at).sql;
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE map(list_transform(map_keys(${sql}), lambda "x": ${key}), list_transform(map_values(${sql}), lambda "x": ${element})) END`;
  }
  if (from.kind !== 'row' || to.kind !== 'row' || from.fields.length !== to.fields.length) return undefined;
  return withOperands([sql], (row) => {
    const parts = to.fields.map((field, index) => {
      const source = from.fields[index] as RowField;
      const inner = castTo({ sql: readField(row, source), type: source.type }, field.type, place, at).sql;
      return `'${field.physical.replaceAll("'", "''")}': ${inner}`;
    });
    return `CASE WHEN ${row} IS NULL THEN NULL ELSE {${parts.join(', ')}} END`;
  });
}

/** CAST, as Trino converts. */
export function castTo(value: Typed, wanted: SqlType, place: Place, at: number): Typed {
  const from = value.type;
  const to =
    wanted.kind === 'timestamptz' && from.kind === 'timestamptz' ? { ...wanted, zone: from.zone } : wanted;
  const as = (sql: string): Typed => ({ sql, type: to, loose: value.loose });
  if (from.kind === 'unknown') return as(`CAST(NULL AS ${engineType(to)})`);
  if (to.kind === 'varchar') {
    const text =
      from.kind === 'json' ? fromJson(value.sql, { kind: 'varchar' }, place, at) : toText(value, at);
    const { length } = to;
    if (length === undefined || (from.kind === 'varchar' && (from.length ?? Infinity) <= length))
      return { ...as(text), text: value.text };
    if (from.kind === 'varchar') return as(`left(${text}, ${length})`);
    const fail = failing(place, `The value cannot be represented as varchar(${length})`, 'VARCHAR');
    return as(
      withOperands([text], (long) => `CASE WHEN length(${long}) > ${length} THEN ${fail} ELSE ${long} END`),
    );
  }
  if (sameType(from, to)) return as(value.sql);
  if (to.kind === 'json') return as(toJson(value, at));
  if (from.kind === 'varchar') return as(fromText(value.sql, to, place, at));
  if (from.kind === 'json') return as(fromJson(value.sql, to, place, at));
  const sql = scalarCast(value, to) ?? nestedCast(value, to, place, at);
  if (sql !== undefined) return as(sql);
  if (isCoercible(from, to)) return coerce(value, to, at, 'CAST');
  return refuse(
    at,
    `CAST from ${typeText(from).slice(0, 100)} to ${typeText(to).slice(0, 100)} is not supported`,
  );
}

/** TRY_CAST: NULL where CAST fails. */
export function tryCast(value: Typed, to: SqlType, place: Place, at: number): Typed {
  const cast = castTo(value, to, { ...place, trying: true }, at);
  return { ...cast, sql: `TRY(${cast.sql})` };
}
