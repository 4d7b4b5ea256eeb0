import { rangeOf } from '../ip-address.ts';
import { castTo } from '../analyse/cast.ts';
import { coerce, unify } from '../analyse/coerce.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';
import {
  arrayOf,
  bigint,
  boolean,
  commonType,
  engineType,
  integer,
  isComparable,
  isOrderable,
  mapOf,
  typeText,
  varchar,
} from '../types.ts';
import type { SqlType } from '../types.ts';
import { arrayArgument, ngrams, sequence, zip, zipWith } from './array-sequences.ts';
import { joinList } from './join-list.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

function comparable(call: Call, type: SqlType): void {
  if (!isComparable(type) || ['array', 'map', 'row'].includes(type.kind))
    call.refuse(`${call.name} is not supported for arrays of ${typeText(type).slice(0, 100)}`);
}

/** An array and an element of one type. */
function withElement(call: Call): { list: string; element: string; type: SqlType } {
  checkCount(call, 2);
  const { sql, type } = arrayArgument(call, 0);
  const common = commonType(type.element, call.value(1).type);
  if (!common)
    return call.refuse(
      `${call.name} cannot look for ${typeText(call.value(1).type)} in ${typeText(type).slice(0, 100)}`,
    );
  comparable(call, common);
  const list = coerce({ sql, type }, arrayOf(common), call.at, call.name).sql;
  return { list, element: coerce(call.value(1), common, call.at, call.name).sql, type: common };
}

const hasNull = (list: string): string => `len(list_filter(${list}, lambda "z": "z" IS NULL)) > 0`;
const distinct = (list: string): string =>
  withOperands([list], (all) => `list_filter(${all}, lambda "d", "i": list_position(${all}, "d") = "i")`);

/** contains of a network, such as 10.0.0.0/8, and an address. */
const containsAddress: FunctionRule = (call) => {
  const range = rangeOf(call.literal(0, 'the network'));
  if (!range) return call.refuse('The network of contains is no range such as 10.0.0.0/8 or 2001:db8::/32');
  const [first, last] = range.map((digits) => `unhex('${digits}')`);
  return give(call, `(${call.value(1).sql} BETWEEN ${first} AND ${last})`, boolean);
};

const contains: FunctionRule = (call) => {
  checkCount(call, 2);
  if (call.value(1).type.kind === 'ipaddress' && call.value(0).type.kind === 'varchar')
    return containsAddress(call);
  const { list, element } = withElement(call);
  const sql = withOperands(
    [list, element],
    (all, wanted) =>
      `CASE WHEN ${all} IS NULL OR ${wanted} IS NULL THEN NULL WHEN list_contains(${all}, ${wanted}) THEN TRUE WHEN ${hasNull(all)} THEN NULL ELSE FALSE END`,
  );
  return give(call, sql, boolean);
};

/** Whether an array has another as a part, element by element. */
const containsSequence: FunctionRule = (call) => {
  checkCount(call, 2);
  const { values, type } = unify([call.value(0), call.value(1)], call.at, 'contains_sequence');
  if (type.kind !== 'array') return call.refuse('contains_sequence takes two arrays');
  comparable(call, type.element);
  const sql = withOperands([values[0]?.sql ?? '', values[1]?.sql ?? ''], (list, part) => {
    const places = `generate_series(1, len(${list}) - len(${part}) + 1)`;
    const found = `list_filter(${places}, lambda "n": list_slice(${list}, "n", "n" + len(${part}) - 1) = ${part})`;
    return `CASE WHEN ${list} IS NULL OR ${part} IS NULL THEN NULL WHEN len(${part}) = 0 THEN TRUE ELSE len(${found}) > 0 END`;
  });
  return give(call, sql, boolean);
};

