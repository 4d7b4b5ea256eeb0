import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allow, faultOf, type Caller } from '../../../../test/identity-fixture.ts';
import { openBucketFixture, type BucketFixture } from '../../../../test/bucket-fixture.ts';

/** What policies may ask of requests that make objects, in one piece or in several. */

let s3: BucketFixture;

beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket('bbb');
});
afterEach(() => s3[Symbol.asyncDispose]());

async function* stream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const object = (over = {}) => ({ Bucket: 'bbb', Key: 'k', ...over });
const put = (over = {}, caller?: Caller) =>
  s3.call('PutObject', object({ Body: stream('x'), ...over }), caller);
const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;

async function denyPutUnless(condition: object): Promise<void> {
  const statement = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: 'arn:aws:s3:::bbb/*',
    Condition: condition,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await s3.call('PutBucketPolicy', { Bucket: 'bbb', Policy });
}

/** Begins an upload and gives it a part; what completes it. */
async function upload(over = {}, caller?: Caller) {
  const { UploadId } = await s3.call('CreateMultipartUpload', object(over), caller);
  const part = object({ UploadId, PartNumber: 1, Body: stream('part') });
  const { ETag } = await s3.call('UploadPart', part, caller);
  return object({ UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } });
}

describe('policies of puts', () => {
  /** Example 1 of "Enforce conditional writes on Amazon S3 buckets". */
  it('enforce If-None-Match, and leave out what only prepares an object', async () => {
    await denyPutUnless({
      Null: { 's3:if-none-match': 'true' },
      Bool: { 's3:ObjectCreationOperation': 'true' },
    });
    expect(await codeOf(put())).toBe('AccessDenied');
    await put({ Key: 'other', IfNoneMatch: '*' });
    const copy = s3.call('CopyObject', object({ CopySource: 'bbb/other' }));
    expect(await codeOf(copy)).toBe('AccessDenied');
    const complete = await upload();
    expect(await codeOf(s3.call('CompleteMultipartUpload', complete))).toBe('AccessDenied');
    await s3.call('CompleteMultipartUpload', { ...complete, IfNoneMatch: '*' });
    expect(await s3.keys('bbb')).toEqual(['k', 'other']);
  });

  it('that ask for headers judge the parts of an upload by those that it was begun with', async () => {
    await denyPutUnless({ StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } });
    expect(await codeOf(upload())).toBe('AccessDenied');
    expect(await codeOf(upload({ ServerSideEncryption: 'AES256' }))).toBe('AccessDenied');
    const complete = await upload({ ServerSideEncryption: 'aws:kms' });
    expect(await s3.call('CompleteMultipartUpload', complete)).toMatchObject({
      ServerSideEncryption: 'aws:kms',
    });
    await denyPutUnless({ StringNotEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } });
    expect(await codeOf(upload())).toBe('AccessDenied');
    await s3.call('CompleteMultipartUpload', await upload({ ACL: 'bucket-owner-full-control' }));
    await denyPutUnless({ StringNotEquals: { 's3:RequestObjectTag/team': 'red' } });
    expect(await codeOf(upload({ Tagging: 'team=blue' }))).toBe('AccessDenied');
    await s3.call('CompleteMultipartUpload', await upload({ Tagging: 'team=red' }));
    // An upload that is none is not found; which headers it would have had nobody asks.
    await denyPutUnless({ StringEquals: { 's3:x-amz-acl': 'private' } });
    const none = object({ UploadId: 'm'.padEnd(33, '0'), PartNumber: 1, Body: stream('part') });
    expect(await codeOf(s3.call('UploadPart', none))).toBe('NoSuchUpload');
  });

  it('name the source of copies, also of those in parts', async () => {
    await put({ Key: 'public/a' });
    await put({ Key: 'private/a' });
    await denyPutUnless({
      StringNotLike: { 's3:x-amz-copy-source': 'bbb/public/*' },
      Null: { 's3:x-amz-copy-source': 'false' },
    });
    const { UploadId } = await s3.call('CreateMultipartUpload', object());
    const part = (CopySource: string) =>
      s3.call('UploadPartCopy', object({ UploadId, PartNumber: 1, CopySource }));
    await part('/bbb/public/a');
    expect(await codeOf(part('bbb/private/a'))).toBe('AccessDenied');
    expect(await codeOf(part('bbb/private/a?versionId=null'))).toBe('AccessDenied');
    expect(await codeOf(s3.call('CopyObject', object({ CopySource: 'bbb/private%2Fa' })))).toBe(
      'AccessDenied',
    );
  });
});

const location = async (host: string) =>
  (await s3.call('CompleteMultipartUpload', await upload(), undefined, { host })).Location;

it('a complete upload says where its object is, in the style of the request', async () => {
  expect(await location('127.0.0.1:4747')).toBe('http://127.0.0.1:4747/bbb/k');
  expect(await location('bbb.localhost:4747')).toBe('http://bbb.localhost:4747/k');
});

describe('tags', () => {
  it('are copied by those who may put them', async () => {
    await put({ Key: 'tagged', Tagging: 'team=red' });
    const copy = (caller: Caller, over = {}) =>
      s3.call('CopyObject', object({ CopySource: 'bbb/tagged', ...over }), caller);
    const basic = ['s3:GetObject', 's3:PutObject'];
    const plain = await s3.identity.user('plain', allow(basic));
    expect((await faultOf(copy(plain))).message).toContain('s3:GetObjectTagging');
    const reader = await s3.identity.user('reader', allow([...basic, 's3:GetObjectTagging']));
    expect((await faultOf(copy(reader))).message).toContain('s3:PutObjectTagging');
    await copy(plain, { TaggingDirective: 'REPLACE' });
    const both = await s3.identity.user('both', allow([...basic, 's3:*ObjectTagging']));
    await copy(both);
    expect((await s3.call('GetObjectTagging', object())).TagSet).toEqual([{ Key: 'team', Value: 'red' }]);
  });

  /** "Tagging and access control policies": s3:ExistingObjectTag is not supported for PUT Object and DELETE Object. */
  it('of an object say nothing about deleting it', async () => {
    await put({ Tagging: 'team=red' });
    const red = await s3.identity.user('red', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:*',
          Resource: '*',
          Condition: { StringEquals: { 's3:ExistingObjectTag/team': 'red' } },
        },
      ],
    });
    await s3.call('GetObject', object(), red);
    expect(await codeOf(s3.call('DeleteObject', object(), red))).toBe('AccessDenied');
    expect(await s3.keys('bbb')).toEqual(['k']);
  });
});

async function* replacingTheBucket(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  await s3.call('DeleteBucket', { Bucket: 'bbb' });
  await s3.clock.advance(1);
  await s3.bucket('bbb');
  yield Buffer.from('other half');
}

it('a bucket that takes the place of another while a body flows does not get it', async () => {
  expect(await codeOf(put({ Body: replacingTheBucket() }))).toBe('NoSuchBucket');
  expect(await s3.keys('bbb')).toEqual([]);
});
