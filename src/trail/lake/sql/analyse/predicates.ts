import type { ComparisonOperator, Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { boolean, isComparable, isOrderable, quoteText, typeText } from '../types.ts';
import type { SqlType } from '../types.ts';
import { asVarchar, coerce, readBesideTime, unify, unifyPair } from './coerce.ts';
import { canFail, looseOf, notInLambda, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

function checkComparable(type: SqlType, operator: string, at: number): void {
  const ordered = !['=', '<>', 'IN', 'IS DISTINCT FROM'].includes(operator);
  if (ordered ? isOrderable(type) : isComparable(type)) return;
  refuse(at, `${operator} is not defined for ${typeText(type).slice(0, 200)}`);
}

/** Equality of arrays: NULL if a NULL inside keeps it open, where the engine would take NULLs for equal. */
function arrayEquality(left: string, right: string): string {
  return withOperands(
    [left, right],
    (a, b) =>
      `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL WHEN len(${a}) <> len(${b}) THEN FALSE ` +
      `WHEN len(list_filter(generate_series(1, len(${a})), lambda "z": list_extract(${a}, "z") <> list_extract(${b}, "z"))) > 0 THEN FALSE ` +
      `WHEN len(list_filter(${a}, lambda "z": "z" IS NULL)) > 0 OR len(list_filter(${b}, lambda "z": "z" IS NULL)) > 0 THEN NULL ELSE TRUE END`,
  );
}

/** Compares two values that the language can compare. */
export function compare(operator: ComparisonOperator, one: Typed, two: Typed, at: number): Typed {
  const { left, right, type } = unifyPair(one, two, at, operator);
  checkComparable(type, operator, at);
  if (type.kind === 'row' || type.kind === 'map')
    refuse(
      at,
      `${operator} between values of ${type.kind === 'row' ? 'a row' : 'a map'} type is not supported; compare their fields`,
    );
  const loose = looseOf(left, right);
  if (type.kind !== 'array')
    return { sql: `(${left.sql} ${operator} ${right.sql})`, type: boolean, ...loose };
  if (type.element.kind === 'array' || type.element.kind === 'row' || type.element.kind === 'map')
    refuse(at, `${operator} between arrays of ${typeText(type.element).slice(0, 60)} is not supported`);
  const equality = arrayEquality(left.sql, right.sql);
  return { sql: operator === '=' ? equality : `(NOT ${equality})`, type: boolean, ...loose };
}

function all(parts: readonly Typed[], operator: 'AND' | 'OR'): Typed {
  return {
    sql: `(${parts.map((part) => part.sql).join(` ${operator} `)})`,
    type: boolean,
    ...looseOf(...parts),
  };
}

/** (a, b) = (c, d), field by field. */
function compareRows(
  operator: ComparisonOperator,
  left: readonly Expression[],
  right: readonly Expression[],
  place: Place,
  at: number,
): Typed {
  if (operator !== '=' && operator !== '<>') refuse(at, `${operator} between rows is not supported`);
  if (left.length !== right.length) refuse(at, 'Rows of different lengths cannot be compared');
  const parts = left.map((item, index) =>
    analyseComparison(operator, item, right[index] as Expression, place, at),
  );
  return all(parts, operator === '=' ? 'AND' : 'OR');
}

/** A comparison of two expressions. */
export function analyseComparison(
  operator: ComparisonOperator,
  left: Expression,
  right: Expression,
  place: Place,
  at: number,
): Typed {
  if (left.kind === 'row' && right.kind === 'row')
    return compareRows(operator, left.items, right.items, place, at);
  return compare(operator, place.session.analyse(left, place), place.session.analyse(right, place), at);
}

export function analyseBetween(expression: Extract<Expression, { kind: 'between' }>, place: Place): Typed {
  const { at, negated } = expression;
  const operand = place.session.analyse(expression.operand, place);
  const low = readBesideTime(place.session.analyse(expression.low, place), operand.type, at);
  const high = readBesideTime(place.session.analyse(expression.high, place), operand.type, at);
  const { values, type } = unify([operand, low, high], at, 'BETWEEN');
  checkComparable(type, '<', at);
  const [value, least, most] = values.map(({ sql }) => sql);
  const sql = `(${value} ${negated ? 'NOT ' : ''}BETWEEN ${least} AND ${most})`;
  return { sql, type: boolean, ...looseOf(...values) };
}

export function analyseInList(expression: Extract<Expression, { kind: 'in-list' }>, place: Place): Typed {
  const { at, negated, operand, items } = expression;
  if (operand.kind === 'row' || items.some((item) => item.kind === 'row')) {
    const parts = items.map((item) => analyseComparison('=', operand, item, place, at));
    const any = all(parts, 'OR');
    return negated ? { ...any, sql: `(NOT ${any.sql})` } : any;
  }
  const value = place.session.analyse(operand, place);
  const analysed = items.map((item) =>
    readBesideTime(place.session.analyse(item, place), value.type, item.at),
  );
  const { values, type } = unify([value, ...analysed], at, 'IN');
  checkComparable(type, 'IN', at);
  if (!isOrderable(type)) refuse(at, `IN is not supported for ${typeText(type).slice(0, 100)}`);
  const [first, ...rest] = values.map(({ sql }) => sql);
  const sql = `(${first} ${negated ? 'NOT ' : ''}IN (${rest.join(', ')}))`;
  return { sql, type: boolean, ...looseOf(...values) };
}

/** The one column of a subquery as a list of values of the type that a value beside it needs. */
function columnOf(
  expression: { query: Extract<Expression, { kind: 'in-query' }>['query']; at: number },
  value: Typed,
  place: Place,
  what: string,
): { value: Typed; query: string } {
  if (place.lambdaDepth > 0) refuse(expression.at, 'Subqueries in a lambda are not supported');
  const result = place.session.analyseQuery(expression.query, place.common, place.scope);
  const [column, ...more] = result.columns;
  if (!column || more.length > 0)
    refuse(expression.at, `The subquery of ${what} must have one column, not ${result.columns.length}`);
  const alias = place.session.unique('q');
  const { left, right, type } = unifyPair(
    value,
    { sql: `"${alias}"."${column.physical}"`, type: column.type },
    expression.at,
    what,
  );
  checkComparable(type, what, expression.at);
  if (!isOrderable(type))
    refuse(expression.at, `${what} is not supported for ${typeText(type).slice(0, 100)}`);
  return { value: left, query: `${notInLambda}(SELECT ${right.sql} FROM (${result.sql}) AS "${alias}")` };
}

export function analyseInQuery(expression: Extract<Expression, { kind: 'in-query' }>, place: Place): Typed {
  if (place.trying) refuse(expression.at, 'Subqueries in try() are not supported');
  if (expression.operand.kind === 'row')
    refuse(expression.at, 'IN with a row and a subquery is not supported; use EXISTS');
  const operand = place.session.analyse(expression.operand, place);
  const { value, query } = columnOf(expression, operand, place, 'IN');
  return {
    sql: `(${value.sql} ${expression.negated ? 'NOT ' : ''}IN ${query})`,
    type: boolean,
    ...looseOf(value),
  };
}

export function analyseQuantified(
  expression: Extract<Expression, { kind: 'quantified' }>,
  place: Place,
): Typed {
  if (place.trying) refuse(expression.at, 'Subqueries in try() are not supported');
  const operand = place.session.analyse(expression.left, place);
  const { value, query } = columnOf(expression, operand, place, expression.operator);
  return {
    sql: `(${value.sql} ${expression.operator} ${expression.quantifier} ${query})`,
    type: boolean,
    ...looseOf(value),
  };
}

export function analyseDistinctFrom(
  expression: Extract<Expression, { kind: 'distinct-from' }>,
  place: Place,
): Typed {
  const { at, negated } = expression;
  const one = place.session.analyse(expression.left, place);
  const { left, right, type } = unifyPair(
    one,
    place.session.analyse(expression.right, place),
    at,
    'IS DISTINCT FROM',
  );
  checkComparable(type, 'IS DISTINCT FROM', at);
  const sql = `(${left.sql} IS ${negated ? 'NOT ' : ''}DISTINCT FROM ${right.sql})`;
  return { sql, type: boolean, ...looseOf(left, right) };
}

interface LikeParts {
  /** Literal text, or a wildcard. */
  readonly parts: readonly (string | { readonly wildcard: '%' | '_' })[];
}

function readLike(pattern: string, escape: string | undefined, at: number): LikeParts {
  const parts: (string | { wildcard: '%' | '_' })[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    if (character === escape) {
      index += 1;
      const next = characters[index];
      if (next !== '%' && next !== '_' && next !== escape)
        refuse(at, 'The escape of a LIKE pattern must stand before %, _ or itself');
      parts.push(next);
    } else parts.push(character === '%' || character === '_' ? { wildcard: character } : character);
  }
  return { parts };
}

function asRegexp({ parts }: LikeParts): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
      return part.wildcard === '%' ? '.*' : '.';
    })
    .join('');
}

