import type { Event, LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import { AwsFault, limits } from '../../kernel/index.ts';
import type { Call } from '../../wire/index.ts';
import {
  scanRecord,
  type AttributeName,
  type EventFilter,
  type FoundEvent,
  type History,
  type ScannedRecord,
} from '../history/index.ts';
import { lookUpInsights } from './lookup-insights.ts';
import { placeOf, tokenFor } from './lookup-token.ts';
import { timeRangeOf } from './time-range.ts';

const lookupAttributes = [
  'EventId',
  'EventName',
  'ReadOnly',
  'Username',
  'ResourceType',
  'ResourceName',
  'EventSource',
  'AccessKeyId',
] as const satisfies readonly AttributeName[];

type LookupAttributeName = (typeof lookupAttributes)[number];

function isLookupAttribute(name: string): name is LookupAttributeName {
  return (lookupAttributes as readonly string[]).includes(name);
}

/** Length as LookupEvents counts it: `_`, blank, comma and newline count as two characters (LookupAttribute, API). */
function countedLength(value: string): number {
  return value.length + (value.match(/[_ ,\n]/g)?.length ?? 0);
}

function invalidAttribute(text: string): AwsFault {
  return new AwsFault('InvalidLookupAttributesException', text);
}

function attributesOf(request: LookupEventsRequest): readonly { name: LookupAttributeName; value: string }[] {
  return (request.LookupAttributes ?? []).map(({ AttributeKey: name, AttributeValue: value }) => {
    if (name === undefined || !isLookupAttribute(name)) {
      throw invalidAttribute(`The lookup attribute ${name} is not one of ${lookupAttributes.join(', ')}.`);
    }
    if (value === undefined || value === '') {
      throw invalidAttribute(`The value of the lookup attribute ${name} is empty.`);
    }
    if (countedLength(value) > 2_000) {
      throw invalidAttribute(`The value of the lookup attribute ${name} is longer than 2,000 characters.`);
    }
    return { name, value };
  });
}

function pageSizeOf({ MaxResults }: LookupEventsRequest): number {
  if (MaxResults === undefined) return limits.lookupEventsPage;
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > limits.lookupEventsPage) {
    const text = `MaxResults is ${MaxResults}; it takes 1 to ${limits.lookupEventsPage}.`;
    throw new AwsFault('InvalidMaxResultsException', text);
  }
  return MaxResults;
}

function recordOf(raw: Uint8Array): ScannedRecord | undefined {
  const scan = scanRecord(raw);
  return scan.kind === 'record' ? scan.record : undefined;
}

function eventOf(found: FoundEvent): Event {
  const CloudTrailEvent = Buffer.from(found.raw.buffer, found.raw.byteOffset, found.raw.length).toString();
  const record = found.scanned ?? recordOf(found.raw);
  return {
    EventId: found.eventId,
    EventName: record?.eventName,
    ReadOnly: record?.readOnly,
    AccessKeyId: record?.accessKeyId,
    EventTime: new Date(found.eventTime),
    EventSource: record?.eventSource,
    Username: record?.username,
    Resources: (record?.resources ?? []).map(({ name, type }) => ({
      ResourceType: type,
      ResourceName: name,
    })),
    CloudTrailEvent,
  };
}

/**
 * LookupEvents ("LookupEvents", CloudTrail API reference): management events of the caller's account and region, newest
 * first. Unlike AWS it takes any number of lookup attributes, which must all match, knows no limit of 90 days, and is
 * not throttled to two requests a second. With the category `insight` it gives Insights events, of management and of data
 * events; their name and source are those of the API that they are about, and a page may hold fewer of them than asked for.
 */
export async function LookupEvents(
  history: Pick<History, 'search'>,
  request: LookupEventsRequest,
  call: Pick<Call, 'accountId' | 'region'>,
): Promise<LookupEventsResponse> {
  const { accountId, region } = call;
  const limit = pageSizeOf(request);
  const within = timeRangeOf(request, 'InvalidTimeRangeException');
  const attributes = attributesOf(request);
  const category: string | undefined = request.EventCategory;
  if (category !== undefined && category !== 'insight') {
    throw new AwsFault('InvalidEventCategoryException', `The event category ${category} is not insight.`);
  }
  const canonical = JSON.stringify([accountId, region, within.from, within.to, attributes, category]);
  const after = request.NextToken === undefined ? undefined : placeOf(canonical, request.NextToken);
  if (category === 'insight') {
    const found = await lookUpInsights(history, { call, attributes, within }, { limit, after });
    return {
      Events: found.events,
      ...(found.next !== undefined && { NextToken: tokenFor(canonical, found.next) }),
    };
  }
  const filter: EventFilter = {
    attributes: [
      { name: 'AccountId', values: [accountId] },
      { name: 'Region', values: [region] },
      { name: 'EventCategory', values: ['Management'] },
      ...attributes.map(({ name, value }) => ({ name, values: [value] })),
    ],
    ...within,
  };
  const page = await history.search(filter, { limit, ...(after !== undefined && { after }) });
  return {
    Events: page.events.map(eventOf),
    ...(page.next !== undefined && { NextToken: tokenFor(canonical, page.next) }),
  };
}
