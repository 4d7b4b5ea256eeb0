import { withOperands } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';
import {
  arrayOf,
  bigint,
  boolean,
  double,
  engineType,
  isComparable,
  isFloating,
  isInteger,
  isNumeric,
  isOrderable,
  mapOf,
  typeText,
  varchar,
} from '../types.ts';
import type { SqlType } from '../types.ts';
import { checkCount } from './rule.ts';
import type { Call } from './rule.ts';

/** An aggregate, ready for DISTINCT, ORDER BY, FILTER and OVER to be written into each of its engine calls. */
export interface Aggregate {
  readonly type: SqlType;
  /** Writes the value; `apply` writes one engine call with the clauses, and a filter of the aggregate's own. */
  write(apply: (name: string, parameters: string, filter?: string) => string): string;
  /** Whether DISTINCT means anything to it. */
  readonly distinct?: boolean;
}

export type AggregateRule = (call: Call) => Aggregate;

function over(
  name: string,
  type: (argument: SqlType) => SqlType | undefined,
  wanted: string,
  cast: boolean,
): AggregateRule {
  return (call) => {
    checkCount(call, 1);
    const value = call.value(0);
    const result = value.type.kind === 'unknown' ? type({ kind: 'bigint' }) : type(value.type);
    if (!result)
      return call.refuse(
        `The function ${call.name} takes ${wanted}, not ${typeText(value.type).slice(0, 100)}`,
      );
    const held = engineType(result);
    return {
      type: result,
      distinct: true,
      write: (apply) => (cast ? `CAST(${apply(name, value.sql)} AS ${held})` : apply(name, value.sql)),
    };
  };
}

const doubles =
  (name: string): AggregateRule =>
  (call) => {
    checkCount(call, 1);
    const value = call.as(0, double);
    return { type: double, distinct: true, write: (apply) => apply(name, value.sql) };
  };

const pairs =
  (name: string): AggregateRule =>
  (call) => {
    checkCount(call, 2);
    const parameters = `${call.as(0, double).sql}, ${call.as(1, double).sql}`;
    return { type: double, write: (apply) => apply(name, parameters) };
  };

const booleans =
  (name: string): AggregateRule =>
  (call) => {
    checkCount(call, 1);
    const value = call.as(0, boolean);
    return { type: boolean, distinct: true, write: (apply) => apply(name, value.sql) };
  };

const count: AggregateRule = (call) => {
  if (call.expression.star) return { type: bigint, write: (apply) => apply('count', '*') };
  checkCount(call, 0, 1);
  if (call.count === 0) return { type: bigint, write: (apply) => apply('count', '*') };
  const value = call.value(0);
  return { type: bigint, distinct: isComparable(value.type), write: (apply) => apply('count', value.sql) };
};

const countIf: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.as(0, boolean);
  return { type: bigint, write: (apply) => apply('count', `CASE WHEN ${value.sql} THEN 1 END`) };
};

const approxDistinct: AggregateRule = (call) => {
  checkCount(call, 1, 2);
  const value = call.value(0);
  if (!isComparable(value.type)) return call.refuse(`approx_distinct takes no ${typeText(value.type)}`);
  return { type: bigint, write: (apply) => apply('count', `DISTINCT ${value.sql}`) };
};

const sumType = (type: SqlType): SqlType | undefined => {
  if (isInteger(type)) return bigint;
  if (type.kind === 'decimal') return { kind: 'decimal', precision: 38, scale: type.scale };
  if (isFloating(type) || type.kind === 'interval-day' || type.kind === 'interval-month') return type;
  return undefined;
};

/** avg of a decimal has its scale, rounded half up; of whole numbers it is a double. */
const avg: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.value(0);
  const { type } = value;
  if (type.kind === 'interval-day' || type.kind === 'interval-month')
    return {
      type,
      distinct: true,
      write: (apply) => `CAST(round(${apply('avg', value.sql)}) AS ${engineType(type)})`,
    };
  if (!isNumeric(type) && type.kind !== 'unknown')
    return call.refuse(`The function avg takes numbers, not ${typeText(type)}`);
  if (type.kind !== 'decimal') {
    const result: SqlType = type.kind === 'real' ? type : double;
    return {
      type: result,
      distinct: true,
      write: (apply) => `CAST(${apply('avg', value.sql)} AS ${engineType(result)})`,
    };
  }
  return {
    type,
    distinct: true,
    write: (apply) => {
      const digits = `CAST(${value.sql} * CAST('1e${type.scale}' AS DECIMAL(38, 0)) AS HUGEINT)`;
      return withOperands([apply('sum', digits), apply('count', value.sql)], (sum, number) => {
        const quotient = `CASE WHEN ${number} = 0 THEN NULL ELSE CAST(sign(${sum}) * ((abs(${sum}) * 2 + ${number}) // (${number} * 2)) AS DECIMAL(${38 - type.scale}, 0)) END`;
        const unit =
          type.scale === 0
            ? '1'
            : `CAST('0.${'0'.repeat(type.scale - 1)}1' AS DECIMAL(${type.scale}, ${type.scale}))`;
        return `CAST((${quotient}) * ${unit} AS ${engineType(type)})`;
      });
    },
  };
};

