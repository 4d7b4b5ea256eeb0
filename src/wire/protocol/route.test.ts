import { describe, expect, test } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import { openServices } from '../services.ts';
import {
  bucketOfHost,
  decode,
  encodeFault,
  encodeOutput,
  route,
  unrouted,
  type WireRequest,
} from './index.ts';

const services = openServices();

function request(
  method: string,
  uri: string,
  headers: Record<string, string> = {},
  host = 'localhost:4747',
): WireRequest {
  const [path = '/', query = ''] = uri.split('?');
  return { method, path, query, headers, host };
}

async function routed(signingName: string | undefined, asked: WireRequest, body = '') {
  return route(services, asked, signingName, () => Promise.resolve(Buffer.from(body)));
}

async function faultFor(signingName: string | undefined, asked: WireRequest, fault: AwsFault) {
  const answer = encodeFault(await unrouted(services, asked, signingName), fault, 'req-1');
  return { ...answer, body: Buffer.from(answer.body as Uint8Array).toString('utf8') };
}

test('what is for S3 Control is told from S3 by its path and its header', async () => {
  const tags = '/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab';
  const account = { 'x-amz-account-id': '000000000000' };
  for (const [method, operation] of [
    ['GET', 'ListTagsForResource'],
    ['POST', 'TagResource'],
    ['DELETE', 'UntagResource'],
  ] as const) {
    const asked = request(method, tags, account, '000000000000.localhost:4747');
    const { operationName, labels } = await routed('s3', asked);
    expect([operationName, labels]).toEqual([operation, { ResourceArn: 'arn:aws:s3:::b' }]);
  }
  // Its errors have an envelope, which clients look for.
  const fault = await faultFor('s3', request('GET', tags, account), new AwsFault('NoSuchBucket', 'None'));
  expect(fault.body).toContain('<ErrorResponse><Error><Code>NoSuchBucket</Code>');
  // The same path without the header is an object's.
  expect((await routed('s3', request('GET', tags))).operationName).toBe('GetObject');
});

