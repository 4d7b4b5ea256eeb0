import type { Change } from '../../state/index.ts';
import type { ListInsightsDataRequest, ListInsightsMetricDataRequest } from '@aws-sdk/client-cloudtrail';
import { limits } from '../../kernel/index.ts';
import type { Call, Need, Operations } from '../../wire/index.ts';
import type { History } from '../history/index.ts';
import { openLanes } from '../search/lanes.ts';
import { onTrail } from '../trails/api/trail-need.ts';
import { ListInsightsData } from './list-insights-data.ts';
import { ListInsightsMetricData } from './list-insights-metric-data.ts';

/** The permissions that the page of ListInsightsMetricData names. */
function metricNeeds({ TrailName }: ListInsightsMetricDataRequest, call: Call): readonly Need[] {
  const lookUp = { action: 'cloudtrail:LookupEvents', resource: '*' };
  return TrailName === undefined ? [lookUp] : [lookUp, onTrail('ListInsightsData', TrailName, call)];
}

/** Counts of the history, as many at once as its searches may make. */
function boundedCounts(history: Pick<History, 'count'>): Pick<History, 'count'> {
  const lanes = openLanes(limits.countsAtOnce);
  const forever = new AbortController().signal;
  return {
    async count(filter, by, signal) {
      using _ = await lanes.take(forever);
      return await history.count(filter, by, signal);
    },
  };
}

/** The operations of `cloudtrail` that show Insights events and what they are found by. */
export function listInsightsOperations({
  history,
}: {
  readonly history: Pick<History, 'search' | 'count'>;
}): Operations<Change> {
  const counts = boundedCounts(history);
  return {
    ListInsightsData: {
      access: 'read',
      needs: (input: ListInsightsDataRequest, call: Call) => [
        onTrail('ListInsightsData', input.InsightSource ?? '', call),
      ],
      handle: (input: ListInsightsDataRequest, call: Call, change: Change) =>
        ListInsightsData({ history, view: change }, input, call),
    },
    ListInsightsMetricData: {
      access: 'read',
      needs: metricNeeds,
      handle: (input: ListInsightsMetricDataRequest, call: Call, change: Change) =>
        ListInsightsMetricData({ history: counts, view: change }, input, call),
    },
  };
}
