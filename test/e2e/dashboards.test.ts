import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, python, startServer, type TestServer } from './harness.ts';
import { startTurned } from './turned-process.ts';

const run = promisify(execFile);

/** Dashboards came to the aws CLI and boto3 in November 2024. */
const hasAws =
  spawnSync('aws', ['cloudtrail', 'create-dashboard', '--generate-cli-skeleton'], { stdio: 'ignore' })
    .status === 0;
const knowsDashboards =
  "import boto3, sys; sys.exit(not hasattr(boto3.client('cloudtrail', region_name='us-east-1'), 'create_dashboard'))";
const hasBoto3 = spawnSync(python, ['-c', knowsDashboards], { stdio: 'ignore' }).status === 0;

const view = { Height: '2', Width: '4', Title: 'Calls', View: 'Table' };

/** A policy of "Resource-based policy examples", as the CLI's page of dashboards gives it to copy. */
const policyFor = (Action: string, dashboardArn: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action,
        Condition: {
          StringEquals: {
            'AWS:SourceArn': dashboardArn,
            'AWS:SourceAccount': dashboardArn.split(':')[4],
          },
        },
      },
    ],
  });

type Sender = Pick<cloudtrail.CloudTrailClient, 'send'>;

async function createStore(client: Sender, Name: string): Promise<string> {
  const { EventDataStoreArn } = await client.send(new cloudtrail.CreateEventDataStoreCommand({ Name }));
  return EventDataStoreArn ?? '';
}

const widgetOf = (storeArn: string, eventName: string): cloudtrail.RequestWidget => ({
  ViewProperties: view,
  QueryStatement: `SELECT eventName, count(*) AS calls FROM ${storeArn.split('/')[1]} WHERE eventTime > '?' AND eventTime < '?' AND eventName = '${eventName}' GROUP BY eventName`,
  QueryParameters: ['$StartTime$', '$EndTime$'],
});

/** The rows of the last query of a widget, once it has ended. */
async function rowsOf(client: Sender, query: cloudtrail.DescribeQueryRequest) {
  const QueryId = await eventually(async () => {
    const { QueryId: id, QueryStatus } = await client.send(new cloudtrail.DescribeQueryCommand(query));
    return QueryStatus === 'FINISHED' ? id : undefined;
  });
  const { QueryResultRows } = await client.send(new cloudtrail.GetQueryResultsCommand({ QueryId }));
  return QueryResultRows?.map((cells) => cells.flatMap((cell) => Object.values(cell)));
}

