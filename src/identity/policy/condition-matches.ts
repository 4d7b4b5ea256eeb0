import { matchesArn } from './arn-pattern.ts';
import { parseBase64, parseDate, parseNumber } from './comparable-values.ts';
import type { Condition, Relation, ValueTest } from './condition-types.ts';
import { isInRange, parseIp } from './ip-range.ts';
import type { RequestContext } from './request-context.ts';
import { matchesFolded, matchesPattern } from './text-pattern.ts';

/**
 * `unclear`: an operator without ForAnyValue or ForAllValues met a key with several values, and it depends on which of
 * them is meant. The documentation says no more than that such keys require a set operator.
 */
export type ConditionResult = boolean | 'unclear';

function compares(relation: Relation, left: number, right: number): boolean {
  switch (relation) {
    case 'equals':
      return left === right;
    case 'lessThan':
      return left < right;
    case 'lessThanEquals':
      return left <= right;
    case 'greaterThan':
      return left > right;
    case 'greaterThanEquals':
      return left >= right;
  }
}

/** Whether a request value matches any of the policy's values. A value that is not of the operator's type matches none. */
function matchesAny(test: ValueTest, value: string, context: RequestContext): boolean {
  switch (test.family) {
    case 'string': {
      const text = test.foldCase ? value.toLowerCase() : value;
      const matches = test.foldCase ? matchesFolded : matchesPattern;
      return test.patterns.some((pattern) => matches(pattern, text, context));
    }
    case 'arn':
      return test.patterns.some(({ pattern, globs }) => matchesArn(pattern, globs, value, context));
    case 'numeric':
    case 'date': {
      const left = test.family === 'numeric' ? parseNumber(value) : parseDate(value);
      return left !== undefined && test.values.some((right) => compares(test.relation, left, right));
    }
    case 'binary': {
      const bytes = parseBase64(value);
      return bytes !== undefined && test.values.some((right) => bytes.equals(right));
    }
    case 'ip': {
      const address = parseIp(value);
      return address !== undefined && test.ranges.some((range) => isInRange(address, range));
    }
  }
}

/**
 * Whether one condition holds. A key that the request lacks makes a positive operator false, a negated one true, anything
 * with IfExists true, ForAllValues true and ForAnyValue false. Sources: "IAM JSON policy elements: Condition operators",
 * "Single-valued vs. multivalued context keys".
 */
export function conditionHolds(condition: Condition, context: RequestContext): ConditionResult {
  const values = context.valuesOf(condition.key);
  if (condition.kind === 'null') return values ? condition.whenPresent : condition.whenAbsent;
  const { negated, set, test } = condition;
  if (!values) {
    if (condition.ifExists || set === 'all') return true;
    return set === 'one' && negated;
  }
  const holds = (value: string): boolean => matchesAny(test, value, context) !== negated;
  if (set === 'one') {
    const some = values.some(holds);
    if (values.length === 1) return some;
    return some === values.every(holds) ? some : 'unclear';
  }
  // Empty strings alone count as no data at all.
  if (values.every((value) => value === '')) return set === 'all';
  return set === 'all' ? values.every(holds) : values.some(holds);
}
