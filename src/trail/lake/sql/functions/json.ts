import { canFail, failing, withOperands } from '../analyse/typed.ts';
import { bigint, boolean, isInteger, isNumeric, json, quoteText, varchar } from '../types.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

/** The JSON of an argument: JSON itself, or text that is JSON; other text gives NULL, as in Trino. */
function document(call: Call): string {
  const { sql, type } = call.value(0);
  if (type.kind === 'json') return sql;
  return withOperands([call.as(0, varchar).sql], (text) => `CASE WHEN json_valid(${text}) THEN ${text} END`);
}

/**
 * A JSON path as Trino's older JSON functions take it: `$`, then `.name`, `["name"]` and `[index]`. Wildcards and
 * recursive descent are refused. It is written as a JSON pointer, in which a number is an index of an array and a name
 * of an object, as in Trino.
 */
function path(call: Call, index: number): string {
  const text = call.literal(index, 'the path');
  const steps: string[] = [];
  let rest = text.trim().replace(/^\$/, '');
  if (!text.trim().startsWith('$')) rest = `.${rest}`;
  while (rest !== '') {
    const match =
      /^\.([A-Za-z0-9_$:@-]+|[^\s.[\]"'*()?]+)/.exec(rest) ??
      /^\["((?:[^"\\]|\\["\\])*)"\]/.exec(rest) ??
      /^\['([^'"\\]*)'\]/.exec(rest) ??
      /^\[(\w*[A-Za-z_]\w*)\]/.exec(rest);
    const position = /^\[(\d{1,9})\]/.exec(rest);
    const taken = match?.[0] ?? position?.[0];
    if (taken === undefined)
      return call.refuse(
        `The JSON path ${text.slice(0, 60)} is not supported; it takes $, .name, ["name"] and [index]`,
      );
    const name = match?.[1]?.replaceAll(/\\(["\\])/g, '$1');
    if (name?.includes('"') === true || name?.includes('\\') === true)
      return call.refuse('Quotes and backslashes in the names of a JSON path are not supported');
    steps.push(`/${(name ?? position?.[1] ?? '').replaceAll('~', '~0').replaceAll('/', '~1')}`);
    rest = rest.slice(taken.length);
  }
  return quoteText(steps.length === 0 ? '$' : steps.join(''));
}

const extract: FunctionRule = (call) => {
  checkCount(call, 2);
  return give(call, `CAST(json_extract(${document(call)}, ${path(call, 1)}) AS VARCHAR)`, json);
};

const extractScalar: FunctionRule = (call) => {
  checkCount(call, 2);
  const where = path(call, 1);
  const sql = withOperands(
    [document(call)],
    (text) =>
      `CASE WHEN json_type(${text}, ${where}) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(${text}, ${where}) END`,
  );
  return give(call, sql, varchar);
};

const size: FunctionRule = (call) => {
  checkCount(call, 2);
  const where = path(call, 1);
  const sql = withOperands(
    [document(call)],
    (text) =>
      `CASE json_type(${text}, ${where}) WHEN 'ARRAY' THEN CAST(json_array_length(${text}, ${where}) AS BIGINT) WHEN 'OBJECT' THEN CAST(len(json_keys(${text}, ${where})) AS BIGINT) ` +
      `ELSE CASE WHEN json_type(${text}, ${where}) IS NULL THEN NULL ELSE CAST(0 AS BIGINT) END END`,
  );
  return give(call, sql, bigint);
};

const arrayContains: FunctionRule = (call) => {
  checkCount(call, 2);
  const wanted = call.value(1);
  const types =
    wanted.type.kind === 'boolean'
      ? "'BOOLEAN'"
      : wanted.type.kind === 'varchar'
        ? "'VARCHAR'"
        : isInteger(wanted.type)
          ? "'BIGINT', 'UBIGINT'"
          : isNumeric(wanted.type)
            ? "'DOUBLE'"
            : undefined;
  if (types === undefined) return call.refuse('json_array_contains takes a number, a string or a boolean');
  const compared = types === "'DOUBLE'" ? `CAST(${wanted.sql} AS DOUBLE)` : `CAST(${wanted.sql} AS VARCHAR)`;
  const held = types === "'DOUBLE'" ? 'DOUBLE' : 'VARCHAR';
  const sql = withOperands(
    [document(call), compared],
    (text, value) =>
      `CASE WHEN json_type(${text}) = 'ARRAY' THEN CASE WHEN ${value} IS NULL THEN NULL ELSE len(list_filter(CAST(CAST(${text} AS JSON) AS JSON[]), lambda "a": json_type("a") IN (${types}) AND TRY_CAST(json_extract_string("a", '$') AS ${held}) = ${value})) > 0 END END`,
  );
  return give(call, sql, boolean);
};

const arrayGet: FunctionRule = (call) => {
  checkCount(call, 2);
  const index = call.as(1, bigint);
  if (index.number === undefined) return call.refuse('json_array_get takes the index as a literal');
  const where = index.number < 0 ? `$[#${index.number}]` : `$[${index.number}]`;
  const sql = withOperands(
    [document(call)],
    (text) =>
      `CASE WHEN json_type(${text}) = 'ARRAY' THEN CAST(json_extract(${text}, '${where}') AS VARCHAR) END`,
  );
  return give(call, sql, json);
};

/** JSON functions. JSON keeps the order of its keys and has no white space between its tokens. */
export const jsonFunctions: FunctionTable = {
  json_extract: extract,
  json_extract_scalar: extractScalar,
  json_size: size,
  json_array_length(call) {
    checkCount(call, 1);
    const sql = withOperands(
      [document(call)],
      (text) => `CASE WHEN json_type(${text}) = 'ARRAY' THEN CAST(json_array_length(${text}) AS BIGINT) END`,
    );
    return give(call, sql, bigint);
  },
  json_array_contains: arrayContains,
  json_array_get: arrayGet,
  json_parse(call) {
    checkCount(call, 1);
    return give(call, `${canFail}CAST(json(${call.as(0, varchar).sql}) AS VARCHAR)`, json);
  },
  json_format(call) {
    checkCount(call, 1);
    return give(call, call.as(0, json).sql, varchar);
  },
  is_json_scalar(call) {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    const fail = failing(call.place, 'Invalid JSON value', 'BOOLEAN');
    const written = withOperands([type.kind === 'json' ? sql : call.as(0, varchar).sql], (text) => {
      const isScalar = `json_type(${text}) NOT IN ('OBJECT', 'ARRAY')`;
      return `CASE WHEN ${text} IS NULL THEN NULL WHEN json_valid(${text}) THEN ${isScalar} ELSE ${fail} END`;
    });
    return give(call, written, boolean);
  },
};
