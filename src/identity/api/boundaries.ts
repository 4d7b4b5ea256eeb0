import type {
  DeleteRolePermissionsBoundaryRequest,
  DeleteUserPermissionsBoundaryRequest,
  PutRolePermissionsBoundaryRequest,
  PutUserPermissionsBoundaryRequest,
} from '@aws-sdk/client-iam';
import { attachBoundary, releaseBoundary } from '../attachments.ts';
import { keys } from '../documents.ts';
import { readRole, readUser } from '../entities.ts';
import { boundaryConditions, onRole, onUser } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';

export const PutUserPermissionsBoundary: IdentityOperation<PutUserPermissionsBoundaryRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onUser(
      'iam:PutUserPermissionsBoundary',
      input.UserName,
      call,
      view,
      boundaryConditions(input.PermissionsBoundary),
    ),
  async handle(input, call, change) {
    const { accountId } = call;
    const user = await readUser(change, accountId, input.UserName);
    releaseBoundary(change, accountId, 'boundary-user', user);
    const boundary = await attachBoundary(
      change,
      accountId,
      'boundary-user',
      user.name,
      input.PermissionsBoundary,
    );
    change.put(keys.user(accountId, user.name), { ...user, ...boundary });
    return nothing;
  },
};

export const DeleteUserPermissionsBoundary: IdentityOperation<DeleteUserPermissionsBoundaryRequest, Nothing> =
  {
    access: 'write',
    needs: (input, call, view) => onUser('iam:DeleteUserPermissionsBoundary', input.UserName, call, view),
    async handle(input, call, change) {
      const { boundary, ...user } = await readUser(change, call.accountId, input.UserName);
      if (boundary === undefined) return nothing;
      releaseBoundary(change, call.accountId, 'boundary-user', { ...user, boundary });
      change.put(keys.user(call.accountId, user.name), user);
      return nothing;
    },
  };

export const PutRolePermissionsBoundary: IdentityOperation<PutRolePermissionsBoundaryRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onRole(
      'iam:PutRolePermissionsBoundary',
      input.RoleName,
      call,
      view,
      boundaryConditions(input.PermissionsBoundary),
    ),
  async handle(input, call, change) {
    const { accountId } = call;
    const role = await readRole(change, accountId, input.RoleName);
    releaseBoundary(change, accountId, 'boundary-role', role);
    const boundary = await attachBoundary(
      change,
      accountId,
      'boundary-role',
      role.name,
      input.PermissionsBoundary,
    );
    change.put(keys.role(accountId, role.name), { ...role, ...boundary });
    return nothing;
  },
};

export const DeleteRolePermissionsBoundary: IdentityOperation<DeleteRolePermissionsBoundaryRequest, Nothing> =
  {
    access: 'write',
    needs: (input, call, view) => onRole('iam:DeleteRolePermissionsBoundary', input.RoleName, call, view),
    async handle(input, call, change) {
      const { boundary, ...role } = await readRole(change, call.accountId, input.RoleName);
      if (boundary === undefined) return nothing;
      releaseBoundary(change, call.accountId, 'boundary-role', { ...role, boundary });
      change.put(keys.role(call.accountId, role.name), role);
      return nothing;
    },
  };
