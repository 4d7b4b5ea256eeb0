import type {
  AddRoleToInstanceProfileRequest,
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse,
  DeleteInstanceProfileRequest,
  GetInstanceProfileRequest,
  GetInstanceProfileResponse,
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
  ListInstanceProfilesRequest,
  ListInstanceProfilesResponse,
  RemoveRoleFromInstanceProfileRequest,
} from '@aws-sdk/client-iam';
import { AwsFault, uniqueId } from '../../kernel/index.ts';
import { instanceProfileArn } from '../arns.ts';
import { keys, type InstanceProfileDocument } from '../documents.ts';
import {
  addTags,
  checkName,
  checkPath,
  checkQuota,
  profilesOfRole,
  readInstanceProfile,
  readRole,
} from '../entities.ts';
import { deleteConflict, instanceProfileExists, limitExceeded } from '../faults.ts';
import { onInstanceProfile, onRole, tagConditions } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfList, pageOfPaths } from '../paging.ts';
import { profileShown, tagsShown } from '../shown.ts';

export const CreateInstanceProfile: IdentityOperation<
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse
> = {
  access: 'write',
  needs(input, call) {
    const resource = instanceProfileArn(call.accountId, input.Path ?? '/', input.InstanceProfileName);
    const create = {
      action: 'iam:CreateInstanceProfile',
      resource,
      conditions: tagConditions(input.Tags),
    };
    return input.Tags?.length ? [create, { ...create, action: 'iam:TagInstanceProfile' }] : [create];
  },
  async handle(input, call, change, { state, random }) {
    const { accountId } = call;
    checkName('instanceProfileName', input.InstanceProfileName, 128);
    const key = keys.instanceProfile(accountId, input.InstanceProfileName);
    if (await change.get(key)) throw instanceProfileExists(input.InstanceProfileName);
    await checkQuota(state, keys.instanceProfile(accountId), 'InstanceProfilesPerAccount');
    const profile: InstanceProfileDocument = {
      name: input.InstanceProfileName,
      id: uniqueId('AIPA', random),
      path: checkPath(input.Path),
      createdAt: call.time,
      tags: addTags([], input.Tags),
    };
    change.put(key, profile);
    const shown = await profileShown(change, accountId, profile);
    return { InstanceProfile: { ...shown, ...tagsShown(profile.tags) } };
  },
};

export const GetInstanceProfile: IdentityOperation<GetInstanceProfileRequest, GetInstanceProfileResponse> = {
  access: 'read',
  needs: (input, call, view) =>
    onInstanceProfile('iam:GetInstanceProfile', input.InstanceProfileName, call, view),
  async handle(input, call, change) {
    const profile = await readInstanceProfile(change, call.accountId, input.InstanceProfileName);
    const shown = await profileShown(change, call.accountId, profile);
    return { InstanceProfile: { ...shown, Tags: [...profile.tags] } };
  },
};

export const ListInstanceProfiles: IdentityOperation<
  ListInstanceProfilesRequest,
  ListInstanceProfilesResponse
> = {
  access: 'read',
  needs: (input, call) => [
    {
      action: 'iam:ListInstanceProfiles',
      resource: instanceProfileArn(call.accountId, input.PathPrefix ?? '/', ''),
    },
  ],
  async handle(input, call, change) {
    const { accountId } = call;
    const prefix = keys.instanceProfile(accountId);
    const page = await pageOfPaths<InstanceProfileDocument>(change, prefix, input);
    const shown = await Promise.all(page.items.map((profile) => profileShown(change, accountId, profile)));
    return { InstanceProfiles: shown, ...pageAnswer(page) };
  },
};

export const ListInstanceProfilesForRole: IdentityOperation<
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse
> = {
  access: 'read',
  needs: (input, call, view) => onRole('iam:ListInstanceProfilesForRole', input.RoleName, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const role = await readRole(change, accountId, input.RoleName);
    const profiles = await profilesOfRole(change, accountId, role.name);
    const page = pageOfList(profiles, input, (profile) => profile.name.toLowerCase());
    const shown = await Promise.all(page.items.map((profile) => profileShown(change, accountId, profile)));
    return { InstanceProfiles: shown, ...pageAnswer(page) };
  },
};

export const AddRoleToInstanceProfile: IdentityOperation<AddRoleToInstanceProfileRequest, Nothing> = {
  access: 'write',
  /** Whoever adds a role hands it to EC2, so must be allowed to pass it. */
  async needs(input, call, view) {
    const conditions = { 'iam:PassedToService': ['ec2.amazonaws.com'] };
    return [
      ...(await onInstanceProfile('iam:AddRoleToInstanceProfile', input.InstanceProfileName, call, view)),
      ...(await onRole('iam:PassRole', input.RoleName, call, view, conditions)),
    ];
  },
  async handle(input, call, change) {
    const { accountId } = call;
    const profile = await readInstanceProfile(change, accountId, input.InstanceProfileName);
    const role = await readRole(change, accountId, input.RoleName);
    if (profile.role !== undefined) throw limitExceeded('InstanceSessionsPerInstanceProfile');
    change.put(keys.instanceProfile(accountId, profile.name), { ...profile, role: role.name.toLowerCase() });
    return nothing;
  },
};

export const RemoveRoleFromInstanceProfile: IdentityOperation<RemoveRoleFromInstanceProfileRequest, Nothing> =
  {
    access: 'write',
    needs: (input, call, view) =>
      onInstanceProfile('iam:RemoveRoleFromInstanceProfile', input.InstanceProfileName, call, view),
    async handle(input, call, change) {
      const { accountId } = call;
      const { role, ...profile } = await readInstanceProfile(change, accountId, input.InstanceProfileName);
      await readRole(change, accountId, input.RoleName);
      if (role !== input.RoleName.toLowerCase()) {
        throw new AwsFault(
          'NoSuchEntityException',
          `Role ${input.RoleName} in Instance Profile ${input.InstanceProfileName} cannot be found.`,
        );
      }
      change.put(keys.instanceProfile(accountId, profile.name), profile);
      return nothing;
    },
  };

export const DeleteInstanceProfile: IdentityOperation<DeleteInstanceProfileRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    onInstanceProfile('iam:DeleteInstanceProfile', input.InstanceProfileName, call, view),
  async handle(input, call, change) {
    const profile = await readInstanceProfile(change, call.accountId, input.InstanceProfileName);
    if (profile.role !== undefined) {
      throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
    }
    change.delete(keys.instanceProfile(call.accountId, profile.name));
    return nothing;
  },
};
