import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as s3 from '@aws-sdk/client-s3';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, hasBoto3, python, startServer, type TestServer } from './harness.ts';

/** Buckets and their settings, with clients that this project did not write. */

const run = promisify(execFile);

let server: TestServer;
let client: s3.S3Client;
beforeAll(async () => {
  server = await startServer();
  client = new s3.S3Client({ ...server.clientOptions, forcePathStyle: true });
});
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

async function failure(work: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  const error = await work.then(
    () => {
      throw new Error('it was answered, and should have been refused');
    },
    (refused: s3.S3ServiceException) => refused,
  );
  return { name: error.name, status: error.$metadata.httpStatusCode };
}

describe('the SDK for JavaScript', () => {
  it('makes, finds, lists and deletes buckets', async () => {
    const eu = new s3.S3Client({ ...server.clientOptions, region: 'eu-central-1', forcePathStyle: true });
    try {
      await client.send(new s3.CreateBucketCommand({ Bucket: 'sdk-east' }));
      await client.send(new s3.CreateBucketCommand({ Bucket: 'sdk-east' }));
      const made = await eu.send(
        new s3.CreateBucketCommand({
          Bucket: 'sdk-eu',
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      );
      expect(made.Location).toBe('/sdk-eu');
      const head = await eu.send(new s3.HeadBucketCommand({ Bucket: 'sdk-eu' }));
      expect(head.BucketRegion).toBe('eu-central-1');
      expect(await failure(client.send(new s3.HeadBucketCommand({ Bucket: 'sdk-none' })))).toEqual({
        name: 'NotFound',
        status: 404,
      });
      expect(await failure(client.send(new s3.HeadBucketCommand({ Bucket: 'sdk-eu' })))).toMatchObject({
        status: 301,
      });
      const owner = { Bucket: 'sdk-east', ExpectedBucketOwner: '999999999999' };
      expect(await failure(client.send(new s3.HeadBucketCommand(owner)))).toMatchObject({ status: 403 });
      const east = await client.send(new s3.GetBucketLocationCommand({ Bucket: 'sdk-east' }));
      expect(east.LocationConstraint).toBeUndefined();
      const there = await client.send(new s3.GetBucketLocationCommand({ Bucket: 'sdk-eu' }));
      expect(there.LocationConstraint).toBe('eu-central-1');
      const pages: (string | undefined)[][] = [];
      for await (const page of s3.paginateListBuckets({ client, pageSize: 1 }, { Prefix: 'sdk-' })) {
        pages.push((page.Buckets ?? []).map(({ Name }) => Name));
      }
      expect(pages).toEqual([['sdk-east'], ['sdk-eu']]);
      await eu.send(new s3.DeleteBucketCommand({ Bucket: 'sdk-eu' }));
      expect((await failure(eu.send(new s3.DeleteBucketCommand({ Bucket: 'sdk-eu' })))).name).toBe(
        'NoSuchBucket',
      );
    } finally {
      eu.destroy();
    }
  });

  it('follows the region of a bucket when it is told to', async () => {
    const Bucket = 'sdk-follow';
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' as const };
    await client.send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    const following = new s3.S3Client({
      ...server.clientOptions,
      forcePathStyle: true,
      followRegionRedirects: true,
    });
    try {
      const answer = await following.send(new s3.GetBucketVersioningCommand({ Bucket }));
      expect(answer.$metadata.httpStatusCode).toBe(200);
    } finally {
      following.destroy();
    }
  });

  it('reads back every setting as it put it', async () => {
    const Bucket = 'sdk-settings';
    await client.send(new s3.CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const Rules: s3.LifecycleRule[] = [
      {
        ID: 'old',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'logs/', Tags: [{ Key: 'keep', Value: 'no' }], ObjectSizeGreaterThan: 10 } },
        Expiration: { Date: new Date('2030-01-01T00:00:00Z') },
        NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: 3 },
      },
      {
        ID: 'uploads',
        Status: 'Disabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ];
    await client.send(
      new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }),
    );
    const lifecycle = await client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(lifecycle.Rules).toEqual(Rules);
    expect(lifecycle.TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K');
    const encryption: s3.ServerSideEncryptionConfiguration = {
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' }, BucketKeyEnabled: true }],
    };
    await client.send(
      new s3.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: encryption }),
    );
    const encrypted = await client.send(new s3.GetBucketEncryptionCommand({ Bucket }));
    expect(encrypted.ServerSideEncryptionConfiguration).toEqual(encryption);
    const lock: s3.ObjectLockConfiguration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 3 } },
    };
    await client.send(new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: lock }));
    const locked = await client.send(new s3.GetObjectLockConfigurationCommand({ Bucket }));
    expect(locked.ObjectLockConfiguration).toEqual(lock);
    const NotificationConfiguration = { EventBridgeConfiguration: {} };
    const notified = new s3.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration });
    await client.send(notified);
    const asked = new s3.GetBucketNotificationConfigurationCommand({ Bucket });
    expect(await client.send(asked)).toMatchObject(NotificationConfiguration);
    const versioning = { Bucket, VersioningConfiguration: { Status: 'Suspended' as const } };
    expect(await failure(client.send(new s3.PutBucketVersioningCommand(versioning)))).toEqual({
      name: 'InvalidBucketState',
      status: 409,
    });
  });

  it('is answered in S3’s own words where a value is none', async () => {
    const Bucket = 'sdk-settings';
    const wrong = { Bucket, VersioningConfiguration: { Status: 'On' as 'Enabled' } };
    expect((await failure(client.send(new s3.PutBucketVersioningCommand(wrong)))).name).toBe('MalformedXML');
    const acl = { Bucket: 'sdk-acl', ACL: 'secret' as 'private' };
    expect((await failure(client.send(new s3.CreateBucketCommand(acl)))).name).toBe('InvalidArgument');
    expect((await failure(client.send(new s3.CreateBucketCommand({ Bucket: 'SDK_Settings' })))).name).toBe(
      'InvalidBucketName',
    );
    expect(
      await failure(client.send(new s3.PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: {} }))),
    ).toEqual({
      name: 'NotImplemented',
      status: 501,
    });
  });

  it('finds what it did in the event history, under the names of CloudTrail', async () => {
    const trail = new CloudTrailClient(server.clientOptions);
    try {
      const found = await eventually(async () => {
        const { Events = [] } = await trail.send(
          new LookupEventsCommand({
            LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'PutBucketLifecycle' }],
          }),
        );
        return Events[0];
      });
      expect(JSON.parse(found.CloudTrailEvent ?? '')).toMatchObject({
        eventSource: 's3.amazonaws.com',
        readOnly: false,
        managementEvent: true,
        requestParameters: { bucketName: 'sdk-settings' },
        resources: [{ type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::sdk-settings' }],
      });
    } finally {
      trail.destroy();
    }
  });
});

