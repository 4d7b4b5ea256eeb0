import { remainder } from '../analyse/arithmetic.ts';
import { isCoercible } from '../analyse/coerce.ts';
import { failing, withOperands } from '../analyse/typed.ts';
import {
  bigint,
  boolean,
  double,
  engineType,
  integer,
  isFloating,
  isInteger,
  isNumeric,
  typeText,
  varchar,
} from '../types.ts';
import type { SqlType } from '../types.ts';
import { checkCount, give, plain } from './rule.ts';
import type { Call, FunctionRule, FunctionTable } from './rule.ts';

const real1 = (name: string): FunctionRule => plain([double], double, (x) => `${name}(${x})`);

/** A function of a double that the engine fails for where Trino gives NaN or infinity. */
const guarded = (name: string, guards: (x: string) => string): FunctionRule =>
  plain([double], double, (value) =>
    withOperands([value], (x) => `CASE ${guards(x)} ELSE ${name}(${x}) END`),
  );

const nan = `CAST('NaN' AS DOUBLE)`;
const logarithm = (x: string): string =>
  `WHEN ${x} < 0 THEN ${nan} WHEN ${x} = 0 THEN CAST('-Infinity' AS DOUBLE)`;

function number(call: Call): { sql: string; type: SqlType } {
  checkCount(call, 1);
  const { sql, type } = call.value(0);
  if (!isNumeric(type)) return call.refuse(`The function ${call.name} takes a number, not ${typeText(type)}`);
  return { sql, type };
}

const rounding =
  (name: 'ceil' | 'floor'): FunctionRule =>
  (call) => {
    const { sql, type } = number(call);
    if (type.kind !== 'decimal')
      return give(call, isInteger(type) ? sql : `CAST(${name}(${sql}) AS ${engineType(type)})`, type);
    const result: SqlType = {
      kind: 'decimal',
      precision: Math.min(38, type.precision - type.scale + Math.min(type.scale, 1)) || 1,
      scale: 0,
    };
    return give(call, `CAST(${name}(${sql}) AS ${engineType(result)})`, result);
  };

const round: FunctionRule = (call) => {
  checkCount(call, 1, 2);
  const { sql, type } = call.value(0);
  if (!isNumeric(type)) return call.refuse(`The function round takes a number, not ${typeText(type)}`);
  const digits = call.count > 1 ? call.as(1, integer) : undefined;
  if (digits && digits.number === undefined)
    return call.refuse('round takes the number of digits as a literal');
  if (type.kind === 'decimal' && !digits) {
    const precision = Math.min(38, type.precision - type.scale + Math.min(1, type.scale));
    const result: SqlType = { kind: 'decimal', precision: Math.max(1, precision), scale: 0 };
    return give(call, `CAST(round(${sql}) AS ${engineType(result)})`, result);
  }
  if (type.kind === 'decimal') {
    const result: SqlType = { ...type, precision: Math.min(38, type.precision + 1) };
    return give(call, `CAST(round(${sql}, ${digits?.number}) AS ${engineType(result)})`, result);
  }
  if (!digits || (isInteger(type) && (digits.number ?? 0) >= 0))
    return give(call, isInteger(type) ? sql : `round(${sql})`, type);
  return give(call, `CAST(round(${sql}, ${digits.number}) AS ${engineType(type)})`, type);
};

/** A decimal with its later digits made 0. */
const truncateAt: FunctionRule = (call) => {
  const { sql, type } = call.value(0);
  const digits = call.as(1, bigint).number;
  if (type.kind !== 'decimal' || digits === undefined)
    return call.refuse('truncate with a number of digits takes a decimal, and the number as a literal');
  if (digits >= type.scale) return give(call, sql, type);
  const dropped = type.scale - digits;
  if (dropped >= type.precision) return give(call, `(${sql} * 0)`, type);
  const unit = `CAST('1${'0'.repeat(dropped)}' AS HUGEINT)`;
  const whole = `CAST(${sql} * CAST('1e${type.scale}' AS DECIMAL(38, 0)) AS HUGEINT)`;
  const kept = `CAST(${whole} // ${unit} * ${unit} AS DECIMAL(${38 - type.scale}, 0))`;
  const smallest =
    type.scale === 0
      ? '1'
      : `CAST('0.${'0'.repeat(type.scale - 1)}1' AS DECIMAL(${type.scale}, ${type.scale}))`;
  return give(call, `CAST(${kept} * ${smallest} AS ${engineType(type)})`, type);
};

const truncate: FunctionRule = (call) => {
  if (call.count === 2) return truncateAt(call);
  const { sql, type } = number(call);
  if (isFloating(type)) return give(call, `trunc(${sql})`, type);
  if (type.kind !== 'decimal') return give(call, sql, type);
  const result: SqlType = { kind: 'decimal', precision: Math.max(1, type.precision - type.scale), scale: 0 };
  return give(call, `CAST(trunc(${sql}) AS ${engineType(result)})`, result);
};

const power = plain([double, double], double, (x, y) =>
  withOperands(
    [x ?? '', y ?? ''],
    (base, exponent) =>
      `CASE WHEN ${base} < 0 AND ${exponent} <> trunc(${exponent}) THEN ${nan} ELSE pow(${base}, ${exponent}) END`,
  ),
);

const random: FunctionRule = (call) => {
  checkCount(call, 0, 2);
  if (call.count === 0) return { sql: 'random()', type: double };
  const low = call.count > 1 ? call.as(0, bigint).sql : 'CAST(0 AS BIGINT)';
  const high = call.as(call.count - 1, bigint).sql;
  return give(call, `CAST(${low} + CAST(floor(random() * (${high} - ${low})) AS BIGINT) AS BIGINT)`, bigint);
};