describe('dashboards over the SDK', { timeout: 60_000 }, () => {
  let server: TestServer;
  let root: cloudtrail.CloudTrailClient;
  beforeAll(async () => {
    server = await startServer();
    root = new cloudtrail.CloudTrailClient(server.clientOptions);
  });
  afterAll(async () => {
    root.destroy();
    await server[Symbol.asyncDispose]();
  });
  const aws = async (...command: string[]) => {
    const { stdout } = await run('aws', ['cloudtrail', ...command, '--output', 'json'], {
      env: server.env,
    });
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  };

  it('are refreshed by whoever may, with what CloudTrail may query', async () => {
    const storeArn = await createStore(root, 'watched');
    const users = new iam.IAMClient(server.clientOptions);
    for (const UserName of ['refresher', 'b', 'c']) await users.send(new iam.CreateUserCommand({ UserName }));
    const { DashboardArn = '', Widgets = [] } = await root.send(
      new cloudtrail.CreateDashboardCommand({
        Name: 'users',
        Widgets: [widgetOf(storeArn, 'CreateUser'), widgetOf(storeArn, 'DeleteUser')],
        TagsList: [{ Key: 'team', Value: 'blue' }],
      }),
    );
    await users.send(
      new iam.PutUserPolicyCommand({
        UserName: 'refresher',
        PolicyName: 'refresh',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'cloudtrail:StartDashboardRefresh', Resource: DashboardArn },
          ],
        }),
      }),
    );
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'refresher' }));
    const refresher = new cloudtrail.CloudTrailClient({
      ...server.clientOptions,
      credentials: {
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      },
    });
    const refresh = () =>
      refresher.send(new cloudtrail.StartDashboardRefreshCommand({ DashboardId: DashboardArn }));
    await expect(refresh()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await root.send(
      new cloudtrail.PutResourcePolicyCommand({
        ResourceArn: storeArn,
        ResourcePolicy: policyFor('cloudtrail:StartQuery', DashboardArn),
      }),
    );
    const { RefreshId } = await refresh();
    const [created, deleted] = Widgets.map(({ QueryAlias }) => QueryAlias);
    expect(await rowsOf(root, { QueryAlias: created, RefreshId })).toEqual([['CreateUser', '3']]);
    expect(await rowsOf(root, { QueryAlias: deleted, RefreshId })).toEqual([]);
    await expect(
      refresher.send(new cloudtrail.GetDashboardCommand({ DashboardId: 'users' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(await root.send(new cloudtrail.GetDashboardCommand({ DashboardId: 'users' }))).toMatchObject({
      Status: 'CREATED',
      Type: 'CUSTOM',
      LastRefreshId: RefreshId,
    });
    // CloudTrail's own calls are found like everybody's.
    const own = await eventually(async () => {
      const { Events = [] } = await root.send(
        new cloudtrail.LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'StartQuery' }],
        }),
      );
      return Events.length >= 2 ? Events : undefined;
    });
    expect(JSON.parse(own[0]?.CloudTrailEvent ?? '')).toMatchObject({
      userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
      requestParameters: { queryStatement: expect.stringContaining('GROUP BY eventName') },
    });
    for (const client of [users, refresher]) client.destroy();
  });

  it('have tags and a policy of their own, also over the store of everything', async () => {
    const { DashboardArn = '' } = await root.send(new cloudtrail.CreateDashboardCommand({ Name: 'tagged' }));
    const TagsList = [{ Key: 'a', Value: '1' }];
    await root.send(new cloudtrail.AddTagsCommand({ ResourceId: DashboardArn, TagsList }));
    const listed = await root.send(new cloudtrail.ListTagsCommand({ ResourceIdList: [DashboardArn] }));
    expect(listed.ResourceTagList).toEqual([{ ResourceId: DashboardArn, TagsList }]);
    await root.send(new cloudtrail.RemoveTagsCommand({ ResourceId: DashboardArn, TagsList }));
    const put = (ResourceArn: string, ResourcePolicy: string) =>
      root.send(new cloudtrail.PutResourcePolicyCommand({ ResourceArn, ResourcePolicy }));
    await put(DashboardArn, policyFor('cloudtrail:StartDashboardRefresh', DashboardArn));
    for (const wrong of [
      policyFor('cloudtrail:StartQuery', DashboardArn),
      policyFor('cloudtrail:StartDashboardRefresh', DashboardArn).replace('"Service"', '"AWS"'),
      policyFor('cloudtrail:StartDashboardRefresh', DashboardArn).replace(
        'cloudtrail.amazonaws.com',
        's3.amazonaws.com',
      ),
      policyFor('cloudtrail:StartDashboardRefresh', DashboardArn).replace('AWS:SourceArn', 'aws:SourceIp'),
    ])
      await expect(put(DashboardArn, wrong)).rejects.toMatchObject({
        name: 'ResourcePolicyNotValidException',
      });
    const everything = DashboardArn.replace(
      /dashboard\/.*/,
      'eventdatastore/00000000-0000-4000-8000-000000000000',
    );
    await put(everything, policyFor('cloudtrail:StartQuery', DashboardArn));
    await expect(
      root.send(new cloudtrail.AddTagsCommand({ ResourceId: everything, TagsList })),
    ).rejects.toMatchObject({ name: 'EventDataStoreNotFoundException' });
    await root.send(new cloudtrail.DeleteDashboardCommand({ DashboardId: 'tagged' }));
    await expect(
      root.send(new cloudtrail.GetResourcePolicyCommand({ ResourceArn: DashboardArn })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it.skipIf(!hasAws)('are managed by the aws CLI (skipped where its dashboards are absent)', async () => {
    const storeArn = await createStore(root, 'cli');
    const widgets = JSON.stringify([widgetOf(storeArn, 'CreateDashboard')]);
    const created = await aws('create-dashboard', '--name', 'cli', '--widgets', widgets);
    const arn = String(created['DashboardArn']);
    const [widget] = created['Widgets'] as { QueryAlias: string }[];
    const policy = policyFor('cloudtrail:StartQuery', arn);
    await aws('put-resource-policy', '--resource-arn', storeArn, '--resource-policy', policy);
    const schedule = '{"Frequency": {"Unit": "HOURS", "Value": 6}, "Status": "ENABLED"}';
    expect(
      await aws('update-dashboard', '--dashboard-id', 'cli', '--refresh-schedule', schedule),
    ).toMatchObject({ RefreshSchedule: { Frequency: { Unit: 'HOURS', Value: 6 }, Status: 'ENABLED' } });
    const values = '{"$StartTime$": "2024-11-05T10:45:24.00Z"}';
    await aws('start-dashboard-refresh', '--dashboard-id', 'cli', '--query-parameter-values', values);
    expect(await rowsOf(root, { QueryAlias: widget?.QueryAlias })).toEqual([['CreateDashboard', '1']]);
    expect(await aws('list-dashboards', '--type', 'CUSTOM', '--name-prefix', 'cli')).toEqual({
      Dashboards: [{ DashboardArn: arn, Type: 'CUSTOM' }],
    });
    await aws('delete-dashboard', '--dashboard-id', arn);
    await expect(aws('get-dashboard', '--dashboard-id', 'cli')).rejects.toThrow('ResourceNotFoundException');
  });

  it.skipIf(!hasBoto3)('are known to boto3 (skipped where its dashboards are absent)', async () => {
    const script = `
import boto3, json, sys
client = boto3.client('cloudtrail', endpoint_url=sys.argv[1], region_name='us-east-1')
made = client.create_dashboard(Name='boto', TerminationProtectionEnabled=True)
got = client.get_dashboard(DashboardId='boto')
try:
    client.delete_dashboard(DashboardId='boto')
except client.exceptions.ConflictException:
    print(json.dumps([made['Name'], got['Status'], got['DashboardArn'] == made['DashboardArn']]))
`;
    const { stdout } = await run(python, ['-c', script, server.endpoint], { env: server.env });
    expect(JSON.parse(stdout)).toEqual(['boto', 'CREATED', true]);
  });
});

it(
  'dashboards are refreshed by their schedule, also after the server was killed',
  { timeout: 90_000 },
  async () => {
    const data = await mkdtemp(join(tmpdir(), 'cairn-dashboards-'));
    const hourMs = 3_600_000;
    let server = await startTurned(data, Date.UTC(2026, 10, 22, 10, 20));
    // A client takes the time from the answers that it had, which is the machine's: one for each call.
    const client: Sender = {
      send: async (command: never) => {
        const own = new cloudtrail.CloudTrailClient(server.clientOptions());
        return own.send(command).finally(() => own.destroy());
      },
    };
    const lastRefresh = () => client.send(new cloudtrail.GetDashboardCommand({ DashboardId: 'hourly' }));
    const storeArn = await createStore(client, 'watched');
    const { DashboardArn = '', Widgets = [] } = await client.send(
      new cloudtrail.CreateDashboardCommand({
        Name: 'hourly',
        Widgets: [widgetOf(storeArn, 'CreateDashboard')],
        RefreshSchedule: {
          Frequency: { Unit: 'HOURS', Value: 1 },
          Status: 'ENABLED',
          TimeOfDay: '00:30',
        },
      }),
    );
    await server.pass(hourMs, 60);
    const failed = await lastRefresh();
    expect(failed.LastRefreshId).toBeUndefined();
    expect(failed.LastRefreshFailureReason).toContain('AccessDenied');
    for (const [ResourceArn, action] of [
      [storeArn, 'StartQuery'],
      [DashboardArn, 'StartDashboardRefresh'],
    ] as const)
      await client.send(
        new cloudtrail.PutResourcePolicyCommand({
          ResourceArn,
          ResourcePolicy: policyFor(`cloudtrail:${action}`, DashboardArn),
        }),
      );
    await server.pass(hourMs, 60);
    const first = await lastRefresh();
    expect(first.LastRefreshFailureReason).toBeUndefined();
    const QueryAlias = Widgets[0]?.QueryAlias;
    expect(await rowsOf(client, { QueryAlias, RefreshId: first.LastRefreshId })).toEqual([
      ['CreateDashboard', '1'],
    ]);
    await server.kill();

    server = await startTurned(data, server.now + 5 * hourMs);
    await server.pass(1000, 10);
    const second = await lastRefresh();
    expect(BigInt(second.LastRefreshId ?? 0)).toBeGreaterThan(BigInt(first.LastRefreshId ?? 0));
    expect(await rowsOf(client, { QueryAlias })).toEqual([['CreateDashboard', '1']]);
    await server.kill();
    await rm(data, { recursive: true });
  },
);
