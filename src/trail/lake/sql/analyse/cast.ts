import type { TypeName } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { arrayOf, engineType, isFloating, isInteger, isNumeric, mapOf, sameType, timestamp, timestampWithZone, typeText } from '../types.ts';
import type { RowField, SqlType } from '../types.ts';
import { fromLocal, toLocal } from '../zones.ts';
import { isCoercible, coerce } from './coerce.ts';
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
};

function precisionOf({ name, numbers, at }: TypeName): number {
  const precision = numbers[0] ?? 3;
  if (precision > 6) refuse(at, `${name}(${precision}) is not supported; a ${name} has at most 6 digits of a second`);
  return precision;
}

function rowType(type: TypeName): SqlType {
  const fields = type.parameters.map(({ name, type: field }, index): RowField => {
    const read = readTypeName(field);
    return name ? { name: name.text, physical: name.text, type: read } : { physical: `f${index}`, type: read };
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
      if (precision < 1 || precision > 38 || scale > precision) refuse(at, `decimal(${precision},${scale}) is no decimal`);
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
      return mapOf(readTypeName(parameters[0]?.type as TypeName), readTypeName(parameters[1]?.type as TypeName));
    case 'row':
      return rowType(type);
    default: {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined || numbers.length > 0) refuse(at, `The type ${name.slice(0, 40)} is not supported`);
      return { kind } as SqlType;
    }
  }
}

/** A double as Trino shows it: 1.0E0, 3.77E1, 0E0, Infinity. The engine's text has the same digits. */
function floatText(sql: string): string {
  return withOperands([sql], (value) => {
    const fields: readonly (readonly [string, string])[] = [
      ['t', `CAST(abs(${value}) AS VARCHAR)`],
      ['w', `split_part(split_part("t"."t", 'e', 1), '.', 1)`],
      ['f', `split_part(split_part("t"."t", 'e', 1), '.', 2)`],
      ['x', `CASE WHEN contains("t"."t", 'e') THEN CAST(split_part("t"."t", 'e', 2) AS INTEGER) ELSE 0 END`],
    ];
    const [text, ...rest] = fields.map(([name, written]) => `'${name}': ${written}`);
    const digits = `ltrim("d"."w" || "d"."f", '0')`;
    const fraction = `rtrim(substr(${digits}, 2), '0')`;
    const exponent = `CASE WHEN "d"."w" <> '0' THEN length("d"."w") - 1 ELSE length(ltrim("d"."f", '0')) - length("d"."f") - 1 END + "d"."x"`;
    const written =
      `CASE WHEN ${value} < 0 THEN '-' ELSE '' END || left(${digits}, 1) || '.' || ` +
      `CASE WHEN ${fraction} = '' THEN '0' ELSE ${fraction} END || 'E' || CAST(${exponent} AS VARCHAR)`;
    const parsed = `list_transform(list_transform([{${text}}], lambda "t": {${rest.join(', ')}}), lambda "d": ${written})[1]`;
    return (
      `CASE WHEN ${value} IS NULL THEN NULL WHEN isnan(${value}) THEN 'NaN' ` +
      `WHEN isinf(${value}) THEN CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END ` +
      `WHEN ${value} = 0 THEN CASE WHEN signbit(${value}) THEN '-0E0' ELSE '0E0' END ELSE ${parsed} END`
    );
  });
}

function timeFormat(sql: string, precision: number, format: string): string {
  if (precision === 0) return `strftime(${sql}, '${format}')`;
  const micros = `strftime(${sql}, '${format}.%f')`;
  return precision === 6 ? micros : `left(${micros}, -${6 - precision})`;
}

/** A timestamp as text, with as many digits of a second as its type has. */
export function timestampText(sql: string, precision: number): string {
  return timeFormat(sql, precision, '%Y-%m-%d %H:%M:%S');
}