describe('routing of S3', () => {
  // Operations and their requests as the pages of the S3 API Reference show them, with and without x-id.
  test.each<[string, string, Record<string, string>, string, Record<string, string>]>([
    ['GET', '/', {}, 'ListBuckets', {}],
    ['GET', '/?x-id=ListDirectoryBuckets', {}, 'ListDirectoryBuckets', {}],
    ['PUT', '/b', {}, 'CreateBucket', { Bucket: 'b' }],
    ['PUT', '/b/', {}, 'CreateBucket', { Bucket: 'b' }],
    ['HEAD', '/b', {}, 'HeadBucket', { Bucket: 'b' }],
    ['GET', '/b', {}, 'ListObjects', { Bucket: 'b' }],
    ['GET', '/b?list-type=2&prefix=x', {}, 'ListObjectsV2', { Bucket: 'b' }],
    ['GET', '/b?versions', {}, 'ListObjectVersions', { Bucket: 'b' }],
    ['GET', '/b?location', {}, 'GetBucketLocation', { Bucket: 'b' }],
    ['GET', '/b?acl=', {}, 'GetBucketAcl', { Bucket: 'b' }],
    ['GET', '/b/k?acl', {}, 'GetObjectAcl', { Bucket: 'b', Key: 'k' }],
    ['PUT', '/b/k', {}, 'PutObject', { Bucket: 'b', Key: 'k' }],
    ['PUT', '/b/k?x-id=PutObject', {}, 'PutObject', { Bucket: 'b', Key: 'k' }],
    ['PUT', '/b/k', { 'x-amz-copy-source': '/b/o' }, 'CopyObject', { Bucket: 'b', Key: 'k' }],
    ['PUT', '/b/k?partNumber=1&uploadId=u', {}, 'UploadPart', { Bucket: 'b', Key: 'k' }],
    [
      'PUT',
      '/b/k?partNumber=1&uploadId=u',
      { 'x-amz-copy-source': '/b/o' },
      'UploadPartCopy',
      { Bucket: 'b', Key: 'k' },
    ],
    ['GET', '/b/k?uploadId=u', {}, 'ListParts', { Bucket: 'b', Key: 'k' }],
    ['DELETE', '/b/k?uploadId=u', {}, 'AbortMultipartUpload', { Bucket: 'b', Key: 'k' }],
    ['DELETE', '/b/k?versionId=v', {}, 'DeleteObject', { Bucket: 'b', Key: 'k' }],
    ['POST', '/b/k?uploads', {}, 'CreateMultipartUpload', { Bucket: 'b', Key: 'k' }],
    ['POST', '/b/k?uploadId=u', {}, 'CompleteMultipartUpload', { Bucket: 'b', Key: 'k' }],
    ['POST', '/b?delete', {}, 'DeleteObjects', { Bucket: 'b' }],
    ['GET', '/b?analytics&id=i', {}, 'GetBucketAnalyticsConfiguration', { Bucket: 'b' }],
    ['GET', '/b?analytics', {}, 'ListBucketAnalyticsConfigurations', { Bucket: 'b' }],
    ['GET', '/b/a%20b//c%2Fd/', {}, 'GetObject', { Bucket: 'b', Key: 'a b//c/d/' }],
    ['GET', '/b/..%2F../etc', {}, 'GetObject', { Bucket: 'b', Key: '../../etc' }],
  ])('%s %s %o is %s', async (method, uri, headers, operationName, labels) => {
    expect(await routed('s3', request(method, uri, headers))).toMatchObject({ operationName, labels });
  });

  test.each([
    ['a-bucket.localhost:4747', 'a-bucket'],
    ['a.bucket.s3.eu-central-1.amazonaws.com', 'a.bucket'],
    ['a-bucket.s3.amazonaws.com', 'a-bucket'],
    ['a-bucket.s3.cairn.example.com', 'a-bucket'],
    ['s3.localhost', undefined],
    ['logs.s3.localhost:4747', 'logs'],
    ['my.logs.s3.eu-west-1.localhost', 'my.logs'],
    ['logs.of.us.localhost', 'logs.of.us'],
    ['s3.eu-central-1.amazonaws.com', undefined],
    ['localhost:4747', undefined],
    ['127.0.0.1:4747', undefined],
  ])('the bucket in the host %s is %s', (host, bucket) => {
    expect(bucketOfHost(host)).toBe(bucket);
  });

  test('virtual-host style is path style with the bucket put in front', async () => {
    const asked = request('PUT', '/k', {}, 'a-bucket.localhost:4747');
    expect(await routed('s3', asked)).toMatchObject({
      operationName: 'PutObject',
      labels: { Bucket: 'a-bucket', Key: 'k' },
      streamingInput: true,
    });
  });

  test.each([
    ['PATCH', '/b/k', 'MethodNotAllowed', 405],
    ['POST', '/b/k', 'MethodNotAllowed', 405],
    ['GET', '/b/%zz', 'InvalidURI', 400],
    ['GET', '/b/k?%zz', 'InvalidURI', 400],
    ['GET', '*', 'InvalidURI', 400],
  ])('%s %s is refused with %s', async (method, uri, code, status) => {
    await expect(routed('s3', request(method, uri))).rejects.toMatchObject({ code, status });
  });

  test('the location of a bucket is the text of the root itself', async () => {
    const one = await routed('s3', request('GET', '/b?location'));
    const answer = encodeOutput(one, { LocationConstraint: 'eu-west-1' }, 'r');
    const text = Buffer.from(answer.body as Uint8Array).toString('utf8');
    expect(text).toContain('>eu-west-1</LocationConstraint>');
    expect(text.match(/<LocationConstraint/g)).toHaveLength(1);
    expect(answer.headers).toMatchObject({ 'x-amz-request-id': 'r', 'content-type': 'application/xml' });
  });

  test('metadata cannot start a header of its own', async () => {
    const one = await routed('s3', request('GET', '/b/k'));
    const answer = encodeOutput(one, { Metadata: { a: 'x\r\nset-cookie: y', b: 'ü', c: 'plain' } }, 'r');
    expect(answer.headers).toMatchObject({
      'x-amz-meta-a': '=?UTF-8?B?eA0Kc2V0LWNvb2tpZTogeQ==?=',
      'x-amz-meta-b': '=?UTF-8?B?w7w=?=',
      'x-amz-meta-c': 'plain',
    });
  });
});

