import { describe, expect, it } from 'vitest';
import { AwsFault, limits } from '../../kernel/index.ts';
import { auditRecord, mainArn, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import { trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import type { DeliveryDocument } from './delivery-documents.ts';

/** What becomes of what a trail logged before it was deleted, or sent elsewhere. */

async function append(fixture: TrailsFixture, ...ids: string[]): Promise<void> {
  const entries = ids.map((id) => ({ kind: 'ingested', payload: auditRecord(id) }) as const);
  await fixture.trail.stream.append(entries);
}

/** The eventIDs (or, of calls, the names) of everything in a bucket, file by file. */
function deliveredTo({ buckets }: TrailsFixture, bucket: string): string[] {
  return [...buckets.files.values()]
    .filter((file) => file.bucket === bucket)
    .flatMap((file) => buckets.records(file))
    .map((record) =>
      String(record[record['eventSource'] === 'cloudtrail.amazonaws.com' ? 'eventName' : 'eventID']),
    );
}

/** Documents of trails that are left over. */
async function leftOver({ trail: { state } }: TrailsFixture): Promise<readonly string[]> {
  const prefixes = ['trail/delivery/', 'trail/status/'];
  const found = await Promise.all(prefixes.map((prefix) => state.list(prefix)));
  return found.flat().map(({ key }) => key);
}

const refuse = (code: string) => () => ({ error: new AwsFault(code, 'no'), after: false });

describe('a trail that is deleted', () => {
  it('delivers what came before, the record of its deletion last, and then keeps nothing', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, 'one');
    await fixture.call('DeleteTrail', { Name: 'main' });
    await append(fixture, 'two');
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one', 'DeleteTrail']);
    expect(await leftOver(fixture)).toEqual([]);
    expect(fixture.trails.delivery.progress.lag).toBe(0);
    expect(await fixture.faultOf('GetTrailStatus', { Name: 'main' })).toBe('TrailNotFoundException');
  });

  it('delivers after a stop what came before the stop, and not its deletion', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, 'one');
    await fixture.call('StopLogging', { Name: 'main' });
    await append(fixture, 'two');
    await fixture.call('DeleteTrail', { Name: 'main' });
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one', 'StopLogging']);
    expect(await leftOver(fixture)).toEqual([]);
  });

  it('has nothing to do with one that is made again at once under its name', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('second');
    await fixture.startTrail();
    await append(fixture, 'one');
    await fixture.call('DeleteTrail', { Name: 'main' });
    await append(fixture, 'between');
    await fixture.startTrail({ S3BucketName: 'second' });
    await append(fixture, 'two');
    await fixture.restart();
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one', 'DeleteTrail']);
    expect(deliveredTo(fixture, 'second')).toEqual(['StartLogging', 'two']);
    expect(await leftOver(fixture)).toHaveLength(2);
  });

  it('holds its successor up with nothing while its own bucket refuses, and is heard when it takes them', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('second');
    await fixture.startTrail();
    await append(fixture, 'one');
    fixture.buckets.fault = ({ bucket }) =>
      bucket === 'logs' ? { error: new Error('connection lost'), after: true } : undefined;
    await fixture.trails.delivery.settle();
    await fixture.call('DeleteTrail', { Name: 'main' });
    await fixture.startTrail({ S3BucketName: 'second' });
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'second')).toEqual(['StartLogging']);
    const status = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(status['LatestDeliveryError']).toBeUndefined();
    fixture.trail.clock.jump(29 * 86_400_000);
    await fixture.restart();
    fixture.buckets.fault = undefined;
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one', 'DeleteTrail']);
    // What arrived although its answer was lost came under the same keys again.
    expect([...fixture.buckets.files.values()].filter(({ bucket }) => bucket === 'logs')).toHaveLength(2);
  });

  it.each([
    ['AccessDenied', limits.deletedTrailMs],
    ['NoSuchBucket', limits.deletedBucketMs],
  ])('is given up when its bucket says %s for too long, so that the journal can let go', async (code, ms) => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, 'one');
    await fixture.call('DeleteTrail', { Name: 'main' });
    fixture.buckets.fault = refuse(code);
    await fixture.trails.delivery.settle();
    fixture.trail.clock.jump(ms);
    await fixture.trails.delivery.settle();
    expect(await leftOver(fixture)).toHaveLength(2);
    expect(fixture.trails.delivery.progress.lag).toBeGreaterThan(0);
    fixture.trail.clock.jump(1);
    await fixture.trails.delivery.settle();
    expect(await leftOver(fixture)).toEqual([]);
    expect(fixture.trails.delivery.progress.lag).toBe(0);
  });
});

