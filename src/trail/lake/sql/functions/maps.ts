import { coerce, unify } from '../analyse/coerce.ts';
import { withOperands } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';
import { arrayOf, bigint, boolean, isComparable, mapOf, quoteName, sameType, typeText } from '../types.ts';
import type { RowField, SqlType } from '../types.ts';
import { arrayArgument } from './array-sequences.ts';
import { arrayElementAt } from './arrays.ts';
import { multimap } from './multimap.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

type MapType = Extract<SqlType, { kind: 'map' }>;

function mapArgument(call: Call, index: number): { readonly sql: string; readonly type: MapType } {
  const { sql, type } = call.value(index);
  if (type.kind === 'map') return { sql, type };
  return call.refuse(`The function ${call.name} takes a map, not ${typeText(type).slice(0, 100)}`);
}

/** A lambda of key and value, over the entries that `entry` names. */
function overEntry(call: Call, index: number, type: MapType, entry: string): Typed {
  return call.lambdaOver(index, [
    { sql: `struct_extract(${entry}, 'key')`, type: type.key },
    { sql: `struct_extract(${entry}, 'value')`, type: type.value },
  ]);
}

function entryName(call: Call): string {
  return `"m${call.place.lambdaDepth}"`;
}

const elementAt: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = call.value(0);
  if (type.kind === 'array') return arrayElementAt(call);
  if (type.kind !== 'map')
    return call.refuse(`element_at takes an array or a map, not ${typeText(type).slice(0, 100)}`);
  const key = call.as(1, type.key).sql;
  return give(call, `list_extract(map_extract(${sql}, ${key}), 1)`, type.value);
};

const mapFilter: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = mapArgument(call, 0);
  const entry = entryName(call);
  const body = coerce(overEntry(call, 1, type, entry), boolean, call.at, 'The lambda of map_filter');
  const written = withOperands(
    [sql],
    (map) =>
      `CASE WHEN ${map} IS NULL THEN NULL ELSE map_from_entries(list_filter(map_entries(${map}), lambda ${entry}: ${body.sql})) END`,
  );
  return give(call, written, type, body);
};

function transforming(part: 'key' | 'value'): FunctionRule {
  return (call) => {
    checkCount(call, 2);
    const { sql, type } = mapArgument(call, 0);
    const entry = entryName(call);
    const body = overEntry(call, 1, type, entry);
    const result = part === 'key' ? mapOf(body.type, type.value) : mapOf(type.key, body.type);
    const written = withOperands([sql], (map) => {
      const changed = `list_transform(map_entries(${map}), lambda ${entry}: ${body.sql})`;
      const parts = part === 'key' ? `${changed}, map_values(${map})` : `map_keys(${map}), ${changed}`;
      return `CASE WHEN ${map} IS NULL THEN NULL ELSE map(${parts}) END`;
    });
    return give(call, written, result, body);
  };
}

const map: FunctionRule = (call) => {
  checkCount(call, 0, 2);
  if (call.count === 0) return { sql: 'map([], [])', type: mapOf({ kind: 'unknown' }, { kind: 'unknown' }) };
  checkCount(call, 2);
  const [keys, values] = [arrayArgument(call, 0), arrayArgument(call, 1)];
  if (!isComparable(keys.type.element))
    return call.refuse(`map cannot have keys of ${typeText(keys.type.element)}`);
  return give(call, `map(${keys.sql}, ${values.sql})`, mapOf(keys.type.element, values.type.element));
};

const mapConcat: FunctionRule = (call) => {
  checkCount(call, 2, Infinity);
  const { values, type } = unify(call.values(), call.at, 'map_concat');
  if (type.kind !== 'map') return call.refuse('map_concat takes maps');
  const missing = values.map(({ sql }) => `${sql} IS NULL`).join(' OR ');
  return give(
    call,
    `CASE WHEN ${missing} THEN NULL ELSE map_concat(${values.map(({ sql }) => sql).join(', ')}) END`,
    type,
  );
};

