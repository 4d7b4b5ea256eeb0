import type {
  CreatePolicyRequest,
  CreatePolicyResponse,
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse,
  DeletePolicyRequest,
  DeletePolicyVersionRequest,
  GetPolicyRequest,
  GetPolicyResponse,
  GetPolicyVersionRequest,
  GetPolicyVersionResponse,
  ListPoliciesRequest,
  ListPoliciesResponse,
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse,
  Policy,
  SetDefaultPolicyVersionRequest,
} from '@aws-sdk/client-iam';
import { AwsFault, uniqueId } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import { policyArn } from '../arns.ts';
import {
  attachmentCounts,
  findPolicy,
  readOwnPolicy,
  readPolicy,
  type AttachmentCounts,
} from '../attachments.ts';
import { awsManagedPolicies } from '../aws-managed-policies.ts';
import { keys, type PolicyDocument, type PolicyVersionDocument } from '../documents.ts';
import { addTags, checkName, checkPath, checkQuota } from '../entities.ts';
import { deleteConflict, limitExceeded } from '../faults.ts';
import { onEverything, onPolicy, tagConditions } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfList } from '../paging.ts';
import { checkPolicyText, policySize } from '../policy-texts.ts';
import { quotas } from '../quotas.ts';
import { descriptionShown, policyShown, shownPolicy, tagsShown, versionShown } from '../shown.ts';

/** As the call that makes it answers: IAM does not repeat the description. */
const policyMade = (policy: PolicyDocument, counts: AttachmentCounts): Policy => ({
  ...policyShown(policy, counts),
  ...tagsShown(policy.tags),
});

const policyInFull = (policy: PolicyDocument, counts: AttachmentCounts): Policy => ({
  ...policyShown(policy, counts),
  ...descriptionShown(policy.description),
  Tags: [...policy.tags],
});

const noSuchVersion = (arn: string, versionId: string): AwsFault =>
  new AwsFault(
    'NoSuchEntityException',
    `Policy ${arn} version ${versionId} does not exist or is not attachable.`,
  );

function readVersion(policy: PolicyDocument, versionId: string): PolicyVersionDocument {
  const version = policy.versions.find(({ id }) => id === versionId);
  if (version) return version;
  throw noSuchVersion(policy.arn, versionId);
}

function checkManagedPolicy(text: string): void {
  checkPolicyText(text, 'identity');
  if (policySize(text) > quotas.PolicySize) throw limitExceeded('PolicySize');
}

