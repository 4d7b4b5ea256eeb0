import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allow, deny, faultOf, type Caller } from '../../../../test/identity-fixture.ts';
import { openBucketFixture, type BucketFixture } from '../../../../test/bucket-fixture.ts';
import { accountId } from '../../../kernel/index.ts';

let s3: BucketFixture;

beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket('bbb');
});
afterEach(() => s3[Symbol.asyncDispose]());

async function* stream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const put = (Key: string, text: string, over = {}, caller?: Caller) =>
  s3.call('PutObject', { Bucket: 'bbb', Key, Body: stream(text), ...over }, caller);

async function read(input: object, caller?: Caller): Promise<string> {
  const { Body } = (await s3.call('GetObject', { Bucket: 'bbb', ...input }, caller)) as {
    Body: AsyncIterable<Uint8Array>;
  };
  const parts: Uint8Array[] = [];
  for await (const part of Body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const user = (name: string, policy?: unknown) => s3.identity.user(name, policy);

describe('who may do what with objects', () => {
  it('whether an object exists is told to those who may list the bucket', async () => {
    await put('k', 'x');
    const reader = await user('reader', allow('s3:GetObject', 'arn:aws:s3:::bbb/*'));
    const lister = await user('lister', allow(['s3:GetObject', 's3:ListBucket']));
    expect(await read({ Key: 'k' }, reader)).toBe('x');
    const hidden = await faultOf(read({ Key: 'none' }, reader));
    expect(hidden.code).toBe('AccessDenied');
    expect(hidden.message).toContain('s3:ListBucket');
    expect(await codeOf(read({ Key: 'none' }, lister))).toBe('NoSuchKey');
    expect(await codeOf(s3.call('HeadObject', { Bucket: 'bbb', Key: 'none' }, reader))).toBe('AccessDenied');
  });

  it('tags and encryption decide where policies ask for them', async () => {
    await put('red', 'x', { Tagging: 'team=red' });
    await put('blue', 'x', { Tagging: 'team=blue' });
    const red = await s3.identity.user('red', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::bbb/*',
          Condition: { StringEquals: { 's3:ExistingObjectTag/team': 'red' } },
        },
        {
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:PutObjectTagging'],
          Resource: 'arn:aws:s3:::bbb/*',
          Condition: { StringEquals: { 's3:RequestObjectTag/team': 'red' } },
        },
      ],
    });
    expect(await read({ Key: 'red' }, red)).toBe('x');
    expect(await codeOf(read({ Key: 'blue' }, red))).toBe('AccessDenied');
    await put('new', 'x', { Tagging: 'team=red' }, red);
    expect(await codeOf(put('new', 'x', { Tagging: 'team=blue' }, red))).toBe('AccessDenied');
    expect(await codeOf(put('new', 'x', {}, red))).toBe('AccessDenied');
  });

  it('another account needs the bucket policy as well, and finds the owner that it expects', async () => {
    await put('k', 'x');
    const other = await s3.identity.account(accountId('111111111111'));
    expect(await codeOf(read({ Key: 'k' }, other))).toBe('AccessDenied');
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: '111111111111' },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::bbb/*',
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await s3.call('PutBucketPolicy', { Bucket: 'bbb', Policy });
    expect(await read({ Key: 'k' }, other)).toBe('x');
    expect(await read({ Key: 'k', ExpectedBucketOwner: '000000000000' }, other)).toBe('x');
    expect(await codeOf(read({ Key: 'k', ExpectedBucketOwner: '111111111111' }, other))).toBe('AccessDenied');
    expect(await codeOf(put('k', 'y', {}, other))).toBe('AccessDenied');
  });

  it('listing may be limited to a prefix', async () => {
    const lister = await user('prefixed', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: 'arn:aws:s3:::bbb',
          Condition: { StringLike: { 's3:prefix': 'home/*' } },
        },
      ],
    });
    await put('home/a', 'x');
    const listed = await s3.call('ListObjectsV2', { Bucket: 'bbb', Prefix: 'home/' }, lister);
    expect(listed.Contents).toMatchObject([{ Key: 'home/a' }]);
    expect(await codeOf(s3.call('ListObjectsV2', { Bucket: 'bbb' }, lister))).toBe('AccessDenied');
    expect(await codeOf(s3.call('ListObjects', { Bucket: 'bbb', Prefix: 'other/' }, lister))).toBe(
      'AccessDenied',
    );
  });

  it('a batch deletes what may be deleted, and says of each other key why not', async () => {
    for (const key of ['mine/a', 'theirs/b']) await put(key, 'x');
    const caller = await user('deleter', allow('s3:DeleteObject', 'arn:aws:s3:::bbb/mine/*'));
    const answer = await s3.call(
      'DeleteObjects',
      { Bucket: 'bbb', Delete: { Objects: [{ Key: 'mine/a' }, { Key: 'theirs/b' }, { Key: 'mine/never' }] } },
      caller,
    );
    expect(answer.Deleted).toEqual([{ Key: 'mine/a' }, { Key: 'mine/never' }]);
    expect(answer.Errors).toMatchObject([{ Key: 'theirs/b', Code: 'AccessDenied' }]);
    expect(await s3.keys('bbb')).toEqual(['theirs/b']);
    const quiet = { Bucket: 'bbb', Delete: { Quiet: true, Objects: [{ Key: 'theirs/b' }] } };
    expect(await s3.call('DeleteObjects', quiet)).toEqual({});
  });

  it('a copy needs both sides', async () => {
    await put('from', 'x', { Tagging: 'a=b' });
    const copy = { Bucket: 'bbb', Key: 'to', CopySource: 'bbb/from' };
    const writer = await user('writer', allow(['s3:PutObject', 's3:PutObjectTagging']));
    expect(await codeOf(s3.call('CopyObject', copy, writer))).toBe('AccessDenied');
    const untagged = await user('untagged', allow(['s3:PutObject', 's3:GetObject']));
    expect((await faultOf(s3.call('CopyObject', copy, untagged))).message).toContain('s3:GetObjectTagging');
    const both = await user('both', allow(['s3:PutObject', 's3:GetObject', 's3:*ObjectTagging']));
    await s3.call('CopyObject', copy, both);
    expect(await read({ Key: 'to' })).toBe('x');
    expect(await codeOf(s3.call('CopyObject', { ...copy, CopySource: 'nothing' }))).toBe('InvalidArgument');
    expect(await codeOf(s3.call('CopyObject', { ...copy, CopySource: 'bbb/%zz' }))).toBe('InvalidArgument');
  });
});

const at = (VersionId: string) => ({ Bucket: 'bbb', Key: 'k', VersionId });

describe('ids of versions', () => {
  it('that no version can have are refused, and those of none are not found or deleted', async () => {
    await put('k', 'x');
    const none = 'a'.repeat(32);
    for (const operation of ['GetObject', 'HeadObject', 'GetObjectTagging', 'DeleteObject']) {
      for (const id of ['x', 'nil', 'a'.repeat(33), 'A'.repeat(32), 'é'.repeat(32), '']) {
        const refused = { code: 'InvalidArgument', status: 400 };
        await expect(s3.call(operation, at(id)), `${operation} ${id}`).rejects.toMatchObject(refused);
      }
    }
    const copy = { Bucket: 'bbb', Key: 'to', CopySource: 'bbb/k?versionId=x' };
    expect(await codeOf(s3.call('CopyObject', copy))).toBe('InvalidArgument');
    expect((await faultOf(s3.call('GetObject', at('x')))).message).toBe('Invalid version id specified');
    expect(await codeOf(s3.call('GetObject', at(none)))).toBe('NoSuchVersion');
    await s3.call('DeleteObject', at(none));
    const { Errors } = await s3.call('DeleteObjects', {
      Bucket: 'bbb',
      Delete: { Objects: [{ Key: 'k', VersionId: 'x' }], Quiet: true },
    });
    expect(Errors).toMatchObject([{ Key: 'k', VersionId: 'x', Code: 'NoSuchVersion' }]);
    expect(await read({ Key: 'k' })).toBe('x');
  });
});

describe('encryption with keys of KMS', () => {
  it('asks KMS as the caller, and without kms:Decrypt there is no reading', async () => {
    const id = await s3.kms.key();
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: id };
    const answer = await put('secret', 'sealed', kms);
    expect(answer).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: expect.stringContaining(id),
    });
    expect(await read({ Key: 'secret' })).toBe('sealed');
    const reader = await user('reader', allow('s3:*'));
    expect(await codeOf(read({ Key: 'secret' }, reader))).toBe('AccessDenied');
    expect(await codeOf(put('other', 'x', kms, reader))).toBe('AccessDenied');
    const both = await user('both', allow(['s3:*', 'kms:Decrypt', 'kms:GenerateDataKey']));
    expect(await read({ Key: 'secret' }, both)).toBe('sealed');
    const unknown = put('k', 'x', { ...kms, SSEKMSKeyId: '00000000-0000-0000-0000-000000000000' });
    expect(await codeOf(unknown)).toBe('KMS.NotFoundException');
  });

  it('what is not offered is refused by name', async () => {
    expect(await codeOf(put('k', 'x', { SSECustomerAlgorithm: 'AES256' }))).toBe('NotImplemented');
    expect(await codeOf(put('k', 'x', { ServerSideEncryption: 'aws:kms:dsse' }))).toBe('NotImplemented');
    expect(await codeOf(put('k', 'x', { SSEKMSKeyId: 'alias/x' }))).toBe('InvalidArgument');
    expect(await codeOf(put('k', 'x', { StorageClass: 'GLACIER' }))).toBe('InvalidStorageClass');
    expect(await codeOf(put('k', 'x', { ACL: 'public-read' }))).toBe('AccessControlListNotSupported');
    expect(await codeOf(put('k'.repeat(1025), 'x'))).toBe('KeyTooLongError');
    expect(await codeOf(put('k', 'x', { Metadata: { a: 'x'.repeat(2048) } }))).toBe('MetadataTooLarge');
    await put('k', 'x', { ACL: 'bucket-owner-full-control' });
  });
});

const locked = (over = {}) => ({ Bucket: 'locked', Key: 'k', ...over });
const md5 = { ContentMD5: 'ndTkYSaMgDT1yFZOFVxnpg==' };
const lock = (over = {}) =>
  put('k', 'x', { Bucket: 'locked', ...md5, ...over }) as Promise<{ VersionId: string }>;

describe('object lock', () => {
  const dayMs = 86_400_000;
  const until = (days: number) => new Date(s3.clock.now() + days * dayMs);

  beforeEach(() => s3.bucket('locked', { ObjectLockEnabledForBucket: true }));

  it('in compliance keeps a version from everybody until its time has come', async () => {
    const lockUntil = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until(2) };
    const { VersionId } = await lock(lockUntil);
    const remove = () => s3.call('DeleteObject', locked({ VersionId, BypassGovernanceRetention: true }));
    expect(await codeOf(remove())).toBe('AccessDenied');
    const shorten = { Retention: { Mode: 'COMPLIANCE', RetainUntilDate: until(1) } };
    expect(await codeOf(s3.call('PutObjectRetention', locked({ VersionId, ...shorten })))).toBe(
      'AccessDenied',
    );
    const loosen = {
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until(9) },
      BypassGovernanceRetention: true,
    };
    expect(await codeOf(s3.call('PutObjectRetention', locked({ VersionId, ...loosen })))).toBe(
      'AccessDenied',
    );
    const extend = { Retention: { Mode: 'COMPLIANCE', RetainUntilDate: until(3) } };
    await s3.call('PutObjectRetention', locked({ VersionId, ...extend }));
    // A delete without a version puts a marker, which locks keep nobody from.
    await s3.call('DeleteObject', locked());
    await s3.clock.advance(2.5 * dayMs);
    expect(await codeOf(remove())).toBe('AccessDenied');
    await s3.clock.advance(dayMs);
    await remove();
    expect(await s3.versions('locked')).toHaveLength(1);
  });

  it('in governance yields to those who may bypass it and say so', async () => {
    const { VersionId } = await lock({ ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(2) });
    expect(await codeOf(s3.call('DeleteObject', locked({ VersionId })))).toBe('AccessDenied');
    const bypass = locked({ VersionId, BypassGovernanceRetention: true });
    const deleter = await user('deleter', allow('s3:DeleteObject*'));
    expect((await faultOf(s3.call('DeleteObject', bypass, deleter))).message).toContain(
      's3:BypassGovernanceRetention',
    );
    const batch = {
      Bucket: 'locked',
      Delete: { Objects: [{ Key: 'k', VersionId }] },
    };
    expect((await s3.call('DeleteObjects', batch)).Errors).toMatchObject([{ Code: 'AccessDenied' }]);
    const retain = (Mode: string, days: number) => ({ Retention: { Mode, RetainUntilDate: until(days) } });
    await s3.call('PutObjectRetention', locked({ VersionId, ...retain('GOVERNANCE', 3) }));
    // Its mode too is a setting that only they may alter.
    const harden = s3.call('PutObjectRetention', locked({ VersionId, ...retain('COMPLIANCE', 4) }));
    expect(await codeOf(harden)).toBe('AccessDenied');
    const retainer = await user('retainer', allow('s3:PutObjectRetention'));
    const denied = s3.call('PutObjectRetention', { ...bypass, ...retain('COMPLIANCE', 4) }, retainer);
    expect((await faultOf(denied)).message).toContain('s3:BypassGovernanceRetention');
    await s3.call('DeleteObject', bypass);
    expect(await s3.keys('locked')).toEqual([]);
  });

  it('holds until the legal hold is lifted, and the bucket gives new objects its default', async () => {
    const { VersionId } = await lock({ ObjectLockLegalHoldStatus: 'ON' });
    expect(await s3.call('GetObjectLegalHold', locked())).toEqual({ LegalHold: { Status: 'ON' } });
    const remove = () => s3.call('DeleteObject', locked({ VersionId, BypassGovernanceRetention: true }));
    expect(await codeOf(remove())).toBe('AccessDenied');
    await s3.call('PutObjectLegalHold', locked({ LegalHold: { Status: 'OFF' } }));
    expect(await s3.call('GetObjectLegalHold', locked())).toEqual({ LegalHold: { Status: 'OFF' } });
    expect(await s3.call('HeadObject', locked())).toMatchObject({ ObjectLockLegalHoldStatus: 'OFF' });
    await remove();
    // Of an object of which none was ever said, S3 knows none.
    await lock();
    expect(await codeOf(s3.call('GetObjectLegalHold', locked()))).toBe('NoSuchObjectLockConfiguration');
    await s3.call('DeleteObject', locked());
    expect(await codeOf(s3.call('GetObjectRetention', locked()))).toBe('NoSuchKey');
    await s3.call('PutObjectLockConfiguration', {
      Bucket: 'locked',
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 7 } },
      },
    });
    await lock();
    const { Retention } = await s3.call('GetObjectRetention', locked());
    expect(Retention).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: until(7) });
  });

  it('is only for bodies that come with a checksum, as S3 asks', async () => {
    const bare = { ContentMD5: undefined };
    const retained = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(2) };
    expect(await codeOf(lock({ ...bare, ...retained }))).toBe('InvalidRequest');
    expect(await codeOf(lock({ ...bare, ObjectLockLegalHoldStatus: 'ON' }))).toBe('InvalidRequest');
    await lock(bare);
    await s3.call('PutObjectLockConfiguration', {
      Bucket: 'locked',
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
      },
    });
    expect(await codeOf(lock(bare))).toBe('InvalidRequest');
    await lock();
    await lock({ ...bare, ...retained, ChecksumCRC32: 'jNxhlA==' });
  });

  it('is refused where the bucket has none, and for times that are past', async () => {
    const past = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(-1) };
    expect(await codeOf(lock(past))).toBe('InvalidArgument');
    expect(await codeOf(lock({ ObjectLockMode: 'GOVERNANCE' }))).toBe('InvalidArgument');
    expect(await codeOf(put('k', 'x', { ObjectLockLegalHoldStatus: 'ON' }))).toBe('InvalidRequest');
    await put('k', 'x');
    expect(await codeOf(s3.call('GetObjectRetention', { Bucket: 'bbb', Key: 'k' }))).toBe('InvalidRequest');
  });

  it('a policy may deny long retentions', async () => {
    const careful = await s3.identity.user('careful', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:*', Resource: '*' },
        {
          Effect: 'Deny',
          Action: 's3:PutObjectRetention',
          Resource: '*',
          Condition: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '10' } },
        },
      ],
    });
    await put('k', 'x', { Bucket: 'locked' });
    const retain = (days: number) =>
      s3.call(
        'PutObjectRetention',
        locked({ Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until(days) } }),
        careful,
      );
    expect(await codeOf(retain(11))).toBe('AccessDenied');
    await retain(9);
  });
});

describe('tags', () => {
  it('are put, read and deleted, each by its own permission', async () => {
    await put('k', 'x');
    const tags = { Bucket: 'bbb', Key: 'k', Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } };
    await s3.call('PutObjectTagging', tags);
    expect((await s3.call('GetObjectTagging', { Bucket: 'bbb', Key: 'k' })).TagSet).toEqual(
      tags.Tagging.TagSet,
    );
    const denied = await s3.identity.user('denied', deny('s3:DeleteObjectTagging'));
    expect(await codeOf(s3.call('DeleteObjectTagging', { Bucket: 'bbb', Key: 'k' }, denied))).toBe(
      'AccessDenied',
    );
    await s3.call('DeleteObjectTagging', { Bucket: 'bbb', Key: 'k' });
    expect((await s3.call('GetObjectTagging', { Bucket: 'bbb', Key: 'k' })).TagSet).toEqual([]);
    const twice = [tags.Tagging.TagSet[0], { Key: 'a', Value: '2' }];
    const bad = s3.call('PutObjectTagging', { ...tags, Tagging: { TagSet: twice } });
    expect(await codeOf(bad)).toBe('InvalidTag');
    expect(await read({ Key: 'k' })).toBe('x');
  });
});
