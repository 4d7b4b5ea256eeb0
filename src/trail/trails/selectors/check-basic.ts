import type { DataResource, EventSelector } from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../../kernel/index.ts';
import { basicResourceTypes } from './compile-basic.ts';

const mostSelectors = 5;
const mostDataResources = 250;
const excludableSources: ReadonlySet<string> = new Set(['kms.amazonaws.com', 'rdsdata.amazonaws.com']);
const readWriteTypes: ReadonlySet<string> = new Set(['All', 'ReadOnly', 'WriteOnly']);

export function invalidSelectors(message: string): AwsFault {
  return new AwsFault('InvalidEventSelectorsException', message);
}

/** Forms of the values that single objects, functions and tables have. */
const valuePatterns: Readonly<Record<string, RegExp>> = {
  'AWS::S3::Object': /^arn:aws:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[^*?]*)$/su,
  'AWS::Lambda::Function': /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?$/u,
  'AWS::DynamoDB::Table': /^arn:aws:dynamodb:[a-z0-9-]+:\d{12}:table\/[\w.-]+$/u,
};

function checkDataResource({ Type = '', Values = [] }: DataResource): Required<DataResource> {
  const kind = basicResourceTypes[Type];
  if (!kind) {
    const known = Object.keys(basicResourceTypes).join(', ');
    throw invalidSelectors(
      `Value ${Type} for DataResources.Type is invalid. Basic event selectors take ${known}; use advanced event selectors for others.`,
    );
  }
  if (Values.length === 0) throw invalidSelectors(`DataResources of type ${Type} must have values.`);
  for (const value of Values) {
    if (kind.all.includes(value) || valuePatterns[Type]?.test(value) === true) continue;
    throw invalidSelectors(`Value ${value} for DataResources.Values is invalid.`);
  }
  return { Type, Values };
}

function checkOne(selector: EventSelector): EventSelector {
  const { ReadWriteType = 'All', IncludeManagementEvents = true } = selector;
  const { DataResources = [], ExcludeManagementEventSources = [] } = selector;
  if (!readWriteTypes.has(ReadWriteType)) {
    throw invalidSelectors(`Value ${ReadWriteType} for ReadWriteType is invalid.`);
  }
  const unknown = ExcludeManagementEventSources.find((source) => !excludableSources.has(source));
  if (unknown !== undefined) {
    throw invalidSelectors(`Value ${unknown} for ExcludeManagementEventSources is invalid.`);
  }
  if (ExcludeManagementEventSources.length > 0 && !IncludeManagementEvents) {
    throw invalidSelectors(
      'ExcludeManagementEventSources can be set only where IncludeManagementEvents is true.',
    );
  }
  if (!IncludeManagementEvents && DataResources.length === 0) {
    throw invalidSelectors('An event selector must include management events or data resources.');
  }
  return {
    ReadWriteType,
    IncludeManagementEvents,
    DataResources: DataResources.map(checkDataResource),
    ExcludeManagementEventSources,
  };
}

/**
 * Checks basic event selectors (PutEventSelectors, "EventSelector" and "DataResource") and fills in the defaults. Throws
 * InvalidEventSelectorsException, also for what is not understood.
 */
export function checkBasicSelectors(selectors: readonly EventSelector[]): readonly EventSelector[] {
  if (selectors.length === 0 || selectors.length > mostSelectors) {
    throw invalidSelectors(
      `A trail can have 1 to ${mostSelectors} event selectors, not ${selectors.length}.`,
    );
  }
  const checked = selectors.map(checkOne);
  const count = checked
    .flatMap(({ DataResources = [] }) => DataResources)
    .reduce((sum, { Values = [] }) => sum + Values.length, 0);
  if (count > mostDataResources) {
    throw invalidSelectors(`A trail can have ${mostDataResources} data resources, not ${count}.`);
  }
  return checked;
}
