import { coerce } from '../analyse/coerce.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import { arrayOf, bigint, boolean, integer, mapOf, quoteText, varbinary, varchar } from '../types.ts';
import { joinList } from './join-list.ts';
import { checkCount, give, plain } from './rule.ts';
import type { FunctionRule, FunctionTable } from './rule.ts';

/** What Trino takes for white space when it trims. */
const whitespace = quoteText(
  ' \t\n\u000B\f\r\u001C\u001D\u001E\u001F\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200A\u2028\u2029\u205F\u3000',
);

const trimming = (name: 'trim' | 'ltrim' | 'rtrim'): FunctionRule =>
  plain(
    [varchar, varchar],
    varchar,
    (text, characters) => `${name}(${text}, ${characters ?? whitespace})`,
    1,
  );

const concat: FunctionRule = (call) => {
  checkCount(call, 2, Infinity);
  const values = call.values();
  const array = values.find(({ type }) => type.kind === 'array');
  if (array) {
    const lists = values.map((value) => coerce(value, array.type, call.at, 'concat').sql);
    const missing = lists.map((list) => `${list} IS NULL`).join(' OR ');
    const joined = lists.reduce((left, right) => `list_concat(${left}, ${right})`);
    return give(call, `CASE WHEN ${missing} THEN NULL ELSE ${joined} END`, array.type);
  }
  if (values.every(({ type }) => type.kind === 'varbinary'))
    return give(call, `(${values.map(({ sql }) => sql).join(' || ')})`, varbinary);
  return give(call, `(${values.map((_value, index) => call.as(index, varchar).sql).join(' || ')})`, varchar);
};

const concatWs: FunctionRule = (call) => {
  checkCount(call, 2, Infinity);
  const separator = call.as(0, varchar).sql;
  const isArray = call.count === 2 && call.value(1).type.kind === 'array';
  if (isArray) return give(call, joinList(call.as(1, arrayOf(varchar)).sql, call.as(0, varchar)), varchar);
  const texts = call
    .values()
    .slice(1)
    .map((_value, index) => call.as(index + 1, varchar).sql);
  return give(
    call,
    withOperands(
      [separator],
      (s) => `CASE WHEN ${s} IS NULL THEN NULL ELSE concat_ws(${s}, ${texts.join(', ')}) END`,
    ),
    varchar,
  );
};

/** substr counts from 1, from the end if negative, and gives '' outside the text. */
const substring: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const [text, start] = [call.as(0, varchar).sql, call.as(1, bigint)];
  const length = call.count > 2 ? call.as(2, bigint) : undefined;
  const part = (value: string, from: string): string =>
    length
      ? `substr(${value}, ${from}, greatest(${length.sql}, CAST(0 AS BIGINT)))`
      : `substr(${value}, ${from})`;
  const guard = length ? `WHEN ${length.sql} IS NULL THEN NULL ` : '';
  if (start.number !== undefined && start.number > 0)
    return give(
      call,
      length ? `CASE ${guard}ELSE ${part(text, start.sql)} END` : part(text, start.sql),
      varchar,
    );
  const sql = withOperands(
    [text, start.sql],
    (value, from) =>
      `CASE WHEN ${value} IS NULL OR ${from} IS NULL THEN NULL ${guard}WHEN ${from} = 0 OR -${from} > length(${value}) THEN '' ELSE ${part(value, from)} END`,
  );
  return give(call, sql, varchar);
};

const split: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const [text, delimiter] = [call.as(0, varchar).sql, call.as(1, varchar)];
  if (delimiter.text === '') return call.refuse('The delimiter of split is empty');
  if (call.count === 2)
    return give(call, `string_split(${text}, ${checkedDelimiter(call, delimiter)})`, arrayOf(varchar));
  const limit = call.as(2, bigint).number;
  if (limit === undefined || limit < 1)
    return call.refuse('The limit of split must be a whole number greater than 0');
  const by = quoteText(call.literal(1, 'the delimiter'));
  const sql = withOperands(
    [text],
    (value) =>
      `list_transform([string_split(${value}, ${by})], lambda "s": CASE WHEN len("s") <= ${limit} THEN "s" ` +
      `ELSE list_append(list_slice("s", 1, ${limit - 1}), array_to_string(list_slice("s", ${limit}, len("s")), ${by})) END)[1]`,
  );
  return give(call, sql, arrayOf(varchar));
};

