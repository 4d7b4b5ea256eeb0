import { createHash } from 'node:crypto';
import type { PolicyDocument } from './documents.ts';

/**
 * The AWS-managed policies that are useful here, under AWS's names and ARNs. AWS's own editions list the actions of
 * hundreds of services; these speak of the services that Cairn serves, by the same rules: "read-only" never gives the
 * content of secrets, and "audit" gives configuration and never data.
 */
type StatementText = Readonly<Record<string, unknown>>;

const allow = (...actions: string[]): StatementText => ({ Effect: 'Allow', Action: actions, Resource: '*' });

const readCloudTrail = [
  'cloudtrail:Describe*',
  'cloudtrail:Get*',
  'cloudtrail:List*',
  'cloudtrail:LookupEvents',
];
const readCloudWatch = ['cloudwatch:Describe*', 'cloudwatch:Get*', 'cloudwatch:List*'];
const readLogs = [
  'logs:Describe*',
  'logs:FilterLogEvents',
  'logs:Get*',
  'logs:List*',
  'logs:StartLiveTail',
  'logs:StartQuery',
  'logs:StopLiveTail',
  'logs:StopQuery',
  'logs:TestMetricFilter',
];
const readConfig = [
  'config:BatchGet*',
  'config:Describe*',
  'config:Get*',
  'config:List*',
  'config:SelectAggregateResourceConfig',
  'config:SelectResourceConfig',
];
const readEvents = [
  'events:Describe*',
  'events:List*',
  'events:TestEventPattern',
  'pipes:Describe*',
  'pipes:List*',
  'scheduler:Get*',
  'scheduler:List*',
];
const readIam = ['iam:Generate*', 'iam:Get*', 'iam:List*', 'iam:Simulate*'];
const passRoleTo = (...services: string[]): StatementText => ({
  Effect: 'Allow',
  Action: 'iam:PassRole',
  Resource: '*',
  Condition: { StringEquals: { 'iam:PassedToService': services } },
});