function toText(value: Typed, at: number): string {
  const { sql, type } = value;
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'decimal':
    case 'date':
      return `CAST(${sql} AS VARCHAR)`;
    case 'real':
    case 'double':
      return floatText(type.kind === 'real' ? `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)` : sql);
    case 'timestamp':
      return timestampText(sql, type.precision);
    case 'timestamptz':
      return `(${timestampText(toLocal(sql, type.zone), type.precision)} || ' ${type.zone}')`;
    case 'time':
      return timeFormat(`(DATE '1970-01-01' + ${sql})`, type.precision, '%H:%M:%S');
    case 'json':
      return jsonScalar(sql);
    case 'unknown':
    case 'varchar':
      return sql;
    case 'interval-day':
      return intervalDayText(sql);
    case 'interval-month':
      return intervalMonthText(sql);
    case 'varbinary':
    case 'array':
    case 'map':
    case 'row':
      return refuse(at, `CAST from ${typeText(type).slice(0, 100)} to varchar is not supported${type.kind === 'varbinary' ? '; use from_utf8 or to_hex' : '; cast to JSON and use json_format'}`);
  }
}

/** Months as `years-months`. */
export function intervalMonthText(sql: string): string {
  return withOperands(
    [sql],
    (value) =>
      `(CASE WHEN ${value} < 0 THEN '-' ELSE '' END || CAST(abs(${value}) // 12 AS VARCHAR) || '-' || CAST(abs(${value}) % 12 AS VARCHAR))`,
  );
}

/** Milliseconds as `days hours:minutes:seconds.milliseconds`. */
export function intervalDayText(sql: string): string {
  return withOperands(
    [sql],
    (value) =>
      `(CASE WHEN ${value} < 0 THEN '-' ELSE '' END || CAST(abs(${value}) // 86400000 AS VARCHAR) || ' ' || ` +
      `strftime(epoch_ms(abs(${value}) % 86400000), '%H:%M:%S.%g'))`,
  );
}

/** The text of a JSON string, number or boolean. */
function jsonScalar(sql: string): string {
  return withOperands([sql], (value) => `CASE json_type(${value}) WHEN 'NULL' THEN NULL ELSE json_extract_string(${value}, '$') END`);
}

/** A timestamp rounded to the digits of its type, as a CAST to fewer digits does. */
function rounded(sql: string, from: number, to: number): string {
  if (from <= to) return sql;
  const unit = 10 ** (6 - to);
  return withOperands([sql], (value) => `make_timestamp(CAST(floor((epoch_us(${value}) + ${unit / 2}) / ${unit}) AS BIGINT) * ${unit})`);
}

const timestampStart = String.raw`^\s*\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,6})?)?)?`;
const timestampShape = String.raw`${timestampStart}\s*$`;
const zonedShape = String.raw`${timestampStart}( UTC)?\s*$`;

function fromText(sql: string, to: SqlType, place: Place, at: number): string {
  const held = engineType(to);
  const checked = (shape: string, write: (value: string) => string): string =>
    withOperands([sql], (value) =>
      `CASE WHEN ${value} IS NULL OR regexp_matches(${value}, '${shape}') THEN ${write(value)} ` +
      `ELSE ${failing(place, `Value cannot be cast to ${typeText(to)}`, held)} END`,
    );
  switch (to.kind) {
    case 'boolean':
      return checked('^(?i:t|true|1|f|false|0)$', (value) => `(lower(${value}) IN ('t', 'true', '1'))`);
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return checked(String.raw`^\s*[+-]?\d+\s*$`, (value) => `CAST(trim(${value}) AS ${held})`);
    case 'decimal':
    case 'real':
    case 'double':
      return checked(String.raw`^\s*[+-]?(\d+(\.\d*)?|\.\d+|(?i:infinity|nan))([eE][+-]?\d+)?\s*$`, (value) => `CAST(trim(${value}) AS ${held})`);
    case 'date':
      return checked(String.raw`^\s*\d{4,}-\d{1,2}-\d{1,2}\s*$`, (value) => `CAST(trim(${value}) AS DATE)`);
    case 'timestamp':
      return rounded(checked(timestampShape, (value) => `CAST(${padded(value)} AS TIMESTAMP)`), 6, to.precision);
    case 'timestamptz':
      return rounded(checked(zonedShape, (value) => `CAST(${padded(`regexp_replace(${value}, ' UTC\\s*$', '')`)} AS TIMESTAMP)`), 6, to.precision);
    case 'time':
      return checked(String.raw`^\s*\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s*$`, (value) => `CAST(CASE WHEN length(trim(${value})) < 6 THEN trim(${value}) || ':00' ELSE trim(${value}) END AS TIME)`);
    case 'json':
      return `CAST(to_json(${sql}) AS VARCHAR)`;
    case 'varbinary':
      return refuse(at, 'CAST from varchar to varbinary is not supported; use to_utf8');
    default:
      return refuse(at, `CAST from varchar to ${typeText(to).slice(0, 100)} is not supported; use json_parse and cast that`);
  }
}

