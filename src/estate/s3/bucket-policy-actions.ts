/**
 * The actions that a bucket policy may speak of, and what each of them acts on ("Actions, resources, and condition keys for
 * Amazon S3" in the service authorization reference: those with the resource types bucket and object). In lower case.
 */
const names = {
  bucket: [
    'CreateBucket',
    'CreateBucketMetadataTableConfiguration',
    'DeleteBucket',
    'DeleteBucketMetadataTableConfiguration',
    'DeleteBucketPolicy',
    'DeleteBucketWebsite',
    'GetAccelerateConfiguration',
    'GetAnalyticsConfiguration',
    'GetBucketAbac',
    'GetBucketAcl',
    'GetBucketCORS',
    'GetBucketLocation',
    'GetBucketLogging',
    'GetBucketMetadataTableConfiguration',
    'GetBucketNotification',
    'GetBucketObjectLockConfiguration',
    'GetBucketOwnershipControls',
    'GetBucketPolicy',
    'GetBucketPolicyStatus',
    'GetBucketPublicAccessBlock',
    'GetBucketRequestPayment',
    'GetBucketTagging',
    'GetBucketVersioning',
    'GetBucketWebsite',
    'GetEncryptionConfiguration',
    'GetIntelligentTieringConfiguration',
    'GetInventoryConfiguration',
    'GetLifecycleConfiguration',
    'GetMetricsConfiguration',
    'GetReplicationConfiguration',
    'ListBucket',
    'ListBucketMultipartUploads',
    'ListBucketVersions',
    'ListTagsForResource',
    'PutAccelerateConfiguration',
    'PutAnalyticsConfiguration',
    'PutBucketAbac',
    'PutBucketAcl',
    'PutBucketCORS',
    'PutBucketLogging',
    'PutBucketNotification',
    'PutBucketObjectLockConfiguration',
    'PutBucketOwnershipControls',
    'PutBucketPolicy',
    'PutBucketPublicAccessBlock',
    'PutBucketRequestPayment',
    'PutBucketTagging',
    'PutBucketVersioning',
    'PutBucketWebsite',
    'PutEncryptionConfiguration',
    'PutIntelligentTieringConfiguration',
    'PutInventoryConfiguration',
    'PutLifecycleConfiguration',
    'PutMetricsConfiguration',
    'PutReplicationConfiguration',
    'TagResource',
    'UntagResource',
    'UpdateBucketMetadataInventoryTableConfiguration',
    'UpdateBucketMetadataJournalTableConfiguration',
  ],
  object: [
    'AbortMultipartUpload',
    'BypassGovernanceRetention',
    'DeleteObject',
    'DeleteObjectTagging',
    'DeleteObjectVersion',
    'DeleteObjectVersionTagging',
    'GetObject',
    'GetObjectAcl',
    'GetObjectAttributes',
    'GetObjectLegalHold',
    'GetObjectRetention',
    'GetObjectTagging',
    'GetObjectTorrent',
    'GetObjectVersion',
    'GetObjectVersionAcl',
    'GetObjectVersionAttributes',
    'GetObjectVersionForReplication',
    'GetObjectVersionTagging',
    'GetObjectVersionTorrent',
    'InitiateReplication',
    'ListMultipartUploadParts',
    'ObjectOwnerOverrideToBucketOwner',
    'PutObject',
    'PutObjectAcl',
    'PutObjectLegalHold',
    'PutObjectRetention',
    'PutObjectTagging',
    'PutObjectVersionAcl',
    'PutObjectVersionTagging',
    'ReplicateDelete',
    'ReplicateObject',
    'ReplicateTags',
    'RestoreObject',
    'UpdateObjectEncryption',
  ],
} as const;

export type PolicyTarget = keyof typeof names;

const targets: ReadonlyMap<string, PolicyTarget> = new Map([
  ...names.bucket.map((name) => [`s3:${name}`.toLowerCase(), 'bucket'] as const),
  ...names.object.map((name) => [`s3:${name}`.toLowerCase(), 'object'] as const),
]);

/**
 * Whether `*` and `?` of a pattern match a whole text. Only the last star is tried again, which is enough where every star
 * may match anything, and keeps the work at most the product of the lengths.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starPlace = 0;
  while (place < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      starPlace = place;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[place])) {
      at += 1;
      place += 1;
    } else if (star === -1) {
      return false;
    } else {
      at = star + 1;
      place = ++starPlace;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

/** What the actions that a pattern (in lower case) matches act on; empty where it matches none. */
export function targetsOf(action: string): ReadonlySet<PolicyTarget> {
  const one = targets.get(action);
  if (one) return new Set([one]);
  if (!/[*?]/.test(action)) return new Set();
  return new Set([...targets].flatMap(([name, target]) => (matchesWildcards(action, name) ? [target] : [])));
}
