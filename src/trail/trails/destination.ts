import { AwsFault, parseArn } from '../../kernel/index.ts';
import type { AuthoriseService } from '../../identity/index.ts';
import type { Need } from '../../wire/index.ts';
import { refusedBucket, type ActingFor, type BucketFacts, type Buckets } from '../buckets.ts';
import { cloudTrailFor, type DeliveryTopics, type TrailKeys } from './trail-needs.ts';

export interface DestinationParts {
  readonly buckets: Pick<Buckets, 'find'>;
  readonly authoriseService: AuthoriseService;
  readonly keys?: TrailKeys | undefined;
  readonly topics?: DeliveryTopics | undefined;
}

/** Where a trail is to deliver, as it is asked for. */
export interface WantedDestination {
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly kmsKeyId: string | undefined;
}

/** Where a trail delivers. */
export interface Destination {
  readonly bucket: string;
  readonly prefix?: string;
  readonly kmsKeyArn?: string;
}

const longestPrefix = 200;

function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|\.-|-\./.test(name) &&
    !/^\d+(\.\d+){3}$/.test(name)
  );
}

/** Whether the service may do what the needs say; anything but a denial is thrown on. */
function isAllowed(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof AwsFault && error.code.startsWith('AccessDenied')) return false;
    throw error;
  }
}

/** What CloudTrail has to be allowed in a bucket ("Amazon S3 bucket policy for CloudTrail"). */
function needsIn(
  { name, policy, accountId }: BucketFacts,
  prefix: string | undefined,
  as: ActingFor,
  kmsKeyArn?: string,
): readonly Need[] {
  const bucketArn = `arn:aws:s3:::${name}`;
  const shared = {
    ...(policy !== undefined && { resourcePolicy: policy }),
    resourceAccountId: accountId,
  };
  const folder = `${prefix === undefined ? '' : `${prefix}/`}AWSLogs/${as.accountId}/CloudTrail/`;
  return [
    { action: 's3:GetBucketAcl', resource: bucketArn, ...shared },
    {
      action: 's3:PutObject',
      resource: `${bucketArn}/${folder}`,
      ...shared,
      conditions: {
        's3:x-amz-acl': ['bucket-owner-full-control'],
        ...(kmsKeyArn !== undefined && {
          's3:x-amz-server-side-encryption': ['aws:kms'],
          's3:x-amz-server-side-encryption-aws-kms-key-id': [kmsKeyArn],
        }),
      },
    },
  ];
}

/** A key as KmsKeyId takes it: an id, an ARN, `alias/NAME`, or the ARN of an alias. */
const keyForm =
  /^(?:arn:aws:kms:[a-z0-9-]+:\d{12}:)?(?:key\/)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$|^(?:arn:aws:kms:[a-z0-9-]+:\d{12}:)?alias\/[a-zA-Z0-9/_-]{1,250}$/u;

const keyFaults: Readonly<Record<string, string>> = {
  NotFoundException: 'KmsKeyNotFoundException',
  InvalidArnException: 'InvalidKmsKeyIdException',
  ValidationException: 'InvalidKmsKeyIdException',
  InvalidKeyUsageException: 'KmsException',
  DisabledException: 'KmsException',
  KMSInvalidStateException: 'KmsException',
  AccessDenied: 'InsufficientEncryptionPolicyException',
  AccessDeniedException: 'InsufficientEncryptionPolicyException',
};

/** Runs what asks KMS, with its errors as CloudTrail names them. */
async function askKms<T>(keyId: string, bucket: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const code = error instanceof AwsFault ? keyFaults[error.code] : undefined;
    if (!(error instanceof AwsFault) || code === undefined) throw error;
    const message =
      code === 'InsufficientEncryptionPolicyException'
        ? `Insufficient permissions to access S3 bucket ${bucket} or KMS key ${keyId}.`
        : `KMS key ${keyId}: ${error.message}`;
    throw new AwsFault(code, message, { cause: error });
  }
}

