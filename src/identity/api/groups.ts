import type {
  AddUserToGroupRequest,
  CreateGroupRequest,
  CreateGroupResponse,
  DeleteGroupRequest,
  GetGroupRequest,
  GetGroupResponse,
  ListGroupsForUserRequest,
  ListGroupsForUserResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  RemoveUserFromGroupRequest,
  UpdateGroupRequest,
  User,
} from '@aws-sdk/client-iam';
import { uniqueId } from '../../kernel/index.ts';
import type { Change } from '../../state/index.ts';
import { groupArn } from '../arns.ts';
import { moveAttachments } from '../attachments.ts';
import { keys, read, type GroupDocument, type UserDocument } from '../documents.ts';
import { checkName, checkPath, checkQuota, readGroup, readUser } from '../entities.ts';
import { alreadyExists, deleteConflict, limitExceeded } from '../faults.ts';
import { onGroup, onUser } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfDocuments, pageOfList, pageOfPaths } from '../paging.ts';
import { pages, quotas } from '../quotas.ts';
import { groupShown, userShown } from '../shown.ts';

export const CreateGroup: IdentityOperation<CreateGroupRequest, CreateGroupResponse> = {
  access: 'write',
  needs: (input, call) => [
    { action: 'iam:CreateGroup', resource: groupArn(call.accountId, input.Path ?? '/', input.GroupName) },
  ],
  async handle(input, call, change, { state, random }) {
    checkName('groupName', input.GroupName, 128);
    const key = keys.group(call.accountId, input.GroupName);
    if (await change.get(key)) throw alreadyExists('Group', input.GroupName);
    await checkQuota(state, keys.group(call.accountId), 'GroupsPerAccount');
    const group: GroupDocument = {
      name: input.GroupName,
      id: uniqueId('AGPA', random),
      path: checkPath(input.Path),
      createdAt: call.time,
      inlinePolicies: [],
      attachedPolicies: [],
    };
    change.put(key, group);
    return { Group: groupShown(call.accountId, group) };
  },
};

export const GetGroup: IdentityOperation<GetGroupRequest, GetGroupResponse> = {
  access: 'read',
  needs: (input, call, view) => onGroup('iam:GetGroup', input.GroupName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const group = await readGroup(change, accountId, input.GroupName);
    const prefix = keys.members(accountId, group.name);
    const page = await pageOfDocuments(change, prefix, input, ({ key }) => key.slice(prefix.length));
    const users: User[] = [];
    for (const name of page.items) {
      const user = await read<UserDocument>(change, keys.user(accountId, name));
      if (user) users.push(userShown(accountId, user));
    }
    return { Group: groupShown(accountId, group), Users: users, ...pageAnswer(page) };
  },
};

export const ListGroups: IdentityOperation<ListGroupsRequest, ListGroupsResponse> = {
  access: 'read',
  needs: (input, call) => [
    { action: 'iam:ListGroups', resource: groupArn(call.accountId, input.PathPrefix ?? '/', '') },
  ],
  async handle(input, call, change) {
    const page = await pageOfPaths<GroupDocument>(change, keys.group(call.accountId), input);
    return { Groups: page.items.map((group) => groupShown(call.accountId, group)), ...pageAnswer(page) };
  },
};

export const ListGroupsForUser: IdentityOperation<ListGroupsForUserRequest, ListGroupsForUserResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListGroupsForUser', input.UserName, call, view),
  async handle(input, call, change) {
    const user = await readUser(change, call.accountId, input.UserName);
    const page = pageOfList(user.groups, input, (name) => name);
    const groups = await Promise.all(page.items.map((name) => readGroup(change, call.accountId, name)));
    return { Groups: groups.map((group) => groupShown(call.accountId, group)), ...pageAnswer(page) };
  },
};

/** The lower-case names of all members. */
async function memberNames(change: Change, accountId: string, group: string): Promise<readonly string[]> {
  const prefix = keys.members(accountId, group);
  const names: string[] = [];
  for (;;) {
    const after = prefix + (names.at(-1) ?? '');
    const documents = await change.list(prefix, { after, limit: pages.most });
    if (documents.length === 0) return names;
    names.push(...documents.map((document) => document.key.slice(prefix.length)));
  }
}

