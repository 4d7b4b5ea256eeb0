import type {
  AttachedPolicy,
  AttachGroupPolicyRequest,
  AttachRolePolicyRequest,
  AttachUserPolicyRequest,
  DetachGroupPolicyRequest,
  DetachRolePolicyRequest,
  DetachUserPolicyRequest,
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse,
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse,
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse,
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
} from '@aws-sdk/client-iam';
import { AwsFault } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { attachablePolicy, readPolicy } from '../attachments.ts';
import { keys, type AttachmentKind, type EntityDocument } from '../documents.ts';
import type { HolderKind } from '../entities.ts';
import { limitExceeded } from '../faults.ts';
import { onPolicy } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfDocuments, pageOfList, type PageRequest } from '../paging.ts';
import { holderKinds, updateHolder } from '../policy-holders.ts';
import { quotas } from '../quotas.ts';

const policyCondition = (policyArn: string) => ({ 'iam:PolicyARN': [policyArn] });

async function attach(
  call: Call,
  change: Change,
  kind: HolderKind,
  name: string,
  policyArn: string,
): Promise<Nothing> {
  const { accountId } = call;
  const quota = holderKinds[kind].attachedQuota;
  const holder = await holderKinds[kind].read(change, accountId, name);
  await attachablePolicy(change, accountId, policyArn);
  if (holder.attachedPolicies.includes(policyArn)) return nothing;
  if (holder.attachedPolicies.length >= quotas[quota]) throw limitExceeded(quota);
  await updateHolder(change, accountId, kind, name, ({ attachedPolicies }) => ({
    attachedPolicies: [...attachedPolicies, policyArn],
  }));
  change.put(keys.attachment(accountId, policyArn, kind, holder.name), {});
  return nothing;
}

async function detach(
  call: Call,
  change: Change,
  kind: HolderKind,
  name: string,
  policyArn: string,
): Promise<Nothing> {
  await updateHolder(change, call.accountId, kind, name, ({ attachedPolicies }) => {
    if (!attachedPolicies.includes(policyArn)) {
      throw new AwsFault('NoSuchEntityException', `Policy ${policyArn} was not found.`);
    }
    return { attachedPolicies: attachedPolicies.filter((other) => other !== policyArn) };
  });
  change.delete(keys.attachment(call.accountId, policyArn, kind, name));
  return nothing;
}

const nameInArn = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** The path of a policy, as it stands in its ARN. */
const pathInArn = (arn: string): string =>
  arn.slice(arn.indexOf(':policy/') + ':policy'.length, arn.lastIndexOf('/') + 1);

async function listAttached(
  call: Call,
  view: StateView,
  kind: HolderKind,
  name: string,
  request: PageRequest & { readonly PathPrefix?: string | undefined },
): Promise<{ AttachedPolicies: AttachedPolicy[]; IsTruncated: boolean; Marker?: string }> {
  const holder = await holderKinds[kind].read(view, call.accountId, name);
  const arns = holder.attachedPolicies.filter((arn) => pathInArn(arn).startsWith(request.PathPrefix ?? '/'));
  const page = pageOfList(arns, request, (arn) => `${nameInArn(arn)} ${arn}`);
  const policies = page.items.map((arn) => ({ PolicyName: nameInArn(arn), PolicyArn: arn }));
  return { AttachedPolicies: policies, ...pageAnswer(page) };
}

const { user, group, role } = holderKinds;

export const AttachUserPolicy: IdentityOperation<AttachUserPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    user.need('iam:AttachUserPolicy', input.UserName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => attach(call, change, 'user', input.UserName, input.PolicyArn),
};

export const DetachUserPolicy: IdentityOperation<DetachUserPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    user.need('iam:DetachUserPolicy', input.UserName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => detach(call, change, 'user', input.UserName, input.PolicyArn),
};

export const ListAttachedUserPolicies: IdentityOperation<
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse
> = {
  access: 'read',
  needs: (input, call, view) => user.need('iam:ListAttachedUserPolicies', input.UserName, call, view),
  handle: (input, call, change) => listAttached(call, change, 'user', input.UserName, input),
};

