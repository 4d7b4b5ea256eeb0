import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudTrailClient,
  CreateTrailCommand,
  LookupEventsCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketPolicy } from '../memory-buckets.ts';
import { apiKey, bodiesOf, openHttpTargets } from './bus-fixture.ts';
import { run } from './cairn-process.ts';
import { awsCli, hasAwsCli, startServer, type TestServer } from './harness.ts';
import { answer, openHttpReceiver, type HttpReceiver } from '../http-receiver.ts';

/** From what services and applications put on the bus to targets that are really called, with clients of others. */

interface BusEvent {
  readonly id: string;
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}
const parsed = (bodies: readonly string[]) => bodies.map((body) => JSON.parse(body) as BusEvent);

let receiver: HttpReceiver;
let server: TestServer;
let targets: Awaited<ReturnType<typeof openHttpTargets>>;
let s3: S3Client;
let cloudTrail: CloudTrailClient;
let iam: IAMClient;

const notified = (Bucket: string) =>
  new PutBucketNotificationConfigurationCommand({
    Bucket,
    NotificationConfiguration: { EventBridgeConfiguration: {} },
  });

const putEvents = (
  ...entries: readonly { readonly type: string; readonly detail: object; readonly bus?: string }[]
) =>
  targets.events().send(
    new PutEventsCommand({
      Entries: entries.map(({ type, detail, bus }) => ({
        Source: 'shop',
        DetailType: type,
        Detail: JSON.stringify(detail),
        EventBusName: bus,
      })),
    }),
  );

async function aws(...args: readonly string[]): Promise<unknown> {
  const all = ['--endpoint-url', server.endpoint, '--output', 'json', ...args];
  const { code, stdout, stderr } = await run(server.env, awsCli, all).ended;
  if (code !== 0) throw new Error(stderr);
  return stdout === '' ? undefined : (JSON.parse(stdout) as unknown);
}

