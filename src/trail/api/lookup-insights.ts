import type { Event } from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../kernel/index.ts';
import type { Call } from '../../wire/index.ts';
import type { FoundEvent, History } from '../history/index.ts';

/** Attributes of Insights events ("LookupEvents"): the last two are those of the API that an insight is about. */
const insightAttributes: readonly string[] = ['EventId', 'EventName', 'EventSource'];

interface Condition {
  readonly name: string;
  readonly value: string;
}

interface FoundInsight {
  readonly event: Event;
  /** The trail that an Insights event of data events is of. */
  readonly source: string | undefined;
}

function insightOf({ eventId, eventTime, raw }: FoundEvent): FoundInsight {
  const CloudTrailEvent = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString();
  const { insightDetails, insightSource } = JSON.parse(CloudTrailEvent) as {
    readonly insightDetails?: { readonly eventName?: string; readonly eventSource?: string };
    readonly insightSource?: string;
  };
  const event: Event = {
    EventId: eventId,
    EventName: insightDetails?.eventName,
    EventTime: new Date(eventTime),
    EventSource: insightDetails?.eventSource,
    Resources: [],
    CloudTrailEvent,
  };
  return { event, source: insightSource };
}

/**
 * A page of the Insights events of an account and region, newest first. The name and source that they are about stand
 * inside the record, where no index is; insights are few, so pages of them are read and looked at until one has some.
 */
export async function lookUpInsights(
  history: Pick<History, 'search'>,
  asked: {
    readonly call: Pick<Call, 'accountId' | 'region'>;
    readonly attributes: readonly Condition[];
    readonly within: { readonly from?: number; readonly to?: number };
    /** ARN of a trail: those of its data events alone. */
    readonly source?: string;
  },
  page: { readonly limit: number; readonly after: string | undefined },
): Promise<{ readonly events: Event[]; readonly next: string | undefined }> {
  const { call, attributes, within, source } = asked;
  const unknown = attributes.find(({ name }) => !insightAttributes.includes(name));
  if (unknown) {
    throw new AwsFault(
      'InvalidLookupAttributesException',
      `Insights events are looked up by ${insightAttributes.join(', ')}, not by ${unknown.name}.`,
    );
  }
  const filter = {
    attributes: [
      { name: 'AccountId', values: [call.accountId] },
      { name: 'Region', values: [call.region] },
      { name: 'EventCategory', values: ['Insight'] },
    ] as const,
    ...within,
  };
  let { after } = page;
  for (;;) {
    const found = await history.search(filter, { limit: page.limit, ...(after !== undefined && { after }) });
    const events = found.events
      .map(insightOf)
      .filter((insight) => source === undefined || insight.source === source)
      .map(({ event }) => event)
      // Those of event data stores are found in the lake.
      .filter(({ EventName }) => EventName !== undefined)
      .filter((event) =>
        attributes.every(
          ({ name, value }) => event[name as 'EventId' | 'EventName' | 'EventSource'] === value,
        ),
      );
    after = found.next;
    if (events.length > 0 || after === undefined) return { events, next: after };
  }
}
