import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  type ChecksumAlgorithm,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

const partBytes = 5 * 1024 * 1024;
const Bucket = 'objects';

let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startServer();
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  s3.destroy();
  await server[Symbol.asyncDispose]();
});

const put = (Key: string, Body: string | Uint8Array, over = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...over }));

async function get(Key: string, over = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...over }));
  return Buffer.from(await Body!.transformToByteArray());
}

const named = (name: string) => expect.objectContaining({ name });

/** Uploads parts, completes them, and gives the answer. */
async function uploadParts(Key: string, parts: readonly Uint8Array[], over = {}, whole = {}) {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...over }));
  const done = await Promise.all(
    parts.map(async (Body, at) => {
      const PartNumber = at + 1;
      const {
        $metadata: _,
        ServerSideEncryption: __,
        ...answer
      } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...over }));
      return { ...answer, PartNumber };
    }),
  );
  return s3.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: done }, ...whole }),
  );
}

const md5 = (...parts: readonly Uint8Array[]) => createHash('md5').update(Buffer.concat(parts)).digest();

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

const askIf = (over: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'conditions', ...over }));

describe('the SDK for JavaScript', () => {
  it('puts, heads and gets an object with everything that came with it', async () => {
    const answer = await put('a/first.txt', 'hello world', {
      ContentType: 'text/plain',
      CacheControl: 'no-cache',
      Metadata: { Colour: 'blue' },
      Tagging: 'team=red&cost=1',
    });
    expect(answer.ETag).toBe('"5eb63bbbe01eeed093cb22bb8f5acdc3"');
    expect(answer.ServerSideEncryption).toBe('AES256');
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/first.txt' }));
    expect(head).toMatchObject({
      ContentLength: 11,
      ContentType: 'text/plain',
      CacheControl: 'no-cache',
      Metadata: { colour: 'blue' },
      ETag: answer.ETag,
      TagCount: 2,
    });
    expect((await get('a/first.txt')).toString()).toBe('hello world');
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'a/first.txt' }));
    expect(TagSet).toEqual([
      { Key: 'team', Value: 'red' },
      { Key: 'cost', Value: '1' },
    ]);
    const shaped = await s3.send(
      new GetObjectCommand({
        Bucket,
        Key: 'a/first.txt',
        ResponseContentType: 'x/y',
        ResponseCacheControl: 'z',
      }),
    );
    expect([shaped.ContentType, shaped.CacheControl]).toEqual(['x/y', 'z']);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] satisfies ChecksumAlgorithm[])(
    'sends %s behind the body, and checks it on the way back',
    async (algorithm) => {
      const answer = await put('checked', randomBytes(100_000), { ChecksumAlgorithm: algorithm });
      const value = answer[`Checksum${algorithm}`];
      expect(value).toMatch(/^[A-Za-z0-9+/]+=*$/);
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'checked', ChecksumMode: 'ENABLED' }));
      expect(head[`Checksum${algorithm}`]).toBe(value);
      // The client itself compares what it reads with the checksum.
      expect((await get('checked', { ChecksumMode: 'ENABLED' })).length).toBe(100_000);
      const wrong = put('checked', 'other', { [`Checksum${algorithm}`]: value });
      await expect(wrong).rejects.toThrow(named('BadDigest'));
      expect((await get('checked')).length).toBe(100_000);
    },
  );

  it.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)(
    'puts a stream over HTTP, whose checksum it makes %s',
    async (requestChecksumCalculation) => {
      // A stream is hashed by nobody beforehand: the SDK sends a trailer, or an UNSIGNED-PAYLOAD.
      const options = { ...server.clientOptions, forcePathStyle: true, requestChecksumCalculation };
      const client = new S3Client(options);
      const body = randomBytes(300_000);
      const Body = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]);
      const command = new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: body.length });
      await client.send(command);
      client.destroy();
      expect((await get('stream')).equals(body)).toBe(true);
    },
  );

  it('gets ranges', async () => {
    const body = randomBytes(200_000);
    await put('ranges', body);
    for (const [range, first, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=65530-65545', 65_530, 65_546],
      ['bytes=131072-', 131_072, 200_000],
      ['bytes=-10', 199_990, 200_000],
      ['bytes=199999-500000', 199_999, 200_000],
    ] as const) {
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'ranges', Range: range }));
      expect(answer.$metadata.httpStatusCode).toBe(206);
      expect(answer.ContentRange).toBe(`bytes ${first}-${end - 1}/200000`);
      const bytes = Buffer.from(await answer.Body!.transformToByteArray());
      expect(bytes.equals(body.subarray(first, end))).toBe(true);
    }
    const beyond = s3.send(new GetObjectCommand({ Bucket, Key: 'ranges', Range: 'bytes=200000-' }));
    await expect(beyond).rejects.toThrow(named('InvalidRange'));
  });

  it('is answered 304 and 412 for conditions that do not hold', async () => {
    const { ETag } = await put('conditions', 'x');
    const future = new Date(Date.now() + 3_600_000);
    const past = new Date(Date.now() - 3_600_000);
    await askIf({ IfMatch: ETag, IfUnmodifiedSince: past });
    const now = new Date();
    await askIf({ IfNoneMatch: '"other"', IfModifiedSince: now });
    await askIf({ IfModifiedSince: future });
    for (const over of [{ IfNoneMatch: ETag }, { IfModifiedSince: now }]) {
      await expect(askIf(over)).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    }
    for (const over of [{ IfMatch: '"other"' }, { IfUnmodifiedSince: past }]) {
      await expect(askIf(over)).rejects.toThrow(named('PreconditionFailed'));
    }
    await expect(put('conditions', 'y', { IfNoneMatch: '*' })).rejects.toThrow(named('PreconditionFailed'));
    await put('conditions', 'z', { IfMatch: ETag });
    await expect(put('conditions', 'y', { IfMatch: ETag })).rejects.toThrow(named('PreconditionFailed'));
  });

  it('is told what is not there', async () => {
    await expect(get('nowhere')).rejects.toThrow(named('NoSuchKey'));
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'nowhere' }))).rejects.toThrow(
      named('NotFound'),
    );
    const elsewhere = s3.send(new GetObjectCommand({ Bucket: 'not-a-bucket', Key: 'x' }));
    await expect(elsewhere).rejects.toThrow(named('NoSuchBucket'));
    const acl = s3.send(new PutObjectAclCommand({ Bucket, Key: 'a/first.txt', ACL: 'public-read' }));
    await expect(acl).rejects.toThrow(named('AccessControlListNotSupported'));
  });

  it('keeps keys of any characters apart', async () => {
    const keys = [
      'odd/ ',
      'odd/é',
      'odd/e\u0301',
      'odd/😀',
      'odd/\u0001',
      'odd/..',
      'odd/a//b',
      'odd/+&?#%2f',
      'odd/<&>',
    ];
    for (const key of keys) await put(key, `content of ${key}`);
    for (const key of keys) expect((await get(key)).toString()).toBe(`content of ${key}`);
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'odd/', EncodingType: 'url' }),
    );
    const listed = Contents.map(({ Key = '' }) => decodeURIComponent(Key));
    expect(listed).toEqual(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  it('uploads in parts, whole checksums and composite ones', async () => {
    const parts = [randomBytes(partBytes), randomBytes(partBytes), randomBytes(10)];
    const etag = `"${md5(...parts.map((part) => md5(part))).toString('hex')}-3"`;
    const whole = await uploadParts('parts', parts, { ChecksumAlgorithm: 'CRC64NVME' });
    expect(whole).toMatchObject({ ETag: etag, ChecksumType: 'FULL_OBJECT' });
    const single = await put('one-piece', Buffer.concat(parts), { ChecksumAlgorithm: 'CRC64NVME' });
    expect(whole.ChecksumCRC64NVME).toBe(single.ChecksumCRC64NVME);
    expect((await get('parts')).equals(Buffer.concat(parts))).toBe(true);
    const across = await get('parts', { Range: `bytes=${partBytes - 3}-${2 * partBytes + 4}` });
    expect(across.equals(Buffer.concat(parts).subarray(partBytes - 3, 2 * partBytes + 5))).toBe(true);
    const third = await s3.send(new GetObjectCommand({ Bucket, Key: 'parts', PartNumber: 3 }));
    expect(third).toMatchObject({ PartsCount: 3, ContentLength: 10 });
    expect(Buffer.from(await third.Body!.transformToByteArray()).equals(parts[2]!)).toBe(true);
    const composite = await uploadParts('composite', parts, { ChecksumAlgorithm: 'SHA256' });
    const joined = sha256(Buffer.concat(parts.map((part) => sha256(part)))).toString('base64');
    expect(composite).toMatchObject({ ChecksumSHA256: `${joined}-3`, ChecksumType: 'COMPOSITE' });
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'composite',
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectParts', 'ObjectSize'],
      }),
    );
    expect(attributes).toMatchObject({
      ETag: etag.slice(1, -1),
      Checksum: { ChecksumSHA256: joined },
      ObjectSize: 2 * partBytes + 10,
      ObjectParts: { TotalPartsCount: 3, Parts: [{ Size: partBytes }, { Size: partBytes }, { Size: 10 }] },
    });
  });

  it('is refused parts that are too small, missing or out of order, and may abort', async () => {
    const Key = 'bad-parts';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const upload = async (PartNumber: number) => {
      const { ETag } = await s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'small' }),
      );
      return { ETag, PartNumber };
    };
    const [one, two] = [await upload(1), await upload(2)];
    const complete = (Parts: object[]) =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    await expect(complete([one, two])).rejects.toThrow(named('EntityTooSmall'));
    await expect(complete([two, one])).rejects.toThrow(named('InvalidPartOrder'));
    await expect(complete([one, { ...two, PartNumber: 3 }])).rejects.toThrow(named('InvalidPart'));
    await expect(complete([{ ...one, ETag: '"0"' }])).rejects.toThrow(named('InvalidPart'));
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }));
    expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '1' });
    expect(listed.Parts).toMatchObject([{ PartNumber: 1, Size: 5 }]);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
    expect(Uploads).toMatchObject([{ UploadId, Key }]);
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    await expect(upload(1)).rejects.toThrow(named('NoSuchUpload'));
  });

  it('copies objects, whole and in parts', async () => {
    const body = randomBytes(partBytes + 100);
    await put('source ü', body, { Metadata: { a: '1' }, Tagging: 'x=y', ContentType: 'a/b' });
    const CopySource = `${Bucket}/${encodeURIComponent('source ü')}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).toMatchObject({
      Metadata: { a: '1' },
      ContentType: 'a/b',
      TagCount: 1,
    });
    expect((await get('copy')).equals(body)).toBe(true);
    const replaced = {
      MetadataDirective: 'REPLACE' as const,
      Metadata: { b: '2' },
      TaggingDirective: 'REPLACE' as const,
    };
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/copy`, ...replaced }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }));
    expect(head.Metadata).toEqual({ b: '2' });
    expect(head.TagCount).toBeUndefined();
    const idle = s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/copy` }));
    await expect(idle).rejects.toThrow(named('InvalidRequest'));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'copied-parts' }));
    const Parts = await Promise.all(
      [`bytes=0-${partBytes - 1}`, `bytes=${partBytes}-${partBytes + 99}`].map(
        async (CopySourceRange, at) => {
          const answer = await s3.send(
            new UploadPartCopyCommand({
              Bucket,
              Key: 'copied-parts',
              UploadId,
              PartNumber: at + 1,
              CopySource,
              CopySourceRange,
            }),
          );
          return { ETag: answer.CopyPartResult?.ETag, PartNumber: at + 1 };
        },
      ),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key: 'copied-parts',
        UploadId,
        MultipartUpload: { Parts },
      }),
    );
    expect((await get('copied-parts')).equals(body)).toBe(true);
  });

  it('keeps versions, and deletes many keys at once', async () => {
    const versioned = 'versioned';
    await s3.send(new CreateBucketCommand({ Bucket: versioned }));
    const at = { Bucket: versioned, Key: 'k' };
    await s3.send(new PutObjectCommand({ ...at, Body: 'null version' }));
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const { VersionId } = await s3.send(new PutObjectCommand({ ...at, Body: 'second' }));
    const marker = await s3.send(new DeleteObjectCommand(at));
    expect(marker.DeleteMarker).toBe(true);
    await expect(s3.send(new GetObjectCommand(at))).rejects.toThrow(named('NoSuchKey'));
    const old = await s3.send(new GetObjectCommand({ ...at, VersionId: 'null' }));
    expect(await old.Body!.transformToString()).toBe('null version');
    const gone = s3.send(new GetObjectCommand({ ...at, VersionId: marker.VersionId }));
    await expect(gone).rejects.toThrow(named('MethodNotAllowed'));
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket: versioned }));
    expect(listed.DeleteMarkers).toMatchObject([{ VersionId: marker.VersionId, IsLatest: true }]);
    expect(listed.Versions).toMatchObject([
      { VersionId, IsLatest: false },
      { VersionId: 'null', IsLatest: false },
    ]);
    const { Deleted } = await s3.send(
      new DeleteObjectsCommand({
        Bucket: versioned,
        Delete: { Objects: [{ Key: 'k', VersionId: marker.VersionId }, { Key: 'never' }] },
      }),
    );
    expect(Deleted).toMatchObject([
      { Key: 'k', DeleteMarker: true },
      { Key: 'never', DeleteMarker: true },
    ]);
    expect(await (await s3.send(new GetObjectCommand(at))).Body!.transformToString()).toBe('second');
  });

  it('must send a checksum with what deletes many keys', async () => {
    const answer = await signedFetch(server, `/${Bucket}`, {
      service: 's3',
      method: 'POST',
      query: { delete: '' },
      headers: { 'x-amz-content-sha256': createHash('sha256').update('<Delete/>').digest('hex') },
      body: '<Delete/>',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('Content-MD5');
  });

  it('reads virtual-host style as well', async () => {
    const { host, port } = new URL(server.endpoint);
    expect(host).toContain(port);
    const virtual = new S3Client({ ...server.clientOptions, endpoint: `http://localhost:${port}` });
    const answer = await virtual
      .send(new GetObjectCommand({ Bucket, Key: 'a/first.txt' }))
      .catch((error: Error & { code?: string }) => error);
    virtual.destroy();
    // Not every machine resolves names below localhost.
    if (answer instanceof Error)
      expect((answer as { code?: string }).code).toMatch(/ENOTFOUND|EAI_AGAIN|ECONNREFUSED/);
    else expect(await answer.Body!.transformToString()).toBe('hello world');
  });

  it('lists by pages with a delimiter', async () => {
    for (const key of ['p/a', 'p/b/1', 'p/b/2', 'p/c', 'p/d/1']) await put(key, 'x');
    const lines: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: 'p/',
          Delimiter: '/',
          MaxKeys: 1,
          ContinuationToken: token,
        }),
      );
      expect(page.KeyCount).toBe(1);
      lines.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      lines.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(lines).toEqual(['p/a', 'p/b/', 'p/c', 'p/d/']);
  });
});

