import { failing, withOperands } from '../analyse/typed.ts';
import { readRegexp } from '../regexp.ts';
import type { ReadRegexp } from '../regexp.ts';
import { arrayOf, bigint, boolean, integer, quoteText, varchar } from '../types.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

function pattern(call: Call): ReadRegexp {
  const read = readRegexp(call.literal(1, 'the regular expression'));
  if (read.kind === 'regexp') return read;
  return call.refuse(`The regular expression of ${call.name} has ${read.what}, which is not supported`);
}

function nonEmpty(call: Call): ReadRegexp {
  const read = pattern(call);
  if (!read.matchesEmpty) return read;
  return call.refuse(
    `The regular expression of ${call.name} can match the empty text, which is not supported there`,
  );
}

/** The group that a call asks for, which must take part in every match: the engine gives '' where Trino gives NULL. */
function group(call: Call, read: ReadRegexp): number {
  if (call.count < 3) return 0;
  const wanted = call.as(2, bigint).number;
  if (wanted === undefined || wanted < 0)
    return call.refuse(`${call.name} takes the number of a group as a literal`);
  if (wanted > read.groupsAlwaysMatch.length)
    return call.refuse(`The regular expression has ${read.groupsAlwaysMatch.length} groups, not ${wanted}`);
  if (wanted > 9) return call.refuse('Groups beyond the ninth are not supported');
  if (wanted > 0 && read.groupsAlwaysMatch[wanted - 1] === false)
    return call.refuse(`The group ${wanted} does not take part in every match, which is not supported`);
  return wanted;
}

/** The group that digits behind a $ name, as many of them as still name one, and the digits that are left. */
function numbered(digits: string, read: ReadRegexp): readonly [index: number, rest: string] {
  let taken = 1;
  while (taken < digits.length && Number(digits.slice(0, taken + 1)) <= read.groupsAlwaysMatch.length)
    taken += 1;
  return [Number(digits.slice(0, taken)), digits.slice(taken)];
}

/** A replacement: $1 and ${name} are groups, a backslash keeps what follows. */
function replacement(call: Call, read: ReadRegexp): string {
  if (call.count < 3) return '';
  if (call.isLambda(2)) return call.refuse('regexp_replace with a lambda is not supported');
  const text = call.literal(2, 'the replacement');
  const part = /\\([\s\S])|\$(\d+)|\$\{([A-Za-z][A-Za-z0-9]*)\}|([\\$])|([^\\$]+)/g;
  return [...text.matchAll(part)]
    .map(([, kept, digits, name, wrong, plain]) => {
      if (wrong !== undefined)
        return call.refuse('A $ in a replacement must stand before a group, and a \\ before a character');
      if (kept !== undefined) return kept === '\\' ? '\\\\' : kept;
      if (plain !== undefined) return plain;
      const [index, rest] = name === undefined ? numbered(digits ?? '', read) : [read.names.get(name), ''];
      if (index === undefined || index > read.groupsAlwaysMatch.length)
        return call.refuse(`The replacement names a group ${name ?? digits} that there is not`);
      if (index > 9) return call.refuse('Groups beyond the ninth are not supported');
      return `\\${index}${rest}`;
    })
    .join('');
}

const like: FunctionRule = (call) => {
  checkCount(call, 2);
  // In Java a $ also matches before a line feed that ends the text; RE2's matches at the very end alone.
  const read = pattern(call);
  const written = read.pattern.replace(
    /(^|[^\\])((?:\\\\)*)\$$/,
    (_all, before: string, slashes: string) => `${before}${slashes}(?:\\n?\\z)`,
  );
  return give(call, `regexp_matches(${call.as(0, varchar).sql}, ${quoteText(written)})`, boolean);
};

const extract: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const read = pattern(call);
  const index = group(call, read);
  const regexp = quoteText(read.pattern);
  const sql = withOperands(
    [call.as(0, varchar).sql],
    (text) =>
      `CASE WHEN regexp_matches(${text}, ${regexp}) THEN regexp_extract(${text}, ${regexp}, ${index}) END`,
  );
  return give(call, sql, varchar);
};

const extractAll: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const read = nonEmpty(call);
  return give(
    call,
    `regexp_extract_all(${call.as(0, varchar).sql}, ${quoteText(read.pattern)}, ${group(call, read)})`,
    arrayOf(varchar),
  );
};

const replace: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const read = nonEmpty(call);
  const by = quoteText(replacement(call, read));
  return give(
    call,
    `regexp_replace(${call.as(0, varchar).sql}, ${quoteText(read.pattern)}, ${by}, 'g')`,
    varchar,
  );
};

/** The engine splits what is left anew, where ^ and \\b would mean its beginning: for these, matches are marked first. */
const split: FunctionRule = (call) => {
  checkCount(call, 2);
  const { pattern: regexp } = nonEmpty(call);
  const text = call.as(0, varchar).sql;
  if (!/\^|\\[AbB]/.test(regexp))
    return give(call, `string_split_regex(${text}, ${quoteText(regexp)})`, arrayOf(varchar));
  const fail = failing(
    call.place,
    'regexp_split with ^ or \\b takes no text with a NUL character',
    'VARCHAR[]',
  );
  const sql = withOperands(
    [text],
    (value) =>
      `CASE WHEN contains(${value}, chr(0)) THEN ${fail} ELSE string_split(regexp_replace(${value}, ${quoteText(regexp)}, chr(0), 'g'), chr(0)) END`,
  );
  return give(call, sql, arrayOf(varchar));
};

/** Regular expressions: the syntax of Java where RE2 means the same. */
export const regexpFunctions: FunctionTable = {
  regexp_like: like,
  regexp_extract: extract,
  regexp_extract_all: extractAll,
  regexp_replace: replace,
  regexp_count(call) {
    checkCount(call, 2);
    return give(
      call,
      `CAST(len(regexp_extract_all(${call.as(0, varchar).sql}, ${quoteText(nonEmpty(call).pattern)})) AS BIGINT)`,
      bigint,
    );
  },
  regexp_position(call) {
    checkCount(call, 2);
    const regexp = quoteText(nonEmpty(call).pattern);
    const sql = withOperands(
      [call.as(0, varchar).sql],
      (text) =>
        `CASE WHEN ${text} IS NULL THEN NULL WHEN regexp_matches(${text}, ${regexp}) THEN CAST(length(string_split_regex(${text}, ${regexp})[1]) + 1 AS INTEGER) ELSE -1 END`,
    );
    return give(call, sql, integer);
  },
  regexp_split: split,
};