/** Path and name (as they stand in the ARN), description, statements. */
const table: readonly (readonly [string, string, readonly StatementText[]])[] = [
  ['AdministratorAccess', 'Full access to all services and resources.', [allow('*')]],
  [
    'PowerUserAccess',
    'Full access to all services and resources, without the management of users and groups.',
    [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*', 'cairn:*'], Resource: '*' },
      // Cairn's own actions make accounts and set retention; only what reads events is for everybody with power.
      allow('cairn:SearchEvents', 'cairn:CountEvents', 'cairn:TailEvents'),
      allow('iam:ListRoles', 'organizations:DescribeOrganization', 'account:ListRegions'),
    ],
  ],
  [
    'ReadOnlyAccess',
    'Read-only access to the services that are served here.',
    [
      allow(
        ...readCloudTrail,
        ...readCloudWatch,
        ...readLogs,
        ...readConfig,
        ...readEvents,
        ...readIam,
        'kms:Describe*',
        'kms:Get*',
        'kms:List*',
        'lambda:Get*',
        'lambda:List*',
        's3:Get*',
        's3:List*',
        'sns:Get*',
        'sns:List*',
        'sqs:Get*',
        'sqs:List*',
        'sqs:ReceiveMessage',
        'ssm:Describe*',
        'ssm:Get*',
        'ssm:List*',
        'sts:GetAccessKeyInfo',
        'sts:GetCallerIdentity',
        'sts:GetSessionToken',
        'tag:Get*',
        'cairn:Get*',
        'cairn:List*',
      ),
    ],
  ],
  [
    'job-function/ViewOnlyAccess',
    'Lists and basic facts of the services that are served here.',
    [
      allow(
        'cloudtrail:DescribeTrails',
        'cloudtrail:ListTrails',
        'cloudtrail:LookupEvents',
        'cloudwatch:Describe*',
        'cloudwatch:Get*',
        'cloudwatch:List*',
        'config:Describe*',
        'config:List*',
        'events:Describe*',
        'events:List*',
        'iam:GetAccountSummary',
        'iam:GetLoginProfile',
        'iam:List*',
        'kms:ListAliases',
        'kms:ListKeys',
        'lambda:List*',
        'logs:Describe*',
        's3:ListAllMyBuckets',
        's3:ListBucket',
        'sns:List*',
        'sqs:ListQueues',
        'ssm:Describe*',
        'ssm:List*',
      ),
    ],
  ],
  [
    'SecurityAudit',
    'Reads security configuration, and no data, of the services that are served here.',
    [
      allow(
        'cloudtrail:DescribeTrails',
        'cloudtrail:Get*',
        'cloudtrail:List*',
        'cloudtrail:LookupEvents',
        'cloudwatch:Describe*',
        'cloudwatch:GetDashboard',
        'cloudwatch:List*',
        'config:BatchGet*',
        'config:Describe*',
        'config:Get*',
        'config:List*',
        'config:SelectResourceConfig',
        'events:Describe*',
        'events:List*',
        'events:TestEventPattern',
        'iam:GenerateCredentialReport',
        'iam:GenerateServiceLastAccessedDetails',
        'iam:Get*',
        'iam:List*',
        'iam:SimulateCustomPolicy',
        'iam:SimulatePrincipalPolicy',
        'kms:Describe*',
        'kms:GetKeyPolicy',
        'kms:GetKeyRotationStatus',
        'kms:List*',
        'lambda:GetAccountSettings',
        'lambda:GetFunctionConfiguration',
        'lambda:GetPolicy',
        'lambda:List*',
        'logs:Describe*',
        'logs:List*',
        'pipes:List*',
        's3:GetAccountPublicAccessBlock',
        's3:GetBucket*',
        's3:GetEncryptionConfiguration',
        's3:GetLifecycleConfiguration',
        's3:GetReplicationConfiguration',
        's3:ListAllMyBuckets',
        'scheduler:List*',
        'sns:GetTopicAttributes',
        'sns:List*',
        'sqs:GetQueueAttributes',
        'sqs:List*',
        'ssm:Describe*',
        'ssm:GetAutomationExecution',
        'ssm:List*',
        'sts:GetAccessKeyInfo',
        'tag:GetTagKeys',
      ),
    ],
  ],
  [
    'IAMFullAccess',
    'Full access to IAM.',
    [allow('iam:*', 'organizations:DescribeAccount', 'organizations:List*')],
  ],
  ['IAMReadOnlyAccess', 'Read-only access to IAM.', [allow(...readIam)]],
  [
    'IAMUserChangePassword',
    'Lets users change their own password.',
    [
      {
        Effect: 'Allow',
        Action: 'iam:ChangePassword',
        // eslint-disable-next-line no-template-curly-in-string -- a policy variable, which IAM fills in
        Resource: 'arn:aws:iam::*:user/${aws:username}',
      },
      allow('iam:GetAccountPasswordPolicy'),
    ],
  ],
  [
    'AWSCloudTrail_FullAccess',
    'Full access to CloudTrail, and to what its trails deliver to.',
    [
      allow('cloudtrail:*', 'iam:GetRole', 'iam:GetRolePolicy', 'iam:GetUser', 'iam:ListRoles'),
      allow(
        's3:CreateBucket',
        's3:GetBucketLocation',
        's3:GetBucketPolicy',
        's3:ListAllMyBuckets',
        's3:PutBucketPolicy',
      ),
      allow(
        'sns:AddPermission',
        'sns:CreateTopic',
        'sns:GetTopicAttributes',
        'sns:ListTopics',
        'sns:SetTopicAttributes',
      ),
      allow('logs:CreateLogGroup', 'kms:CreateAlias', 'kms:CreateKey', 'kms:ListAliases', 'kms:ListKeys'),
      allow('lambda:ListFunctions'),
      passRoleTo('cloudtrail.amazonaws.com'),
    ],
  ],
  ['AWSCloudTrail_ReadOnlyAccess', 'Read-only access to CloudTrail.', [allow(...readCloudTrail)]],
  [
    'CloudWatchFullAccess',
    'Full access to CloudWatch.',
    [allow('cloudwatch:*', 'logs:*', 'sns:*', 'iam:GetPolicy', 'iam:GetPolicyVersion', 'iam:GetRole')],
  ],
  [
    'CloudWatchFullAccessV2',
    'Full access to CloudWatch, without that to SNS.',
    [
      allow(
        'cloudwatch:*',
        'logs:*',
        'sns:CreateTopic',
        'sns:ListSubscriptions',
        'sns:ListTopics',
        'sns:Subscribe',
      ),
    ],
  ],
  [
    'CloudWatchReadOnlyAccess',
    'Read-only access to CloudWatch.',
    [allow(...readCloudWatch, ...readLogs, 'sns:Get*', 'sns:List*')],
  ],
  ['CloudWatchLogsFullAccess', 'Full access to CloudWatch Logs.', [allow('logs:*')]],
  ['CloudWatchLogsReadOnlyAccess', 'Read-only access to CloudWatch Logs.', [allow(...readLogs)]],
  [
    'CloudWatchAgentServerPolicy',
    'What an agent needs that sends metrics and logs.',
    [
      allow(
        'cloudwatch:PutMetricData',
        'logs:CreateLogGroup',
        'logs:CreateLogStream',
        'logs:DescribeLogGroups',
        'logs:DescribeLogStreams',
        'logs:PutLogEvents',
        'logs:PutRetentionPolicy',
      ),
    ],
  ],
  [
    'AmazonEventBridgeFullAccess',
    'Full access to EventBridge.',
    [
      allow('events:*', 'pipes:*', 'scheduler:*'),
      passRoleTo('events.amazonaws.com', 'pipes.amazonaws.com', 'scheduler.amazonaws.com'),
    ],
  ],
  ['AmazonEventBridgeReadOnlyAccess', 'Read-only access to EventBridge.', [allow(...readEvents)]],
  [
    'service-role/AWS_ConfigRole',
    'What Config needs to read the configuration of the services that are served here.',
    [
      allow(
        ...readCloudTrail,
        ...readConfig,
        ...readEvents,
        ...readIam,
        'cloudwatch:Describe*',
        'cloudwatch:List*',
        'config:Put*',
        'kms:Describe*',
        'kms:GetKeyPolicy',
        'kms:GetKeyRotationStatus',
        'kms:List*',
        'lambda:GetFunction*',
        'lambda:GetPolicy',
        'lambda:List*',
        'logs:Describe*',
        'logs:List*',
        's3:GetBucket*',
        's3:GetEncryptionConfiguration',
        's3:GetLifecycleConfiguration',
        's3:ListAllMyBuckets',
        'sns:Get*',
        'sns:List*',
        'sqs:GetQueueAttributes',
        'sqs:List*',
        'ssm:Describe*',
        'ssm:List*',
      ),
    ],
  ],
  ['AmazonS3FullAccess', 'Full access to all buckets.', [allow('s3:*')]],
  [
    'AmazonS3ReadOnlyAccess',
    'Read-only access to all buckets.',
    [allow('s3:Get*', 's3:List*', 's3:Describe*')],
  ],
  [
    'AWSKeyManagementServicePowerUser',
    'Access to KMS: making keys and aliases, and reading about all of them.',
    [
      allow(
        'kms:CreateAlias',
        'kms:CreateKey',
        'kms:DeleteAlias',
        'kms:Describe*',
        'kms:GenerateRandom',
        'kms:Get*',
        'kms:List*',
        'kms:TagResource',
        'kms:UntagResource',
        'iam:ListGroups',
        'iam:ListRoles',
        'iam:ListUsers',
      ),
    ],
  ],
  ['AWSDenyAll', 'Denies all access.', [{ Sid: 'DenyAll', Effect: 'Deny', Action: ['*'], Resource: '*' }]],
  [
    'AWSConfigUserAccess',
    'Read-only access to Config.',
    [allow(...readConfig, 'cloudtrail:LookupEvents', 'tag:Get*')],
  ],
];

