import type { Expression } from '../ast.ts';
import { callFunction } from '../functions/call.ts';
import { refuse } from '../refusal.ts';
import {
  arrayOf,
  bigint,
  boolean,
  engineType,
  rowOf,
  timestampWithZone,
  typeText,
  unknown,
} from '../types.ts';
import { readZone } from '../zones.ts';
import { analyseArithmetic, negated } from './arithmetic.ts';
import { castTo, readTypeName, tryCast } from './cast.ts';
import { coerce, unify } from './coerce.ts';
import {
  analyseBinary,
  analyseInterval,
  analyseNumber,
  analyseString,
  analyseTypedLiteral,
} from './literals.ts';
import { analyseName, fieldOf } from './names.ts';
import {
  analyseBetween,
  analyseComparison,
  analyseDistinctFrom,
  analyseInList,
  analyseInQuery,
  analyseLike,
  analyseLogical,
  analyseQuantified,
  compare,
} from './predicates.ts';
import { failing, looseOf, notInLambda, readField, withOperands } from './typed.ts';
import type { Place, Typed } from './typed.ts';

function boundField(expression: Extract<Expression, { kind: 'field' }>, place: Place): Typed {
  return (
    analyseName(expression, place) ?? fieldOf(place.session.analyse(expression.base, place), expression.name)
  );
}

function subscript(expression: Extract<Expression, { kind: 'subscript' }>, place: Place): Typed {
  const base = place.session.analyse(expression.base, place);
  const index = place.session.analyse(expression.index, place);
  const { at } = expression;
  const loose = looseOf(base, index);
  if (base.type.kind === 'row') {
    const field = base.type.fields[(index.number ?? 0) - 1];
    if (index.number === undefined) refuse(at, 'The subscript of a row must be a whole number');
    if (!field) refuse(at, `There is no field ${index.number} in ${typeText(base.type).slice(0, 200)}`);
    return { sql: readField(base.sql, field), type: field.type, ...loose };
  }
  if (base.type.kind === 'array') {
    const { element } = base.type;
    const fail = (message: string): string => failing(place, message, engineType(element));
    const sql = withOperands(
      [base.sql, coerce(index, bigint, at, 'The subscript of an array').sql],
      (list, position) =>
        `CASE WHEN ${list} IS NULL OR ${position} IS NULL THEN NULL WHEN ${position} < 1 THEN ${fail('Array subscript must be at least 1')} ` +
        `WHEN ${position} > len(${list}) THEN ${fail('Array subscript must be less than or equal to array length')} ` +
        `ELSE list_extract(${list}, ${position}) END`,
    );
    return { sql, type: element, ...loose };
  }
  if (base.type.kind !== 'map') refuse(at, `There are no subscripts of ${typeText(base.type)}`);
  const { key, value } = base.type;
  const sql = withOperands(
    [base.sql, coerce(index, key, at, 'The subscript of this map').sql],
    (map, wanted) =>
      `CASE WHEN ${map} IS NULL OR ${wanted} IS NULL THEN NULL WHEN len(map_extract(${map}, ${wanted})) = 0 ` +
      `THEN ${failing(place, 'Key not present in map', engineType(value))} ELSE list_extract(map_extract(${map}, ${wanted}), 1) END`,
  );
  return { sql, type: value, ...loose };
}

function analyseCase(expression: Extract<Expression, { kind: 'case' }>, place: Place): Typed {
  const { at, operand, branches, otherwise } = expression;
  const analyse = (part: Expression): Typed => place.session.analyse(part, place);
  const subject = operand && analyse(operand);
  const conditions = branches.map(({ when }) =>
    subject ? compare('=', subject, analyse(when), when.at) : coerce(analyse(when), boolean, when.at, 'WHEN'),
  );
  const last = otherwise ? [analyse(otherwise)] : [];
  const { values, type } = unify([...branches.map(({ result }) => analyse(result)), ...last], at, 'CASE');
  const written = conditions
    .map((condition, index) => ` WHEN ${condition.sql} THEN ${values[index]?.sql}`)
    .join('');
  const rest = otherwise ? values.at(-1)?.sql : `CAST(NULL AS ${engineType(type)})`;
  return { sql: `CASE${written} ELSE ${rest} END`, type, ...looseOf(...conditions, ...values) };
}

function subquery(expression: Extract<Expression, { kind: 'subquery' }>, place: Place): Typed {
  if (place.trying) refuse(expression.at, 'Subqueries in try() are not supported');
  const result = place.session.analyseQuery(expression.query, place.common, place.scope);
  const [column, ...more] = result.columns;
  if (!column || more.length > 0)
    refuse(expression.at, `A subquery in an expression must have one column, not ${result.columns.length}`);
  return { sql: `${notInLambda}(${result.sql})`, type: column.type };
}

