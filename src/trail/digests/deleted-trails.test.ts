import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { masterKeyFrom } from '../../identity/master-key.ts';
import { AwsFault, seededRandom, silentLog } from '../../kernel/index.ts';
import { auditRecord, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import { openDigests, type Digests } from './open-digests.ts';

/** The digests of trails that are deleted, over the delivery of their log files. */

interface DigestBody {
  readonly digestS3Object: string;
  readonly digestEndTime: string;
  readonly previousDigestS3Object: string | null;
  readonly previousDigestSignature: string | null;
  readonly logFiles: readonly { readonly s3Bucket: string; readonly s3Object: string }[];
}

const hourMs = 3_600_000;

interface Fixture extends AsyncDisposable {
  readonly trails: TrailsFixture;
  readonly digests: Digests;
}

async function openFixture(): Promise<Fixture> {
  const trails = await openTrailsFixture();
  const random = seededRandom(3);
  const digests = openDigests({
    state: trails.trail.state,
    buckets: trails.buckets,
    masterKey: masterKeyFrom(random.bytes(32), random),
    clock: trails.trail.clock,
    log: silentLog,
    digestSeconds: 3600,
  });
  return {
    trails,
    digests,
    async [Symbol.asyncDispose]() {
      await digests[Symbol.asyncDispose]();
      await trails[Symbol.asyncDispose]();
    },
  };
}

async function append({ trails }: Fixture, id: string, awsRegion = 'eu-central-1'): Promise<void> {
  await trails.trail.stream.append([{ kind: 'ingested', payload: auditRecord(id, { awsRegion }) }]);
}

async function settle({ trails, digests }: Fixture): Promise<void> {
  await trails.trails.delivery.settle();
  await digests.settle();
}

async function pass(fixture: Fixture, ms: number, steps = 4): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await fixture.trails.trail.clock.advance(ms / steps);
    await settle(fixture);
  }
}

/** The digests, in the order in which they came. */
function digestsOf({ trails: { buckets } }: Fixture, bucket = 'logs'): DigestBody[] {
  return [...buckets.files.values()]
    .filter((file) => file.bucket === bucket && file.key.includes('/CloudTrail-Digest/'))
    .map(({ body }) => JSON.parse(gunzipSync(body).toString()) as DigestBody);
}

function logFilesIn({ trails: { buckets } }: Fixture, bucket = 'logs'): string[] {
  const files = [...buckets.files.values()].filter((file) => file.bucket === bucket);
  return files.map(({ key }) => key).filter((key) => key.includes('/CloudTrail/'));
}

const listed = (digests: readonly DigestBody[]) =>
  digests.flatMap(({ logFiles }) => logFiles.map(({ s3Object }) => s3Object));

async function leftOver({ trails }: Fixture): Promise<readonly string[]> {
  const prefixes = ['delivery', 'delivered', 'digest-chains', 'ended', 'status'];
  const lists = await Promise.all(prefixes.map((one) => trails.trail.state.list(`trail/${one}/`)));
  return lists.flat().map(({ key }) => key);
}

const validated = { EnableLogFileValidation: true, IsMultiRegionTrail: true };

describe('the digests of a deleted trail', () => {
  it('end with one that lists the last log file too, in every region, and nothing is kept', async () => {
    await using fixture = await openFixture();
    await fixture.trails.startTrail(validated);
    await append(fixture, 'one');
    await pass(fixture, hourMs + 600_000);
    await append(fixture, 'two');
    await append(fixture, 'elsewhere', 'eu-west-3');
    await fixture.trails.call('DeleteTrail', { Name: 'main' });
    await pass(fixture, 10_000);
    const digests = digestsOf(fixture);
    expect(listed(digests).toSorted()).toEqual(logFilesIn(fixture).toSorted());
    const home = digests.filter(({ digestS3Object }) => digestS3Object.includes('/eu-central-1/'));
    expect(home.map(({ digestEndTime }) => digestEndTime.slice(11))).toEqual(['11:00:00Z', '11:10:01Z']);
    expect(home[1]?.previousDigestS3Object).toBe(home[0]?.digestS3Object);
    expect(digests.filter(({ digestS3Object }) => digestS3Object.includes('/eu-west-3/'))).toHaveLength(1);
    expect(await leftOver(fixture)).toEqual([]);
    await pass(fixture, 3 * hourMs);
    expect(digestsOf(fixture)).toHaveLength(3);
  });

  it('wait for its last log files when the bucket is down, over the hours', async () => {
    await using fixture = await openFixture();
    await fixture.trails.startTrail(validated);
    await append(fixture, 'one');
    fixture.trails.buckets.fault = () => ({ error: new AwsFault('AccessDenied', 'no'), after: false });
    await settle(fixture);
    await fixture.trails.call('DeleteTrail', { Name: 'main' });
    await pass(fixture, 5 * hourMs, 10);
    expect(await leftOver(fixture)).not.toEqual([]);
    fixture.trails.buckets.fault = undefined;
    await pass(fixture, 180_000);
    expect(logFilesIn(fixture).length).toBeGreaterThan(0);
    expect(listed(digestsOf(fixture)).toSorted()).toEqual(logFilesIn(fixture).toSorted());
    expect(await leftOver(fixture)).toEqual([]);
  });

  it.each([0, 500, 999, 1000, 1400])(
    'are apart from those of trails that follow under its name, %i ms before the hour',
    async (beforeMs) => {
      await using fixture = await openFixture();
      await fixture.trails.trail.clock.advance(hourMs - beforeMs);
      const names: string[][] = [];
      for (let round = 0; round < 4; round++) {
        await fixture.trails.startTrail(validated);
        await append(fixture, `of-${round}`);
        await append(fixture, `of-${round}`, 'eu-west-3');
        if (round % 2 === 0) await settle(fixture);
        if (round < 3) await fixture.trails.call('DeleteTrail', { Name: 'main' });
        await fixture.trails.trail.clock.advance(200);
      }
      await pass(fixture, 2 * hourMs + 120_000, 60);
      const { puts, files } = fixture.trails.buckets;
      const digestPuts = puts
        .map(({ file }) => file)
        .filter(({ key }) => key.includes('/CloudTrail-Digest/'));
      // No digest was put over another one.
      expect(new Set(digestPuts.map(({ key }) => key)).size).toBe(digestPuts.length);
      const digests = digestsOf(fixture);
      expect(listed(digests).toSorted()).toEqual(logFilesIn(fixture).toSorted());
      for (const { logFiles } of digests) {
        const owners = logFiles.flatMap(({ s3Bucket, s3Object }) => {
          const file = files.get(`${s3Bucket}/${s3Object}`);
          const records = file ? fixture.trails.buckets.records(file) : [];
          return records.map(({ eventID }) => String(eventID)).filter((id) => id.startsWith('of-'));
        });
        if (owners.length > 0) names.push([...new Set(owners)]);
      }
      expect(names.every((owners) => owners.length === 1)).toBe(true);
      expect(names).toHaveLength(8);
      // Of the trail that is there the chains go on; of the others nothing is kept.
      const chains = await fixture.trails.trail.state.list('trail/digest-chains/');
      expect(chains).toHaveLength(2);
      expect(await fixture.trails.trail.state.list('trail/ended/')).toEqual([]);
    },
  );
});