function extreme(name: 'max' | 'min'): AggregateRule {
  return (call) => {
    checkCount(call, 1, 2);
    const value = call.value(0);
    if (!isOrderable(value.type))
      return call.refuse(`The function ${name} is not supported for ${typeText(value.type).slice(0, 100)}`);
    if (call.count === 1)
      return { type: value.type, distinct: true, write: (apply) => apply(name, value.sql) };
    const number = call.as(1, bigint);
    if (number.number === undefined || number.number < 1 || number.number > 10_000)
      return call.refuse(`The second argument of ${name} must be a whole number from 1 to 10000`);
    return { type: arrayOf(value.type), write: (apply) => apply(name, `${value.sql}, ${number.number}`) };
  };
}

/** The value beside the greatest or least of another; that value may be NULL. */
function extremeBy(name: 'max' | 'min'): AggregateRule {
  const engine = `arg_${name}`;
  return (call) => {
    checkCount(call, 2, 3);
    const [value, by] = [call.value(0), call.value(1)];
    if (!isOrderable(by.type))
      return call.refuse(`${call.name} cannot order by ${typeText(by.type).slice(0, 100)}`);
    const packed = `{'v': ${value.sql}}, ${by.sql}`;
    if (call.count === 2)
      return {
        type: value.type,
        write: (apply) => `struct_extract(${apply(engine, packed, `${by.sql} IS NOT NULL`)}, 'v')`,
      };
    const number = call.as(2, bigint);
    if (number.number === undefined || number.number < 1 || number.number > 10_000)
      return call.refuse(`The third argument of ${call.name} must be a whole number from 1 to 10000`);
    return {
      type: arrayOf(value.type),
      write: (apply) =>
        `list_transform(${apply(engine, `${packed}, ${number.number}`, `${by.sql} IS NOT NULL`)}, lambda "b": struct_extract("b", 'v'))`,
    };
  };
}

const approxPercentile: AggregateRule = (call) => {
  if (call.count > 2) return call.refuse('approx_percentile with weights or an accuracy is not supported');
  checkCount(call, 2);
  const value = call.value(0);
  if (!isNumeric(value.type))
    return call.refuse(`approx_percentile takes numbers, not ${typeText(value.type)}`);
  const argument = call.expression.parameters[1];
  const items = argument?.kind === 'array' ? argument.items : argument ? [argument] : [];
  const points = items.map((item) => call.place.session.analyse(item, call.place).number);
  if (points.length === 0 || points.some((point) => point === undefined || point < 0 || point > 1))
    return call.refuse('The percentiles of approx_percentile must be numbers from 0 to 1');
  const many = argument?.kind === 'array';
  const written = points.map((point) => `CAST('${point}' AS DOUBLE)`).join(', ');
  return {
    type: many ? arrayOf(value.type) : value.type,
    write: (apply) => apply('quantile_disc', `${value.sql}, ${many ? `[${written}]` : written}`),
  };
};

const arrayAgg: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.value(0);
  return {
    type: arrayOf(value.type),
    distinct: isComparable(value.type),
    write: (apply) => apply('list', value.sql),
  };
};

const setAgg: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.value(0);
  if (!isComparable(value.type)) return call.refuse(`set_agg takes no ${typeText(value.type)}`);
  return { type: arrayOf(value.type), write: (apply) => apply('list', `DISTINCT ${value.sql}`) };
};

function checkKey(call: Call, key: Typed): void {
  if (!isComparable(key.type)) call.refuse(`${call.name} cannot have keys of ${typeText(key.type)}`);
}

