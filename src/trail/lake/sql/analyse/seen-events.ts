import type { Expression } from '../ast.ts';
import { unifyPair } from './coerce.ts';
import type { AnalysedRelation } from './relation.ts';
import { canFail, notInLambda, outerColumn } from './typed.ts';
import type { Place, TimeBounds } from './typed.ts';

/** So many ids are looked up; more are as well found by reading everything. */
const mostIds = 100;

/** The texts that the expression asks the id to be one of; undefined where it asks for something else. */
function idsOf(expression: Expression, isId: (operand: Expression) => boolean): string[] | undefined {
  if (expression.kind === 'comparison' && expression.operator === '=') {
    const { left, right } = expression;
    if (right.kind === 'string' && isId(left)) return [right.value];
    return left.kind === 'string' && isId(right) ? [left.value] : undefined;
  }
  if (expression.kind !== 'in-list' || expression.negated || !isId(expression.operand)) return undefined;
  const texts = expression.items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
  return texts.length === expression.items.length ? texts : undefined;
}

function conjuncts(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'logical' || expression.operator !== 'AND') return [expression];
  return expression.operands.flatMap(conjuncts);
}

/** Functions that give the same time wherever they stand in a statement, if their parameters do. */
const fixedFunctions = new Set([
  'now',
  'current_timestamp',
  'localtimestamp',
  'current_date',
  'date',
  'date_add',
  'date_trunc',
  'date_parse',
  'from_iso8601_date',
  'from_iso8601_timestamp',
  'from_unixtime',
  'parse_datetime',
]);

const literals: ReadonlySet<Expression['kind']> = new Set(['string', 'number', 'interval', 'typed']);

/** Whether the expression means the same for every event: a time that is written out, or made of such ones. */
function isFixed(expression: Expression, place: Place): boolean {
  if (expression.kind === 'sign') return isFixed(expression.operand, place);
  if (expression.kind === 'arithmetic')
    return isFixed(expression.left, place) && isFixed(expression.right, place);
  if (expression.kind !== 'call') return literals.has(expression.kind);
  const { name, parameters, over, filter } = expression;
  const isKnown = fixedFunctions.has(name.toLowerCase()) && place.session.nowMs !== undefined;
  return isKnown && !over && !filter && parameters.every((one) => isFixed(one, place));
}

const mirrored = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

/** The bounds that a condition sets to the time; they are inclusive, for it does not matter here. */
function boundsOf(
  condition: Expression,
  isTime: (operand: Expression) => boolean,
  place: Place,
): TimeBounds | undefined {
  const written = (bound: Expression, time: Expression): string => {
    const [one, two] = [place.session.analyse(time, place), place.session.analyse(bound, place)];
    return unifyPair(one, two, bound.at, '=').right.sql;
  };
  if (condition.kind === 'between' && !condition.negated) {
    const { operand, low, high } = condition;
    if (!isTime(operand) || !isFixed(low, place) || !isFixed(high, place)) return undefined;
    return { atLeast: [written(low, operand)], atMost: [written(high, operand)] };
  }
  if (condition.kind !== 'comparison' || condition.operator === '<>') return undefined;
  const { left, right } = condition;
  const isMirrored = isFixed(left, place);
  const [time, bound] = isMirrored ? [right, left] : [left, right];
  if (!isTime(time) || !isFixed(bound, place)) return undefined;
  const operator = isMirrored ? mirrored[condition.operator] : condition.operator;
  const at = [written(bound, time)];
  return { atLeast: operator.startsWith('<') ? [] : at, atMost: operator.startsWith('>') ? [] : at };
}

/** The conditions that a view answers by itself: they need nothing from elsewhere and cannot fail. */
function plainConditions(
  conditions: readonly Expression[],
  apart: readonly string[],
  place: Place,
): readonly string[] {
  const others = [...apart, canFail, notInLambda, outerColumn, 'random()'];
  return conditions
    .map((condition) => place.session.analyse(condition, place).sql)
    .filter((sql) => !others.some((other) => sql.includes(other)));
}

/**
 * Notes which events a SELECT can see of the event data store that is all of its FROM: a condition of WHERE that must hold
 * asks for their ids, or bounds their times.
 */
export function noteSeen(
  { id, reading, idColumn, timeColumn, apart }: NonNullable<AnalysedRelation['store']>,
  where: Expression | undefined,
  place: Place,
): void {
  if (!where) return;
  const isColumn = (column: string | undefined) => (operand: Expression) =>
    (operand.kind === 'name' || operand.kind === 'field') &&
    place.session.analyse(operand, place).sql === column;
  const conditions = conjuncts(where);
  const ids = conditions
    .map((condition) => idsOf(condition, isColumn(idColumn)))
    .find((found) => found !== undefined);
  const bounds = conditions.flatMap((condition) => boundsOf(condition, isColumn(timeColumn), place) ?? []);
  const uses = place.session.stores.get(id);
  const before = uses?.[reading];
  if (!before) return;
  uses[reading] = {
    ...before,
    events: { ...before.events, where: () => plainConditions(conditions, apart, place) },
    ...(ids && ids.length <= mostIds && { ids }),
    ...(bounds.length > 0 && {
      times: {
        atLeast: bounds.flatMap(({ atLeast }) => atLeast),
        atMost: bounds.flatMap(({ atMost }) => atMost),
      },
    }),
  };
}
