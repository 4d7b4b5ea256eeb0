import type {
  DeleteGroupPolicyRequest,
  DeleteRolePolicyRequest,
  DeleteUserPolicyRequest,
  GetGroupPolicyRequest,
  GetGroupPolicyResponse,
  GetRolePolicyRequest,
  GetRolePolicyResponse,
  GetUserPolicyRequest,
  GetUserPolicyResponse,
  ListGroupPoliciesRequest,
  ListGroupPoliciesResponse,
  ListRolePoliciesRequest,
  ListRolePoliciesResponse,
  ListUserPoliciesRequest,
  ListUserPoliciesResponse,
  PutGroupPolicyRequest,
  PutRolePolicyRequest,
  PutUserPolicyRequest,
} from '@aws-sdk/client-iam';
import { AwsFault } from '../../kernel/index.ts';
import type { Change } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { checkName, type HolderKind } from '../entities.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfList, type PageRequest } from '../paging.ts';
import { holderKinds, updateHolder } from '../policy-holders.ts';
import { checkPolicyText, policySize } from '../policy-texts.ts';
import { quotas } from '../quotas.ts';
import { shownPolicy } from '../shown.ts';

/** Which of whose inline policies. */
interface InlinePolicyName {
  readonly kind: HolderKind;
  readonly holder: string;
  readonly policy: string;
}

const noSuchInlinePolicy = ({ kind, policy }: InlinePolicyName): AwsFault =>
  new AwsFault('NoSuchEntityException', `The ${kind} policy with name ${policy} cannot be found.`);

async function putPolicy(
  call: Call,
  change: Change,
  which: InlinePolicyName,
  text: string,
): Promise<Nothing> {
  checkName('policyName', which.policy, 128);
  checkPolicyText(text, 'identity');
  const quota = holderKinds[which.kind].inlineQuota;
  await updateHolder(change, call.accountId, which.kind, which.holder, (holder) => {
    const others = holder.inlinePolicies.filter((policy) => policy.name !== which.policy);
    const inlinePolicies = [...others, { name: which.policy, document: text }];
    const size = inlinePolicies.reduce((sum, policy) => sum + policySize(policy.document), 0);
    if (size > quotas[quota]) {
      throw new AwsFault(
        'LimitExceededException',
        `Maximum policy size of ${quotas[quota]} bytes exceeded for ${which.kind} ${holder.name}`,
      );
    }
    return { inlinePolicies };
  });
  return nothing;
}

async function getPolicy(
  call: Call,
  change: Change,
  which: InlinePolicyName,
): Promise<{ readonly holder: string; readonly PolicyName: string; readonly PolicyDocument: string }> {
  const holder = await holderKinds[which.kind].read(change, call.accountId, which.holder);
  const found = holder.inlinePolicies.find((policy) => policy.name === which.policy);
  if (!found) throw noSuchInlinePolicy(which);
  return { holder: holder.name, PolicyName: found.name, PolicyDocument: shownPolicy(found.document) };
}

async function listPolicies(
  call: Call,
  change: Change,
  kind: HolderKind,
  name: string,
  request: PageRequest,
): Promise<{ PolicyNames: string[]; IsTruncated: boolean; Marker?: string }> {
  const holder = await holderKinds[kind].read(change, call.accountId, name);
  const page = pageOfList(holder.inlinePolicies, request, (policy) => policy.name);
  return { PolicyNames: page.items.map((policy) => policy.name), ...pageAnswer(page) };
}

async function deletePolicy(call: Call, change: Change, which: InlinePolicyName): Promise<Nothing> {
  await updateHolder(change, call.accountId, which.kind, which.holder, (holder) => {
    const inlinePolicies = holder.inlinePolicies.filter((policy) => policy.name !== which.policy);
    if (inlinePolicies.length === holder.inlinePolicies.length) throw noSuchInlinePolicy(which);
    return { inlinePolicies };
  });
  return nothing;
}

