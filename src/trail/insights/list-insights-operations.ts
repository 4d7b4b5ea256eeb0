import type { ListInsightsDataRequest, ListInsightsMetricDataRequest } from '@aws-sdk/client-cloudtrail';
import type { Call, Need, Operations } from '../../wire/index.ts';
import type { History } from '../history/index.ts';
import type { AuditedChange } from '../recording/audited-change.ts';
import { onTrail } from '../trails/api/trail-need.ts';
import { ListInsightsData } from './list-insights-data.ts';
import { ListInsightsMetricData } from './list-insights-metric-data.ts';

/** The permissions that the page of ListInsightsMetricData names. */
function metricNeeds({ TrailName }: ListInsightsMetricDataRequest, call: Call): readonly Need[] {
  const lookUp = { action: 'cloudtrail:LookupEvents', resource: '*' };
  return TrailName === undefined ? [lookUp] : [lookUp, onTrail('ListInsightsData', TrailName, call)];
}

/** The operations of `cloudtrail` that show Insights events and what they are found by. */
export const listInsightsOperations = (parts: {
  readonly history: Pick<History, 'search' | 'count'>;
}): Operations<AuditedChange> => ({
  ListInsightsData: {
    access: 'read',
    needs: (input: ListInsightsDataRequest, call: Call) => [
      onTrail('ListInsightsData', input.InsightSource ?? '', call),
    ],
    handle: (input: ListInsightsDataRequest, call: Call, change: AuditedChange) =>
      ListInsightsData({ history: parts.history, view: change }, input, call),
  },
  ListInsightsMetricData: {
    access: 'read',
    needs: metricNeeds,
    handle: (input: ListInsightsMetricDataRequest, call: Call, change: AuditedChange) =>
      ListInsightsMetricData({ history: parts.history, view: change }, input, call),
  },
});
