import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateEventDataStoreCommand,
  CreateTrailCommand,
  GetInsightSelectorsCommand,
  GetQueryResultsCommand,
  LookupEventsCommand,
  PutInsightSelectorsCommand,
  StartLoggingCommand,
  StartQueryCommand,
  UpdateEventDataStoreCommand,
  type Event,
} from '@aws-sdk/client-cloudtrail';
import { DeleteUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketPolicy } from '../memory-buckets.ts';
import { bodiesOf, openHttpTargets } from './bus-fixture.ts';
import { eventually } from './harness.ts';
import { openHttpReceiver, type HttpReceiver } from '../http-receiver.ts';
import { cairn } from './cairn-process.ts';
import { signedFetch } from './signed-fetch.ts';
import { startTurned, type TurnedServer } from './turned-process.ts';
import { quietDays } from './quiet-days.ts';

/**
 * Insights events of a whole server whose clock is turned: nine days of history, and then a caller who deletes users that
 * are not there, for six minutes.
 */

const account = '000000000000';
const bucket = 'unusual';
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

let data: string;
let server: TurnedServer;
let receiver: HttpReceiver;
let stores: Readonly<Record<'source' | 'destination' | 'other', string>>;

const cloudTrail = () => new CloudTrailClient(server.clientOptions());
const s3 = () => new S3Client({ ...server.clientOptions(), forcePathStyle: true });

const aCallAnHour = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  eventCategory: 'Management',
} as const;

async function makeStore(Name: string, category = 'Management'): Promise<string> {
  const { EventDataStoreArn = '' } = await cloudTrail().send(
    new CreateEventDataStoreCommand({
      Name,
      AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: [category] }] }],
    }),
  );
  return EventDataStoreArn;
}

async function ask(QueryStatement: string): Promise<readonly Record<string, string>[]> {
  const { QueryId } = await cloudTrail().send(new StartQueryCommand({ QueryStatement }));
  return eventually(async () => {
    const answer = await cloudTrail().send(new GetQueryResultsCommand({ QueryId }));
    if (answer.QueryStatus === 'FAILED') throw new Error(answer.ErrorMessage);
    if (answer.QueryStatus !== 'FINISHED') return undefined;
    const rows = answer.QueryResultRows ?? [];
    return rows.map((row) => Object.assign({}, ...row) as Record<string, string>);
  });
}

const idOf = (arn: string) => arn.split('/').at(-1) ?? '';

async function storm(): Promise<void> {
  for (let call = 0; call < 20; call++) {
    // A client that met an error takes the time from the answer, which is the machine's.
    const iam = new IAMClient({ ...server.clientOptions(), maxAttempts: 1 });
    const deleted = iam.send(new DeleteUserCommand({ UserName: `nobody-${call}` }));
    await expect(deleted).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  }
}

async function keysUnder(folderName: string): Promise<readonly string[]> {
  const keys: string[] = [];
  const Prefix = `AWSLogs/${account}/${folderName}/`;
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3() }, { Bucket: bucket, Prefix }))
    keys.push(...Contents.map(({ Key = '' }) => Key));
  return keys;
}

async function read(Key: string): Promise<string> {
  const { Body } = await s3().send(new GetObjectCommand({ Bucket: bucket, Key }));
  return gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
}

async function lookUpInsights(): Promise<readonly Event[]> {
  const { Events = [] } = await cloudTrail().send(new LookupEventsCommand({ EventCategory: 'insight' }));
  return Events;
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'cairn-insights-'));
  // In the end the server's clock is near the real one, so that commands can ask it.
  const start = Math.floor(Date.now() / minuteMs) * minuteMs - 1.6 * hourMs;
  receiver = await openHttpReceiver();
  server = await startTurned(data, start, { CAIRN_HTTP_TARGETS: receiver.host });
  const imported = await signedFetch(server, '/_cairn/import', {
    service: 'cairn',
    method: 'POST',
    body: Uint8Array.from(quietDays(account, start, aCallAnHour)),
    date: new Date(start),
  });
  expect(imported.status).toBe(200);
  await s3().send(new CreateBucketCommand({ Bucket: bucket }));
  await s3().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: bucketPolicy(bucket, account) }));
  const trail = { Name: 'main', S3BucketName: bucket, EnableLogFileValidation: true };
  await cloudTrail().send(new CreateTrailCommand(trail));
  await cloudTrail().send(
    new PutInsightSelectorsCommand({
      TrailName: 'main',
      InsightSelectors: [{ InsightType: 'ApiCallRateInsight' }, { InsightType: 'ApiErrorRateInsight' }],
    }),
  );
  await cloudTrail().send(new StartLoggingCommand({ Name: 'main' }));
  stores = {
    source: await makeStore('source'),
    destination: await makeStore('destination', 'Insight'),
    other: await makeStore('other', 'Insight'),
  };
  await cloudTrail().send(
    new PutInsightSelectorsCommand({
      EventDataStore: stores.source,
      InsightsDestination: stores.destination,
      InsightSelectors: [{ InsightType: 'ApiErrorRateInsight' }],
    }),
  );
  const targets = await openHttpTargets(server.clientOptions(), receiver);
  await targets.send({ 'detail-type': ['AWS Insight via CloudTrail'] }, { Name: 'insights' });
  for (let minute = 0; minute < 6; minute++) {
    await storm();
    await server.pass(minuteMs, 4);
  }
  await server.pass(20 * minuteMs, 80);
  await server.pass(1.2 * hourMs, 30);
}, 120_000);

