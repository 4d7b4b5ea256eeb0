import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { bucketArn, readBucket, type BucketDocument } from './bucket-documents.ts';
import { noSuchBucket } from './bucket-faults.ts';
import { isPublicPolicy } from './bucket-policy-reach.ts';
import type { S3Parts } from './operation.ts';
import { note } from './recorded-call.ts';

/** What an operation on a bucket or an object names its bucket with. */
export interface BucketRequest {
  readonly Bucket: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Keys that every request has ("Condition keys for Amazon S3"). */
function requestConditions({ tls }: Call, bucket: BucketDocument): Need['conditions'] {
  const version = /^TLSv([\d.]+)$/.exec(tls?.version ?? '')?.[1];
  return {
    's3:signatureversion': ['AWS4-HMAC-SHA256'],
    ...(version !== undefined && { 's3:TlsVersion': [version] }),
    's3:ResourceAccount': [bucket.accountId],
  };
}

/**
 * A permission that a call needs on a bucket or on an object in it: decided with the bucket's policy, for the account that
 * owns the bucket. RestrictPublicBuckets takes other accounts what a public policy gives them ("Blocking public access to your
 * Amazon S3 storage").
 */
export function needOnBucket(
  bucket: BucketDocument,
  call: Call,
  need: Pick<Need, 'action' | 'resource' | 'conditions' | 'resourceTags' | 'requestTags'>,
): Need {
  const owned = {
    ...need,
    conditions: { ...requestConditions(call, bucket), ...need.conditions },
    resourceAccountId: bucket.accountId,
  };
  const { policy } = bucket;
  if (policy === undefined || isRestricted(bucket, call)) return owned;
  return { ...owned, resourcePolicy: policy };
}

function isRestricted(bucket: BucketDocument, call: Call): boolean {
  return (
    bucket.publicAccessBlock?.RestrictPublicBuckets === true &&
    bucket.policy !== undefined &&
    call.accountId !== bucket.accountId &&
    isPublicPolicy(bucket.policy)
  );
}

/**
 * The need of one action on the bucket itself, which the record of the call then names with its owner. Throws what
 * `requireBucket` throws: S3 says what does not exist before it asks who may.
 */
export async function bucketNeed(
  action: string,
  input: BucketRequest,
  call: Call,
  { state }: Pick<S3Parts, 'state'>,
  conditions: Need['conditions'] = {},
): Promise<readonly [Need]> {
  const bucket = await requireBucket(state, input, call);
  note(input, { bucket });
  return [needOnBucket(bucket, call, { action, resource: bucketArn(bucket.name), conditions })];
}

/**
 * The bucket that a request names. Throws NoSuchBucket; AccessDenied where it is not the expected account's ("Verifying
 * bucket ownership with bucket owner condition"); PermanentRedirect where the request was signed for another region than
 * the bucket's, as S3 answers at the endpoint of a region; clients find the right one in its x-amz-bucket-region.
 */
export async function requireBucket(
  view: StateView,
  { Bucket = '', ExpectedBucketOwner }: BucketRequest,
  call: Call,
): Promise<BucketDocument> {
  const bucket = await readBucket(view, Bucket);
  if (!bucket) throw noSuchBucket(Bucket);
  if (ExpectedBucketOwner !== undefined && ExpectedBucketOwner !== bucket.accountId) {
    throw new AwsFault('AccessDenied', 'Access Denied', { status: 403 });
  }
  if (bucket.region !== call.region) {
    const text =
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.';
    throw new AwsFault('PermanentRedirect', text, {
      status: 301,
      members: { Bucket, Endpoint: call.host, BucketRegion: bucket.region },
    });
  }
  return bucket;
}
