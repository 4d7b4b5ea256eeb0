import type {
  CreateRoleRequest,
  CreateRoleResponse,
  DeleteRoleRequest,
  GetRoleRequest,
  GetRoleResponse,
  ListRolesRequest,
  ListRolesResponse,
  UpdateAssumeRolePolicyRequest,
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
  UpdateRoleRequest,
} from '@aws-sdk/client-iam';
import { uniqueId } from '../../kernel/index.ts';
import type { Change } from '../../state/index.ts';
import { roleArn } from '../arns.ts';
import { attachBoundary, releaseBoundary } from '../attachments.ts';
import { keys, type RoleDocument } from '../documents.ts';
import { addTags, checkName, checkPath, checkQuota, profilesOfRole, readRole } from '../entities.ts';
import { alreadyExists, deleteConflict, validationError } from '../faults.ts';
import { boundaryConditions, onRole, tagConditions } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfPaths } from '../paging.ts';
import { descriptionShown, roleInFull, roleLastUsed, roleMade, roleShown } from '../shown.ts';
import { checkTrustPolicy } from '../trust-policies.ts';

const hour = 3600;

function checkDuration(seconds = hour): number {
  if (seconds >= hour && seconds <= 12 * hour) return seconds;
  throw validationError(
    `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200`,
  );
}

export const CreateRole: IdentityOperation<CreateRoleRequest, CreateRoleResponse> = {
  access: 'write',
  needs(input, call) {
    const resource = roleArn(call.accountId, input.Path ?? '/', input.RoleName);
    const conditions = { ...boundaryConditions(input.PermissionsBoundary), ...tagConditions(input.Tags) };
    const create = { action: 'iam:CreateRole', resource, conditions };
    return input.Tags?.length ? [create, { ...create, action: 'iam:TagRole' }] : [create];
  },
  async handle(input, call, change, { state, random }) {
    const { accountId } = call;
    checkName('roleName', input.RoleName, 64);
    const key = keys.role(accountId, input.RoleName);
    if (await change.get(key)) throw alreadyExists('Role', input.RoleName);
    await checkQuota(state, keys.role(accountId), 'RolesPerAccount');
    const role: RoleDocument = {
      name: input.RoleName,
      id: uniqueId('AROA', random),
      path: checkPath(input.Path),
      createdAt: call.time,
      inlinePolicies: [],
      attachedPolicies: [],
      ...(await checkTrustPolicy(change, input.AssumeRolePolicyDocument)),
      ...(input.Description === undefined ? {} : { description: input.Description }),
      maxSessionSeconds: checkDuration(input.MaxSessionDuration),
      tags: addTags([], input.Tags),
      ...(await attachBoundary(
        change,
        accountId,
        'boundary-role',
        input.RoleName,
        input.PermissionsBoundary,
      )),
    };
    change.put(key, role);
    return { Role: await roleMade(change, accountId, role) };
  },
};

export const GetRole: IdentityOperation<GetRoleRequest, GetRoleResponse> = {
  access: 'read',
  needs: (input, call, view) => onRole('iam:GetRole', input.RoleName, call, view),
  async handle(input, call, change) {
    const role = await readRole(change, call.accountId, input.RoleName);
    const shown = await roleInFull(change, call.accountId, role);
    return { Role: { ...shown, RoleLastUsed: await roleLastUsed(change, role) } };
  },
};

export const ListRoles: IdentityOperation<ListRolesRequest, ListRolesResponse> = {
  access: 'read',
  needs: (input, call) => [
    { action: 'iam:ListRoles', resource: roleArn(call.accountId, input.PathPrefix ?? '/', '') },
  ],
  async handle(input, call, change) {
    const page = await pageOfPaths<RoleDocument>(change, keys.role(call.accountId), input);
    const roles = await Promise.all(page.items.map((role) => roleShown(change, call.accountId, role)));
    return { Roles: roles, ...pageAnswer(page) };
  },
};

async function updateRole(
  change: Change,
  accountId: string,
  name: string,
  update: Partial<RoleDocument>,
): Promise<RoleDocument> {
  const role = { ...(await readRole(change, accountId, name)), ...update };
  change.put(keys.role(accountId, name), role);
  return role;
}

export const UpdateRole: IdentityOperation<UpdateRoleRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onRole('iam:UpdateRole', input.RoleName, call, view),
  async handle(input, call, change) {
    await updateRole(change, call.accountId, input.RoleName, {
      ...(input.Description === undefined ? {} : { description: input.Description }),
      ...(input.MaxSessionDuration === undefined
        ? {}
        : { maxSessionSeconds: checkDuration(input.MaxSessionDuration) }),
    });
    return nothing;
  },
};

export const UpdateRoleDescription: IdentityOperation<
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse
> = {
  access: 'write',
  needs: (input, call, view) => onRole('iam:UpdateRoleDescription', input.RoleName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const role = await updateRole(change, accountId, input.RoleName, { description: input.Description });
    return {
      Role: { ...(await roleMade(change, accountId, role)), ...descriptionShown(role.description) },
    };
  },
};

export const UpdateAssumeRolePolicy: IdentityOperation<UpdateAssumeRolePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onRole('iam:UpdateAssumeRolePolicy', input.RoleName, call, view),
  async handle(input, call, change) {
    const role = await readRole(change, call.accountId, input.RoleName);
    const trust = await checkTrustPolicy(change, input.PolicyDocument);
    change.put(keys.role(call.accountId, role.name), { ...role, ...trust });
    return nothing;
  },
};

export const DeleteRole: IdentityOperation<DeleteRoleRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onRole('iam:DeleteRole', input.RoleName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const role = await readRole(change, accountId, input.RoleName);
    if (role.inlinePolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.');
    }
    if (role.attachedPolicies.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.');
    }
    if ((await profilesOfRole(change, accountId, role.name)).length > 0) {
      throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
    }
    releaseBoundary(change, accountId, 'boundary-role', role);
    change.delete(keys.role(accountId, role.name));
    change.delete(keys.roleLastUsed(role.id));
    return nothing;
  },
};