describe('routing of the others', () => {
  test.each([
    ['CloudTrail_20131101.LookupEvents', 'LookupEvents'],
    ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents', 'LookupEvents'],
  ])('the target %s is understood', async (target, operationName) => {
    expect(await routed('cloudtrail', request('POST', '/', { 'x-amz-target': target }))).toMatchObject({
      operationName,
      protocol: 'awsJson1_1',
    });
  });

  test.each<[string, WireRequest, string, string]>([
    [
      'cloudtrail',
      request('POST', '/', { 'x-amz-target': 'CloudTrail_20131101.Nothing' }),
      '',
      'UnknownOperationException',
    ],
    [
      'cloudtrail',
      request('POST', '/', { 'x-amz-target': 'Other.LookupEvents' }),
      '',
      'UnknownOperationException',
    ],
    ['cloudtrail', request('POST', '/', { 'x-amz-target': 'LookupEvents' }), '', 'UnknownOperationException'],
    [
      'cloudtrail',
      request('GET', '/', { 'x-amz-target': 'CloudTrail_20131101.LookupEvents' }),
      '',
      'UnknownOperationException',
    ],
    ['cloudtrail', request('POST', '/'), '', 'UnknownOperationException'],
    [
      'cloudtrail',
      request('POST', '/', { 'x-amz-target': 'CloudTrail_20131101.constructor' }),
      '',
      'UnknownOperationException',
    ],
    [
      'dynamodb',
      request('POST', '/', { 'x-amz-target': 'DynamoDB_20120810.ListTables' }),
      '',
      'UnknownOperationException',
    ],
    [
      'iam',
      request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }),
      'Version=2010-05-08',
      'MissingAction',
    ],
    [
      'iam',
      request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }),
      'Action=Nothing&Version=2010-05-08',
      'InvalidAction',
    ],
    [
      'iam',
      request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }),
      'Action=ListUsers&Version=1',
      'InvalidAction',
    ],
    [
      'iam',
      request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }),
      'Action=ListUsers',
      'InvalidAction',
    ],
    ['iam', request('POST', '/'), '', 'MissingAction'],
    [
      'monitoring',
      request('POST', '/service/Other/operation/ListMetrics', { 'smithy-protocol': 'rpc-v2-cbor' }),
      '',
      'UnknownOperationException',
    ],
    ['lambda', request('POST', '/2015-03-31/nothing'), '', 'UnknownOperationException'],
    ['lambda', request('PATCH', '/2015-03-31/functions'), '', 'MethodNotAllowed'],
    ['cloudtrail-data', request('GET', '/PutAuditEvents'), '', 'MethodNotAllowed'],
  ])('%s %o %s is refused with %s', async (signingName, asked, body, code) => {
    await expect(routed(signingName, asked, body)).rejects.toMatchObject({ code });
  });

  test('CloudWatch is spoken to in three protocols', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const all = await Promise.all([
      routed(
        'monitoring',
        request('POST', '/', { 'x-amz-target': 'GraniteServiceVersion20100801.ListMetrics' }),
      ),
      routed('monitoring', request('POST', '/', form), 'Action=ListMetrics&Version=2010-08-01'),
      routed(
        'monitoring',
        request('POST', '/service/GraniteServiceVersion20100801/operation/ListMetrics', {
          'smithy-protocol': 'rpc-v2-cbor',
        }),
      ),
    ]);
    expect(all.map(({ protocol, operationName }) => [protocol, operationName])).toEqual([
      ['awsJson1_0', 'ListMetrics'],
      ['awsQuery', 'ListMetrics'],
      ['rpcv2Cbor', 'ListMetrics'],
    ]);
  });

  test('a call in a query string, as presigned STS calls are, needs no body', async () => {
    const asked = request('GET', '/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60');
    const one = await route(services, asked, 'sts', () => Promise.reject(new Error('the body was read')));
    expect(decode(one, asked, new Uint8Array())).toEqual({});
  });

  test('a call that stands in the query string and in the body is refused', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const asked = request('POST', '/?Action=ListUsers&Version=2010-05-08', headers);
    expect(await routed('iam', asked)).toMatchObject({ operationName: 'ListUsers' });
    await expect(routed('iam', asked, 'Action=DeleteUser&Version=2010-05-08')).rejects.toThrow(
      expect.objectContaining({ code: 'InvalidParameterCombination', status: 400 }),
    );
    const twice = request('GET', '/?Action=ListUsers&Action=DeleteUser&Version=2010-05-08');
    await expect(routed('iam', twice)).rejects.toThrow('the parameter Action stands more than once');
  });

  test('what AWS takes unsigned is found by its action, and nothing else is', async () => {
    const form = request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(
      await routed(undefined, form, 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15'),
    ).toMatchObject({
      operationName: 'AssumeRoleWithWebIdentity',
    });
    await expect(routed(undefined, form, 'Action=ListUsers&Version=2010-05-08')).rejects.toThrow(
      'not signed',
    );
  });

  test('a trailing slash, which older clients send to Lambda, changes nothing', async () => {
    expect(await routed('lambda', request('GET', '/2015-03-31/functions/'))).toMatchObject({
      operationName: 'ListFunctions',
    });
    expect(
      await routed('lambda', request('GET', '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aa')),
    ).toMatchObject({
      operationName: 'GetFunction',
      labels: { FunctionName: 'arn:aws:lambda:a' },
    });
  });

  test('a body cannot overrule what the path says', async () => {
    const asked = request('PUT', '/2015-03-31/functions/mine/configuration');
    const body = Buffer.from('{"FunctionName":"yours","Description":"d"}');
    const one = await routed('lambda', asked);
    expect(decode(one, asked, body)).toEqual({ FunctionName: 'mine', Description: 'd' });
  });
});

