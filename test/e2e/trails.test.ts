import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  DeleteTrailCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucketPolicy } from '../memory-buckets.ts';
import { awsCli, eventually, hasAwsCli, startServer, type TestServer } from './harness.ts';
import { putPings } from './pings.ts';
import { signedFetch } from './signed-fetch.ts';

/** Trails over the real S3 and KMS of a server in a process of its own, by clients that this project did not write. */

const account = '000000000000';
const env = { CAIRN_DELIVERY_SECONDS: '1' };

interface LogFile {
  readonly key: string;
  readonly text: string;
  readonly encryption: string | undefined;
  readonly records: readonly Record<string, unknown>[];
}

const s3Of = (server: TestServer) => new S3Client({ ...server.clientOptions, forcePathStyle: true });

async function makeBucket(server: TestServer, Bucket: string): Promise<void> {
  const s3 = s3Of(server);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: bucketPolicy(Bucket, account) }));
}

async function logFiles(server: TestServer, Bucket: string): Promise<readonly LogFile[]> {
  const s3 = s3Of(server);
  const files: LogFile[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket, Prefix: 'AWSLogs/' },
  )) {
    for (const { Key = '' } of Contents) {
      if (!Key.includes('/CloudTrail/')) continue;
      const { Body, ServerSideEncryption } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
      const { Records } = JSON.parse(text) as { Records: Record<string, unknown>[] };
      files.push({ key: Key, text, encryption: ServerSideEncryption, records: Records });
    }
  }
  return files;
}

const namesIn = (files: readonly LogFile[]) =>
  files.flatMap(({ records }) => records.map((record) => String(record['eventName'])));

const ids = (count: number) => Array.from({ length: count }, () => crypto.randomUUID());

