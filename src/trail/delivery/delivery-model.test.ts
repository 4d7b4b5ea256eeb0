import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AwsFault, seededRandom, systemClock } from '../../kernel/index.ts';
import { auditRecord, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import { openCollectThread } from './collect-thread.ts';
import type { DeliveredFile } from './delivered-file.ts';

/** What the simulation knows of the trail, and of what it has to deliver. */
interface Model {
  logging: boolean;
  readWrite: 'All' | 'ReadOnly' | 'WriteOnly';
  readonly expected: string[];
  next: number;
  /** What callers do to the trail: delete it and make it again, or send it into another bucket. */
  readonly doing: 'delete' | 'move';
  moves: number;
}

const regions = ['eu-central-1', 'us-east-1', 'eu-west-3'];

async function appendSome(fixture: TrailsFixture, model: Model, random: ReturnType<typeof seededRandom>) {
  const payloads = Array.from({ length: 1 + random.below(40) }, () => {
    const readOnly = random.below(2) === 0;
    const id = `e${model.next++}`;
    const wanted = model.readWrite === 'All' || (model.readWrite === 'ReadOnly') === readOnly;
    if (model.logging && wanted) model.expected.push(id);
    const noise =
      random.below(20) === 0
        ? 'x'.repeat(random.below(150_000)) + random.text(2_000, 'abcdefghijklmnop')
        : '';
    return auditRecord(id, { readOnly, awsRegion: regions[random.below(3)], requestParameters: { noise } });
  });
  await fixture.trail.stream.append(payloads.map((payload) => ({ kind: 'ingested', payload })));
}

function setFault(
  { buckets }: TrailsFixture,
  random: ReturnType<typeof seededRandom>,
  percent: number,
  losesAnswers: boolean,
): void {
  buckets.fault = () =>
    random.below(100) < percent
      ? {
          error: random.below(2) === 0 ? new AwsFault('AccessDenied', 'no') : new Error('connection lost'),
          after: losesAnswers && random.below(2) === 0,
        }
      : undefined;
}

/** Deletes the trail, whatever it has not delivered yet, and makes another one of its name. */
async function remake(fixture: TrailsFixture, model: Model): Promise<void> {
  await fixture.call('DeleteTrail', { Name: 'main' });
  const wanted = { IsMultiRegionTrail: true, EnableLogFileValidation: true };
  await fixture.call('CreateTrail', { Name: 'main', S3BucketName: 'logs', ...wanted });
  model.logging = false;
  model.readWrite = 'All';
}

async function step(
  fixture: TrailsFixture,
  model: Model,
  random: ReturnType<typeof seededRandom>,
): Promise<void> {
  switch (random.below(9)) {
    case 0:
      await fixture.call(model.logging ? 'StopLogging' : 'StartLogging', { Name: 'main' });
      model.logging = !model.logging;
      break;
    case 1: {
      model.readWrite = (['All', 'ReadOnly', 'WriteOnly'] as const)[random.below(3)] ?? 'All';
      const EventSelectors = [{ ReadWriteType: model.readWrite }];
      await fixture.call('PutEventSelectors', { TrailName: 'main', EventSelectors });
      break;
    }
    case 2:
      await fixture.restart();
      break;
    case 3:
      await fixture.trails.delivery.settle();
      break;
    case 4:
      setFault(fixture, random, [0, 30, 100][random.below(3)] ?? 0, model.doing === 'delete');
      break;
    case 5:
      await fixture.trail.clock.advance(random.below(90_000));
      break;
    case 6:
      if (model.doing === 'delete') await remake(fixture, model);
      else {
        const S3BucketName = ['other', 'logs'][model.moves++ % 2];
        await fixture.call('UpdateTrail', { Name: 'main', S3BucketName });
      }
      break;
    default:
      await appendSome(fixture, model, random);
  }
}

interface DeliveredEvent {
  readonly region: string;
  /** The trail's, as the document of the file has it. */
  readonly trail: string;
  readonly id: string;
}

/** The events in the files, in the order in which the files first arrived. */
function eventsIn({ buckets }: TrailsFixture, trailOf: ReadonlyMap<string, string>): DeliveredEvent[] {
  return [...buckets.files].flatMap(([place, file]) =>
    buckets
      .records(file)
      .filter((record) => record['eventSource'] !== 'cloudtrail.amazonaws.com')
      .map((record) => ({
        region: String(record['awsRegion']),
        trail: trailOf.get(place) ?? 'none',
        id: String(record['eventID']),
      })),
  );
}

const number = (id: string) => Number(id.slice(1));

const firstSeed = Number(process.env['CAIRN_SEED'] ?? 1);
const cases = Array.from({ length: 12 }, (_, index) => ({
  seed: firstSeed + index,
  doing: index % 2 === 0 ? ('delete' as const) : ('move' as const),
  where: index % 3 === 0 ? ('in a thread' as const) : ('in place' as const),
}));

describe('delivery under a bucket that fails at random', () => {
  it.each(cases)(
    'delivers each event in exactly one file, in order (CAIRN_SEED=$seed, $doing, $where)',
    async ({ seed, doing, where }) => {
      const random = seededRandom(seed);
      await using thread = openCollectThread({ clock: systemClock, fewEntries: 0 });
      await using fixture = await openTrailsFixture({
        seed,
        collecting: where === 'in a thread' ? thread : undefined,
        deliveryBounds: { mostBytes: 3_000, mostKeptBytes: 5_000 },
      });
      fixture.buckets.addBucket('other');
      await fixture.startTrail({ IsMultiRegionTrail: true, EnableLogFileValidation: true });
      const model: Model = { logging: true, readWrite: 'All', expected: [], next: 0, doing, moves: 0 };
      for (let count = 0; count < 60; count++) await step(fixture, model, random);
      fixture.buckets.fault = undefined;
      await fixture.trail.clock.advance(120_000);
      await fixture.trails.delivery.settle();

      const documents = await fixture.trail.state.list<DeliveredFile>('trail/delivered/');
      const places = new Map(documents.map(({ value }) => [`${value.bucket}/${value.key}`, value.sha256]));
      const trailOf = new Map(
        documents.map(({ key, value }) => [
          `${value.bucket}/${value.key}`,
          key.split('/').slice(2, 4).join('/'),
        ]),
      );
      const delivered = eventsIn(fixture, trailOf);
      expect(delivered.map(({ id }) => id).toSorted((a, b) => number(a) - number(b))).toEqual(model.expected);
      for (const region of regions) {
        for (const trail of new Set(trailOf.values())) {
          const own = delivered.filter((one) => one.region === region && one.trail === trail);
          const ids = own.map(({ id }) => number(id));
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        }
      }
      // Whatever was put twice was the same.
      for (const { file } of fixture.buckets.puts) {
        const kept = fixture.buckets.files.get(`${file.bucket}/${file.key}`)!;
        expect(Buffer.from(file.body).equals(Buffer.from(kept.body))).toBe(true);
      }
      // Every file is known to the digests, in the bucket where it is.
      expect(places.size).toBe(fixture.buckets.files.size);
      for (const [place, { body }] of fixture.buckets.files) {
        expect(places.get(place)).toBe(createHash('sha256').update(gunzipSync(body)).digest('hex'));
      }
      // Of trails that were deleted nothing waits any more.
      expect((await fixture.trail.state.list('trail/delivery/')).length).toBe(1);
    },
  );
});
