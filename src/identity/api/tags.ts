import type {
  ListInstanceProfileTagsRequest,
  ListInstanceProfileTagsResponse,
  ListPolicyTagsRequest,
  ListPolicyTagsResponse,
  ListRoleTagsRequest,
  ListRoleTagsResponse,
  ListUserTagsRequest,
  ListUserTagsResponse,
  Tag,
  TagInstanceProfileRequest,
  TagPolicyRequest,
  TagRoleRequest,
  TagUserRequest,
  UntagInstanceProfileRequest,
  UntagPolicyRequest,
  UntagRoleRequest,
  UntagUserRequest,
} from '@aws-sdk/client-iam';
import type { Change, StateView } from '../../state/index.ts';
import { readOwnPolicy, readPolicy } from '../attachments.ts';
import { keys, type TagDocument } from '../documents.ts';
import { addTags, readInstanceProfile, readRole, readUser, removeTags } from '../entities.ts';
import { onInstanceProfile, onPolicy, onRole, onUser, tagConditions, tagKeyConditions } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfList, type PageRequest } from '../paging.ts';

interface Tagged {
  readonly tags: readonly TagDocument[];
}

/** A document with tags, and where it stands. */
interface Place<T extends Tagged> {
  readonly key: string;
  readonly value: T;
}

function tag<T extends Tagged>(change: Change, place: Place<T>, tags: readonly Tag[]): Nothing {
  change.put(place.key, { ...place.value, tags: addTags(place.value.tags, tags) });
  return nothing;
}

function untag<T extends Tagged>(change: Change, place: Place<T>, tagKeys: readonly string[]): Nothing {
  change.put(place.key, { ...place.value, tags: removeTags(place.value.tags, tagKeys) });
  return nothing;
}

function list(
  tags: readonly TagDocument[],
  request: PageRequest,
): { Tags: TagDocument[]; IsTruncated: boolean; Marker?: string } {
  const page = pageOfList(tags, request, ({ Key }) => Key.toLowerCase());
  return { Tags: [...page.items], ...pageAnswer(page) };
}

async function userPlace(view: StateView, accountId: string, name: string) {
  return { key: keys.user(accountId, name), value: await readUser(view, accountId, name) };
}

async function rolePlace(view: StateView, accountId: string, name: string) {
  return { key: keys.role(accountId, name), value: await readRole(view, accountId, name) };
}

async function profilePlace(view: StateView, accountId: string, name: string) {
  return {
    key: keys.instanceProfile(accountId, name),
    value: await readInstanceProfile(view, accountId, name),
  };
}

/** AWS's own policies have no tags, and take none. */
async function policyPlace(view: StateView, accountId: string, arn: string) {
  const value = await readOwnPolicy(view, accountId, arn);
  return { key: keys.policy(accountId, value.name), value };
}

export const TagUser: IdentityOperation<TagUserRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:TagUser', input.UserName, call, view, tagConditions(input.Tags)),
  handle: async (input, call, change) =>
    tag(change, await userPlace(change, call.accountId, input.UserName), input.Tags),
};

export const UntagUser: IdentityOperation<UntagUserRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onUser('iam:UntagUser', input.UserName, call, view, tagKeyConditions(input.TagKeys)),
  handle: async (input, call, change) =>
    untag(change, await userPlace(change, call.accountId, input.UserName), input.TagKeys),
};

export const ListUserTags: IdentityOperation<ListUserTagsRequest, ListUserTagsResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListUserTags', input.UserName, call, view),
  handle: async (input, call, change) =>
    list((await readUser(change, call.accountId, input.UserName)).tags, input),
};

export const TagRole: IdentityOperation<TagRoleRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onRole('iam:TagRole', input.RoleName, call, view, tagConditions(input.Tags)),
  handle: async (input, call, change) =>
    tag(change, await rolePlace(change, call.accountId, input.RoleName), input.Tags),
};

export const UntagRole: IdentityOperation<UntagRoleRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onRole('iam:UntagRole', input.RoleName, call, view, tagKeyConditions(input.TagKeys)),
  handle: async (input, call, change) =>
    untag(change, await rolePlace(change, call.accountId, input.RoleName), input.TagKeys),
};

export const ListRoleTags: IdentityOperation<ListRoleTagsRequest, ListRoleTagsResponse> = {
  access: 'read',
  needs: (input, call, view) => onRole('iam:ListRoleTags', input.RoleName, call, view),
  handle: async (input, call, change) =>
    list((await readRole(change, call.accountId, input.RoleName)).tags, input),
};

export const TagPolicy: IdentityOperation<TagPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onPolicy('iam:TagPolicy', input.PolicyArn, call, view, tagConditions(input.Tags)),
  handle: async (input, call, change) =>
    tag(change, await policyPlace(change, call.accountId, input.PolicyArn), input.Tags),
};

export const UntagPolicy: IdentityOperation<UntagPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onPolicy('iam:UntagPolicy', input.PolicyArn, call, view, tagKeyConditions(input.TagKeys)),
  handle: async (input, call, change) =>
    untag(change, await policyPlace(change, call.accountId, input.PolicyArn), input.TagKeys),
};

export const ListPolicyTags: IdentityOperation<ListPolicyTagsRequest, ListPolicyTagsResponse> = {
  access: 'read',
  needs: (input, call, view) => onPolicy('iam:ListPolicyTags', input.PolicyArn, call, view),
  handle: async (input, call, change) =>
    list((await readPolicy(change, call.accountId, input.PolicyArn)).tags, input),
};

export const TagInstanceProfile: IdentityOperation<TagInstanceProfileRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onInstanceProfile(
      'iam:TagInstanceProfile',
      input.InstanceProfileName,
      call,
      view,
      tagConditions(input.Tags),
    ),
  handle: async (input, call, change) =>
    tag(change, await profilePlace(change, call.accountId, input.InstanceProfileName), input.Tags),
};

export const UntagInstanceProfile: IdentityOperation<UntagInstanceProfileRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onInstanceProfile(
      'iam:UntagInstanceProfile',
      input.InstanceProfileName,
      call,
      view,
      tagKeyConditions(input.TagKeys),
    ),
  handle: async (input, call, change) =>
    untag(change, await profilePlace(change, call.accountId, input.InstanceProfileName), input.TagKeys),
};

export const ListInstanceProfileTags: IdentityOperation<
  ListInstanceProfileTagsRequest,
  ListInstanceProfileTagsResponse
> = {
  access: 'read',
  needs: (input, call, view) =>
    onInstanceProfile('iam:ListInstanceProfileTags', input.InstanceProfileName, call, view),
  handle: async (input, call, change) =>
    list((await readInstanceProfile(change, call.accountId, input.InstanceProfileName)).tags, input),
};