function atTimeZone(expression: Extract<Expression, { kind: 'at-time-zone' }>, place: Place): Typed {
  const value = place.session.analyse(expression.operand, place);
  const { zone: literal, at } = expression;
  const minutes = literal.kind === 'interval' ? (analyseInterval(literal).number ?? 0) / 60_000 : undefined;
  const sign = (minutes ?? 0) < 0 ? '-' : '+';
  const text =
    minutes === undefined
      ? literal.kind === 'string'
        ? literal.value
        : ''
      : `${sign}${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
  const zone = readZone(text);
  if (zone === undefined) refuse(literal.at, `There is no time zone ${text.slice(0, 40)}`);
  if (value.type.kind !== 'timestamp' && value.type.kind !== 'timestamptz')
    refuse(at, `AT TIME ZONE takes a timestamp, not ${typeText(value.type)}`);
  return { sql: value.sql, type: timestampWithZone(value.type.precision, zone), loose: value.loose };
}

function checkQueryPlace(place: Place, at: number): void {
  if (place.lambdaDepth > 0) refuse(at, 'Subqueries in a lambda are not supported');
  if (place.trying) refuse(at, 'Subqueries in try() are not supported');
}

function analyseInner(expression: Expression, place: Place): Typed {
  const analyse = (part: Expression): Typed => place.session.analyse(part, place);
  switch (expression.kind) {
    case 'null':
      return { sql: 'NULL', type: unknown };
    case 'boolean':
      return { sql: expression.value ? 'TRUE' : 'FALSE', type: boolean };
    case 'number':
      return analyseNumber(expression.text, expression.at);
    case 'string':
      return analyseString(expression.value);
    case 'binary':
      return analyseBinary(expression.hex);
    case 'interval':
      return analyseInterval(expression);
    case 'typed':
      return analyseTypedLiteral(expression.type, expression.text, expression.at);
    case 'name':
      return analyseName(expression, place) as Typed;
    case 'field':
      return boundField(expression, place);
    case 'subscript':
      return subscript(expression, place);
    case 'call':
      return callFunction(expression, place);
    case 'lambda':
      return refuse(expression.at, 'A lambda stands only as an argument of a function');
    case 'sign':
      return negatedOrNot(expression, place);
    case 'arithmetic':
      return analyseArithmetic(expression, place);
    case 'comparison':
      return analyseComparison(expression.operator, expression.left, expression.right, place, expression.at);
    case 'quantified':
      checkQueryPlace(place, expression.at);
      return analyseQuantified(expression, place);
    case 'logical':
      return analyseLogical(expression, place);
    case 'not': {
      const operand = coerce(analyse(expression.operand), boolean, expression.at, 'NOT');
      return { sql: `(NOT ${operand.sql})`, type: boolean, loose: operand.loose };
    }
    case 'between':
      return analyseBetween(expression, place);
    case 'in-list':
      return analyseInList(expression, place);
    case 'in-query':
      checkQueryPlace(place, expression.at);
      return analyseInQuery(expression, place);
    case 'like':
      return analyseLike(expression, place);
    case 'is-null': {
      const operand = analyse(expression.operand);
      return {
        sql: `(${operand.sql} IS ${expression.negated ? 'NOT ' : ''}NULL)`,
        type: boolean,
        loose: operand.loose,
      };
    }
    case 'distinct-from':
      return analyseDistinctFrom(expression, place);
    case 'exists':
      checkQueryPlace(place, expression.at);
      return {
        sql: `${notInLambda}EXISTS (${place.session.analyseQuery(expression.query, place.common, place.scope).sql})`,
        type: boolean,
      };
    case 'subquery':
      checkQueryPlace(place, expression.at);
      return subquery(expression, place);
    case 'case':
      return analyseCase(expression, place);
    case 'cast': {
      const to = readTypeName(expression.type);
      const inner = expression.lenient
        ? { ...place, trying: true, aggregates: false, windows: false, clause: 'TRY_CAST' }
        : place;
      const operand = place.session.analyse(expression.operand, inner);
      return expression.lenient
        ? tryCast(operand, to, place, expression.at)
        : castTo(operand, to, place, expression.at);
    }
    case 'array': {
      const { values, type } = unify(expression.items.map(analyse), expression.at, 'An array');
      return {
        sql: `[${values.map(({ sql }) => sql).join(', ')}]`,
        type: arrayOf(type),
        ...looseOf(...values),
      };
    }
    case 'row': {
      const values = expression.items.map(analyse);
      const fields = values.map(({ sql }, index) => `'f${index}': ${sql}`);
      return {
        sql: `{${fields.join(', ')}}`,
        type: rowOf(values.map(({ type }) => type)),
        ...looseOf(...values),
      };
    }
    case 'at-time-zone':
      return atTimeZone(expression, place);
  }
}

function negatedOrNot(expression: Extract<Expression, { kind: 'sign' }>, place: Place): Typed {
  const operand = place.session.analyse(expression.operand, place);
  const minus = negated(operand, expression.at);
  return expression.negative ? minus : operand;
}

/** Analyses an expression. In a grouped query, what is one of the grouped expressions is no longer loose. */
export function analyseExpression(expression: Expression, place: Place): Typed {
  const typed = analyseInner(expression, place);
  for (let scope: Place['scope'] | undefined = place.scope; scope; scope = scope.parent) {
    if (scope.groups?.has(typed.sql)) return { ...typed, loose: undefined };
    if (!scope.names) break;
  }
  return typed;
}
