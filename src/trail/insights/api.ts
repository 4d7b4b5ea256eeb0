import type { Change } from '../../state/index.ts';
import type {
  GetInsightSelectorsRequest,
  GetInsightSelectorsResponse,
  InsightSelector,
  PutInsightSelectorsRequest,
  PutInsightSelectorsResponse,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault, formatArn } from '../../kernel/index.ts';
import type { Call, Need, Operations } from '../../wire/index.ts';
import type { Stream } from '../../journal/index.ts';
import {
  readStore,
  readStores,
  storeKey,
  type EventDataStoreDocument,
  type InsightSourceSpan,
} from '../lake/store-documents.ts';
import { readOwnTrail, readTrail } from '../trails/find-trail.ts';
import { trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import { checkSource, invalid, logsCategory } from './insight-stores.ts';
import { readStoreInsights, storeInsightsKey, type StoreInsightsDocument } from './subscriptions.ts';

const types: readonly string[] = ['ApiCallRateInsight', 'ApiErrorRateInsight'];
const categories: readonly string[] = ['Management', 'Data'];

function checkSelectors(selectors: readonly InsightSelector[]): readonly InsightSelector[] {
  const seen = new Set<string>();
  for (const { InsightType: type = '', EventCategories = [] } of selectors) {
    if (!types.includes(type)) throw invalid(`InsightType takes ${types.join(' and ')}, not "${type}".`);
    if (seen.has(type)) throw invalid(`InsightType ${type} is there twice.`);
    seen.add(type);
    const unknown = EventCategories.find((one) => !categories.includes(one));
    if (unknown !== undefined) {
      throw invalid(`EventCategories takes ${categories.join(' and ')}, not "${unknown}".`);
    }
  }
  return selectors;
}

/** Exactly one of the two is named. Throws InvalidParameterCombinationException. */
function targetOf(input: PutInsightSelectorsRequest | GetInsightSelectorsRequest) {
  const { TrailName: trail, EventDataStore: store } = input;
  if (trail !== undefined && store === undefined) return { kind: 'trail', name: trail } as const;
  if (store !== undefined && trail === undefined) return { kind: 'store', name: store } as const;
  throw new AwsFault(
    'InvalidParameterCombinationException',
    'Give either TrailName or EventDataStore, and not both.',
  );
}

function needOn(
  action: string,
  input: PutInsightSelectorsRequest | GetInsightSelectorsRequest,
  call: Call,
): Need {
  const { TrailName, EventDataStore } = input;
  const named = TrailName ?? EventDataStore ?? '*';
  const kind = TrailName === undefined ? 'eventdatastore' : 'trail';
  const resource = named.startsWith('arn:')
    ? named
    : formatArn('cloudtrail', call.region, call.accountId, `${kind}/${named}`);
  return { action: `cloudtrail:${action}`, resource };
}

const notEnabled = (name: string): AwsFault =>
  new AwsFault('InsightNotEnabledException', `Insights are not enabled on ${name}.`);

async function putForTrail(
  change: Change,
  name: string,
  input: PutInsightSelectorsRequest,
  call: Call,
): Promise<PutInsightSelectorsResponse> {
  if (input.InsightsDestination !== undefined) {
    throw new AwsFault(
      'InvalidParameterCombinationException',
      'InsightsDestination goes with EventDataStore.',
    );
  }
  const insightSelectors = checkSelectors(input.InsightSelectors ?? []);
  const trail = await readOwnTrail(change, name, call);
  const changed: TrailDocument = { ...trail, insightSelectors };
  change.put(trailKey(trail.accountId, trail.homeRegion, trail.name), changed);
  return { TrailARN: trail.arn, InsightSelectors: [...insightSelectors] };
}

/** From the journal's end on, the Insights events of a source go to another event data store, or to none. */
async function routeInsights(
  change: Change,
  source: EventDataStoreDocument,
  destination: EventDataStoreDocument | undefined,
  end: number,
): Promise<void> {
  for (const store of await readStores(change, source.updatedAt, source.accountId)) {
    const { insightSources = [] } = store;
    const isOpen = (span: InsightSourceSpan) => span.sourceArn === source.arn && span.to === undefined;
    const isWanted = store.id === destination?.id;
    if (insightSources.some(isOpen) === isWanted) continue;
    const next = isWanted
      ? [...insightSources, { sourceArn: source.arn, from: end }]
      : insightSources.map((span) => (isOpen(span) ? { ...span, to: end } : span));
    change.put(storeKey(store.accountId, store.id), { ...store, insightSources: next });
  }
}

async function putForStore(
  change: Change,
  name: string,
  input: PutInsightSelectorsRequest,
  call: Call,
  end: number,
): Promise<PutInsightSelectorsResponse> {
  const selectors = checkSelectors(input.InsightSelectors ?? []);
  if (selectors.some(({ EventCategories = [] }) => EventCategories.includes('Data'))) {
    throw invalid(
      'Insights of data events are for trails; an event data store has those of management events.',
    );
  }
  const source = await readStore(change, name, call);
  const { arn, accountId, region } = source;
  if (selectors.length === 0) {
    change.delete(storeInsightsKey(arn));
    await routeInsights(change, source, undefined, end);
    return { EventDataStoreArn: arn, InsightSelectors: [] };
  }
  if (input.InsightsDestination === undefined) {
    throw invalid('InsightsDestination is missing: the event data store that takes the Insights events.');
  }
  checkSource(selectors, source);
  const destination = await readStore(change, input.InsightsDestination, call);
  if (!logsCategory(destination, 'Insight')) {
    throw invalid(`The destination event data store ${destination.arn} must log Insights events.`);
  }
  await routeInsights(change, source, destination, end);
  const document: StoreInsightsDocument = {
    storeArn: arn,
    accountId,
    region,
    destinationArn: destination.arn,
    selectors,
  };
  change.put(storeInsightsKey(arn), document);
  return {
    EventDataStoreArn: arn,
    InsightsDestination: destination.arn,
    InsightSelectors: [...selectors],
  };
}

async function getOfStore(change: Change, name: string, call: Call): Promise<GetInsightSelectorsResponse> {
  const { arn } = await readStore(change, name, call);
  const document = await readStoreInsights(change, arn);
  if (!document) throw notEnabled(arn);
  return {
    EventDataStoreArn: arn,
    InsightsDestination: document.destinationArn,
    InsightSelectors: [...document.selectors],
  };
}

/** The operations of `cloudtrail` on insight selectors. An empty list turns insights off. */
export const insightOperations = (stream: Pick<Stream, 'end'>): Operations<Change> => ({
  PutInsightSelectors: {
    access: 'write',
    needs: (input: PutInsightSelectorsRequest, call: Call) => [needOn('PutInsightSelectors', input, call)],
    handle(input: PutInsightSelectorsRequest, call: Call, change: Change) {
      const { kind, name } = targetOf(input);
      return kind === 'trail'
        ? putForTrail(change, name, input, call)
        : putForStore(change, name, input, call, stream.end);
    },
  },
  GetInsightSelectors: {
    access: 'read',
    needs: (input: GetInsightSelectorsRequest, call: Call) => [needOn('GetInsightSelectors', input, call)],
    async handle(input: GetInsightSelectorsRequest, call: Call, change: Change) {
      const { kind, name } = targetOf(input);
      if (kind === 'store') return getOfStore(change, name, call);
      const { arn, insightSelectors = [] } = await readTrail(change, name, call);
      if (insightSelectors.length === 0) throw notEnabled(arn);
      return { TrailARN: arn, InsightSelectors: [...insightSelectors] } satisfies GetInsightSelectorsResponse;
    },
  },
});
