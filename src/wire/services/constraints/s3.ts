import type { ServiceConstraints } from './constraint.ts';

const bucketAcl = { values: ['private', 'public-read', 'public-read-write', 'authenticated-read'] } as const;

/**
 * The values that members of S3 take, from the pages of its operations and data types. Lengths and ranges that S3 has an error
 * of its own for (InvalidBucketName, KeyTooLongError, InvalidPart, InvalidTag, …) are left to its operations, and so are values
 * that it has a message of its own for (encodings, directives, checksums, object lock).
 */
export const s3Constraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/AmazonS3/latest/API/',
  members: {
    ACL: {
      values: [
        'private',
        'public-read',
        'public-read-write',
        'authenticated-read',
        'aws-exec-read',
        'bucket-owner-read',
        'bucket-owner-full-control',
      ],
    },
    BucketNamespace: { values: ['account-regional', 'global'] },
    ChecksumAlgorithm: {
      values: [
        'CRC32',
        'CRC32C',
        'SHA1',
        'SHA256',
        'CRC64NVME',
        'MD5',
        'SHA512',
        'XXHASH3',
        'XXHASH64',
        'XXHASH128',
      ],
    },
    EncryptionType: { element: { values: ['NONE', 'SSE-C'] } },
    ExpectedBucketOwner: { pattern: '\\d{12}' },
    ExpectedSourceBucketOwner: { pattern: '\\d{12}' },
    MaxBuckets: { range: [1, 10_000] },
    ObjectLockEnabled: { values: ['Enabled'] },
    ObjectOwnership: { values: ['BucketOwnerPreferred', 'ObjectWriter', 'BucketOwnerEnforced'] },
    Permission: { values: ['FULL_CONTROL', 'WRITE', 'WRITE_ACP', 'READ', 'READ_ACP'] },
    RequestPayer: { values: ['requester'] },
    SSEAlgorithm: { values: ['AES256', 'aws:backup', 'aws:fsx', 'aws:kms', 'aws:kms:dsse'] },
    ServerSideEncryption: { values: ['AES256', 'aws:backup', 'aws:fsx', 'aws:kms', 'aws:kms:dsse'] },
    TransitionDefaultMinimumObjectSize: { values: ['varies_by_storage_class', 'all_storage_classes_128K'] },
  },
  structures: {
    // S3 has a message of its own for the header.
    CopyObjectRequest: { ChecksumAlgorithm: {} },
    CreateMultipartUploadRequest: { ChecksumAlgorithm: {} },
    CreateBucketRequest: { ACL: bucketAcl, ObjectOwnership: {} },
    DefaultRetention: { Mode: { values: ['GOVERNANCE', 'COMPLIANCE'] } },
    Grantee: { Type: { values: ['CanonicalUser', 'AmazonCustomerByEmail', 'Group'] } },
    LifecycleRule: { Status: { values: ['Enabled', 'Disabled'] } },
    ObjectLockLegalHold: { Status: { values: ['ON', 'OFF'] } },
    ObjectLockRetention: { Mode: { values: ['GOVERNANCE', 'COMPLIANCE'] } },
    PutBucketAclRequest: { ACL: bucketAcl },
    VersioningConfiguration: {
      MFADelete: { values: ['Enabled', 'Disabled'] },
      Status: { values: ['Enabled', 'Suspended'] },
    },
  },
};
