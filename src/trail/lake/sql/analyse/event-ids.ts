import type { Expression } from '../ast.ts';
import type { AnalysedRelation } from './relation.ts';
import type { Place } from './typed.ts';

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

/**
 * Notes which events a SELECT can see of the event data store that is all of its FROM: a condition of WHERE that must hold
 * asks for their ids.
 */
export function noteIds(
  { id, idColumn }: NonNullable<AnalysedRelation['store']>,
  where: Expression | undefined,
  place: Place,
): void {
  if (!where || idColumn === undefined) return;
  const isId = (operand: Expression): boolean =>
    (operand.kind === 'name' || operand.kind === 'field') &&
    place.session.analyse(operand, place).sql === idColumn;
  const found = conjuncts(where)
    .map((condition) => idsOf(condition, isId))
    .find((ids) => ids !== undefined);
  const uses = place.session.stores.get(id);
  if (found && found.length <= mostIds && uses) uses[uses.length - 1] = found;
}
