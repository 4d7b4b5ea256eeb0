import { isRawNumber } from '../event-json.ts';
import type { ExactValues } from './exact-values.ts';
import type { EventPattern } from './parse-event-pattern.ts';
import { undotted } from './undotted.ts';

/**
 * Rules by what an event must have exactly to match them: of a few hundred rules, most events need be held against a few.
 * A rule stands under the one field that tells most; a rule of which nothing can be told comes with every event.
 */
export interface PatternIndex<Rule> {
  /** Rules that may match the event, in the order that they were given in; all others do not. */
  candidates(event: unknown): readonly Rule[];
}

type Field = keyof ExactValues;
type Names = Readonly<Record<string, unknown>>;

interface Placed<Rule> {
  readonly rule: Rule;
  readonly position: number;
}

const fields: readonly Field[] = ['eventName', 'source', 'eventSource', 'detailType'];

/** The field with the fewest values, of those that tell something. */
function bestField(exact: ExactValues): Field | undefined {
  const told = fields.filter((field) => exact[field] !== undefined);
  return told.toSorted((one, other) => (exact[one]?.size ?? 0) - (exact[other]?.size ?? 0))[0];
}

function isNames(value: unknown): value is Names {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

function ownValue(object: unknown, name: string): unknown {
  // What is in an array may be one of its items.
  if (!isNames(object)) return Array.isArray(object) ? object : undefined;
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

const valueOf: Readonly<Record<Field, (event: unknown) => unknown>> = {
  source: (event) => ownValue(event, 'source'),
  detailType: (event) => ownValue(event, 'detail-type'),
  eventSource: (event) => ownValue(ownValue(event, 'detail'), 'eventSource'),
  eventName: (event) => ownValue(ownValue(event, 'detail'), 'eventName'),
};

export function openPatternIndex<Rule extends { readonly pattern: EventPattern }>(
  rules: readonly Rule[],
): PatternIndex<Rule> {
  const byValue = new Map<Field, Map<string, Placed<Rule>[]>>();
  const always: Placed<Rule>[] = [];
  rules.forEach((rule, position) => {
    const { exact } = rule.pattern;
    const field = bestField(exact);
    const placed = { rule, position };
    if (!field) {
      always.push(placed);
      return;
    }
    const values = byValue.get(field) ?? new Map<string, Placed<Rule>[]>();
    byValue.set(field, values);
    for (const value of exact[field] ?? []) {
      const those = values.get(value) ?? [];
      values.set(value, those);
      those.push(placed);
    }
  });

  return {
    candidates(event) {
      const plain = undotted(event);
      const lists = [always];
      for (const [field, values] of byValue) {
        const value = valueOf[field](plain);
        if (typeof value === 'string') lists.push(values.get(value) ?? []);
        // What is no plain value may hold any; where the rule is to be found by two values, it comes once.
        else if (typeof value === 'object' && value !== null)
          lists.push([...new Set([...values.values()].flat())]);
      }
      const inOrder = lists.flat().toSorted((one, other) => one.position - other.position);
      return inOrder.map(({ rule }) => rule);
    },
  };
}
