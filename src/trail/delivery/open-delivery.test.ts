import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { bucketPolicy } from '../../../test/memory-buckets.ts';
import { describe, expect, it } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import { auditRecord, mainArn, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import type { DeliveredFile } from './delivered-file.ts';

async function append(fixture: TrailsFixture, ...records: Uint8Array[]): Promise<void> {
  await fixture.trail.stream.append(records.map((payload) => ({ kind: 'ingested', payload })));
}

/** The eventIDs (or, of calls, the names) of everything delivered, file by file. */
function delivered({ buckets }: TrailsFixture): string[] {
  return [...buckets.files.values()].flatMap((file) =>
    buckets
      .records(file)
      .map((record) =>
        record['eventSource'] === 'cloudtrail.amazonaws.com'
          ? String(record['eventName'])
          : String(record['eventID']),
      ),
  );
}

describe('delivery', () => {
  it('puts what a trail logs into one gzip member, byte for byte, under the key of CloudTrail', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('logs', { policy: bucketPolicy('logs', '000000000000', { prefix: 'audit' }) });
    await fixture.startTrail({ S3KeyPrefix: 'audit' });
    const odd = Buffer.from(auditRecord('one').toString().replace('"eventName":', '"eventName" :\n '));
    await append(fixture, odd);
    await fixture.trails.delivery.settle();
    const [file, ...more] = fixture.buckets.files.values();
    expect(more).toEqual([]);
    expect(file?.key).toMatch(
      /^audit\/AWSLogs\/000000000000\/CloudTrail\/eu-central-1\/2026\/11\/22\/000000000000_CloudTrail_eu-central-1_20261122T1000Z_[A-Za-z0-9]{16}\.json\.gz$/,
    );
    expect(file).toMatchObject({ contentType: 'application/json', contentEncoding: 'gzip' });
    const text = gunzipSync(file!.body).toString();
    expect(text.startsWith('{"Records":[{')).toBe(true);
    expect(text.endsWith(`,${odd.toString()}]}`)).toBe(true);
    expect(delivered(fixture)).toEqual(['StartLogging', 'one']);
    expect(fixture.buckets.puts[0]?.as).toEqual({
      arn: mainArn,
      accountId: '000000000000',
      region: 'eu-central-1',
    });
  });

  it('delivers by itself as often as it is set, and only what is new', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, auditRecord('one'));
    await fixture.trail.clock.advance(5_000);
    await fixture.trails.delivery.settle();
    await append(fixture, auditRecord('two'));
    await fixture.trails.delivery.settle();
    await fixture.trails.delivery.settle();
    expect(fixture.buckets.puts).toHaveLength(2);
    expect(delivered(fixture)).toEqual(['StartLogging', 'one', 'two']);
  });

  it('begins with StartLogging and ends with StopLogging, at exactly these calls', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', { Name: 'main', S3BucketName: 'logs' });
    await append(fixture, auditRecord('before'));
    await fixture.call('StartLogging', { Name: 'main' });
    await append(fixture, auditRecord('during'));
    await fixture.call('StopLogging', { Name: 'main' });
    await append(fixture, auditRecord('stopped'));
    await fixture.call('StartLogging', { Name: mainArn });
    await append(fixture, auditRecord('again'));
    await fixture.trails.delivery.settle();
    expect(delivered(fixture)).toEqual(['StartLogging', 'during', 'StopLogging', 'StartLogging', 'again']);
  });

  it('judges every event by the selectors that were in force when it happened', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, auditRecord('w1'), auditRecord('r1', { readOnly: true }));
    await fixture.call('PutEventSelectors', {
      TrailName: 'main',
      EventSelectors: [{ ReadWriteType: 'ReadOnly' }],
    });
    await append(fixture, auditRecord('w2'), auditRecord('r2', { readOnly: true }));
    await fixture.trails.delivery.settle();
    expect(delivered(fixture)).toEqual(['StartLogging', 'w1', 'r1', 'PutEventSelectors', 'r2']);
  });

  it('leaves other accounts, imported events and, unless it is for all regions, other regions out', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('all');
    await fixture.startTrail();
    await fixture.call('CreateTrail', { Name: 'all', S3BucketName: 'all', IsMultiRegionTrail: true });
    await fixture.call('StartLogging', { Name: 'all' });
    await append(
      fixture,
      auditRecord('other', { recipientAccountId: '111111111111' }),
      auditRecord('paris', { awsRegion: 'eu-west-3' }),
      auditRecord('iam', { awsRegion: 'us-east-1', eventSource: 'iam.amazonaws.com' }),
    );
    await fixture.trail.stream.append([{ kind: 'imported', payload: auditRecord('imported') }]);
    await fixture.trails.delivery.settle();
    const keys = [...fixture.buckets.files.keys()].map((key) => key.replace(/\/2026.*/, '')).toSorted();
    expect(keys).toEqual([
      'all/AWSLogs/000000000000/CloudTrail/eu-central-1',
      'all/AWSLogs/000000000000/CloudTrail/eu-west-3',
      'all/AWSLogs/000000000000/CloudTrail/us-east-1',
      'logs/AWSLogs/000000000000/CloudTrail/eu-central-1',
    ]);
    const ids = delivered(fixture).filter((id) => !/Logging|Trail/.test(id));
    expect(ids.toSorted()).toEqual(['iam', 'paris']);
  });

  it('keeps network activity and insights in folders of their own', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    const fields = [
      { Field: 'eventCategory', Equals: ['NetworkActivity'] },
      { Field: 'eventSource', Equals: ['kms.amazonaws.com'] },
    ];
    await fixture.call('PutEventSelectors', {
      TrailName: 'main',
      AdvancedEventSelectors: [{ FieldSelectors: fields }],
    });
    await fixture.trails.delivery.settle();
    fixture.buckets.files.clear();
    await append(
      fixture,
      auditRecord('vpce', { eventCategory: 'NetworkActivity', eventSource: 'kms.amazonaws.com' }),
      auditRecord('insight', {
        eventCategory: 'Insight',
        insightDetails: { insightType: 'ApiCallRateInsight' },
      }),
    );
    await fixture.trails.delivery.settle();
    expect(delivered(fixture)).toEqual(['vpce']);
    expect([...fixture.buckets.files.keys()][0]).toMatch(
      /\/CloudTrail-NetworkActivity\/eu-central-1\/2026\/11\/22\/000000000000_CloudTrail-NetworkActivity_eu-central-1_/,
    );
  });

  it('holds the events back while the bucket refuses, says why, and delivers all of them once it takes them', async () => {
    await using fixture = await openTrailsFixture();
    const { buckets, trail } = fixture;
    await fixture.startTrail();
    buckets.fault = () => ({ error: new AwsFault('AccessDenied', 'no'), after: false });
    await append(fixture, auditRecord('one'));
    await fixture.trails.delivery.settle();
    await append(fixture, auditRecord('two'));
    await fixture.trails.delivery.settle();
    const status = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(status).toMatchObject({ IsLogging: true, LatestDeliveryError: 'AccessDenied' });
    expect(status['LatestDeliveryAttemptTime']).toBe('2026-11-22T10:00:00Z');
    expect(status['LatestDeliveryAttemptSucceeded']).toBe('');
    expect(status['LatestDeliveryTime']).toBeUndefined();
    expect(delivered(fixture)).toEqual([]);
    buckets.fault = undefined;
    await trail.clock.advance(120_000);
    await fixture.trails.delivery.settle();
    expect(delivered(fixture).filter((id) => id !== 'GetTrailStatus')).toEqual([
      'StartLogging',
      'one',
      'two',
    ]);
    const after = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(after['LatestDeliveryError']).toBeUndefined();
    expect(after['LatestDeliveryTime']).toBeInstanceOf(Date);
  });

  it('does not let one trail whose bucket is gone hold up another, nor the journal let go of its events', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('gone');
    await fixture.startTrail();
    await fixture.call('CreateTrail', { Name: 'second', S3BucketName: 'gone' });
    await fixture.call('StartLogging', { Name: 'second' });
    fixture.buckets.buckets.delete('gone');
    await append(fixture, auditRecord('one'));
    await fixture.trails.delivery.settle();
    expect(delivered(fixture)).toContain('one');
    expect(fixture.trails.delivery.progress.lag).toBeGreaterThan(0);
    const { LatestDeliveryError } = await fixture.call('GetTrailStatus', { Name: 'second' });
    expect(LatestDeliveryError).toBe('NoSuchBucket');
    fixture.buckets.addBucket('new');
    await fixture.call('UpdateTrail', { Name: 'second', S3BucketName: 'new' });
    await fixture.trails.delivery.settle();
    const moved = [...fixture.buckets.files].filter(([key]) => key.startsWith('new/'));
    expect(moved.flatMap(([, file]) => fixture.buckets.records(file).map((one) => one['eventID']))).toContain(
      'one',
    );
  });

  it('puts the same bytes under the same key when it is started again in the middle', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail({ EnableLogFileValidation: true });
    await append(fixture, auditRecord('one'));
    // The file arrives, and the answer does not.
    fixture.buckets.fault = () => ({ error: new Error('connection lost'), after: true });
    await fixture.trails.delivery.settle();
    await fixture.restart();
    fixture.buckets.fault = undefined;
    await append(fixture, auditRecord('two'));
    await fixture.trails.delivery.settle();
    const [first, second] = fixture.buckets.puts;
    expect(second?.file.key).toBe(first?.file.key);
    expect(Buffer.from(second!.file.body).equals(Buffer.from(first!.file.body))).toBe(true);
    expect(delivered(fixture)).toEqual(['StartLogging', 'one', 'two']);
    const files = await fixture.trail.state.list<DeliveredFile>('trail/delivered/');
    expect(files.map(({ value }) => value.key)).toEqual(
      [...fixture.buckets.files.values()].map(({ key }) => key),
    );
    for (const { value } of files) {
      const { body } = fixture.buckets.files.get(`logs/${value.key}`)!;
      expect(createHash('sha256').update(gunzipSync(body)).digest('hex')).toBe(value.sha256);
    }
  });

  it('cuts what is too much for one delivery into several, in order', async () => {
    await using fixture = await openTrailsFixture({ deliveryBounds: { mostBytes: 1_000 } });
    await fixture.startTrail();
    const noise = Array.from({ length: 400 }, (_, index) =>
      auditRecord(`e${index}`, {
        requestParameters: { noise: createHash('sha512').update(`${index}`).digest('hex').repeat(8) },
      }),
    );
    await append(fixture, ...noise);
    await fixture.trails.delivery.settle();
    expect(fixture.buckets.puts.length).toBeGreaterThan(1);
    expect(delivered(fixture)).toEqual(['StartLogging', ...noise.map((_, index) => `e${index}`)]);
  });
});

