/**
 * The actions that operations need by AWS's own account of them ("Actions, resources, and condition keys" of each service in
 * the service authorization reference, and the permissions of each page of the API references), for the requests that the
 * matrix sends. What is not here needs the action of its own name.
 */
const otherwise: Readonly<Record<string, readonly string[]>> = {
  // "CloudTrail Lake dashboards", required permissions: of a request with widgets and a schedule, and of one with widgets.
  'cloudtrail:CreateDashboard': [
    'cloudtrail:CreateDashboard',
    'cloudtrail:StartDashboardRefresh',
    'cloudtrail:StartQuery',
  ],
  // The page of the operation, for a request that names a trail.
  'cloudtrail:ListInsightsMetricData': ['cloudtrail:ListInsightsData', 'cloudtrail:LookupEvents'],
  'cloudtrail:UpdateDashboard': ['cloudtrail:StartQuery', 'cloudtrail:UpdateDashboard'],
  // "PutRule" and "PutTargets" in the service authorization reference, for requests with tags and roles.
  'events:CreateEventBus': ['events:CreateEventBus', 'events:TagResource'],
  'events:PutRule': ['events:PutRule', 'events:TagResource', 'iam:PassRole'],
  'events:PutTargets': ['events:PutTargets', 'iam:PassRole'],
  'iam:AddRoleToInstanceProfile': ['iam:AddRoleToInstanceProfile', 'iam:PassRole'],
  'kms:ReEncrypt': ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  's3:CompleteMultipartUpload': ['s3:PutObject'],
  's3:CopyObject': ['s3:GetObject', 's3:PutObject'],
  's3:CreateMultipartUpload': ['s3:PutObject'],
  's3:DeleteBucketEncryption': ['s3:PutEncryptionConfiguration'],
  's3:DeleteBucketLifecycle': ['s3:PutLifecycleConfiguration'],
  's3:DeleteBucketOwnershipControls': ['s3:PutBucketOwnershipControls'],
  's3:DeleteBucketTagging': ['s3:PutBucketTagging'],
  's3:DeleteObjects': ['s3:DeleteObject'],
  's3:DeletePublicAccessBlock': ['s3:PutBucketPublicAccessBlock'],
  's3:GetBucketAccelerateConfiguration': ['s3:GetAccelerateConfiguration'],
  's3:GetBucketCors': ['s3:GetBucketCORS'],
  's3:GetBucketEncryption': ['s3:GetEncryptionConfiguration'],
  's3:GetBucketLifecycleConfiguration': ['s3:GetLifecycleConfiguration'],
  's3:GetBucketNotificationConfiguration': ['s3:GetBucketNotification'],
  's3:GetBucketReplication': ['s3:GetReplicationConfiguration'],
  's3:GetObjectAttributes': ['s3:GetObject', 's3:GetObjectAttributes'],
  's3:GetObjectLockConfiguration': ['s3:GetBucketObjectLockConfiguration'],
  's3:GetPublicAccessBlock': ['s3:GetBucketPublicAccessBlock'],
  's3:HeadBucket': ['s3:ListBucket'],
  's3:HeadObject': ['s3:GetObject'],
  's3:ListBuckets': ['s3:ListAllMyBuckets'],
  's3:ListMultipartUploads': ['s3:ListBucketMultipartUploads'],
  's3:ListObjectVersions': ['s3:ListBucketVersions'],
  's3:ListObjects': ['s3:ListBucket'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  's3:ListParts': ['s3:ListMultipartUploadParts'],
  's3:PutBucketEncryption': ['s3:PutEncryptionConfiguration'],
  's3:PutBucketLifecycleConfiguration': ['s3:PutLifecycleConfiguration'],
  's3:PutBucketNotificationConfiguration': ['s3:PutBucketNotification'],
  's3:PutObjectLockConfiguration': ['s3:PutBucketObjectLockConfiguration'],
  's3:PutPublicAccessBlock': ['s3:PutBucketPublicAccessBlock'],
  's3control:ListTagsForResource': ['s3:ListTagsForResource'],
  's3control:TagResource': ['s3:TagResource'],
  's3control:UntagResource': ['s3:UntagResource'],
  's3:UploadPart': ['s3:PutObject'],
  's3:UploadPartCopy': ['s3:GetObject', 's3:PutObject'],
};

/** What every authenticated caller may do, whatever policies say, as AWS documents of both. */
const free = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken']);

export const isFree = (name: string): boolean => free.has(name);

/** In alphabetical order. */
export const declaredActions = (name: string): readonly string[] => otherwise[name] ?? [name];