const bitwise = (operator: string): FunctionRule =>
  plain([bigint, bigint], bigint, (x, y) =>
    operator === 'xor' ? `xor(${x}, ${y})` : `(${x} ${operator} ${y})`,
  );

/** Mathematical functions. */
export const numberFunctions: FunctionTable = {
  abs(call) {
    const { sql, type } = number(call);
    return give(call, `abs(${sql})`, type);
  },
  ceil: rounding('ceil'),
  ceiling: rounding('ceil'),
  floor: rounding('floor'),
  round,
  truncate,
  sign(call) {
    const { sql, type } = number(call);
    if (isFloating(type)) {
      const written = withOperands(
        [sql],
        (x) => `CASE WHEN isnan(${x}) THEN ${x} ELSE CAST(sign(${x}) AS ${engineType(type)}) END`,
      );
      return give(call, written, type);
    }
    if (type.kind !== 'decimal') return give(call, `CAST(sign(${sql}) AS ${engineType(type)})`, type);
    return give(call, `CAST(sign(${sql}) AS DECIMAL(1, 0))`, { kind: 'decimal', precision: 1, scale: 0 });
  },
  mod(call) {
    checkCount(call, 2);
    return remainder(call.value(0), call.value(1), call.place, call.at);
  },
  power,
  pow: power,
  sqrt: guarded('sqrt', (x) => `WHEN ${x} < 0 THEN ${nan}`),
  // The engine's cube root of 27 is not 3; Java's is.
  cbrt: plain([double], double, (value) =>
    withOperands(
      [value ?? ''],
      (x) => `CASE WHEN pow(round(cbrt(${x})), 3) = ${x} THEN round(cbrt(${x})) ELSE cbrt(${x}) END`,
    ),
  ),
  exp: real1('exp'),
  ln: guarded('ln', logarithm),
  log2: guarded('log2', logarithm),
  log10: guarded('log10', logarithm),
  log: plain([double, double], double, (b, x) =>
    withOperands([x ?? ''], (value) => `CASE ${logarithm(value)} ELSE ln(${value}) / ln(${b}) END`),
  ),
  pi: plain([], double, () => 'pi()'),
  e: plain([], double, () => 'exp(CAST(1 AS DOUBLE))'),
  radians: real1('radians'),
  degrees: real1('degrees'),
  sin: real1('sin'),
  cos: real1('cos'),
  tan: real1('tan'),
  asin: guarded('asin', (x) => `WHEN abs(${x}) > 1 THEN ${nan}`),
  acos: guarded('acos', (x) => `WHEN abs(${x}) > 1 THEN ${nan}`),
  atan: real1('atan'),
  atan2: plain([double, double], double, (y, x) => `atan2(${y}, ${x})`),
  sinh: real1('sinh'),
  cosh: real1('cosh'),
  tanh: real1('tanh'),
  infinity: plain([], double, () => `CAST('Infinity' AS DOUBLE)`),
  nan: plain([], double, () => nan),
  is_nan: plain([double], boolean, (x) => `isnan(${x})`),
  is_finite: plain([double], boolean, (x) => `isfinite(${x})`),
  is_infinite: plain([double], boolean, (x) => `isinf(${x})`),
  random,
  rand: random,
  bitwise_and: bitwise('&'),
  bitwise_or: bitwise('|'),
  bitwise_xor: bitwise('xor'),
  bitwise_not: plain([bigint], bigint, (x) => `(~${x})`),
  to_base(call) {
    checkCount(call, 2);
    const [value, radix] = [call.as(0, bigint), call.as(1, bigint)];
    if (radix.number === undefined || radix.number < 2 || radix.number > 36)
      return call.refuse('to_base takes a radix from 2 to 36');
    const sql = withOperands(
      [value.sql],
      (x) => `CASE WHEN ${x} < 0 THEN '-' ELSE '' END || lower(to_base(abs(${x}), ${radix.number}))`,
    );
    return give(call, `(${sql})`, varchar);
  },
  width_bucket(call) {
    checkCount(call, 4);
    if (!isCoercible(call.value(0).type, double)) return call.refuse('width_bucket takes numbers');
    const [x, low, high, count] = [
      call.as(0, double).sql,
      call.as(1, double).sql,
      call.as(2, double).sql,
      call.as(3, bigint).sql,
    ];
    const sql = withOperands(
      [x, low, high, count],
      (value, least, most, buckets) =>
        `CASE WHEN ${buckets} <= 0 OR ${least} = ${most} OR isnan(${value}) OR NOT isfinite(${least}) OR NOT isfinite(${most}) THEN ${failing(call.place, 'width_bucket takes more than 0 buckets, unequal finite bounds and no NaN', 'BIGINT')} ` +
        `WHEN ${least} < ${most} THEN CASE WHEN ${value} < ${least} THEN 0 WHEN ${value} >= ${most} THEN ${buckets} + 1 ELSE CAST(floor(${buckets} * (${value} - ${least}) / (${most} - ${least})) AS BIGINT) + 1 END ` +
        `WHEN ${value} > ${least} THEN 0 WHEN ${value} <= ${most} THEN ${buckets} + 1 ELSE CAST(floor(${buckets} * (${least} - ${value}) / (${least} - ${most})) AS BIGINT) + 1 END`,
    );
    return give(call, `CAST(${sql} AS BIGINT)`, bigint);
  },
};
