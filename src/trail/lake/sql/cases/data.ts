import type { LakeColumn } from '../translate.ts';

/** The events that the cases of this folder ask about: invented, in the documented schema. */

const text = [
  'eventVersion',
  'eventSource',
  'eventName',
  'awsRegion',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'errorMessage',
  'requestID',
  'eventID',
  'eventType',
  'apiVersion',
  'recipientAccountId',
  'sharedEventID',
  'vpcEndpointId',
  'eventCategory',
] as const;

const maps = ['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails'] as const;

/** Columns of "Supported SQL schemas for event data stores" (CloudTrail user guide). */
export const columns: readonly LakeColumn[] = [
  { name: 'eventTime', type: 'TIMESTAMP' },
  {
    name: 'userIdentity',
    type:
      'STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, accessKeyId VARCHAR, userName VARCHAR, ' +
      'sessionContext STRUCT(attributes STRUCT(creationDate TIMESTAMP, mfaAuthenticated VARCHAR), ' +
      'sessionIssuer STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, userName VARCHAR)), ' +
      'invokedBy VARCHAR)',
  },
  ...text.map((name) => ({ name, type: 'VARCHAR' })),
  ...maps.map((name) => ({ name, type: 'MAP(VARCHAR, VARCHAR)' })),
  { name: 'readOnly', type: 'BOOLEAN' },
  { name: 'managementEvent', type: 'BOOLEAN' },
  { name: 'resources', type: 'STRUCT(accountId VARCHAR, "type" VARCHAR, arn VARCHAR)[]' },
  { name: 'tlsDetails', type: 'STRUCT(tlsVersion VARCHAR, cipherSuite VARCHAR)' },
];

/** Members that the tables have as columns as well. */
export const flat = ['userIdentity.userName', 'userIdentity.sessionContext.sessionIssuer.userName'];

/** Columns that only those see who name them. */
export const apart = ['eventJson', 'eventJsonChecksum'];

/** The id of the store that most cases read, and of the one beside it. */
export const eventsId = 'EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE';
export const archiveId = '0a1b2c3d-4e5f-4a6b-8c7d-000011112222';

const user = (name: string, accountId = '111122223333'): object => ({
  type: 'IAMUser',
  principalId: `AIDA${name.toUpperCase()}`,
  arn: `arn:aws:iam::${accountId}:user/${name}`,
  accountId,
  accessKeyId: `AKIA${name.toUpperCase()}`,
  userName: name,
});

const role = (name: string, session: string, mfa: string): object => ({
  type: 'AssumedRole',
  principalId: `AROA${name.toUpperCase()}:${session}`,
  arn: `arn:aws:sts::111122223333:assumed-role/${name}/${session}`,
  accountId: '111122223333',
  sessionContext: {
    attributes: { creationDate: '2023-01-22 08:00:00', mfaAuthenticated: mfa },
    sessionIssuer: {
      type: 'Role',
      principalId: `AROA${name.toUpperCase()}`,
      arn: `arn:aws:iam::111122223333:role/${name}`,
      accountId: '111122223333',
      userName: name,
    },
  },
});

const event = (
  id: number,
  time: string,
  source: string,
  name: string,
  region: string,
  more: object,
): object => ({
  eventVersion: '1.09',
  eventID: `e${String(id).padStart(2, '0')}`,
  eventTime: time,
  eventSource: `${source}.amazonaws.com`,
  eventName: name,
  awsRegion: region,
  eventType: name === 'ConsoleLogin' ? 'AwsConsoleSignIn' : 'AwsApiCall',
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
  managementEvent: true,
  ...more,
});