/** Members and policies follow when the name changes. */
async function renameGroup(
  change: Change,
  accountId: string,
  group: GroupDocument,
  newName: string,
): Promise<void> {
  const [oldKey, newKey] = [group.name.toLowerCase(), newName.toLowerCase()];
  for (const member of await memberNames(change, accountId, group.name)) {
    change.delete(keys.member(accountId, group.name, member));
    change.put(keys.member(accountId, newName, member), {});
    const user = await readUser(change, accountId, member);
    change.put(keys.user(accountId, member), {
      ...user,
      groups: user.groups.map((name) => (name === oldKey ? newKey : name)),
    });
  }
  moveAttachments(change, accountId, 'group', group, newName);
  change.delete(keys.group(accountId, group.name));
}

export const UpdateGroup: IdentityOperation<UpdateGroupRequest, Nothing> = {
  access: 'write',
  /** Needed on the group both under its old and under its new ARN. */
  async needs(input, call, view) {
    const [need] = await onGroup('iam:UpdateGroup', input.GroupName, call, view);
    if (input.NewPath === undefined && input.NewGroupName === undefined) return [need];
    const group = await read<GroupDocument>(view, keys.group(call.accountId, input.GroupName));
    const name = input.NewGroupName ?? group?.name ?? input.GroupName;
    const path = input.NewPath ?? group?.path ?? '/';
    return [need, { ...need, resource: groupArn(call.accountId, path, name) }];
  },
  async handle(input, call, change) {
    const { accountId } = call;
    const group = await readGroup(change, accountId, input.GroupName);
    const newName = input.NewGroupName ?? group.name;
    checkName('newGroupName', newName, 128);
    const newKey = keys.group(accountId, newName);
    if (newKey !== keys.group(accountId, group.name)) {
      if (await change.get(newKey)) throw alreadyExists('Group', newName);
      await renameGroup(change, accountId, group, newName);
    }
    change.put(newKey, { ...group, name: newName, path: checkPath(input.NewPath ?? group.path) });
    return nothing;
  },
};

export const DeleteGroup: IdentityOperation<DeleteGroupRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onGroup('iam:DeleteGroup', input.GroupName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const group = await readGroup(change, accountId, input.GroupName);
    if ((await change.list(keys.members(accountId, group.name), { limit: 1 })).length > 0) {
      throw deleteConflict('Cannot delete entity, must remove users from group first.');
    }
    if (group.inlinePolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.');
    }
    if (group.attachedPolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.');
    }
    change.delete(keys.group(accountId, group.name));
    return nothing;
  },
};

export const AddUserToGroup: IdentityOperation<AddUserToGroupRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onGroup('iam:AddUserToGroup', input.GroupName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const group = await readGroup(change, accountId, input.GroupName);
    const user = await readUser(change, accountId, input.UserName);
    const name = group.name.toLowerCase();
    if (user.groups.includes(name)) return nothing;
    if (user.groups.length >= quotas.GroupsPerUser) throw limitExceeded('GroupsPerUser');
    change.put(keys.user(accountId, user.name), { ...user, groups: [...user.groups, name] });
    change.put(keys.member(accountId, group.name, user.name), {});
    return nothing;
  },
};

export const RemoveUserFromGroup: IdentityOperation<RemoveUserFromGroupRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onGroup('iam:RemoveUserFromGroup', input.GroupName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const user = await readUser(change, accountId, input.UserName);
    const group = await readGroup(change, accountId, input.GroupName);
    const name = group.name.toLowerCase();
    // Who is no member already is no error.
    if (!user.groups.includes(name)) return nothing;
    change.put(keys.user(accountId, user.name), {
      ...user,
      groups: user.groups.filter((other) => other !== name),
    });
    change.delete(keys.member(accountId, group.name, user.name));
    return nothing;
  },
};