/** How often each element that is not NULL comes. */
const arrayHistogram: FunctionRule = (call) => {
  checkCount(call, 1);
  const { sql, type } = arrayArgument(call, 0);
  comparable(call, type.element);
  const written = withOperands([sql], (list) => {
    const keys = distinct(`list_filter(${list}, lambda "n": "n" IS NOT NULL)`);
    const count = `CAST(len(list_filter(${list}, lambda "n": "n" = "k")) AS BIGINT)`;
    return `CASE WHEN ${list} IS NULL THEN NULL ELSE map(${keys}, list_transform(${keys}, lambda "k": ${count})) END`;
  });
  return give(call, written, mapOf(type.element, bigint));
};

/** any_match and its kin, with NULL where an element leaves it open. */
const matching =
  (write: (list: string) => string): FunctionRule =>
  (call) => {
    checkCount(call, 2);
    const { sql, type } = arrayArgument(call, 0);
    const { parameters, body } = call.lambda(1, [type.element]);
    const condition = coerce(body, boolean, call.at, `The lambda of ${call.name}`).sql;
    const results = `list_transform(${sql}, lambda ${parameters.join(', ')}: ${condition})`;
    return give(
      call,
      withOperands([results], (list) => `CASE WHEN ${list} IS NULL THEN NULL ${write(list)} END`),
      boolean,
      body,
    );
  };

const transform: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = arrayArgument(call, 0);
  const { parameters, body } = call.lambda(1, [type.element]);
  return give(
    call,
    `list_transform(${sql}, lambda ${parameters.join(', ')}: ${body.sql})`,
    arrayOf(body.type),
    body,
  );
};

const filter: FunctionRule = (call) => {
  checkCount(call, 2);
  const { sql, type } = arrayArgument(call, 0);
  const { parameters, body } = call.lambda(1, [type.element]);
  const condition = coerce(body, boolean, call.at, 'The lambda of filter').sql;
  return give(call, `list_filter(${sql}, lambda ${parameters.join(', ')}: ${condition})`, type, body);
};

/** reduce(array, start, (state, element) -> state, state -> result). */
const reduce: FunctionRule = (call) => {
  checkCount(call, 4);
  const { sql, type } = arrayArgument(call, 0);
  const start = call.value(1);
  const depth = call.place.lambdaDepth;
  const [state, element] = [`"s${depth}"`, `"e${depth}"`];
  const read = (stateType: SqlType): Typed =>
    call.lambdaOver(2, [
      { sql: `struct_extract(${state}, 's')`, type: stateType },
      { sql: `struct_extract(${element}, 'e')`, type: type.element },
    ]);
  const first = read(start.type);
  const common = commonType(start.type, first.type);
  if (!common)
    return call.refuse(
      `The state of reduce cannot be both ${typeText(start.type)} and ${typeText(first.type)}`,
    );
  const step = coerce(read(common), common, call.at, 'The state of reduce');
  const result = call.lambdaOver(3, [{ sql: `struct_extract(${state}, 's')`, type: common }]);
  const held = `STRUCT(s ${engineType(common)}, e ${engineType(type.element)})`;
  const packed = (list: string): string =>
    `list_transform(${list}, lambda ${element}: CAST({'s': NULL, 'e': ${element}} AS ${held}))`;
  const initial = `CAST({'s': ${coerce(start, common, call.at, 'reduce').sql}, 'e': NULL} AS ${held})`;
  const reduced = (list: string): string =>
    `list_reduce(${packed(list)}, lambda ${state}, ${element}: CAST({'s': ${step.sql}, 'e': NULL} AS ${held}), ${initial})`;
  const whole = withOperands(
    [sql],
    (list) =>
      `CASE WHEN ${list} IS NULL THEN NULL ELSE list_transform([${reduced(list)}], lambda ${state}: ${result.sql})[1] END`,
  );
  return give(call, whole, result.type, step, result);
};

const arrayJoin: FunctionRule = (call) => {
  checkCount(call, 2, 3);
  const { sql, type } = arrayArgument(call, 0);
  const element = castTo({ sql: '"j"', type: type.element }, varchar, call.place, call.at).sql;
  const filled = call.count > 2 ? `coalesce(${element}, ${call.as(2, varchar).sql})` : element;
  return give(call, joinList(`list_transform(${sql}, lambda "j": ${filled})`, call.as(1, varchar)), varchar);
};

