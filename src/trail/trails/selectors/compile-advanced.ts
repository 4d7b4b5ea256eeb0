import type { AdvancedEventSelector, AdvancedFieldSelector } from '@aws-sdk/client-cloudtrail';
import type { NamedResource, SelectableEvent } from './selectable-event.ts';

/** Says whether an event is logged. */
export type EventPredicate = (event: SelectableEvent) => boolean;

/** Says of the values that an event has for a field (none, one, or of several resources) whether the condition holds. */
type ValueTest = (values: readonly string[]) => boolean;

const operators = {
  Equals: { excludes: false, matches: (value: string, wanted: string) => value === wanted },
  StartsWith: { excludes: false, matches: (value: string, wanted: string) => value.startsWith(wanted) },
  EndsWith: { excludes: false, matches: (value: string, wanted: string) => value.endsWith(wanted) },
  NotEquals: { excludes: true, matches: (value: string, wanted: string) => value === wanted },
  NotStartsWith: { excludes: true, matches: (value: string, wanted: string) => value.startsWith(wanted) },
  NotEndsWith: { excludes: true, matches: (value: string, wanted: string) => value.endsWith(wanted) },
} as const;
export type SelectorOperator = keyof typeof operators;
export const selectorOperators = Object.keys(operators) as readonly SelectorOperator[];

function matcherOf(operator: SelectorOperator, wanted: readonly string[]): (value: string) => boolean {
  const { matches } = operators[operator];
  if (operator === 'Equals' || operator === 'NotEquals') {
    const set = new Set(wanted);
    return (value) => set.has(value);
  }
  return (value) => wanted.some((one) => matches(value, one));
}

/**
 * "How CloudTrail evaluates multiple conditions for a field" (Logging data events): one of the including operators has to
 * match, and none of the excluding ones may.
 */
function valueTest(selector: AdvancedFieldSelector): ValueTest {
  const given = selectorOperators.filter((operator) => selector[operator] !== undefined);
  const tests = given.map((operator) => ({
    excludes: operators[operator].excludes,
    matches: matcherOf(operator, selector[operator] ?? []),
  }));
  const including = tests.filter(({ excludes }) => !excludes);
  const excluding = tests.filter(({ excludes }) => excludes);
  return (values) => {
    if (excluding.some(({ matches }) => values.some(matches))) return false;
    return including.length === 0 || including.some(({ matches }) => values.some(matches));
  };
}

const listed = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);

/** Reads a field that an event has once. */
const singleFields: Readonly<Record<string, (event: SelectableEvent) => string | undefined>> = {
  eventCategory: ({ scanned }) => scanned.eventCategory,
  eventName: ({ scanned }) => scanned.eventName,
  eventSource: ({ scanned }) => scanned.eventSource,
  eventType: ({ scanned }) => scanned.eventType,
  errorCode: ({ scanned }) => scanned.errorCode,
  readOnly: ({ scanned }) => scanned.readOnly,
  sessionCredentialFromConsole: (event) => event.top('sessionCredentialFromConsole'),
  'userIdentity.arn': ({ scanned }) => scanned.principalArn,
  vpcEndpointId: (event) => event.top('vpcEndpointId'),
};
export const selectorFields: readonly string[] = [
  ...Object.keys(singleFields),
  'resources.type',
  'resources.ARN',
];

/** `resources.type` and `resources.ARN` speak of the same resource: the ARN counts only of resources of that type. */
function compileResources(fields: readonly AdvancedFieldSelector[]): EventPredicate | undefined {
  const typeTests = fields.filter(({ Field }) => Field === 'resources.type').map(valueTest);
  const arnTests = fields.filter(({ Field }) => Field === 'resources.ARN').map(valueTest);
  if (typeTests.length + arnTests.length === 0) return undefined;
  const isOfType = ({ type }: Pick<NamedResource, 'type'>) => typeTests.every((test) => test(listed(type)));
  return (event) => {
    // The scan names these resources and perhaps more, so what it lacks need not be looked for.
    if (!event.scanned.resources.some(isOfType)) return false;
    const resources = event.resources.filter(isOfType);
    if (resources.length === 0) return false;
    const arns = resources.flatMap(({ arn }) => listed(arn));
    return arnTests.every((test) => test(arns));
  };
}

function compileField(selector: AdvancedFieldSelector): EventPredicate | undefined {
  const read = singleFields[selector.Field ?? ''];
  if (!read) return undefined;
  const test = valueTest(selector);
  return (event) => test(listed(read(event)));
}

function isScanned({ Field }: AdvancedFieldSelector): boolean {
  return Field !== 'sessionCredentialFromConsole' && Field !== 'vpcEndpointId';
}

function compileOne({ FieldSelectors = [] }: AdvancedEventSelector): EventPredicate {
  // What the scan tells is asked first, so that few records are parsed.
  const scanned = FieldSelectors.filter(isScanned).flatMap((one) => compileField(one) ?? []);
  const parsed = FieldSelectors.filter((one) => !isScanned(one)).flatMap((one) => compileField(one) ?? []);
  const resources = compileResources(FieldSelectors);
  const tests = [...scanned, ...parsed, ...(resources ? [resources] : [])];
  return (event) => tests.every((test) => test(event));
}

/**
 * Compiles advanced event selectors that `checkAdvancedSelectors` has taken: an event is logged when all fields of one
 * selector match it.
 */
export function compileAdvanced(selectors: readonly AdvancedEventSelector[]): EventPredicate {
  const compiled = selectors.map(compileOne);
  return (event) => compiled.some((matches) => matches(event));
}
