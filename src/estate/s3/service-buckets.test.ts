import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../test/bucket-fixture.ts';
import { faultOf, management } from '../../../test/identity-fixture.ts';
import type { Buckets } from '../../trail/buckets.ts';
import { openOutsideBuckets } from './outside-buckets.ts';
import { openServiceBuckets } from './service-buckets.ts';

/** As CloudTrail: what bucket policies allow it, and what comes of it. */

let s3: BucketFixture;
let buckets: Buckets;
const trail = {
  arn: `arn:aws:cloudtrail:eu-central-1:${management}:trail/main`,
  accountId: management as string,
  region: 'eu-central-1',
};
const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;

beforeEach(async () => {
  s3 = await openBucketFixture();
  buckets = openServiceBuckets({ ...s3, outside: undefined, managementAccountId: management });
  await s3.bucket('logs');
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

const service = { Service: 'cloudtrail.amazonaws.com' };
const allow = (Action: string, Resource: string, Condition?: object) => ({
  Effect: 'Allow',
  Principal: service,
  Action,
  Resource,
  ...(Condition && { Condition }),
});
/** "Amazon S3 bucket policy for CloudTrail". */
const documented = allow('s3:PutObject', `arn:aws:s3:::logs/AWSLogs/${management}/*`, {
  StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', 'aws:SourceArn': trail.arn },
});
const setPolicy = (...Statement: unknown[]) =>
  s3.call('PutBucketPolicy', {
    Bucket: 'logs',
    Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
  });

const file = (over: object = {}) => ({
  bucket: 'logs',
  key: `AWSLogs/${management}/CloudTrail/eu-central-1/a.json.gz`,
  body: Buffer.from('the records'),
  contentType: 'application/json',
  contentEncoding: 'gzip',
  metadata: { signature: 'ab' },
  ...over,
});

async function textOf(body: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return body && Buffer.concat(await Array.fromAsync(body)).toString();
}

describe('find', () => {
  it('says whose the bucket is, and what its policy is', async () => {
    expect(await buckets.find('logs', management)).toEqual({
      name: 'logs',
      accountId: management,
      region: 'eu-central-1',
      policy: undefined,
    });
    expect(await buckets.find('none', management)).toBeUndefined();
  });
});

describe('put', () => {
  it('needs the policy of the bucket, also within the account', async () => {
    expect(await codeOf(buckets.put(file(), trail))).toBe('AccessDenied');
    expect(await codeOf(buckets.put(file({ bucket: 'none' }), trail))).toBe('NoSuchBucket');
    await setPolicy(documented);
    await buckets.put(file(), trail);
    expect(await s3.keys('logs')).toEqual([file().key]);
    expect(await codeOf(buckets.put(file({ key: 'elsewhere' }), trail))).toBe('AccessDenied');
    const other = { ...trail, arn: `${trail.arn}-2` };
    expect(await codeOf(buckets.put(file({ key: `AWSLogs/${management}/b` }), other))).toBe('AccessDenied');
  });

  it.each([
    [{ 's3:x-amz-acl': 'private' }],
    [{ 's3:x-amz-server-side-encryption': 'aws:kms' }],
    [{ 'aws:SourceAccount': '999999999999' }],
    [{ 'aws:PrincipalArn': 'arn:aws:iam::000000000000:root' }],
  ])('is denied where the policy asks for %j', async (equals) => {
    await setPolicy(allow('s3:PutObject', 'arn:aws:s3:::logs/*', { StringEquals: equals }));
    expect(await codeOf(buckets.put(file(), trail))).toBe('AccessDenied');
  });

  it('is refused by a Deny for everybody', async () => {
    await setPolicy(documented, { ...documented, Effect: 'Deny', Principal: '*', Condition: undefined });
    expect(await codeOf(buckets.put(file(), trail))).toBe('AccessDenied');
  });

  it('again changes nothing, with other bytes or metadata it is a new version', async () => {
    await s3.call('PutBucketVersioning', { Bucket: 'logs', VersioningConfiguration: { Status: 'Enabled' } });
    await setPolicy(documented);
    await buckets.put(file(), trail);
    const { readCurrent } = await import('./object-documents.ts');
    const first = await readCurrent(s3.state, 'logs', file().key);
    await s3.clock.advance(5_000);
    await buckets.put(file(), trail);
    expect(await readCurrent(s3.state, 'logs', file().key)).toEqual(first);
    expect(first).toMatchObject({
      headers: { contentType: 'application/json', contentEncoding: 'gzip' },
      metadata: { signature: 'ab' },
    });
    await buckets.put(file({ metadata: { signature: 'cd' } }), trail);
    await buckets.put(file({ body: Buffer.from('other records') }), trail);
    expect(await s3.versions('logs')).toHaveLength(2);
  });

  it('encrypts with the key of the trail, where that key’s policy allows CloudTrail', async () => {
    await setPolicy(documented);
    const KeyId = await s3.kms.key();
    const kmsKeyArn = `arn:aws:kms:eu-central-1:${management}:key/${KeyId}`;
    expect(await codeOf(buckets.put(file({ kmsKeyArn }), trail))).toBe('AccessDenied');
    const onKey = { Effect: 'Allow', Resource: '*' };
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { ...onKey, Principal: { AWS: `arn:aws:iam::${management}:root` }, Action: 'kms:*' },
        { ...onKey, Principal: service, Action: 'kms:GenerateDataKey*' },
      ],
    });
    await s3.kms.call('PutKeyPolicy', { KeyId, Policy });
    await buckets.put(file({ kmsKeyArn }), trail);
    const { readCurrent } = await import('./object-documents.ts');
    const stored = await readCurrent(s3.state, 'logs', file().key);
    expect(stored?.encryption).toMatchObject({ algorithm: 'aws:kms', keyArn: kmsKeyArn });
    // What it may write it may not read: kms:Decrypt is another permission.
    await setPolicy(documented, allow('s3:GetObject', 'arn:aws:s3:::logs/*'));
    expect(await codeOf(buckets.get('logs', file().key, trail))).toBe('AccessDenied');
  });
});