const slice: FunctionRule = (call) => {
  checkCount(call, 3);
  const { sql, type } = arrayArgument(call, 0);
  const [start, length] = [call.as(1, bigint), call.as(2, bigint)];
  if (start.number === 0) return call.refuse('The start of slice is not 0: arrays begin at 1');
  if (length.number !== undefined && length.number < 0)
    return call.refuse('The length of slice must be at least 0');
  const fail = failing(
    call.place,
    'SQL array indices start at 1, and a length is at least 0',
    engineType(type),
  );
  const written = withOperands(
    [sql, start.sql, length.sql],
    (list, from, size) =>
      `CASE WHEN ${list} IS NULL OR ${from} IS NULL OR ${size} IS NULL THEN NULL WHEN ${from} = 0 OR ${size} < 0 THEN ${fail} ` +
      `WHEN ${size} = 0 OR abs(${from}) > len(${list}) THEN [] WHEN ${from} > 0 THEN list_slice(${list}, ${from}, ${from} + ${size} - 1) ` +
      `ELSE list_slice(${list}, len(${list}) + ${from} + 1, len(${list}) + ${from} + ${size}) END`,
  );
  return give(call, written, type);
};

const sets =
  (write: (left: string, right: string) => string): FunctionRule =>
  (call) => {
    checkCount(call, 2);
    const { values, type } = unify([call.value(0), call.value(1)], call.at, call.name);
    if (type.kind !== 'array') return call.refuse(`${call.name} takes two arrays`);
    comparable(call, type.element);
    const sql = withOperands(
      values.map((value) => value.sql),
      (left, right) =>
        `CASE WHEN ${left} IS NULL OR ${right} IS NULL THEN NULL ELSE ${write(left, right)} END`,
    );
    return give(call, sql, type);
  };

const extreme =
  (name: 'max' | 'min'): FunctionRule =>
  (call) => {
    checkCount(call, 1);
    const { sql, type } = arrayArgument(call, 0);
    if (!isOrderable(type.element))
      return call.refuse(`${call.name} is not supported for ${typeText(type).slice(0, 100)}`);
    return give(
      call,
      withOperands([sql], (list) => `CASE WHEN ${hasNull(list)} THEN NULL ELSE list_${name}(${list}) END`),
      type.element,
    );
  };

/** Element at a position from 1, or from the end if negative; NULL outside. */
export function arrayElementAt(call: Call): Typed {
  const { sql, type } = arrayArgument(call, 0);
  const index = call.as(1, bigint);
  if (index.number === 0) return call.refuse('The index of element_at is not 0: arrays begin at 1');
  if (index.number !== undefined) return give(call, `list_extract(${sql}, ${index.sql})`, type.element);
  const fail = failing(call.place, 'SQL array indices start at 1', engineType(type.element));
  return give(
    call,
    withOperands(
      [index.sql],
      (position) => `CASE WHEN ${position} = 0 THEN ${fail} ELSE list_extract(${sql}, ${position}) END`,
    ),
    type.element,
  );
}

