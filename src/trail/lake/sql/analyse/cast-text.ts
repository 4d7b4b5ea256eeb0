import { refuse } from '../refusal.ts';
import { engineType, typeText } from '../types.ts';
import type { SqlType } from '../types.ts';
import { toLocal } from '../zones.ts';
import { addressShapes, v4Bytes, v6Bytes, v6Digits } from '../ip-address.ts';
import { failing, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

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

/** The engine leaves out the zero before the point where the type has no digit for it. */
function decimalText(sql: string, precision: number, scale: number): string {
  const text = `CAST(${sql} AS VARCHAR)`;
  return precision > scale ? text : `regexp_replace(${text}, '^(-?)[.]', '\\10.')`;
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

/** A value as CAST to varchar writes it. */
export function toText(value: Typed, at: number): string {
  const { sql, type } = value;
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'date':
      return `CAST(${sql} AS VARCHAR)`;
    case 'decimal':
      return decimalText(sql, type.precision, type.scale);
    case 'real':
    case 'double':
      return floatText(type.kind === 'real' ? `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)` : sql);
    case 'timestamp':
      return timestampText(sql, type.precision);
    case 'timestamptz':
      return `(${timestampText(toLocal(sql, type.zone), type.precision)} || ' ${type.zone}')`;
    case 'time':
      return timeFormat(`(DATE '1970-01-01' + ${sql})`, type.precision, '%H:%M:%S');
    case 'unknown':
    case 'varchar':
      return sql;
    case 'interval-day':
      return intervalDayText(sql);
    case 'interval-month':
      return intervalMonthText(sql);
    case 'json':
    case 'varbinary':
    case 'ipaddress':
    case 'array':
    case 'map':
    case 'row':
      return refuse(
        at,
        `CAST from ${typeText(type).slice(0, 100)} to varchar is not supported${type.kind === 'varbinary' ? '; use from_utf8 or to_hex' : '; cast to JSON and use json_format'}`,
      );
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

/** The text of a JSON string, number or boolean; a number with a fraction or an exponent is written as a double. */
export function jsonText(value: string): string {
  const text = `json_extract_string(${value}, '$')`;
  const isDouble = `json_type(${value}) = 'DOUBLE' AND regexp_matches(${text}, '[.eE]')`;
  return `CASE WHEN ${isDouble} THEN ${floatText(`CAST(${text} AS DOUBLE)`)} ELSE ${text} END`;
}

/** A timestamp rounded to the digits of its type, as a CAST to fewer digits does. */
export function rounded(sql: string, from: number, to: number): string {
  if (from <= to) return sql;
  const unit = 10 ** (6 - to);
  return withOperands(
    [sql],
    (value) =>
      `make_timestamp(CAST(floor((epoch_us(${value}) + ${unit / 2}) / ${unit}) AS BIGINT) * ${unit})`,
  );
}

function addressBytes(sql: string, fail: string): string {
  return withOperands([sql], (text) => {
    const has = (shape: string): string => `regexp_matches(${text}, '${shape}')`;
    const digits = `length(${v6Digits(text, 1)}) + length(${v6Digits(text, 2)})`;
    return (
      `CASE WHEN ${text} IS NULL THEN NULL WHEN ${has(addressShapes.v4)} THEN ${v4Bytes(text)} ` +
      `WHEN ${has(addressShapes.v6)} THEN ${v6Bytes(text)} ` +
      `WHEN ${has(addressShapes.v6Short)} AND ${digits} <= 28 THEN ${v6Bytes(text)} ELSE ${fail} END`
    );
  });
}

const timestampStart = String.raw`^\s*\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,6})?)?)?`;
const timestampShape = String.raw`${timestampStart}\s*$`;
const zonedShape = String.raw`${timestampStart}( UTC)?\s*$`;

/** Text as CAST reads it: what Trino would not take fails. */
export function fromText(sql: string, to: SqlType, place: Place, at: number): string {
  const held = engineType(to);
  const checked = (shape: string, write: (value: string) => string): string =>
    withOperands(
      [sql],
      (value) =>
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
      return checked(
        String.raw`^\s*[+-]?(\d+(\.\d*)?|\.\d+|Infinity|NaN)([eE][+-]?\d+)?\s*$`,
        (value) => `CAST(trim(${value}) AS ${held})`,
      );
    case 'ipaddress':
      return addressBytes(sql, failing(place, `Value cannot be cast to ${typeText(to)}`, held));
    case 'date':
      return checked(String.raw`^\s*\d{4,}-\d{1,2}-\d{1,2}\s*$`, (value) => `CAST(trim(${value}) AS DATE)`);
    case 'timestamp':
      return rounded(
        checked(timestampShape, (value) => `CAST(${padded(value)} AS TIMESTAMP)`),
        6,
        to.precision,
      );
    case 'timestamptz':
      return rounded(
        checked(
          zonedShape,
          (value) => `CAST(${padded(`regexp_replace(${value}, ' UTC\\s*$', '')`)} AS TIMESTAMP)`,
        ),
        6,
        to.precision,
      );
    case 'time':
      return checked(
        String.raw`^\s*\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s*$`,
        (value) =>
          `CAST(CASE WHEN length(trim(${value})) < 6 THEN trim(${value}) || ':00' ELSE trim(${value}) END AS TIME)`,
      );
    case 'json':
      return `CAST(to_json(${sql}) AS VARCHAR)`;
    case 'varbinary':
      return refuse(at, 'CAST from varchar to varbinary is not supported; use to_utf8');
    case 'varchar':
    case 'unknown':
    case 'array':
    case 'map':
    case 'row':
    case 'interval-day':
    case 'interval-month':
      return refuse(
        at,
        `CAST from varchar to ${typeText(to).slice(0, 100)} is not supported; use json_parse and cast that`,
      );
  }
}

/** The engine wants seconds, which Trino lets one leave out. */
function padded(value: string): string {
  return `CASE WHEN regexp_matches(trim(${value}), ' \\d{1,2}:\\d{1,2}$') THEN trim(${value}) || ':00' ELSE trim(${value}) END`;
}
