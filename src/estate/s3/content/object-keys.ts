import { AwsFault, type Random } from '../../../kernel/index.ts';
import type { Cipher } from '../../../identity/index.ts';
import type { DataKeys, EncryptionContext, KeyCaller } from '../../kms/data-keys.ts';
import { bucketArn, objectArn, type BucketDocument } from '../bucket-documents.ts';
import { s3Fault } from '../faults.ts';
import { contentKey, type ObjectEncryption } from '../object-documents.ts';
import type { EncryptionWish } from '../object-store.ts';
import { ContentDamagedError } from './sealed-stream.ts';

/** What the bucket says of objects whose request says nothing. */
export function encryptionOf({ encryption }: BucketDocument): EncryptionWish {
  if (encryption.algorithm === 'AES256') return { algorithm: 'AES256' };
  const { kmsKeyId, bucketKeyEnabled } = encryption;
  return { algorithm: 'aws:kms', bucketKeyEnabled, ...(kmsKeyId !== undefined && { kmsKeyId }) };
}

/** S3 puts `KMS.` before the codes of KMS, but for AccessDenied ("Error responses" in the S3 API reference). */
async function inWordsOfS3<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AwsFault) || error.code.startsWith('AccessDenied')) throw error;
    throw s3Fault(`KMS.${error.code}`, 400, error.message);
  }
}

/**
 * With a bucket key the context is the bucket, so that one grant of use covers all its objects ("Reducing the cost of
 * SSE-KMS with Amazon S3 Bucket Keys").
 */
function contextOf(bucket: string, key: string, bucketKeyEnabled: boolean): EncryptionContext {
  return { 'aws:s3:arn': bucketKeyEnabled ? bucketArn(bucket) : objectArn(bucket, key) };
}

/**
 * CloudTrail encrypts log files under the ARN of their trail as well, which key policies ask for ("Configure AWS KMS key
 * policies for CloudTrail").
 */
function contextOfCaller(as: KeyCaller): EncryptionContext | undefined {
  if (as.kind !== 'service' || as.caller.service !== 'cloudtrail.amazonaws.com') return undefined;
  return { 'aws:cloudtrail:arn': as.caller.sourceArn };
}

/** The data keys of contents: each has its own, kept sealed in the object's document. */
export interface ObjectKeys {
  create(request: {
    readonly bucket: BucketDocument;
    readonly key: string;
    readonly content: string;
    readonly encryption: EncryptionWish;
    readonly as: KeyCaller;
  }): Promise<{ readonly dataKey: Uint8Array; readonly encryption: ObjectEncryption }>;
  /** Throws what KMS throws, in S3's words, and ContentDamagedError for a key that does not open. */
  open(
    bucket: string,
    key: string,
    content: string,
    encryption: ObjectEncryption,
    as: KeyCaller,
  ): Promise<Uint8Array>;
}

export function openObjectKeys(parts: {
  readonly keys: DataKeys;
  readonly cipher: Cipher;
  readonly random: Random;
}): ObjectKeys {
  const { keys, cipher, random } = parts;
  return {
    async create({ bucket, key, content, encryption: wish, as }) {
      if (wish.algorithm === 'AES256') {
        const dataKey = random.bytes(32);
        const sealedKey = cipher.seal(dataKey, contentKey(content)).toString('base64');
        return { dataKey, encryption: { algorithm: 'AES256', sealedKey } };
      }
      const own = contextOfCaller(as);
      const generated = await inWordsOfS3(
        keys.generate({
          keyId: wish.kmsKeyId ?? 'aws/s3',
          accountId: as.kind === 'call' ? as.call.accountId : bucket.accountId,
          region: bucket.region,
          context: { ...contextOf(bucket.name, key, wish.bucketKeyEnabled), ...own },
          as,
        }),
      );
      return {
        dataKey: generated.plaintext,
        encryption: {
          algorithm: 'aws:kms',
          sealedKey: Buffer.from(generated.ciphertext).toString('base64'),
          keyArn: generated.keyArn,
          bucketKeyEnabled: wish.bucketKeyEnabled,
          ...(own && { context: own }),
        },
      };
    },
    async open(bucket, key, content, encryption, as) {
      const ciphertext = Buffer.from(encryption.sealedKey, 'base64');
      if (encryption.algorithm === 'aws:kms') {
        const context = { ...contextOf(bucket, key, encryption.bucketKeyEnabled), ...encryption.context };
        return inWordsOfS3(keys.decrypt({ ciphertext, context, as }));
      }
      const dataKey = cipher.open(ciphertext, contentKey(content));
      if (!dataKey) throw new ContentDamagedError(`the data key of ${bucket}/${key} does not open`);
      return dataKey;
    },
  };
}