/** The engine wants seconds, which Trino lets one leave out. */
function padded(value: string): string {
  return `CASE WHEN regexp_matches(trim(${value}), ' \\d{1,2}:\\d{1,2}$') THEN trim(${value}) || ':00' ELSE trim(${value}) END`;
}

/** JSON to a type: what Trino would not convert fails. */
function fromJson(sql: string, to: SqlType, place: Place, at: number): string {
  const held = engineType(to);
  const fail = failing(place, `JSON cannot be cast to ${typeText(to)}`, held);
  const isNull = (value: string): string => `${value} IS NULL OR json_type(${value}) = 'NULL'`;
  if (to.kind === 'array') {
    const element = fromJson('"j"', to.element, place, at);
    return withOperands([sql], (value) =>
      `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) <> 'ARRAY' THEN ${fail} ` +
      `ELSE list_transform(CAST(${value} AS JSON[]), lambda "j": ${element}) END`,
    );
  }
  if (to.kind === 'map') {
    if (to.key.kind !== 'varchar') refuse(at, 'CAST from JSON takes maps whose keys are varchar');
    const element = fromJson(`json_extract("o", '$.' || CAST(to_json("j") AS VARCHAR))`, to.value, place, at);
    return withOperands([sql], (value) =>
      `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) <> 'OBJECT' THEN ${fail} ` +
      `ELSE map(json_keys(${value}), list_transform([${value}], lambda "o": list_transform(json_keys("o"), lambda "j": ${element}))[1]) END`,
    );
  }
  if (to.kind === 'row') {
    const field = (value: string, { name }: RowField, index: number): string =>
      name === undefined
        ? `json_extract(${value}, '$[${index}]')`
        : `CASE json_type(${value}) WHEN 'ARRAY' THEN json_extract(${value}, '$[${index}]') ELSE json_extract(${value}, ${pathText(name)}) END`;
    return withOperands([sql], (value) => {
      const parts = to.fields.map((part, index) => `'${part.physical.replaceAll("'", "''")}': ${fromJson(field(value, part, index), part.type, place, at)}`);
      return `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) NOT IN ('OBJECT', 'ARRAY') THEN ${fail} ELSE {${parts.join(', ')}} END`;
    });
  }
  if (to.kind === 'json') return `CAST(${sql} AS VARCHAR)`;
  const numbers = "'UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT', 'VARCHAR', 'BOOLEAN'";
  if (to.kind !== 'varchar' && to.kind !== 'boolean' && !isNumeric(to))
    refuse(at, `CAST from JSON to ${typeText(to)} is not supported`);
  return withOperands([sql], (value) => {
    const text = `json_extract_string(${value}, '$')`;
    const read = to.kind === 'varchar' ? text : jsonNumber(value, text, to);
    return `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) NOT IN (${numbers}) THEN ${fail} ELSE ${read} END`;
  });
}

function jsonNumber(value: string, text: string, to: SqlType): string {
  const held = engineType(to);
  const truth = `CASE ${text} WHEN 'true' THEN 1 ELSE 0 END`;
  if (to.kind === 'boolean')
    return `CASE json_type(${value}) WHEN 'BOOLEAN' THEN ${text} = 'true' WHEN 'VARCHAR' THEN CAST(${text} AS BOOLEAN) ELSE CAST(${text} AS DOUBLE) <> 0 END`;
  const number = isInteger(to) ? `CASE json_type(${value}) WHEN 'DOUBLE' THEN CAST(round(CAST(${text} AS DOUBLE)) AS ${held}) ELSE CAST(${text} AS ${held}) END` : `CAST(${text} AS ${held})`;
  return `CASE json_type(${value}) WHEN 'BOOLEAN' THEN CAST(${truth} AS ${held}) ELSE ${number} END`;
}

