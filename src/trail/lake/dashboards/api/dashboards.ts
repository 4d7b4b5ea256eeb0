import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault, limits } from '../../../../kernel/index.ts';
import type { StateView } from '../../../../state/index.ts';
import type { Call, Need } from '../../../../wire/index.ts';
import { nothing, pageOf } from '../../api/lake-operation.ts';
import type { Given, LakeOperation, LakeOperationParts, Nothing } from '../../api/lake-operation.ts';
import { needsOfStatement } from '../../api/queries.ts';
import { resourcePolicyKey, resourcePolicyNeed } from '../../../trails/other-resources.ts';
import { addTags, requestTags } from '../../../trails/tags.ts';
import {
  dashboardArn,
  dashboardArnOf,
  dashboardKey,
  findDashboard,
  readDashboard,
  readDashboards,
  refuseManaged,
  type DashboardDocument,
} from '../dashboard-documents.ts';
import { changedSchedule, nextRefreshAt, shownSchedule } from '../refresh-schedule.ts';
import { checkWidgets, shownWidget, statementsOf } from '../widgets.ts';

/** The need of an operation on one dashboard, with what its tags and its own policy say. */
export async function onDashboard(
  operation: string,
  named: string,
  call: Call,
  view: StateView,
): Promise<Need> {
  const resource = dashboardArnOf(named, call);
  const tags = (await findDashboard(view, resource))?.tags;
  return {
    action: `cloudtrail:${operation}`,
    resource,
    ...(tags && { resourceTags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) }),
    ...(await resourcePolicyNeed(view, resource)),
  };
}

/** StartQuery on every event data store that widgets read ("Required permissions for creating dashboards"). */
async function needsOfWidgets(
  widgets: readonly CloudTrail.RequestWidget[] | undefined,
  call: Call,
  parts: LakeOperationParts,
): Promise<readonly Need[]> {
  const needs = new Map<string, Need>();
  for (const statement of statementsOf(widgets ?? [], call))
    for (const need of await needsOfStatement(statement, call, parts)) needs.set(need.resource, need);
  return [...needs.values()];
}

/** What the answers about one dashboard have in common. */
function shown({ arn, widgets, schedule, terminationProtected }: DashboardDocument) {
  return {
    DashboardArn: arn,
    Type: 'CUSTOM' as const,
    Widgets: widgets.map(shownWidget),
    ...(schedule && { RefreshSchedule: shownSchedule(schedule) }),
    TerminationProtectionEnabled: terminationProtected,
  };
}

function dates({ createdAt, updatedAt }: DashboardDocument) {
  return { CreatedTimestamp: new Date(createdAt), UpdatedTimestamp: new Date(updatedAt) };
}

/** With another schedule, and the time at which that refreshes it next. */
function scheduled(
  dashboard: DashboardDocument,
  wanted: CloudTrail.RefreshSchedule,
  now: number,
): DashboardDocument {
  const { nextRefreshAt: _, ...rest } = dashboard;
  const schedule = changedSchedule(dashboard.schedule, wanted);
  const next = nextRefreshAt(schedule, now);
  return { ...rest, schedule, ...(next !== undefined && { nextRefreshAt: next }) };
}

async function checkName(view: StateView, name: string, { accountId, region }: Call): Promise<void> {
  refuseManaged(name);
  const there = await readDashboards(view, accountId, region);
  if (there.some((dashboard) => dashboard.name === name))
    throw new AwsFault('ConflictException', `There is a dashboard named ${name} already.`);
  if (there.length >= limits.lakeDashboards) {
    const message = `The account has ${there.length} dashboards in ${region} already; delete one first.`;
    throw new AwsFault('ServiceQuotaExceededException', message);
  }
}

/** CreateDashboard: a custom one. Its widgets' queries are checked now, and run when it is refreshed. */
export const CreateDashboard: LakeOperation<
  CloudTrail.CreateDashboardRequest,
  CloudTrail.CreateDashboardResponse
> = {
  access: 'write',
  async needs(input, call, parts) {
    const resource = dashboardArn(call.accountId, call.region, input.Name);
    const create = { action: 'cloudtrail:CreateDashboard', resource, ...requestTags(input.TagsList) };
    return [
      create,
      ...(input.TagsList?.length ? [{ ...create, action: 'cloudtrail:AddTags' }] : []),
      ...(input.RefreshSchedule ? [{ action: 'cloudtrail:StartDashboardRefresh', resource }] : []),
      ...(await needsOfWidgets(input.Widgets, call, parts)),
    ];
  },
  async handle(input, call, change, parts) {
    const { accountId, region, time } = call;
    await checkName(change, input.Name, call);
    const arn = dashboardArn(accountId, region, input.Name);
    const bare: DashboardDocument = {
      name: input.Name,
      arn,
      accountId,
      region,
      status: 'CREATED',
      widgets: await checkWidgets(input.Widgets ?? [], [], call, parts),
      terminationProtected: input.TerminationProtectionEnabled ?? false,
      createdAt: time,
      updatedAt: time,
      tags: addTags([], input.TagsList, arn),
    };
    const dashboard = input.RefreshSchedule ? scheduled(bare, input.RefreshSchedule, time) : bare;
    change.put(dashboardKey(accountId, region, dashboard.name), dashboard);
    return { ...shown(dashboard), Name: dashboard.name, TagsList: [...(dashboard.tags ?? [])] };
  },
};

