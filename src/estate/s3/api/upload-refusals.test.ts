import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../../test/bucket-fixture.ts';

/** What S3 answers to parts, and lists of parts, that do not fit their upload. */

let s3: BucketFixture;
const at = { Bucket: 'bbb', Key: 'k' };

beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket('bbb');
});
afterEach(() => s3[Symbol.asyncDispose]());

async function* stream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

async function begin(over = {}): Promise<string> {
  const { UploadId } = await s3.call('CreateMultipartUpload', { ...at, ...over });
  return UploadId;
}

const uploadPart = (UploadId: string, PartNumber: number, text: string, over = {}) =>
  s3.call('UploadPart', { ...at, UploadId, PartNumber, Body: stream(text), ...over });

const complete = (UploadId: string, Parts?: readonly object[]) =>
  s3.call('CompleteMultipartUpload', { ...at, UploadId, ...(Parts && { MultipartUpload: { Parts } }) });

const notFound =
  "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";

describe('a list of parts', () => {
  it.each([
    {
      Parts: [
        { PartNumber: 2, ETag: md5('two') },
        { PartNumber: 1, ETag: md5('one') },
      ],
      code: 'InvalidPartOrder',
      message: 'The list of parts was not in ascending order. Parts must be ordered by part number.',
      members: {},
    },
    {
      Parts: [{ PartNumber: 3, ETag: `"${md5('one')}"` }],
      code: 'InvalidPart',
      message: notFound,
      members: { PartNumber: 3, ETag: md5('one') },
    },
    {
      Parts: [{ PartNumber: 1, ETag: md5('two') }],
      code: 'InvalidPart',
      message: notFound,
      members: { PartNumber: 1, ETag: md5('two') },
    },
  ])('$code $members', async ({ Parts, code, message, members }) => {
    const UploadId = await begin();
    await uploadPart(UploadId, 1, 'one');
    await uploadPart(UploadId, 2, 'two');
    const refused = { code, status: 400, message, members: { ...members, UploadId } };
    await expect(complete(UploadId, Parts)).rejects.toMatchObject(refused);
    expect(await s3.keys('bbb')).toEqual([]);
  });

  it('has to be there', async () => {
    await expect(complete(await begin())).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: 'You must specify at least one part',
    });
  });
});

const mismatch = (actual: string) => ({
  code: 'InvalidRequest',
  status: 400,
  message: `Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: ${actual}`,
});

describe('an upload whose checksum is made of those of its parts', () => {
  it('takes no part without one, or with another', async () => {
    const UploadId = await begin({ ChecksumAlgorithm: 'SHA256' });
    await expect(uploadPart(UploadId, 1, 'x')).rejects.toMatchObject(mismatch('null'));
    const other = { ChecksumCRC32: 'jN9hyA==' };
    await expect(uploadPart(UploadId, 1, 'x', other)).rejects.toMatchObject(mismatch('crc32'));
    await s3.put('bbb', 'source', { body: 'x' });
    const copied = { ...at, UploadId, PartNumber: 1, CopySource: 'bbb/source' };
    const { CopyPartResult } = await s3.call('UploadPartCopy', copied);
    expect(CopyPartResult.ChecksumSHA256).toBe(sha256('x'));
  });

  it('is completed with the checksum of each part', async () => {
    const UploadId = await begin({ ChecksumAlgorithm: 'SHA256' });
    const ChecksumSHA256 = sha256('x');
    const { ETag } = await uploadPart(UploadId, 1, 'x', { ChecksumSHA256 });
    await expect(complete(UploadId, [{ PartNumber: 1, ETag }])).rejects.toMatchObject({
      code: 'InvalidRequest',
      message:
        'The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.',
    });
    const wrong = { PartNumber: 1, ETag, ChecksumSHA256: sha256('y') };
    await expect(complete(UploadId, [wrong])).rejects.toMatchObject({ code: 'InvalidPart' });
    const answer = await complete(UploadId, [{ PartNumber: 1, ETag, ChecksumSHA256 }]);
    expect(answer).toMatchObject({ ChecksumType: 'COMPOSITE' });
  });

  it('is completed with a checksum of the whole that is right, with the number of its parts or without', async () => {
    const ChecksumSHA256 = sha256('x');
    const whole = createHash('sha256').update(Buffer.from(ChecksumSHA256, 'base64')).digest('base64');
    const UploadId = await begin({ ChecksumAlgorithm: 'SHA256' });
    const { ETag } = await uploadPart(UploadId, 1, 'x', { ChecksumSHA256 });
    const Parts = [{ PartNumber: 1, ETag, ChecksumSHA256 }];
    const completeWith = (value: string) =>
      s3.call('CompleteMultipartUpload', {
        ...at,
        UploadId,
        MultipartUpload: { Parts },
        ChecksumSHA256: value,
      });
    for (const value of [`${whole}-2`, ChecksumSHA256, `${ChecksumSHA256}-1`]) {
      await expect(completeWith(value)).rejects.toMatchObject({
        code: 'BadDigest',
        message: 'The sha256 you specified did not match the calculated checksum.',
      });
    }
    await expect(completeWith(`${whole}-a`)).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: 'Value for x-amz-checksum-sha256 header is invalid.',
    });
    expect(await completeWith(`${whole}-1`)).toMatchObject({ ChecksumSHA256: `${whole}-1` });
  });

  it('is not one whose checksum is of the whole, nor one that asked for none', async () => {
    for (const asked of [{ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }, {}]) {
      const UploadId = await begin(asked);
      const { ETag } = await uploadPart(UploadId, 1, 'x');
      const answer = await complete(UploadId, [{ PartNumber: 1, ETag }]);
      expect(answer).toMatchObject({ ChecksumType: 'FULL_OBJECT' });
    }
  });
});

describe('uploads under way', () => {
  it('are listed with both markers also on the last page', async () => {
    const none = await s3.call('ListMultipartUploads', { Bucket: 'bbb' });
    expect(none).toMatchObject({ NextKeyMarker: '', NextUploadIdMarker: '', IsTruncated: false });
    const UploadId = await begin();
    const one = await s3.call('ListMultipartUploads', { Bucket: 'bbb' });
    expect(one).toMatchObject({ NextKeyMarker: 'k', NextUploadIdMarker: UploadId, IsTruncated: false });
  });
});

describe('checksums that there are not', () => {
  it.each([
    [
      'CreateMultipartUpload',
      { ChecksumAlgorithm: 'MD4' },
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    ],
    [
      'CreateMultipartUpload',
      { ChecksumType: 'COMPOSITE' },
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    ],
    [
      'CreateMultipartUpload',
      { ChecksumAlgorithm: 'SHA256', ChecksumType: 'OTHER' },
      'Value for x-amz-checksum-type header is invalid.',
    ],
    ['GetObject', { ChecksumMode: 'OTHER' }, 'Value for x-amz-checksum-mode header is invalid.'],
  ])('%s %o', async (operation, input, message) => {
    await s3.put('bbb', 'k');
    const refused = { code: 'InvalidRequest', status: 400, message };
    await expect(s3.call(operation, { ...at, ...input })).rejects.toMatchObject(refused);
  });
});