afterAll(async () => {
  await server.kill();
  await receiver[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

const parsed = ({ CloudTrailEvent = '{}' }: Event) => JSON.parse(CloudTrailEvent) as Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- as read from JSON

describe('an unusual rate', () => {
  it('is found by LookupEvents of the insight category, beginning and end, of calls and of errors', async () => {
    const events = await lookUpInsights();
    const told = events.map(parsed).map(({ insightDetails: { insightType, state, eventName } }) => ({
      insightType,
      state,
      eventName,
    }));
    const order = ({ insightType, state }: (typeof told)[0]) => `${insightType} ${state}`;
    expect(told.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))).toEqual(
      ['ApiCallRateInsight', 'ApiErrorRateInsight'].flatMap((insightType) =>
        ['End', 'Start'].map((state) => ({ insightType, state, eventName: 'DeleteUser' })),
      ),
    );
    const errors = events.map(parsed).filter(({ insightDetails }) => insightDetails.errorCode !== undefined);
    expect(new Set(errors.map(({ sharedEventID }) => sharedEventID)).size).toBe(1);
    expect(errors[0]).toMatchObject({
      eventType: 'AwsCloudTrailInsight',
      recipientAccountId: account,
      awsRegion: 'us-east-1',
      insightDetails: { eventSource: 'iam.amazonaws.com', errorCode: 'NoSuchEntityException' },
    });
    const named = await cloudTrail().send(
      new LookupEventsCommand({
        EventCategory: 'insight',
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'RunInstances' }],
      }),
    );
    expect(named.Events).toEqual([]);
    // Events of the usual categories do not have them.
    const { Events = [] } = await cloudTrail().send(new LookupEventsCommand({}));
    expect(Events.filter((event) => parsed(event)['eventCategory'] === 'Insight')).toEqual([]);
  });

  it('is delivered under CloudTrail-Insight, byte for byte, and nowhere else', async () => {
    const keys = await keysUnder('CloudTrail-Insight');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatch(
        /^AWSLogs\/000000000000\/CloudTrail-Insight\/us-east-1\/\d{4}\/\d\d\/\d\d\/000000000000_CloudTrail-Insight_us-east-1_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/,
      );
    }
    const delivered = (await Promise.all(keys.map(read))).join('\n');
    const events = await lookUpInsights();
    expect(events).toHaveLength(4);
    for (const { CloudTrailEvent = 'none' } of events) {
      expect(delivered.split(CloudTrailEvent)).toHaveLength(2);
    }
    for (const key of await keysUnder('CloudTrail')) expect(await read(key)).not.toContain('insightDetails');
  });

  it('is told to the event bus, as the trail logs it and the event data store does not', async () => {
    const bodies = await bodiesOf(receiver, '/insights', 4);
    expect(bodies).toHaveLength(4);
    const events = await lookUpInsights();
    for (const { CloudTrailEvent = 'none' } of events) {
      const told = bodies.filter((body) => body.endsWith(`,"detail":${CloudTrailEvent}}`));
      expect(told).toHaveLength(1);
      expect(JSON.parse(told[0] ?? '')).toMatchObject({
        'detail-type': 'AWS Insight via CloudTrail',
        source: 'aws.cloudtrail',
        account,
        region: 'us-east-1',
        resources: [],
      });
    }
  });

  it('is in the digests, which the stock verifier and our own hold valid', async () => {
    const files = await keysUnder('CloudTrail-Insight');
    // The server is at work on the digest of the last hour when its clock stands still again.
    await eventually(async () => {
      const digests = await Promise.all((await keysUnder('CloudTrail-Digest')).map(read));
      const listed = new Set(
        digests.flatMap((text) =>
          (JSON.parse(text) as { logFiles: { s3Object: string }[] }).logFiles.map(({ s3Object }) => s3Object),
        ),
      );
      return files.every((file) => listed.has(file)) ? true : undefined;
    });
    const { stdout, stderr } = await cairn(server.env, 'verify', `s3://${bucket}`);
    expect(`${stdout}${stderr}`).toMatch(/0 findings/);
    const version = /aws-cli\/1\./.test(spawnSync('aws', ['--version']).stdout?.toString() ?? '');
    if (!version) return;
    const arn = `arn:aws:cloudtrail:us-east-1:${account}:trail/main`;
    const since = new Date(Date.now() - dayMs).toISOString();
    const checked = spawnSync(
      'aws',
      ['cloudtrail', 'validate-logs', '--trail-arn', arn, '--start-time', since],
      {
        env: server.env,
      },
    );
    expect(checked.stdout.toString()).toMatch(/(\d+)\/\1 log files valid/);
    expect(checked.status).toBe(0);
  });
});