const fromEntries: FunctionRule = (call) => {
  checkCount(call, 1);
  const { sql, type } = arrayArgument(call, 0);
  const { element } = type;
  if (element.kind !== 'row' || element.fields.length !== 2)
    return call.refuse('map_from_entries takes an array of rows of key and value');
  const [key, value] = element.fields.map((field) => ({
    type: field.type,
    name: field.physical.replaceAll("'", "''"),
  }));
  const written = withOperands(
    [sql],
    (list) =>
      `map(list_transform(${list}, lambda "w": struct_extract("w", '${key?.name}')), list_transform(${list}, lambda "w": struct_extract("w", '${value?.name}')))`,
  );
  return give(call, written, mapOf(key?.type as SqlType, value?.type as SqlType));
};

const multimapFromEntries: FunctionRule = (call) => {
  checkCount(call, 1);
  const { sql, type } = arrayArgument(call, 0);
  const { element } = type;
  if (element.kind !== 'row' || element.fields.length !== 2)
    return call.refuse('multimap_from_entries takes an array of rows of key and value');
  const [key, value] = element.fields as [RowField, RowField];
  const written = multimap(sql, `.${quoteName(key.physical)}`, `.${quoteName(value.physical)}`);
  return give(call, written, mapOf(key.type, arrayOf(value.type)));
};

/** What a lambda makes of the values that two maps have for each key of either. */
const mapZipWith: FunctionRule = (call) => {
  checkCount(call, 3);
  const [one, other] = [mapArgument(call, 0), mapArgument(call, 1)];
  const { type } = unify(
    [
      { sql: 'NULL', type: one.type.key },
      { sql: 'NULL', type: other.type.key },
    ],
    call.at,
    'map_zip_with',
  );
  if (!sameType(type, one.type.key) || !sameType(type, other.type.key))
    return call.refuse('map_zip_with takes maps with keys of one type');
  const key = entryName(call);
  const of = (map: string): string => `list_extract(map_extract(${map}, ${key}), 1)`;
  const body = call.lambdaOver(2, [
    { sql: key, type },
    { sql: of(one.sql), type: one.type.value },
    { sql: of(other.sql), type: other.type.value },
  ]);
  const more = `list_filter(map_keys(${other.sql}), lambda "k": NOT list_contains(map_keys(${one.sql}), "k"))`;
  const keys = `list_concat(map_keys(${one.sql}), ${more})`;
  const sql = `CASE WHEN ${one.sql} IS NULL OR ${other.sql} IS NULL THEN NULL ELSE map(${keys}, list_transform(${keys}, lambda ${key}: ${body.sql})) END`;
  return give(call, sql, mapOf(type, body.type), body);
};

/** Map functions, and what maps and arrays share. */
export const mapFunctions: FunctionTable = {
  element_at: elementAt,
  cardinality(call) {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    if (type.kind === 'map') return give(call, `CAST(cardinality(${sql}) AS BIGINT)`, bigint);
    return give(call, `CAST(len(${arrayArgument(call, 0).sql}) AS BIGINT)`, bigint);
  },
  map,
  map_concat: mapConcat,
  map_filter: mapFilter,
  map_from_entries: fromEntries,
  map_keys(call) {
    checkCount(call, 1);
    const { sql, type } = mapArgument(call, 0);
    return give(call, `map_keys(${sql})`, arrayOf(type.key));
  },
  map_values(call) {
    checkCount(call, 1);
    const { sql, type } = mapArgument(call, 0);
    return give(call, `map_values(${sql})`, arrayOf(type.value));
  },
  map_entries(call) {
    checkCount(call, 1);
    const { sql, type } = mapArgument(call, 0);
    const fields = [
      { physical: 'key', type: type.key },
      { physical: 'value', type: type.value },
    ];
    return give(call, `map_entries(${sql})`, arrayOf({ kind: 'row', fields }));
  },
  map_zip_with: mapZipWith,
  multimap_from_entries: multimapFromEntries,
  transform_keys: transforming('key'),
  transform_values: transforming('value'),
};