/** AWS policies have fixed ids; these are made of the ARN. */
function fixedId(arn: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const digest = createHash('sha256').update(arn).digest();
  return `ANPA${Array.from(digest.subarray(0, 17), (byte) => alphabet[byte % 32]).join('')}`;
}

const createdAt = Date.UTC(2015, 1, 6, 18, 39, 46);

function managedPolicy(
  pathAndName: string,
  description: string,
  statements: readonly StatementText[],
): PolicyDocument {
  const arn = `arn:aws:iam::aws:policy/${pathAndName}`;
  const slash = pathAndName.lastIndexOf('/');
  return {
    name: pathAndName.slice(slash + 1),
    path: `/${pathAndName.slice(0, slash + 1)}`,
    id: fixedId(arn),
    arn,
    description,
    createdAt,
    updatedAt: createdAt,
    versions: [
      {
        id: 'v1',
        document: JSON.stringify({ Version: '2012-10-17', Statement: statements }, undefined, 2),
        createdAt,
      },
    ],
    defaultVersionId: 'v1',
    nextVersion: 2,
    tags: [],
  };
}

/** In the order of their names. */
export const awsManagedPolicies: readonly PolicyDocument[] = table
  .map(([pathAndName, description, statements]) => managedPolicy(pathAndName, description, statements))
  .toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

const byArn = new Map(awsManagedPolicies.map((policy) => [policy.arn, policy]));

/** The AWS-managed policy of this ARN; undefined when there is none here. */
export const awsManagedPolicy = (arn: string): PolicyDocument | undefined => byArn.get(arn);