const api = async (...command: string[]): Promise<Record<string, unknown>> => {
  const all = ['--endpoint-url', server.endpoint, 's3api', ...command, '--output', 'json'];
  const { stdout } = await run(awsCli, all, { env: server.env });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
};
const fails = async (...command: string[]): Promise<string> => {
  const outcome = await api(...command).catch((error: { stderr: string }) => error.stderr);
  return typeof outcome === 'string' ? outcome : `it succeeded: ${JSON.stringify(outcome)}`;
};

const statement = (Principal: unknown, Resource: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 's3:GetObject', Resource }],
  });

describe.skipIf(!hasAwsCli)('the aws CLI (skipped where /usr/bin/aws is absent)', () => {
  const bucket = ['--bucket', 'cli-bucket'];

  it('manages a bucket', async () => {
    await api('create-bucket', ...bucket);
    await api('put-bucket-tagging', ...bucket, '--tagging', 'TagSet=[{Key=team,Value=security}]');
    expect(await api('get-bucket-tagging', ...bucket)).toEqual({
      TagSet: [{ Key: 'team', Value: 'security' }],
    });
    expect(await api('get-bucket-location', ...bucket)).toEqual({ LocationConstraint: null });
    expect(await fails('put-bucket-acl', ...bucket, '--acl', 'public-read')).toContain(
      'AccessControlListNotSupported',
    );
    await api('delete-bucket', ...bucket);
    expect(await fails('head-bucket', ...bucket)).toContain('404');
  }, 60_000);

  it('puts policies, and is told what is wrong with them', async () => {
    await api('create-bucket', ...bucket);
    const put = ['put-bucket-policy', ...bucket, '--policy'];
    expect(await fails(...put, statement('*', 'arn:aws:s3:::cli-bucket/*'))).toContain('BlockPublicPolicy');
    const other = { AWS: '111111111111' };
    expect(await fails(...put, statement(other, 'arn:aws:s3:::x/*'))).toContain('MalformedPolicy');
    const policy = statement(other, 'arn:aws:s3:::cli-bucket/*');
    await api(...put, policy);
    expect(await api('get-bucket-policy-status', ...bucket)).toEqual({ PolicyStatus: { IsPublic: false } });
  }, 60_000);
});

