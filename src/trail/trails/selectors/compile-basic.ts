import type { DataResource, EventSelector } from '@aws-sdk/client-cloudtrail';
import type { EventPredicate } from './compile-advanced.ts';
import type { NamedResource } from './selectable-event.ts';

/** What a trail without selectors logs ("Default event selector"). */
export const defaultSelectors: readonly EventSelector[] = [
  {
    ReadWriteType: 'All',
    IncludeManagementEvents: true,
    DataResources: [],
    ExcludeManagementEventSources: [],
  },
];

/** The resource types of basic selectors, the value that stands for all of them, and how the other values match. */
export const basicResourceTypes: Readonly<
  Record<
    string,
    { readonly all: readonly string[]; readonly matches: (arn: string, value: string) => boolean }
  >
> = {
  'AWS::S3::Object': {
    all: ['arn:aws:s3', 'arn:aws:s3:::'],
    matches: (arn, value) => arn.startsWith(value),
  },
  'AWS::Lambda::Function': {
    all: ['arn:aws:lambda'],
    // A function that is invoked by a version or an alias is the same function.
    matches: (arn, value) => arn === value || arn.startsWith(`${value}:`),
  },
  'AWS::DynamoDB::Table': { all: ['arn:aws:dynamodb'], matches: (arn, value) => arn === value },
};

function compileReadWrite({ ReadWriteType = 'All' }: EventSelector): EventPredicate {
  if (ReadWriteType === 'All') return () => true;
  const wanted = ReadWriteType === 'ReadOnly';
  return ({ scanned }) => (scanned.readOnly === 'true') === wanted;
}

function compileDataResource({ Type = '', Values = [] }: DataResource): (resource: NamedResource) => boolean {
  const kind = basicResourceTypes[Type];
  if (!kind) return () => false;
  const isAll = Values.some((value) => kind.all.includes(value));
  return ({ type, arn }) =>
    type === Type && (isAll || (arn !== undefined && Values.some((value) => kind.matches(arn, value))));
}

function compileOne(selector: EventSelector): EventPredicate {
  const { IncludeManagementEvents = true, ExcludeManagementEventSources = [], DataResources = [] } = selector;
  const readWrite = compileReadWrite(selector);
  const types = new Set(DataResources.map(({ Type }) => Type));
  const tests = DataResources.map(compileDataResource);
  return (event) => {
    if (!readWrite(event)) return false;
    // Only what is needed is asked for: the rest may still have to be scanned.
    const { scanned } = event;
    switch (scanned.eventCategory) {
      case 'Management':
      case 'ActivityAuditLog':
        return IncludeManagementEvents && !ExcludeManagementEventSources.includes(scanned.eventSource ?? '');
      case 'Data':
        if (types.size === 0 || !scanned.resources.some(({ type }) => types.has(type))) return false;
        return event.resources.some((resource) => tests.some((test) => test(resource)));
      case undefined:
      default:
        return false;
    }
  };
}

/**
 * Compiles basic event selectors that `checkBasicSelectors` has taken: an event is logged when one of them matches it. What
 * other systems handed in is logged where management events are.
 */
export function compileBasic(selectors: readonly EventSelector[]): EventPredicate {
  const compiled = selectors.map(compileOne);
  return (event) => compiled.some((matches) => matches(event));
}
