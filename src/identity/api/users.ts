import type {
  CreateUserRequest,
  CreateUserResponse,
  DeleteUserRequest,
  GetUserRequest,
  GetUserResponse,
  ListUsersRequest,
  ListUsersResponse,
  UpdateUserRequest,
  User,
} from '@aws-sdk/client-iam';
import { uniqueId } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { rootArn, userArn } from '../arns.ts';
import { attachBoundary, moveAttachments, releaseBoundary } from '../attachments.ts';
import { keys, read, type AccessKeyDocument, type AccountDocument, type UserDocument } from '../documents.ts';
import { addTags, checkName, checkPath, checkQuota, readUser, userNameOf } from '../entities.ts';
import { alreadyExists, deleteConflict } from '../faults.ts';
import { noteMoved } from '../named-principals.ts';
import { boundaryConditions, onUser, tagConditions } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfPaths } from '../paging.ts';
import { shownTime, userInFull, userShown } from '../shown.ts';

export const CreateUser: IdentityOperation<CreateUserRequest, CreateUserResponse> = {
  access: 'write',
  needs(input, call) {
    const resource = userArn(call.accountId, input.Path ?? '/', input.UserName);
    const conditions = { ...boundaryConditions(input.PermissionsBoundary), ...tagConditions(input.Tags) };
    const create = { action: 'iam:CreateUser', resource, conditions };
    return input.Tags?.length ? [create, { ...create, action: 'iam:TagUser' }] : [create];
  },
  async handle(input, call, change, { state, random }) {
    const { accountId } = call;
    checkName('userName', input.UserName, 64);
    const key = keys.user(accountId, input.UserName);
    if (await change.get(key)) throw alreadyExists('User', input.UserName);
    await checkQuota(state, keys.user(accountId), 'UsersPerAccount');
    const user: UserDocument = {
      name: input.UserName,
      id: uniqueId('AIDA', random),
      path: checkPath(input.Path),
      createdAt: call.time,
      inlinePolicies: [],
      attachedPolicies: [],
      tags: addTags([], input.Tags),
      ...(await attachBoundary(
        change,
        accountId,
        'boundary-user',
        input.UserName,
        input.PermissionsBoundary,
      )),
      groups: [],
      accessKeyIds: [],
    };
    change.put(key, user);
    return { User: userInFull(accountId, user) };
  },
};

/** The account's root, as GetUser shows it to itself: it has neither name nor path. */
async function rootShown(view: StateView, call: Call): Promise<User> {
  const account = await read<AccountDocument>(view, keys.account(call.accountId));
  return {
    Path: undefined,
    UserName: undefined,
    UserId: call.accountId,
    Arn: rootArn(call.accountId),
    CreateDate: shownTime(account?.createdAt ?? call.time),
  };
}

export const GetUser: IdentityOperation<GetUserRequest, GetUserResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:GetUser', input.UserName, call, view),
  async handle(input, call, change) {
    if (input.UserName === undefined && call.principal.type === 'Root') {
      return { User: await rootShown(change, call) };
    }
    const user = await readUser(change, call.accountId, userNameOf(input.UserName, call));
    return { User: userInFull(call.accountId, user) };
  },
};

export const ListUsers: IdentityOperation<ListUsersRequest, ListUsersResponse> = {
  access: 'read',
  needs: (input, call) => [
    { action: 'iam:ListUsers', resource: userArn(call.accountId, input.PathPrefix ?? '/', '') },
  ],
  async handle(input, call, change) {
    const page = await pageOfPaths<UserDocument>(change, keys.user(call.accountId), input);
    return { Users: page.items.map((user) => userShown(call.accountId, user)), ...pageAnswer(page) };
  },
};

/** Everything that refers to a user by its name follows when the name changes. */
async function renameUser(
  change: Change,
  accountId: string,
  user: UserDocument,
  newName: string,
): Promise<void> {
  for (const group of user.groups) {
    change.delete(keys.member(accountId, group, user.name));
    change.put(keys.member(accountId, group, newName), {});
  }
  for (const accessKeyId of user.accessKeyIds) {
    const key = keys.accessKey(accessKeyId);
    const accessKey = await read<AccessKeyDocument>(change, key);
    if (accessKey) change.put(key, { ...accessKey, user: newName.toLowerCase() });
  }
  moveAttachments(change, accountId, 'user', user, newName);
  change.delete(keys.user(accountId, user.name));
}

export const UpdateUser: IdentityOperation<UpdateUserRequest, Nothing> = {
  access: 'write',
  /** Needed on the user both under its old and under its new ARN. */
  async needs(input, call, view) {
    const [need] = await onUser('iam:UpdateUser', input.UserName, call, view);
    if (input.NewPath === undefined && input.NewUserName === undefined) return [need];
    const user = await read<UserDocument>(view, keys.user(call.accountId, input.UserName));
    const name = input.NewUserName ?? user?.name ?? input.UserName;
    const path = input.NewPath ?? user?.path ?? '/';
    return [need, { ...need, resource: userArn(call.accountId, path, name) }];
  },
  async handle(input, call, change) {
    const { accountId } = call;
    const user = await readUser(change, accountId, input.UserName);
    const newName = input.NewUserName ?? user.name;
    checkName('newUserName', newName, 64);
    const newKey = keys.user(accountId, newName);
    if (newKey !== keys.user(accountId, user.name)) {
      if (await change.get(newKey)) throw alreadyExists('User', newName);
      await renameUser(change, accountId, user, newName);
    }
    const path = checkPath(input.NewPath ?? user.path);
    change.put(newKey, { ...user, name: newName, path });
    if (path !== user.path || newName !== user.name) {
      noteMoved(change, user.id, userArn(accountId, path, newName));
    }
    return nothing;
  },
};

export const DeleteUser: IdentityOperation<DeleteUserRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:DeleteUser', input.UserName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const user = await readUser(change, accountId, input.UserName);
    if (user.accessKeyIds.length > 0) {
      throw deleteConflict('Cannot delete entity, must delete access keys first.');
    }
    if (user.inlinePolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.');
    }
    if (user.attachedPolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.');
    }
    if (user.groups.length > 0) {
      throw deleteConflict('Cannot delete entity, must remove users from group first.');
    }
    releaseBoundary(change, accountId, 'boundary-user', user);
    change.delete(keys.user(accountId, user.name));
    change.delete(keys.moved(user.id));
    return nothing;
  },
};
