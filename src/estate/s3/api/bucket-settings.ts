import type {
  DeleteBucketEncryptionRequest,
  DeleteBucketTaggingRequest,
  GetBucketEncryptionOutput,
  GetBucketEncryptionRequest,
  GetBucketTaggingOutput,
  GetBucketTaggingRequest,
  GetBucketVersioningOutput,
  GetBucketVersioningRequest,
  PutBucketEncryptionRequest,
  PutBucketTaggingRequest,
  PutBucketVersioningRequest,
  ServerSideEncryptionConfiguration,
} from '@aws-sdk/client-s3';
import { AwsFault } from '../../../kernel/index.ts';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey, type BucketDocument, type BucketEncryption } from '../bucket-documents.ts';
import { malformedXml, nothing, notSet, type Nothing } from '../bucket-faults.ts';
import { invalidArgument, notImplemented } from '../faults.ts';
import { checkTags } from '../bucket-tags.ts';
import type { S3Operation } from '../operation.ts';

export const PutBucketTagging: S3Operation<PutBucketTaggingRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketTagging', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    change.put(bucketKey(bucket.name), { ...bucket, tags: checkTags(input.Tagging.TagSet ?? []) });
    return nothing;
  },
};

export const GetBucketTagging: S3Operation<GetBucketTaggingRequest, GetBucketTaggingOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketTagging', input, call, parts),
  async handle(input, call, change) {
    const { name, tags } = await requireBucket(change, input, call);
    if (!tags) throw notSet('NoSuchTagSet', 'The TagSet does not exist', name);
    return { TagSet: [...tags] };
  },
};

export const DeleteBucketTagging: S3Operation<DeleteBucketTaggingRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketTagging', input, call, parts),
  async handle(input, call, change) {
    const { tags: _, ...bucket } = await requireBucket(change, input, call);
    change.put(bucketKey(bucket.name), bucket);
    return nothing;
  },
};

export const PutBucketVersioning: S3Operation<PutBucketVersioningRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketVersioning', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    const { Status, MFADelete } = input.VersioningConfiguration;
    if (MFADelete === 'Enabled' || input.MFA !== undefined)
      throw notImplemented('MFA delete does not exist here.');
    if (Status === undefined) throw malformedXml('a versioning configuration has a Status');
    if (Status === 'Suspended' && bucket.objectLock) {
      throw new AwsFault(
        'InvalidBucketState',
        'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
        { status: 409 },
      );
    }
    change.put(bucketKey(bucket.name), { ...bucket, versioning: Status });
    return nothing;
  },
};

export const GetBucketVersioning: S3Operation<GetBucketVersioningRequest, GetBucketVersioningOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketVersioning', input, call, parts),
  async handle(input, call, change) {
    const { versioning } = await requireBucket(change, input, call);
    return versioning === undefined ? {} : { Status: versioning };
  },
};

const usualEncryption: BucketEncryption = { algorithm: 'AES256', bucketKeyEnabled: false };

function encryptionOf({ Rules = [] }: ServerSideEncryptionConfiguration): BucketEncryption {
  const [rule, ...more] = Rules;
  if (!rule || more.length > 0) throw malformedXml('an encryption configuration has exactly one rule');
  const bucketKeyEnabled = rule.BucketKeyEnabled === true;
  const blocked = rule.BlockedEncryptionTypes?.EncryptionType;
  const common = { bucketKeyEnabled, ...(blocked && { blockedTypes: blocked }) };
  const wanted = rule.ApplyServerSideEncryptionByDefault;
  if (!wanted) return { algorithm: 'AES256', ...common };
  const { SSEAlgorithm, KMSMasterKeyID } = wanted;
  if (SSEAlgorithm === undefined)
    throw malformedXml('ApplyServerSideEncryptionByDefault has an SSEAlgorithm');
  if (SSEAlgorithm !== 'AES256' && SSEAlgorithm !== 'aws:kms') {
    throw notImplemented(`The encryption ${SSEAlgorithm} does not exist here; there are AES256 and aws:kms.`);
  }
  if (SSEAlgorithm === 'AES256' && KMSMasterKeyID !== undefined) {
    throw invalidArgument(
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
      'ApplyServerSideEncryptionByDefault',
    );
  }
  return {
    algorithm: SSEAlgorithm,
    ...(KMSMasterKeyID !== undefined && { kmsKeyId: KMSMasterKeyID }),
    ...common,
  };
}

/** As S3 shows it, with the default that every bucket has. */
function encryptionShown({ encryption }: BucketDocument): ServerSideEncryptionConfiguration {
  const { algorithm, kmsKeyId, bucketKeyEnabled, blockedTypes } = encryption;
  return {
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: algorithm,
          ...(kmsKeyId !== undefined && { KMSMasterKeyID: kmsKeyId }),
        },
        BucketKeyEnabled: bucketKeyEnabled,
        ...(blockedTypes && { BlockedEncryptionTypes: { EncryptionType: [...blockedTypes] } }),
      },
    ],
  };
}

export const PutBucketEncryption: S3Operation<PutBucketEncryptionRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutEncryptionConfiguration', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    const encryption = encryptionOf(input.ServerSideEncryptionConfiguration);
    change.put(bucketKey(bucket.name), { ...bucket, encryption });
    return nothing;
  },
};

export const GetBucketEncryption: S3Operation<GetBucketEncryptionRequest, GetBucketEncryptionOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetEncryptionConfiguration', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    return { ServerSideEncryptionConfiguration: encryptionShown(bucket) };
  },
};

/** "resets the default encryption for the bucket as server-side encryption with Amazon S3 managed keys". */
export const DeleteBucketEncryption: S3Operation<DeleteBucketEncryptionRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutEncryptionConfiguration', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    change.put(bucketKey(bucket.name), { ...bucket, encryption: usualEncryption });
    return nothing;
  },
};
