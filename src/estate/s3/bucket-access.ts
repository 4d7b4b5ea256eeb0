import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { calledBucket, onBucket, type BucketInput, type Conditions } from './needs.ts';
import type { S3Parts } from './operation.ts';

/**
 * The bucket that a request about its settings names. Throws NoSuchBucket; AccessDenied where it is not the expected
 * account's; PermanentRedirect where the request was signed for another region than the bucket's, as S3 answers at the
 * endpoint of a region: clients find the right one in its x-amz-bucket-region.
 */
export async function requireBucket(
  view: StateView,
  input: BucketInput,
  call: Pick<Call, 'region' | 'host'>,
): Promise<BucketDocument> {
  const bucket = await calledBucket(input, view);
  if (bucket.region === call.region) return bucket;
  const text =
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.';
  throw new AwsFault('PermanentRedirect', text, {
    status: 301,
    members: { Bucket: bucket.name, Endpoint: call.host },
    headers: { 'x-amz-bucket-region': bucket.region },
  });
}

/** The need of one action on the bucket that a request names. Throws what `requireBucket` throws. */
export async function bucketNeed(
  action: string,
  input: BucketInput,
  call: Call,
  { state }: Pick<S3Parts, 'state'>,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  return [onBucket(action, await requireBucket(state, input, call), call, conditions)];
}
