import { AwsFault, parseArn } from '../../kernel/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { bucketNeed, requireBucket } from './bucket-access.ts';
import { bucketKey, type BucketDocument } from './bucket-documents.ts';
import { nothing, type Nothing } from './bucket-faults.ts';
import { checkTags } from './bucket-tags.ts';
import type { BucketInput, Conditions } from './needs.ts';
import type { S3Operation, S3Parts } from './operation.ts';

/** The tags of buckets by S3 Control, by which Terraform reads and sets them; they are those of PutBucketTagging. */

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

interface OnResource {
  readonly AccountId: string;
  readonly ResourceArn: string;
}

/** The bucket that is meant, which must be the named account's. Throws InvalidRequest for what is no bucket. */
function bucketOf({ AccountId, ResourceArn }: OnResource): BucketInput {
  const arn = parseArn(ResourceArn);
  if (arn?.service === 's3' && arn.region === '' && arn.accountId === '' && !arn.resource.includes('/')) {
    return { Bucket: arn.resource, ExpectedBucketOwner: AccountId };
  }
  const text = `Only general purpose buckets have tags here, named as arn:aws:s3:::BUCKET, not ${ResourceArn}.`;
  throw new AwsFault('InvalidRequest', text, { status: 400 });
}

/** What a request says of tags, for the condition keys about them. */
interface RequestedTags {
  readonly tags?: readonly Tag[];
  readonly keys?: readonly string[];
}

async function needOn(
  action: string,
  input: OnResource,
  call: Call,
  parts: S3Parts,
  { tags = [], keys = tags.map(({ Key }) => Key) }: RequestedTags = {},
): Promise<readonly Need[]> {
  const bucket = bucketOf(input);
  const conditions: Conditions = keys.length > 0 ? { 'aws:TagKeys': keys } : {};
  const [need] = await bucketNeed(action, bucket, call, parts, conditions);
  if (tags.length === 0) return [need];
  return [{ ...need, requestTags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) }];
}

/** A bucket without tags has no tag set at all. */
function withTags(before: BucketDocument, tags: readonly Tag[]): BucketDocument {
  const { tags: _, ...bucket } = before;
  return tags.length === 0 ? bucket : { ...bucket, tags };
}

export const ListTagsForResource: S3Operation<OnResource, { readonly Tags: Tag[] }> = {
  access: 'read',
  needs: (input, call, parts) => needOn('s3:ListTagsForResource', input, call, parts),
  async handle(input, call, change) {
    const { tags = [] } = await requireBucket(change, bucketOf(input), call);
    return { Tags: [...tags] };
  },
};

export const TagResource: S3Operation<OnResource & { readonly Tags: readonly Tag[] }, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => needOn('s3:TagResource', input, call, parts, { tags: input.Tags }),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, bucketOf(input), call);
    const added = checkTags(input.Tags);
    const kept = (bucket.tags ?? []).filter(({ Key }) => !added.some((tag) => tag.Key === Key));
    change.put(bucketKey(bucket.name), withTags(bucket, checkTags([...kept, ...added])));
    return nothing;
  },
};

export const UntagResource: S3Operation<OnResource & { readonly TagKeys: readonly string[] }, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => needOn('s3:UntagResource', input, call, parts, { keys: input.TagKeys }),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, bucketOf(input), call);
    const kept = (bucket.tags ?? []).filter(({ Key }) => !input.TagKeys.includes(Key));
    change.put(bucketKey(bucket.name), withTags(bucket, kept));
    return nothing;
  },
};