/** StartDashboardRefresh is asked of whoever gives a schedule, or updates a dashboard that has one. */
async function needsOfSchedule(
  { DashboardId, RefreshSchedule }: Given<CloudTrail.UpdateDashboardRequest>,
  call: Call,
  { state }: LakeOperationParts,
): Promise<readonly Need[]> {
  const there = await findDashboard(state, dashboardArnOf(DashboardId, call));
  const hasSchedule = RefreshSchedule !== undefined || there?.schedule !== undefined;
  return hasSchedule ? [await onDashboard('StartDashboardRefresh', DashboardId, call, state)] : [];
}

/** UpdateDashboard: Widgets take the place of all that were there; what the request leaves out stays. */
export const UpdateDashboard: LakeOperation<
  CloudTrail.UpdateDashboardRequest,
  CloudTrail.UpdateDashboardResponse
> = {
  access: 'write',
  needs: async (input, call, parts) => [
    await onDashboard('UpdateDashboard', input.DashboardId, call, parts.state),
    ...(await needsOfSchedule(input, call, parts)),
    ...(await needsOfWidgets(input.Widgets, call, parts)),
  ],
  async handle(input, call, change, parts) {
    const old = await readDashboard(change, input.DashboardId, call);
    const changed: DashboardDocument = {
      ...old,
      status: 'UPDATED',
      widgets: input.Widgets ? await checkWidgets(input.Widgets, old.widgets, call, parts) : old.widgets,
      terminationProtected: input.TerminationProtectionEnabled ?? old.terminationProtected,
      updatedAt: call.time,
    };
    const { RefreshSchedule } = input;
    const dashboard = RefreshSchedule ? scheduled(changed, RefreshSchedule, call.time) : changed;
    change.put(dashboardKey(dashboard.accountId, dashboard.region, dashboard.name), dashboard);
    return { ...shown(dashboard), Name: dashboard.name, ...dates(dashboard) };
  },
};

export const GetDashboard: LakeOperation<CloudTrail.GetDashboardRequest, CloudTrail.GetDashboardResponse> = {
  access: 'read',
  needs: async (input, call, { state }) => [
    await onDashboard('GetDashboard', input.DashboardId, call, state),
  ],
  async handle(input, call, change) {
    const dashboard = await readDashboard(change, input.DashboardId, call);
    const { status, lastRefreshId, lastRefreshFailure } = dashboard;
    return {
      ...shown(dashboard),
      Status: status,
      ...dates(dashboard),
      ...(lastRefreshId !== undefined && { LastRefreshId: lastRefreshId }),
      ...(lastRefreshFailure !== undefined && { LastRefreshFailureReason: lastRefreshFailure }),
    };
  },
};

/** DeleteDashboard: its resource policy goes with it; the queries that it ran are kept as long as any. */
export const DeleteDashboard: LakeOperation<CloudTrail.DeleteDashboardRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, { state }) => [
    await onDashboard('DeleteDashboard', input.DashboardId, call, state),
  ],
  async handle(input, call, change) {
    const { arn, accountId, region, name, terminationProtected } = await readDashboard(
      change,
      input.DashboardId,
      call,
    );
    if (terminationProtected)
      throw new AwsFault(
        'ConflictException',
        `The dashboard ${arn} is protected from termination; turn that off first.`,
      );
    change.delete(dashboardKey(accountId, region, name));
    change.delete(resourcePolicyKey(arn));
    return nothing;
  },
};

export const ListDashboards: LakeOperation<
  CloudTrail.ListDashboardsRequest,
  CloudTrail.ListDashboardsResponse
> = {
  access: 'read',
  needs: () => [{ action: 'cloudtrail:ListDashboards', resource: '*' }],
  async handle(input, { accountId, region }, change) {
    const { NamePrefix = '', Type = 'CUSTOM' } = input;
    const all = (await readDashboards(change, accountId, region)).filter(
      ({ name }) => Type === 'CUSTOM' && name.startsWith(NamePrefix),
    );
    const scope = ['ListDashboards', accountId, region, NamePrefix, Type];
    const { items, ...more } = pageOf(all, scope, { ...input, MaxResults: input.MaxResults ?? 100 });
    return {
      Dashboards: items.map(({ arn }) => ({ DashboardArn: arn, Type: 'CUSTOM' as const })),
      ...more,
    };
  },
};
