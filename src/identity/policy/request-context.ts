import type { ConditionKeys } from './policy-types.ts';

/** The request's condition keys, to be asked by lower-cased name. */
export interface RequestContext {
  /** The values of a key; undefined when the request does not have it. `key` is in lower case. */
  valuesOf(key: string): readonly string[] | undefined;
}

function byLowerCase(keys: ConditionKeys): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [written, values] of Object.entries(keys)) {
    // A key without a single value is one that the request does not have.
    if (values.length === 0) continue;
    const key = written.toLowerCase();
    const earlier = found.get(key);
    // Tags whose keys differ by case alone are one condition key with several values.
    found.set(key, earlier ? [...earlier, ...values] : values);
  }
  return found;
}

/** Opens the context. The keys are put in order at the first question, since most requests ask none. */
export function openRequestContext(keys: ConditionKeys): RequestContext {
  let found: ReadonlyMap<string, readonly string[]> | undefined;
  return {
    valuesOf(key) {
      found ??= byLowerCase(keys);
      return found.get(key);
    },
  };
}
