import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import type { LakeOperation } from '../../api/lake-operation.ts';
import { readDashboard } from '../dashboard-documents.ts';
import { valuesFor } from '../query-parameters.ts';
import { startRefresh } from '../refresh.ts';
import { onDashboard } from './dashboards.ts';

/**
 * StartDashboardRefresh: CloudTrail runs the queries of the widgets, if the policies of the event data stores let it; the
 * caller needs no permission on those ("Required permissions for refreshing dashboards").
 */
export const StartDashboardRefresh: LakeOperation<
  CloudTrail.StartDashboardRefreshRequest,
  CloudTrail.StartDashboardRefreshResponse
> = {
  access: 'write',
  needs: async (input, call, { state }) => [
    await onDashboard('StartDashboardRefresh', input.DashboardId, call, state),
  ],
  async handle(input, call, change, parts) {
    const dashboard = await readDashboard(change, input.DashboardId, call);
    const values = valuesFor(input.QueryParameterValues, call.time);
    const started = await startRefresh(change, dashboard, { values, now: call.time }, parts);
    for (const record of started.records) change.append(record);
    return { RefreshId: started.dashboard.lastRefreshId };
  },
};
