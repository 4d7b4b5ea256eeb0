import { failing, withOperands } from '../analyse/typed.ts';
import { arrayOf, bigint, mapOf, quoteText, varchar } from '../types.ts';
import { multimap } from './multimap.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';
import { codePoints } from './strings.ts';

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
  const list =
    delimiter.text === '' ? codePoints(text) : `string_split(${text}, ${checkedDelimiter(call, delimiter)})`;
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

/** Keys and values, each in an array of two; a delimiter at the very end of the text begins no entry. */
function splitEntries(call: Call): string {
  checkCount(call, 3);
  const [entries, pair] = [
    quoteText(call.literal(1, 'the delimiter of entries')),
    quoteText(call.literal(2, 'the delimiter of key and value')),
  ];
  if (entries === pair) return call.refuse(`The two delimiters of ${call.name} must not be the same`);
  if (entries === "''" || pair === "''") return call.refuse(`A delimiter of ${call.name} is empty`);
  const fail = failing(call.place, 'Key-value delimiter must appear exactly once in each entry', 'VARCHAR[]');
  return withOperands([`string_split(${call.as(0, varchar).sql}, ${entries})`], (list) => {
    const given = `list_filter(${list}, lambda "s", "i": "s" <> '' OR "i" < len(${list}))`;
    return `list_transform(${given}, lambda "s": CASE WHEN len(string_split("s", ${pair})) <> 2 THEN ${fail} ELSE string_split("s", ${pair}) END)`;
  });
}

const splitToMap: FunctionRule = (call) => {
  const sql = withOperands(
    [splitEntries(call)],
    (list) => `map(list_transform(${list}, lambda "s": "s"[1]), list_transform(${list}, lambda "s": "s"[2]))`,
  );
  return give(call, sql, mapOf(varchar, varchar));
};

const splitToMultimap: FunctionRule = (call) =>
  give(call, multimap(splitEntries(call), '[1]', '[2]'), mapOf(varchar, arrayOf(varchar)));

/** Functions that take texts apart at delimiters. */
export const splitFunctions: FunctionTable = {
  split,
  split_part: splitPart,
  split_to_map: splitToMap,
  split_to_multimap: splitToMultimap,
};