function checkedDelimiter(
  call: Parameters<FunctionRule>[0],
  delimiter: { readonly sql: string; readonly text?: string | undefined },
): string {
  if (delimiter.text !== undefined) return delimiter.sql;
  return withOperands(
    [delimiter.sql],
    (by) =>
      `CASE WHEN ${by} = '' THEN ${failing(call.place, 'The delimiter may not be the empty string', 'VARCHAR')} ELSE ${by} END`,
  );
}

const splitPart: FunctionRule = (call) => {
  checkCount(call, 3);
  const [text, delimiter, index] = [call.as(0, varchar).sql, call.as(1, varchar), call.as(2, bigint)];
  const list = `string_split(${text}, ${checkedDelimiter(call, delimiter)})`;
  if (delimiter.text === '') return call.refuse('An empty delimiter in split_part is not supported');
  if (index.number !== undefined && index.number < 1)
    return call.refuse('The index of split_part must be greater than 0');
  if (index.number !== undefined) return give(call, `list_extract(${list}, ${index.sql})`, varchar);
  const sql = withOperands(
    [index.sql],
    (position) =>
      `CASE WHEN ${position} < 1 THEN ${failing(call.place, 'Index must be greater than zero', 'VARCHAR')} ELSE list_extract(${list}, ${position}) END`,
  );
  return give(call, sql, varchar);
};

const splitToMap: FunctionRule = (call) => {
  checkCount(call, 3);
  const text = call.as(0, varchar).sql;
  const [entries, pair] = [
    quoteText(call.literal(1, 'the delimiter of entries')),
    quoteText(call.literal(2, 'the delimiter of key and value')),
  ];
  if (entries === pair) return call.refuse('The two delimiters of split_to_map must not be the same');
  if (entries === "''" || pair === "''") return call.refuse('A delimiter of split_to_map is empty');
  const fail = failing(call.place, 'Key-value delimiter must appear exactly once in each entry', 'VARCHAR[]');
  const parts = `list_transform(list_filter(string_split(${text}, ${entries}), lambda "s": "s" <> ''), lambda "s": CASE WHEN len(string_split("s", ${pair})) <> 2 THEN ${fail} ELSE string_split("s", ${pair}) END)`;
  const sql = withOperands(
    [parts],
    (list) => `map(list_transform(${list}, lambda "s": "s"[1]), list_transform(${list}, lambda "s": "s"[2]))`,
  );
  return give(call, sql, mapOf(varchar, varchar));
};

const padding =
  (name: 'lpad' | 'rpad'): FunctionRule =>
  (call) => {
    checkCount(call, 3);
    const [text, size, pad] = [call.as(0, varchar).sql, call.as(1, bigint), call.as(2, varchar)];
    if (pad.text === '') return call.refuse(`The padding of ${name} is empty`);
    if (size.number === undefined || size.number < 0 || size.number > 100_000)
      return call.refuse(`The size of ${name} must be a whole number from 0 to 100000`);
    return give(call, `${name}(${text}, ${size.number}, ${pad.sql})`, varchar);
  };

function beyondAscii(text: string): string {
  return `regexp_matches(${text}, '[^\\x00-\\x7F]')`;
}

/** The engine counts bytes where Trino counts code points; beyond ASCII these differ. */
const distance =
  (name: string): FunctionRule =>
  (call) => {
    checkCount(call, 2);
    const fail = failing(call.place, `${call.name} is supported for ASCII alone`, 'BIGINT');
    const sql = withOperands(
      [call.as(0, varchar).sql, call.as(1, varchar).sql],
      (one, other) =>
        `CASE WHEN ${beyondAscii(one)} OR ${beyondAscii(other)} THEN ${fail} ELSE CAST(${name}(${one}, ${other}) AS BIGINT) END`,
    );
    return give(call, sql, bigint);
  };

const hash = (name: string): FunctionRule =>
  plain([varbinary], varbinary, (data) => `unhex(${name}(${data}))`);