export const CreatePolicy: IdentityOperation<CreatePolicyRequest, CreatePolicyResponse> = {
  access: 'write',
  needs(input, call) {
    const resource = policyArn(call.accountId, input.Path ?? '/', input.PolicyName);
    const create = { action: 'iam:CreatePolicy', resource, conditions: tagConditions(input.Tags) };
    return input.Tags?.length ? [create, { ...create, action: 'iam:TagPolicy' }] : [create];
  },
  async handle(input, call, change, { state, random }) {
    const { accountId, time } = call;
    checkName('policyName', input.PolicyName, 128);
    const key = keys.policy(accountId, input.PolicyName);
    if (await change.get(key)) {
      throw new AwsFault(
        'EntityAlreadyExistsException',
        `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
      );
    }
    await checkQuota(state, keys.policy(accountId), 'PoliciesPerAccount');
    checkManagedPolicy(input.PolicyDocument);
    const path = checkPath(input.Path);
    const policy: PolicyDocument = {
      name: input.PolicyName,
      id: uniqueId('ANPA', random),
      path,
      arn: policyArn(accountId, path, input.PolicyName),
      ...(input.Description === undefined ? {} : { description: input.Description }),
      createdAt: time,
      updatedAt: time,
      versions: [{ id: 'v1', document: input.PolicyDocument, createdAt: time }],
      defaultVersionId: 'v1',
      nextVersion: 2,
      tags: addTags([], input.Tags),
    };
    change.put(key, policy);
    return { Policy: policyMade(policy, await attachmentCounts(change, accountId, policy.arn)) };
  },
};

export const GetPolicy: IdentityOperation<GetPolicyRequest, GetPolicyResponse> = {
  access: 'read',
  needs: (input, call, view) => onPolicy('iam:GetPolicy', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const policy = await readPolicy(change, call.accountId, input.PolicyArn);
    return { Policy: policyInFull(policy, await attachmentCounts(change, call.accountId, policy.arn)) };
  },
};

/** The account's policies and AWS's, as the scope asks for. */
async function policiesInScope(
  view: StateView,
  accountId: string,
  scope: ListPoliciesRequest['Scope'] = 'All',
): Promise<readonly PolicyDocument[]> {
  const own =
    scope === 'AWS'
      ? []
      : (await view.list<PolicyDocument>(keys.policy(accountId))).map(({ value }) => value);
  return scope === 'Local' ? own : [...own, ...awsManagedPolicies];
}

export const ListPolicies: IdentityOperation<ListPoliciesRequest, ListPoliciesResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListPolicies'),
  async handle(input, call, change) {
    const { accountId } = call;
    const counts = await attachmentCounts(change, accountId);
    const prefix = input.PathPrefix ?? '/';
    const wanted = (await policiesInScope(change, accountId, input.Scope)).filter((policy) => {
      const { AttachmentCount, PermissionsBoundaryUsageCount } = counts.of(policy.arn);
      const used =
        input.PolicyUsageFilter === 'PermissionsBoundary' ? PermissionsBoundaryUsageCount : AttachmentCount;
      const mustBeUsed = input.OnlyAttached === true || input.PolicyUsageFilter !== undefined;
      return policy.path.startsWith(prefix) && (used > 0 || !mustBeUsed);
    });
    const page = pageOfList(wanted, input, (policy) => `${policy.name.toLowerCase()} ${policy.arn}`);
    return { Policies: page.items.map((policy) => policyShown(policy, counts)), ...pageAnswer(page) };
  },
};

export const DeletePolicy: IdentityOperation<DeletePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onPolicy('iam:DeletePolicy', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    const policy = await readOwnPolicy(change, accountId, input.PolicyArn);
    if ((await change.list(keys.attachments(accountId, policy.arn), { limit: 1 })).length > 0) {
      throw deleteConflict('Cannot delete a policy attached to entities.');
    }
    if (policy.versions.length > 1) {
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    }
    change.delete(keys.policy(accountId, policy.name));
    return nothing;
  },
};

export const CreatePolicyVersion: IdentityOperation<CreatePolicyVersionRequest, CreatePolicyVersionResponse> =
  {
    access: 'write',
    needs: (input, call, view) => onPolicy('iam:CreatePolicyVersion', input.PolicyArn, call, view),
    async handle(input, call, change) {
      const policy = await readOwnPolicy(change, call.accountId, input.PolicyArn);
      if (policy.versions.length >= quotas.PolicyVersionsPerPolicy) {
        throw new AwsFault(
          'LimitExceededException',
          `A managed policy can have up to ${quotas.PolicyVersionsPerPolicy} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      checkManagedPolicy(input.PolicyDocument);
      const version = { id: `v${policy.nextVersion}`, document: input.PolicyDocument, createdAt: call.time };
      const updated: PolicyDocument = {
        ...policy,
        updatedAt: call.time,
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        ...(input.SetAsDefault ? { defaultVersionId: version.id } : {}),
      };
      change.put(keys.policy(call.accountId, policy.name), updated);
      return { PolicyVersion: versionShown(updated, version) };
    },
  };

export const GetPolicyVersion: IdentityOperation<GetPolicyVersionRequest, GetPolicyVersionResponse> = {
  access: 'read',
  needs: (input, call, view) => onPolicy('iam:GetPolicyVersion', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const policy = await findPolicy(change, call.accountId, input.PolicyArn);
    if (!policy) throw noSuchVersion(input.PolicyArn, input.VersionId);
    const version = readVersion(policy, input.VersionId);
    return {
      PolicyVersion: { ...versionShown(policy, version), Document: shownPolicy(version.document) },
    };
  },
};

/** Versions are listed newest first, and their markers must sort like that. */
const newestFirst = (version: PolicyVersionDocument): string =>
  String(1_000_000 - Number(version.id.slice(1))).padStart(7, '0');

export const ListPolicyVersions: IdentityOperation<ListPolicyVersionsRequest, ListPolicyVersionsResponse> = {
  access: 'read',
  needs: (input, call, view) => onPolicy('iam:ListPolicyVersions', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const policy = await readPolicy(change, call.accountId, input.PolicyArn);
    const page = pageOfList(policy.versions, input, newestFirst);
    return { Versions: page.items.map((version) => versionShown(policy, version)), ...pageAnswer(page) };
  },
};

export const SetDefaultPolicyVersion: IdentityOperation<SetDefaultPolicyVersionRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onPolicy('iam:SetDefaultPolicyVersion', input.PolicyArn, call, view),
  async handle(input, call, change) {
    if (!(await findPolicy(change, call.accountId, input.PolicyArn))) {
      throw noSuchVersion(input.PolicyArn, input.VersionId);
    }
    const policy = await readOwnPolicy(change, call.accountId, input.PolicyArn);
    const version = readVersion(policy, input.VersionId);
    change.put(keys.policy(call.accountId, policy.name), {
      ...policy,
      updatedAt: call.time,
      defaultVersionId: version.id,
    });
    return nothing;
  },
};

export const DeletePolicyVersion: IdentityOperation<DeletePolicyVersionRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onPolicy('iam:DeletePolicyVersion', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const policy = await readOwnPolicy(change, call.accountId, input.PolicyArn);
    const version = readVersion(policy, input.VersionId);
    if (version.id === policy.defaultVersionId) {
      throw deleteConflict('Cannot delete the default version of a policy.');
    }
    change.put(keys.policy(call.accountId, policy.name), {
      ...policy,
      versions: policy.versions.filter(({ id }) => id !== version.id),
    });
    return nothing;
  },
};
