import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture, type ObjectOver } from '../../../test/bucket-fixture.ts';
import { faultOf } from '../../../test/identity-fixture.ts';
import { silentLog } from '../../kernel/index.ts';
import { readBucket } from './bucket-documents.ts';
import { openLifecycle, type Lifecycle } from './lifecycle.ts';
import { dueAt } from './lifecycle-plan.ts';
import { uploadKey, type UploadDocument } from './object-documents.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

let s3: BucketFixture;
let lifecycle: Lifecycle | undefined;
beforeEach(async () => {
  s3 = await openBucketFixture();
});
afterEach(async () => {
  await lifecycle?.[Symbol.asyncDispose]();
  lifecycle = undefined;
  await s3[Symbol.asyncDispose]();
});

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const rule = (over: object) => ({ ID: 'rule', Status: 'Enabled', Filter: {}, ...over });
const putRules = (Bucket: string, ...Rules: object[]) =>
  s3.call('PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules } });
const enableVersions = (Bucket: string) =>
  s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });

async function remove(name: string, key: string): Promise<void> {
  const bucket = await readBucket(s3.state, name);
  await s3.objects.commit((change) =>
    s3.objects.remove(change, bucket!, key, { cause: { kind: 'lifecycle' } }),
  );
}

/** Lets days pass and carries out what is due by then, as a start after that time would. */
async function pass(days: number): Promise<void> {
  await lifecycle?.[Symbol.asyncDispose]();
  s3.clock.jump(days * dayMs);
  lifecycle = openLifecycle({ state: s3.state, objects: s3.objects, clock: s3.clock, log: silentLog });
  await lifecycle.run();
}

describe('the rules of a lifecycle', () => {
  it.each([
    ['MalformedXML', { Expiration: { Days: 1 }, Filter: undefined }],
    ['MalformedXML', { Expiration: { Days: 1 }, Prefix: 'a' }],
    ['MalformedXML', { Expiration: { Days: 1 }, Filter: { Prefix: 'a', ObjectSizeLessThan: 5 } }],
    ['MalformedXML', { Expiration: { Days: 1 }, Filter: { And: { Prefix: 'a' } } }],
    ['MalformedXML', { Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }],
    ['MalformedXML', { Expiration: {} }],
    ['MalformedXML', { NoncurrentVersionExpiration: { NewerNoncurrentVersions: 1 } }],
    ['MalformedXML', { AbortIncompleteMultipartUpload: {} }],
    ['InvalidRequest', {}],
    ['InvalidArgument', { Expiration: { Days: 0 } }],
    ['InvalidArgument', { Expiration: { Days: -1 } }],
    ['InvalidArgument', { Expiration: { Date: new Date('2030-01-01T10:00:00Z') } }],
    ['InvalidArgument', { NoncurrentVersionExpiration: { NoncurrentDays: 0 } }],
    ['InvalidArgument', { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } }],
    ['InvalidArgument', { Expiration: { Days: 1 }, ID: 'x'.repeat(256) }],
    [
      'InvalidRequest',
      { Expiration: { ExpiredObjectDeleteMarker: true }, Filter: { Tag: { Key: 'a', Value: 'b' } } },
    ],
    [
      'InvalidRequest',
      {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Filter: { Tag: { Key: 'a', Value: 'b' } },
      },
    ],
    [
      'InvalidRequest',
      { Expiration: { Days: 1 }, Filter: { And: { ObjectSizeGreaterThan: 10, ObjectSizeLessThan: 11 } } },
    ],
    ['NotImplemented', { Transitions: [{ Days: 30, StorageClass: 'GLACIER' }] }],
    [
      'NotImplemented',
      {
        Expiration: { Days: 60 },
        NoncurrentVersionTransitions: [{ NoncurrentDays: 1, StorageClass: 'GLACIER' }],
      },
    ],
  ])('are refused with %s: %j', async (code, over) => {
    await s3.bucket('rules');
    expect(await codeOf(putRules('rules', rule(over)))).toBe(code);
  });

  it.each([
    ["'Days' for Expiration action must be a positive integer", { Expiration: { Days: 0 } }],
    [
      "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
      { NoncurrentVersionExpiration: { NoncurrentDays: 0 } },
    ],
    [
      "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } },
    ],
    ["'Date' must be at midnight GMT", { Expiration: { Date: new Date('2030-01-01T10:00:00Z') } }],
  ])('%s', async (message, over) => {
    await s3.bucket('rules');
    await expect(putRules('rules', rule(over))).rejects.toMatchObject({ message });
  });

  it('have each their own ID, and get one where they have none', async () => {
    await s3.bucket('rules');
    expect(await codeOf(s3.call('GetBucketLifecycleConfiguration', { Bucket: 'rules' }))).toBe(
      'NoSuchLifecycleConfiguration',
    );
    const days = { Expiration: { Days: 1 } };
    expect(await codeOf(putRules('rules', rule(days), rule(days)))).toBe('InvalidArgument');
    expect(await codeOf(putRules('rules'))).toBe('MalformedXML');
    const at = { Expiration: { Date: new Date('2030-01-01T00:00:00Z') } };
    await putRules('rules', rule({ ...days, ID: undefined }), rule(at));
    const { Rules } = await s3.call('GetBucketLifecycleConfiguration', { Bucket: 'rules' });
    expect(Rules[0].ID).toMatch(/^[\w-]{48}$/);
    expect(Rules[1]).toEqual(rule(at));
    await s3.call('DeleteBucketLifecycle', { Bucket: 'rules' });
    expect(await codeOf(s3.call('GetBucketLifecycleConfiguration', { Bucket: 'rules' }))).toBe(
      'NoSuchLifecycleConfiguration',
    );
  });
});