const boto3Script = `
import boto3, json
from botocore.exceptions import ClientError
s3 = boto3.client('s3', endpoint_url=__import__('os').environ['AWS_ENDPOINT_URL'])
s3.create_bucket(Bucket='boto-bucket')
s3.get_waiter('bucket_exists').wait(Bucket='boto-bucket')
s3.put_public_access_block(Bucket='boto-bucket', PublicAccessBlockConfiguration={'BlockPublicAcls': True})
block = s3.get_public_access_block(Bucket='boto-bucket')['PublicAccessBlockConfiguration']
s3.put_bucket_ownership_controls(Bucket='boto-bucket', OwnershipControls={'Rules': [{'ObjectOwnership': 'ObjectWriter'}]})
s3.put_bucket_acl(Bucket='boto-bucket', ACL='private')
acl = s3.get_bucket_acl(Bucket='boto-bucket')
s3.put_bucket_lifecycle_configuration(Bucket='boto-bucket', LifecycleConfiguration={'Rules': [
    {'ID': 'x', 'Status': 'Enabled', 'Filter': {'Prefix': 'tmp/'}, 'Expiration': {'Days': 1}}]})
rules = s3.get_bucket_lifecycle_configuration(Bucket='boto-bucket')['Rules']
s3.create_bucket(Bucket='boto-eu', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
eu = s3.get_bucket_versioning(Bucket='boto-eu')['ResponseMetadata']['HTTPStatusCode']
codes = []
for call in (lambda: s3.get_bucket_policy(Bucket='boto-bucket'), lambda: s3.delete_bucket(Bucket='boto-none'),
        lambda: s3.get_bucket_website(Bucket='boto-bucket'), lambda: s3.get_bucket_cors(Bucket='boto-bucket'),
        lambda: s3.get_bucket_replication(Bucket='boto-bucket')):
    try: call()
    except ClientError as error: codes.append(error.response['Error']['Code'])
s3.delete_bucket(Bucket='boto-bucket')
s3.get_waiter('bucket_not_exists').wait(Bucket='boto-bucket')
print(json.dumps({'block': block, 'grants': len(acl['Grants']), 'rules': rules, 'eu': eu, 'codes': codes}))
`;

describe.skipIf(!hasBoto3)('boto3 (skipped where it is not installed)', () => {
  it('manages a bucket, and finds one in another region', async () => {
    const { stdout } = await run(python, ['-c', boto3Script], { env: server.env });
    expect(JSON.parse(stdout)).toEqual({
      block: {
        BlockPublicAcls: true,
        IgnorePublicAcls: false,
        BlockPublicPolicy: false,
        RestrictPublicBuckets: false,
      },
      grants: 1,
      rules: [{ ID: 'x', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 1 } }],
      eu: 200,
      codes: [
        'NoSuchBucketPolicy',
        'NoSuchBucket',
        'NoSuchWebsiteConfiguration',
        'NoSuchCORSConfiguration',
        'ReplicationConfigurationNotFoundError',
      ],
    });
  }, 60_000);
});

describe('a server', () => {
  it('does not start with a file of outside buckets that others can read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-outside-'));
    const path = join(directory, 'outside.json');
    try {
      await writeFile(path, '{}');
      await chmod(path, 0o644);
      await expect(startServer({ env: { CAIRN_OUTSIDE_BUCKETS: path } })).rejects.toThrow(/chmod 600/);
      await chmod(path, 0o600);
      await using started = await startServer({ env: { CAIRN_OUTSIDE_BUCKETS: path } });
      expect(started.endpoint).toContain('127.0.0.1');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
