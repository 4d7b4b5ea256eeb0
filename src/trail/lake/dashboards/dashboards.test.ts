import { describe, expect, it } from 'vitest';
import { createStore, lakeRecord, openLakeFixture, type LakeFixture } from '../../../../test/lake-fixture.ts';
import { managementAccount } from '../../../../test/trail-fixture.ts';
import { resourcePolicyKey } from '../../trails/other-resources.ts';

const table = { Height: '2', Width: '4', Title: 'Names', View: 'Table' };
const arnOf = (name: string) => `arn:aws:cloudtrail:eu-central-1:${managementAccount}:dashboard/${name}`;
const eventsArn = `arn:aws:cloudtrail:eu-central-1:${managementAccount}:eventdatastore/00000000-0000-4000-8000-000000000000`;

/** The statements of "Resource-based policy examples": what CloudTrail may do for one dashboard. */
const statementFor = (dashboardArn: string, Action: string, over: object = {}) => ({
  Effect: 'Allow',
  Principal: { Service: 'cloudtrail.amazonaws.com' },
  Action,
  Condition: {
    StringEquals: { 'AWS:SourceArn': dashboardArn, 'AWS:SourceAccount': managementAccount },
  },
  ...over,
});

async function putPolicy(fixture: LakeFixture, arn: string, ...Statement: object[]): Promise<void> {
  const change = fixture.trail.state.begin();
  change.put(resourcePolicyKey(arn), { policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
  await fixture.trail.state.commit(change, []);
}

/** A dashboard over everything with one widget, whose queries CloudTrail may run. */
async function createDashboard(fixture: LakeFixture, Name: string, over: object = {}) {
  await putPolicy(fixture, eventsArn, statementFor(arnOf(Name), 'cloudtrail:StartQuery'));
  return fixture.call('CreateDashboard', {
    Name,
    Widgets: [
      {
        ViewProperties: table,
        QueryStatement: "SELECT eventID FROM events WHERE eventID LIKE 'event%' AND eventTime > '?'",
        QueryParameters: ['$StartTime$'],
      },
    ],
    ...over,
  });
}

async function resultOf(fixture: LakeFixture, query: object): Promise<string[]> {
  const { QueryId } = await fixture.call('DescribeQuery', query);
  await fixture.lake.ended(QueryId);
  const described = await fixture.call('DescribeQuery', query);
  expect(described).toMatchObject({ QueryId, QueryStatus: 'FINISHED' });
  const { QueryResultRows } = await fixture.call('GetQueryResults', { QueryId });
  return (QueryResultRows as { eventID: string }[][]).map(([cell]) => cell?.eventID ?? '');
}

/** Turns the clock minute by minute, so that everything that falls due is done in its time. */
async function turn(fixture: LakeFixture, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await fixture.trail.clock.advance(60_000);
    await fixture.lake.refreshed();
  }
}

const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

async function recordsOf(fixture: LakeFixture, eventName: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { entries } of fixture.trail.stream.read(fixture.trail.stream.start)) {
    for (const { payload } of entries) {
      const text = Buffer.from(payload).toString();
      if (text.includes(`"eventName":"${eventName}"`)) found.push(JSON.parse(text));
    }
  }
  return found;
}

