import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../test/bucket-fixture.ts';
import { deny, faultOf, management } from '../../../test/identity-fixture.ts';
import { silentLog } from '../../kernel/index.ts';
import { decodeBusEvent } from '../../journal/index.ts';
import { openLifecycle } from './lifecycle.ts';
import { openServiceBuckets } from './service-buckets.ts';

/** "Using EventBridge" and "EventBridge event message structure" of the S3 user guide. */

let s3: BucketFixture;
const Bucket = 'told';
const hourMs = 3_600_000;
beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket(Bucket);
});
afterEach(() => s3[Symbol.asyncDispose]());

async function* stream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

interface Told {
  readonly 'detail-type': string;
  readonly detail: {
    readonly object: { readonly key: string; readonly sequencer: string; readonly 'version-id'?: string };
    readonly reason?: string;
    readonly 'deletion-type'?: string;
    readonly requester: string;
  };
}

const configure = (NotificationConfiguration: object) =>
  s3.call('PutBucketNotificationConfiguration', { Bucket, NotificationConfiguration });
const sendEvents = () => configure({ EventBridgeConfiguration: {} });
const put = (Key: string, text = 'hello', over: object = {}) =>
  s3.call('PutObject', { Bucket, Key, Body: stream(text), ...over });
const setVersioning = (Status: string) =>
  s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status } });

async function events(): Promise<readonly Told[]> {
  const found: Told[] = [];
  const { stream: journal } = s3.identity;
  for await (const { entries } of journal.read(journal.start)) {
    let before: string | undefined;
    for (const { kind, payload } of entries) {
      if (kind === 'event') {
        // It travels with the change, right behind it.
        expect(['change', 'event']).toContain(before);
        const { head, raw } = decodeBusEvent(payload);
        expect(head.bus).toBe(`arn:aws:events:eu-central-1:${management}:event-bus/default`);
        found.push(JSON.parse(Buffer.from(raw).toString()) as Told);
      }
      before = kind;
    }
  }
  return found;
}

/** What was told, in a few words. */
const told = async () =>
  (await events()).map(({ 'detail-type': type, detail }) =>
    [type, detail.object.key, detail.reason, detail['deletion-type']]
      .filter((one) => one !== undefined)
      .join(', '),
  );

describe('the configuration', () => {
  it('is taken, shown, and taken away again; without it nothing is told', async () => {
    await put('before');
    await sendEvents();
    const shown = await s3.call('GetBucketNotificationConfiguration', { Bucket });
    expect(shown).toEqual({ EventBridgeConfiguration: {} });
    await put('during');
    await configure({});
    expect(await s3.call('GetBucketNotificationConfiguration', { Bucket })).toEqual({});
    await put('after');
    expect(await told()).toEqual(['Object Created, during, PutObject']);
  });
});