export const AttachGroupPolicy: IdentityOperation<AttachGroupPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    group.need('iam:AttachGroupPolicy', input.GroupName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => attach(call, change, 'group', input.GroupName, input.PolicyArn),
};

export const DetachGroupPolicy: IdentityOperation<DetachGroupPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    group.need('iam:DetachGroupPolicy', input.GroupName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => detach(call, change, 'group', input.GroupName, input.PolicyArn),
};

export const ListAttachedGroupPolicies: IdentityOperation<
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse
> = {
  access: 'read',
  needs: (input, call, view) => group.need('iam:ListAttachedGroupPolicies', input.GroupName, call, view),
  handle: (input, call, change) => listAttached(call, change, 'group', input.GroupName, input),
};

export const AttachRolePolicy: IdentityOperation<AttachRolePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    role.need('iam:AttachRolePolicy', input.RoleName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => attach(call, change, 'role', input.RoleName, input.PolicyArn),
};

export const DetachRolePolicy: IdentityOperation<DetachRolePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) =>
    role.need('iam:DetachRolePolicy', input.RoleName, call, view, policyCondition(input.PolicyArn)),
  handle: (input, call, change) => detach(call, change, 'role', input.RoleName, input.PolicyArn),
};

export const ListAttachedRolePolicies: IdentityOperation<
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse
> = {
  access: 'read',
  needs: (input, call, view) => role.need('iam:ListAttachedRolePolicies', input.RoleName, call, view),
  handle: (input, call, change) => listAttached(call, change, 'role', input.RoleName, input),
};

/** The kinds of use that a filter asks for. */
function usesAskedFor(input: ListEntitiesForPolicyRequest): ReadonlySet<string> {
  const asPermissions = input.PolicyUsageFilter !== 'PermissionsBoundary';
  const asBoundary = input.PolicyUsageFilter !== 'PermissionsPolicy';
  const wants = (kind: string) => [undefined, kind].includes(input.EntityFilter);
  const kinds: AttachmentKind[] = [
    ...(asPermissions && wants('User') ? ['user' as const] : []),
    ...(asPermissions && wants('Group') ? ['group' as const] : []),
    ...(asPermissions && wants('Role') ? ['role' as const] : []),
    ...(asBoundary && wants('User') ? ['boundary-user' as const] : []),
    ...(asBoundary && wants('Role') ? ['boundary-role' as const] : []),
  ];
  return new Set(kinds);
}

export const ListEntitiesForPolicy: IdentityOperation<
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse
> = {
  access: 'read',
  needs: (input, call, view) => onPolicy('iam:ListEntitiesForPolicy', input.PolicyArn, call, view),
  async handle(input, call, change) {
    const { accountId } = call;
    await readPolicy(change, accountId, input.PolicyArn);
    const prefix = keys.attachments(accountId, input.PolicyArn);
    const uses = usesAskedFor(input);
    const page = await pageOfDocuments(change, prefix, input, ({ key }) => {
      const [kind = '', name = ''] = key.slice(prefix.length).split('/');
      return uses.has(kind) ? { kind: kind.replace('boundary-', '') as HolderKind, name } : undefined;
    });
    const found: { readonly kind: HolderKind; readonly entity: EntityDocument }[] = [];
    for (const { kind, name } of page.items) {
      const entity = await holderKinds[kind].read(change, accountId, name);
      if (entity.path.startsWith(input.PathPrefix ?? '/')) found.push({ kind, entity });
    }
    // Whoever has the policy both attached and as boundary is one entity.
    const ofKind = (kind: HolderKind) => [
      ...new Map(found.filter((use) => use.kind === kind).map((use) => [use.entity.id, use.entity])).values(),
    ];
    return {
      PolicyUsers: ofKind('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyGroups: ofKind('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyRoles: ofKind('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...pageAnswer(page),
    };
  },
};