describe('custom dashboards', () => {
  it('are created, shown, listed, updated and deleted', async () => {
    await using fixture = await openLakeFixture();
    const { id } = await createStore(fixture);
    const widget = {
      ViewProperties: { ...table, View: 'PieChart', LabelColumn: 'awsRegion', ValueColumn: 'n' },
      QueryStatement: `SELECT awsRegion, count(*) AS n FROM ${id} WHERE eventTime > '?' AND eventTime < '?' GROUP BY awsRegion`,
      QueryParameters: ['$StartTime$', '$EndTime$'],
    };
    const RefreshSchedule = {
      Frequency: { Unit: 'HOURS', Value: 12 },
      Status: 'ENABLED',
      TimeOfDay: '00:00',
    };
    const created = await fixture.call('CreateDashboard', {
      Name: 'activity',
      Widgets: [widget],
      RefreshSchedule,
      TerminationProtectionEnabled: true,
      TagsList: [{ Key: 'team', Value: 'blue' }],
    });
    const shown = {
      DashboardArn: arnOf('activity'),
      Type: 'CUSTOM',
      Widgets: [{ ...widget, QueryAlias: expect.stringMatching(/^[a-zA-Z][a-zA-Z0-9._-]*$/) }],
      RefreshSchedule,
      TerminationProtectionEnabled: true,
    };
    expect(created).toEqual({ ...shown, Name: 'activity', TagsList: [{ Key: 'team', Value: 'blue' }] });
    const got = await fixture.call('GetDashboard', { DashboardId: 'activity' });
    expect(got).toEqual({
      ...shown,
      Status: 'CREATED',
      CreatedTimestamp: new Date(fixture.trail.clock.now()),
      UpdatedTimestamp: new Date(fixture.trail.clock.now()),
    });
    expect(await fixture.call('GetDashboard', { DashboardId: arnOf('activity') })).toEqual(got);

    // A query that stays keeps its alias, wherever it stands.
    const other = { ViewProperties: table, QueryStatement: `SELECT eventName FROM ${id}` };
    await fixture.trail.clock.advance(1000);
    const updated = await fixture.call('UpdateDashboard', {
      DashboardId: 'activity',
      Widgets: [other, widget],
      TerminationProtectionEnabled: false,
    });
    expect(updated).toMatchObject({
      Name: 'activity',
      Widgets: [{ ...other, QueryAlias: expect.any(String) }, { QueryAlias: created.Widgets[0].QueryAlias }],
      RefreshSchedule,
      CreatedTimestamp: got.CreatedTimestamp,
      UpdatedTimestamp: new Date(fixture.trail.clock.now()),
    });
    expect(await fixture.call('GetDashboard', { DashboardId: 'activity' })).toMatchObject({
      Status: 'UPDATED',
      TerminationProtectionEnabled: false,
    });

    await fixture.call('CreateDashboard', { Name: 'bare' });
    const listed = await fixture.call('ListDashboards', { MaxResults: 1 });
    expect(listed.Dashboards).toEqual([{ DashboardArn: arnOf('activity'), Type: 'CUSTOM' }]);
    const next = await fixture.call('ListDashboards', { MaxResults: 1, NextToken: listed.NextToken });
    expect(next).toEqual({ Dashboards: [{ DashboardArn: arnOf('bare'), Type: 'CUSTOM' }] });
    expect((await fixture.call('ListDashboards', { NamePrefix: 'bar' })).Dashboards).toHaveLength(1);
    expect((await fixture.call('ListDashboards', { Type: 'MANAGED' })).Dashboards).toEqual([]);
    expect((await fixture.call('ListDashboards', {}, { region: 'us-east-1' })).Dashboards).toEqual([]);

    await putPolicy(fixture, arnOf('activity'), statementFor(arnOf('activity'), 'cloudtrail:*'));
    await fixture.call('DeleteDashboard', { DashboardId: arnOf('activity') });
    expect(await faultOf(fixture.call('GetDashboard', { DashboardId: 'activity' }))).toBe(
      'ResourceNotFoundException',
    );
    expect(await fixture.trail.state.get(resourcePolicyKey(arnOf('activity')))).toBeUndefined();
  });

  it('are refused by the names of the API reference', async () => {
    await using fixture = await openLakeFixture();
    const { id, arn } = await createStore(fixture);
    const create = (over: object) => faultOf(fixture.call('CreateDashboard', { Name: 'new', ...over }));
    const widget = { ViewProperties: table, QueryStatement: `SELECT eventID FROM ${id}` };
    const withWidget = (over: object) => create({ Widgets: [{ ...widget, ...over }] });
    await fixture.call('CreateDashboard', { Name: 'there', TerminationProtectionEnabled: true });

    expect(await create({ Name: 'there' })).toBe('ConflictException');
    expect(await create({ Name: 'AWSCloudTrail-Highlights' })).toBe('UnsupportedOperationException');
    expect(await create({ Widgets: Array.from({ length: 11 }, () => widget) })).toBe(
      'ServiceQuotaExceededException',
    );
    expect(await create({ TagsList: [{ Key: 'aws:x', Value: 'y' }] })).toBe('InvalidTagParameterException');
    expect(await withWidget({ QueryStatement: 'SELECT eventID FROM elsewhere' })).toBe(
      'InvalidQueryStatementException',
    );
    expect(await withWidget({ QueryParameters: ['$StartTime$'] })).toBe('InvalidQueryStatementException');
    expect(await withWidget({ QueryParameters: ['$EventDataStoreId$'] })).toBe('InvalidParameterException');
    const { Title: _, ...untitled } = table;
    expect(await withWidget({ ViewProperties: untitled })).toBe('InvalidParameterException');
    expect(await withWidget({ ViewProperties: { ...table, View: 'Radar' } })).toBe(
      'InvalidParameterException',
    );
    expect(await withWidget({ ViewProperties: { ...table, View: 'LineChart' } })).toBe(
      'InvalidParameterException',
    );
    expect(await faultOf(fixture.call('DeleteDashboard', { DashboardId: 'there' }))).toBe(
      'ConflictException',
    );
    for (const operation of ['GetDashboard', 'UpdateDashboard', 'DeleteDashboard', 'StartDashboardRefresh']) {
      const call = (DashboardId: string) => faultOf(fixture.call(operation, { DashboardId }));
      expect(await call('nowhere')).toBe('ResourceNotFoundException');
      expect(await call(arnOf('there').replace('eu-central-1', 'us-east-1'))).toBe(
        'ResourceNotFoundException',
      );
      expect(await call('AWSCloudTrail-Overview')).toBe('UnsupportedOperationException');
    }
    await fixture.call('DeleteEventDataStore', { EventDataStore: arn });
    expect(await withWidget({})).toBe('InactiveEventDataStoreException');
  });
});

