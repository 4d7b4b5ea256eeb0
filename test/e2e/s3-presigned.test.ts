import { createHmac } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presignUrl } from '../../src/wire/sigv4/index.ts';
import { eventually, startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/** Presigned URLs of both versions of the signature, and what policies may ask of signatures. */

const Bucket = 'presigned';
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startServer();
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'body' }));
});
afterAll(() => server[Symbol.asyncDispose]());

/** As the aws CLI presigns by default: Signature Version 2. */
function version2Url(method: string, key: string): string {
  const { accessKeyId, secretAccessKey } = server.credentials;
  const expires = String(Math.floor(Date.now() / 1000) + 60);
  const text = `${method}\n\n\n${expires}\n/${Bucket}/${key}`;
  const query = new URLSearchParams({
    AWSAccessKeyId: accessKeyId,
    Signature: createHmac('sha1', secretAccessKey).update(text).digest('base64'),
    Expires: expires,
  });
  return `${server.endpoint}/${Bucket}/${key}?${query.toString()}`;
}

function version4Url(
  method: string,
  key: string,
  parameters: Record<string, string> = {},
  agoMs = 0,
): string {
  const url = new URL(`${server.endpoint}/${Bucket}/${key}`);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const { credentials } = server;
  return presignUrl({
    method,
    url,
    service: 's3',
    region: 'us-east-1',
    credentials,
    time: Date.now() - agoMs,
    expiresSeconds: 600,
  }).href;
}

async function denying(Condition: unknown): Promise<void> {
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: `arn:aws:s3:::${Bucket}/*`, Condition },
    ],
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

const statusOf = async (url: string, init: RequestInit = {}) => (await fetch(url, init)).status;

describe('presigned URLs', () => {
  it('of Signature Version 2 are taken, and recorded as such', async () => {
    const answer = await fetch(version2Url('GET', 'key'));
    expect(await answer.text()).toBe('body');
    expect(await statusOf(version2Url('PUT', 'put'), { method: 'PUT', body: Buffer.from('x') })).toBe(200);
    expect(await statusOf(version2Url('PUT', 'key'))).toBe(403);
    expect(await statusOf(`${version2Url('GET', 'key')}&attributes`)).toBe(400);
    const requestId = answer.headers.get('x-amz-request-id') ?? '';
    const record = await eventually(async () => {
      const query = { text: requestId };
      const found = await signedFetch(server, '/_cairn/events', { service: 'cairn', query });
      return ((await found.json()) as { events: Record<string, unknown>[] }).events[0];
    });
    expect(record).toMatchObject({
      eventName: 'GetObject',
      additionalEventData: { SignatureVersion: 'SigV2', AuthenticationMethod: 'QueryString' },
    });
  });

  it('carry headers that their maker wrote into them, but for checksums, which S3 ignores there', async () => {
    const parameters = {
      'x-amz-meta-made': 'by url',
      'x-amz-storage-class': 'STANDARD',
      'x-amz-checksum-crc32': 'AAAAAA==',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
    };
    const url = version4Url('PUT', 'with-headers', parameters);
    expect(await statusOf(url, { method: 'PUT', body: 'something' })).toBe(200);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'with-headers' }))).toMatchObject({
      Metadata: { made: 'by url' },
      ContentLength: 9,
    });
    const changed = url.replace('by+url', 'by%20me').replace('by%20url', 'by%20me');
    expect(await statusOf(changed, { method: 'PUT', body: 'something' })).toBe(403);
  });

  it('obey policies about the version, the age and the payload of signatures', async () => {
    await denying({ StringEquals: { 's3:signatureversion': 'AWS' } });
    expect(await statusOf(version2Url('GET', 'key'))).toBe(403);
    expect(await statusOf(version4Url('GET', 'key'))).toBe(200);

    await denying({ NumericGreaterThan: { 's3:signatureAge': '60000' } });
    expect(await statusOf(version4Url('GET', 'key', {}, 120_000))).toBe(403);
    expect(await statusOf(version4Url('GET', 'key', {}, 10_000))).toBe(200);
    // "In Signature Version 2, this value is always set to 0."
    expect(await statusOf(version2Url('GET', 'key'))).toBe(200);

    await denying({ StringNotEquals: { 's3:authType': 'REST-HEADER' } });
    expect(await statusOf(version4Url('GET', 'key'))).toBe(403);

    await denying({ StringNotLike: { 'aws:Referer': 'https://example.com/*' } });
    const from = (referer: string) => statusOf(version4Url('GET', 'key'), { headers: { referer } });
    expect(await from('https://elsewhere.example/')).toBe(403);
    expect(await from('https://example.com/page')).toBe(200);

    const hashed = { method: 'PUT', service: 's3', body: 'x' };
    const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
    const put = () =>
      signedFetch(server, `/${Bucket}/hashed`, { ...hashed, headers: { 'x-amz-content-sha256': sha256 } });
    await denying({ StringNotEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    expect((await put()).status).toBe(403);
    await denying({ StringEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    expect((await put()).status).toBe(200);
    await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  });
});
