import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId, region } from '../../../kernel/index.ts';
import { openBucketFixture, usEast, type BucketFixture } from '../../../../test/bucket-fixture.ts';
import { allow, deny, faultOf, management } from '../../../../test/identity-fixture.ts';

let s3: BucketFixture;
beforeEach(async () => {
  s3 = await openBucketFixture();
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const located = (LocationConstraint: string) => ({ CreateBucketConfiguration: { LocationConstraint } });
const other = accountId('111111111111');
const policy = (...statements: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const names = (answer: { Buckets: { Name: string }[] }) => answer.Buckets.map(({ Name }) => Name);
const locationOf = (Bucket: string) => s3.call('GetBucketLocation', { Bucket });
const create = (Bucket: string, over = {}, call = {}) =>
  s3.call('CreateBucket', { Bucket, ...over }, undefined, call);

describe('CreateBucket', () => {
  it('answers where the bucket is, and makes it private, encrypted and blocked for the public', async () => {
    expect(await s3.call('CreateBucket', { Bucket: 'one', ...located('eu-central-1') })).toEqual({
      Location: '/one',
      BucketArn: 'arn:aws:s3:::one',
    });
    expect(await s3.call('GetPublicAccessBlock', { Bucket: 'one' })).toEqual({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(await s3.call('GetBucketOwnershipControls', { Bucket: 'one' })).toEqual({
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    expect(await s3.call('GetBucketVersioning', { Bucket: 'one' })).toEqual({});
  });

  it('compares the location with the region that the request was signed for', async () => {
    expect(await codeOf(create('none'))).toBe('IllegalLocationConstraintException');
    expect(await codeOf(create('other', located('eu-west-1')))).toBe('IllegalLocationConstraintException');
    expect(await codeOf(create('east', located('us-east-1'), usEast))).toBe('InvalidLocationConstraint');
    expect(await codeOf(create('east', located('Berlin'), usEast))).toBe('InvalidLocationConstraint');
    await create('east', {}, usEast);
    await create('from-east', located('EU'), usEast);
    expect(await locationOf('east')).toEqual({});
    expect(await locationOf('from-east')).toEqual({ LocationConstraint: 'eu-west-1' });
  });

  it('of a name that is taken fails, but for its owner in us-east-1, who changes nothing by it', async () => {
    await s3.bucket('europe');
    expect(await codeOf(s3.bucket('europe'))).toBe('BucketAlreadyOwnedByYou');
    const east = (over = {}) => s3.call('CreateBucket', { Bucket: 'east', ...over }, undefined, usEast);
    await east();
    await s3.call(
      'PutBucketVersioning',
      { Bucket: 'east', VersioningConfiguration: { Status: 'Enabled' } },
      undefined,
      usEast,
    );
    expect(await east()).toMatchObject({ Location: '/east' });
    expect(await s3.call('GetBucketVersioning', { Bucket: 'east' }, undefined, usEast)).toEqual({
      Status: 'Enabled',
    });
    expect(await codeOf(east({ ObjectLockEnabledForBucket: true }))).toBe('BucketAlreadyOwnedByYou');
    const stranger = await s3.identity.account(other);
    expect(await codeOf(s3.bucket('europe', {}, stranger))).toBe('BucketAlreadyExists');
  });

  it('refuses what does not exist here by its name', async () => {
    expect(await codeOf(s3.bucket('Not_A_Name'))).toBe('InvalidBucketName');
    expect(await codeOf(s3.bucket('acl', { ACL: 'public-read' }))).toBe(
      'InvalidBucketAclWithObjectOwnership',
    );
    expect(await codeOf(s3.bucket('acl', { ACL: 'public-read', ObjectOwnership: 'ObjectWriter' }))).toBe(
      'NotImplemented',
    );
    await s3.bucket('acl', { ACL: 'private' });
    const directory = { CreateBucketConfiguration: { Bucket: { Type: 'Directory' } } };
    expect(await codeOf(s3.bucket('directory', directory))).toBe('NotImplemented');
  });

  it('needs a permission for everything that it sets', async () => {
    const user = await s3.identity.user('maker', allow('s3:CreateBucket'));
    await s3.bucket('plain', {}, user);
    for (const over of [
      { ObjectLockEnabledForBucket: true },
      { ObjectOwnership: 'ObjectWriter' },
      { CreateBucketConfiguration: { LocationConstraint: 'eu-central-1', Tags: [{ Key: 'a', Value: 'b' }] } },
    ]) {
      expect(await codeOf(s3.bucket('more', over, user)), JSON.stringify(over)).toBe('AccessDenied');
    }
    const nobody = await s3.identity.user('nobody');
    expect(await codeOf(s3.bucket('none', {}, nobody))).toBe('AccessDenied');
  });

  it('with object lock has versions, which then cannot be suspended', async () => {
    await s3.bucket('locked', { ObjectLockEnabledForBucket: true });
    expect(await s3.call('GetBucketVersioning', { Bucket: 'locked' })).toEqual({ Status: 'Enabled' });
    expect(await s3.call('GetObjectLockConfiguration', { Bucket: 'locked' })).toEqual({
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
    });
    const suspend = { Bucket: 'locked', VersioningConfiguration: { Status: 'Suspended' } };
    expect(await codeOf(s3.call('PutBucketVersioning', suspend))).toBe('InvalidBucketState');
  });
});

describe('DeleteBucket', () => {
  it('takes an empty bucket alone, and its name is free then', async () => {
    await s3.bucket('full');
    await s3.put('full', 'a');
    expect(await codeOf(s3.call('DeleteBucket', { Bucket: 'full' }))).toBe('BucketNotEmpty');
    await s3.bucket('empty');
    await s3.call('DeleteBucket', { Bucket: 'empty' });
    expect(await codeOf(s3.call('DeleteBucket', { Bucket: 'empty' }))).toBe('NoSuchBucket');
    const stranger = await s3.identity.account(other);
    await s3.bucket('empty', {}, stranger);
    expect((await s3.call('ListBuckets')).Buckets).toHaveLength(1);
  });

  it('takes no bucket that has old versions or markers', async () => {
    await s3.bucket('old');
    await s3.call('PutBucketVersioning', { Bucket: 'old', VersioningConfiguration: { Status: 'Enabled' } });
    await s3.put('old', 'a');
    const { readBucket } = await import('../bucket-documents.ts');
    const bucket = await readBucket(s3.state, 'old');
    await s3.objects.commit((change) =>
      s3.objects.remove(change, bucket!, 'a', { cause: { kind: 'lifecycle' } }),
    );
    expect(await s3.keys('old')).toEqual([]);
    expect(await codeOf(s3.call('DeleteBucket', { Bucket: 'old' }))).toBe('BucketNotEmpty');
  });

  it('and a put at the same time cannot both happen', async () => {
    await s3.bucket('race');
    const results = await Promise.allSettled([
      s3.put('race', 'a'),
      s3.call('DeleteBucket', { Bucket: 'race' }),
    ]);
    const exists = (await s3.call('ListBuckets')).Buckets.length === 1;
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    if (!exists) expect(await s3.keys('race')).toEqual([]);
  });
});

describe('a bucket', () => {
  it('is found by HeadBucket, with its region for who asks elsewhere', async () => {
    await s3.bucket('europe');
    expect(await s3.call('HeadBucket', { Bucket: 'europe' })).toMatchObject({ BucketRegion: 'eu-central-1' });
    await expect(s3.call('HeadBucket', { Bucket: 'none' })).rejects.toMatchObject({
      code: 'NotFound',
      status: 404,
    });
    await expect(s3.call('HeadBucket', { Bucket: 'europe' }, undefined, usEast)).rejects.toMatchObject({
      code: 'PermanentRedirect',
      status: 301,
      headers: { 'x-amz-bucket-region': 'eu-central-1' },
    });
    expect(await codeOf(s3.call('HeadBucket', { Bucket: 'europe', ExpectedBucketOwner: other }))).toBe(
      'AccessDenied',
    );
    await s3.call('HeadBucket', { Bucket: 'europe', ExpectedBucketOwner: management });
  });

  it('is another account’s business only where its policy says so, and the caller’s own', async () => {
    await s3.bucket('shared');
    const root = await s3.identity.account(other);
    const reader = await s3.identity.user('reader', allow('s3:ListBucket', 'arn:aws:s3:::shared'), root);
    const head = () => s3.call('HeadBucket', { Bucket: 'shared' }, reader);
    expect(await codeOf(head())).toBe('AccessDenied');
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: other },
          Action: 's3:ListBucket',
          Resource: 'arn:aws:s3:::shared',
        },
      ],
    });
    await s3.call('PutBucketPolicy', { Bucket: 'shared', Policy });
    await head();
    const nobody = await s3.identity.user('nobody', undefined, root);
    expect(await codeOf(s3.call('HeadBucket', { Bucket: 'shared' }, nobody))).toBe('AccessDenied');
  });
});

describe('ListBuckets', () => {
  it('pages the caller’s buckets by name, prefix and region', async () => {
    for (const name of ['b-2', 'a-1', 'b-1', 'b-3']) await s3.bucket(name);
    await s3.call('CreateBucket', { Bucket: 'b-east' }, undefined, usEast);
    const stranger = await s3.identity.account(other);
    await s3.bucket('b-other', {}, stranger);
    const all = await s3.call('ListBuckets');
    expect(names(all)).toEqual(['a-1', 'b-1', 'b-2', 'b-3', 'b-east']);
    expect(all.Owner.ID).toMatch(/^[0-9a-f]{64}$/);
    expect(all.Buckets[0].BucketRegion).toBeUndefined();
    const first = await s3.call('ListBuckets', { Prefix: 'b-', MaxBuckets: 2 });
    expect(names(first)).toEqual(['b-1', 'b-2']);
    expect(first.Buckets[0].BucketRegion).toBe('eu-central-1');
    await s3.bucket('b-0');
    const ContinuationToken = first.ContinuationToken as string;
    const second = await s3.call('ListBuckets', { Prefix: 'b-', MaxBuckets: 2, ContinuationToken });
    expect(names(second)).toEqual(['b-3', 'b-east']);
    expect(second.ContinuationToken).toBeUndefined();
    expect(names(await s3.call('ListBuckets', { BucketRegion: 'us-east-1' }))).toEqual(['b-east']);
    expect(await codeOf(s3.call('ListBuckets', { ContinuationToken: '!' }))).toBe('InvalidArgument');
  });

  it('needs s3:ListAllMyBuckets', async () => {
    const user = await s3.identity.user('user', allow('s3:ListBucket'));
    expect(await codeOf(s3.call('ListBuckets', {}, user))).toBe('AccessDenied');
  });
});

describe('policies of buckets', () => {
  const everyone = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:ListBucket',
    Resource: 'arn:aws:s3:::open',
  };
  beforeEach(() => s3.bucket('open'));

  it('are given back as they were put, and are gone when deleted', async () => {
    const Policy = policy({ ...everyone, Principal: { AWS: management } }).replace('{', '{\n ');
    expect(await codeOf(s3.call('GetBucketPolicy', { Bucket: 'open' }))).toBe('NoSuchBucketPolicy');
    await s3.call('PutBucketPolicy', { Bucket: 'open', Policy });
    expect(await s3.call('GetBucketPolicy', { Bucket: 'open' })).toEqual({ Policy });
    await s3.call('DeleteBucketPolicy', { Bucket: 'open' });
    expect(await codeOf(s3.call('GetBucketPolicyStatus', { Bucket: 'open' }))).toBe('NoSuchBucketPolicy');
  });

  it('that are public are refused while BlockPublicPolicy is on, and give other accounts nothing while restricted', async () => {
    const put = () => s3.call('PutBucketPolicy', { Bucket: 'open', Policy: policy(everyone) });
    expect(await codeOf(put())).toBe('AccessDenied');
    const block = (over: object) =>
      s3.call('PutPublicAccessBlock', { Bucket: 'open', PublicAccessBlockConfiguration: over });
    await block({ RestrictPublicBuckets: true });
    await put();
    expect(await s3.call('GetBucketPolicyStatus', { Bucket: 'open' })).toEqual({
      PolicyStatus: { IsPublic: true },
    });
    const stranger = await s3.identity.account(other);
    const head = () => s3.call('HeadBucket', { Bucket: 'open' }, stranger);
    expect(await codeOf(head())).toBe('AccessDenied');
    await s3.call('DeletePublicAccessBlock', { Bucket: 'open' });
    expect(await codeOf(s3.call('GetPublicAccessBlock', { Bucket: 'open' }))).toBe(
      'NoSuchPublicAccessBlockConfiguration',
    );
    await head();
  });

  it('that deny the root user of the account can be taken back by it, and by nobody else', async () => {
    const Policy = policy({ ...everyone, Effect: 'Deny', Action: 's3:*' });
    const admin = await s3.identity.user('admin', allow('*'));
    const put = (over = {}) => s3.call('PutBucketPolicy', { Bucket: 'open', Policy, ...over }, admin);
    expect(await codeOf(put())).toBe('AccessDenied');
    await put({ ConfirmRemoveSelfBucketAccess: true });
    expect(await codeOf(s3.call('DeleteBucketPolicy', { Bucket: 'open' }, admin))).toBe('AccessDenied');
    expect(await codeOf(s3.call('HeadBucket', { Bucket: 'open' }))).toBe('AccessDenied');
    await s3.call('DeleteBucketPolicy', { Bucket: 'open' });
    await s3.call('HeadBucket', { Bucket: 'open' });
  });

  it('are managed by the owning account alone, whatever they allow others', async () => {
    const Policy = policy({ ...everyone, Principal: { AWS: other }, Action: 's3:*' });
    await s3.call('PutBucketPolicy', { Bucket: 'open', Policy });
    const stranger = await s3.identity.account(other);
    expect(await codeOf(s3.call('GetBucketPolicy', { Bucket: 'open' }, stranger))).toBe('MethodNotAllowed');
    expect(await codeOf(s3.call('PutBucketPolicy', { Bucket: 'open', Policy }, stranger))).toBe(
      'MethodNotAllowed',
    );
  });

  it('deny within the account as well', async () => {
    const user = await s3.identity.user('user', allow('s3:*'));
    await s3.call('HeadBucket', { Bucket: 'open' }, user);
    const denied = {
      ...everyone,
      Effect: 'Deny',
      Principal: { AWS: `arn:aws:iam::${management}:user/user` },
    };
    await s3.call('PutBucketPolicy', { Bucket: 'open', Policy: policy(denied) });
    expect(await codeOf(s3.call('HeadBucket', { Bucket: 'open' }, user))).toBe('AccessDenied');
    const barred = await s3.identity.user('barred', deny('s3:*'));
    expect(await codeOf(s3.call('GetBucketAcl', { Bucket: 'open' }, barred))).toBe('AccessDenied');
  });
});

it('every operation on a bucket says where the bucket is to who asks in another region', async () => {
  await s3.bucket('europe');
  const input = { Bucket: 'europe', VersioningConfiguration: { Status: 'Enabled' } };
  const call = { region: region('eu-west-1') };
  expect(await codeOf(s3.call('PutBucketVersioning', input, undefined, call))).toBe('PermanentRedirect');
  expect(await s3.call('GetBucketLocation', { Bucket: 'europe' }, undefined, call)).toEqual({
    LocationConstraint: 'eu-central-1',
  });
});

// "Bucket policy examples using condition keys": s3:TlsVersion, s3:ResourceAccount.
it.each([
  [{ NumericLessThan: { 's3:TlsVersion': '1.3' } }, { version: 'TLSv1.2', cipher: 'x' }, 'AccessDenied'],
  [{ NumericLessThan: { 's3:TlsVersion': '1.3' } }, { version: 'TLSv1.3', cipher: 'x' }, 'answered'],
  [{ Bool: { 'aws:SecureTransport': 'false' } }, undefined, 'AccessDenied'],
  [{ StringEquals: { 's3:ResourceAccount': management } }, undefined, 'AccessDenied'],
  [{ StringNotEquals: { 's3:ResourceAccount': management } }, undefined, 'answered'],
])('a policy that denies %j denies a call with TLS %j: %s', async (Condition, tls, expected) => {
  await s3.bucket('strict');
  const Policy = policy({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: ['arn:aws:s3:::strict', 'arn:aws:s3:::strict/*'],
    Condition,
  });
  await s3.call('PutBucketPolicy', { Bucket: 'strict', Policy });
  const answer = s3.call('GetBucketVersioning', { Bucket: 'strict' }, undefined, { tls });
  expect(await answer.then(() => 'answered').catch((error: { code: string }) => error.code)).toBe(expected);
});
