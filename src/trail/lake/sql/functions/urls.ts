import { withOperands } from '../analyse/typed.ts';
import { bigint, quoteText, varchar } from '../types.ts';
import type { SqlType } from '../types.ts';
import { checkCount, give, ofShape, plain } from './rule.ts';
import type { FunctionRule, FunctionTable } from './rule.ts';

/** What a URI may consist of (RFC 2396 with Java's other characters); anything else gives NULL. */
const valid = String.raw`^(?:[A-Za-z0-9._~:/?#\[\]@!$&''()*+,;=-]|%[0-9A-Fa-f]{2}|[^\x00-\x7F])*$`;
const parts = String.raw`^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$`;

/** Of a URI with something else than a / behind its protocol Java tells no path and no query. */
const opaque = '^[A-Za-z][A-Za-z0-9+.-]*:[^/]';

const part = (index: number, result: SqlType, write: (text: string) => string): FunctionRule =>
  plain([varchar], result, (url) =>
    withOperands(
      [url ?? ''],
      (text) => `CASE WHEN regexp_matches(${text}, '${valid}') THEN ${write(found(text, index))} END`,
    ),
  );

function found(text: string, index: number): string {
  const extracted = `regexp_extract(${text}, '${parts}', ${index})`;
  if (index !== 3 && index !== 4) return extracted;
  return `CASE WHEN regexp_matches(${text}, '${opaque}') THEN '' ELSE ${extracted} END`;
}

const decoded = (text: string): string => `url_decode(replace(${text}, '+', '%2B'))`;
const authority = String.raw`^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$`;

/** URL functions. */
export const urlFunctions: FunctionTable = {
  url_extract_protocol: part(1, varchar, (text) => text),
  url_extract_host: part(2, varchar, (text) => `regexp_extract(${text}, '${authority}', 1)`),
  url_extract_port: part(
    2,
    bigint,
    (text) => `CAST(nullif(regexp_extract(${text}, '${authority}', 2), '') AS BIGINT)`,
  ),
  url_extract_path: part(3, varchar, decoded),
  url_extract_query: part(4, varchar, decoded),
  url_extract_fragment: part(5, varchar, decoded),
  url_extract_parameter(call) {
    checkCount(call, 2);
    const name = quoteText(call.literal(1, 'the name of the parameter'));
    const query = part(4, varchar, (text) => text)({ ...call, count: 1 }).sql;
    const found = `list_filter(string_split(${query}, '&'), lambda "u": url_decode(replace(split_part("u", '=', 1), '+', '%20')) = ${name})`;
    const sql = withOperands(
      [found],
      (list) =>
        `CASE WHEN len(${list}) > 0 THEN url_decode(replace(CASE WHEN contains(${list}[1], '=') THEN substr(${list}[1], strpos(${list}[1], '=') + 1) ELSE '' END, '+', '%20')) END`,
    );
    return give(call, sql, varchar);
  },
  url_encode: plain(
    [varchar],
    varchar,
    (text) => `replace(replace(replace(url_encode(${text}), '%2A', '*'), '%20', '+'), '~', '%7E')`,
  ),
  url_decode: ofShape(
    '^([^%]|%[0-9A-Fa-f]{2})*$',
    'A % must stand before two hexadecimal digits',
    varchar,
    (text) => `url_decode(replace(${text}, '+', '%20'))`,
  ),
};
