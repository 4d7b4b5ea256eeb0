import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/**
 * Whoever is made again under the name of a deleted user has nothing of it, wherever a policy names users ("AWS JSON policy
 * elements: Principal").
 */

let server: TestServer;
let users: iam.IAMClient;
let root: { s3: s3.S3Client; kms: kms.KMSClient; cloudtrail: cloudtrail.CloudTrailClient };
const alice = 'arn:aws:iam::000000000000:user/alice';

interface Alice {
  readonly id: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

async function makeAlice(): Promise<Alice> {
  const { User } = await users.send(new iam.CreateUserCommand({ UserName: 'alice' }));
  const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'alice' }));
  const keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  return { id: User!.UserId!, keys };
}

async function makeAnotherAlice({ keys }: Alice): Promise<Alice> {
  const key = { UserName: 'alice', AccessKeyId: keys.accessKeyId };
  await users.send(new iam.DeleteAccessKeyCommand(key));
  await users.send(new iam.DeleteUserCommand({ UserName: 'alice' }));
  return makeAlice();
}

const allowing = (Action: string, Resource: string, name = alice) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: name }, Action, Resource },
      { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action, Resource },
    ],
  });

/** What has a policy: how it is put and read, and what the policy lets alice do. */
interface Guarded {
  put(policy: string): Promise<unknown>;
  shown(): Promise<string>;
  policy(name?: string): string;
  use(keys: Alice['keys']): Promise<unknown>;
  readonly refusal: string;
}

async function bucket(): Promise<Guarded> {
  const Bucket = 'guarded';
  await root.s3.send(new s3.CreateBucketCommand({ Bucket }));
  return {
    put: (Policy) => root.s3.send(new s3.PutBucketPolicyCommand({ Bucket, Policy })),
    shown: async () => (await root.s3.send(new s3.GetBucketPolicyCommand({ Bucket }))).Policy!,
    policy: (name) => allowing('s3:ListBucket', `arn:aws:s3:::${Bucket}`, name),
    use: (credentials) =>
      new s3.S3Client({ ...server.clientOptions, credentials, forcePathStyle: true }).send(
        new s3.ListObjectsV2Command({ Bucket }),
      ),
    refusal: 'MalformedPolicy',
  };
}

async function key(): Promise<Guarded> {
  const KeyId = (await root.kms.send(new kms.CreateKeyCommand({}))).KeyMetadata!.Arn!;
  return {
    put: (Policy) => root.kms.send(new kms.PutKeyPolicyCommand({ KeyId, Policy })),
    shown: async () => (await root.kms.send(new kms.GetKeyPolicyCommand({ KeyId }))).Policy!,
    policy: (name) => allowing('kms:*', '*', name),
    use: (credentials) =>
      new kms.KMSClient({ ...server.clientOptions, credentials }).send(new kms.DescribeKeyCommand({ KeyId })),
    refusal: 'MalformedPolicyDocumentException',
  };
}

async function store(): Promise<Guarded> {
  const made = await root.cloudtrail.send(new cloudtrail.CreateEventDataStoreCommand({ Name: 'guarded' }));
  const ResourceArn = made.EventDataStoreArn!;
  return {
    put: (ResourcePolicy) =>
      root.cloudtrail.send(new cloudtrail.PutResourcePolicyCommand({ ResourceArn, ResourcePolicy })),
    shown: async () =>
      (await root.cloudtrail.send(new cloudtrail.GetResourcePolicyCommand({ ResourceArn }))).ResourcePolicy!,
    policy: (name) => allowing('cloudtrail:GetEventDataStore', ResourceArn, name),
    use: (credentials) =>
      new cloudtrail.CloudTrailClient({ ...server.clientOptions, credentials }).send(
        new cloudtrail.GetEventDataStoreCommand({ EventDataStore: ResourceArn }),
      ),
    refusal: 'ResourcePolicyNotValidException',
  };
}

beforeAll(async () => {
  server = await startServer();
  users = new iam.IAMClient(server.clientOptions);
  root = {
    s3: new s3.S3Client({ ...server.clientOptions, forcePathStyle: true }),
    kms: new kms.KMSClient(server.clientOptions),
    cloudtrail: new cloudtrail.CloudTrailClient(server.clientOptions),
  };
});
afterAll(() => server[Symbol.asyncDispose]());

const nameOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'allowed',
    (error: unknown) => (error as Error).name,
  );

describe.each([
  ['a bucket', bucket],
  ['a key', key],
  ['an event data store', store],
])('the policy of %s', (_, make) => {
  it('means the user that was there when it was put, and nobody who bears the name later', async () => {
    const guarded = await make();
    expect(await nameOf(guarded.put(guarded.policy()))).toBe(guarded.refusal);
    const first = await makeAlice();
    await guarded.put(guarded.policy());
    expect(await guarded.shown()).toBe(guarded.policy());
    expect(await nameOf(guarded.use(first.keys))).toBe('allowed');

    const second = await makeAnotherAlice(first);
    expect(await nameOf(guarded.use(second.keys))).toMatch(/^AccessDenied/);
    expect(await guarded.shown()).toBe(guarded.policy(first.id));
    // What is shown cannot be put again as it is: whom it names is gone.
    expect(await nameOf(guarded.put(await guarded.shown()))).toBe(guarded.refusal);
    await guarded.put(guarded.policy());
    expect(await nameOf(guarded.use(second.keys))).toBe('allowed');
    expect(await nameOf(guarded.use(first.keys))).not.toBe('allowed');

    await users.send(
      new iam.DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: second.keys.accessKeyId }),
    );
    await users.send(new iam.DeleteUserCommand({ UserName: 'alice' }));
  });
});