describe('faults', () => {
  const denied = new AwsFault('AccessDenied', 'User: u is not authorized to perform: a on resource: r');

  test('a JSON service answers 400 and names the type', async () => {
    const answer = await faultFor(
      'cloudtrail',
      request('POST', '/', { 'x-amz-target': 'CloudTrail_20131101.X' }),
      denied,
    );
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({ __type: 'AccessDeniedException', Message: denied.message });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': 'req-1',
      'content-length': String(answer.body.length),
    });
  });

  test('a query service answers its own status and an ErrorResponse', async () => {
    const asked = request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' });
    const answer = await faultFor(
      'iam',
      asked,
      new AwsFault('NoSuchEntityException', 'The user <a> cannot be found.'),
    );
    expect(answer.status).toBe(404);
    expect(answer.body).toBe(
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>' +
        '<Code>NoSuchEntity</Code><Message>The user &lt;a&gt; cannot be found.</Message></Error>' +
        '<RequestId>req-1</RequestId></ErrorResponse>',
    );
    expect((await faultFor('iam', asked, denied)).status).toBe(403);
  });

  test('a query-compatible JSON service adds the code of the query protocol when it is asked to', async () => {
    const headers = { 'x-amz-target': 'AmazonSQS.GetQueueUrl', 'x-amzn-query-mode': 'true' };
    const answer = await faultFor(
      'sqs',
      request('POST', '/', headers),
      new AwsFault('QueueDoesNotExist', 'gone'),
    );
    expect(answer.status).toBe(400);
    expect(answer.headers['x-amzn-query-error']).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender');
    expect(JSON.parse(answer.body)).toEqual({
      __type: 'com.amazonaws.sqs#QueueDoesNotExist',
      message: 'gone',
    });
  });

  test('S3 answers an Error without a wrapper, and nothing but headers to HEAD', async () => {
    const missing = new AwsFault('NoSuchKey', 'The specified key does not exist.', {
      members: { Key: 'k<' },
    });
    const answer = await faultFor('s3', request('GET', '/b/k'), missing);
    expect(answer.status).toBe(404);
    expect(answer.body).toContain(
      '<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>',
    );
    expect(answer.headers).toMatchObject({ 'x-amz-request-id': 'req-1' });
    const head = await faultFor('s3', request('HEAD', '/b/k'), new AwsFault('NotFound', 'Not Found'));
    expect(head).toMatchObject({ status: 404, body: '' });
  });

  test('a REST service names the error in a header', async () => {
    const answer = await faultFor('lambda', request('GET', '/2015-03-31/functions/f'), denied);
    expect(answer).toMatchObject({ status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } });
  });

  test('a mistake of the program is the server’s in every protocol', async () => {
    const broken = new AwsFault('InternalFailure', 'no');
    const form = request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(await faultFor('iam', form, broken)).toMatchObject({ status: 500 });
    expect((await faultFor('iam', form, broken)).body).toContain('<Type>Receiver</Type>');
    expect(await faultFor('s3', request('GET', '/'), broken)).toMatchObject({ status: 500 });
    expect(await faultFor(undefined, request('GET', '/'), broken)).toMatchObject({ status: 500 });
  });
});