describe('get and list', () => {
  beforeEach(() =>
    setPolicy(
      documented,
      allow('s3:GetObject', 'arn:aws:s3:::logs/*'),
      allow('s3:ListBucket', 'arn:aws:s3:::logs'),
    ),
  );

  it('read what is there', async () => {
    await buckets.put(file(), trail);
    expect(await textOf(await buckets.get('logs', file().key, trail))).toBe('the records');
    expect(await buckets.get('logs', 'none', trail)).toBeUndefined();
    await s3.put('logs', 'empty', { body: '' });
    expect(await textOf(await buckets.get('logs', 'empty', trail))).toBe('');
  });

  it('list in key order, by prefix, after a key', async () => {
    for (const key of ['p/c', 'p/a', 'p/b', 'q', 'p/b/1']) await s3.put('logs', key, { body: key });
    const list = async (options: { prefix: string; after?: string }) =>
      (await Array.fromAsync(buckets.list('logs', options, trail))).map(({ key }) => key);
    expect(await list({ prefix: 'p/' })).toEqual(['p/a', 'p/b', 'p/b/1', 'p/c']);
    expect(await list({ prefix: 'p/', after: 'p/b' })).toEqual(['p/b/1', 'p/c']);
    expect(await list({ prefix: '', after: 'p/zz' })).toEqual(['q']);
    const [first] = await Array.fromAsync(buckets.list('logs', { prefix: 'q' }, trail));
    expect(first).toEqual({ key: 'q', sizeBytes: 1, lastModified: s3.clock.now() });
  });

  it('are denied without a policy', async () => {
    await s3.call('DeleteBucketPolicy', { Bucket: 'logs' });
    expect(await codeOf(buckets.get('logs', 'a', trail))).toBe('AccessDenied');
    expect(await codeOf(Array.fromAsync(buckets.list('logs', { prefix: '' }, trail)))).toBe('AccessDenied');
    expect(await codeOf(buckets.get('none', 'a', trail))).toBe('NoSuchBucket');
  });
});

describe('a bucket on an outside endpoint', () => {
  it('is used for the management account, and for those that its setting names alone', async () => {
    const endpoint = {
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-central-1',
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'secret',
      forcePathStyle: true,
    };
    const settings = new Map([
      ['own', { ...endpoint, accounts: [] }],
      ['shared', { ...endpoint, accounts: ['111111111111'] }],
    ]);
    using outside = openOutsideBuckets(settings, s3.clock);
    const served = openServiceBuckets({ ...s3, outside, managementAccountId: management });
    const uses = [
      ['own', management, true],
      ['own', '111111111111', false],
      ['shared', '111111111111', true],
      ['shared', '222222222222', false],
    ] as const;
    for (const [bucket, accountId, isAllowed] of uses) {
      expect(await served.find(bucket, accountId)).toBe(isAllowed ? 'outside' : 'refused');
      const as = { ...trail, accountId };
      // Who is let through finds nobody there.
      const code = isAllowed ? 'ECONNREFUSED' : 'AccessDenied';
      await expect(served.put(file({ bucket }), as)).rejects.toMatchObject({ code });
      await expect(served.get(bucket, 'a', as)).rejects.toMatchObject({ code });
      const listed = Array.fromAsync(served.list(bucket, { prefix: '' }, as));
      await expect(listed).rejects.toMatchObject({ code });
    }
    expect(await served.find('logs', '222222222222')).toMatchObject({ name: 'logs' });
  });
});
