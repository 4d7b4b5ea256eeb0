import type { Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import {
  arrayOf,
  asDecimal,
  commonType,
  engineType,
  intervalDay,
  isFloating,
  isInteger,
  isNumeric,
  typeText,
  varchar,
} from '../types.ts';
import type { SqlType } from '../types.ts';
import { fromLocal, toLocal } from '../zones.ts';
import { coerce } from './coerce.ts';
import { failing, looseOf, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

type Arithmetic = Extract<Expression, { kind: 'arithmetic' }>;

const dayMilliseconds = 86_400_000;

function divisionByZero(
  place: Place,
  divisor: Typed,
  type: SqlType,
  write: (divisor: string) => string,
): string {
  if (divisor.number !== undefined && divisor.number !== 0) return write(divisor.sql);
  return withOperands(
    [divisor.sql],
    (by) =>
      `CASE WHEN ${by} = 0 THEN ${failing(place, 'Division by zero', engineType(type))} ELSE ${write(by)} END`,
  );
}

/** What Trino gives for an operation on decimals ("Decimal functions and operators"). */
function decimalResult(
  operator: string,
  left: SqlType,
  right: SqlType,
): { precision: number; scale: number } {
  const [{ precision: p1, scale: s1 }, { precision: p2, scale: s2 }] = [asDecimal(left), asDecimal(right)];
  if (operator === '*') return { precision: Math.min(38, p1 + p2), scale: s1 + s2 };
  const scale = Math.max(s1, s2);
  if (operator === '/') return { precision: Math.min(38, p1 + s2 + Math.max(0, s2 - s1)), scale };
  if (operator === '%') return { precision: Math.min(p2 - s2, p1 - s1) + scale, scale };
  return { precision: Math.min(38, 1 + scale + Math.max(p1 - s1, p2 - s2)), scale };
}

/** The digits of a decimal as a whole number, with so many zeros appended. */
function unscaled(sql: string, type: SqlType, zeros: number): string {
  const { scale } = asDecimal(type);
  const whole = scale === 0 ? sql : `(${sql} * CAST('1e${scale}' AS DECIMAL(38, 0)))`;
  const digits = `CAST(${whole} AS HUGEINT)`;
  return zeros === 0 ? digits : `(${digits} * CAST('1${'0'.repeat(zeros)}' AS HUGEINT))`;
}

function scaled(sql: string, precision: number, scale: number): string {
  if (scale === 0) return `CAST(${sql} AS DECIMAL(${precision}, 0))`;
  const unit = `CAST('0.${'0'.repeat(scale - 1)}1' AS DECIMAL(${scale}, ${scale}))`;
  return `CAST(CAST(${sql} AS DECIMAL(${38 - scale}, 0)) * ${unit} AS DECIMAL(${precision}, ${scale}))`;
}

function decimalArithmetic(operator: string, left: Typed, right: Typed, place: Place, at: number): Typed {
  const { precision, scale } = decimalResult(operator, left.type, right.type);
  if (scale > 37) refuse(at, 'The result would have more digits than a decimal holds');
  const type: SqlType = { kind: 'decimal', precision, scale };
  const [one, other] = [asDecimal(left.type).scale, asDecimal(right.type).scale];
  const held = engineType(type);
  if (operator === '+' || operator === '-') {
    const sql = `CAST(CAST(${left.sql} AS ${held}) ${operator} CAST(${right.sql} AS ${held}) AS ${held})`;
    return { sql, type };
  }
  if (operator === '*') {
    const [p1, p2] = [asDecimal(left.type).precision, asDecimal(right.type).precision];
    const sql = `CAST(CAST(${left.sql} AS DECIMAL(${p1}, ${one})) * CAST(${right.sql} AS DECIMAL(${p2}, ${other})) AS ${held})`;
    return { sql, type };
  }
  const zeros = operator === '/' ? [scale - one + other, 0] : [scale - one, scale - other];
  const dividend = unscaled(left.sql, left.type, zeros[0] ?? 0);
  const divisor = { ...right, sql: unscaled(right.sql, right.type, zeros[1] ?? 0) };
  const sql = withOperands([dividend], (number) =>
    divisionByZero(place, divisor, type, (by) =>
      operator === '%'
        ? scaled(`${number} % ${by}`, precision, scale)
        : scaled(
            `sign(${number}) * sign(${by}) * ((abs(${number}) * 2 + abs(${by})) // (abs(${by}) * 2))`,
            precision,
            scale,
          ),
    ),
  );
  return { sql, type };
}

function numeric(operator: string, left: Typed, right: Typed, place: Place, at: number): Typed {
  const type = commonType(left.type, right.type) as SqlType;
  if (type.kind === 'decimal') return decimalArithmetic(operator, left, right, place, at);
  const [one, other] = [coerce(left, type, at, operator), coerce(right, type, at, operator)];
  const held = engineType(type);
  if (isFloating(type)) return { sql: `CAST(${one.sql} ${operator} ${other.sql} AS ${held})`, type };
  if (operator !== '/' && operator !== '%')
    return { sql: `CAST(${one.sql} ${operator} ${other.sql} AS ${held})`, type };
  const engineOperator = operator === '/' ? '//' : '%';
  return {
    sql: divisionByZero(place, other, type, (by) => `CAST(${one.sql} ${engineOperator} ${by} AS ${held})`),
    type,
  };
}

/** A time and an interval. */
function shifted(time: Typed, interval: Typed, sign: '+' | '-', place: Place, at: number): Typed {
  const { type } = time;
  const months = interval.type.kind === 'interval-month';
  if (type.kind === 'date') {
    if (months) return { sql: `CAST(${time.sql} ${sign} to_months(${interval.sql}) AS DATE)`, type };
    if (interval.number !== undefined) {
      if (interval.number % dayMilliseconds !== 0)
        refuse(at, 'Hours, minutes and seconds cannot be added to a date');
      return { sql: `(${time.sql} ${sign} CAST(${interval.number / dayMilliseconds} AS INTEGER))`, type };
    }
    const sql = withOperands(
      [interval.sql],
      (amount) =>
        `CASE WHEN ${amount} % ${dayMilliseconds} <> 0 THEN ${failing(place, 'Cannot add hour, minutes or seconds to a date', 'DATE')} ` +
        `ELSE ${time.sql} ${sign} CAST(${amount} // ${dayMilliseconds} AS INTEGER) END`,
    );
    return { sql, type };
  }
  const amount = months ? `to_months(${interval.sql})` : `to_milliseconds(${interval.sql})`;
  if (type.kind === 'timestamptz' && months)
    return { sql: fromLocal(`(${toLocal(time.sql, type.zone)} ${sign} ${amount})`, type.zone), type };
  if (type.kind === 'time' && months) refuse(at, 'Months cannot be added to a time');
  return { sql: `(${time.sql} ${sign} ${amount})`, type };
}

function isTime(type: SqlType): boolean {
  return ['date', 'timestamp', 'timestamptz', 'time'].includes(type.kind);
}

function isInterval(type: SqlType): boolean {
  return type.kind === 'interval-day' || type.kind === 'interval-month';
}

function instant({ sql, type }: Typed): string {
  return type.kind === 'date' ? `CAST(${sql} AS TIMESTAMP)` : sql;
}

function difference(left: Typed, right: Typed): string {
  return `CAST((epoch_us(${instant(left)}) - epoch_us(${instant(right)})) // 1000 AS BIGINT)`;
}

function intervalArithmetic(operator: string, left: Typed, right: Typed, at: number): Typed | undefined {
  const same = left.type.kind === right.type.kind;
  if (isInterval(left.type) && same && (operator === '+' || operator === '-'))
    return { sql: `(${left.sql} ${operator} ${right.sql})`, type: left.type };
  if (operator === '*' && isInterval(right.type)) return intervalArithmetic('*', right, left, at);
  if (!isInterval(left.type) || !isNumeric(right.type)) return undefined;
  const held = engineType(left.type);
  if (operator === '*' && isInteger(right.type))
    return { sql: `CAST(${left.sql} * ${right.sql} AS ${held})`, type: left.type };
  if (operator !== '*' && operator !== '/') return undefined;
  return {
    sql: `CAST(trunc(CAST(${left.sql} AS DOUBLE) ${operator} CAST(${right.sql} AS DOUBLE)) AS ${held})`,
    type: left.type,
  };
}

function concatenated(left: Typed, right: Typed, at: number): Typed {
  const [one, other] = [left.type, right.type];
  if (one.kind === 'array' || other.kind === 'array') {
    const element = one.kind === 'array' ? one.element : one;
    const more = other.kind === 'array' ? other.element : other;
    const common = commonType(element, more);
    if (!common) refuse(at, `|| cannot join ${typeText(one)} and ${typeText(other)}`);
    const list = (value: Typed): string =>
      value.type.kind === 'array' || (value.type.kind === 'unknown' && one.kind === other.kind)
        ? coerce(value, arrayOf(common), at, '||').sql
        : `[${coerce(value, common, at, '||').sql}]`;
    return {
      sql: withOperands(
        [list(left), list(right)],
        (a, b) => `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL ELSE list_concat(${a}, ${b}) END`,
      ),
      type: arrayOf(common),
    };
  }
  if (one.kind === 'varbinary' && other.kind === 'varbinary')
    return { sql: `(${left.sql} || ${right.sql})`, type: one };
  const text = left.text !== undefined && right.text !== undefined ? { text: left.text + right.text } : {};
  return {
    sql: `(${coerce(left, varchar, at, '||').sql} || ${coerce(right, varchar, at, '||').sql})`,
    type: varchar,
    ...text,
  };
}

function apply(operator: Arithmetic['operator'], left: Typed, right: Typed, place: Place, at: number): Typed {
  if (operator === '||') return concatenated(left, right, at);
  if (left.type.kind === 'unknown' && right.type.kind === 'unknown')
    return { sql: 'CAST(NULL AS INTEGER)', type: { kind: 'integer' } };
  if (left.type.kind === 'unknown')
    return apply(operator, coerce(left, right.type, at, operator), right, place, at);
  if (right.type.kind === 'unknown')
    return apply(operator, left, coerce(right, left.type, at, operator), place, at);
  if (isNumeric(left.type) && isNumeric(right.type)) return numeric(operator, left, right, place, at);
  if ((operator === '+' || operator === '-') && isTime(left.type) && isInterval(right.type))
    return shifted(left, right, operator, place, at);
  if (operator === '+' && isInterval(left.type) && isTime(right.type))
    return shifted(right, left, '+', place, at);
  const instants = [left, right].every(({ type }) => isTime(type) && type.kind !== 'time');
  if (operator === '-' && instants && commonType(left.type, right.type))
    return { sql: difference(left, right), type: intervalDay };
  const intervals = intervalArithmetic(operator, left, right, at);
  if (intervals) return intervals;
  refuse(at, `${operator} is not defined for ${typeText(left.type)} and ${typeText(right.type)}`);
}

/** + - * / % and ||, as Trino defines them for the operands' types. */
export function analyseArithmetic(expression: Arithmetic, place: Place): Typed {
  const left = place.session.analyse(expression.left, place);
  const right = place.session.analyse(expression.right, place);
  return { ...apply(expression.operator, left, right, place, expression.at), ...looseOf(left, right) };
}

/** The remainder, as mod() gives it. */
export function remainder(left: Typed, right: Typed, place: Place, at: number): Typed {
  if (!isNumeric(left.type) || !isNumeric(right.type)) refuse(at, 'mod takes numbers');
  return { ...apply('%', left, right, place, at), ...looseOf(left, right) };
}

/** A minus sign; what is no number and no interval has none. */
export function negated(value: Typed, at: number): Typed {
  if (!isNumeric(value.type) && !isInterval(value.type))
    refuse(at, `There is no negative of ${typeText(value.type)}`);
  const number = value.number === undefined ? {} : { number: -value.number };
  return { sql: `(-${value.sql})`, type: value.type, loose: value.loose, ...number };
}