/** A map of the first value of every key; keys that are NULL are left out. */
const mapAgg: AggregateRule = (call) => {
  checkCount(call, 2);
  const [key, value] = [call.value(0), call.value(1)];
  checkKey(call, key);
  return {
    type: mapOf(key.type, value.type),
    write: (apply) => {
      const keys = apply('list', key.sql, `${key.sql} IS NOT NULL`);
      const values = apply('list', value.sql, `${key.sql} IS NOT NULL`);
      return (
        `list_transform([{'k': ${keys}, 'v': ${values}}], lambda "m": CASE WHEN "m".k IS NULL THEN NULL ELSE map(list_distinct("m".k), ` +
        `list_transform(list_distinct("m".k), lambda "n": list_extract("m".v, list_position("m".k, "n")))) END)[1]`
      );
    },
  };
};

const multimapAgg: AggregateRule = (call) => {
  checkCount(call, 2);
  const [key, value] = [call.value(0), call.value(1)];
  checkKey(call, key);
  return {
    type: mapOf(key.type, arrayOf(value.type)),
    write: (apply) => {
      const entries = apply('list', `{'k': ${key.sql}, 'v': ${value.sql}}`, `${key.sql} IS NOT NULL`);
      const keys = `list_distinct(list_transform("m", lambda "e": "e".k))`;
      return (
        `list_transform([${entries}], lambda "m": CASE WHEN "m" IS NULL THEN NULL ELSE map(${keys}, list_transform(${keys}, ` +
        `lambda "n": list_transform(list_filter("m", lambda "e": "e".k = "n"), lambda "e": "e".v))) END)[1]`
      );
    },
  };
};

const histogram: AggregateRule = (call) => {
  checkCount(call, 1);
  const key = call.value(0);
  checkKey(call, key);
  const type = mapOf(key.type, bigint);
  return { type, write: (apply) => `CAST(${apply('histogram', key.sql)} AS ${engineType(type)})` };
};

const listagg: AggregateRule = (call) => {
  checkCount(call, 1, 2);
  const separator = call.count === 2 ? call.literal(1, 'the separator') : '';
  const value = call.as(0, varchar);
  return {
    type: varchar,
    distinct: true,
    write: (apply) => apply('string_agg', `${value.sql}, '${separator.replaceAll("'", "''")}'`),
  };
};

const arbitrary: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.value(0);
  return { type: value.type, write: (apply) => apply('any_value', value.sql) };
};

const bits =
  (name: string): AggregateRule =>
  (call) => {
    checkCount(call, 1);
    const value = call.as(0, bigint);
    return { type: bigint, write: (apply) => apply(name, value.sql) };
  };

const geometricMean: AggregateRule = (call) => {
  checkCount(call, 1);
  const value = call.as(0, double);
  return {
    type: double,
    write: (apply) =>
      `exp(${apply('avg', `CASE WHEN ${value.sql} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN ${value.sql} < 0 THEN CAST('NaN' AS DOUBLE) ELSE ln(${value.sql}) END`)})`,
  };
};

/** reduce_agg and its kin have no counterpart; what is here has the meaning that Trino documents. */
export const aggregates: Readonly<Record<string, AggregateRule>> = {
  count,
  count_if: countIf,
  sum: over('sum', sumType, 'numbers', true),
  avg,
  max: extreme('max'),
  min: extreme('min'),
  max_by: extremeBy('max'),
  min_by: extremeBy('min'),
  approx_distinct: approxDistinct,
  approx_percentile: approxPercentile,
  array_agg: arrayAgg,
  set_agg: setAgg,
  map_agg: mapAgg,
  multimap_agg: multimapAgg,
  histogram,
  listagg,
  arbitrary,
  any_value: arbitrary,
  bool_and: booleans('bool_and'),
  bool_or: booleans('bool_or'),
  every: booleans('bool_and'),
  bitwise_and_agg: bits('bit_and'),
  bitwise_or_agg: bits('bit_or'),
  bitwise_xor_agg: bits('bit_xor'),
  geometric_mean: geometricMean,
  stddev: doubles('stddev_samp'),
  stddev_samp: doubles('stddev_samp'),
  stddev_pop: doubles('stddev_pop'),
  variance: doubles('var_samp'),
  var_samp: doubles('var_samp'),
  var_pop: doubles('var_pop'),
  corr: pairs('corr'),
  covar_pop: pairs('covar_pop'),
  covar_samp: pairs('covar_samp'),
  regr_intercept: pairs('regr_intercept'),
  regr_slope: pairs('regr_slope'),
};