/** A client of S3 for a user that may do nothing. */
async function nobodysS3(server: TestServer): Promise<S3Client> {
  const users = new IAMClient(server.clientOptions);
  await users.send(new CreateUserCommand({ UserName: 'nobody' }));
  const { AccessKey } = await users.send(new CreateAccessKeyCommand({ UserName: 'nobody' }));
  const credentials = {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
  return new S3Client({ ...server.clientOptions, credentials, forcePathStyle: true });
}

describe('trails', { timeout: 180_000 }, () => {
  it('deliver encrypted log files into a real bucket, from StartLogging to StopLogging', async () => {
    await using server = await startServer({ env });
    const cloudTrail = new CloudTrailClient(server.clientOptions);
    await makeBucket(server, 'trail-logs');
    const key = await new KMSClient(server.clientOptions).send(
      new CreateKeyCommand({
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: `arn:aws:iam::${account}:root` },
              Action: 'kms:*',
              Resource: '*',
            },
            {
              Effect: 'Allow',
              Principal: { Service: 'cloudtrail.amazonaws.com' },
              Action: 'kms:GenerateDataKey*',
              Resource: '*',
              Condition: {
                StringEquals: { 'aws:SourceArn': `arn:aws:cloudtrail:us-east-1:${account}:trail/main` },
                StringLike: {
                  'kms:EncryptionContext:aws:cloudtrail:arn': `arn:aws:cloudtrail:*:${account}:trail/*`,
                },
              },
            },
          ],
        }),
      }),
    );
    const KmsKeyId = key.KeyMetadata?.KeyId ?? '';
    const other = { Name: 'other', S3BucketName: 'trail-logs', KmsKeyId };
    await expect(cloudTrail.send(new CreateTrailCommand(other))).rejects.toMatchObject({
      name: 'InsufficientEncryptionPolicyException',
    });
    const nobody = await nobodysS3(server);
    const trail = await cloudTrail.send(new CreateTrailCommand({ ...other, Name: 'main' }));
    expect(trail).toMatchObject({ KmsKeyId: key.KeyMetadata?.Arn, LogFileValidationEnabled: false });
    await cloudTrail.send(new StartLoggingCommand({ Name: 'main' }));
    await cloudTrail.send(
      new PutEventSelectorsCommand({
        TrailName: 'main',
        AdvancedEventSelectors: [
          { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Data'] },
              { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
              { Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::trail-logs/mine/'] },
            ],
          },
        ],
      }),
    );
    const s3 = s3Of(server);
    await s3.send(new PutObjectCommand({ Bucket: 'trail-logs', Key: 'mine/a', Body: 'a' }));
    await s3.send(new PutObjectCommand({ Bucket: 'trail-logs', Key: 'other/b', Body: 'b' }));
    await expect(
      nobody.send(new GetObjectCommand({ Bucket: 'trail-logs', Key: 'mine/a' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    await cloudTrail.send(new StopLoggingCommand({ Name: 'main' }));
    await s3.send(new PutObjectCommand({ Bucket: 'trail-logs', Key: 'mine/after', Body: 'a' }));
    const files = await eventually(async () => {
      const found = await logFiles(server, 'trail-logs');
      return namesIn(found).includes('StopLogging') ? found : undefined;
    });
    // Files of one minute are named at random; the order of deliveries is tested beside the code.
    expect(
      namesIn(files)
        .filter((name) => !/^(List|Get)/.test(name))
        .toSorted(),
    ).toEqual(['PutEventSelectors', 'PutObject', 'StartLogging', 'StopLogging']);
    // Whoever tried to read what they may not is what a trail of objects is for.
    const records = files.flatMap((file) => file.records);
    expect(records.find(({ errorCode }) => errorCode === 'AccessDenied')).toMatchObject({
      eventName: 'GetObject',
      userIdentity: { userName: 'nobody' },
      requestParameters: { bucketName: 'trail-logs', key: 'mine/a' },
      resources: [{ ARN: 'arn:aws:s3:::trail-logs/mine/a' }, { accountId: account }],
    });
    expect(files.every(({ encryption }) => encryption === 'aws:kms')).toBe(true);
    const history = await signedFetch(server, '/_cairn/events', {
      service: 'cairn',
      query: { eventName: 'PutEventSelectors', format: 'ndjson' },
    });
    const [raw = 'none'] = (await history.text()).split('\n');
    expect(files.some(({ text }) => text.includes(raw))).toBe(true);
    const status = await cloudTrail.send(new GetTrailStatusCommand({ Name: 'main' }));
    expect(status.IsLogging).toBe(false);
    expect(status.LatestDeliveryError).toBeUndefined();
    expect(status.LatestDeliveryTime).toBeInstanceOf(Date);
    expect(status.LatestDeliveryAttemptSucceeded).toMatch(/^\d{4}-.*Z$/);
  });

  it.skipIf(!hasAwsCli)('are made and shown by the aws CLI', async () => {
    await using server = await startServer({ env });
    await makeBucket(server, 'cli-logs');
    const aws = (...args: string[]) => {
      const options = ['--endpoint-url', server.endpoint, '--output', 'json'];
      const { stdout, stderr } = spawnSync(awsCli, [...args, ...options], { env: server.env });
      if (stderr.length > 0) throw new Error(stderr.toString());
      return stdout.length === 0 ? undefined : (JSON.parse(stdout.toString()) as Record<string, unknown>);
    };
    const create = ['cloudtrail', 'create-trail', '--name', 'main', '--is-multi-region-trail'];
    expect(aws(...create, '--s3-bucket-name', 'cli-logs', '--tags-list', 'Key=a,Value=b')).toMatchObject({
      IsMultiRegionTrail: true,
    });
    expect(() => aws(...create, '--s3-bucket-name', 'no-such-bucket')).toThrow(/TrailAlreadyExistsException/);
    aws('cloudtrail', 'start-logging', '--name', 'main');
    expect(aws('cloudtrail', 'describe-trails', '--region', 'eu-west-1')).toMatchObject({
      trailList: [{ Name: 'main', HomeRegion: 'us-east-1', HasCustomEventSelectors: false }],
    });
    expect(() => aws('cloudtrail', 'stop-logging', '--name', 'main', '--region', 'eu-west-1')).toThrow(
      /InvalidHomeRegionException/,
    );
    const status = await eventually(async () => {
      const answer = aws('cloudtrail', 'get-trail-status', '--name', 'main');
      return answer?.['LatestDeliveryTime'] === undefined ? undefined : answer;
    });
    expect(status).toMatchObject({ IsLogging: true });
    const selectors = '[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]';
    expect(
      aws('cloudtrail', 'put-event-selectors', '--trail-name', 'main', '--event-selectors', selectors),
    ).toMatchObject({ EventSelectors: [{ ReadWriteType: 'WriteOnly' }] });
    expect(aws('cloudtrail', 'get-event-selectors', '--trail-name', 'main')).toMatchObject({
      EventSelectors: [{ ReadWriteType: 'WriteOnly', DataResources: [] }],
    });
    aws('cloudtrail', 'delete-trail', '--name', 'main');
    expect(aws('cloudtrail', 'list-trails')).toEqual({ Trails: [] });
  });

  it('deliver what came before their deletion, also when the server is killed right behind it', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-deleted-'));
    try {
      const acknowledged: string[] = [];
      for (let round = 0; round < 3; round++) {
        const Name = 'main';
        const server = await startServer({ data, env });
        const cloudTrail = new CloudTrailClient(server.clientOptions);
        await makeBucket(server, `deleted-${round}`);
        const S3BucketName = `deleted-${round}`;
        await cloudTrail.send(
          new CreateTrailCommand({ Name, S3BucketName, EnableLogFileValidation: round === 1 }),
        );
        await cloudTrail.send(new StartLoggingCommand({ Name }));
        await pause(round * 400);
        acknowledged.push(...(await putPings(server, ids(50))));
        await cloudTrail.send(new DeleteTrailCommand({ Name }));
        await server.kill();
      }
      await using server = await startServer({ data, env });
      for (let round = 0; round < 3; round++) {
        const files = await eventually(async () => {
          const found = await logFiles(server, `deleted-${round}`);
          return namesIn(found).includes('DeleteTrail') ? found : undefined;
        });
        const wanted = acknowledged.slice(round * 50, round * 50 + 50);
        const delivered = files.flatMap(({ records }) => records.map(({ eventID }) => String(eventID)));
        expect(new Set(delivered).size).toBe(delivered.length);
        expect(delivered.filter((id) => acknowledged.includes(id)).toSorted()).toEqual(wanted.toSorted());
        const calls = namesIn(files).filter((name) => /Trail|Logging/.test(name));
        expect(calls.toSorted()).toEqual(['DeleteTrail', 'StartLogging']);
      }
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });

  it('have every acknowledged event in exactly one file, although the server is killed again and again', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-trails-'));
    try {
      const acknowledged: string[] = [];
      for (let round = 0; round < 5; round++) {
        const server = await startServer({ data, env });
        if (round === 0) {
          await makeBucket(server, 'crash-logs');
          const cloudTrail = new CloudTrailClient(server.clientOptions);
          await cloudTrail.send(
            new CreateTrailCommand({
              Name: 'main',
              S3BucketName: 'crash-logs',
              EnableLogFileValidation: true,
            }),
          );
          await cloudTrail.send(new StartLoggingCommand({ Name: 'main' }));
        }
        const stop = Date.now() + 700 + round * 130;
        const work = Array.from({ length: 3 }, async () => {
          while (Date.now() < stop) acknowledged.push(...(await putPings(server, ids(100))));
        });
        await pause(Math.max(0, stop - Date.now() - 100));
        // Some of the work is still under way; what it was not answered for may be there or not.
        const ended = Promise.allSettled(work);
        await server.kill();
        await ended;
      }
      await using server = await startServer({ data, env });
      const wanted = new Set(acknowledged);
      expect(wanted.size).toBe(acknowledged.length);
      const last = await putPings(server, ids(1));
      const files = await eventually(async () => {
        const found = await logFiles(server, 'crash-logs');
        return found.some(({ text }) => text.includes(last[0] ?? 'none')) ? found : undefined;
      });
      const delivered = files.flatMap(({ records }) => records.map((record) => String(record['eventID'])));
      expect(new Set(delivered).size).toBe(delivered.length);
      const there = new Set(delivered);
      expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(0);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });
});
