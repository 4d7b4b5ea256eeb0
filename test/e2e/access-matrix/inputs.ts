import {
  allowEverything,
  dashboardOf,
  importOf,
  management,
  policy,
  queryOf,
  trust,
  type Maker,
} from './furniture.ts';

export type SdkModule = Readonly<Record<string, unknown>>;

/** Kind, namespace, name, traits, and of structures their members, the members' schemas and how many are required. */
type Schema = readonly [number, string, string, unknown, (readonly string[])?, unknown?, number?];

type Value = (maker: Maker) => unknown;

const always =
  (value: unknown): Value =>
  () =>
    value;
const arn = (resource: string) => `arn:aws:iam::${management}:${resource}`;
const fresh: Value = ({ id }) => `new-${id}`;
const trail: Value = ({ shared }) => shared.trailArn;
const store: Value = ({ shared }) => shared.storeArn;
const channel: Value = ({ shared }) => shared.channelArn;
const tags = [{ Key: 'matrix', Value: '' }];

/** Values of the members that requests have, by service and name, where several services mean the same by the name alone. */
const values: Readonly<Record<string, Value>> = {
  'iam.UserName': (maker) => maker.user(),
  'iam.GroupName': (maker) => maker.group(),
  'iam.RoleName': (maker) => maker.role(),
  'iam.InstanceProfileName': (maker) => maker.profile(),
  'iam.PolicyName': always('inline'),
  'iam.PolicyArn': (maker) => maker.policy(),
  'iam.PolicyDocument': always(policy(allowEverything)),
  'iam.AssumeRolePolicyDocument': always(trust),
  'iam.PermissionsBoundary': always('arn:aws:iam::aws:policy/AdministratorAccess'),
  'iam.VersionId': always('v1'),
  'iam.Status': always('Inactive'),
  'iam.AccountAlias': ({ id }) => `alias-${id}`,
  'iam.ActionNames': always(['iam:GetUser']),
  'iam.PolicyInputList': always([policy(allowEverything)]),
  'iam.PolicySourceArn': async (maker) => arn(`user/${await maker.user()}`),
  'iam.AccessKeyId': async (maker) => (await maker.accessKey()).accessKeyId,
  'sts.AccessKeyId': async (maker) => (await maker.accessKey()).accessKeyId,
  'sts.RoleArn': async (maker) => arn(`role/${await maker.role()}`),
  'sts.RoleSessionName': always('matrix'),
  'cloudtrail.Name': trail,
  'cloudtrail.TrailName': trail,
  'cloudtrail.S3BucketName': ({ shared }) => shared.trailBucket,
  'cloudtrail.EventDataStore': store,
  'cloudtrail.Channel': channel,
  'cloudtrail.ResourceArn': channel,
  'cloudtrail.ResourcePolicy': ({ shared }) =>
    policy({
      Effect: 'Allow',
      Principal: { AWS: arn('root') },
      Action: 'cloudtrail-data:PutAuditEvents',
      Resource: shared.channelArn,
    }),
  'cloudtrail.ResourceId': trail,
  'cloudtrail.ResourceIdList': (maker) => [trail(maker)],
  'cloudtrail.TagsList': always([{ Key: 'matrix', Value: 'x' }]),
  'cloudtrail.InsightSelectors': always([]),
  'cloudtrail.EventSelectors': always([{ ReadWriteType: 'All', IncludeManagementEvents: true }]),
  'cloudtrail.Source': always('Custom'),
  'cloudtrail.Destinations': ({ shared }) => [{ Type: 'EVENT_DATA_STORE', Location: shared.ownStoreArn }],
  'cloudtrail.ImportSource': ({ shared }) => importOf(shared).ImportSource,
  'cloudtrail.ImportId': ({ shared }) => shared.importId,
  'cloudtrail.DashboardId': (maker) => maker.dashboard(),
  'cloudtrail.QueryId': (maker) => maker.queryId(),
  'cloudtrail.QueryStatement': ({ shared }) => queryOf(shared),
  's3.Bucket': (maker) => maker.bucket(),
  's3.Key': always('key'),
  's3.UploadId': (maker) => maker.uploadId(),
  's3.PartNumber': always(1),
  's3.CopySource': async (maker) => `${await maker.bucket()}/key`,
  's3.Body': always('x'),
  's3.Delete': always({ Objects: [{ Key: 'key' }] }),
  's3.ObjectAttributes': always(['ETag']),
  's3.ACL': always('private'),
  's3.Tagging': always({ TagSet: tags }),
  's3.Policy': async (maker) =>
    policy({
      Effect: 'Allow',
      Principal: { AWS: arn('root') },
      Action: 's3:ListBucket',
      Resource: `arn:aws:s3:::${await maker.bucket()}`,
    }),
  's3.ServerSideEncryptionConfiguration': always({
    Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
  }),
  's3.LifecycleConfiguration': always({
    Rules: [{ ID: 'a', Status: 'Enabled', Filter: { Prefix: 'old/' }, Expiration: { Days: 1 } }],
  }),
  's3.NotificationConfiguration': always({}),
  's3.OwnershipControls': always({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] }),
  's3.VersioningConfiguration': always({ Status: 'Enabled' }),
  's3.ObjectLockConfiguration': always({ ObjectLockEnabled: 'Enabled' }),
  's3.LegalHold': always({ Status: 'ON' }),
  's3.Retention': always({ Mode: 'GOVERNANCE', RetainUntilDate: new Date('2100-01-01T00:00:00Z') }),
  's3.PublicAccessBlockConfiguration': always({ BlockPublicPolicy: true }),
  's3.MultipartUpload': always({ Parts: [{ PartNumber: 1, ETag: '"x"' }] }),
  'kms.KeyId': (maker) => maker.key(),
  'kms.TargetKeyId': (maker) => maker.key(),
  'kms.DestinationKeyId': (maker) => maker.key(),
  'kms.AliasName': (maker) => maker.alias(),
  'kms.Plaintext': always(new Uint8Array(8)),
  'kms.CiphertextBlob': (maker) => maker.ciphertext(),
  'kms.KeyPairSpec': always('RSA_2048'),
  'kms.GrantId': async (maker) => (await maker.grant()).GrantId,
  'kms.GranteePrincipal': always(arn('root')),
  'kms.Operations': always(['Encrypt']),
  'kms.RetiringPrincipal': always(arn('root')),
  'kms.NumberOfBytes': always(8),
  'kms.Policy': always(
    policy({ Effect: 'Allow', Principal: { AWS: arn('root') }, Action: 'kms:*', Resource: '*' }),
  ),
  'kms.Message': always(new Uint8Array(8)),
  'kms.Signature': always(new Uint8Array(256)),
  'kms.SigningAlgorithm': always('RSASSA_PKCS1_V1_5_SHA_256'),
  'kms.Tags': always([{ TagKey: 'matrix', TagValue: '' }]),
  'events.Name': fresh,
  'events.AuthorizationType': always('API_KEY'),
  'events.AuthParameters': always({ ApiKeyAuthParameters: { ApiKeyName: 'X-Key', ApiKeyValue: 'x' } }),
  'events.ConnectionArn': always(`arn:aws:events:us-east-1:${management}:connection/matrix/1`),
  'events.InvocationEndpoint': always('https://hooks.example.com/'),
  'events.HttpMethod': always('POST'),
  'events.Entries': always([{ Source: 'matrix', DetailType: 'a', Detail: '{}' }]),
  'events.Event': always(
    '{"id":"1","detail-type":"a","source":"b","account":"c","time":"d","region":"e","resources":[]}',
  ),
  'events.EventPattern': always('{"source":["matrix"]}'),
  'events.Ids': always(['a']),
  'events.ResourceARN': ({ id }) => `arn:aws:events:us-east-1:${management}:event-bus/${id}`,
  'events.Rule': fresh,
  'events.TargetArn': always(`arn:aws:events:us-east-1:${management}:event-bus/default`),
  'events.Targets': ({ shared }) => [
    { Id: 'a', Arn: `arn:aws:events:us-east-1:${management}:event-bus/matrix`, RoleArn: shared.roleArn },
  ],
  Description: always('matrix'),
  Tags: always(tags),
  TagKeys: always(['matrix']),
};