/** The engine reads a digit without its pair as a byte, which Trino does not take. */
const fromHex: FunctionRule = (call) => {
  checkCount(call, 1);
  const fail = failing(call.place, 'Two hexadecimal digits for each byte were expected', 'BLOB');
  const sql = withOperands(
    [call.as(0, varchar).sql],
    (text) =>
      `CASE WHEN regexp_matches(${text}, '^([0-9A-Fa-f]{2})*$') OR ${text} IS NULL THEN unhex(${text}) ELSE ${fail} END`,
  );
  return give(call, sql, varbinary);
};

const length: FunctionRule = (call) => {
  checkCount(call, 1);
  if (call.value(0).type.kind === 'varbinary')
    return give(call, `octet_length(${call.value(0).sql})`, bigint);
  return give(call, `length(${call.as(0, varchar).sql})`, bigint);
};

/** Letter by letter as Java does: a sharp s stays, of which the engine makes a capital one. */
function upperCase(text: string): string {
  return withOperands(
    [text],
    (value) =>
      `CASE WHEN contains(${value}, 'ß') THEN array_to_string(list_transform(string_split(${value}, 'ß'), lambda "u": upper("u")), 'ß') ELSE upper(${value}) END`,
  );
}

/** String and binary functions. */
export const stringFunctions: FunctionTable = {
  chr: plain([bigint], varchar, (code) => `chr(CAST(${code} AS INTEGER))`),
  codepoint(call) {
    checkCount(call, 1);
    const fail = failing(call.place, 'Input string must be a single character string', 'INTEGER');
    const sql = withOperands(
      [call.as(0, varchar).sql],
      (text) => `CASE WHEN length(${text}) <> 1 THEN ${fail} ELSE unicode(${text}) END`,
    );
    return give(call, sql, integer);
  },
  concat,
  concat_ws: concatWs,
  length,
  lower: plain([varchar], varchar, (text) => `lower(${text})`),
  upper: plain([varchar], varchar, (text) => upperCase(text ?? '')),
  trim: trimming('trim'),
  ltrim: trimming('ltrim'),
  rtrim: trimming('rtrim'),
  lpad: padding('lpad'),
  rpad: padding('rpad'),
  replace(call) {
    checkCount(call, 2, 3);
    const search = call.as(1, varchar);
    if (search.text === '') return call.refuse('replace with an empty search text is not supported');
    const by = call.count > 2 ? call.as(2, varchar).sql : `''`;
    return give(call, `replace(${call.as(0, varchar).sql}, ${search.sql}, ${by})`, varchar);
  },
  reverse(call) {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    if (type.kind === 'array') return give(call, `list_reverse(${sql})`, type);
    // The engine reverses what one sees as a character, Trino code points.
    const written = withOperands(
      [call.as(0, varchar).sql],
      (text) =>
        `CASE WHEN ${beyondAscii(text)} THEN array_to_string(list_reverse(regexp_extract_all(${text}, '.', 0, 's')), '') ELSE reverse(${text}) END`,
    );
    return give(call, written, varchar);
  },
  split,
  split_part: splitPart,
  split_to_map: splitToMap,
  starts_with: plain([varchar, varchar], boolean, (text, start) => `starts_with(${text}, ${start})`),
  strpos: plain([varchar, varchar], bigint, (text, part) => `CAST(strpos(${text}, ${part}) AS BIGINT)`),
  substr: substring,
  substring,
  translate: plain(
    [varchar, varchar, varchar],
    varchar,
    (text, from, to) => `translate(${text}, ${from}, ${to})`,
  ),
  levenshtein_distance: distance('levenshtein'),
  hamming_distance: distance('hamming'),
  to_utf8: plain([varchar], varbinary, (text) => `encode(${text})`),
  from_utf8: plain([varbinary], varchar, (data) => `decode(${data})`),
  to_hex: plain([varbinary], varchar, (data) => `hex(${data})`),
  from_hex: fromHex,
  to_base64: plain([varbinary], varchar, (data) => `to_base64(${data})`),
  from_base64: plain([varchar], varbinary, (text) => `from_base64(${text})`),
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
};