describe('an unusual rate in an event data store', () => {
  it('is a row of the event data store that the insights go to, and of no other', async () => {
    const rows = await ask(
      `SELECT eventType, insightSource, insightState, insightEventSource, insightEventName, insightErrorCode, insightType,
         insightContext.baselineDuration AS days, insightContext.attributions[1].attribute AS attribute,
         insightContext.attributions[1].insight[1].value AS caller, insightDetails, sharedEventID
       FROM ${idOf(stores.destination)} ORDER BY insightState DESC`,
    );
    expect(rows).toHaveLength(2);
    expect(rows.map(({ insightState }) => insightState)).toEqual(['Start', 'End']);
    expect(new Set(rows.map(({ sharedEventID }) => sharedEventID)).size).toBe(1);
    for (const row of rows) {
      expect(row).toMatchObject({
        eventType: 'AwsCloudTrailInsight',
        insightSource: stores.source,
        insightEventSource: 'iam.amazonaws.com',
        insightEventName: 'DeleteUser',
        insightErrorCode: 'NoSuchEntityException',
        insightType: 'ApiErrorRateInsight',
        attribute: 'userIdentityArn',
        caller: `arn:aws:iam::${account}:root`,
        insightDetails: '',
      });
      expect(Number(row['days'])).toBeGreaterThan(7 * 24 * 60 - 1);
    }
    expect(await ask(`SELECT eventID FROM ${idOf(stores.other)}`)).toEqual([]);
    const categories = await ask(`SELECT DISTINCT eventCategory FROM ${idOf(stores.source)}`);
    expect(categories).toEqual([{ eventCategory: 'Management' }]);
    const { InsightSelectors, InsightsDestination } = await cloudTrail().send(
      new GetInsightSelectorsCommand({ EventDataStore: stores.source }),
    );
    expect(InsightSelectors).toEqual([{ InsightType: 'ApiErrorRateInsight' }]);
    expect(InsightsDestination).toBe(stores.destination);
  });

  it('is asked for where management events go in and Insights events can come out', async () => {
    const wrong = { name: 'InvalidInsightSelectorsException' };
    const put = (EventDataStore: string, InsightsDestination: string) =>
      cloudTrail().send(
        new PutInsightSelectorsCommand({
          EventDataStore,
          InsightsDestination,
          InsightSelectors: [{ InsightType: 'ApiCallRateInsight' }],
        }),
      );
    await expect(put(stores.source, stores.source)).rejects.toMatchObject(wrong);
    await expect(put(stores.destination, stores.other)).rejects.toMatchObject(wrong);
    const update = new UpdateEventDataStoreCommand({
      EventDataStore: stores.source,
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
          ],
        },
      ],
    });
    await expect(cloudTrail().send(update)).rejects.toMatchObject(wrong);
    // What went to one event data store stays there when the next goes elsewhere.
    await put(stores.source, stores.other);
    expect(await ask(`SELECT eventID FROM ${idOf(stores.destination)}`)).toHaveLength(2);
    expect(await ask(`SELECT eventID FROM ${idOf(stores.other)}`)).toEqual([]);
    await cloudTrail().send(
      new PutInsightSelectorsCommand({ EventDataStore: stores.source, InsightSelectors: [] }),
    );
    await expect(
      cloudTrail().send(new GetInsightSelectorsCommand({ EventDataStore: stores.source })),
    ).rejects.toMatchObject({ name: 'InsightNotEnabledException' });
  });
});
