import type {
  Group,
  InstanceProfile,
  Policy,
  PolicyVersion,
  Role,
  RoleLastUsed,
  User,
} from '@aws-sdk/client-iam';
import type { StateView } from '../state/index.ts';
import { groupArn, instanceProfileArn, roleArn, userArn } from './arns.ts';
import { boundaryShown, type AttachmentCounts } from './attachments.ts';
import {
  keys,
  read,
  type GroupDocument,
  type InstanceProfileDocument,
  type LastUsedDocument,
  type PolicyDocument,
  type PolicyVersionDocument,
  type RoleDocument,
  type TagDocument,
  type UserDocument,
} from './documents.ts';
import { readRole } from './entities.ts';
import { trustPolicyShown } from './trust-policies.ts';

/** Users, groups, roles, instance profiles and managed policies as the API shows them. */

/** Epoch milliseconds as IAM shows times: to the second. */
export const shownTime = (milliseconds: number): Date => new Date(Math.floor(milliseconds / 1000) * 1000);

/** A policy document as IAM shows it: percent-encoded by RFC 3986, which its clients undo. */
export const shownPolicy = (document: string): string =>
  encodeURIComponent(document).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The member is absent where there are no tags. */
export const tagsShown = (tags: readonly TagDocument[]): { readonly Tags?: TagDocument[] } =>
  tags.length > 0 ? { Tags: [...tags] } : {};

/** A user as lists and groups show it: without tags and boundary. */
export const userShown = (accountId: string, user: UserDocument): User => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: userArn(accountId, user.path, user.name),
  CreateDate: shownTime(user.createdAt),
});

export const userInFull = (accountId: string, user: UserDocument): User => ({
  ...userShown(accountId, user),
  ...boundaryShown(user.boundary),
  ...tagsShown(user.tags),
});

export const groupShown = (accountId: string, group: GroupDocument): Group => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: groupArn(accountId, group.path, group.name),
  CreateDate: shownTime(group.createdAt),
});

/** A role as instance profiles show it. */
async function roleInShort(view: StateView, accountId: string, role: RoleDocument): Promise<Role> {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: roleArn(accountId, role.path, role.name),
    CreateDate: shownTime(role.createdAt),
    AssumeRolePolicyDocument: shownPolicy(await trustPolicyShown(view, role)),
  };
}

/** A role as lists show it: without tags, boundary and last use. */
export async function roleShown(view: StateView, accountId: string, role: RoleDocument): Promise<Role> {
  return {
    ...(await roleInShort(view, accountId, role)),
    ...descriptionShown(role.description),
    MaxSessionDuration: role.maxSessionSeconds,
  };
}

/** A role as the call that makes it answers: IAM shows neither the description nor how long sessions may be. */
export async function roleMade(view: StateView, accountId: string, role: RoleDocument): Promise<Role> {
  return {
    ...(await roleInShort(view, accountId, role)),
    ...boundaryShown(role.boundary),
    ...tagsShown(role.tags),
  };
}

export async function roleInFull(view: StateView, accountId: string, role: RoleDocument): Promise<Role> {
  return {
    ...(await roleShown(view, accountId, role)),
    ...boundaryShown(role.boundary),
    ...tagsShown(role.tags),
  };
}

/** When the role's sessions were last used; empty when they never were. */
export async function roleLastUsed(view: StateView, role: RoleDocument): Promise<RoleLastUsed> {
  const used = await read<LastUsedDocument>(view, keys.roleLastUsed(role.id));
  return used ? { LastUsedDate: shownTime(used.time), Region: used.region } : {};
}

/** An instance profile as lists show it: without tags. */
export async function profileShown(
  view: StateView,
  accountId: string,
  profile: InstanceProfileDocument,
): Promise<InstanceProfile> {
  const role = profile.role === undefined ? undefined : await readRole(view, accountId, profile.role);
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: instanceProfileArn(accountId, profile.path, profile.name),
    CreateDate: shownTime(profile.createdAt),
    Roles: role ? [await roleInShort(view, accountId, role)] : [],
  };
}

/** A managed policy as lists show it: without description and tags. */
export const policyShown = (policy: PolicyDocument, counts: AttachmentCounts): Policy => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  DefaultVersionId: policy.defaultVersionId,
  ...counts.of(policy.arn),
  IsAttachable: true,
  CreateDate: shownTime(policy.createdAt),
  UpdateDate: shownTime(policy.updatedAt),
});

/** The member is absent where there is no description. */
export const descriptionShown = (description: string | undefined): { readonly Description?: string } =>
  description === undefined ? {} : { Description: description };

/** A version of a managed policy as lists show it: without its document. */
export const versionShown = (policy: PolicyDocument, version: PolicyVersionDocument): PolicyVersion => ({
  VersionId: version.id,
  IsDefaultVersion: version.id === policy.defaultVersionId,
  CreateDate: shownTime(version.createdAt),
});