const ofUser = (input: { readonly UserName: string; readonly PolicyName: string }): InlinePolicyName => ({
  kind: 'user',
  holder: input.UserName,
  policy: input.PolicyName,
});
const ofGroup = (input: { readonly GroupName: string; readonly PolicyName: string }): InlinePolicyName => ({
  kind: 'group',
  holder: input.GroupName,
  policy: input.PolicyName,
});
const ofRole = (input: { readonly RoleName: string; readonly PolicyName: string }): InlinePolicyName => ({
  kind: 'role',
  holder: input.RoleName,
  policy: input.PolicyName,
});

const { user, group, role } = holderKinds;

export const PutUserPolicy: IdentityOperation<PutUserPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => user.need('iam:PutUserPolicy', input.UserName, call, view),
  handle: (input, call, change) => putPolicy(call, change, ofUser(input), input.PolicyDocument),
};

export const GetUserPolicy: IdentityOperation<GetUserPolicyRequest, GetUserPolicyResponse> = {
  access: 'read',
  needs: (input, call, view) => user.need('iam:GetUserPolicy', input.UserName, call, view),
  async handle(input, call, change) {
    const { holder, ...policy } = await getPolicy(call, change, ofUser(input));
    return { UserName: holder, ...policy };
  },
};

export const ListUserPolicies: IdentityOperation<ListUserPoliciesRequest, ListUserPoliciesResponse> = {
  access: 'read',
  needs: (input, call, view) => user.need('iam:ListUserPolicies', input.UserName, call, view),
  handle: (input, call, change) => listPolicies(call, change, 'user', input.UserName, input),
};

export const DeleteUserPolicy: IdentityOperation<DeleteUserPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => user.need('iam:DeleteUserPolicy', input.UserName, call, view),
  handle: (input, call, change) => deletePolicy(call, change, ofUser(input)),
};

export const PutGroupPolicy: IdentityOperation<PutGroupPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => group.need('iam:PutGroupPolicy', input.GroupName, call, view),
  handle: (input, call, change) => putPolicy(call, change, ofGroup(input), input.PolicyDocument),
};

export const GetGroupPolicy: IdentityOperation<GetGroupPolicyRequest, GetGroupPolicyResponse> = {
  access: 'read',
  needs: (input, call, view) => group.need('iam:GetGroupPolicy', input.GroupName, call, view),
  async handle(input, call, change) {
    const { holder, ...policy } = await getPolicy(call, change, ofGroup(input));
    return { GroupName: holder, ...policy };
  },
};

export const ListGroupPolicies: IdentityOperation<ListGroupPoliciesRequest, ListGroupPoliciesResponse> = {
  access: 'read',
  needs: (input, call, view) => group.need('iam:ListGroupPolicies', input.GroupName, call, view),
  handle: (input, call, change) => listPolicies(call, change, 'group', input.GroupName, input),
};

export const DeleteGroupPolicy: IdentityOperation<DeleteGroupPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => group.need('iam:DeleteGroupPolicy', input.GroupName, call, view),
  handle: (input, call, change) => deletePolicy(call, change, ofGroup(input)),
};

export const PutRolePolicy: IdentityOperation<PutRolePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => role.need('iam:PutRolePolicy', input.RoleName, call, view),
  handle: (input, call, change) => putPolicy(call, change, ofRole(input), input.PolicyDocument),
};

export const GetRolePolicy: IdentityOperation<GetRolePolicyRequest, GetRolePolicyResponse> = {
  access: 'read',
  needs: (input, call, view) => role.need('iam:GetRolePolicy', input.RoleName, call, view),
  async handle(input, call, change) {
    const { holder, ...policy } = await getPolicy(call, change, ofRole(input));
    return { RoleName: holder, ...policy };
  },
};

export const ListRolePolicies: IdentityOperation<ListRolePoliciesRequest, ListRolePoliciesResponse> = {
  access: 'read',
  needs: (input, call, view) => role.need('iam:ListRolePolicies', input.RoleName, call, view),
  handle: (input, call, change) => listPolicies(call, change, 'role', input.RoleName, input),
};

export const DeleteRolePolicy: IdentityOperation<DeleteRolePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => role.need('iam:DeleteRolePolicy', input.RoleName, call, view),
  handle: (input, call, change) => deletePolicy(call, change, ofRole(input)),
};
