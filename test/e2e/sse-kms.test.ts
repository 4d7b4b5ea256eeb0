import { setTimeout as pause } from 'node:timers/promises';
import {
  CloudTrailClient,
  CreateTrailCommand,
  LookupEventsCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketPolicy } from '../memory-buckets.ts';
import { eventually, startServer, type TestServer } from './harness.ts';

/** What S3 and CloudTrail do with keys of KMS is recorded ("How AWS CloudTrail uses AWS KMS", "Forward access sessions"). */

const account = '000000000000';
const Bucket = 'sealed';
const objectOf = (key: string) => `arn:aws:s3:::${Bucket}/${key}`;
const viaS3 = 'fas.s3.amazonaws.com';
const cloudTrail = 'cloudtrail.amazonaws.com';

let server: TestServer;
let s3: S3Client;
let keyArn: string;

interface KeyRecord extends Record<string, unknown> {
  readonly eventName: string;
  readonly userIdentity: Record<string, unknown>;
  readonly requestParameters: { readonly encryptionContext?: Record<string, string> } | null;
}

async function keyRecords(eventName: string): Promise<readonly KeyRecord[]> {
  const client = new CloudTrailClient(server.clientOptions);
  const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: eventName } as const];
  const { Events = [] } = await client.send(new LookupEventsCommand({ LookupAttributes }));
  return Events.map(({ CloudTrailEvent = '' }) => JSON.parse(CloudTrailEvent) as KeyRecord);
}

/** The records of one key use after the other, oldest first, about an object. */
async function usesOf(arn: string, eventName: string, count: number): Promise<readonly KeyRecord[]> {
  return eventually(async () => {
    const records = await keyRecords(eventName);
    const found = records.filter(
      ({ requestParameters }) => requestParameters?.encryptionContext?.['aws:s3:arn'] === arn,
    );
    return found.length >= count ? found : undefined;
  });
}

const sse = () => ({ ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: keyArn });

beforeAll(async () => {
  server = await startServer({ env: { CAIRN_DELIVERY_SECONDS: '1' } });
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  const own = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  const delivers = {
    Effect: 'Allow',
    Principal: { Service: cloudTrail },
    Action: 'kms:GenerateDataKey*',
    Resource: '*',
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [own, delivers] });
  const key = await new KMSClient(server.clientOptions).send(new CreateKeyCommand({ Policy }));
  keyArn = key.KeyMetadata?.Arn ?? '';
});
afterAll(() => server[Symbol.asyncDispose]());