beforeAll(async () => {
  receiver = await openHttpReceiver();
  server = await startServer({ env: { CAIRN_HTTP_TARGETS: receiver.host } });
  targets = await openHttpTargets(server.clientOptions, receiver);
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  cloudTrail = new CloudTrailClient(server.clientOptions);
  iam = new IAMClient(server.clientOptions);
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

describe('objects', () => {
  it('whose events match a pattern are told to the target, and no others', async () => {
    const Bucket = 'orders';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(notified(Bucket));
    await targets.send(
      {
        source: ['aws.s3'],
        'detail-type': ['Object Created', 'Object Deleted'],
        detail: { bucket: { name: [Bucket] }, object: { key: [{ prefix: 'in/' }] } },
      },
      { Name: 'orders' },
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'out/0', Body: 'not asked for' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'in/1', Body: 'hello' }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'in/2', CopySource: `${Bucket}/in/1` }));
    const Objects = [{ Key: 'in/1' }, { Key: 'out/0' }, { Key: 'in/2' }];
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    const found = parsed(await bodiesOf(receiver, '/orders', 4));
    expect(found[0]).toMatchObject({
      version: '0',
      source: 'aws.s3',
      account: server.accountId,
      region: 'us-east-1',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        bucket: { name: Bucket },
        object: { key: 'in/1', size: 5, etag: '5d41402abc4b2a76b9719d911017c592' },
        requester: server.accountId,
        'source-ip-address': '127.0.0.1',
        reason: 'PutObject',
      },
    });
    const told = found.map(({ detail }) => {
      const { reason, object } = detail as { reason: string; object: { key: string } };
      return `${reason} ${object.key}`;
    });
    expect(told.toSorted()).toEqual([
      'CopyObject in/2',
      'DeleteObject in/1',
      'DeleteObject in/2',
      'PutObject in/1',
    ]);
    const request = receiver.requests.find(({ url }) => url === '/orders');
    expect(request?.headers[apiKey.name]).toBe(apiKey.value);
    expect(request?.headers['content-type']).toContain('application/json');
  });

  it.skipIf(!hasAwsCli)('are told of once, however clients put, tag and delete them', async () => {
    const Bucket = 'ways';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    await s3.send(notified(Bucket));
    await targets.send({ source: ['aws.s3'], detail: { bucket: { name: [Bucket] } } }, { Name: 'ways' });
    // Ten calls meet on one key, and all but one of them are run again.
    const Tagging = { TagSet: [{ Key: 'k', Value: 'v' }] };
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        s3.send(new PutObjectCommand({ Bucket, Key: 'same', Body: 'x'.repeat(n + 1) })),
      ),
    );
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'same', Tagging }));
    const folder = mkdtempSync(join(tmpdir(), 'cairn-ways-'));
    writeFileSync(join(folder, 'large'), Buffer.alloc(9 * 1024 * 1024));
    await aws('s3', 'cp', '--quiet', join(folder, 'large'), `s3://${Bucket}/large`);
    rmSync(folder, { recursive: true });
    const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'large' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'large', VersionId }));
    const found = parsed(await bodiesOf(receiver, '/ways', 14));
    const told = found.map(({ 'detail-type': type, detail }) =>
      [type, detail['reason'], detail['deletion-type']].filter((one) => typeof one === 'string').join(', '),
    );
    expect(told.toSorted()).toEqual([
      'Object Created, CompleteMultipartUpload',
      ...Array.from({ length: 10 }, () => 'Object Created, PutObject'),
      'Object Deleted, DeleteObject, Delete Marker Created',
      'Object Deleted, DeleteObject, Permanently Deleted',
      'Object Tags Added',
    ]);
    // The order of sequencers is that of the versions.
    const objects = found
      .map(({ detail }) => detail['object'] as Readonly<Record<'key' | 'version-id' | 'sequencer', string>>)
      .filter(({ key, sequencer }) => key === 'same' && sequencer)
      .toSorted((a, b) => (a.sequencer < b.sequencer ? 1 : -1));
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'same' }));
    expect(objects.map((one) => one['version-id'])).toEqual(Versions.map((one) => one.VersionId));
  });
});

describe('calls', () => {
  it('that a trail logs are told with the record, byte for byte', async () => {
    const detail = { eventSource: ['iam.amazonaws.com', 'cloudtrail.amazonaws.com'] };
    const pattern = { 'detail-type': ['AWS API Call via CloudTrail'], detail };
    await targets.send(pattern, { Name: 'writes' });
    await targets.send(pattern, { Name: 'all', State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS' });
    await iam.send(new CreateUserCommand({ UserName: 'before' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'logs' }));
    const Policy = bucketPolicy('logs', server.accountId);
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'logs', Policy }));
    await cloudTrail.send(new CreateTrailCommand({ Name: 'main', S3BucketName: 'logs' }));
    await cloudTrail.send(new StartLoggingCommand({ Name: 'main' }));
    await iam.send(new CreateUserCommand({ UserName: 'alice' }));
    await iam.send(new ListUsersCommand({}));
    await cloudTrail.send(new StopLoggingCommand({ Name: 'main' }));
    await iam.send(new CreateUserCommand({ UserName: 'after' }));
    await cloudTrail.send(new StartLoggingCommand({ Name: 'main' }));

    const names = (bodies: readonly string[]) =>
      parsed(bodies).map((event) => String(event.detail['eventName']));
    const written = ['CreateUser', 'StartLogging', 'StartLogging', 'StopLogging'];
    const all = await bodiesOf(receiver, '/all', 5);
    expect(names(all).toSorted()).toEqual([...written.slice(0, 1), 'ListUsers', ...written.slice(1)]);
    const writes = await bodiesOf(receiver, '/writes', 4);
    expect(names(writes).toSorted()).toEqual(written);

    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'CreateUser' }];
    const { Events = [] } = await cloudTrail.send(new LookupEventsCommand({ LookupAttributes }));
    const record = Events.find(({ CloudTrailEvent = '' }) =>
      CloudTrailEvent.includes('alice'),
    )?.CloudTrailEvent;
    const told = writes.find((body) => body.includes('alice'));
    expect(told?.endsWith(`,"detail":${record}}`)).toBe(true);
    expect(parsed([told ?? ''])[0]).toMatchObject({ source: 'aws.iam', region: 'us-east-1', resources: [] });
  });

  it('on objects are told where selectors of the trail choose them', async () => {
    const Bucket = 'chosen';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await targets.send(
      {
        source: ['aws.s3'],
        detail: { eventName: ['PutObject'], requestParameters: { bucketName: [Bucket] } },
      },
      { Name: 'puts' },
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'early', Body: 'x' }));
    await cloudTrail.send(
      new PutEventSelectorsCommand({
        TrailName: 'main',
        EventSelectors: [
          {
            ReadWriteType: 'WriteOnly',
            IncludeManagementEvents: true,
            DataResources: [{ Type: 'AWS::S3::Object', Values: [`arn:aws:s3:::${Bucket}/`] }],
          },
        ],
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'late', Body: 'x' }));
    const found = parsed(await bodiesOf(receiver, '/puts', 1));
    expect(found.map(({ detail }) => detail)).toMatchObject([{ requestParameters: { key: 'late' } }]);
  });
});