/**
 * LIKE. A literal pattern without _ and escape goes to the engine's LIKE, which walks the text once; every other
 * becomes a regular expression, because the engine's LIKE backtracks on those and a hostile pattern could hold it.
 */
export function analyseLike(expression: Extract<Expression, { kind: 'like' }>, place: Place): Typed {
  const { at, negated } = expression;
  const operand = place.session.analyse(expression.operand, place);
  const pattern = place.session.analyse(expression.pattern, place);
  const escape = expression.escape && place.session.analyse(expression.escape, place);
  if (escape && (escape.text === undefined || Array.from(escape.text).length !== 1))
    refuse(at, 'ESCAPE takes one character as a string literal');
  const text = asVarchar(operand, at, 'LIKE');
  const not = negated ? 'NOT ' : '';
  const loose = looseOf(operand, pattern);
  if (pattern.text === undefined) {
    if (escape) refuse(at, 'LIKE with ESCAPE takes a string literal as its pattern');
    const quoted = String.raw`regexp_replace(${asVarchar(pattern, at, 'LIKE')}, '([\\^$.|?*+()\[\]{}])', '\\\1', 'g')`;
    const regexp = `replace(replace(${quoted}, '%', '.*'), '_', '.')`;
    return { sql: `(${not}regexp_full_match(${text}, ${regexp}, 's'))`, type: boolean, ...loose };
  }
  const read = readLike(pattern.text, escape?.text, at);
  const simple = read.parts.every((part) =>
    typeof part === 'string' ? !'%_'.includes(part) : part.wildcard === '%',
  );
  if (simple && !pattern.text.includes('\0')) {
    const like = read.parts
      .map((part) => (typeof part === 'string' ? part : '%'))
      .join('')
      .replaceAll(/%+/g, '%');
    return { sql: `(${text} ${not}LIKE ${quoteText(like)})`, type: boolean, ...loose };
  }
  return {
    sql: `(${not}regexp_full_match(${text}, ${quoteText(asRegexp(read))}, 's'))`,
    type: boolean,
    ...loose,
  };
}

