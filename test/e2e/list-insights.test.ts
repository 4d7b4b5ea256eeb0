import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudTrailClient,
  CreateTrailCommand,
  ListInsightsDataCommand,
  ListInsightsMetricDataCommand,
  LookupEventsCommand,
  PutEventSelectorsCommand,
  PutInsightSelectorsCommand,
  StartLoggingCommand,
  paginateListInsightsData,
} from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketPolicy } from '../memory-buckets.ts';
import { eventually } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';
import { startTurned, type TurnedServer } from './turned-process.ts';
import { quietDays } from './quiet-days.ts';

/** Insights of data events of a whole server whose clock is turned: nine days of history, then six minutes of many objects. */

const account = '000000000000';
const bucket = 'busy';
const minuteMs = 60_000;
const trailArn = `arn:aws:cloudtrail:us-east-1:${account}:trail/objects`;

let data: string;
let server: TurnedServer;
let start: number;

const cloudTrail = () => new CloudTrailClient(server.clientOptions());
const s3 = () => new S3Client({ ...server.clientOptions(), forcePathStyle: true });

const anObjectAnHour = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  eventCategory: 'Data',
} as const;

async function makeTrail(): Promise<void> {
  await s3().send(new CreateBucketCommand({ Bucket: bucket }));
  await s3().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: bucketPolicy(bucket, account) }));
  await cloudTrail().send(new CreateTrailCommand({ Name: 'objects', S3BucketName: bucket }));
  await cloudTrail().send(
    new PutEventSelectorsCommand({
      TrailName: 'objects',
      EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }],
    }),
  );
  await cloudTrail().send(
    new PutInsightSelectorsCommand({
      TrailName: 'objects',
      InsightSelectors: [{ InsightType: 'ApiCallRateInsight', EventCategories: ['Data'] }],
    }),
  );
  await cloudTrail().send(new StartLoggingCommand({ Name: 'objects' }));
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'cairn-list-insights-'));
  // In the end the server's clock is near the real one, so that commands can ask it.
  start = Math.floor(Date.now() / minuteMs) * minuteMs - 27 * minuteMs;
  server = await startTurned(data, start);
  const imported = await signedFetch(server, '/_cairn/import', {
    service: 'cairn',
    method: 'POST',
    body: Uint8Array.from(quietDays(account, start, anObjectAnHour)),
    date: new Date(start),
  });
  expect(imported.status).toBe(200);
  await makeTrail();
  for (let minute = 0; minute < 6; minute++) {
    const put = (one: number) =>
      s3().send(new PutObjectCommand({ Bucket: bucket, Key: `${minute}/${one}`, Body: 'x' }));
    for (let one = 0; one < 20; one++) await put(one);
    await server.pass(minuteMs, 4);
  }
  await server.pass(20 * minuteMs, 80);
}, 120_000);

afterAll(async () => {
  await server.kill();
  rmSync(data, { recursive: true, force: true });
});

const metric = {
  TrailName: 'objects',
  EventSource: 's3.amazonaws.com',
  EventName: 'PutObject',
  InsightType: 'ApiCallRateInsight',
  Period: 60,
} as const;

const aws = (command: string, options: Readonly<Record<string, string>>) => {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const done = spawnSync('aws', ['cloudtrail', command, ...args, '--output', 'json'], {
    env: server.env,
  });
  expect(done.stderr.toString()).toBe('');
  return JSON.parse(done.stdout.toString()) as Record<string, unknown[]>;
};

describe('insights of data events', () => {
  it('are listed by the trail, page by page, and with a dimension', async () => {
    const events = await eventually(async () => {
      const found = [];
      const asked = { InsightSource: trailArn, DataType: 'InsightsEvents' } as const;
      for await (const { Events = [] } of paginateListInsightsData(
        { client: cloudTrail(), pageSize: 1 },
        asked,
      ))
        found.push(...Events);
      return found.length === 2 ? found : undefined;
    });
    const records = events.map(({ CloudTrailEvent = '' }) => JSON.parse(CloudTrailEvent));
    expect(records.map(({ insightDetails }) => insightDetails.state)).toEqual(['End', 'Start']);
    for (const record of records) {
      expect(record).toMatchObject({
        eventCategory: 'Insight',
        insightSource: trailArn,
        insightDetails: {
          eventName: 'PutObject',
          eventSource: 's3.amazonaws.com',
          insightType: 'ApiCallRateInsight',
          sourceEventCategory: 'Data',
        },
      });
    }
    const [, begun] = events;
    const one = await cloudTrail().send(
      new ListInsightsDataCommand({
        InsightSource: trailArn,
        DataType: 'InsightsEvents',
        Dimensions: { EventId: begun!.EventId! },
      }),
    );
    expect(one.Events).toEqual([begun]);
  });

  it('come with the counts that they are found by', async () => {
    const from = new Date(start);
    const to = new Date(start + 8 * minuteMs);
    const answer = await cloudTrail().send(
      new ListInsightsMetricDataCommand({ ...metric, StartTime: from, EndTime: to }),
    );
    expect(answer).toMatchObject({ TrailARN: trailArn, Values: [20, 20, 20, 20, 20, 20] });
    expect(answer.Timestamps?.map(Number)).toEqual(
      Array.from({ length: 6 }, (_, minute) => start + minute * minuteMs),
    );
    const filled = await cloudTrail().send(
      new ListInsightsMetricDataCommand({
        ...metric,
        StartTime: from,
        EndTime: to,
        DataType: 'FillWithZeros',
      }),
    );
    expect(filled.Values).toEqual([20, 20, 20, 20, 20, 20, 0, 0]);
  });

  it('are recorded when they are asked for, with what was asked', async () => {
    const events = await eventually(async () => {
      const { Events = [] } = await cloudTrail().send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ListInsightsMetricData' }],
        }),
      );
      return Events.length > 0 ? Events : undefined;
    });
    const record = JSON.parse(events[0]?.CloudTrailEvent ?? '{}');
    expect(record).toMatchObject({
      eventSource: 'cloudtrail.amazonaws.com',
      readOnly: true,
      eventCategory: 'Management',
      requestParameters: {
        trailName: 'objects',
        eventName: 'PutObject',
        eventSource: 's3.amazonaws.com',
        insightType: 'ApiCallRateInsight',
        period: 60,
      },
      responseElements: null,
    });
  });

  const version = spawnSync('aws', ['--version']).stdout?.toString() ?? '';
  it.skipIf(!/aws-cli\/(1\.4[4-9]|2\.3[2-9])/.test(version))('are listed by the aws CLI', () => {
    const listed = aws('list-insights-data', {
      'insight-source': trailArn,
      'data-type': 'InsightsEvents',
      dimensions: 'EventName=PutObject',
      'page-size': '1',
    });
    expect(listed['Events']).toHaveLength(2);
    const counted = aws('list-insights-metric-data', {
      'trail-name': trailArn,
      'event-source': 's3.amazonaws.com',
      'event-name': 'PutObject',
      'insight-type': 'ApiCallRateInsight',
      period: '300',
      'start-time': new Date(Math.floor(start / 300_000) * 300_000).toISOString(),
    });
    const values = counted['Values'] as number[];
    expect(values.reduce((sum, value) => sum + value, 0)).toBeGreaterThanOrEqual(120);
  });
});
