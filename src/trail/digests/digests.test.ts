import { createPublicKey, verify } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { region } from '../../kernel/index.ts';
import { trailKey } from '../trails/trail-documents.ts';
import { ListPublicKeys } from './api/list-public-keys.ts';
import { digestStatusKey } from './digest-documents.ts';
import { sha256Hex } from './digest-format.ts';
import {
  accountId,
  bucketDown,
  hourMs,
  openDigestsFixture,
  startMs,
  trailNamed,
  type DigestsFixture,
} from '../../../test/digests-fixture.ts';

interface Digest {
  readonly place: string;
  readonly body: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- as read from JSON
  readonly metadata: Readonly<Record<string, string>>;
  readonly sha256: string;
}

/** The digests in the buckets, in the order of their keys. */
function digestsIn({ files }: DigestsFixture): Digest[] {
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, { body, metadata = {} }]) => {
      const inflated = gunzipSync(body);
      return { place, body: JSON.parse(inflated.toString()), metadata, sha256: sha256Hex(inflated) };
    });
}

function listedIn(body: Digest['body']): string[] {
  return (body['logFiles'] as { readonly s3Object: string }[]).map(({ s3Object }) => s3Object);
}

async function publicKeys(fixture: DigestsFixture, of = 'us-east-1') {
  const { PublicKeyList = [] } = await ListPublicKeys(
    { StartTime: new Date(0), EndTime: new Date(startMs * 2) },
    { region: region(of), time: fixture.clock.now() },
    fixture.state,
  );
  return PublicKeyList;
}

