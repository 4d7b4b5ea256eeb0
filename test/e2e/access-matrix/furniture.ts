import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import * as s3 from '@aws-sdk/client-s3';
import type { TestServer } from '../harness.ts';

/** What the calls of the matrix act on, made by the root of the management account. */

export const management = '000000000000';
export const other = '111111111111';
export const allowEverything = { Effect: 'Allow', Action: '*', Resource: '*' };
export const policy = (...statements: unknown[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
export const trust = policy({
  Effect: 'Allow',
  Principal: { AWS: management },
  Action: 'sts:AssumeRole',
});

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface RootClients {
  readonly iam: iam.IAMClient;
  readonly s3: s3.S3Client;
  readonly kms: kms.KMSClient;
  readonly cloudtrail: cloudtrail.CloudTrailClient;
  readonly events: EventBridgeClient;
}

export function rootClients({ clientOptions }: TestServer): RootClients {
  return {
    iam: new iam.IAMClient(clientOptions),
    s3: new s3.S3Client({ ...clientOptions, forcePathStyle: true }),
    kms: new kms.KMSClient(clientOptions),
    cloudtrail: new cloudtrail.CloudTrailClient(clientOptions),
    events: new EventBridgeClient(clientOptions),
  };
}

/** What is made once, because an account has few of them. */
export interface Shared {
  readonly trailBucket: string;
  readonly trailArn: string;
  readonly storeArn: string;
  /** For the events of one's own systems. */
  readonly ownStoreArn: string;
  readonly channelArn: string;
  readonly roleArn: string;
  readonly importId: string;
}

const cloudTrailBucketPolicy = (bucket: string): string =>
  policy(
    {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:GetBucketAcl',
      Resource: `arn:aws:s3:::${bucket}`,
    },
    {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/*`,
    },
  );

export async function furnish(root: RootClients): Promise<Shared> {
  const trailBucket = 'matrix-trails';
  await root.s3.send(new s3.CreateBucketCommand({ Bucket: trailBucket }));
  await root.s3.send(
    new s3.PutBucketPolicyCommand({ Bucket: trailBucket, Policy: cloudTrailBucketPolicy(trailBucket) }),
  );
  const made = await root.iam.send(
    new iam.CreateRoleCommand({ RoleName: 'shared', AssumeRolePolicyDocument: trust }),
  );
  const roleArn = made.Role!.Arn!;
  const places = { trailBucket, roleArn, ...(await furnishTrails(root, trailBucket)) };
  const started = await root.cloudtrail.send(new cloudtrail.StartImportCommand(importOf(places)));
  return { ...places, importId: started.ImportId! };
}

async function furnishTrails({ cloudtrail: client }: RootClients, S3BucketName: string) {
  const trail = await client.send(new cloudtrail.CreateTrailCommand({ Name: 'matrix', S3BucketName }));
  const store = await client.send(new cloudtrail.CreateEventDataStoreCommand({ Name: 'matrix' }));
  const ofOwnSystems = await client.send(
    new cloudtrail.CreateEventDataStoreCommand({
      Name: 'matrix-own',
      AdvancedEventSelectors: [
        { FieldSelectors: [{ Field: 'eventCategory', Equals: ['ActivityAuditLog'] }] },
      ],
    }),
  );
  const ownStoreArn = ofOwnSystems.EventDataStoreArn!;
  const channel = await client.send(
    new cloudtrail.CreateChannelCommand({
      Name: 'matrix',
      Source: 'Custom',
      Destinations: [{ Type: 'EVENT_DATA_STORE', Location: ownStoreArn }],
    }),
  );
  return {
    trailArn: trail.TrailARN!,
    storeArn: store.EventDataStoreArn!,
    ownStoreArn,
    channelArn: channel.ChannelArn!,
  };
}

/** Makes, at most once each, what the call of one row acts on. */
export interface Maker {
  /** Part of every name, and of no other row's. */
  readonly id: string;
  readonly shared: Shared;
  user(): Promise<string>;
  group(): Promise<string>;
  role(): Promise<string>;
  profile(): Promise<string>;
  /** ARN. */
  policy(): Promise<string>;
  accessKey(): Promise<Keys>;
  /** With an object `key`. */
  bucket(): Promise<string>;
  uploadId(): Promise<string>;
  /** ARNs. */
  key(): Promise<string>;
  signingKey(): Promise<string>;
  alias(): Promise<string>;
  ciphertext(): Promise<Uint8Array>;
  grant(): Promise<{ readonly GrantId: string; readonly GrantToken: string }>;
  queryId(): Promise<string>;
  dashboard(): Promise<string>;
}

/** What StartImport takes. */
export const importOf = ({
  trailBucket,
  storeArn,
  roleArn,
}: Pick<Shared, 'trailBucket' | 'storeArn' | 'roleArn'>) => ({
  Destinations: [storeArn],
  ImportSource: {
    S3: {
      S3LocationUri: `s3://${trailBucket}/AWSLogs/`,
      S3BucketRegion: 'us-east-1',
      S3BucketAccessRoleArn: roleArn,
    },
  },
});

export const queryOf = ({ storeArn }: Shared): string => `SELECT eventID FROM ${storeArn.split('/').at(-1)}`;

/** What CreateDashboard takes beside a name. */
export const dashboardOf = (shared: Shared) => ({
  Widgets: [
    {
      QueryStatement: queryOf(shared),
      ViewProperties: { Height: '2', Width: '4', Title: 'Events', View: 'Table' },
    },
  ],
  RefreshSchedule: { Frequency: { Unit: 'DAYS' as const, Value: 1 }, Status: 'ENABLED' as const },
});

const iamMaker = (id: string, client: iam.IAMClient) => ({
  user: async () => {
    await client.send(new iam.CreateUserCommand({ UserName: id }));
    return id;
  },
  group: async () => {
    await client.send(new iam.CreateGroupCommand({ GroupName: id }));
    return id;
  },
  role: async () => {
    await client.send(new iam.CreateRoleCommand({ RoleName: id, AssumeRolePolicyDocument: trust }));
    return id;
  },
  profile: async () => {
    await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: id }));
    return id;
  },
  policy: async () => {
    const PolicyDocument = policy(allowEverything);
    const made = await client.send(new iam.CreatePolicyCommand({ PolicyName: id, PolicyDocument }));
    return made.Policy!.Arn!;
  },
});

const kmsMaker = (id: string, client: kms.KMSClient) => {
  const key = async (input: kms.CreateKeyCommandInput) =>
    (await client.send(new kms.CreateKeyCommand(input))).KeyMetadata!.Arn!;
  return {
    key: () => key({}),
    signingKey: () => key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }),
    alias: async (TargetKeyId: string) => {
      await client.send(new kms.CreateAliasCommand({ AliasName: `alias/${id}`, TargetKeyId }));
      return `alias/${id}`;
    },
    ciphertext: async (KeyId: string) => {
      const Plaintext = new Uint8Array(8);
      return (await client.send(new kms.EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob!;
    },
    grant: async (KeyId: string) => {
      const GranteePrincipal = `arn:aws:iam::${management}:root`;
      const made = await client.send(
        new kms.CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }),
      );
      return { GrantId: made.GrantId!, GrantToken: made.GrantToken! };
    },
  };
};