describe('Object Created', () => {
  it('has all that the page shows', async () => {
    await sendEvents();
    await put('example-key');
    const [event] = await events();
    expect(event).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: management,
      time: '2026-11-22T10:00:00Z',
      region: 'eu-central-1',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        version: '0',
        'event-version': '1.1',
        bucket: { name: Bucket },
        object: {
          key: 'example-key',
          size: 5,
          etag: '5d41402abc4b2a76b9719d911017c592',
          // The seconds since 1970, then the fraction of a second.
          sequencer: `${(s3.clock.now() / 1000).toString(16)}00000000`,
        },
        'request-id': 'request-1',
        requester: management,
        'source-ip-address': '192.0.2.7',
        reason: 'PutObject',
      },
    });
  });

  it('names the API: copies and uploads in parts, with their versions', async () => {
    await sendEvents();
    await setVersioning('Enabled');
    const { VersionId: first } = await put('a');
    const { VersionId: copied } = await s3.call('CopyObject', {
      Bucket,
      Key: 'b',
      CopySource: `${Bucket}/a`,
    });
    const { UploadId } = await s3.call('CreateMultipartUpload', { Bucket, Key: 'c' });
    const part = { Bucket, Key: 'c', UploadId, PartNumber: 1, Body: stream('part') };
    const { ETag } = await s3.call('UploadPart', part);
    const whole = { Bucket, Key: 'c', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    const { VersionId: composed } = await s3.call('CompleteMultipartUpload', whole);
    // Whoever asks again is told the same, and nothing has happened.
    await s3.call('CompleteMultipartUpload', whole);
    await s3.call('CreateMultipartUpload', { Bucket, Key: 'd' });
    const found = (await events()).map(({ detail: { reason, object } }) => ({ reason, object }));
    expect(found).toMatchObject([
      { reason: 'PutObject', object: { key: 'a', size: 5, 'version-id': first } },
      {
        reason: 'CopyObject',
        object: { key: 'b', size: 5, 'version-id': copied, 'has-object-annotation': false },
      },
      {
        reason: 'CompleteMultipartUpload',
        object: { key: 'c', size: 4, etag: expect.stringMatching(/-1$/), 'version-id': composed },
      },
    ]);
  });

  it('tells of the puts of services, and by whom they are', async () => {
    await sendEvents();
    const trail = { arn: 'arn:aws:cloudtrail:eu-central-1:000000000000:trail/main', accountId: management };
    await s3.call('PutBucketPolicy', {
      Bucket,
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'cloudtrail.amazonaws.com' },
            Action: 's3:PutObject',
            Resource: `arn:aws:s3:::${Bucket}/*`,
          },
        ],
      }),
    });
    const buckets = openServiceBuckets({ ...s3, outside: undefined, managementAccountId: management });
    const file = { bucket: Bucket, key: 'log', body: Buffer.from('x'), contentType: 'text/plain' };
    await buckets.put(file, { ...trail, region: 'eu-central-1' });
    // A delivery that was interrupted puts its file again, and changes nothing.
    await buckets.put(file, { ...trail, region: 'eu-central-1' });
    const [event, ...more] = await events();
    expect(more).toEqual([]);
    expect(event?.detail).toMatchObject({ requester: 'cloudtrail.amazonaws.com', reason: 'PutObject' });
    expect(event?.detail).not.toHaveProperty('source-ip-address');
  });
});

