import { refuse } from '../refusal.ts';
import { engineType, isInteger, isNumeric, quoteText, typeText } from '../types.ts';
import type { RowField, SqlType } from '../types.ts';
import { fromText, jsonText, toText } from './cast-text.ts';
import { failing, readField, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

function isNull(value: string): string {
  return `${value} IS NULL OR json_type(${value}) = 'NULL'`;
}

/** JSON to a type: what Trino would not convert fails. */
export function fromJson(sql: string, to: SqlType, place: Place, at: number): string {
  const held = engineType(to);
  const fail = failing(place, `JSON cannot be cast to ${typeText(to)}`, held);
  if (to.kind === 'array') {
    const element = fromJson('"j"', to.element, place, at);
    return withOperands(
      [sql],
      (value) =>
        `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) <> 'ARRAY' THEN ${fail} ` +
        `ELSE list_transform(CAST(CAST(${value} AS JSON) AS JSON[]), lambda "j": ${element}) END`,
    );
  }
  if (to.kind === 'map') {
    if (to.key.kind !== 'varchar') refuse(at, 'CAST from JSON takes maps whose keys are varchar');
    const element = fromJson('"j"', to.value, place, at);
    return withOperands(
      [sql],
      (value) =>
        `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) <> 'OBJECT' THEN ${fail} ` +
        `ELSE map(map_keys(CAST(CAST(${value} AS JSON) AS MAP(VARCHAR, JSON))), ` +
        `list_transform(map_values(CAST(CAST(${value} AS JSON) AS MAP(VARCHAR, JSON))), lambda "j": ${element})) END`,
    );
  }
  if (to.kind === 'row') {
    const field = (value: string, { name }: RowField, index: number): string =>
      name === undefined
        ? `json_extract(${value}, '$[${index}]')`
        : `CASE json_type(${value}) WHEN 'ARRAY' THEN json_extract(${value}, '$[${index}]') ELSE json_extract(${value}, ${pathText(name)}) END`;
    return withOperands([sql], (value) => {
      const parts = to.fields.map(
        (part, index) =>
          `'${part.physical.replaceAll("'", "''")}': ${fromJson(field(value, part, index), part.type, place, at)}`,
      );
      return `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) NOT IN ('OBJECT', 'ARRAY') THEN ${fail} ELSE {${parts.join(', ')}} END`;
    });
  }
  if (to.kind === 'json') return `CAST(${sql} AS VARCHAR)`;
  const numbers = "'UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT', 'VARCHAR', 'BOOLEAN'";
  if (to.kind !== 'varchar' && to.kind !== 'boolean' && !isNumeric(to))
    refuse(at, `CAST from JSON to ${typeText(to)} is not supported`);
  return withOperands([sql], (value) => {
    const text = `json_extract_string(${value}, '$')`;
    const read =
      to.kind === 'varchar' ? jsonText(value) : jsonNumber(value, text, to, fromText(text, to, place, at));
    return `CASE WHEN ${isNull(value)} THEN NULL WHEN json_type(${value}) NOT IN (${numbers}) THEN ${fail} ELSE ${read} END`;
  });
}

/** A JSON number or boolean as a number or boolean; `ofString` is what a JSON string becomes. */
function jsonNumber(value: string, text: string, to: SqlType, ofString: string): string {
  const held = engineType(to);
  const truth = `CASE ${text} WHEN 'true' THEN 1 ELSE 0 END`;
  if (to.kind === 'boolean')
    return `CASE json_type(${value}) WHEN 'BOOLEAN' THEN ${text} = 'true' WHEN 'VARCHAR' THEN ${ofString} ELSE CAST(${text} AS DOUBLE) <> 0 END`;
  const number = isInteger(to)
    ? `CASE json_type(${value}) WHEN 'DOUBLE' THEN CAST(round(CAST(${text} AS DOUBLE)) AS ${held}) ELSE CAST(${text} AS ${held}) END`
    : `CAST(${text} AS ${held})`;
  return `CASE json_type(${value}) WHEN 'BOOLEAN' THEN CAST(${truth} AS ${held}) WHEN 'VARCHAR' THEN ${ofString} ELSE ${number} END`;
}

/** A member of an object, as a JSON pointer, which takes any name. */
function pathText(name: string): string {
  return quoteText(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

/** A value as JSON: times become strings as CAST to varchar writes them. */
export function toJson(value: Typed, at: number): string {
  const { type, sql } = value;
  if (type.kind === 'json') return sql;
  if (type.kind === 'varbinary') refuse(at, 'CAST from varbinary to JSON is not supported');
  if (type.kind === 'array')
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json(list_transform(${sql}, lambda "t": CAST(coalesce(${toJson({ sql: '"t"', type: type.element }, at)}, 'null') AS JSON))) AS VARCHAR) END`;
  if (type.kind === 'row') {
    // Trino calls every member of such a row '', and an object of the engine has no two members of one name.
    if (type.fields.some(({ name }) => name === undefined))
      refuse(
        at,
        'CAST to JSON of a row whose fields have no names is not supported; cast it to ROW(a …, b …)',
      );
    const parts = type.fields.map(
      (field) =>
        `'${(field.name ?? '').replaceAll("'", "''")}': CAST(coalesce(${toJson({ sql: readField(sql, field), type: field.type }, at)}, 'null') AS JSON)`,
    );
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json({${parts.join(', ')}}) AS VARCHAR) END`;
  }
  if (type.kind === 'map') {
    const inner = toJson({ sql: '"t"', type: type.value }, at);
    const key = toText({ sql: '"k"', type: type.key }, at);
    const keys = `list_sort(map_keys(${sql}))`;
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE CAST(to_json(map(list_transform(${keys}, lambda "k": ${key}), list_transform(list_transform(${keys}, lambda "k": list_extract(map_extract(${sql}, "k"), 1)), lambda "t": CAST(coalesce(${inner}, 'null') AS JSON)))) AS VARCHAR) END`;
  }
  if (type.kind === 'double' || type.kind === 'real') {
    // What is no number is a string, as Trino's writer of JSON has it.
    const text = toText(value, at);
    return withOperands(
      [sql, text],
      (number, name) =>
        `CAST(CASE WHEN isnan(${number}) OR isinf(${number}) THEN to_json(${name}) ELSE to_json(${number}) END AS VARCHAR)`,
    );
  }
  if (['boolean', 'unknown'].includes(type.kind) || isNumeric(type))
    return `CAST(to_json(${sql}) AS VARCHAR)`;
  return `CAST(to_json(${toText(value, at)}) AS VARCHAR)`;
}