type Logical = Extract<Expression, { kind: 'logical' }>;

/**
 * AND and OR. Trino looks at an operand only where those before it leave the value open; the engine looks at all of
 * them, save in a filter. So where one can fail, CASE asks those before it first.
 */
export function analyseLogical({ operator, operands }: Logical, place: Place): Typed {
  const parts = operands.map((part) =>
    coerce(place.session.analyse(part, place), boolean, part.at, operator),
  );
  const whole = all(parts, operator);
  const last = parts.findLastIndex(({ sql }) => sql.includes(canFail));
  if (last < 1) return whole;
  const decided = operator === 'AND' ? 'FALSE' : 'TRUE';
  const asked = parts
    .slice(0, last)
    .map(({ sql }) => `WHEN ${operator === 'AND' ? `NOT ${sql}` : sql} THEN ${decided}`);
  return { ...whole, sql: `CASE ${asked.join(' ')} ELSE ${whole.sql} END` };
}

/** A condition of WHERE, HAVING or ON, which must be boolean. As a filter, its AND and OR need no CASE. */
export function analyseCondition(expression: Expression, place: Place): Typed {
  if (expression.kind === 'logical')
    return all(
      expression.operands.map((part) => analyseCondition(part, place)),
      expression.operator,
    );
  return coerce(place.session.analyse(expression, place), boolean, expression.at, place.clause);
}
