import { coerce } from '../analyse/coerce.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import { arrayOf, bigint, boolean, integer, quoteText, varbinary, varchar } from '../types.ts';
import { joinList } from './join-list.ts';
import { checkCount, give, ofShape, plain } from './rule.ts';
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

/** The code points of a text. */
export function codePoints(text: string): string {
  return `regexp_extract_all(${text}, '.', 0, 's')`;
}

/** The engine counts bytes where Trino counts code points; beyond ASCII these differ. */
const levenshtein: FunctionRule = (call) => {
  checkCount(call, 2);
  const fail = failing(call.place, `${call.name} is supported for ASCII alone`, 'BIGINT');
  const sql = withOperands(
    [call.as(0, varchar).sql, call.as(1, varchar).sql],
    (one, other) =>
      `CASE WHEN ${beyondAscii(one)} OR ${beyondAscii(other)} THEN ${fail} ELSE CAST(levenshtein(${one}, ${other}) AS BIGINT) END`,
  );
  return give(call, sql, bigint);
};

/** At how many places two texts of the same length have different code points. */
const hamming: FunctionRule = (call) => {
  checkCount(call, 2);
  const fail = failing(call.place, `The texts of ${call.name} must have the same length`, 'BIGINT');
  const sql = withOperands(
    [codePoints(call.as(0, varchar).sql), codePoints(call.as(1, varchar).sql)],
    (one, other) =>
      `CASE WHEN len(${one}) <> len(${other}) THEN ${fail} ELSE CAST(len(list_filter(${one}, lambda "c", "i": "c" <> ${other}["i"])) AS BIGINT) END`,
  );
  return give(call, `CASE WHEN ${call.value(1).sql} IS NULL THEN NULL ELSE ${sql} END`, bigint);
};

const hash = (name: string): FunctionRule =>
  plain([varbinary], varbinary, (data) => `unhex(${name}(${data}))`);

/** The engine reads a digit without its pair as a byte, which Trino does not take. */
const fromHex = ofShape(
  '^([0-9A-Fa-f]{2})*$',
  'Two hexadecimal digits for each byte were expected',
  varbinary,
  (text) => `unhex(${text})`,
);

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

/** An empty text is found before and behind every character. */
const replace: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const search = call.as(1, varchar);
  const by = call.count > 2 ? call.as(2, varchar).sql : `''`;
  const sql = withOperands([call.as(0, varchar).sql, search.sql, by], (text, part, other) => {
    const replaced = `replace(${text}, ${part}, ${other})`;
    const around = `CASE ${text} WHEN '' THEN ${other} ELSE ${other} || array_to_string(${codePoints(text)}, ${other}) || ${other} END`;
    if (search.text !== undefined && search.text !== '') return replaced;
    return `CASE ${part} WHEN '' THEN ${around} ELSE ${replaced} END`;
  });
  return give(call, sql, varchar);
};

/** Where the part stands for the n-th time, from the end if negative; 0 if it does not. */
const strpos: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const text = call.as(0, varchar).sql;
  if (call.count === 2)
    return give(call, `CAST(strpos(${text}, ${call.as(1, varchar).sql}) AS BIGINT)`, bigint);
  if (call.value(1).type.kind === 'unknown') return give(call, 'CAST(NULL AS BIGINT)', bigint);
  const part = call.literal(1, 'the part to look for, where it counts,');
  if (part === '') return call.refuse('strpos with a count takes no empty text to look for');
  // What the engine splits by does not overlap, which Trino lets its matches do.
  for (let size = 1; size < part.length; size += 1)
    if (part.startsWith(part.slice(-size)))
      return call.refuse('strpos with a count takes no text that begins as it ends');
  const by = quoteText(part);
  const fail = failing(call.place, "'instance' must be a positive or negative number", 'BIGINT');
  const sql = withOperands([`string_split(${text}, ${by})`, call.as(2, bigint).sql], (parts, count) => {
    const nth = `CASE WHEN ${count} > 0 THEN ${count} ELSE len(${parts}) + ${count} END`;
    return (
      `CASE WHEN ${parts} IS NULL OR ${count} IS NULL THEN NULL WHEN ${count} = 0 THEN ${fail} ` +
      `WHEN abs(${count}) >= len(${parts}) THEN CAST(0 AS BIGINT) ` +
      `ELSE CAST(length(array_to_string(list_slice(${parts}, 1, ${nth}), ${by})) + 1 AS BIGINT) END`
    );
  });
  return give(call, sql, bigint);
};

/** The checksum of Luhn over digits; an empty text does not fulfil it. */
const luhnCheck: FunctionRule = (call) => {
  checkCount(call, 1);
  const fail = failing(call.place, 'Input contains characters that are no digits', 'BOOLEAN');
  const sql = withOperands([call.as(0, varchar).sql], (text) => {
    const digit = `CAST("c" AS INTEGER) * CASE WHEN "i" % 2 = 0 THEN 2 ELSE 1 END`;
    const digits = `list_transform(list_reverse(${codePoints(text)}), lambda "c", "i": (${digit}) // 10 + (${digit}) % 10)`;
    return `CASE WHEN ${text} IS NULL THEN NULL WHEN ${text} = '' THEN FALSE WHEN regexp_matches(${text}, '^[0-9]+$') THEN list_sum(${digits}) % 10 = 0 ELSE ${fail} END`;
  });
  return give(call, sql, boolean);
};

const fromBase64Url = ofShape(
  '^[A-Za-z0-9_-]*=*$',
  'Base64 with the letters - and _ was expected',
  varbinary,
  (text) => `from_base64(translate(${text}, '-_', '+/'))`,
);

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
  replace,
  reverse(call) {
    checkCount(call, 1);
    const { sql, type } = call.value(0);
    if (type.kind === 'array') return give(call, `list_reverse(${sql})`, type);
    // The engine reverses what one sees as a character, Trino code points.
    const written = withOperands(
      [call.as(0, varchar).sql],
      (text) =>
        `CASE WHEN ${beyondAscii(text)} THEN array_to_string(list_reverse(${codePoints(text)}), '') ELSE reverse(${text}) END`,
    );
    return give(call, written, varchar);
  },
  starts_with: plain([varchar, varchar], boolean, (text, start) => `starts_with(${text}, ${start})`),
  ends_with: plain([varchar, varchar], boolean, (text, end) => `ends_with(${text}, ${end})`),
  strpos,
  luhn_check: luhnCheck,
  substr: substring,
  substring,
  translate: plain(
    [varchar, varchar, varchar],
    varchar,
    (text, from, to) => `translate(${text}, ${from}, ${to})`,
  ),
  levenshtein_distance: levenshtein,
  hamming_distance: hamming,
  to_utf8: plain([varchar], varbinary, (text) => `encode(${text})`),
  from_utf8: plain([varbinary], varchar, (data) => `decode(${data})`),
  to_hex: plain([varbinary], varchar, (data) => `hex(${data})`),
  from_hex: fromHex,
  to_base64: plain([varbinary], varchar, (data) => `to_base64(${data})`),
  to_base64url: plain([varbinary], varchar, (data) => `translate(to_base64(${data}), '+/', '-_')`),
  from_base64url: fromBase64Url,
  from_base64: plain([varchar], varbinary, (text) => `from_base64(${text})`),
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
};