describe('Object Deleted', () => {
  it('is permanent in a bucket without versions, and of what was there alone', async () => {
    await put('a');
    await sendEvents();
    await s3.call('DeleteObject', { Bucket, Key: 'a' });
    await s3.call('DeleteObject', { Bucket, Key: 'a' });
    const [event, ...more] = await events();
    expect(more).toEqual([]);
    expect(event?.detail).toEqual({
      version: '0',
      'event-version': '1.1',
      bucket: { name: Bucket },
      object: { key: 'a', sequencer: expect.stringMatching(/^[0-9a-f]{16}$/) },
      'request-id': 'request-1',
      requester: management,
      'source-ip-address': '192.0.2.7',
      reason: 'DeleteObject',
      'deletion-type': 'Permanently Deleted',
    });
  });

  it('tells markers from versions that are gone', async () => {
    await setVersioning('Enabled');
    const { VersionId: version } = await put('a');
    await sendEvents();
    const { VersionId: marker } = await s3.call('DeleteObject', { Bucket, Key: 'a' });
    await s3.call('DeleteObject', { Bucket, Key: 'a', VersionId: version });
    await s3.call('DeleteObject', { Bucket, Key: 'a', VersionId: version });
    await s3.call('DeleteObject', { Bucket, Key: 'a', VersionId: marker });
    await setVersioning('Suspended');
    await s3.call('DeleteObject', { Bucket, Key: 'a' });
    const etag = 'd41d8cd98f00b204e9800998ecf8427e';
    const found = (await events()).map(({ detail }) => [detail['deletion-type'], detail.object]);
    expect(found).toMatchObject([
      ['Delete Marker Created', { key: 'a', etag, 'version-id': marker }],
      ['Permanently Deleted', { key: 'a', 'version-id': version }],
      ['Permanently Deleted', { key: 'a', 'version-id': marker }],
      ['Delete Marker Created', { key: 'a', etag, 'version-id': 'null' }],
    ]);
    expect(found[1]?.[1]).not.toHaveProperty('etag');
  });

  it('tells of each object of a batch, and of none that stays', async () => {
    const keys = ['a', 'b', 'kept', 'c'];
    for (const key of keys) await put(key);
    await sendEvents();
    const everything = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
    const kept = deny('s3:DeleteObject', `arn:aws:s3:::${Bucket}/kept`) as { Statement: object[] };
    const caller = await s3.identity.user('eve', { ...kept, Statement: [...kept.Statement, everything] });
    const Objects = [...keys, 'never there'].map((Key) => ({ Key }));
    const { Errors } = await s3.call('DeleteObjects', { Bucket, Delete: { Objects } }, caller);
    expect(Errors).toMatchObject([{ Key: 'kept', Code: 'AccessDenied' }]);
    expect(await told()).toEqual(
      ['a', 'b', 'c'].map((key) => `Object Deleted, ${key}, DeleteObject, Permanently Deleted`),
    );
  });

  it('says that a lifecycle did it', async () => {
    await setVersioning('Enabled');
    await sendEvents();
    await s3.put(Bucket, 'a');
    await s3.call('PutBucketLifecycleConfiguration', {
      Bucket,
      LifecycleConfiguration: {
        Rules: [
          {
            ID: 'all',
            Status: 'Enabled',
            Filter: {},
            Expiration: { Days: 1 },
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
        ],
      },
    });
    await s3.call('CreateMultipartUpload', { Bucket, Key: 'under way' });
    for (const days of [3, 3]) {
      s3.clock.jump(days * 24 * hourMs);
      await using lifecycle = openLifecycle({ ...s3, log: silentLog });
      await lifecycle.run();
    }
    const [, expired, gone, ...more] = await events();
    expect(more).toEqual([]);
    expect(expired?.detail).toEqual({
      version: '0',
      'event-version': '1.1',
      bucket: { name: Bucket },
      object: {
        key: 'a',
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        'version-id': expect.any(String),
        sequencer: expect.any(String),
      },
      'request-id': expect.any(String),
      requester: 's3.amazonaws.com',
      reason: 'Lifecycle Expiration',
      'deletion-type': 'Delete Marker Created',
    });
    expect(gone?.detail).toMatchObject({
      reason: 'Lifecycle Expiration',
      'deletion-type': 'Permanently Deleted',
    });
  });
});

describe('tags', () => {
  it('that are put or deleted are told of, those that come with an object are not', async () => {
    await sendEvents();
    await setVersioning('Enabled');
    const { VersionId } = await put('a', 'hello', { Tagging: 'x=y' });
    const tags = { TagSet: [{ Key: 'k', Value: 'v' }] };
    await s3.call('PutObjectTagging', { Bucket, Key: 'a', Tagging: tags });
    await s3.call('DeleteObjectTagging', { Bucket, Key: 'a' });
    const [, added, deleted] = await events();
    expect(await told()).toEqual([
      'Object Created, a, PutObject',
      'Object Tags Added, a',
      'Object Tags Deleted, a',
    ]);
    const object = { key: 'a', etag: '5d41402abc4b2a76b9719d911017c592', 'version-id': VersionId };
    for (const event of [added, deleted]) expect(event?.detail.object).toEqual(object);
  });

  it('and access control lists that change nothing are not told of at all', async () => {
    await put('a');
    await sendEvents();
    await s3.call('PutObjectAcl', { Bucket, Key: 'a', ACL: 'bucket-owner-full-control' });
    expect(await told()).toEqual([]);
  });
});

describe('what happens once is told once', () => {
  it('also where calls on one key meet and are run again; sequencers say in which order', async () => {
    await sendEvents();
    const texts = Array.from({ length: 6 }, (_, place) => 'x'.repeat(place + 1));
    await Promise.all(texts.map((text) => put('same', text)));
    // The clock may go back.
    s3.clock.jump(-hourMs);
    await put('same', 'last');
    await s3.call('DeleteObject', { Bucket, Key: 'same' });
    await put('same', 'again');
    const found = await events();
    const sequencers = found.map(({ detail }) => detail.object.sequencer);
    expect(sequencers).toHaveLength(9);
    expect(sequencers.toSorted()).toEqual(sequencers);
    expect(new Set(sequencers).size).toBe(9);
  });

  it('and what is refused is not told of', async () => {
    await s3.bucket('locked', { ObjectLockEnabledForBucket: true });
    await s3.call('PutBucketNotificationConfiguration', {
      Bucket: 'locked',
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    });
    const VersionId = await s3.put('locked', 'a', {
      retention: { mode: 'COMPLIANCE', until: s3.clock.now() + hourMs },
    });
    const answer = s3.call('DeleteObject', { Bucket: 'locked', Key: 'a', VersionId });
    expect((await faultOf(answer)).code).toBe('AccessDenied');
    expect(await told()).toEqual(['Object Created, a, PutObject']);
  });
});
