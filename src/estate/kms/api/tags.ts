import type {
  ListResourceTagsRequest,
  ListResourceTagsResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-kms';
import { writeKey } from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { needOnNamed } from '../key-needs.ts';
import { checkNotPending } from '../key-states.ts';
import { nothing, type KmsOperation, type Nothing } from '../operation.ts';
import { pageOfList } from '../paging.ts';
import { addTags, tagRecord } from '../tags.ts';

export const TagResource: KmsOperation<TagResourceRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    {
      ...(await needOnNamed(view, call, input.KeyId, { action: 'TagResource' })),
      requestTags: tagRecord(input.Tags),
    },
  ],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    writeKey(change, key, { ...key, tags: addTags(key.tags, input.Tags) });
    return nothing;
  },
};

export const UntagResource: KmsOperation<UntagResourceRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'UntagResource',
      conditions: { 'aws:TagKeys': input.TagKeys },
    }),
  ],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    const tags = key.tags.filter((tag) => !input.TagKeys.includes(tag.key));
    writeKey(change, key, { ...key, tags });
    return nothing;
  },
};

export const ListResourceTags: KmsOperation<ListResourceTagsRequest, ListResourceTagsResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'ListResourceTags' }),
  ],
  async handle(input, call, change) {
    const key = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const { items, answer } = pageOfList(key.tags, input, 50);
    return { Tags: items.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })), ...answer };
  },
};