describe('a refresh by hand', () => {
  it('runs the query of every widget with the values of the refresh, and is found by alias', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(
      lakeRecord({ eventID: 'event-old', eventTime: '2026-11-01T10:00:00Z' }),
      lakeRecord({ eventID: 'event-new', eventTime: '2026-11-03T10:00:00Z' }),
    );
    const { Widgets } = await createDashboard(fixture, 'main');
    const QueryAlias: string = Widgets[0].QueryAlias;
    expect(await faultOf(fixture.call('DescribeQuery', { QueryAlias }))).toBe('QueryIdNotFoundException');
    const refresh = async ($StartTime$: string): Promise<string> => {
      const QueryParameterValues = { $StartTime$ };
      return (await fixture.call('StartDashboardRefresh', { DashboardId: 'main', QueryParameterValues }))
        .RefreshId;
    };
    const first = await refresh('2026-11-02T00:00:00.00Z');
    const second = await refresh('2026-10-30');
    expect(first).toMatch(/^\d{10,20}$/);
    expect(BigInt(second)).toBeGreaterThan(BigInt(first));
    expect(await resultOf(fixture, { QueryAlias, RefreshId: first })).toEqual(['event-new']);
    expect((await resultOf(fixture, { QueryAlias })).toSorted()).toEqual(['event-new', 'event-old']);
    expect(await fixture.call('GetDashboard', { DashboardId: 'main' })).toMatchObject({
      LastRefreshId: second,
      Status: 'CREATED',
    });
    const ids: string[] = [];
    for (const RefreshId of [first, second])
      ids.push((await fixture.call('DescribeQuery', { QueryAlias, RefreshId })).QueryId);
    const { Queries } = await fixture.call('ListQueries', { EventDataStore: eventsArn });
    expect(Queries.map(({ QueryId }: { QueryId: string }) => QueryId).toSorted()).toEqual(ids.toSorted());
    expect(await faultOf(fixture.call('DescribeQuery', { RefreshId: first }))).toBe(
      'InvalidParameterException',
    );
    // CloudTrail is the caller of the queries: the records say so.
    expect(await recordsOf(fixture, 'StartQuery')).toEqual(
      ids.map((QueryId) =>
        expect.objectContaining({
          userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
          responseElements: { queryId: QueryId },
          resources: [expect.objectContaining({ ARN: arnOf('main') })],
        }),
      ),
    );
  });

  it('needs the policy of every event data store, in the form of each of AWS’s examples', async () => {
    await using fixture = await openLakeFixture();
    await createDashboard(fixture, 'main');
    const refresh = () => faultOf(fixture.call('StartDashboardRefresh', { DashboardId: 'main' }));
    const allow = (over: object = {}) =>
      putPolicy(fixture, eventsArn, statementFor(arnOf('main'), 'cloudtrail:StartQuery', over));
    expect(await refresh()).toBe('none');
    await putPolicy(fixture, eventsArn, statementFor(arnOf('other'), 'cloudtrail:StartQuery'));
    expect(await refresh()).toBe('AccessDenied');
    await putPolicy(fixture, eventsArn, statementFor(arnOf('main'), 'cloudtrail:GetQueryResults'));
    expect(await refresh()).toBe('AccessDenied');
    await allow({ Resource: arnOf('*') });
    expect(await refresh()).toBe('none');
    await allow({ Resource: eventsArn });
    expect(await refresh()).toBe('none');
    await putPolicy(
      fixture,
      eventsArn,
      statementFor(arnOf('main'), 'cloudtrail:StartQuery', { Resource: arnOf('*') }),
      { Effect: 'Deny', Principal: '*', Action: 'cloudtrail:StartQuery', Resource: eventsArn },
    );
    expect(await refresh()).toBe('AccessDenied');
    expect(await recordsOf(fixture, 'StartQuery')).toHaveLength(3);
  });

  it('needs its event data stores', async () => {
    await using fixture = await openLakeFixture();
    const { id, arn } = await createStore(fixture);
    await fixture.call('CreateDashboard', {
      Name: 'main',
      Widgets: [{ ViewProperties: table, QueryStatement: `SELECT eventID FROM ${id}` }],
    });
    await putPolicy(fixture, arn, statementFor(arnOf('main'), 'cloudtrail:StartQuery'));
    await fixture.call('DeleteEventDataStore', { EventDataStore: arn });
    const refresh = () => faultOf(fixture.call('StartDashboardRefresh', { DashboardId: 'main' }));
    expect(await refresh()).toBe('InactiveEventDataStoreException');
    await fixture.trail.clock.advance(8 * 86_400_000);
    expect(await refresh()).toBe('EventDataStoreNotFoundException');
  });

  it('waits behind the queries that are asked for, and only so many of it wait', async () => {
    await using fixture = await openLakeFixture();
    const widget = { ViewProperties: table, QueryStatement: 'SELECT eventID FROM events' };
    await createDashboard(fixture, 'main', { Widgets: Array.from({ length: 10 }, () => widget) });
    const codes: string[] = [];
    for (let refresh = 0; refresh < 12; refresh++)
      codes.push(await faultOf(fixture.call('StartDashboardRefresh', { DashboardId: 'main' })));
    expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'none'));
    expect(codes).toContain('ServiceQuotaExceededException');
    expect(await fixture.run('SELECT eventID FROM events')).toMatchObject({ QueryStatus: 'FINISHED' });
    const waiting = { EventDataStore: eventsArn, QueryStatus: 'QUEUED' };
    expect((await fixture.call('ListQueries', waiting)).Queries.length).toBeGreaterThan(60);
  });
});

