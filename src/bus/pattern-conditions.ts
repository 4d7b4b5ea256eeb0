import type { Conditions } from './bus-needs.ts';
import { InvalidEventPatternError, parseEventPattern, type EventPattern } from './patterns/index.ts';

/**
 * The condition keys of PutRule that an event pattern gives ("Using IAM policy conditions in Amazon EventBridge"): of a field,
 * the values of which every event that the pattern matches has one. A field that is left out, or stands in only some
 * alternatives of `$or`, limits nothing, and so has no key. They are taken from the pattern as it is matched: there a field
 * that is given twice, or by a name with dots, means what it means to the matching.
 */

type Node = EventPattern['trees'][number];
type FieldTest = NonNullable<Node['test']>;

const paths: readonly (readonly [key: string, path: string])[] = [
  ['events:source', 'source'],
  ['events:detail-type', 'detail-type'],
  ['events:detail.service', 'detail.service'],
  ['events:detail.eventTypeCode', 'detail.eventTypeCode'],
  ['events:detail.userIdentity.principalId', 'detail.userIdentity.principalId'],
];

/**
 * Stands for what is not a literal, such as `{"prefix": "aws."}`. It equals no literal of a policy, so a policy that allows
 * certain values alone does not allow it.
 */
const anyMatch = '{...}';

function testAt(tree: Node, path: string): FieldTest | undefined {
  const steps = path.split('.');
  let node: Node | undefined = tree;
  for (const step of steps) node = node?.children.find((child) => child.step === step)?.node;
  return node?.test;
}

function valuesOf({ strings, numberTexts, words, tests, exists, absent }: FieldTest): readonly string[] {
  const literals = [...strings, ...numberTexts, ...[...words].map(String)];
  return tests.length > 0 || exists || absent ? [...literals, anyMatch] : literals;
}

function valuesAt({ trees }: EventPattern, path: string): readonly string[] {
  const tests = trees.map((tree) => testAt(tree, path));
  if (!tests.every((test) => test !== undefined)) return [];
  return [...new Set(tests.flatMap(valuesOf))];
}

/** Of a pattern that is none, no keys: it is refused when the call is handled. */
export function patternConditions(text: string | undefined): Conditions {
  if (text === undefined || text === '') return {};
  try {
    const pattern = parseEventPattern(text);
    const found = paths.map(([key, path]) => [key, valuesAt(pattern, path)] as const);
    return Object.fromEntries(found.filter(([, values]) => values.length > 0));
  } catch (error) {
    if (error instanceof InvalidEventPatternError) return {};
    throw error;
  }
}
