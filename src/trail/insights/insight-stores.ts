import type { InsightSelector } from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../kernel/index.ts';
import type { EventDataStoreDocument } from '../lake/store-documents.ts';
import { equals } from './insight-trails.ts';

/** What event data stores have to log for insights. */

type LoggingStore = Pick<EventDataStoreDocument, 'arn' | 'selectors'>;

export const invalid = (text: string): AwsFault => new AwsFault('InvalidInsightSelectorsException', text);

/** Whether an event data store logs events of a category. */
export function logsCategory({ selectors }: LoggingStore, category: string): boolean {
  return selectors.some(({ FieldSelectors = [] }) => equals(FieldSelectors, 'eventCategory', category));
}

/**
 * Checks that an event data store logs what its insights are about ("InvalidInsightSelectorsException"): management events,
 * and for ApiCallRateInsight those that write.
 */
export function checkSource(insights: readonly InsightSelector[], store: LoggingStore): void {
  if (!logsCategory(store, 'Management')) {
    throw invalid(`The source event data store ${store.arn} must log management events.`);
  }
  const isReadOnly = store.selectors
    .filter(({ FieldSelectors = [] }) => equals(FieldSelectors, 'eventCategory', 'Management'))
    .every(({ FieldSelectors = [] }) => equals(FieldSelectors, 'readOnly', 'true'));
  if (isReadOnly && insights.some(({ InsightType }) => InsightType === 'ApiCallRateInsight')) {
    throw invalid(
      `For ApiCallRateInsight the event data store ${store.arn} must log write management events.`,
    );
  }
}