describe('StartQuery by the alias of a widget', () => {
  it('runs its statement with the values that are given', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord({ eventID: 'event-1', eventTime: '2026-11-03T10:00:00Z' }));
    const { Widgets } = await createDashboard(fixture, 'main');
    const QueryAlias: string = Widgets[0].QueryAlias;
    const start = (input: object) => fixture.call('StartQuery', input);
    const { QueryId } = await start({ QueryAlias, QueryParameters: ['2026-11-01'] });
    expect(await resultOf(fixture, { QueryId })).toEqual(['event-1']);
    expect(await fixture.call('DescribeQuery', { QueryAlias })).toMatchObject({ QueryId });
    for (const wrong of [
      { QueryAlias },
      { QueryAlias, QueryParameters: ["2026-11-01' OR 'a'='a"] },
      { QueryAlias: 'nobody' },
      { QueryAlias, QueryStatement: 'SELECT eventID FROM events' },
      { QueryStatement: 'SELECT eventID FROM events', QueryParameters: ['2026-11-01'] },
      {},
    ])
      expect(await faultOf(start(wrong))).toBe('InvalidParameterException');
  });
});

const mayRefresh = (fixture: LakeFixture) =>
  putPolicy(fixture, arnOf('main'), statementFor(arnOf('main'), 'cloudtrail:StartDashboardRefresh'));