describe('expiration', () => {
  // "Elements to describe lifecycle actions": created 15 January 2014 10:30 UTC, 3 days, so 19 January 00:00 UTC.
  it('falls due at the midnight after the days', () => {
    expect(dueAt(Date.UTC(2014, 0, 15, 10, 30), 3)).toBe(Date.UTC(2014, 0, 19));
    expect(dueAt(Date.UTC(2014, 0, 15), 3)).toBe(Date.UTC(2014, 0, 18));
  });

  it('takes current objects of the rule’s scope when their time has come, and nothing else', async () => {
    await s3.bucket('logs');
    const put = (key: string, over?: ObjectOver) => s3.put('logs', key, over);
    await put('a/old');
    await put('b/old');
    await put('tagged', {
      tags: [
        { Key: 'keep', Value: 'no' },
        { Key: 'x', Value: 'y' },
      ],
    });
    await put('tagged-other', { tags: [{ Key: 'keep', Value: 'yes' }] });
    await put('large', { body: 'x'.repeat(100) });
    await put('small', { body: 'x'.repeat(10) });
    await putRules(
      'logs',
      rule({ ID: '1', Filter: { Prefix: 'a/' }, Expiration: { Days: 2 } }),
      rule({ ID: '2', Filter: { Tag: { Key: 'keep', Value: 'no' } }, Expiration: { Days: 2 } }),
      rule({ ID: '3', Filter: { And: { Prefix: 'l', ObjectSizeGreaterThan: 99 } }, Expiration: { Days: 2 } }),
      rule({ ID: '4', Filter: undefined, Prefix: 's', Status: 'Disabled', Expiration: { Days: 2 } }),
    );
    await pass(2);
    // Put at ten o'clock: two days later is not yet the midnight after.
    expect(await s3.keys('logs')).toHaveLength(6);
    await put('a/new');
    await pass(1);
    expect(await s3.keys('logs')).toEqual(['a/new', 'b/old', 'small', 'tagged-other']);
    await pass(2);
    expect(await s3.keys('logs')).toEqual(['b/old', 'small', 'tagged-other']);
  });

  it('goes on when a clock that was years ahead is put back', async () => {
    await s3.bucket('logs');
    await putRules('logs', rule({ Expiration: { Days: 2 } }));
    await pass(5 * 365);
    await pass(-5 * 365);
    await s3.put('logs', 'a');
    await pass(1);
    expect(await s3.keys('logs')).toEqual(['a']);
    await pass(2);
    expect(await s3.keys('logs')).toEqual([]);
  });

  it('by date takes everything from that day on', async () => {
    await s3.bucket('logs');
    await s3.put('logs', 'a');
    await putRules('logs', rule({ Expiration: { Date: new Date('2026-11-25T00:00:00Z') } }));
    await pass(2);
    expect(await s3.keys('logs')).toEqual(['a']);
    await pass(1);
    expect(await s3.keys('logs')).toEqual([]);
    await s3.put('logs', 'b');
    await pass(1);
    expect(await s3.keys('logs')).toEqual([]);
  });

  it('leaves a marker in a bucket with versions, and takes old versions by their own rule', async () => {
    await s3.bucket('logs');
    await enableVersions('logs');
    const first = await s3.put('logs', 'a');
    await putRules(
      'logs',
      rule({ Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 3 } }),
    );
    await pass(2);
    expect(await s3.keys('logs')).toEqual([]);
    const [marker, second] = await s3.versions('logs');
    expect([marker?.[0], second]).toEqual(['m', first]);
    // Noncurrent since the marker: three days, and the midnight after.
    await pass(3);
    expect(await s3.versions('logs')).toEqual([marker, first]);
    await pass(1);
    expect(await s3.versions('logs')).toEqual([marker]);
    // Alone and older than the days of the rule.
    await pass(1);
    expect(await s3.versions('logs')).toEqual([]);
  });

  it('keeps as many newer noncurrent versions as the rule says', async () => {
    await s3.bucket('logs');
    await enableVersions('logs');
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.push(await s3.put('logs', 'a', { body: `version ${n}` }));
      await s3.clock.advance(1_000);
    }
    await putRules(
      'logs',
      rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } }),
    );
    await pass(2);
    expect(await s3.keys('logs')).toEqual(['a']);
    expect(await s3.versions('logs')).toEqual([ids[3], ids[2]]);
  });

  it('takes markers that nothing is behind, and only those', async () => {
    await s3.bucket('logs');
    await enableVersions('logs');
    await s3.put('logs', 'with-version');
    await remove('logs', 'with-version');
    await remove('logs', 'alone');
    await putRules('logs', rule({ Expiration: { ExpiredObjectDeleteMarker: true } }));
    await pass(1);
    const documents = await s3.state.list<{ key: string; kind: string }>('s3/version/logs/');
    expect(documents.map(({ value }) => [value.key, value.kind])).toEqual([
      ['with-version', 'marker'],
      ['with-version', 'object'],
    ]);
  });

  it('never takes what object lock protects, and takes it when it does not any more', async () => {
    await s3.bucket('locked', { ObjectLockEnabledForBucket: true });
    const until = s3.clock.now() + 10 * dayMs;
    const held = await s3.put('locked', 'held', { legalHold: true });
    const retained = await s3.put('locked', 'retained', { retention: { mode: 'COMPLIANCE', until } });
    const governed = await s3.put('locked', 'governed', { retention: { mode: 'GOVERNANCE', until } });
    await s3.put('locked', 'free');
    for (const key of ['held', 'retained', 'governed', 'free']) await remove('locked', key);
    await putRules('locked', rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } }));
    const objects = async () => (await s3.versions('locked')).filter((id) => !id.startsWith('m')).toSorted();
    await pass(3);
    expect(await objects()).toEqual([held, retained, governed].toSorted());
    await pass(8);
    expect(await objects()).toEqual([held]);
  });

  it('aborts uploads that were not completed in time', async () => {
    await s3.bucket('logs');
    const begin = (id: string, key: string): UploadDocument => ({
      id,
      key,
      initiated: s3.clock.now(),
      initiator: { arn: 'x', name: 'x' },
      headers: {},
      metadata: {},
      encryption: { algorithm: 'AES256', sealedKey: '' },
      storageClass: 'STANDARD',
      checksum: { algorithm: 'CRC32', type: 'COMPOSITE', asked: false },
    });
    const store = (upload: UploadDocument) =>
      s3.objects.commit((change) => {
        change.put(uploadKey('logs', upload.key, upload.id), upload);
        return Promise.resolve();
      });
    await store(begin('u1', 'a/1'));
    await store(begin('u2', 'b/1'));
    await putRules(
      'logs',
      rule({ Filter: { Prefix: 'a/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    );
    await pass(2);
    const left = await s3.state.list<UploadDocument>('s3/upload/logs/');
    expect(left.map(({ value }) => value.id)).toEqual(['u2']);
  });
});

describe('the runner', () => {
  it('runs at midnight by itself, once a day', async () => {
    await s3.bucket('logs');
    await putRules('logs', rule({ Expiration: { Days: 1 } }));
    await s3.put('logs', 'a');
    lifecycle = openLifecycle({ state: s3.state, objects: s3.objects, clock: s3.clock, log: silentLog });
    await lifecycle.run();
    for (let hour = 0; hour < 37; hour++) {
      await s3.clock.advance(hourMs);
      await lifecycle.run();
    }
    expect(await s3.keys('logs')).toEqual(['a']);
    await s3.clock.advance(hourMs);
    await lifecycle.run();
    expect(await s3.keys('logs')).toEqual([]);
  });

  it('tries again after a pause when something fails, and other buckets do not wait for it', async () => {
    for (const name of ['bad', 'good']) {
      await s3.bucket(name);
      await putRules(name, rule({ Expiration: { Days: 1 } }));
      await s3.put(name, 'a');
    }
    s3.clock.jump(2 * dayMs);
    let broken = true;
    const objects: typeof s3.objects = {
      ...s3.objects,
      remove: (change, bucket, ...rest) => {
        if (broken && bucket.name === 'bad') return Promise.reject(new Error('the disk is on fire'));
        return s3.objects.remove(change, bucket, ...rest);
      },
    };
    lifecycle = openLifecycle({ state: s3.state, objects, clock: s3.clock, log: silentLog });
    await lifecycle.run();
    expect([await s3.keys('bad'), await s3.keys('good')]).toEqual([['a'], []]);
    broken = false;
    await s3.clock.advance(60_000);
    await lifecycle.run();
    expect(await s3.keys('bad')).toEqual([]);
  });

  it('goes on where it was after a stop in the middle, in many commits', async () => {
    await s3.bucket('many');
    await putRules('many', rule({ Expiration: { Days: 1 } }));
    for (let n = 0; n < 250; n++) await s3.put('many', `key-${n}`);
    s3.clock.jump(2 * dayMs);
    let commits = 0;
    const objects: typeof s3.objects = {
      ...s3.objects,
      commit: (work) => {
        commits += 1;
        return commits >= 2 ? Promise.reject(new Error('killed')) : s3.objects.commit(work);
      },
    };
    lifecycle = openLifecycle({ state: s3.state, objects, clock: s3.clock, log: silentLog });
    await lifecycle.run();
    expect(await s3.keys('many')).toHaveLength(150);
    await lifecycle[Symbol.asyncDispose]();
    await pass(0);
    expect(await s3.keys('many')).toEqual([]);
  });

  it('does not take what was put anew while it looked', async () => {
    await s3.bucket('busy');
    await putRules('busy', rule({ Expiration: { Days: 1 } }));
    await s3.put('busy', 'a');
    s3.clock.jump(2 * dayMs);
    let once = true;
    const objects: typeof s3.objects = {
      ...s3.objects,
      commit: async (work) => {
        if (once) {
          once = false;
          await s3.put('busy', 'a', { body: 'new' });
        }
        return s3.objects.commit(work);
      },
    };
    lifecycle = openLifecycle({ state: s3.state, objects, clock: s3.clock, log: silentLog });
    await lifecycle.run();
    expect(await s3.keys('busy')).toEqual(['a']);
  });

  it('forgets its rules as soon as they are taken away', async () => {
    await s3.bucket('busy');
    await putRules('busy', rule({ Expiration: { Days: 1 } }));
    await s3.put('busy', 'a');
    s3.clock.jump(2 * dayMs);
    let once = true;
    const objects: typeof s3.objects = {
      ...s3.objects,
      commit: async (work) => {
        if (once) {
          once = false;
          await s3.call('DeleteBucketLifecycle', { Bucket: 'busy' });
        }
        return s3.objects.commit(work);
      },
    };
    lifecycle = openLifecycle({ state: s3.state, objects, clock: s3.clock, log: silentLog });
    await lifecycle.run();
    expect(await s3.keys('busy')).toEqual(['a']);
  });

  it('leaves with any rule in days what is younger, whatever the prefixes', async () => {
    const seed = 11;
    const keys = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom('a', 'b', '/', '💧', '\u0001'), minLength: 1, maxLength: 4 }),
      {
        maxLength: 8,
      },
    );
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.array(
          fc.record({
            prefix: fc.constantFrom('', 'a', 'a/', 'b', '💧'),
            days: fc.integer({ min: 1, max: 3 }),
          }),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        fc.integer({ min: 1, max: 4 }),
        async (names, rules, days) => {
          const bucket = await s3.bucket(`property-${number++}`);
          for (const name of names) await s3.put(bucket, name);
          const putAt = s3.clock.now();
          await putRules(
            bucket,
            ...rules.map((one, place) =>
              rule({ ID: String(place), Filter: { Prefix: one.prefix }, Expiration: { Days: one.days } }),
            ),
          );
          await pass(days);
          const midnight = Math.floor(s3.clock.now() / dayMs) * dayMs;
          const kept = names.filter(
            (name) => !rules.some((one) => name.startsWith(one.prefix) && dueAt(putAt, one.days) <= midnight),
          );
          expect((await s3.keys(bucket)).toSorted()).toEqual(kept.toSorted());
        },
      ),
      { seed, numRuns: 40 },
    );
  });
});

