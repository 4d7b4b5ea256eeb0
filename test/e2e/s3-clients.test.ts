import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, hasBoto3, python, startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

const run = promisify(execFile);
const Bucket = 'objects';

let server: TestServer;
let s3: S3Client;
let directory: string;

beforeAll(async () => {
  server = await startServer();
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  directory = mkdtempSync(join(tmpdir(), 'cairn-s3-'));
});

afterAll(async () => {
  s3.destroy();
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const put = (Key: string, Body: string | Uint8Array, over = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...over }));

async function get(Key: string, over = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...over }));
  return Buffer.from(await Body!.transformToByteArray());
}

describe('the bytes on disk', () => {
  it('hold nothing in the clear, and nothing of what was deleted', async () => {
    const secret = 'a text that nobody finds on the disk '.repeat(10);
    await put('secret', secret);
    const files = readdirSync(join(server.data, 'blob', 's3'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(files.length).toBeGreaterThan(0);
    expect(files.some((bytes) => bytes.includes('nobody finds'))).toBe(false);
  });
});

interface ObjectEvent {
  readonly eventName: string;
  readonly requestID: string;
  readonly requestParameters: { readonly key?: string } | null;
  readonly responseElements: unknown;
}

async function objectEvents(): Promise<readonly ObjectEvent[]> {
  const answer = await signedFetch(server, '/_cairn/events', {
    service: 'cairn',
    query: { eventSource: 's3.amazonaws.com', category: 'Data', format: 'ndjson', limit: '1000' },
  });
  expect(answer.status).toBe(200);
  return (await answer.text())
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as ObjectEvent]));
}