function pathText(name: string): string {
  return `'$."${name.replaceAll("'", "''")}"'`;
}

/** A value as JSON: times become strings as CAST to varchar writes them. */
function toJson(value: Typed, at: number): string {
  const { type, sql } = value;
  if (type.kind === 'json') return sql;
  if (type.kind === 'varbinary') refuse(at, 'CAST from varbinary to JSON is not supported');
  if (type.kind === 'array')
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json(list_transform(${sql}, lambda "t": CAST(coalesce(${toJson({ sql: '"t"', type: type.element }, at)}, 'null') AS JSON))) AS VARCHAR) END`;
  if (type.kind === 'row') {
    const parts = type.fields.map((field, index) => `'${(field.name ?? `field${index}`).replaceAll("'", "''")}': CAST(coalesce(${toJson({ sql: readField(sql, field), type: field.type }, at)}, 'null') AS JSON)`);
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json({${parts.join(', ')}}) AS VARCHAR) END`;
  }
  if (type.kind === 'map') {
    const inner = toJson({ sql: '"t"', type: type.value }, at);
    const key = toText({ sql: '"k"', type: type.key }, at);
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json(map(list_transform(map_keys(${sql}), lambda "k": ${key}), list_transform(map_values(${sql}), lambda "t": CAST(coalesce(${inner}, 'null') AS JSON)))) AS VARCHAR) END`;
  }
  if (['boolean', 'unknown'].includes(type.kind) || isNumeric(type)) return `CAST(to_json(${sql}) AS VARCHAR)`;
  return `CAST(to_json(${toText(value, at)}) AS VARCHAR)`;
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
    if (to.kind === 'timestamp' || to.kind === 'timestamptz') return rounded(sql, from.precision, to.precision);
  }
  if (from.kind === 'timestamptz') {
    const local = toLocal(sql, from.zone);
    if (to.kind === 'date') return `CAST(${local} AS DATE)`;
    if (to.kind === 'time') return `CAST(${local} AS TIME)`;
    if (to.kind === 'timestamp') return rounded(local, from.precision, to.precision);
    if (to.kind === 'timestamptz') return rounded(sql, from.precision, to.precision);
  }
  if (from.kind === 'date' && to.kind === 'timestamptz') return fromLocal(`CAST(${sql} AS TIMESTAMP)`, to.zone);
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
  const to = wanted.kind === 'timestamptz' && from.kind === 'timestamptz' ? { ...wanted, zone: from.zone } : wanted;
  const as = (sql: string): Typed => ({ sql, type: to, loose: value.loose });
  if (from.kind === 'unknown') return as(`CAST(NULL AS ${engineType(to)})`);
  if (to.kind === 'varchar') {
    const text = toText(value, at);
    const { length } = to;
    if (length === undefined || (from.kind === 'varchar' && (from.length ?? Infinity) <= length))
      return { ...as(text), text: value.text };
    if (from.kind === 'varchar') return as(`left(${text}, ${length})`);
    const fail = failing(place, `The value cannot be represented as varchar(${length})`, 'VARCHAR');
    return as(withOperands([text], (long) => `CASE WHEN length(${long}) > ${length} THEN ${fail} ELSE ${long} END`));
  }
  if (sameType(from, to)) return as(value.sql);
  if (to.kind === 'json') return as(toJson(value, at));
  if (from.kind === 'varchar') return as(fromText(value.sql, to, place, at));
  if (from.kind === 'json') return as(fromJson(value.sql, to, place, at));
  const sql = scalarCast(value, to) ?? nestedCast(value, to, place, at);
  if (sql !== undefined) return as(sql);
  if (isCoercible(from, to)) return coerce(value, to, at, 'CAST');
  return refuse(at, `CAST from ${typeText(from).slice(0, 100)} to ${typeText(to).slice(0, 100)} is not supported`);
}

/** TRY_CAST: NULL where CAST fails. */
export function tryCast(value: Typed, to: SqlType, place: Place, at: number): Typed {
  const cast = castTo(value, to, { ...place, trying: true }, at);
  return { ...cast, sql: `TRY(${cast.sql})` };
}

