import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CloudTrailClient,
  DescribeQueryCommand,
  GetEventDataStoreCommand,
  GetImportCommand,
} from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cairn, logFile, openBench, record, type Bench } from './cairn-process.ts';
import { awsCli, eventually, hasAwsCli, hasBoto3, python } from './harness.ts';

const run = promisify(execFile);

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

async function aws(...command: string[]): Promise<Record<string, unknown>> {
  const { env, endpoint } = bench.server;
  const { stdout } = await run(awsCli, ['--endpoint-url', endpoint, ...command, '--output', 'json'], { env });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}

/** Makes a bucket that CloudTrail may use, with objects. */
async function putObjects(bucket: string, objects: Readonly<Record<string, string>>): Promise<void> {
  const s3 = new S3Client({ ...bench.server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action: ['s3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:GetBucketAcl'],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  for (const [Key, Body] of Object.entries(objects))
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}

describe.skipIf(!hasAwsCli)('the aws CLI (skipped where /usr/bin/aws is absent)', () => {
  it('manages event data stores and channels, and imports a bucket', async () => {
    const created = await aws(
      'cloudtrail',
      'create-event-data-store',
      '--name',
      'cli',
      '--retention-period',
      '90',
      '--no-termination-protection-enabled',
    );
    const arn = String(created['EventDataStoreArn']);
    await aws('cloudtrail', 'add-tags', '--resource-id', arn, '--tags-list', 'Key=team,Value=blue');
    const records = [record(bench.server.accountId), record(bench.server.accountId)];
    await putObjects('lake-logs', { 'AWSLogs/one.json': logFile(...records) });
    const source =
      'S3={S3LocationUri=s3://lake-logs/AWSLogs/,S3BucketRegion=us-east-1,S3BucketAccessRoleArn=arn:aws:iam::000000000000:role/import}';
    const { ImportId } = await aws(
      'cloudtrail',
      'start-import',
      '--destinations',
      arn,
      '--import-source',
      source,
    );
    const trail = new CloudTrailClient(bench.server.clientOptions);
    await eventually(async () => {
      const { ImportStatus } = await trail.send(new GetImportCommand({ ImportId: String(ImportId) }));
      return ImportStatus === 'IN_PROGRESS' ? undefined : true;
    });
    expect(await aws('cloudtrail', 'get-import', '--import-id', String(ImportId))).toMatchObject({
      ImportStatus: 'COMPLETED',
      ImportStatistics: { FilesCompleted: 1, EventsCompleted: 2, FailedEntries: 0 },
    });
    await aws('cloudtrail', 'delete-event-data-store', '--event-data-store', arn);
    const deleted = await trail.send(new GetEventDataStoreCommand({ EventDataStore: arn }));
    expect(deleted.Status).toBe('PENDING_DELETION');
    expect(await aws('cloudtrail', 'restore-event-data-store', '--event-data-store', arn)).toMatchObject({
      Status: 'ENABLED',
    });
  });

  it('asks in SQL', async () => {
    await new IAMClient(bench.server.clientOptions).send(new CreateUserCommand({ UserName: 'lake' }));
    const statement =
      "SELECT eventName, element_at(requestParameters, 'userName') AS who FROM 00000000-0000-4000-8000-000000000000 WHERE eventName = 'CreateUser'";
    const { QueryId } = await aws('cloudtrail', 'start-query', '--query-statement', statement);
    const trail = new CloudTrailClient(bench.server.clientOptions);
    await eventually(async () => {
      const { QueryStatus } = await trail.send(new DescribeQueryCommand({ QueryId: String(QueryId) }));
      return ['QUEUED', 'RUNNING'].includes(String(QueryStatus)) ? undefined : true;
    });
    expect(await aws('cloudtrail', 'get-query-results', '--query-id', String(QueryId))).toMatchObject({
      QueryStatus: 'FINISHED',
      QueryResultRows: [[{ eventName: 'CreateUser' }, { who: 'lake' }]],
    });
    expect(await aws('cloudtrail', 'describe-query', '--query-id', String(QueryId))).toMatchObject({
      QueryStatus: 'FINISHED',
      QueryStatistics: { EventsMatched: 1 },
    });
  });
});

const script = `
import boto3, sys
client = boto3.client('cloudtrail', endpoint_url=sys.argv[1])
for name in ('one', 'two', 'three'):
    client.create_event_data_store(Name='boto-' + name, TerminationProtectionEnabled=False)
pages = client.get_paginator('list_import_failures')
token, names = None, []
while True:
    page = client.list_event_data_stores(MaxResults=2, **({'NextToken': token} if token else {}))
    names += [store['Name'] for store in page['EventDataStores']]
    token = page.get('NextToken')
    if not token:
        break
print(','.join(sorted(name for name in names if name.startswith('boto'))))
try:
    client.delete_event_data_store(EventDataStore='11111111-1111-4111-8111-111111111111')
except client.exceptions.EventDataStoreNotFoundException:
    print('not found')
`;

describe.skipIf(!hasBoto3)('boto3 (skipped where it is absent)', () => {
  it('pages through event data stores and knows the faults by name', async () => {
    const { stdout } = await run(python, ['-c', script, bench.server.endpoint], { env: bench.server.env });
    expect(stdout.trim().split('\n')).toEqual(['boto-one,boto-three,boto-two', 'not found']);
  });
});

describe('cairn', () => {
  it('imports a bucket, resumes, and exports Parquet that another engine reads', async () => {
    const env = {
      ...bench.server.env,
      AWS_ENDPOINT_URL: bench.server.endpoint,
      XDG_CACHE_HOME: join(bench.folder, 'cache'),
    };
    const account = '555555555555';
    const file = () =>
      logFile(
        record(account),
        record(account, { awsRegion: 'us-west-2', eventTime: '2026-10-02T08:15:00Z' }),
      );
    await putObjects('cairn-logs', { 'x/a.json': file(), 'x/b.json': file(), 'x/c.json': file() });
    expect((await cairn(env, 'import', 's3://cairn-logs/x/')).stdout).toContain('6 new');
    expect((await cairn(env, 'import', 's3://cairn-logs/x/')).stdout).toContain('3 imported before');
    const directory = join(bench.folder, 'parquet');
    // One after the other, so that each takes the connection of the one before.
    const exported = await cairn(env, 'export', '--parquet', directory, '--workers', '1');
    expect(exported.code).toBe(0);
    expect(await readdir(join(directory, `account=${account}`))).toEqual([
      'region=eu-west-1',
      'region=us-west-2',
    ]);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const rows = await connection.runAndReadAll(
      `SELECT region, day::VARCHAR, count(*)::INT, any_value(userIdentity.userName), any_value(requestParameters['bucketName']) FROM read_parquet('${directory}/**/*.parquet', hive_partitioning = true) WHERE account = '${account}' GROUP BY ALL ORDER BY ALL`,
    );
    expect(rows.getRows()).toEqual([
      ['eu-west-1', '2026-10-01', 3, 'eve', 'logs'],
      ['us-west-2', '2026-10-02', 3, 'eve', 'logs'],
    ]);
    connection.closeSync();
    instance.closeSync();
  });

  it('has every event once after the server was killed, again and again', async () => {
    await using home = await bench.openHome();
    const account = '666666666666';
    const countEvents = async (): Promise<string> => {
      const directory = join(bench.folder, 'after-crash');
      const { stdout, stderr } = await cairn(
        home.env,
        'export',
        '--parquet',
        directory,
        '--from',
        '2026-10-01T00:00:00Z',
        '--to',
        '2026-10-02T00:00:00Z',
      );
      return stdout === '' ? stderr : stdout;
    };
    for (let round = 1; round <= 3; round++) {
      const server = await home.start();
      const records = Array.from({ length: 50 }, () => record(account));
      await cairn(home.env, 'import', await bench.write(`crash-${round}.json`, logFile(...records)));
      if (round === 2) await countEvents();
      server.child.kill('SIGKILL');
      await server.ended;
    }
    await home.start();
    expect(await countEvents()).toContain('150 events');
  });
});
