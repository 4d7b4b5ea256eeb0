import type { PatternField } from './pattern-field.ts';

/** Values of which an event must have one to match a pattern, by field; undefined where other values may match too. */
export interface ExactValues {
  readonly source?: ReadonlySet<string>;
  readonly detailType?: ReadonlySet<string>;
  readonly eventSource?: ReadonlySet<string>;
  readonly eventName?: ReadonlySet<string>;
}

const paths: Readonly<Record<keyof ExactValues, string>> = {
  source: 'source',
  detailType: 'detail-type',
  eventSource: 'detail.eventSource',
  eventName: 'detail.eventName',
};

function stringsOf(field: PatternField | undefined): ReadonlySet<string> | undefined {
  if (!field) return undefined;
  const { strings, numberTexts, words, tests, exists, absent } = field.test;
  return exists || absent || tests.length > 0 || numberTexts.size > 0 || words.size > 0 ? undefined : strings;
}

export function exactValues(conjunctions: readonly ReadonlyMap<string, PatternField>[]): ExactValues {
  const values: Partial<Record<keyof ExactValues, ReadonlySet<string>>> = {};
  for (const name of Object.keys(paths) as (keyof ExactValues)[]) {
    const sets = conjunctions.map((conjunction) => stringsOf(conjunction.get(paths[name])));
    if (sets.every((set) => set !== undefined)) values[name] = new Set(sets.flatMap((set) => [...set]));
  }
  return values;
}
