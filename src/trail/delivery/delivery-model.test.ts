import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AwsFault, seededRandom } from '../../kernel/index.ts';
import { auditRecord, mainArn, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import type { DeliveredFile } from './delivered-file.ts';

/** What the simulation knows of the trail, and of what it has to deliver. */
interface Model {
  logging: boolean;
  readWrite: 'All' | 'ReadOnly' | 'WriteOnly';
  readonly expected: string[];
  next: number;
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
): void {
  buckets.fault = () =>
    random.below(100) < percent
      ? {
          error: random.below(2) === 0 ? new AwsFault('AccessDenied', 'no') : new Error('connection lost'),
          after: random.below(2) === 0,
        }
      : undefined;
}

async function step(
  fixture: TrailsFixture,
  model: Model,
  random: ReturnType<typeof seededRandom>,
): Promise<void> {
  switch (random.below(8)) {
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
      setFault(fixture, random, [0, 30, 100][random.below(3)] ?? 0);
      break;
    case 5:
      await fixture.trail.clock.advance(random.below(90_000));
      break;
    default:
      await appendSome(fixture, model, random);
  }
}

/** The eventIDs in each file, in the order in which the files first arrived. */
function filesOf({ buckets }: TrailsFixture): readonly (readonly { region: string; id: string }[])[] {
  return [...buckets.files.values()].map((file) =>
    buckets
      .records(file)
      .filter((record) => record['eventSource'] !== 'cloudtrail.amazonaws.com')
      .map((record) => ({ region: String(record['awsRegion']), id: String(record['eventID']) })),
  );
}

const number = (id: string) => Number(id.slice(1));

const firstSeed = Number(process.env['CAIRN_SEED'] ?? 1);
const seeds = Array.from({ length: 10 }, (_, index) => firstSeed + index);

describe('delivery under a bucket that fails at random', () => {
  it.each(seeds)('delivers each event in exactly one file, in order (CAIRN_SEED=%i)', async (seed) => {
    const random = seededRandom(seed);
    await using fixture = await openTrailsFixture({
      seed,
      deliveryBounds: { mostBytes: 3_000, mostKeptBytes: 5_000 },
    });
    await fixture.startTrail({ IsMultiRegionTrail: true, EnableLogFileValidation: true });
    const model: Model = { logging: true, readWrite: 'All', expected: [], next: 0 };
    for (let count = 0; count < 60; count++) await step(fixture, model, random);
    fixture.buckets.fault = undefined;
    await fixture.trail.clock.advance(120_000);
    await fixture.trails.delivery.settle();

    const files = filesOf(fixture);
    const delivered = files.flat();
    expect(delivered.map(({ id }) => id).toSorted((a, b) => number(a) - number(b))).toEqual(model.expected);
    for (const region of regions) {
      const ids = delivered.filter((one) => one.region === region).map(({ id }) => number(id));
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }
    // Whatever was put twice was the same.
    for (const { file } of fixture.buckets.puts) {
      const kept = fixture.buckets.files.get(`${file.bucket}/${file.key}`)!;
      expect(Buffer.from(file.body).equals(Buffer.from(kept.body))).toBe(true);
    }
    const documents = await fixture.trail.state.list<DeliveredFile>(`trail/delivered/${mainArn}/`);
    const hashes = new Map(documents.map(({ value }) => [value.key, value.sha256]));
    expect(hashes.size).toBe(fixture.buckets.files.size);
    for (const { key, body } of fixture.buckets.files.values()) {
      expect(hashes.get(key)).toBe(createHash('sha256').update(gunzipSync(body)).digest('hex'));
    }
  });
});
