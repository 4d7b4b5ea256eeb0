import type { InsightSelector } from '@aws-sdk/client-cloudtrail';
import type { StateView } from '../../state/index.ts';
import { readStores } from '../lake/store-documents.ts';
import { readTrails } from '../trails/trail-documents.ts';
import { logsSource } from './insight-trails.ts';
import type { InsightReceiver, InsightSubject } from './insight-types.ts';

/** Insights of an event data store, under `trail/insights/stores/ARN`. */
export interface StoreInsightsDocument {
  readonly storeArn: string;
  readonly accountId: string;
  readonly region: string;
  /** ARN of the event data store that takes the insights. */
  readonly destinationArn?: string;
  readonly selectors: readonly InsightSelector[];
}

const storeInsightsPrefix = 'trail/insights/stores/';
export const storeInsightsKey = (storeArn: string): string => `${storeInsightsPrefix}${storeArn}`;

/** The insights of an event data store; undefined when they are off. */
export async function readStoreInsights(
  view: Pick<StateView, 'get'>,
  storeArn: string,
): Promise<StoreInsightsDocument | undefined> {
  return (await view.get<StoreInsightsDocument>(storeInsightsKey(storeArn)))?.value;
}

/** Whoever wants insights of an account: in one region, or in all. */
interface Subscription {
  readonly accountId: string;
  readonly region: string | undefined;
  readonly selectors: readonly InsightSelector[];
  /** As whom; undefined where what the insight is about is not logged. */
  readonly receiverOf: (subject: InsightSubject) => InsightReceiver | undefined;
}

async function trailSubscriptions(view: StateView): Promise<readonly Subscription[]> {
  return (await readTrails(view))
    .filter(({ isLogging }) => isLogging)
    .map((trail) => ({
      accountId: trail.accountId,
      region: trail.isMultiRegion ? undefined : trail.homeRegion,
      selectors: trail.insightSelectors ?? [],
      receiverOf: (subject) => {
        if (!logsSource(trail, subject)) return undefined;
        return subject.category === 'Data' ? trail.arn : 'trails';
      },
    }));
}

/** Of the event data stores that take events now: those that are stopped or deleted see nothing unusual. */
async function storeSubscriptions(view: StateView, now: number): Promise<readonly Subscription[]> {
  const documents = await view.list<StoreInsightsDocument>(storeInsightsPrefix);
  if (documents.length === 0) return [];
  const stores = new Map((await readStores(view, now)).map((store) => [store.arn, store]));
  return documents.flatMap(({ value: { storeArn, accountId, selectors } }) => {
    const store = stores.get(storeArn);
    if (!store?.isIngesting || store.deletedAt !== undefined) return [];
    const region = store.isMultiRegion ? undefined : store.region;
    return [{ accountId, region, selectors, receiverOf: () => storeArn }];
  });
}

/** The categories that a selector turns insights on for: without any it is management events ("InsightSelector"). */
const categoriesOf = ({ EventCategories }: InsightSelector): readonly string[] =>
  EventCategories?.length ? EventCategories : ['Management'];

/** Whether insight selectors ask for what an insight is about. */
export const selectsInsight = (
  selectors: readonly InsightSelector[],
  { insightType, category }: Pick<InsightSubject, 'insightType' | 'category'>,
): boolean =>
  selectors.some((one) => one.InsightType === insightType && categoriesOf(one).includes(category));

/** Makes the function that says who wants an insight, by the trails and event data stores as they are at `now`. */
export async function insightReceivers(
  view: StateView,
  now: number,
): Promise<(subject: InsightSubject) => readonly InsightReceiver[]> {
  const subscriptions = [...(await trailSubscriptions(view)), ...(await storeSubscriptions(view, now))];
  return (subject) => {
    const wanting = subscriptions.filter(
      ({ accountId, region, selectors }) =>
        accountId === subject.accountId &&
        (region === undefined || region === subject.region) &&
        selectsInsight(selectors, subject),
    );
    return [...new Set(wanting.flatMap(({ receiverOf }) => receiverOf(subject) ?? []))];
  };
}
