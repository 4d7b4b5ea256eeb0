import type {
  AttachedPolicy,
  EntityType,
  GetAccountAuthorizationDetailsRequest,
  GetAccountAuthorizationDetailsResponse,
  GroupDetail,
  ManagedPolicyDetail,
  PolicyDetail,
  RoleDetail,
  UserDetail,
} from '@aws-sdk/client-iam';
import type { StateView } from '../../state/index.ts';
import { attachmentCounts, boundaryShown, type AttachmentCounts } from '../attachments.ts';
import { awsManagedPolicies } from '../aws-managed-policies.ts';
import {
  keys,
  type EntityDocument,
  type GroupDocument,
  type PolicyDocument,
  type RoleDocument,
  type UserDocument,
} from '../documents.ts';
import { profilesOfRole, readGroup } from '../entities.ts';
import { onEverything } from '../needs.ts';
import type { IdentityOperation } from '../operation.ts';
import { pageAnswer, pageOfSections, type Section } from '../paging.ts';
import {
  descriptionShown,
  groupShown,
  policyShown,
  profileShown,
  roleLastUsed,
  roleShown,
  shownPolicy,
  userShown,
  versionShown,
} from '../shown.ts';

const inlineShown = (entity: EntityDocument): PolicyDetail[] =>
  entity.inlinePolicies.map(({ name, document }) => ({
    PolicyName: name,
    PolicyDocument: shownPolicy(document),
  }));

const attachedShown = (entity: EntityDocument): AttachedPolicy[] =>
  entity.attachedPolicies.map((arn) => ({
    PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
    PolicyArn: arn,
  }));

async function userDetail(view: StateView, accountId: string, user: UserDocument): Promise<UserDetail> {
  const groups = await Promise.all(user.groups.map((name) => readGroup(view, accountId, name)));
  return {
    ...userShown(accountId, user),
    UserPolicyList: inlineShown(user),
    GroupList: groups.map((group) => group.name),
    AttachedManagedPolicies: attachedShown(user),
    ...boundaryShown(user.boundary),
    Tags: [...user.tags],
  };
}

const groupDetail = (accountId: string, group: GroupDocument): GroupDetail => ({
  ...groupShown(accountId, group),
  GroupPolicyList: inlineShown(group),
  AttachedManagedPolicies: attachedShown(group),
});

async function roleDetail(view: StateView, accountId: string, role: RoleDocument): Promise<RoleDetail> {
  const {
    Description: _description,
    MaxSessionDuration: _duration,
    ...shown
  } = await roleShown(view, accountId, role);
  const profiles = await profilesOfRole(view, accountId, role.name);
  return {
    ...shown,
    InstanceProfileList: await Promise.all(profiles.map((profile) => profileShown(view, accountId, profile))),
    RolePolicyList: inlineShown(role),
    AttachedManagedPolicies: attachedShown(role),
    ...boundaryShown(role.boundary),
    Tags: [...role.tags],
    RoleLastUsed: await roleLastUsed(view, role),
  };
}

const policyDetail = (policy: PolicyDocument, counts: AttachmentCounts): ManagedPolicyDetail => ({
  ...policyShown(policy, counts),
  ...descriptionShown(policy.description),
  PolicyVersionList: policy.versions.map((version) => ({
    Document: shownPolicy(version.document),
    ...versionShown(policy, version),
  })),
});

/** One entity of the page. The kinds come one after the other; a page may hold the end of one and the start of the next. */
type Detail =
  | { readonly kind: 'user'; readonly document: UserDocument }
  | { readonly kind: 'group'; readonly document: GroupDocument }
  | { readonly kind: 'role'; readonly document: RoleDocument }
  | { readonly kind: 'policy'; readonly document: PolicyDocument };

const isUsed = (counts: AttachmentCounts, arn: string): boolean => {
  const { AttachmentCount, PermissionsBoundaryUsageCount } = counts.of(arn);
  return AttachmentCount + PermissionsBoundaryUsageCount > 0;
};

/** The sections that the filter asks for. Of AWS's policies those in use are the account's details. */
function sections(
  view: StateView,
  accountId: string,
  filter: readonly EntityType[],
  counts: AttachmentCounts,
): readonly Section<Detail>[] {
  const wants = (type: EntityType) => filter.length === 0 || filter.includes(type);
  const stored = (kind: Detail['kind'], prefix: string): Section<Detail> => ({
    async after(name, limit) {
      const documents = await view.list(prefix, { after: prefix + name, limit });
      return documents.map(({ key, value }) => ({
        name: key.slice(prefix.length),
        item: { kind, document: value } as Detail,
      }));
    },
  });
  const used = awsManagedPolicies.filter((policy) => isUsed(counts, policy.arn));
  const awsPolicies: Section<Detail> = {
    after: (name, limit) =>
      Promise.resolve(
        used
          .filter((policy) => policy.name.toLowerCase() > name)
          .slice(0, limit)
          .map((policy) => ({
            name: policy.name.toLowerCase(),
            item: { kind: 'policy', document: policy } as const,
          })),
      ),
  };
  return [
    ...(wants('User') ? [stored('user', keys.user(accountId))] : []),
    ...(wants('Group') ? [stored('group', keys.group(accountId))] : []),
    ...(wants('Role') ? [stored('role', keys.role(accountId))] : []),
    ...(wants('LocalManagedPolicy') ? [stored('policy', keys.policy(accountId))] : []),
    ...(wants('AWSManagedPolicy') ? [awsPolicies] : []),
  ];
}

export const GetAccountAuthorizationDetails: IdentityOperation<
  GetAccountAuthorizationDetailsRequest,
  GetAccountAuthorizationDetailsResponse
> = {
  access: 'read',
  needs: () => onEverything('iam:GetAccountAuthorizationDetails'),
  async handle(input, call, change) {
    const { accountId } = call;
    const counts = await attachmentCounts(change, accountId);
    const page = await pageOfSections(sections(change, accountId, input.Filter ?? [], counts), input);
    const users: UserDetail[] = [];
    const groups: GroupDetail[] = [];
    const roles: RoleDetail[] = [];
    const policies: ManagedPolicyDetail[] = [];
    for (const detail of page.items) {
      switch (detail.kind) {
        case 'user':
          users.push(await userDetail(change, accountId, detail.document));
          break;
        case 'group':
          groups.push(groupDetail(accountId, detail.document));
          break;
        case 'role':
          roles.push(await roleDetail(change, accountId, detail.document));
          break;
        case 'policy':
          policies.push(policyDetail(detail.document, counts));
          break;
      }
    }
    return {
      UserDetailList: users,
      GroupDetailList: groups,
      RoleDetailList: roles,
      Policies: policies,
      ...pageAnswer(page),
    };
  },
};
