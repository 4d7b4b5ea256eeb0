import type { AdvancedFieldSelector } from '@aws-sdk/client-cloudtrail';
import { defaultSelectors } from '../trails/selectors/compile-basic.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';
import type { InsightSubject } from './insight-types.ts';

export const equals = (fields: readonly AdvancedFieldSelector[], field: string, value: string): boolean =>
  fields.some(({ Field, Equals }) => Field === field && Equals?.includes(value) === true);

/**
 * Whether a trail logs what an insight is about ("Working with CloudTrail Insights"): for the rate of calls of management
 * events those that write, for that of errors any of them, and for data events any data events.
 */
export function logsSource(
  trail: Pick<TrailDocument, 'advancedEventSelectors' | 'eventSelectors'>,
  { category, insightType }: Pick<InsightSubject, 'category' | 'insightType'>,
): boolean {
  const { advancedEventSelectors, eventSelectors = defaultSelectors } = trail;
  const needsWrites = category === 'Management' && insightType === 'ApiCallRateInsight';
  if (advancedEventSelectors) {
    return advancedEventSelectors.some(
      ({ FieldSelectors = [] }) =>
        equals(FieldSelectors, 'eventCategory', category) &&
        !(needsWrites && equals(FieldSelectors, 'readOnly', 'true')),
    );
  }
  return eventSelectors.some(({ ReadWriteType, IncludeManagementEvents = true, DataResources = [] }) =>
    category === 'Data'
      ? DataResources.length > 0
      : IncludeManagementEvents && !(needsWrites && ReadWriteType === 'ReadOnly'),
  );
}
