import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../kernel/index.ts';
import { openTestEndpoint, type TestEndpoint } from './test-endpoint.ts';
import { presignUrl, signRequest } from './index.ts';

/** The AWS SDK's clients over a socket, against a handful of operations that are made here. */
let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await openTestEndpoint();
});
afterAll(() => endpoint[Symbol.asyncDispose]());

function config(edit: object = {}) {
  return {
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: endpoint.credentials,
    maxAttempts: 1,
    forcePathStyle: true,
    ...edit,
  };
}

async function failure(work: Promise<unknown>): Promise<{ name: string; message: string; status: number }> {
  try {
    await work;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode ?? 0 };
  }
  throw new Error('the call was expected to fail');
}

describe('operations', () => {
  it('STS GetCallerIdentity', async () => {
    const answer = await new STSClient(config()).send(new GetCallerIdentityCommand({}));
    expect(answer.Account).toBe('000000000000');
    expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('IAM CreateUser, with the facts of the call', async () => {
    const answer = await new IAMClient(config()).send(new CreateUserCommand({ UserName: 'alice' }));
    expect(answer.User?.UserName).toBe('alice');
    const { call, operationName, service } = endpoint.performed.at(-1)!;
    expect([service.name, operationName]).toEqual(['iam', 'CreateUser']);
    expect(call).toMatchObject({
      accountId: '000000000000',
      region: 'eu-central-1',
      sourceIp: '127.0.0.1',
      tls: undefined,
      host: endpoint.url.slice('http://'.length),
      principal: { type: 'Root' },
    });
    expect(call.userAgent).toContain('aws-sdk-js');
  });

  it('a body that is not the signed one', async () => {
    const url = new URL(endpoint.url);
    const body = 'Action=CreateUser&Version=2010-05-08&UserName=alice';
    const headers = signRequest({
      method: 'POST',
      url,
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      service: 'iam',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: endpoint.clock.now(),
    });
    const before = endpoint.performed.length;
    const refused = await fetch(url, { method: 'POST', headers, body: body.replace('alice', 'mallo') });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining('SignatureDoesNotMatch'),
    ]);
    expect(endpoint.performed.length).toBe(before);
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
  });

  it('session tokens', async () => {
    const credentials = { ...endpoint.credentials, accessKeyId: 'ASIASESSION', sessionToken: 'the-token' };
    await new STSClient(config({ credentials })).send(new GetCallerIdentityCommand({}));
    const other = { ...credentials, sessionToken: 'another' };
    const refused = await failure(
      new STSClient(config({ credentials: other })).send(new GetCallerIdentityCommand({})),
    );
    expect(refused.name).toBe('InvalidClientTokenId');
  });

  it('a gzip body', async () => {
    const data = Array.from({ length: 500 }, (_, index) => ({ MetricName: `metric-${index}`, Value: index }));
    await new CloudWatchClient(config()).send(
      new PutMetricDataCommand({ Namespace: 'test', MetricData: data }),
    );
    const { input } = endpoint.performed.at(-1)!;
    expect((input['MetricData'] as unknown[]).length).toBe(500);
    expect(endpoint.received.at(-1)!.headers['content-encoding']).toBe('gzip');
  });

  it('an absent operation, which is handed on without one', async () => {
    const refused = await failure(
      new LambdaClient(config()).send(new GetFunctionCommand({ FunctionName: 'f' })),
    );
    expect(refused.name).toBe('NotImplementedException');
    expect(endpoint.performed.at(-1)).toMatchObject({ operationName: 'GetFunction', operation: undefined });
  });
});

function s3(edit: object = {}): S3Client {
  return new S3Client(config(edit));
}

