import type { Conditions } from './bus-needs.ts';

/**
 * The condition keys of PutRule that an event pattern gives ("Using IAM policy conditions in Amazon EventBridge"): of each
 * field the values of which the pattern lets none but those in. A field that is left out, or is in only some alternatives of
 * `$or`, limits nothing, and so has no key. A filter such as `{"prefix": "aws."}` stands there as its JSON text, which no
 * literal of a policy equals: a policy that allows certain sources alone does not allow it.
 */

const keys: readonly (readonly [key: string, path: readonly string[]])[] = [
  ['events:source', ['source']],
  ['events:detail-type', ['detail-type']],
  ['events:detail.service', ['detail', 'service']],
  ['events:detail.eventTypeCode', ['detail', 'eventTypeCode']],
  ['events:detail.userIdentity.principalId', ['detail', 'userIdentity', 'principalId']],
];

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const literal = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The values that every event which the pattern matches has one of; undefined where it does not say. */
function valuesAt(pattern: unknown, path: readonly string[]): readonly string[] | undefined {
  if (!isObject(pattern)) return undefined;
  const [first = '', ...rest] = path;
  const field = Object.hasOwn(pattern, first) ? pattern[first] : undefined;
  if (field !== undefined) {
    if (rest.length > 0) return valuesAt(field, rest) ?? alternatives(pattern, path);
    return Array.isArray(field) ? field.map(literal) : undefined;
  }
  return alternatives(pattern, path);
}

function alternatives(pattern: Fields, path: readonly string[]): readonly string[] | undefined {
  const all = Object.hasOwn(pattern, '$or') ? pattern['$or'] : undefined;
  if (!Array.isArray(all)) return undefined;
  const found = all.map((one) => valuesAt(one, path));
  return found.every((values) => values !== undefined) ? found.flat() : undefined;
}

/** Of a pattern that is none, no keys: it is refused when the call is handled. */
export function patternConditions(text: string | undefined): Conditions {
  if (text === undefined) return {};
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    return {};
  }
  const found = keys.map(([key, path]) => [key, [...new Set(valuesAt(pattern, path))]] as const);
  return Object.fromEntries(found.filter(([, values]) => values.length > 0));
}