/** Checks a signature as the documentation's page on custom implementations says, without our own code. */
async function signatureHolds(fixture: DigestsFixture, { body, metadata, sha256 }: Digest): Promise<boolean> {
  const keys = await publicKeys(fixture, /CloudTrail-Digest\/([^/]+)\//.exec(body['digestS3Object'])?.[1]);
  const key = keys.find(({ Fingerprint }) => Fingerprint === body['digestPublicKeyFingerprint']);
  const text = `${body['digestEndTime']}\n${body['digestS3Bucket']}/${body['digestS3Object']}\n${sha256}\n${body['previousDigestSignature'] ?? 'null'}`;
  const publicKey = createPublicKey({ key: Buffer.from(key?.Value ?? []), format: 'der', type: 'pkcs1' });
  return verify('sha256', Buffer.from(text), publicKey, Buffer.from(metadata['signature'] ?? '', 'hex'));
}

/** Fails unless the digests are one chain in their order. */
function expectOneChain(digests: readonly Digest[]): void {
  digests.forEach(({ body }, at) => {
    const before = digests[at - 1];
    expect(body['previousDigestS3Bucket'] ?? null).toBe(before?.body['digestS3Bucket'] ?? null);
    expect(body['previousDigestS3Object']).toBe(before?.body['digestS3Object'] ?? null);
    expect(body['previousDigestHashValue']).toBe(before?.sha256 ?? null);
    expect(body['previousDigestHashAlgorithm']).toBe(before ? 'SHA-256' : null);
    expect(body['previousDigestSignature']).toBe(before?.metadata['signature'] ?? null);
    if (before) expect(body['digestStartTime']).toBe(before.body['digestEndTime']);
  });
}

describe('digest files', () => {
  it('are delivered for every hour, also an empty one, chained and signed', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(600_000);
    const first = await fixture.deliver(trail);
    await fixture.pass(2 * hourMs);
    const second = await fixture.deliver(trail);
    await fixture.pass(hourMs);
    const digests = digestsIn(fixture);
    expect(digests.map(({ place }) => place)).toEqual(
      ['110000', '120000', '130000'].map(
        (time) =>
          `logs/AWSLogs/${accountId}/CloudTrail-Digest/us-east-1/2026/11/22/${accountId}_CloudTrail-Digest_us-east-1_main_us-east-1_20261122T${time}Z.json.gz`,
      ),
    );
    expectOneChain(digests);
    for (const digest of digests) expect(await signatureHolds(fixture, digest)).toBe(true);
    expect(digests[0]?.body['logFiles']).toEqual([
      {
        s3Bucket: 'logs',
        s3Object: first.key,
        hashValue: first.sha256,
        hashAlgorithm: 'SHA-256',
        newestEventTime: '2026-11-22T10:09:59Z',
        oldestEventTime: '2026-11-22T10:09:55Z',
      },
    ]);
    expect(digests[1]?.body).toMatchObject({ logFiles: [], newestEventTime: null, oldestEventTime: null });
    expect(digests[2]?.body['logFiles']).toMatchObject([{ s3Object: second.key }]);
    expect(digests[0]?.metadata['signature-algorithm']).toBe('SHA256withRSA');
    expect(await fixture.state.count('trail/delivered/')).toBe(0);
    const status = await fixture.state.get(digestStatusKey(trail.arn));
    expect(status?.value).toEqual({ latestAt: expect.any(Number) });
  });

  it('have the members of the documentation in their order', async () => {
    await using fixture = await openDigestsFixture();
    await fixture.setTrail(trailNamed('main'));
    await fixture.pass(hourMs + 60_000);
    expect(Object.keys(digestsIn(fixture)[0]?.body ?? {})).toEqual([
      'awsAccountId',
      'digestStartTime',
      'digestEndTime',
      'digestS3Bucket',
      'digestS3Object',
      'digestPublicKeyFingerprint',
      'digestSignatureAlgorithm',
      'newestEventTime',
      'oldestEventTime',
      'previousDigestS3Bucket',
      'previousDigestS3Object',
      'previousDigestHashValue',
      'previousDigestHashAlgorithm',
      'previousDigestSignature',
      'logFiles',
    ]);
  });

  it('catch up in order when the bucket was down, without a gap', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    fixture.failing = bucketDown;
    await fixture.pass(5 * hourMs, hourMs / 2);
    expect(fixture.puts).toEqual([]);
    expect((await fixture.state.get(digestStatusKey(trail.arn)))?.value).toEqual({
      latestError: 'ServiceUnavailable',
    });
    fixture.failing = undefined;
    const file = await fixture.deliver(trail);
    await fixture.pass(hourMs + 120_000, 60_000);
    const digests = digestsIn(fixture);
    expect(digests.map(({ body }) => body['digestEndTime'].slice(11, 16))).toEqual([
      '11:00',
      '12:00',
      '13:00',
      '14:00',
      '15:00',
      '16:00',
    ]);
    expectOneChain(digests);
    expect(digests[5]?.body['logFiles']).toMatchObject([{ s3Object: file.key }]);
    expect((await fixture.state.get(digestStatusKey(trail.arn)))?.value).not.toHaveProperty('latestError');
  });

  it('cover a time of years without log files by one, and so does a clock that is years ahead', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(600_000);
    const before = await fixture.deliver(trail);
    fixture.clock.jump(5 * 365 * 24 * hourMs);
    const after = await fixture.deliver(trail);
    await fixture.pass(hourMs + 60_000);
    const digests = digestsIn(fixture);
    expectOneChain(digests);
    expect(digests.map(({ body }) => body['digestEndTime'])).toEqual([
      '2026-11-22T11:00:00Z',
      '2031-11-21T10:00:00Z',
      '2031-11-21T11:00:00Z',
    ]);
    expect(digests.map(({ body }) => listedIn(body))).toEqual([[before.key], [], [after.key]]);
    for (const digest of digests) expect(await signatureHolds(fixture, digest)).toBe(true);
  });

  it('list what came while the clock was years ahead, and after it was put back, within the hour', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    const before = await fixture.deliver(trail);
    fixture.clock.jump(5 * 365 * 24 * hourMs);
    const ahead = await fixture.deliver(trail);
    await fixture.pass(10_000);
    fixture.clock.jump(-5 * 365 * 24 * hourMs);
    // As delivery has it: never before the file before it.
    const after = await fixture.deliver(trail, { deliveredAt: ahead.deliveredAt });
    await fixture.pass(60_000);
    const late = await fixture.deliver(trail, { deliveredAt: ahead.deliveredAt });
    await fixture.pass(hourMs);
    const digests = digestsIn(fixture);
    expect(digests.flatMap(({ body }) => listedIn(body)).toSorted()).toEqual(
      [before, ahead, after, late].map(({ key }) => key),
    );
    expectOneChain(digests.filter(({ place }) => !place.includes('_backfill')));
    expect(digests.length).toBeLessThan(6);
  });

  it('come for every hour of a week that nobody was there, and cover no time after logging was stopped', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 60_000);
    await fixture.digests[Symbol.asyncDispose]();
    fixture.clock.jump(7 * 24 * hourMs);
    await fixture.restart();
    await fixture.pass(1000);
    expect(digestsIn(fixture)).toHaveLength(1 + 7 * 24);
    const stoppedAt = fixture.clock.now() + 30 * 24 * hourMs + 1;
    fixture.clock.jump(60 * 24 * hourMs);
    await fixture.setTrail({ ...trail, isLogging: false, stoppedAt });
    await fixture.pass(hourMs);
    const digests = digestsIn(fixture);
    expectOneChain(digests);
    const boundary = Math.ceil(stoppedAt / hourMs) * hourMs;
    expect(digests.slice(1 + 7 * 24).map(({ body }) => Date.parse(body['digestEndTime']))).toEqual([
      boundary - hourMs,
      boundary,
    ]);
  });

  it('come when the bucket is back, although the clock was put back meanwhile, and go on in order', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(600_000);
    const before = await fixture.deliver(trail);
    fixture.failing = bucketDown;
    await fixture.pass(2 * hourMs);
    expect(digestsIn(fixture)).toEqual([]);
    fixture.clock.jump(-24 * hourMs);
    fixture.failing = undefined;
    await fixture.pass(180_000);
    const [first, ...more] = digestsIn(fixture);
    expect(more).toEqual([]);
    expect(listedIn(first!.body)).toEqual([before.key]);
    // As delivery has it: never before the file before it. Its digest is there already, so it comes in a backfill digest.
    const during = await fixture.deliver(trail, { deliveredAt: before.deliveredAt });
    await fixture.pass(26 * hourMs);
    const digests = digestsIn(fixture);
    const late = digests.filter(({ place }) => place.includes('_backfill'));
    expect(late.flatMap(({ body }) => listedIn(body))).toEqual([during.key]);
    const regular = digests.filter((digest) => !late.includes(digest));
    expectOneChain(regular);
    expect(regular.length).toBeGreaterThan(2);
    expect(regular.flatMap(({ body }) => listedIn(body))).toEqual([before.key]);
  });

  it('are the same bytes again after a crash between put and commit', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(1000);
    await fixture.deliver(trail);
    fixture.failing = (_, when) => {
      if (when === 'after') bucketDown();
    };
    await fixture.pass(hourMs + 90_000);
    const [before] = fixture.puts;
    // What is delivered meanwhile, late or not, must not change what was put already.
    await fixture.deliver(trail, { deliveredAt: startMs + 2000 });
    fixture.failing = undefined;
    await fixture.restart();
    await fixture.pass(1000);
    const again = fixture.puts.filter(({ key }) => key === before?.key);
    expect(again.length).toBeGreaterThan(1);
    for (const put of again) expect(put).toEqual(before);
    expect(await fixture.state.count('trail/delivered/')).toBe(0);
    const listed = digestsIn(fixture).flatMap(({ body }) => listedIn(body));
    expect(new Set(listed).size).toBe(2);
    expect(listed.length).toBe(2);
  });

  it('list what came late in a backfill digest of its own chain', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 60_000);
    const late = await fixture.deliver(trail, { deliveredAt: startMs + 60_000 });
    await fixture.pass(hourMs);
    const later = await fixture.deliver(trail, { deliveredAt: startMs + hourMs + 60_000 });
    await fixture.pass(2 * hourMs);
    const all = digestsIn(fixture);
    const backfills = all.filter(({ place }) => place.endsWith('_backfill.json.gz'));
    expectOneChain(all.filter((digest) => !backfills.includes(digest)));
    expect(backfills.map(({ body }) => listedIn(body))).toEqual([[late.key], [later.key]]);
    expect(backfills[1]?.body['previousDigestSignature']).toBe(backfills[0]?.metadata['signature']);
    for (const digest of backfills) {
      expect(digest.metadata['backfill-generation-timestamp']).toMatch(/^2026-11-22T1[1-3]:\d\d:\d\dZ$/);
      expect(await signatureHolds(fixture, digest)).toBe(true);
    }
  });

  it('end with a final digest when logging stops, and start a new chain when it starts again', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 60_000);
    await fixture.deliver(trail);
    const stoppedAt = fixture.clock.now();
    await fixture.setTrail({ ...trail, isLogging: false, stoppedAt });
    await fixture.pass(4 * hourMs, hourMs);
    expect(digestsIn(fixture).length).toBe(2);
    expectOneChain(digestsIn(fixture));
    expect(digestsIn(fixture)[1]?.body['logFiles'].length).toBe(1);
    const startedAt = fixture.clock.now();
    await fixture.setTrail({ ...trail, stoppedAt, startedAt });
    await fixture.pass(2 * hourMs);
    const digests = digestsIn(fixture);
    expect(digests.length).toBe(4);
    expectOneChain(digests.slice(2));
    expect(digests[2]?.body['digestStartTime']).toBe('2026-11-22T15:01:00Z');
  });

  it('start a new chain also when logging stops and starts within one hour', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 600_000);
    const now = fixture.clock.now();
    await fixture.setTrail({ ...trail, stoppedAt: now - 5000, startedAt: now });
    await fixture.pass(hourMs);
    const digests = digestsIn(fixture);
    expect(
      digests.map(({ body }) => [
        body['digestEndTime'].slice(11, 16),
        body['previousDigestS3Object'] === null,
      ]),
    ).toEqual([
      ['11:00', true],
      ['11:10', false],
      ['12:00', true],
    ]);
    expectOneChain(digests.slice(0, 2));
  });

  it('come a last time for a trail that was deleted, and then nothing of it is kept', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(600_000);
    await fixture.deliver(trail);
    await fixture.change((change) => change.delete(trailKey(accountId, 'us-east-1', 'main')));
    await fixture.pass(3 * hourMs, hourMs);
    const digests = digestsIn(fixture);
    expect(digests.length).toBe(1);
    expect(digests[0]?.body['logFiles'].length).toBe(1);
    expect(await fixture.state.count('trail/digest-chains/')).toBe(0);
    expect(await fixture.state.count('trail/delivered/')).toBe(0);
    expect(await fixture.state.count('trail/status/')).toBe(0);
  });

  it('go to the new bucket and prefix from then on, linked to the old one', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 60_000);
    fixture.failing = (file) => {
      if (file.bucket === 'logs') bucketDown();
    };
    await fixture.pass(hourMs);
    await fixture.setTrail({ ...trail, bucket: 'archive', prefix: 'audit' });
    await fixture.pass(hourMs);
    const digests = digestsIn(fixture).toSorted((a, b) =>
      a.body['digestEndTime'] < b.body['digestEndTime'] ? -1 : 1,
    );
    expect(digests.map(({ place }) => place.split('/').slice(0, 2))).toEqual([
      ['logs', 'AWSLogs'],
      ['archive', 'audit'],
      ['archive', 'audit'],
    ]);
    expectOneChain(digests);
  });

  it('are signed with another key after a rotation, and every key stays listed', async () => {
    await using fixture = await openDigestsFixture({ keyRotationMs: 2 * hourMs });
    await fixture.setTrail(trailNamed('main'));
    await fixture.pass(6 * hourMs + 60_000, hourMs);
    const digests = digestsIn(fixture);
    expectOneChain(digests);
    for (const digest of digests) expect(await signatureHolds(fixture, digest)).toBe(true);
    const used = new Set(digests.map(({ body }) => body['digestPublicKeyFingerprint']));
    const listed = await publicKeys(fixture);
    expect(used.size).toBe(4);
    expect(new Set(listed.map(({ Fingerprint }) => Fingerprint))).toEqual(used);
    // What a verifier asks for: the keys of the time that the digest covers.
    for (const { body } of digests) {
      const time = new Date(body['digestEndTime']);
      const { PublicKeyList = [] } = await ListPublicKeys(
        { StartTime: time, EndTime: time },
        { region: region('us-east-1'), time: fixture.clock.now() },
        fixture.state,
      );
      expect(PublicKeyList.map(({ Fingerprint }) => Fingerprint)).toContain(
        body['digestPublicKeyFingerprint'],
      );
    }
    const documents = await fixture.state.list<{ privateKey?: string }>('trail/digest-keys/');
    expect(documents.filter(({ value }) => value.privateKey === undefined).length).toBeGreaterThan(0);
  });

  it('of a multi-region trail come in each region from its first log file on, under a key of that region', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main', { isMultiRegion: true });
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 60_000);
    await fixture.deliver(trail, { region: 'eu-west-1' });
    await fixture.pass(2 * hourMs);
    const there = digestsIn(fixture).filter(({ place }) => place.includes('/eu-west-1/'));
    expect(there.map(({ body }) => body['logFiles'].length)).toEqual([1, 0]);
    expectOneChain(there);
    expect(there[0]?.place).toContain('_CloudTrail-Digest_eu-west-1_main_us-east-1_20261122T120000Z');
    for (const digest of there) expect(await signatureHolds(fixture, digest)).toBe(true);
    expect(await publicKeys(fixture, 'eu-west-1')).not.toEqual(await publicKeys(fixture));
  });

  it('of other regions end when the trail is for its home region alone, for an empty one says that nothing happened', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main', { isMultiRegion: true });
    await fixture.setTrail(trail);
    await fixture.deliver(trail, { region: 'eu-west-1' });
    await fixture.pass(hourMs + 600_000);
    const last = await fixture.deliver(trail, { region: 'eu-west-1' });
    await fixture.setTrail({ ...trail, isMultiRegion: false });
    await fixture.pass(5 * hourMs, hourMs / 2);
    const of = (name: string) => digestsIn(fixture).filter(({ place }) => place.includes(`/${name}/`));
    expect(of('eu-west-1').map(({ body }) => body['digestEndTime'].slice(11, 16))).toEqual([
      '11:00',
      '12:00',
    ]);
    expect(listedIn(of('eu-west-1')[1]!.body)).toEqual([last.key]);
    expect(of('us-east-1')).toHaveLength(6);
    // For all regions again, it has a new chain there.
    await fixture.setTrail(trail);
    await fixture.pass(hourMs);
    const [, , again] = of('eu-west-1');
    expect(again?.body).toMatchObject({ previousDigestS3Object: null, logFiles: [] });
    expect(again?.body['digestStartTime'].slice(11, 13)).toBe('16');
  });

  it('do not cover the time in which validation was off', async () => {
    await using fixture = await openDigestsFixture();
    const trail = trailNamed('main');
    await fixture.setTrail(trail);
    await fixture.pass(hourMs + 600_000);
    await fixture.setTrail({ ...trail, logFileValidation: false });
    await fixture.pass(4 * hourMs, hourMs / 2);
    await fixture.setTrail(trail);
    const file = await fixture.deliver(trail);
    await fixture.pass(hourMs);
    const spans = digestsIn(fixture).map(({ body }) =>
      [body['digestStartTime'], body['digestEndTime']].map((time: string) => time.slice(11, 16)),
    );
    expect(spans).toEqual([
      ['10:00', '11:00'],
      ['11:00', '12:00'],
      ['15:10', '16:00'],
    ]);
    expect(listedIn(digestsIn(fixture)[2]!.body)).toEqual([file.key]);
  });

  it('of one trail do not wait for the bucket of another', async () => {
    await using fixture = await openDigestsFixture();
    await fixture.setTrail(trailNamed('broken', { bucket: 'gone' }));
    await fixture.setTrail(trailNamed('main'));
    fixture.failing = ({ bucket }) => {
      if (bucket === 'gone') bucketDown();
    };
    await fixture.pass(2 * hourMs + 60_000, hourMs / 2);
    expect(digestsIn(fixture).length).toBe(2);
  });
});

describe('ListPublicKeys', () => {
  it('answers the key of now where no time is asked for, and refuses what is no time range and no token', async () => {
    await using fixture = await openDigestsFixture({ keyRotationMs: hourMs });
    await fixture.setTrail(trailNamed('main'));
    await fixture.pass(3 * hourMs + 60_000, hourMs);
    const list = (input: Parameters<typeof ListPublicKeys>[0]) =>
      ListPublicKeys(input, { region: region('us-east-1'), time: fixture.clock.now() }, fixture.state);
    const current = await list({});
    expect(current.PublicKeyList?.length).toBe(1);
    expect(current.PublicKeyList?.[0]?.ValidityStartTime).toEqual(new Date(startMs + 3 * hourMs));
    expect((await list({ StartTime: new Date(startMs) })).PublicKeyList?.length).toBe(3);
    expect((await list({ EndTime: new Date(startMs) })).PublicKeyList).toEqual([]);
    const reversed = { StartTime: new Date(startMs), EndTime: new Date(startMs - 1) };
    await expect(list(reversed)).rejects.toMatchObject({ code: 'InvalidTimeRangeException' });
    await expect(list({ NextToken: 'x' })).rejects.toMatchObject({ code: 'InvalidTokenException' });
  });
});