const signing: Readonly<Record<string, Value>> = { KeyId: (maker) => maker.signingKey() };

/** What an operation takes where the common value does not fit, and members that it takes though they are not required. */
const ownValues: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  'iam.CreateUser': { UserName: fresh },
  'iam.CreateGroup': { GroupName: fresh },
  'iam.CreateRole': { RoleName: fresh },
  'iam.CreateInstanceProfile': { InstanceProfileName: fresh },
  'iam.CreatePolicy': { PolicyName: fresh },
  'iam.UpdateAssumeRolePolicy': { PolicyDocument: always(trust) },
  'cloudtrail.CreateTrail': { Name: fresh },
  'cloudtrail.CreateChannel': { Name: fresh },
  'cloudtrail.CreateEventDataStore': { Name: fresh },
  'cloudtrail.CreateDashboard': {
    Name: fresh,
    Widgets: ({ shared }) => dashboardOf(shared).Widgets,
    RefreshSchedule: ({ shared }) => dashboardOf(shared).RefreshSchedule,
  },
  'cloudtrail.UpdateDashboard': { Widgets: ({ shared }) => dashboardOf(shared).Widgets },
  'cloudtrail.DescribeQuery': { QueryId: (maker) => maker.queryId() },
  'cloudtrail.StartQuery': { QueryStatement: ({ shared }) => queryOf(shared) },
  'cloudtrail.StartImport': {
    Destinations: ({ shared }) => importOf(shared).Destinations,
    ImportSource: ({ shared }) => importOf(shared).ImportSource,
  },
  'cloudtrail.GetInsightSelectors': { TrailName: trail },
  'cloudtrail.ListInsightsData': { InsightSource: trail, DataType: always('InsightsEvents') },
  'cloudtrail.ListInsightsMetricData': {
    TrailName: trail,
    EventSource: always('s3.amazonaws.com'),
    EventName: always('PutObject'),
    InsightType: always('ApiCallRateInsight'),
  },
  'cloudtrail.PutInsightSelectors': { TrailName: trail },
  'cloudtrail.PutEventSelectors': {
    EventSelectors: always([{ ReadWriteType: 'All', IncludeManagementEvents: true }]),
  },
  'events.CreateEventBus': { Tags: always(tags) },
  'events.PutPermission': {
    Action: always('events:PutEvents'),
    Principal: always('111111111111'),
    StatementId: fresh,
  },
  'events.PutRule': {
    EventPattern: always('{"source":["matrix"]}'),
    RoleArn: ({ shared }) => shared.roleArn,
    Tags: always(tags),
  },
  'events.RemovePermission': { StatementId: fresh },
  's3.CreateBucket': { Bucket: fresh },
  's3.PutObject': { Body: always('x') },
  's3.UploadPart': { Body: always('x') },
  's3.PutBucketAcl': { ACL: always('private') },
  's3.PutObjectAcl': { ACL: always('private') },
  's3.PutBucketLifecycleConfiguration': { LifecycleConfiguration: values['s3.LifecycleConfiguration']! },
  's3.PutObjectLockConfiguration': { ObjectLockConfiguration: values['s3.ObjectLockConfiguration']! },
  's3.PutObjectLegalHold': { LegalHold: values['s3.LegalHold']! },
  's3.PutObjectRetention': { Retention: values['s3.Retention']! },
  's3.CompleteMultipartUpload': { MultipartUpload: values['s3.MultipartUpload']! },
  'kms.CreateGrant': { GranteePrincipal: always(arn('root')) },
  'kms.ListRetirableGrants': { RetiringPrincipal: always(arn('root')) },
  'kms.RetireGrant': { GrantToken: async (maker) => (await maker.grant()).GrantToken },
  'kms.CreateAlias': { AliasName: ({ id }) => `alias/new-${id}` },
  'kms.Decrypt': { CiphertextBlob: (maker) => maker.ciphertext() },
  'kms.ReEncrypt': { CiphertextBlob: (maker) => maker.ciphertext() },
  'kms.GenerateDataKey': { NumberOfBytes: always(32) },
  'kms.GenerateDataKeyWithoutPlaintext': { NumberOfBytes: always(32) },
  'kms.GenerateRandom': { NumberOfBytes: always(8) },
  'kms.GetPublicKey': signing,
  'kms.Sign': signing,
  'kms.Verify': signing,
};

/**
 * An input of an operation: the required members, and UserName wherever it may be given, without which the caller would act
 * on itself. Throws when it does not know a value, so that no operation stays out of the matrix.
 */
export async function inputOf(
  module: SdkModule,
  service: string,
  operation: string,
  maker: Maker,
): Promise<Record<string, unknown>> {
  const schema = (module[`${operation}$`] as readonly unknown[])[4] as Schema | (() => Schema);
  const [, , , , members = [], , required = 0] = typeof schema === 'function' ? schema() : schema;
  const own = ownValues[`${service}.${operation}`] ?? {};
  const input: Record<string, unknown> = {};
  for (const [place, member] of members.entries()) {
    const isWanted = place < required || Object.hasOwn(own, member);
    if (!isWanted && `${service}.${member}` !== 'iam.UserName') continue;
    const value = own[member] ?? values[`${service}.${member}`] ?? values[member];
    if (!value) throw new Error(`the matrix has no value for ${member} of ${service}:${operation}`);
    input[member] = await value(maker);
  }
  return input;
}
