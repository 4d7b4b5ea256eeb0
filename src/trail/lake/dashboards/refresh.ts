import { AwsFault, limits, type Random } from '../../../kernel/index.ts';
import type { NewEntry } from '../../../journal/index.ts';
import type { Change } from '../../../state/index.ts';
import { putQuery, type QueryDocument } from '../query-documents.ts';
import type { QueryRunner } from '../query-runner.ts';
import { everythingId, readStore } from '../store-documents.ts';
import { dashboardKey, type DashboardDocument } from './dashboard-documents.ts';
import { checkMayQuery } from './dashboard-permission.ts';
import { fillWidget, type ParameterValues } from './query-parameters.ts';
import { newRefreshId } from './refresh-id.ts';
import { serviceCallRecord } from './service-call-record.ts';

export interface RefreshParts {
  readonly random: Random;
  readonly queries: Pick<QueryRunner, 'refreshingOf'>;
}

/** Throws what a refresh is refused with: its stores must be there, let CloudTrail query them, and have room. */
async function checkRefresh(
  change: Change,
  dashboard: DashboardDocument,
  now: number,
  queries: RefreshParts['queries'],
): Promise<void> {
  const { accountId, region, widgets, arn } = dashboard;
  for (const id of new Set(widgets.flatMap(({ storeIds }) => storeIds))) {
    if (id === everythingId) continue;
    const store = await readStore(change, id, { accountId, region, time: now });
    if (store.deletedAt !== undefined)
      throw new AwsFault(
        'InactiveEventDataStoreException',
        `The event data store ${store.arn} of the dashboard ${arn} is pending deletion.`,
      );
  }
  await checkMayQuery(change, dashboard, now);
  const waiting = queries.refreshingOf(accountId);
  if (waiting + widgets.length > limits.lakeDashboardQueriesPerAccount)
    throw new AwsFault(
      'ServiceQuotaExceededException',
      `${waiting} queries of dashboards of the account wait or run already; there can be ${limits.lakeDashboardQueriesPerAccount}. Try again when some have ended.`,
    );
}

/** The widgets, each with its statement; before anything is written, because a scheduled refresh writes why it failed. */
function filledWidgets({ widgets }: DashboardDocument, values: ParameterValues) {
  return widgets.map((widget) => {
    const filled = fillWidget(widget, values);
    if (filled.kind === 'refused') throw new AwsFault('InvalidQueryStatementException', filled.message);
    return { widget, statement: filled.statement };
  });
}

/**
 * Starts a refresh in a change: a query for each widget, which the runner finds there, with the record of CloudTrail's
 * StartQuery. Gives the dashboard as it is then, already in the change. Throws EventDataStoreNotFoundException,
 * InactiveEventDataStoreException, AccessDenied and ServiceQuotaExceededException.
 */
export async function startRefresh(
  change: Change,
  dashboard: DashboardDocument,
  { values, now }: { readonly values: ParameterValues; readonly now: number },
  { random, queries }: RefreshParts,
): Promise<{ readonly dashboard: DashboardDocument; readonly records: readonly NewEntry[] }> {
  await checkRefresh(change, dashboard, now, queries);
  const { accountId, region } = dashboard;
  const refreshId = newRefreshId(dashboard.lastRefreshId, now, random);
  const records = filledWidgets(dashboard, values).map(({ widget, statement }) => {
    const query: QueryDocument = {
      queryId: random.uuid(),
      accountId,
      region,
      statement,
      storeIds: widget.storeIds,
      createdAt: now,
      status: 'QUEUED',
      alias: { name: widget.alias, order: refreshId },
      refreshId,
    };
    putQuery(change, query);
    return serviceCallRecord(dashboard, {
      eventName: 'StartQuery',
      now,
      random,
      requestParameters: { queryStatement: query.statement },
      responseElements: { queryId: query.queryId },
    });
  });
  const refreshed: DashboardDocument = { ...dashboard, lastRefreshId: refreshId };
  change.put(dashboardKey(accountId, region, dashboard.name), refreshed);
  return { dashboard: refreshed, records };
}
