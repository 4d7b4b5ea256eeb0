import type {
  DeleteRolePermissionsBoundaryRequest,
  DeleteUserPermissionsBoundaryRequest,
  PutRolePermissionsBoundaryRequest,
  PutUserPermissionsBoundaryRequest,
} from '@aws-sdk/client-iam';
import type { Change } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { attachBoundary, releaseBoundary } from '../attachments.ts';
import { keys, type RoleDocument, type UserDocument } from '../documents.ts';
import { readRole, readUser } from '../entities.ts';
import { boundaryConditions, onRole, onUser } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';

/** Whose boundary an operation sets or takes away. */
interface Bounded {
  readonly kind: 'boundary-user' | 'boundary-role';
  readonly key: string;
  readonly document: UserDocument | RoleDocument;
}

async function boundedUser(change: Change, { accountId }: Call, name: string): Promise<Bounded> {
  const document = await readUser(change, accountId, name);
  return { kind: 'boundary-user', key: keys.user(accountId, document.name), document };
}

async function boundedRole(change: Change, { accountId }: Call, name: string): Promise<Bounded> {
  const document = await readRole(change, accountId, name);
  return { kind: 'boundary-role', key: keys.role(accountId, document.name), document };
}

/** Puts `boundary` in place of the one that there was; undefined takes that away. */
async function setBoundary(
  change: Change,
  { accountId }: Call,
  { kind, key, document }: Bounded,
  boundary: string | undefined,
): Promise<Nothing> {
  const { boundary: _, ...rest } = document;
  releaseBoundary(change, accountId, kind, document);
  change.put(key, { ...rest, ...(await attachBoundary(change, accountId, kind, document.name, boundary)) });
  return nothing;
}

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
  handle: async (input, call, change) =>
    setBoundary(change, call, await boundedUser(change, call, input.UserName), input.PermissionsBoundary),
};

export const DeleteUserPermissionsBoundary: IdentityOperation<DeleteUserPermissionsBoundaryRequest, Nothing> =
  {
    access: 'write',
    needs: (input, call, view) => onUser('iam:DeleteUserPermissionsBoundary', input.UserName, call, view),
    handle: async (input, call, change) =>
      setBoundary(change, call, await boundedUser(change, call, input.UserName), undefined),
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
  handle: async (input, call, change) =>
    setBoundary(change, call, await boundedRole(change, call, input.RoleName), input.PermissionsBoundary),
};

export const DeleteRolePermissionsBoundary: IdentityOperation<DeleteRolePermissionsBoundaryRequest, Nothing> =
  {
    access: 'write',
    needs: (input, call, view) => onRole('iam:DeleteRolePermissionsBoundary', input.RoleName, call, view),
    handle: async (input, call, change) =>
      setBoundary(change, call, await boundedRole(change, call, input.RoleName), undefined),
  };
