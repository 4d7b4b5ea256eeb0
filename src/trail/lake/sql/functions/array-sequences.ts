import { coerce, unify } from '../analyse/coerce.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import { arrayOf, bigint, engineType, isInteger, rowOf, typeText } from '../types.ts';
import type { SqlType } from '../types.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule } from './rule.ts';

type ArrayType = Extract<SqlType, { kind: 'array' }>;

/** An argument that is an array. */
export function arrayArgument(call: Call, index: number): { readonly sql: string; readonly type: ArrayType } {
  const { sql, type } = call.value(index);
  if (type.kind === 'array') return { sql, type };
  return call.refuse(`The function ${call.name} takes an array, not ${typeText(type).slice(0, 100)}`);
}

const sequenceLimit = 10_000;

/** sequence of numbers, dates or timestamps, at most 10,000 of them as in Trino. */
export const sequence: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const { values, type } = unify([call.value(0), call.value(1)], call.at, 'sequence');
  const [from, to] = [values[0]?.sql ?? '', values[1]?.sql ?? ''];
  const step = call.count > 2 ? call.value(2) : undefined;
  const fail = (held: string): string =>
    failing(
      call.place,
      `result of sequence function must not have more than ${sequenceLimit} entries, and its step must lead from start to stop`,
      held,
    );
  if (isInteger(type)) {
    const by = step
      ? call.as(2, bigint).sql
      : `CASE WHEN ${from} <= ${to} THEN CAST(1 AS BIGINT) ELSE CAST(-1 AS BIGINT) END`;
    const sql = withOperands(
      [
        coerce({ sql: from, type }, bigint, call.at, 'sequence').sql,
        coerce({ sql: to, type }, bigint, call.at, 'sequence').sql,
        by,
      ],
      (a, b, s) =>
        `CASE WHEN ${a} IS NULL OR ${b} IS NULL OR ${s} IS NULL THEN NULL WHEN ${s} = 0 OR (${b} - ${a}) * sign(${s}) < 0 OR (CAST(${b} AS HUGEINT) - ${a}) // nullif(${s}, 0) >= ${sequenceLimit} ` +
        `THEN ${fail('BIGINT[]')} ELSE generate_series(${a}, ${b}, ${s}) END`,
    );
    return give(call, sql, arrayOf(bigint));
  }
  if (!['date', 'timestamp'].includes(type.kind))
    return call.refuse(`sequence is not supported for ${typeText(type)}`);
  if (step && step.type.kind !== 'interval-day' && step.type.kind !== 'interval-month')
    return call.refuse('The step of a sequence of times must be an interval');
  if (!step && type.kind !== 'date') return call.refuse('A sequence of timestamps needs a step');
  const amount = step ? step.number : 86_400_000;
  if (amount === undefined || amount === 0)
    return call.refuse('The step of a sequence of times must be a literal other than 0');
  const months = step?.type.kind === 'interval-month';
  const least = months ? Math.abs(amount) * 28 * 86_400_000 : Math.abs(amount);
  const interval = `to_milliseconds(CAST(${amount} AS BIGINT))`;
  const held = engineType(arrayOf(type));
  // Each entry is so many months after the start, whose day of the month thus comes back after a shorter month.
  const series = (a: string, b: string): string =>
    months
      ? `list_transform(generate_series(0, date_sub('month', ${a}, ${b}) // ${amount}), lambda "s": ${a} + to_months(CAST("s" * ${amount} AS INTEGER)))`
      : `generate_series(${a}, ${b}, ${interval})`;
  const sql = withOperands(
    [`CAST(${from} AS TIMESTAMP)`, `CAST(${to} AS TIMESTAMP)`],
    (a, b) =>
      `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL WHEN (epoch_ms(${b}) - epoch_ms(${a})) * ${Math.sign(amount)} < 0 ` +
      `OR abs(epoch_ms(${b}) - epoch_ms(${a})) // ${least} >= ${sequenceLimit} THEN ${fail(held)} ELSE CAST(${series(a, b)} AS ${held}) END`,
  );
  return give(call, sql, arrayOf(type));
};

/** All runs of so many neighbours; the whole array if it is shorter. */
export const ngrams: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = arrayArgument(call, 0);
  const size = call.as(1, bigint).number;
  if (size === undefined || size < 1 || size > sequenceLimit)
    return call.refuse(`ngrams takes a whole number from 1 to ${sequenceLimit}`);
  const written = withOperands(
    [sql],
    (list) =>
      `CASE WHEN ${list} IS NULL THEN NULL ELSE list_transform(generate_series(1, greatest(len(${list}) - ${size - 1}, 1)), lambda "n": list_slice(${list}, "n", "n" + ${size - 1})) END`,
  );
  return give(call, written, arrayOf(type));
};

/** Arrays side by side, the shorter ones filled with NULL. */
export const zip: FunctionRule = (call) => {
  checkCount(call, 2, 5);
  const arrays = call.values().map((_value, index) => arrayArgument(call, index));
  const type = arrayOf(rowOf(arrays.map((array) => array.type.element)));
  const sql = withOperands(
    arrays.map((array) => array.sql),
    (...lists) => {
      const missing = lists.map((list) => `${list} IS NULL`).join(' OR ');
      const fields = lists.map((list, index) => `'f${index}': list_extract(${list}, "n")`).join(', ');
      const longest = `greatest(${lists.map((list) => `len(${list})`).join(', ')})`;
      return `CASE WHEN ${missing} THEN NULL ELSE list_transform(generate_series(1, ${longest}), lambda "n": {${fields}}) END`;
    },
  );
  return give(call, sql, type);
};

/** What a lambda makes of two arrays side by side. */
export const zipWith: FunctionRule = (call) => {
  checkCount(call, 3);
  const [left, right] = [arrayArgument(call, 0), arrayArgument(call, 1)];
  const n = `"n${call.place.lambdaDepth}"`;
  const body = call.lambdaOver(2, [
    { sql: `list_extract(${left.sql}, ${n})`, type: left.type.element },
    { sql: `list_extract(${right.sql}, ${n})`, type: right.type.element },
  ]);
  const sql = `CASE WHEN ${left.sql} IS NULL OR ${right.sql} IS NULL THEN NULL ELSE list_transform(generate_series(1, greatest(len(${left.sql}), len(${right.sql}))), lambda ${n}: ${body.sql}) END`;
  return give(call, sql, arrayOf(body.type), body);
};