/** Array functions. */
export const arrayFunctions: FunctionTable = {
  contains,
  any_match: matching(
    (list) => `WHEN list_contains(${list}, TRUE) THEN TRUE WHEN ${hasNull(list)} THEN NULL ELSE FALSE`,
  ),
  all_match: matching(
    (list) => `WHEN list_contains(${list}, FALSE) THEN FALSE WHEN ${hasNull(list)} THEN NULL ELSE TRUE`,
  ),
  none_match: matching(
    (list) => `WHEN list_contains(${list}, TRUE) THEN FALSE WHEN ${hasNull(list)} THEN NULL ELSE TRUE`,
  ),
  transform,
  filter,
  reduce,
  array_join: arrayJoin,
  slice,
  sequence,
  ngrams,
  contains_sequence: containsSequence,
  array_histogram: arrayHistogram,
  zip,
  zip_with: zipWith,
  array_max: extreme('max'),
  array_min: extreme('min'),
  array_sort(call) {
    if (call.count > 1) return call.refuse('array_sort with a comparison is not supported');
    const { sql, type } = arrayArgument(call, 0);
    if (!isOrderable(type.element))
      return call.refuse(`array_sort is not supported for ${typeText(type).slice(0, 100)}`);
    return give(call, `list_sort(${sql}, 'ASC', 'NULLS LAST')`, type);
  },
  array_distinct(call) {
    checkCount(call, 1);
    const { sql, type } = arrayArgument(call, 0);
    if (!isComparable(type.element))
      return call.refuse(`array_distinct is not supported for ${typeText(type).slice(0, 100)}`);
    return give(call, distinct(sql), type);
  },
  array_position(call) {
    const { list, element } = withElement(call);
    const sql = withOperands(
      [list, element],
      (all, wanted) =>
        `CASE WHEN ${all} IS NULL OR ${wanted} IS NULL THEN NULL ELSE CAST(coalesce(list_position(${all}, ${wanted}), 0) AS BIGINT) END`,
    );
    return give(call, sql, bigint);
  },
  array_remove(call) {
    const { list, element, type } = withElement(call);
    const sql = withOperands(
      [list, element],
      (all, wanted) =>
        `CASE WHEN ${wanted} IS NULL THEN NULL ELSE list_filter(${all}, lambda "r": "r" IS DISTINCT FROM ${wanted}) END`,
    );
    return give(call, sql, arrayOf(type));
  },
  array_intersect: sets((left, right) =>
    distinct(`list_filter(${left}, lambda "q": list_position(${right}, "q") IS NOT NULL)`),
  ),
  array_except: sets((left, right) =>
    distinct(`list_filter(${left}, lambda "q": list_position(${right}, "q") IS NULL)`),
  ),
  array_union: sets((left, right) => distinct(`list_concat(${left}, ${right})`)),
  arrays_overlap(call) {
    const inner = sets(
      (left, right) =>
        `CASE WHEN len(list_filter(${left}, lambda "q": "q" IS NOT NULL AND list_contains(${right}, "q"))) > 0 THEN TRUE ` +
        `WHEN ${hasNull(left)} OR ${hasNull(right)} THEN NULL ELSE FALSE END`,
    )(call);
    return { ...inner, type: boolean };
  },
  flatten(call) {
    checkCount(call, 1);
    const { sql, type } = arrayArgument(call, 0);
    if (type.element.kind !== 'array') return call.refuse('flatten takes an array of arrays');
    return give(call, `flatten(${sql})`, type.element);
  },
  repeat(call) {
    checkCount(call, 2);
    const { sql, type } = call.value(0);
    const count = call.as(1, integer);
    if (count.number === undefined || count.number > 10_000)
      return call.refuse('repeat takes a whole number of at most 10000');
    const held = engineType(arrayOf(type));
    return give(
      call,
      `CAST(list_transform(generate_series(1, ${Math.max(0, count.number)}), lambda "n": ${sql}) AS ${held})`,
      arrayOf(type),
    );
  },
  trim_array(call) {
    checkCount(call, 2);
    const { sql, type } = arrayArgument(call, 0);
    const count = call.as(1, bigint);
    if (count.number === undefined || count.number < 0)
      return call.refuse('trim_array takes a whole number of at least 0');
    const fail = failing(call.place, 'size must not exceed array cardinality', engineType(type));
    return give(
      call,
      withOperands(
        [sql],
        (list) =>
          `CASE WHEN ${list} IS NULL THEN NULL WHEN len(${list}) < ${count.number} THEN ${fail} WHEN len(${list}) = ${count.number} THEN [] ELSE list_slice(${list}, 1, len(${list}) - ${count.number}) END`,
      ),
      type,
    );
  },
};