describe('objects', () => {
  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'put with a %s and read back',
    async (algorithm) => {
      const body = Buffer.alloc(300_000, algorithm);
      const client = s3();
      await client.send(
        new PutObjectCommand({ Bucket: 'b', Key: 'a key/ü', Body: body, ChecksumAlgorithm: algorithm }),
      );
      const answer = await client.send(new GetObjectCommand({ Bucket: 'b', Key: 'a key/ü' }));
      expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true);
    },
  );

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'stream with a trailing %s',
    async (algorithm) => {
      const body = Buffer.alloc(1_000_000, 'xyz');
      const client = s3({ requestStreamBufferSize: 65_536 });
      await client.send(
        new PutObjectCommand({
          Bucket: 'b',
          Key: 'streamed',
          Body: Readable.from([body.subarray(0, 400_000), body.subarray(400_000)]),
          ContentLength: body.length,
          ChecksumAlgorithm: algorithm,
        }),
      );
      const { headers } = endpoint.received.at(-1)!;
      expect(headers['x-amz-content-sha256']).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      expect(headers['x-amz-trailer']).toBe(`x-amz-checksum-${algorithm.toLowerCase()}`);
      expect(endpoint.objects.get('b/streamed')?.equals(body)).toBe(true);
      expect(endpoint.performed.at(-1)!.input['ContentEncoding']).toBeUndefined();
    },
  );

  it('virtual-host style', async () => {
    // Not every system resolves names below localhost by itself.
    const httpAgent = new Agent({
      lookup: (_, options, found) =>
        options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
    });
    const client = s3({
      forcePathStyle: false,
      endpoint: endpoint.url.replace('127.0.0.1', 'localhost'),
      requestHandler: { httpAgent },
    });
    await client.send(new PutObjectCommand({ Bucket: 'my-bucket', Key: 'k', Body: 'hosted' }));
    expect(endpoint.objects.get('my-bucket/k')?.toString()).toBe('hosted');
  });

  it('a key that looks like a relative path is taken as it is', async () => {
    await s3().send(new PutObjectCommand({ Bucket: 'b', Key: 'a/../c//d', Body: 'x' }));
    expect(endpoint.objects.has('b/a/../c//d')).toBe(true);
  });

  it('a body that is not the signed one leaves nothing behind', async () => {
    const url = new URL(`${endpoint.url}/b/tampered`);
    const headers = signRequest({
      method: 'PUT',
      url,
      body: 'original',
      service: 's3',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: endpoint.clock.now(),
    });
    const answer = await fetch(url, { method: 'PUT', headers, body: 'tampered' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
    expect(endpoint.objects.has('b/tampered')).toBe(false);
  });

  it('a document in chunks is bounded like every other that is held in memory', async () => {
    const url = new URL(`${endpoint.url}/b?delete`);
    const send = (body: string, length: number) => {
      const headers = signRequest({
        method: 'POST',
        url,
        headers: {
          'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
          'x-amz-decoded-content-length': String(length),
          'x-amz-trailer': 'x-amz-checksum-crc32',
        },
        service: 's3',
        region: 'us-east-1',
        credentials: endpoint.credentials,
        time: endpoint.clock.now(),
      });
      const framed = `${length.toString(16)}\r\n${body}\r\n0\r\nx-amz-checksum-crc32:`;
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(body));
      return fetch(url, { method: 'POST', headers, body: `${framed}${checksum.toString('base64')}\r\n\r\n` });
    };
    const small = '<Delete><Object><Key>k</Key></Object></Delete>';
    const answer = await send(small, small.length);
    expect([answer.status, await answer.text()]).toEqual([501, expect.stringContaining('NotImplemented')]);
    expect(endpoint.performed.at(-1)).toMatchObject({ input: { Delete: { Objects: [{ Key: 'k' }] } } });
    const large = 'x'.repeat(limits.requestBodyBytes);
    const refused = await send(large, large.length);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('EntityTooLarge')]);
  });

  it('presigned URLs', async () => {
    await s3().send(new PutObjectCommand({ Bucket: 'b', Key: 'presigned', Body: 'for everyone' }));
    const make = (method: string, time: number) =>
      presignUrl({
        method,
        url: new URL(`${endpoint.url}/b/presigned`),
        service: 's3',
        region: 'us-east-1',
        credentials: endpoint.credentials,
        time,
        expiresSeconds: 60,
      });
    const answer = await fetch(make('GET', endpoint.clock.now()));
    expect([answer.status, await answer.text()]).toEqual([200, 'for everyone']);
    const put = await fetch(make('PUT', endpoint.clock.now()), { method: 'PUT', body: 'new' });
    expect([put.status, endpoint.objects.get('b/presigned')?.toString()]).toEqual([200, 'new']);
    const late = await fetch(make('GET', endpoint.clock.now() - 61_000));
    expect([late.status, await late.text()]).toEqual([
      403,
      expect.stringContaining('<Message>Request has expired</Message>'),
    ]);
    const otherMethod = await fetch(make('GET', endpoint.clock.now()), { method: 'DELETE' });
    expect([otherMethod.status, await otherMethod.text()]).toEqual([
      403,
      expect.stringContaining('SignatureDoesNotMatch'),
    ]);
  });

  it('HEAD', async () => {
    const client = s3();
    await client.send(new PutObjectCommand({ Bucket: 'b', Key: 'headed', Body: '12345' }));
    const answer = await client.send(new HeadObjectCommand({ Bucket: 'b', Key: 'headed' }));
    expect(answer.ContentLength).toBe(5);
    expect((await failure(client.send(new HeadObjectCommand({ Bucket: 'b', Key: 'missing' })))).status).toBe(
      404,
    );
  });
});