describe('S3 with KMS', () => {
  it('is recorded as calls of KMS that S3 makes for the caller', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a', ...sse() }));
    await (await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))).Body?.transformToByteArray();
    const [put] = await usesOf(objectOf('a'), 'GenerateDataKey', 1);
    const resources = [{ accountId: account, type: 'AWS::KMS::Key', ARN: keyArn }];
    expect(put).toMatchObject({
      eventSource: 'kms.amazonaws.com',
      userIdentity: { type: 'Root', accountId: account, invokedBy: viaS3 },
      sourceIPAddress: viaS3,
      userAgent: viaS3,
      requestParameters: { keyId: keyArn, keySpec: 'AES_256' },
      responseElements: null,
      additionalEventData: { keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) },
      readOnly: true,
      resources,
      managementEvent: true,
      eventCategory: 'Management',
      eventType: 'AwsApiCall',
      recipientAccountId: account,
    });
    expect(put).not.toHaveProperty('tlsDetails');
    const [got] = await usesOf(objectOf('a'), 'Decrypt', 1);
    expect(got).toMatchObject({
      userIdentity: { invokedBy: viaS3 },
      requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
      additionalEventData: put?.['additionalEventData'],
      readOnly: true,
      resources,
    });
    expect(got?.requestParameters).not.toHaveProperty('keyId');
  });

  it('is recorded for copies and uploads in parts, and nothing is for objects under keys of S3', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: 'a' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from', Body: 'a', ...sse() }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from`, ...sse() }));
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'parts', ...sse(), BucketKeyEnabled: true }),
    );
    const one = { Bucket, Key: 'parts', UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...one, PartNumber: 1, Body: 'a' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...one, MultipartUpload }));
    await usesOf(objectOf('from'), 'Decrypt', 1);
    await usesOf(objectOf('to'), 'GenerateDataKey', 1);
    // With a bucket key the context is the bucket's ARN ("Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
    await usesOf(`arn:aws:s3:::${Bucket}`, 'GenerateDataKey', 1);
    await usesOf(`arn:aws:s3:::${Bucket}`, 'Decrypt', 1);
    const all = [...(await keyRecords('GenerateDataKey')), ...(await keyRecords('Decrypt'))];
    expect(all.filter((record) => JSON.stringify(record).includes('plain'))).toEqual([]);
  });

  it('records what KMS refused to a caller, without its parameters', async () => {
    const UserName = 'reader';
    const iam = new IAMClient(server.clientOptions);
    await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    });
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 's3', PolicyDocument }));
    await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: Policy?.Arn }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const reader = new S3Client({ ...server.clientOptions, credentials, forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'secret', Body: 'a', ...sse() }));
    const read = reader.send(new GetObjectCommand({ Bucket, Key: 'secret' }));
    await expect(read).rejects.toMatchObject({ name: 'AccessDenied' });
    const denied = await eventually(async () =>
      (await keyRecords('Decrypt')).find(({ userIdentity }) => userIdentity['userName'] === UserName),
    );
    expect(denied).toMatchObject({
      userIdentity: { type: 'IAMUser', invokedBy: viaS3 },
      errorCode: 'AccessDenied',
      errorMessage: expect.stringContaining('kms:Decrypt'),
      requestParameters: null,
    });
  });
});

describe('a trail with a key', { timeout: 60_000 }, () => {
  it('has each use of it recorded, and logs none, so that no delivery makes the next', async () => {
    const client = new CloudTrailClient(server.clientOptions);
    const logs = 'sealed-logs';
    await s3.send(new CreateBucketCommand({ Bucket: logs }));
    await s3.send(new PutBucketPolicyCommand({ Bucket: logs, Policy: bucketPolicy(logs, account) }));
    const trail = { Name: 'sealed', S3BucketName: logs, KmsKeyId: keyArn };
    const { TrailARN = '' } = await client.send(new CreateTrailCommand(trail));
    await client.send(new StartLoggingCommand({ Name: 'sealed' }));
    const keys = async () => {
      const found: string[] = [];
      const pages = paginateListObjectsV2(
        { client: s3 },
        { Bucket: logs, Prefix: `AWSLogs/${account}/CloudTrail/` },
      );
      for await (const { Contents = [] } of pages) found.push(...Contents.map(({ Key = '' }) => Key));
      return found;
    };
    const first = await eventually(async () => {
      const found = await keys();
      return found.length > 0 ? found : undefined;
    });
    // Listing is no management event, so from here on only what deliveries themselves do could be delivered.
    await pause(4_000);
    const settled = await keys();
    expect(settled.length - first.length).toBeLessThan(2);
    for (const key of settled) {
      const [use] = await usesOf(`arn:aws:s3:::${logs}/${key}`, 'GenerateDataKey', 1);
      expect(use).toMatchObject({
        userIdentity: { type: 'AWSService', invokedBy: cloudTrail },
        sourceIPAddress: cloudTrail,
        userAgent: cloudTrail,
        requestParameters: { keyId: keyArn, encryptionContext: { 'aws:cloudtrail:arn': TrailARN } },
        resources: [{ ARN: keyArn }],
        recipientAccountId: account,
      });
    }
    // "CloudTrail sends a GenerateDataKey request to AWS KMS to verify that the KMS key exists".
    await usesOf(`arn:aws:s3:::${logs}`, 'GenerateDataKey', 1);
  });
});