const s3Maker = (id: string, client: s3.S3Client) => ({
  bucket: async () => {
    await client.send(new s3.CreateBucketCommand({ Bucket: id }));
    await client.send(new s3.PutObjectCommand({ Bucket: id, Key: 'key', Body: 'x' }));
    return id;
  },
  uploadId: async (Bucket: string) => {
    const made = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: 'key' }));
    return made.UploadId!;
  },
});

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

export function openMaker(id: string, root: RootClients, shared: Shared): Maker {
  const identities = iamMaker(id, root.iam);
  const keys = kmsMaker(id, root.kms);
  const buckets = s3Maker(id, root.s3);
  const user = once(identities.user);
  const key = once(keys.key);
  const bucket = once(buckets.bucket);
  return {
    id,
    shared,
    user,
    group: once(identities.group),
    role: once(identities.role),
    profile: once(identities.profile),
    policy: once(identities.policy),
    accessKey: once(async () => newKey(root.iam, await user())),
    bucket,
    uploadId: once(async () => buckets.uploadId(await bucket())),
    key,
    signingKey: once(keys.signingKey),
    alias: once(async () => keys.alias(await key())),
    ciphertext: once(async () => keys.ciphertext(await key())),
    grant: once(async () => keys.grant(await key())),
    queryId: once(async () => {
      const QueryStatement = queryOf(shared);
      return (await root.cloudtrail.send(new cloudtrail.StartQueryCommand({ QueryStatement }))).QueryId!;
    }),
    dashboard: once(async () => {
      await root.cloudtrail.send(new cloudtrail.CreateDashboardCommand({ Name: id }));
      return id;
    }),
  };
}

export async function newKey(client: iam.IAMClient, UserName: string): Promise<Keys> {
  const { AccessKey } = await client.send(new iam.CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
}
