/** How CloudTrail classes an operation. */
export interface Classification {
  /** CloudTrail's `readOnly` is `access === 'read'`. */
  readonly access: 'read' | 'write';
  /** CloudTrail's eventCategory, and `managementEvent`. */
  readonly category: 'management' | 'data';
  /** CloudTrail's eventName, which for a few operations is not the operation's own name. */
  readonly eventName: string;
}

/** Verbs of operations that change nothing; all others are writes, so that a mistake here is on the safe side. */
const readVerbs = /^(?:BatchGet|Describe|Get|Head|List|Lookup|Search|Select)(?=[A-Z]|$)/;

/** Operations of other verbs that CloudTrail records with `readOnly: true`, or that change nothing at all. */
const reads: Readonly<Record<string, readonly string[]>> = {
  // "Logging IAM and AWS STS API calls with AWS CloudTrail" and records of real accounts: readOnly is true.
  sts: [
    'AssumeRole',
    'AssumeRoleWithSAML',
    'AssumeRoleWithWebIdentity',
    'AssumeRoot',
    'DecodeAuthorizationMessage',
  ],
  iam: ['SimulateCustomPolicy', 'SimulatePrincipalPolicy'],
  // "Examples of AWS KMS log entries": the cryptographic operations use a key and change nothing.
  kms: [
    'Decapsulate',
    'Decrypt',
    'DeriveSharedSecret',
    'Encapsulate',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateMac',
    'GenerateRandom',
    'ReEncrypt',
    'Sign',
    'Verify',
    'VerifyMac',
  ],
  logs: ['FilterLogEvents', 'StartLiveTail', 'TestMetricFilter', 'TestTransformer'],
  events: ['TestEventPattern'],
  sns: ['CheckIfPhoneNumberIsOptedOut'],
};

/** Operations with a reading verb that CloudTrail records with `readOnly: false`. */
const writes: Readonly<Record<string, readonly string[]>> = {
  // Records of real accounts: handing out credentials of its own is a write.
  sts: ['GetFederationToken'],
};

/** Operations whose events are data events; all others are management events. */
const dataEvents: Readonly<Record<string, readonly string[]>> = {
  // "Amazon S3 CloudTrail events"; annotations and renaming act on objects in the same way.
  s3: [
    'AbortMultipartUpload',
    'CompleteMultipartUpload',
    'CopyObject',
    'CreateMultipartUpload',
    'CreateSession',
    'DeleteObject',
    'DeleteObjectAnnotation',
    'DeleteObjectTagging',
    'DeleteObjects',
    'GetObject',
    'GetObjectAcl',
    'GetObjectAnnotation',
    'GetObjectAttributes',
    'GetObjectLegalHold',
    'GetObjectRetention',
    'GetObjectTagging',
    'GetObjectTorrent',
    'HeadBucket',
    'HeadObject',
    'ListObjectAnnotations',
    'ListObjectVersions',
    'ListObjects',
    'ListObjectsV2',
    'ListParts',
    'PutObject',
    'PutObjectAcl',
    'PutObjectAnnotation',
    'PutObjectLegalHold',
    'PutObjectRetention',
    'PutObjectTagging',
    'RenameObject',
    'RestoreObject',
    'SelectObjectContent',
    'UpdateObjectEncryption',
    'UploadPart',
    'UploadPartCopy',
    'WriteGetObjectResponse',
  ],
  // "Logging AWS SNS API calls using AWS CloudTrail".
  sns: ['Publish', 'PublishBatch'],
  // "Logging Amazon Simple Queue Service API calls using AWS CloudTrail".
  sqs: [
    'ChangeMessageVisibility',
    'ChangeMessageVisibilityBatch',
    'DeleteMessage',
    'DeleteMessageBatch',
    'GetQueueAttributes',
    'GetQueueUrl',
    'ListDeadLetterSourceQueues',
    'ListQueueTags',
    'ListQueues',
    'ReceiveMessage',
    'SendMessage',
    'SendMessageBatch',
  ],
  // "Logging data events": function execution.
  lambda: ['Invoke', 'InvokeAsync', 'InvokeWithResponseStream'],
  // "Logging Amazon CloudWatch API and console operations with AWS CloudTrail", data events.
  cloudwatch: [
    'GetMetricData',
    'GetMetricStatistics',
    'GetMetricWidgetImage',
    'ListMetrics',
    'PutMetricData',
  ],
  // "Logging Amazon EventBridge API calls using AWS CloudTrail": all others are control plane operations.
  events: ['PutEvents', 'PutPartnerEvents'],
  // "Logging data events": activity on a channel.
  'cloudtrail-data': ['PutAuditEvents'],
  // One of these for each imported file would bury everything else in LookupEvents.
  cairn: ['CheckImportedFiles', 'ImportEvents'],
  // CloudTrail leaves PutLogEvents out altogether; here it is recorded, as what it is.
  logs: ['PutLogEvents'],
};

/** Event names that are not the operation's ("Amazon S3 bucket-level actions that are tracked by CloudTrail logging"). */
const eventNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  s3: {
    DeletePublicAccessBlock: 'DeleteBucketPublicAccessBlock',
    GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
    GetBucketLifecycleConfiguration: 'GetBucketLifecycle',
    GetBucketNotificationConfiguration: 'GetBucketNotification',
    GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
    GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
    // Records of real accounts: it shows as `list-type` among the parameters.
    ListObjectsV2: 'ListObjects',
    PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
    PutBucketLifecycleConfiguration: 'PutBucketLifecycle',
    PutBucketNotificationConfiguration: 'PutBucketNotification',
    PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
    PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  },
  // Records of real accounts: these carry the version of Lambda's API.
  lambda: {
    AddPermission: 'AddPermission20150331v2',
    UpdateFunctionCode: 'UpdateFunctionCode20150331v2',
    UpdateFunctionConfiguration: 'UpdateFunctionConfiguration20150331v2',
  },
};

/** Classes an operation of a service (`ServiceDescription.name`) as CloudTrail does. */
export function classify(serviceName: string, operationName: string): Classification {
  const stands = (table: Readonly<Record<string, readonly string[]>>): boolean =>
    table[serviceName]?.includes(operationName) === true;
  const read = stands(reads) || (readVerbs.test(operationName) && !stands(writes));
  return {
    access: read ? 'read' : 'write',
    category: stands(dataEvents) ? 'data' : 'management',
    eventName: eventNames[serviceName]?.[operationName] ?? operationName,
  };
}