const call = (path: string, query: Readonly<Record<string, string>>, over = {}) =>
  signedFetch(server, path, { service: 's3', query, ...over });

describe('answers on the wire', () => {
  it.each([
    ['/none-such', {}, 404, '<Code>NoSuchBucket</Code>', '<BucketName>none-such</BucketName>'],
    [`/${Bucket}/none`, {}, 404, '<Code>NoSuchKey</Code>', '<Key>none</Key>'],
    [
      `/${Bucket}`,
      { 'encoding-type': 'value' },
      400,
      'Invalid Encoding Method specified in Request',
      '<ArgumentName>encoding-type</ArgumentName><ArgumentValue>value</ArgumentValue>',
    ],
    [`/${Bucket}`, { 'max-keys': '-1' }, 400, '<ArgumentName>maxKeys</ArgumentName>', '>-1<'],
    [`/${Bucket}`, { uploads: '', 'max-uploads': '' }, 200, '<MaxUploads>1000</MaxUploads>', Bucket],
  ])('GET %s %o: %i', async (path, query, status, ...texts) => {
    const answer = await call(path, query);
    expect(answer.status).toBe(status);
    const body = await answer.text();
    for (const text of texts) expect(body).toContain(text);
  });

  it('name the digest that is none', async () => {
    const headers = { 'content-md5': 'MTIz' };
    const answer = await call(`/${Bucket}/digest`, {}, { method: 'PUT', headers, body: 'x' });
    expect(answer.status).toBe(400);
    const text = '<Message>The Content-MD5 you specified was invalid.</Message>';
    expect(await answer.text()).toContain(`${text}<Content-MD5>MTIz</Content-MD5>`);
  });

  it('are 204 for tags of a bucket', async () => {
    const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
    const md5 = createHash('md5').update(body).digest('base64');
    const headers = { 'content-md5': md5 };
    const answer = await call(`/${Bucket}`, { tagging: '' }, { method: 'PUT', headers, body });
    expect(answer.status).toBe(204);
  });
});
