import type {
  DeleteObjectTaggingOutput,
  DeleteObjectTaggingRequest,
  GetObjectTaggingOutput,
  GetObjectTaggingRequest,
  PutObjectTaggingOutput,
  PutObjectTaggingRequest,
} from '@aws-sdk/client-s3';
import { calledBucket } from '../needs.ts';
import { requireObject, shownVersion } from '../object-answers.ts';
import { checkObjectTags } from '../object-facts.ts';
import { onExistingObject, requestedTags } from '../object-needs.ts';
import type { S3Operation } from '../operation.ts';
import { rewriteVersion } from '../version-chain.ts';

export const GetObjectTagging: S3Operation<GetObjectTaggingRequest, GetObjectTaggingOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:GetObjectTagging'], input, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    const version = await requireObject(parts.state, bucket, input, 'GET');
    return { ...shownVersion(bucket, version), TagSet: [...(version.tags ?? [])] };
  },
};

export const PutObjectTagging: S3Operation<PutObjectTaggingRequest, PutObjectTaggingOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const needs = await onExistingObject(['s3:PutObjectTagging'], input, call, parts);
    const tags = (input.Tagging.TagSet ?? []).map(({ Key = '', Value = '' }) => ({ Key, Value }));
    const conditions = requestedTags(tags);
    return needs.map((need) => ({ ...need, conditions: { ...need.conditions, ...conditions } }));
  },
  async handle(input, call, change, { events }) {
    const bucket = await calledBucket(input, change);
    const { tags: _, ...version } = await requireObject(change, bucket, input, 'PUT');
    const tags = checkObjectTags(input.Tagging.TagSet ?? []);
    await rewriteVersion(change, bucket.name, input.Key, { ...version, ...(tags && { tags }) });
    events.tell(change, bucket, { type: 'Object Tags Added', version }, { kind: 'call', call });
    return shownVersion(bucket, version);
  },
};

export const DeleteObjectTagging: S3Operation<DeleteObjectTaggingRequest, DeleteObjectTaggingOutput> = {
  access: 'write',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:DeleteObjectTagging'], input, call, parts),
  async handle(input, call, change, { events }) {
    const bucket = await calledBucket(input, change);
    const { tags: _, ...version } = await requireObject(change, bucket, input, 'DELETE');
    await rewriteVersion(change, bucket.name, input.Key, version);
    events.tell(change, bucket, { type: 'Object Tags Deleted', version }, { kind: 'call', call });
    return shownVersion(bucket, version);
  },
};
