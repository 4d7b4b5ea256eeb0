import { createHash } from 'node:crypto';
import type * as S3 from '@aws-sdk/client-s3';
import type { NamedPrincipal } from '../../identity/index.ts';
import type { StateView } from '../../state/index.ts';

/** The retention that every new object of a bucket gets, unless the request gives one. */
export interface DefaultRetention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly days?: number;
  readonly years?: number;
}

export interface BucketEncryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  /** As given: key id, ARN or alias. Absent with `aws:kms`: the account's `aws/s3` key. */
  readonly kmsKeyId?: string;
  readonly bucketKeyEnabled: boolean;
  /** Kept as given; SSE-C, which may be named here, does not exist here anyway. */
  readonly blockedTypes?: readonly S3.EncryptionType[];
}

/** A rule as it was put; its date, where it has one, is an ISO 8601 text. */
export interface StoredLifecycleRule extends Omit<S3.LifecycleRule, 'Expiration' | 'ID'> {
  readonly ID: string;
  readonly Expiration?: Omit<S3.LifecycleExpiration, 'Date'> & { readonly Date?: string };
}

/** A bucket with its settings, under `s3/bucket/NAME`. Names are one namespace for all accounts. */
export interface BucketDocument {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly ownership: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  /** Set where the ownership controls were deleted: they then read as absent, and `ownership` is ObjectWriter. */
  readonly ownershipDeleted?: true;
  /** Absent until versioning was first enabled. */
  readonly versioning?: 'Enabled' | 'Suspended';
  /** JSON text. */
  readonly policy?: string;
  /** Whom the policy names, by their unique ids; absent where the policy was put before those were kept. */
  readonly policyPrincipals?: readonly NamedPrincipal[];
  readonly publicAccessBlock?: Required<S3.PublicAccessBlockConfiguration>;
  readonly encryption: BucketEncryption;
  readonly lifecycle?: readonly StoredLifecycleRule[];
  readonly transitionDefaultMinimumObjectSize?: S3.TransitionDefaultMinimumObjectSize;
  /** Present when object lock is on; it cannot be turned off again. */
  readonly objectLock?: { readonly defaultRetention?: DefaultRetention };
  readonly tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly notification?: S3.NotificationConfiguration;
}

export const bucketsPrefix = 's3/bucket/';
export const bucketKey = (name: string): string => bucketsPrefix + name;

/** Under these keys stand empty documents, so that an account's buckets are found without reading everybody's. */
export const ownedBucketsPrefix = (accountId: string): string => `s3/owner/${accountId}/`;
export const ownedBucketKey = (accountId: string, name: string): string =>
  ownedBucketsPrefix(accountId) + name;

/** The bucket of a name, as it is committed or, in a change, as it will be. */
export async function readBucket(view: StateView, name: string): Promise<BucketDocument | undefined> {
  return (await view.get<BucketDocument>(bucketKey(name)))?.value;
}

/** Whether two documents of one name are of one bucket, and not of a later one after the first was deleted. */
export const isSameBucket = (one: BucketDocument, other: BucketDocument): boolean =>
  one.accountId === other.accountId && one.createdAt === other.createdAt;

export const bucketArn = (name: string): string => `arn:aws:s3:::${name}`;
export const objectArn = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`;

/** The 64 hexadecimal digits by which S3 names an account as an owner ("Canonical user ID"). */
export const canonicalUserId = (accountId: string): string =>
  createHash('sha256').update(`canonical user of ${accountId}`).digest('hex');
