import type { InsightSelector } from '@aws-sdk/client-cloudtrail';
import type { StateView } from '../../state/index.ts';
import { readTrails } from '../trails/trail-documents.ts';
import type { InsightSubject } from './insight-types.ts';

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

/** Whoever wants insights of an account: in one region, or in all. */
interface Subscription {
  readonly accountId: string;
  readonly region: string | undefined;
  readonly selectors: readonly InsightSelector[];
}

async function readSubscriptions(view: StateView): Promise<readonly Subscription[]> {
  const [trails, stores] = await Promise.all([
    readTrails(view),
    view.list<StoreInsightsDocument>(storeInsightsPrefix),
  ]);
  return [
    ...trails
      .filter(({ isLogging }) => isLogging)
      .map(({ accountId, homeRegion, isMultiRegion, insightSelectors = [] }) => ({
        accountId,
        region: isMultiRegion ? undefined : homeRegion,
        selectors: insightSelectors,
      })),
    ...stores.map(({ value }) => ({ ...value, region: undefined })),
  ];
}

function selects({ InsightType, EventCategories }: InsightSelector, subject: InsightSubject): boolean {
  // Selectors without categories are from before there were insights of data events.
  const categories: readonly string[] = EventCategories?.length ? EventCategories : ['Management'];
  return InsightType === subject.insightType && categories.includes(subject.category);
}

/** Makes the test whether anybody wants an insight, by the trails and event data stores as they are now. */
export async function wantedInsights(view: StateView): Promise<(subject: InsightSubject) => boolean> {
  const subscriptions = await readSubscriptions(view);
  return (subject) =>
    subscriptions.some(
      ({ accountId, region, selectors }) =>
        accountId === subject.accountId &&
        (region === undefined || region === subject.region) &&
        selectors.some((selector) => selects(selector, subject)),
    );
}
