import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../../test/bucket-fixture.ts';

/** What S3 answers, member by member, to requests that it refuses. */

let s3: BucketFixture;

beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket('bbb');
  await s3.put('bbb', 'ten', { body: '0123456789' });
});
afterEach(() => s3[Symbol.asyncDispose]());

async function* stream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

interface Refused {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly status?: number;
  readonly message?: string;
  readonly members?: Readonly<Record<string, unknown>>;
}

async function expectRefused({ operation, input, code, status = 400, message, members }: Refused) {
  const at = { Bucket: 'bbb', Key: 'ten', ...input };
  const body = operation === 'PutObject' ? { Body: stream('new') } : {};
  const fault = { code, status, ...(message && { message }), ...(members && { members }) };
  await expect(s3.call(operation, { ...body, ...at }), JSON.stringify(input)).rejects.toMatchObject(fault);
}

const notImplemented = 'A header you provided implies functionality that is not implemented';

const conditions: readonly Refused[] = [
  ...['"other"', 'abcdef', '*, "other"'].map((IfNoneMatch) => ({
    operation: 'PutObject',
    input: { IfNoneMatch },
    code: 'NotImplemented',
    status: 501,
    message: notImplemented,
    members: {
      Header: 'If-None-Match',
      additionalMessage: "We don't accept the provided value of If-None-Match header for this API",
    },
  })),
  {
    operation: 'PutObject',
    input: { IfMatch: '*' },
    code: 'NotImplemented',
    status: 501,
    members: {
      Header: 'If-Match',
      additionalMessage: "We don't accept the provided value of If-Match header for this API",
    },
  },
  {
    operation: 'PutObject',
    input: { IfMatch: '"other"', IfNoneMatch: '*' },
    code: 'NotImplemented',
    status: 501,
    members: {
      Header: 'If-Match,If-None-Match',
      additionalMessage: 'Multiple conditional request headers present in the request',
    },
  },
  {
    operation: 'PutObject',
    input: { IfNoneMatch: '*' },
    code: 'PreconditionFailed',
    status: 412,
    members: { Condition: 'If-None-Match' },
  },
  {
    operation: 'PutObject',
    input: { IfMatch: '"other"' },
    code: 'PreconditionFailed',
    status: 412,
    members: { Condition: 'If-Match' },
  },
  {
    operation: 'PutObject',
    input: { Key: 'none', IfMatch: '"other"' },
    code: 'NoSuchKey',
    status: 404,
    members: { Key: 'none' },
  },
];

const badTag = (Key: string, Value = 'x') => ({ TagSet: [{ Key, Value }] });
const twice = { TagSet: [...badTag('Key1').TagSet, ...badTag('Key1').TagSet] };
const invalidTag = (operation: string, Tagging: unknown, message: string, members: Refused['members']) => ({
  operation,
  input: { Tagging },
  code: 'InvalidTag',
  message,
  ...(members && { members }),
});

const tags: readonly Refused[] = [
  ...['PutBucketTagging', 'PutObjectTagging'].flatMap((operation) => [
    invalidTag(operation, twice, 'Cannot provide multiple Tags with the same key', { TagKey: 'Key1' }),
    invalidTag(operation, badTag('a,b'), 'The TagKey you have provided is invalid', { TagKey: 'a,b' }),
    invalidTag(operation, badTag('a', 'b,c'), 'The TagValue you have provided is invalid', {
      TagKey: 'a',
      TagValue: 'b,c',
    }),
  ]),
  invalidTag('PutBucketTagging', badTag('aws:x'), 'System tags cannot be added/updated by requester', {
    TagKey: 'aws:x',
  }),
  invalidTag('PutObjectTagging', badTag('aws:x'), 'Your TagKey cannot be prefixed with aws:', {
    TagKey: 'aws:x',
  }),
  ...['key1=val1&key1=val2', 'key1=val1,key2=val2'].map((Tagging) => ({
    operation: 'PutObject',
    input: { Tagging },
    code: 'InvalidArgument',
    message:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    members: { ArgumentName: 'x-amz-tagging', ArgumentValue: Tagging },
  })),
];

const notLocked: readonly Refused[] = [
  ...[true, false].map((BypassGovernanceRetention) => ({
    operation: 'DeleteObject',
    input: { BypassGovernanceRetention },
    code: 'InvalidArgument',
    message: 'x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.',
    members: { ArgumentName: 'x-amz-bypass-governance-retention' },
  })),
  {
    operation: 'DeleteObjects',
    input: { BypassGovernanceRetention: true, Delete: { Objects: [{ Key: 'ten' }] } },
    code: 'InvalidArgument',
  },
];

describe('refused, and nothing is changed', () => {
  it.each([...conditions, ...tags, ...notLocked])('$operation $input', async (refused) => {
    await expectRefused(refused);
    const { ContentLength, TagCount } = await s3.call('HeadObject', { Bucket: 'bbb', Key: 'ten' });
    expect({ ContentLength, TagCount }).toEqual({ ContentLength: 10, TagCount: undefined });
    expect(await s3.keys('bbb')).toEqual(['ten']);
  });
});

const malformed =
  'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy';

const ranges: readonly (readonly [string, string, string])[] = [
  ...['0-8', 'bytes=1-0', 'bytes=-1-', 'bytes=0--1', 'bytes=0-1,3-4', 'bytes=-', 'bytes=1-', 'bytes=-2'].map(
    (range) => [range, 'InvalidArgument', malformed] as const,
  ),
  ['bytes=0-10', 'InvalidArgument', 'Range specified is not valid for source object of size: 10'],
  ['bytes=10-20', 'InvalidRequest', 'The specified copy range is invalid for the source object size'],
];