async function makeChannel(Name: string): Promise<string> {
  const AdvancedEventSelectors = [
    { FieldSelectors: [{ Field: 'eventCategory', Equals: ['ActivityAuditLog'] }] },
  ];
  const { EventDataStoreArn: Location } = await root.cloudtrail.send(
    new cloudtrail.CreateEventDataStoreCommand({ Name, AdvancedEventSelectors }),
  );
  const Destinations = [{ Type: 'EVENT_DATA_STORE' as const, Location }];
  const { ChannelArn } = await root.cloudtrail.send(
    new cloudtrail.CreateChannelCommand({ Name, Source: 'Custom', Destinations }),
  );
  return ChannelArn!;
}

const shipped = (recipientAccountId: string, UID: string) =>
  JSON.stringify({
    version: '1.0',
    userIdentity: { type: 'app', principalId: 'partner' },
    eventSource: 'partner.example',
    eventName: 'Shipped',
    eventTime: '2026-11-22T10:00:00Z',
    UID,
    recipientAccountId,
  });

describe('the policy of a channel', () => {
  it('has a say in PutAuditEvents, whose external id it may ask for', async () => {
    const ChannelArn = await makeChannel('own-events');
    const put = async (externalId: string) => {
      const answer = await signedFetch(server, '/PutAuditEvents', {
        service: 'cloudtrail-data',
        method: 'POST',
        query: { channelArn: ChannelArn, externalId },
        body: JSON.stringify({ auditEvents: [{ id: '1', eventData: '{}' }] }),
      });
      return answer.status;
    };
    const denial = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'cloudtrail-data:PutAuditEvents',
      Resource: ChannelArn,
      Condition: { StringNotEquals: { 'cloudtrail:ExternalId': 'partner' } },
    };
    const refusalOf = (over: object) => {
      const policy = { Version: '2012-10-17', Statement: [{ ...denial, ...over }] };
      const ResourcePolicy = JSON.stringify(policy);
      const command = new cloudtrail.PutResourcePolicyCommand({ ResourceArn: ChannelArn, ResourcePolicy });
      return nameOf(root.cloudtrail.send(command));
    };
    // "AWS CloudTrail resource-based policy examples": one action, 50 principals.
    for (const over of [
      { Action: 'cloudtrail-data:*' },
      { Principal: { AWS: Array.from({ length: 51 }, (_, place) => String(222_222_222_222 + place)) } },
    ]) {
      expect(await refusalOf(over)).toBe('ResourcePolicyNotValidException');
    }
    expect(await put('anybody')).toBe(200);
    const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement: [denial] });
    await root.cloudtrail.send(
      new cloudtrail.PutResourcePolicyCommand({ ResourceArn: ChannelArn, ResourcePolicy }),
    );
    expect(await put('anybody')).toBe(403);
    expect(await put('partner')).toBe(200);
  });

  it('lets another account send, whose events are the channel owner’s', async () => {
    const made = await signedFetch(server, '/_cairn/accounts', {
      service: 'cairn',
      method: 'POST',
      body: JSON.stringify({ name: 'partner', accountId: '222222222222' }),
    });
    const { rootKey } = (await made.json()) as { rootKey: Alice['keys'] };
    const channelArn = await makeChannel('from-partners');
    const auditEvents = [
      { id: 'owner', eventData: shipped('000000000000', 'for-the-owner') },
      { id: 'sender', eventData: shipped('222222222222', 'for-the-sender') },
    ];
    const put = (externalId: string) =>
      signedFetch({ ...server, credentials: rootKey }, '/PutAuditEvents', {
        service: 'cloudtrail-data',
        method: 'POST',
        query: { channelArn, externalId },
        body: JSON.stringify({ auditEvents }),
      });
    expect((await put('partner')).status).toBe(403);
    const Statement = {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::222222222222:root' },
      Action: 'cloudtrail-data:PutAuditEvents',
      Resource: channelArn,
      Condition: { StringEquals: { 'cloudtrail:ExternalId': 'partner' } },
    };
    const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement });
    await root.cloudtrail.send(
      new cloudtrail.PutResourcePolicyCommand({ ResourceArn: channelArn, ResourcePolicy }),
    );
    expect((await put('somebody')).status).toBe(403);
    const answer = await put('partner');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      successful: [{ id: 'owner' }],
      failed: [{ id: 'sender', errorCode: 'InvalidRecipient' }],
    });
    const found = async (query: Record<string, string>) => {
      const shown = await signedFetch(server, '/_cairn/events', {
        service: 'cairn',
        query: { ...query, format: 'ndjson' },
      });
      const lines = (await shown.text()).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    expect(await found({ eventName: 'Shipped' })).toMatchObject([
      { recipientAccountId: '000000000000', metadata: { channelARN: channelArn } },
    ]);
    // Sender and owner each have the record of the call.
    const calls = (await found({ eventName: 'PutAuditEvents' })).filter(
      (call) => JSON.stringify(call).includes(channelArn) && call['errorCode'] === undefined,
    );
    const of = (account: string) => calls.find((call) => call['recipientAccountId'] === account);
    expect(calls).toHaveLength(2);
    expect(of('222222222222')).toMatchObject({ userIdentity: { type: 'Root' } });
    expect(of('000000000000')).toMatchObject({
      userIdentity: { type: 'AWSAccount', accountId: '222222222222' },
      sharedEventID: of('222222222222')?.['sharedEventID'],
      resources: [{ accountId: '000000000000', type: 'AWS::CloudTrail::Channel', ARN: channelArn }],
    });
  });
});