/** What the store `eventsId` holds. */
export const events: readonly object[] = [
  event(1, '2023-01-22 09:15:00', 's3', 'CreateBucket', 'us-east-1', {
    userIdentity: user('bob'),
    sourceIPAddress: '192.0.2.10',
    readOnly: false,
    requestParameters: { bucketName: 'logs', Host: 's3.amazonaws.com' },
    resources: [{ accountId: '111122223333', type: 'AWS::S3::Bucket', arn: 'arn:aws:s3:::logs' }],
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
  }),
  event(2, '2023-01-22 16:53:53.25', 'cloudtrail', 'StartQuery', 'us-east-1', {
    userIdentity: user('bob'),
    sourceIPAddress: '192.0.2.10',
    readOnly: true,
    requestParameters: { queryStatement: 'select * from eds limit 1' },
    responseElements: { queryId: '12345678-abcd' },
    tlsDetails: { tlsVersion: 'TLSv1.2', cipherSuite: 'ECDHE-RSA-AES128-GCM-SHA256' },
  }),
  event(3, '2023-01-23 00:00:00', 's3', 'GetObject', 'us-east-1', {
    userIdentity: role('Reader', 'alice', 'true'),
    sourceIPAddress: '198.51.100.7',
    readOnly: true,
    eventCategory: 'Data',
    managementEvent: false,
    requestParameters: { bucketName: 'logs', key: 'a/1.gz' },
    additionalEventData: { bytesTransferredOut: '1024', aclRequired: 'Yes' },
    resources: [
      { accountId: '111122223333', type: 'AWS::S3::Object', arn: 'arn:aws:s3:::logs/a/1.gz' },
      { accountId: '111122223333', type: 'AWS::S3::Bucket', arn: 'arn:aws:s3:::logs' },
    ],
    tlsDetails: { tlsVersion: 'TLSv1.2', cipherSuite: 'ECDHE-RSA-AES128-GCM-SHA256' },
  }),
  event(4, '2023-01-23 00:10:00', 's3', 'GetObject', 'us-east-1', {
    userIdentity: role('Reader', 'alice', 'true'),
    sourceIPAddress: '198.51.100.7',
    readOnly: true,
    eventCategory: 'Data',
    managementEvent: false,
    errorCode: 'AccessDenied',
    errorMessage: 'Access Denied',
    requestParameters: { bucketName: 'secrets', key: 'b/2.gz' },
    tlsDetails: { tlsVersion: 'TLSv1.1', cipherSuite: 'ECDHE-RSA-AES128-SHA' },
  }),
  event(5, '2023-02-01 12:00:00', 'signin', 'ConsoleLogin', 'us-west-2', {
    userIdentity: user('carol', '444455556666'),
    sourceIPAddress: '203.0.113.5',
    readOnly: false,
    responseElements: { ConsoleLogin: 'Success' },
    additionalEventData: { MFAUsed: 'No', LoginTo: 'https://console.aws.amazon.com/console/home?state=x' },
  }),
  event(6, '2023-02-01 12:05:00', 'signin', 'ConsoleLogin', 'eu-west-1', {
    userIdentity: user('bob'),
    sourceIPAddress: '192.0.2.10',
    readOnly: false,
    responseElements: { ConsoleLogin: 'Failure' },
    additionalEventData: { MFAUsed: 'Yes' },
    errorMessage: 'Failed authentication',
  }),
  event(7, '2023-02-02 23:59:59.999', 'ec2', 'RunInstances', 'us-east-1', {
    userIdentity: role('Deployer', 'ci', 'false'),
    sourceIPAddress: 'cloudformation.amazonaws.com',
    readOnly: false,
    requestParameters: {
      instanceType: 't3.micro',
      instancesSet: '{"items":[{"imageId":"ami-1","minCount":1,"maxCount":2}]}',
    },
    responseElements: { instancesSet: '{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}' },
  }),
  event(8, '2023-02-03 08:00:00', 'ec2', 'AuthorizeSecurityGroupIngress', 'us-east-1', {
    userIdentity: role('Deployer', 'ci', 'false'),
    sourceIPAddress: '192.0.2.99',
    readOnly: false,
    requestParameters: {
      groupId: 'sg-1',
      ipPermissions:
        '{"items":[{"ipProtocol":"tcp","fromPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}',
    },
  }),
  event(9, '2023-02-04 08:00:00', 'iam', 'CreateUser', 'us-east-1', {
    userIdentity: user('carol', '444455556666'),
    sourceIPAddress: '203.0.113.5',
    readOnly: false,
    errorCode: 'AccessDenied',
    errorMessage: 'User is not authorized',
    requestParameters: { userName: 'dave' },
  }),
  event(10, '2023-02-28 10:00:00', 'sts', 'AssumeRole', 'us-east-1', {
    userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' },
    sourceIPAddress: 'lambda.amazonaws.com',
    readOnly: true,
    requestParameters: { roleArn: 'arn:aws:iam::111122223333:role/Reader' },
  }),
];

/** What the store `archiveId` holds. */
export const archive: readonly object[] = [
  event(1, '2023-01-22 09:15:00', 's3', 'CreateBucket', 'us-east-1', {
    userIdentity: user('bob'),
    readOnly: false,
  }),
  event(11, '2022-12-31 23:00:00', 'kms', 'Decrypt', 'us-east-1', {
    userIdentity: role('Reader', 'alice', 'true'),
    readOnly: true,
  }),
];