describe('services', () => {
  it('that put files into a bucket are told of as those who put them', async () => {
    await s3.send(notified('logs'));
    const pattern = { source: ['aws.s3'], detail: { requester: ['cloudtrail.amazonaws.com'] } };
    await targets.send(pattern, { Name: 'log-files' });
    await iam.send(new CreateUserCommand({ UserName: 'logged' }));
    const [event] = parsed(await bodiesOf(receiver, '/log-files', 1));
    expect(event).toMatchObject({
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: 'logs' },
        object: { key: expect.stringMatching(/^AWSLogs\/.+\.json\.gz$/) as string },
        reason: 'PutObject',
      },
    });
  });
});

describe('events of applications', () => {
  it('go from one bus to another, and are made what the target wants', async () => {
    const { EventBusArn } = await targets.events().send(new CreateEventBusCommand({ Name: 'shop' }));
    await targets.putRule({ source: ['shop'] }, { Name: 'to-shop' });
    const Arn = EventBusArn ?? '';
    const forwarded = await targets
      .events()
      .send(new PutTargetsCommand({ Rule: 'to-shop', Targets: [{ Id: 'bus', Arn, RoleArn: targets.role }] }));
    expect(forwarded.FailedEntryCount).toBe(0);
    await targets.send(
      { 'detail-type': ['Ordered'], detail: { total: [{ numeric: ['>=', 100] }] } },
      { Name: 'large', EventBusName: 'shop' },
      {
        InputTransformer: {
          InputPathsMap: { who: '$.detail.customer', total: '$.detail.total' },
          InputTemplate: '{"text": "<who> ordered for <total>", "rule": <aws.events.rule-name>}',
        },
      },
    );
    const put = await putEvents(
      { type: 'Ordered', detail: { customer: 'Ada', total: 150 } },
      { type: 'Ordered', detail: { customer: 'Bo', total: 99 } },
      { type: 'Cancelled', detail: { customer: 'Cy', total: 500 } },
      { type: 'Ordered', detail: { customer: 'Di', total: 1000 }, bus: 'shop' },
    );
    expect(put.FailedEntryCount).toBe(0);
    const found = await bodiesOf(receiver, '/large', 2);
    expect(found.map((body) => JSON.parse(body) as unknown)).toEqual(
      expect.arrayContaining([
        { text: 'Ada ordered for 150', rule: 'large' },
        { text: 'Di ordered for 1000', rule: 'large' },
      ]),
    );
    expect(found).toHaveLength(2);
  });

  it.skipIf(!hasAwsCli)('are put by the aws CLI, and rules as well', async () => {
    const pattern = JSON.stringify({ source: ['cli'], detail: { state: [{ 'anything-but': 'fine' }] } });
    await aws('events', 'put-rule', '--name', 'cli', '--event-pattern', pattern);
    const { ApiDestinations } = (await aws('events', 'list-api-destinations')) as {
      ApiDestinations: { ApiDestinationArn: string }[];
    };
    const target = {
      Id: '1',
      Arn: ApiDestinations[0]?.ApiDestinationArn,
      RoleArn: targets.role,
      HttpParameters: { PathParameterValues: ['cli'] },
    };
    const put = await aws('events', 'put-targets', '--rule', 'cli', '--targets', JSON.stringify([target]));
    expect(put).toMatchObject({ FailedEntryCount: 0 });
    const entries = ['fine', 'broken'].map((state) => ({
      Source: 'cli',
      DetailType: 'State',
      Detail: JSON.stringify({ state }),
    }));
    const { Entries } = (await aws('events', 'put-events', '--entries', JSON.stringify(entries))) as {
      Entries: { EventId: string }[];
    };
    const found = parsed(await bodiesOf(receiver, '/cli', 1));
    expect(found).toMatchObject([
      { id: Entries[1]?.EventId, source: 'cli', 'detail-type': 'State', detail: { state: 'broken' } },
    ]);
    const bucket = ['--bucket', 'orders'];
    const configuration = { EventBridgeConfiguration: {} };
    const given = ['--notification-configuration', JSON.stringify(configuration)];
    await aws('s3api', 'put-bucket-notification-configuration', ...bucket, ...given);
    expect(await aws('s3api', 'get-bucket-notification-configuration', ...bucket)).toEqual(configuration);
  });
});