async function checkKey(
  { keys }: DestinationParts,
  { bucket, kmsKeyId = '' }: WantedDestination,
  facts: BucketFacts | 'outside',
  as: ActingFor,
  time: number,
): Promise<string> {
  if (!keyForm.test(kmsKeyId)) {
    const message = `KMS key ${kmsKeyId} is no key id, alias or ARN of one.`;
    throw new AwsFault('InvalidKmsKeyIdException', message);
  }
  if (!keys) throw new AwsFault('KmsKeyNotFoundException', `KMS key not found: ${kmsKeyId}`);
  const arn = await askKms(kmsKeyId, bucket, () =>
    keys.keyArn({ keyId: kmsKeyId, accountId: as.accountId, region: as.region }),
  );
  if (facts !== 'outside' && parseArn(arn)?.region !== facts.region) {
    throw new AwsFault(
      'KmsKeyNotFoundException',
      `KMS key ${arn} and S3 bucket ${bucket} must be in the same region; the bucket is in ${facts.region}.`,
    );
  }
  await askKms(kmsKeyId, bucket, () =>
    keys.generate({
      keyId: arn,
      accountId: as.accountId,
      region: as.region,
      // As log files are encrypted; what comes of it is not used.
      context: { 'aws:cloudtrail:arn': as.arn, 'aws:s3:arn': `arn:aws:s3:::${bucket}` },
      as: { kind: 'service', caller: cloudTrailFor(as, time) },
    }),
  );
  return arn;
}

/**
 * Checks a destination as CreateTrail and UpdateTrail do: the bucket exists, its policy lets CloudTrail look at its ACL and
 * put files under the trail's prefix, and the key's policy lets CloudTrail encrypt them. Throws
 * InvalidS3BucketNameException, InvalidS3PrefixException, S3BucketDoesNotExistException,
 * InsufficientS3BucketPolicyException, KmsKeyNotFoundException, InvalidKmsKeyIdException, KmsException and
 * InsufficientEncryptionPolicyException. A bucket elsewhere is asked when it is used.
 */
export async function checkDestination(
  parts: DestinationParts,
  wanted: WantedDestination,
  as: ActingFor,
  time: number,
): Promise<Destination> {
  const { bucket } = wanted;
  const prefix = wanted.prefix === '' ? undefined : wanted.prefix;
  if (!isBucketName(bucket)) {
    throw new AwsFault('InvalidS3BucketNameException', `${bucket} is not a valid S3 bucket name.`);
  }
  if (prefix !== undefined && prefix.length > longestPrefix) {
    const message = `S3 prefix is longer than maximum length: ${longestPrefix}`;
    throw new AwsFault('InvalidS3PrefixException', message);
  }
  const facts = await parts.buckets.find(bucket, as.accountId);
  if (!facts) {
    throw new AwsFault('S3BucketDoesNotExistException', `S3 bucket ${bucket} does not exist!`);
  }
  if (facts === 'refused') {
    throw new AwsFault('InsufficientS3BucketPolicyException', refusedBucket(bucket, as.accountId));
  }
  const hasKey = wanted.kmsKeyId !== undefined && wanted.kmsKeyId !== '';
  const kmsKeyArn = hasKey ? await checkKey(parts, wanted, facts, as, time) : undefined;
  const allowed =
    facts === 'outside' ||
    isAllowed(() => parts.authoriseService(cloudTrailFor(as, time), needsIn(facts, prefix, as, kmsKeyArn)));
  if (!allowed) {
    const message = `Incorrect S3 bucket policy is detected for bucket: ${bucket}`;
    throw new AwsFault('InsufficientS3BucketPolicyException', message);
  }
  return {
    bucket,
    ...(prefix !== undefined && { prefix }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
  };
}

/** The ARN of the topic; throws InvalidSnsTopicNameException and InsufficientSnsTopicPolicyException. */
export async function checkTopic(
  { topics }: DestinationParts,
  nameOrArn: string,
  as: ActingFor,
): Promise<string> {
  if (!/^[A-Za-z0-9_.:-]{1,256}$/.test(nameOrArn)) {
    throw new AwsFault('InvalidSnsTopicNameException', `${nameOrArn} is not a valid SNS topic name or ARN.`);
  }
  const arn = await topics?.find(nameOrArn, as);
  if (arn === undefined) {
    const message = `SNS Topic does not exist or the topic policy is incorrect: ${nameOrArn}`;
    throw new AwsFault('InsufficientSnsTopicPolicyException', message);
  }
  return arn;
}