/** Makes the documents of the trail `main` such as versions wrote them that knew no incarnations. */
async function makeOld({ trail: { state } }: TrailsFixture): Promise<void> {
  const change = state.begin();
  const key = trailKey('000000000000', 'eu-central-1', 'main');
  const { incarnation: _, ...trail } = (await change.get<TrailDocument>(key))!.value;
  const [delivery] = await change.list<DeliveryDocument>('trail/delivery/');
  const { incarnation: __, ...document } = delivery!.value;
  change.put(key, trail);
  change.delete(delivery!.key);
  change.put(`trail/delivery/${mainArn}`, document);
  expect((await state.commit(change, [])).kind).toBe('committed');
}

describe('a trail of an earlier version', () => {
  it('goes on where it was, can be deleted, and is not taken for the next one of its name', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await append(fixture, 'one');
    await fixture.trails.delivery.settle();
    await makeOld(fixture);
    await fixture.restart();
    await append(fixture, 'two');
    await fixture.trails.delivery.settle();
    const { LatestDeliveryTime } = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(LatestDeliveryTime).toBeInstanceOf(Date);
    await append(fixture, 'three');
    await fixture.call('DeleteTrail', { Name: 'main' });
    await fixture.startTrail();
    await append(fixture, 'four');
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs').toSorted()).toEqual(
      [
        'StartLogging',
        'one',
        'two',
        'GetTrailStatus',
        'three',
        'DeleteTrail',
        'StartLogging',
        'four',
      ].toSorted(),
    );
    const left = await fixture.trail.state.list<DeliveryDocument>('trail/delivery/');
    expect(left.map(({ value }) => value.incarnation)).toEqual([expect.stringMatching(/^[a-z0-9]{12}$/)]);
  });
});

describe('a trail that goes to another bucket', () => {
  it('asks the old one first for what was planned for it, where an answer may have been lost', async () => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('second');
    await fixture.startTrail();
    await append(fixture, 'one');
    fixture.buckets.fault = () => ({ error: new Error('connection lost'), after: true });
    await fixture.trails.delivery.settle();
    fixture.buckets.fault = undefined;
    await fixture.call('UpdateTrail', { Name: 'main', S3BucketName: 'second' });
    await append(fixture, 'two');
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one']);
    expect(deliveredTo(fixture, 'second')).toEqual(['UpdateTrail', 'two']);
  });

  it('takes along what the old one refuses, with prefix and key, and says of each file where it is', async () => {
    const said: string[] = [];
    const topics = {
      find: () => Promise.resolve('arn:aws:sns:eu-central-1:000000000000:trails'),
      publishDelivery: (_arn: string, message: string) => Promise.resolve(void said.push(message)),
    };
    await using fixture = await openTrailsFixture({ topics });
    fixture.buckets.addBucket('second');
    await fixture.startTrail({
      IsMultiRegionTrail: true,
      EnableLogFileValidation: true,
      SnsTopicName: 'trails',
    });
    await append(fixture, 'one');
    const paris = { kind: 'ingested', payload: auditRecord('paris', { awsRegion: 'eu-west-3' }) } as const;
    await fixture.trail.stream.append([paris]);
    fixture.buckets.fault = ({ bucket, key }) =>
      bucket === 'logs' && key.includes('eu-west-3') ? refuse('AccessDenied')() : undefined;
    await fixture.trails.delivery.settle();
    await fixture.call('UpdateTrail', { Name: 'main', S3BucketName: 'second' });
    await fixture.trails.delivery.settle();
    expect(deliveredTo(fixture, 'logs')).toEqual(['StartLogging', 'one']);
    expect(deliveredTo(fixture, 'second')).toEqual(['paris', 'UpdateTrail']);
    const places = [...fixture.buckets.files.keys()].toSorted();
    const documents = await fixture.trail.state.list<{ bucket: string; key: string }>('trail/delivered/');
    expect(documents.map(({ value }) => `${value.bucket}/${value.key}`).toSorted()).toEqual(places);
    const told = said.map((one) => JSON.parse(one) as { s3Bucket: string; s3ObjectKey: string[] });
    const toldPlaces = told.flatMap(({ s3Bucket, s3ObjectKey }) =>
      s3ObjectKey.map((key) => `${s3Bucket}/${key}`),
    );
    expect(toldPlaces.toSorted()).toEqual(places);
  });
});
