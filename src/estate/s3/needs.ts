import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { bucketArn, isSameBucket, objectArn, readBucket, type BucketDocument } from './bucket-documents.ts';
import { bucketPolicyInForce } from './bucket-policy-reach.ts';
import { accessDenied, noSuchBucket } from './faults.ts';
import { note } from './recorded-call.ts';

/** What every input about a bucket has. */
export interface BucketInput {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string | undefined;
}

export type Conditions = Readonly<Record<string, readonly string[]>>;

/**
 * The bucket that a call is about, as it is committed. Throws NoSuchBucket, which S3 answers before it looks at
 * permissions, and AccessDenied when the caller expects another owner ("Verifying bucket ownership").
 */
export async function calledBucket(
  input: BucketInput,
  view: Pick<StateView, 'get'>,
): Promise<BucketDocument> {
  const bucket = await readBucket(view as StateView, input.Bucket);
  if (!bucket) throw noSuchBucket(input.Bucket);
  note(input, { bucket });
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.accountId) {
    throw accessDenied();
  }
  return bucket;
}

/**
 * The bucket again, once a body has flowed, which may take hours. Throws NoSuchBucket where another bucket bears the name by
 * now: whoever was let into the first one was not let into that.
 */
export async function stillBucket(
  input: BucketInput,
  view: Pick<StateView, 'get'>,
  before: BucketDocument,
): Promise<BucketDocument> {
  const bucket = await calledBucket(input, view);
  if (isSameBucket(bucket, before)) return bucket;
  throw noSuchBucket(input.Bucket);
}

/**
 * Keys that every S3 action knows ("Actions, resources, and condition keys for Amazon S3", "Amazon S3 Signature Version 4
 * Authentication Specific Policy Keys").
 */
export function commonConditions(call: Call): Conditions {
  const { version = 'SigV4', madeAt = call.time, payload } = call.signature ?? {};
  const tlsVersion = /^TLSv([\d.]+)$/.exec(call.tls?.version ?? '')?.[1];
  return {
    ...(tlsVersion !== undefined && { 's3:TlsVersion': [tlsVersion] }),
    's3:authType': [call.authenticationMethod === 'QueryString' ? 'REST-QUERY-STRING' : 'REST-HEADER'],
    's3:signatureversion': [version === 'SigV2' ? 'AWS' : 'AWS4-HMAC-SHA256'],
    // "In Signature Version 2, this value is always set to 0."
    's3:signatureAge': [String(Math.max(0, call.time - madeAt))],
    ...(payload !== undefined && { 's3:x-amz-content-sha256': [payload] }),
  };
}

function needOn(
  resource: string,
  action: string,
  bucket: BucketDocument,
  call: Call,
  conditions: Conditions,
): Need {
  const policy = bucketPolicyInForce(bucket, call.accountId);
  return {
    action,
    resource,
    ...(policy !== undefined && { resourcePolicy: policy }),
    resourceAccountId: bucket.accountId,
    conditions: { 's3:ResourceAccount': [bucket.accountId], ...commonConditions(call), ...conditions },
  };
}

/** A need on a bucket, with its policy. `action` with its prefix, such as `s3:ListBucket`. */
export function onBucket(
  action: string,
  bucket: BucketDocument,
  call: Call,
  conditions: Conditions = {},
): Need {
  return needOn(bucketArn(bucket.name), action, bucket, call, conditions);
}

/** A need on an object, with the policy of its bucket. */
export function onObject(
  action: string,
  bucket: BucketDocument,
  key: string,
  call: Call,
  conditions: Conditions = {},
): Need {
  return needOn(objectArn(bucket.name, key), action, bucket, call, conditions);
}