const object = (over = {}) => ({ Bucket: 'bbb', Key: 'logs/a b', ...over });
const expiry = (at: number, ruleId: string) =>
  `expiry-date="${new Date(at).toUTCString()}", rule-id="${ruleId}"`;

describe('answers', () => {
  /** "GetObject", x-amz-expiration: "if the object expiration is configured, the response includes this header". */
  it('say when an object expires, and by which rule', async () => {
    await s3.bucket('bbb');
    await enableVersions('bbb');
    await putRules(
      'bbb',
      rule({ ID: 'later', Expiration: { Days: 9 } }),
      rule({ ID: 'a rule', Filter: { Prefix: 'logs/' }, Expiration: { Days: 2 } }),
      rule({ ID: 'off', Status: 'Disabled', Expiration: { Days: 1 } }),
    );
    const first = await s3.call('PutObject', object());
    const Expiration = expiry(dueAt(s3.clock.now(), 2), 'a%20rule');
    expect(first.Expiration).toBe(Expiration);
    expect(await s3.call('HeadObject', object())).toMatchObject({ Expiration });
    const copy = await s3.call('CopyObject', object({ Key: 'other', CopySource: 'bbb/logs/a%20b' }));
    expect(copy.Expiration).toBe(expiry(dueAt(s3.clock.now(), 9), 'later'));
    const { VersionId } = first;
    expect(await s3.call('HeadObject', object({ VersionId }))).not.toHaveProperty('Expiration');
    await s3.call('DeleteBucketLifecycle', { Bucket: 'bbb' });
    expect(await s3.call('HeadObject', object())).not.toHaveProperty('Expiration');
  });

  it('say when an upload is aborted, and by which rule', async () => {
    await s3.bucket('bbb');
    await putRules('bbb', rule({ ID: 'tidy', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } }));
    const abort = { AbortDate: new Date(dueAt(s3.clock.now(), 3)), AbortRuleId: 'tidy' };
    const { UploadId, ...begun } = await s3.call('CreateMultipartUpload', object());
    expect(begun).toMatchObject(abort);
    expect(await s3.call('ListParts', object({ UploadId }))).toMatchObject(abort);
  });
});
