import type { ListInsightsDataRequest, ListInsightsDataResponse } from '@aws-sdk/client-cloudtrail';
import { limits } from '../../kernel/index.ts';
import type { Call } from '../../wire/index.ts';
import type { StateView } from '../../state/index.ts';
import { lookUpInsights } from '../api/lookup-insights.ts';
import { tokenFor } from '../api/lookup-token.ts';
import { timeRangeOf } from '../api/time-range.ts';
import type { History } from '../history/index.ts';
import { invalidCode, namedTrail, placeIn } from './list-request.ts';

/**
 * ListInsightsData (API reference; "Viewing Insights events for trails"): the Insights events of a trail's data events, in
 * the caller's region, newest first. Those of management events are LookupEvents's, and those of event data stores are
 * found by queries. As with LookupEvents there is no limit of 90 days, and a page may hold fewer than asked for. Throws
 * InvalidParameterException.
 */
export async function ListInsightsData(
  { history, view }: { readonly history: Pick<History, 'search'>; readonly view: StateView },
  request: ListInsightsDataRequest,
  call: Pick<Call, 'accountId' | 'region'>,
): Promise<ListInsightsDataResponse> {
  const trail = await namedTrail(view, 'InsightSource', request.InsightSource ?? '', call);
  const within = timeRangeOf(request, invalidCode);
  const attributes = Object.entries(request.Dimensions ?? {}).map(([name, value]) => ({ name, value }));
  const canonical = JSON.stringify([
    'ListInsightsData',
    call.accountId,
    call.region,
    trail.arn,
    within,
    attributes,
  ]);
  const after = request.NextToken === undefined ? undefined : placeIn(canonical, request.NextToken);
  const found = await lookUpInsights(
    history,
    { call, attributes, within, source: trail.arn },
    { limit: request.MaxResults ?? limits.lookupEventsPage, after },
  );
  return {
    Events: found.events,
    ...(found.next !== undefined && { NextToken: tokenFor(canonical, found.next) }),
  };
}