const dashboard = (fixture: LakeFixture) => fixture.call('GetDashboard', { DashboardId: 'main' });

describe('a refresh schedule', () => {
  const everyHour = { Frequency: { Unit: 'HOURS', Value: 1 }, Status: 'ENABLED' };

  it('refreshes in its hours, as long as it is enabled', async () => {
    await using fixture = await openLakeFixture();
    const { Widgets } = await createDashboard(fixture, 'main', { RefreshSchedule: everyHour });
    await mayRefresh(fixture);
    await turn(fixture, 59);
    expect((await dashboard(fixture)).LastRefreshId).toBeUndefined();
    await turn(fixture, 1);
    const { LastRefreshId, LastRefreshFailureReason } = await dashboard(fixture);
    expect(LastRefreshId).toMatch(/^\d{16}$/);
    expect(LastRefreshFailureReason).toBeUndefined();
    await resultOf(fixture, { QueryAlias: Widgets[0].QueryAlias, RefreshId: LastRefreshId });
    expect(await recordsOf(fixture, 'StartDashboardRefresh')).toEqual([
      expect.objectContaining({
        userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
        requestParameters: { dashboardId: arnOf('main') },
        responseElements: { refreshId: LastRefreshId },
      }),
    ]);
    await turn(fixture, 60);
    const second = (await dashboard(fixture)).LastRefreshId;
    expect(BigInt(second)).toBeGreaterThan(BigInt(LastRefreshId));
    const RefreshSchedule = { Status: 'DISABLED' };
    await fixture.call('UpdateDashboard', { DashboardId: 'main', RefreshSchedule });
    await turn(fixture, 120);
    expect((await dashboard(fixture)).LastRefreshId).toBe(second);
  });

  it('says why it could not refresh, and goes on', async () => {
    await using fixture = await openLakeFixture();
    await createDashboard(fixture, 'main', { RefreshSchedule: everyHour });
    await turn(fixture, 60);
    const failed = await dashboard(fixture);
    expect(failed.LastRefreshId).toBeUndefined();
    expect(failed.LastRefreshFailureReason).toMatch(/^AccessDenied: .*cloudtrail:StartDashboardRefresh/);
    expect(await recordsOf(fixture, 'StartDashboardRefresh')).toEqual([
      expect.objectContaining({ errorCode: 'AccessDenied', responseElements: null }),
    ]);
    await mayRefresh(fixture);
    await turn(fixture, 60);
    const refreshed = await dashboard(fixture);
    expect(refreshed.LastRefreshId).toBeDefined();
    expect(refreshed.LastRefreshFailureReason).toBeUndefined();
    expect(refreshed.Status).toBe('CREATED');
  });

  it('makes up once for the hours in which the program did not run', async () => {
    await using fixture = await openLakeFixture();
    await createDashboard(fixture, 'main', { RefreshSchedule: everyHour });
    await mayRefresh(fixture);
    await fixture.lake[Symbol.asyncDispose]();
    await fixture.trail.clock.advance(5 * 3_600_000);
    await fixture.reopen();
    await fixture.lake.refreshed();
    expect(await recordsOf(fixture, 'StartDashboardRefresh')).toHaveLength(1);
    await turn(fixture, 60);
    expect(await recordsOf(fixture, 'StartDashboardRefresh')).toHaveLength(2);
  });

  it('leaves nothing behind of queries that are over', async () => {
    await using fixture = await openLakeFixture();
    const { Widgets } = await createDashboard(fixture, 'main');
    await fixture.call('StartDashboardRefresh', { DashboardId: 'main' });
    await resultOf(fixture, { QueryAlias: Widgets[0].QueryAlias });
    expect(await fixture.trail.state.list('trail/lake/query-aliases/')).toHaveLength(1);
    await fixture.trail.clock.advance(8 * 86_400_000);
    await fixture.reopen();
    await expect.poll(() => fixture.trail.state.list('trail/lake/query-aliases/')).toEqual([]);
  });
});