describe('refusals', () => {
  it('an unknown key, recorded with what it claimed', async () => {
    const credentials = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x'.repeat(40) };
    const cases = [
      [
        () => new STSClient(config({ credentials })).send(new GetCallerIdentityCommand({})),
        'InvalidClientTokenId',
        403,
        'GetCallerIdentity',
      ],
      [
        () => new CloudTrailClient(config({ credentials })).send(new LookupEventsCommand({})),
        'UnrecognizedClientException',
        400,
        'LookupEvents',
      ],
      [
        () => new LambdaClient(config({ credentials })).send(new GetFunctionCommand({ FunctionName: 'f' })),
        'UnrecognizedClientException',
        403,
        'GetFunction',
      ],
      [
        () => new S3Client(config({ credentials })).send(new DeleteObjectCommand({ Bucket: 'b', Key: 'k' })),
        'InvalidAccessKeyId',
        403,
        'DeleteObject',
      ],
    ] as const;
    for (const [work, code, status, operationName] of cases) {
      expect(await failure(work())).toMatchObject({ name: code, status });
      expect(endpoint.rejected.at(-1)).toMatchObject({
        call: undefined,
        claimedAccessKeyId: 'AKIAUNKNOWN',
        operationName,
      });
    }
  });

  it('a wrong secret', async () => {
    const credentials = { ...endpoint.credentials, secretAccessKey: 'x'.repeat(40) };
    const cases = [
      [
        () => new STSClient(config({ credentials })).send(new GetCallerIdentityCommand({})),
        'SignatureDoesNotMatch',
        403,
      ],
      [
        () => new CloudTrailClient(config({ credentials })).send(new LookupEventsCommand({})),
        'InvalidSignatureException',
        400,
      ],
      [
        () => new S3Client(config({ credentials })).send(new DeleteObjectCommand({ Bucket: 'b', Key: 'k' })),
        'SignatureDoesNotMatch',
        403,
      ],
    ] as const;
    for (const [work, name, status] of cases) expect(await failure(work())).toMatchObject({ name, status });
  });

  it('a clock that is off', async () => {
    const off = { systemClockOffset: 3_600_000 };
    const sts = await failure(new STSClient(config(off)).send(new GetCallerIdentityCommand({})));
    expect(sts.message).toMatch(/^Signature not yet current: /);
    const s3 = await failure(
      new S3Client(config(off)).send(new DeleteObjectCommand({ Bucket: 'b', Key: 'k' })),
    );
    expect(s3.name).toBe('RequestTimeTooSkewed');
  });

  it('an expired session', async () => {
    const credentials = { ...endpoint.credentials, accessKeyId: 'ASIAEXPIRED', sessionToken: 'old' };
    expect(
      await failure(new STSClient(config({ credentials })).send(new GetCallerIdentityCommand({}))),
    ).toMatchObject({
      name: 'ExpiredToken',
    });
  });

  it('no signature', async () => {
    const before = endpoint.performed.length;
    const plain = await fetch(`${endpoint.url}/`, {
      method: 'POST',
      body: new URLSearchParams({ Action: 'CreateUser', Version: '2010-05-08', UserName: 'x' }),
    });
    expect([plain.status, await plain.text()]).toEqual([
      403,
      expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    ]);
    const json = await fetch(`${endpoint.url}/`, {
      method: 'POST',
      headers: { 'x-amz-target': 'CloudTrail_20131101.LookupEvents' },
      body: '{}',
    });
    expect([json.status, await json.json()]).toEqual([
      400,
      expect.objectContaining({ __type: 'MissingAuthenticationTokenException' }),
    ]);
    const object = await fetch(`${endpoint.url}/b/k`);
    expect([object.status, await object.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
    expect(endpoint.performed.length).toBe(before);
  });

  it('operations that AWS takes unsigned say that they are absent', async () => {
    const client = new STSClient(config());
    const refused = await failure(
      client.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: 'arn:aws:iam::000000000000:role/r12345',
          RoleSessionName: 's1',
          WebIdentityToken: 'token',
        }),
      ),
    );
    expect(refused.name).toBe('NotImplemented');
    expect(endpoint.rejected.at(-1)).toMatchObject({
      operationName: 'AssumeRoleWithWebIdentity',
      call: undefined,
    });
  });

  it('malformed after authentication is recorded with the caller', async () => {
    const url = new URL(`${endpoint.url}/`);
    const send = (body: string, target: string) => {
      const headers = signRequest({
        method: 'POST',
        url,
        body,
        service: 'cloudtrail',
        region: 'us-east-1',
        credentials: endpoint.credentials,
        time: endpoint.clock.now(),
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      });
      return fetch(url, { method: 'POST', headers, body });
    };
    const broken = await send('{"MaxResults": ', 'CloudTrail_20131101.LookupEvents');
    expect([broken.status, await broken.json()]).toEqual([
      400,
      expect.objectContaining({ __type: 'SerializationException' }),
    ]);
    expect(endpoint.rejected.at(-1)).toMatchObject({
      operationName: 'LookupEvents',
      call: { principal: { type: 'Root' } },
    });
    const unknown = await send('{}', 'CloudTrail_20131101.Nonsense');
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      expect.objectContaining({ __type: 'UnknownOperationException' }),
    ]);
  });

  it('a mistake of the program is a 500 without its cause', async () => {
    const refused = await failure(new IAMClient(config()).send(new ListUsersCommand({})));
    expect(refused).toMatchObject({ name: 'InternalFailure', status: 500 });
    expect(refused.message).not.toContain('secret cause');
    expect(endpoint.logged()).toContain('secret cause');
  });
});
