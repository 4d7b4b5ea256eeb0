import type {
  GetInsightSelectorsRequest,
  GetInsightSelectorsResponse,
  InsightSelector,
  PutInsightSelectorsRequest,
  PutInsightSelectorsResponse,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault, formatArn } from '../../kernel/index.ts';
import type { Call, Need, Operations } from '../../wire/index.ts';
import { readStore } from '../lake/store-documents.ts';
import type { AuditedChange } from '../recording/audited-change.ts';
import { readOwnTrail, readTrail } from '../trails/find-trail.ts';
import { trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import { storeInsightsKey, type StoreInsightsDocument } from './subscriptions.ts';

const types: readonly string[] = ['ApiCallRateInsight', 'ApiErrorRateInsight'];
const categories: readonly string[] = ['Management', 'Data'];

const invalid = (text: string): AwsFault => new AwsFault('InvalidInsightSelectorsException', text);

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
  change: AuditedChange,
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

async function putForStore(
  change: AuditedChange,
  name: string,
  input: PutInsightSelectorsRequest,
  call: Call,
): Promise<PutInsightSelectorsResponse> {
  const selectors = checkSelectors(input.InsightSelectors ?? []);
  if (selectors.some(({ EventCategories = [] }) => EventCategories.includes('Data'))) {
    throw invalid(
      'Insights of data events are for trails; an event data store has those of management events.',
    );
  }
  const { arn, accountId, region } = await readStore(change, name, call);
  if (selectors.length === 0) {
    change.delete(storeInsightsKey(arn));
    return { EventDataStoreArn: arn, InsightSelectors: [] };
  }
  if (input.InsightsDestination === undefined) {
    throw invalid('InsightsDestination is missing: the event data store that takes the Insights events.');
  }
  const { arn: destinationArn } = await readStore(change, input.InsightsDestination, call);
  const document: StoreInsightsDocument = { storeArn: arn, accountId, region, destinationArn, selectors };
  change.put(storeInsightsKey(arn), document);
  return { EventDataStoreArn: arn, InsightsDestination: destinationArn, InsightSelectors: [...selectors] };
}

async function getOfStore(
  change: AuditedChange,
  name: string,
  call: Call,
): Promise<GetInsightSelectorsResponse> {
  const { arn } = await readStore(change, name, call);
  const document = (await change.get<StoreInsightsDocument>(storeInsightsKey(arn)))?.value;
  if (!document) throw notEnabled(arn);
  return {
    EventDataStoreArn: arn,
    InsightsDestination: document.destinationArn,
    InsightSelectors: [...document.selectors],
  };
}

/** The operations of `cloudtrail` on insight selectors. An empty list turns insights off. */
export const insightOperations: Operations<AuditedChange> = {
  PutInsightSelectors: {
    access: 'write',
    needs: (input: PutInsightSelectorsRequest, call: Call) => [needOn('PutInsightSelectors', input, call)],
    handle(input: PutInsightSelectorsRequest, call: Call, change: AuditedChange) {
      const { kind, name } = targetOf(input);
      return kind === 'trail'
        ? putForTrail(change, name, input, call)
        : putForStore(change, name, input, call);
    },
  },
  GetInsightSelectors: {
    access: 'read',
    needs: (input: GetInsightSelectorsRequest, call: Call) => [needOn('GetInsightSelectors', input, call)],
    async handle(input: GetInsightSelectorsRequest, call: Call, change: AuditedChange) {
      const { kind, name } = targetOf(input);
      if (kind === 'store') return getOfStore(change, name, call);
      const { arn, insightSelectors = [] } = await readTrail(change, name, call);
      if (insightSelectors.length === 0) throw notEnabled(arn);
      return { TrailARN: arn, InsightSelectors: [...insightSelectors] } satisfies GetInsightSelectorsResponse;
    },
  },
};