describe('the range of a part that is copied', () => {
  it.each(ranges)('%s: %s', async (CopySourceRange, code, message) => {
    const { UploadId } = await s3.call('CreateMultipartUpload', { Bucket: 'bbb', Key: 'whole' });
    const input = { Key: 'whole', UploadId, PartNumber: 1, CopySource: 'bbb/ten', CopySourceRange };
    await expectRefused({ operation: 'UploadPartCopy', input, code, message });
  });
});

describe('an upload that is completed over an object', () => {
  it('does so under If-Match only when nobody put the object after the upload began', async () => {
    const at = { Bucket: 'bbb', Key: 'ten' };
    const begin = async () => {
      const { UploadId } = await s3.call('CreateMultipartUpload', at);
      const part = { ...at, UploadId, PartNumber: 1, Body: stream('part') };
      const { ETag } = await s3.call('UploadPart', part);
      return { ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    };
    const upload = await begin();
    await s3.clock.advance(1000);
    const { ETag: IfMatch } = await s3.call('PutObject', { ...at, Body: stream('0123456789') });
    await expect(s3.call('CompleteMultipartUpload', { ...upload, IfMatch })).rejects.toMatchObject({
      code: 'ConditionalRequestConflict',
      status: 409,
      members: { Condition: 'If-Match', Key: 'ten' },
    });
    await s3.clock.advance(1000);
    await s3.call('CompleteMultipartUpload', { ...(await begin()), IfMatch });
    expect(await s3.call('HeadObject', at)).toMatchObject({ ContentLength: 4 });
  });
});

describe('the tags of a delete marker', () => {
  it.each(['GET', 'PUT', 'DELETE'])(
    '%s is not allowed, whether the request names it or not',
    async (Method) => {
      await s3.bucket('versions');
      const Bucket = 'versions';
      await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
      const { VersionId } = await s3.call('DeleteObject', { Bucket, Key: 'k' });
      const operation = `${Method[0]}${Method.slice(1).toLowerCase()}ObjectTagging`;
      const input = { Bucket, Key: 'k', ...(Method === 'PUT' && { Tagging: { TagSet: [] } }) };
      for (const version of [{}, { VersionId }]) {
        await expect(s3.call(operation, { ...input, ...version })).rejects.toMatchObject({
          code: 'MethodNotAllowed',
          status: 405,
          members: { Method, ResourceType: 'DeleteMarker' },
          headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': VersionId },
        });
      }
    },
  );
});

describe('a delete marker', () => {
  it('cannot be named as the source of a copy', async () => {
    const Bucket = await s3.bucket('versions');
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const { VersionId } = await s3.call('DeleteObject', { Bucket, Key: 'k' });
    const CopySource = `versions/k?versionId=${VersionId}`;
    await expectRefused({
      operation: 'CopyObject',
      input: { Key: 'to', CopySource },
      code: 'InvalidRequest',
      message: 'The source of a copy request may not specifically refer to a delete marker by version id.',
    });
    await expectRefused({
      operation: 'CopyObject',
      input: { Key: 'to', CopySource: 'versions/k' },
      code: 'NoSuchKey',
      status: 404,
    });
  });
});

describe('conditions of time', () => {
  const hour = 3_600_000;

  it('If-Modified-Since with a time to come is passed over', async () => {
    const now = s3.clock.now();
    const later = new Date(now + hour);
    const get = { Bucket: 'bbb', Key: 'ten', IfModifiedSince: later };
    expect(await s3.call('HeadObject', get)).toMatchObject({ ContentLength: 10 });
    const copy = { Bucket: 'bbb', Key: 'to', CopySource: 'bbb/ten' };
    await s3.call('CopyObject', { ...copy, CopySourceIfModifiedSince: later });
    expect(await s3.keys('bbb')).toEqual(['ten', 'to']);
    await s3.clock.advance(hour);
    await expect(s3.call('HeadObject', get)).rejects.toMatchObject({ status: 304 });
    await expect(s3.call('CopyObject', { ...copy, CopySourceIfModifiedSince: later })).rejects.toMatchObject({
      code: 'PreconditionFailed',
      members: { Condition: 'x-amz-copy-source-If-Modified-Since' },
    });
  });
});

describe('an object of a bucket with suspended versioning', () => {
  it('is put without being told that its version is null, and read with it', async () => {
    const VersioningConfiguration = { Status: 'Suspended' };
    await s3.call('PutBucketVersioning', { Bucket: 'bbb', VersioningConfiguration });
    const at = { Bucket: 'bbb', Key: 'ten' };
    expect(await s3.call('PutObject', { ...at, Body: stream('new') })).not.toHaveProperty('VersionId');
    expect(await s3.call('HeadObject', at)).toMatchObject({ VersionId: 'null' });
  });
});

describe('buckets', () => {
  it('are told by the message whether versions keep them from being deleted', async () => {
    const refused = { operation: 'DeleteBucket', code: 'BucketNotEmpty', status: 409 };
    const message = 'The bucket you tried to delete is not empty';
    await expectRefused({ ...refused, input: {}, message, members: { BucketName: 'bbb' } });
    await s3.call('PutBucketVersioning', { Bucket: 'bbb', VersioningConfiguration: { Status: 'Enabled' } });
    await expectRefused({
      ...refused,
      input: {},
      message: `${message}. You must delete all versions in the bucket.`,
    });
  });

  it('take the three ownerships of objects', async () => {
    for (const ObjectOwnership of ['RandomValue', '']) {
      await expectRefused({
        operation: 'CreateBucket',
        input: { Bucket: 'owned', ObjectOwnership },
        code: 'InvalidArgument',
        message: `Invalid x-amz-object-ownership header: ${ObjectOwnership}`,
        members: { ArgumentName: 'x-amz-object-ownership' },
      });
    }
  });
});