/** Lets turns of the event loop pass until something is so, and no time by the clock. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !condition(); turn++) await nextTurn();
  expect(condition()).toBe(true);
}

describe('a bucket that is slow', () => {
  it('does not make others deliver twice at once', async () => {
    await using fixture = await openTrailsFixture();
    const { buckets, trail } = fixture;
    buckets.addBucket('slow');
    await fixture.startTrail();
    await fixture.call('CreateTrail', { Name: 'slow', S3BucketName: 'slow' });
    await fixture.call('StartLogging', { Name: 'slow' });
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const arrived: string[] = [];
    buckets.gate = ({ bucket, key }) => {
      arrived.push(`${bucket}/${key}`);
      return gates.get(bucket)?.promise ?? Promise.resolve();
    };
    const count = (bucket: string) => arrived.filter((one) => one.startsWith(`${bucket}/`)).length;
    gates.set('slow', Promise.withResolvers());
    await trail.clock.advance(5_000);
    await until(() => count('slow') === 1 && buckets.puts.length === 1);
    gates.set('logs', Promise.withResolvers());
    await append(fixture, auditRecord('one'));
    await trail.clock.advance(5_000);
    await until(() => count('logs') === 2);
    // The pass that both were in ends now, while the next one of the other is under way.
    gates.get('slow')?.resolve();
    await until(() => buckets.puts.length === 2);
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    await trail.clock.advance(5_000);
    for (let turn = 0; turn < 1_000; turn++) await nextTurn();
    expect(count('logs')).toBe(2);
    gates.get('logs')?.resolve();
    await fixture.trails.delivery.settle();
    expect(new Set(arrived).size).toBe(arrived.length);
  });
});

describe('trails that are behind', () => {
  it('catch up by themselves, all of them, without waiting for the next round', async () => {
    await using fixture = await openTrailsFixture({ deliverySeconds: 900 });
    const { buckets, trail } = fixture;
    const names = ['main', 'one', 'two', 'three', 'four'];
    for (const Name of names) {
      await fixture.call('CreateTrail', { Name, S3BucketName: 'logs' });
      await fixture.call('StartLogging', { Name });
      // Far enough apart for each of them to read by itself.
      const imported = { kind: 'imported', payload: auditRecord('imported') } as const;
      for (let count = 0; count < 6; count++)
        await trail.stream.append(Array.from({ length: 1_000 }, () => imported));
    }
    await append(fixture, auditRecord('last'));
    await fixture.restart();
    await trail.clock.advance(1);
    await until(() => buckets.puts.length === names.length);
    const trails = buckets.puts.filter(({ file }) =>
      buckets.records(file).some((one) => one['eventID'] === 'last'),
    );
    expect(new Set(trails.map(({ as }) => as.arn)).size).toBe(names.length);
  });
});

describe('a position', () => {
  it('moves on over what is not logged, so that the journal can let go of it', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    const { stream, state } = fixture.trail;
    const imported = { kind: 'imported', payload: auditRecord('imported') } as const;
    for (let count = 0; count < 21; count++)
      await stream.append(Array.from({ length: 1_000 }, () => imported));
    await fixture.trails.delivery.settle();
    await fixture.trails.delivery.settle();
    const [document] = await state.list<{ position: number }>('trail/delivery/');
    expect(document?.value.position).toBeGreaterThan(0);
    const imports = Array.from({ length: 21 }, () =>
      stream.append(Array.from({ length: 1_000 }, () => imported)),
    );
    await Promise.all(imports);
    const { end } = stream;
    await fixture.trails.delivery.settle();
    const [moved] = await state.list<{ position: number }>('trail/delivery/');
    expect(moved?.value.position).toBe(end);
    expect(fixture.trails.delivery.progress.lag).toBeLessThan(5);
    expect(delivered(fixture)).toEqual(['StartLogging']);
  });

  it('is not needed where there is no trail', async () => {
    await using fixture = await openTrailsFixture();
    await append(fixture, auditRecord('one'));
    await fixture.trails.delivery.settle();
    expect(fixture.trails.delivery.progress.lag).toBe(0);
  });
});

describe('notifications', () => {
  it('tell the topic which files were delivered, and hold nothing up when they fail', async () => {
    const topic = 'arn:aws:sns:eu-central-1:000000000000:trails';
    const said: string[] = [];
    let broken = false;
    const topics = {
      find: (name: string) => Promise.resolve(name === 'trails' ? topic : undefined),
      publishDelivery: (arn: string, message: string) =>
        broken
          ? Promise.reject(new AwsFault('AuthorizationError', 'no'))
          : Promise.resolve(void said.push(arn, message)),
    };
    await using fixture = await openTrailsFixture({ topics });
    await fixture.startTrail({ SnsTopicName: 'trails' });
    await fixture.trails.delivery.settle();
    const [file] = fixture.buckets.files.values();
    expect(said).toEqual([topic, JSON.stringify({ s3Bucket: 'logs', s3ObjectKey: [file?.key] })]);
    const status = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(status['LatestNotificationTime']).toBeInstanceOf(Date);
    broken = true;
    await fixture.trails.delivery.settle();
    const after = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(after).toMatchObject({
      LatestNotificationError: 'AuthorizationError',
      LatestNotificationAttemptSucceeded: '',
    });
    expect(after['LatestNotificationTime']).toEqual(status['LatestNotificationTime']);
    expect(after['LatestDeliveryError']).toBeUndefined();
  });
});