describe('records', () => {
  it('of object calls are data events, as CloudTrail writes them', async () => {
    await put('recorded', 'some bytes', { Tagging: 'a=b' });
    await get('recorded', { Range: 'bytes=0-3' });
    await get('nowhere').catch(() => undefined);
    const events = await eventually(async () => {
      const found = await objectEvents();
      const about = (name: string, key: string) =>
        found.find((event) => event.eventName === name && event.requestParameters?.key === key);
      const wanted = [
        about('PutObject', 'recorded'),
        about('GetObject', 'recorded'),
        about('GetObject', 'nowhere'),
      ];
      return wanted.every((event) => event !== undefined) ? wanted : undefined;
    });
    const resources = [
      { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${Bucket}/recorded` },
      { accountId: server.accountId, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${Bucket}` },
    ];
    const { host } = new URL(server.endpoint);
    expect(events[0]).toMatchObject({
      requestParameters: { bucketName: Bucket, key: 'recorded', Host: host, 'x-amz-tagging': 'a=b' },
      responseElements: { 'x-amz-server-side-encryption': 'AES256' },
      additionalEventData: {
        SignatureVersion: 'SigV4',
        AuthenticationMethod: 'AuthHeader',
        bytesTransferredIn: 10,
        SSEApplied: 'Default_SSE_S3',
      },
      readOnly: false,
      managementEvent: false,
      eventCategory: 'Data',
      resources,
    });
    expect(JSON.stringify(events[0])).not.toContain('some bytes');
    expect(events[1]).toMatchObject({
      additionalEventData: { bytesTransferredOut: 4 },
      readOnly: true,
      resources,
    });
    expect(events[1]?.responseElements).toBeNull();
    expect(events[2]).toMatchObject({ errorCode: 'NoSuchKey' });
  });

  it('of a batch are one of the call, and one of each object with what became of it', async () => {
    const keys = Array.from({ length: 300 }, (_, at) => `batch/${'long'.repeat(30)}/${at}`);
    const { $metadata } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } }),
    );
    const ofCall = await eventually(async () => {
      const found = (await objectEvents()).filter(({ requestID }) => requestID === $metadata.requestId);
      return found.length > 300 ? found : undefined;
    });
    const bucket = { accountId: server.accountId, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${Bucket}` };
    expect(ofCall.filter(({ eventName }) => eventName === 'DeleteObjects')).toMatchObject([
      {
        requestParameters: { bucketName: Bucket, delete: '' },
        resources: [{ type: 'AWS::S3::Object', ARNPrefix: `arn:aws:s3:::${Bucket}/` }, bucket],
      },
    ]);
    const each = ofCall.filter(({ eventName }) => eventName === 'DeleteObject');
    expect(new Set(each.map(({ requestParameters }) => requestParameters?.key))).toEqual(new Set(keys));
    expect(each).toHaveLength(keys.length);
    expect(each[0]).toMatchObject({
      eventCategory: 'Data',
      readOnly: false,
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${Bucket}/${each[0]?.requestParameters?.key}` },
        bucket,
      ],
    });
  });

  it('of listings and settings have CloudTrail’s names and shapes', async () => {
    await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'listed/' }));
    const listed = await eventually(async () =>
      (await objectEvents()).find(
        ({ requestParameters }) => (requestParameters as { prefix?: string } | null)?.prefix === 'listed/',
      ),
    );
    expect(listed).toMatchObject({
      eventName: 'ListObjects',
      requestParameters: { bucketName: Bucket, 'list-type': '2' },
      resources: [
        { type: 'AWS::S3::Object', ARNPrefix: `arn:aws:s3:::${Bucket}/listed/` },
        { type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${Bucket}` },
      ],
    });
  });
});

const aws = async (...args: string[]) => {
  const { stdout } = await run(awsCli, ['--endpoint-url', server.endpoint, ...args], { env: server.env });
  return stdout;
};

describe.skipIf(!hasAwsCli)('the aws CLI', () => {
  it('copies, syncs, lists, presigns and removes', async () => {
    const local = join(directory, 'tree');
    mkdirSync(join(local, 'deep'), { recursive: true });
    const large = randomBytes(9 * 1024 * 1024);
    writeFileSync(join(local, 'large.bin'), large);
    writeFileSync(join(local, 'deep', 'small é.txt'), 'small');
    await aws('s3', 'sync', local, `s3://${Bucket}/tree`, '--only-show-errors');
    expect(await aws('s3', 'ls', `s3://${Bucket}/tree/`)).toMatch(/PRE deep\/\n.* 9437184 large\.bin/);
    const back = join(directory, 'back');
    await aws('s3', 'sync', `s3://${Bucket}/tree`, back, '--only-show-errors');
    expect(readFileSync(join(back, 'large.bin')).equals(large)).toBe(true);
    expect(readFileSync(join(back, 'deep', 'small é.txt'), 'utf8')).toBe('small');
    const url = (await aws('s3', 'presign', `s3://${Bucket}/tree/deep/small é.txt`)).trim();
    expect(await (await fetch(url)).text()).toBe('small');
    expect((await fetch(url.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).status).toBe(403);
    await aws(
      's3',
      'mv',
      `s3://${Bucket}/tree/large.bin`,
      `s3://${Bucket}/tree/moved.bin`,
      '--only-show-errors',
    );
    expect((await get('tree/moved.bin')).equals(large)).toBe(true);
    await aws('s3', 'rm', '--recursive', `s3://${Bucket}/tree`, '--only-show-errors');
    const left = await aws(
      's3api',
      'list-objects',
      '--bucket',
      Bucket,
      '--prefix',
      'tree',
      '--output',
      'json',
    );
    expect(left).not.toContain('moved');
  }, 60_000);
});

describe.skipIf(!hasBoto3)('boto3', () => {
  it('transfers files in many parts at once', async () => {
    const script = `
import boto3, io, os, sys
from boto3.s3.transfer import TransferConfig
s3 = boto3.client('s3', endpoint_url=sys.argv[1])
config = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024, max_concurrency=4)
body = os.urandom(17 * 1024 * 1024)
s3.upload_fileobj(io.BytesIO(body), '${Bucket}', 'boto/large', ExtraArgs={'Metadata': {'a': 'b'}, 'ContentType': 'x/y'}, Config=config)
out = io.BytesIO()
s3.download_fileobj('${Bucket}', 'boto/large', out, Config=config)
assert out.getvalue() == body
head = s3.head_object(Bucket='${Bucket}', Key='boto/large')
assert head['Metadata'] == {'a': 'b'} and head['ContentType'] == 'x/y' and head['ETag'].endswith('-4"'), head
s3.copy({'Bucket': '${Bucket}', 'Key': 'boto/large'}, '${Bucket}', 'boto/ copy+1', Config=config)
keys = [o['Key'] for page in s3.get_paginator('list_objects_v2').paginate(Bucket='${Bucket}', Prefix='boto/', PaginationConfig={'PageSize': 1}) for o in page['Contents']]
assert keys == ['boto/ copy+1', 'boto/large'], keys
assert [o['Key'] for o in s3.list_objects(Bucket='${Bucket}', Prefix='boto/')['Contents']] == keys
url = s3.generate_presigned_url('put_object', Params={'Bucket': '${Bucket}', 'Key': 'boto/presigned'})
import urllib.request
# Which version of the signature boto3 makes depends on its release; Version 2 covers the content type, which urllib would invent.
urllib.request.urlopen(urllib.request.Request(url, data=b'by url', method='PUT', headers={'Content-Type': ''}))
assert s3.get_object(Bucket='${Bucket}', Key='boto/presigned')['Body'].read() == b'by url'
answer = s3.delete_objects(Bucket='${Bucket}', Delete={'Objects': [{'Key': k} for k in keys]})
assert len(answer['Deleted']) == 2, answer
print('done')
`;
    const { stdout } = await run(python, ['-c', script, server.endpoint], { env: server.env });
    expect(stdout.trim()).toBe('done');
  }, 60_000);
});

describe('a crash', () => {
  it('leaves the objects that were answered, and the bytes of no others', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-s3-crash-'));
    try {
      const first = await startServer({ data });
      const client = new S3Client({ ...first.clientOptions, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: 'crash' }));
      const bodies = Array.from({ length: 30 }, (_, at) => Buffer.alloc(300_000, at));
      const answered = new Set<number>();
      const puts = bodies.map((Body, at) =>
        client
          .send(
            new PutObjectCommand({ Bucket: 'crash', Key: `k${at % 10}`, Body, Metadata: { at: String(at) } }),
          )
          .then(() => answered.add(at))
          .catch(() => undefined),
      );
      await Promise.race(puts.slice(5));
      await first.kill();
      await Promise.all(puts);
      client.destroy();
      const second = await startServer({ data });
      const again = new S3Client({ ...second.clientOptions, forcePathStyle: true });
      for (let key = 0; key < 10; key++) {
        const found = await again
          .send(new GetObjectCommand({ Bucket: 'crash', Key: `k${key}` }))
          .catch(() => undefined);
        const wasAnswered = [...answered].some((at) => at % 10 === key);
        if (!found) {
          expect(wasAnswered).toBe(false);
          continue;
        }
        const bytes = Buffer.from(await found.Body!.transformToByteArray());
        expect(bytes.equals(bodies[Number(found.Metadata?.['at'])]!)).toBe(true);
      }
      again.destroy();
      await second[Symbol.asyncDispose]();
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }, 60_000);
});