describe('a server that is killed', () => {
  it('between a put and its delivery delivers what it acknowledged, all of it', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-bus-'));
    await using there = await openHttpReceiver();
    const env = { CAIRN_HTTP_TARGETS: there.host };
    try {
      const first = await startServer({ data, env });
      const way = await openHttpTargets(first.clientOptions, there);
      const Bucket = 'kept';
      const storage = new S3Client({ ...first.clientOptions, forcePathStyle: true });
      await storage.send(new CreateBucketCommand({ Bucket }));
      await storage.send(notified(Bucket));
      await way.send({ source: ['shop', 'aws.s3'] }, { Name: 'kept' });
      there.respond = answer(503);
      const acknowledged = new Set<string>();
      const puts = Array.from({ length: 40 }, async (_, n) => {
        const Detail = JSON.stringify({ n });
        const Entries = [{ Source: 'shop', DetailType: 'Ordered', Detail }];
        const { Entries: put = [] } = await new EventBridgeClient(first.clientOptions).send(
          new PutEventsCommand({ Entries }),
        );
        acknowledged.add(put[0]?.EventId ?? '');
        await storage.send(new PutObjectCommand({ Bucket, Key: `object-${n}`, Body: 'x' }));
        acknowledged.add(`object-${n}`);
      });
      const done = Promise.allSettled(puts);
      // Some are on their way when it is killed.
      await Promise.race(puts.slice(20));
      await first.kill();
      await done;
      expect(acknowledged.size).toBeGreaterThan(0);

      there.respond = answer(200);
      const before = there.requests.length;
      await using second = await startServer({ data, env });
      const idsOf = (bodies: readonly string[]) =>
        new Set(
          parsed(bodies).flatMap(({ id, detail }) => {
            const { object } = detail as { object?: { key: string } };
            return [id, object?.key ?? ''];
          }),
        );
      for (;;) {
        const ids = idsOf(there.requests.slice(before).map(({ body }) => body));
        if ([...acknowledged].every((one) => ids.has(one))) break;
        // Fails when nothing more comes in time.
        await bodiesOf(there, '/kept', there.requests.length + 1);
      }
      expect(second.process.exitCode).toBeNull();
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }, 60_000);
});
