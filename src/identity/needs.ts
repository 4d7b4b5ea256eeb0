import type { StateView } from '../state/index.ts';
import type { Call, Need } from '../wire/index.ts';
import { groupArn, instanceProfileArn, policyArn, roleArn, rootArn, userArn } from './arns.ts';
import {
  keys,
  read,
  tagRecord,
  type GroupDocument,
  type InstanceProfileDocument,
  type PolicyDocument,
  type RoleDocument,
  type TagDocument,
  type UserDocument,
} from './documents.ts';

/**
 * What permission an operation needs, and on what ("Actions, resources, and condition keys for AWS Identity and Access
 * Management" in the service authorization reference). Resources are named with their path. Of one that does not exist the
 * path is taken to be `/`: whether it exists is answered only to those who are allowed.
 */

export type Conditions = Readonly<Record<string, readonly string[]>>;

/** Actions that know iam:PermissionsBoundary, the boundary of the entity they act on. */
const boundaryActions = new Set(
  ['User', 'Role'].flatMap((kind) => [
    `iam:Attach${kind}Policy`,
    `iam:Detach${kind}Policy`,
    `iam:Put${kind}Policy`,
    `iam:Delete${kind}Policy`,
    `iam:Delete${kind}PermissionsBoundary`,
  ]),
);

const boundaryOf = (action: string, boundary: string | undefined): Conditions =>
  boundary !== undefined && boundaryActions.has(action) ? { 'iam:PermissionsBoundary': [boundary] } : {};

/** A need on a resource that may have tags. IAM knows them as aws:ResourceTag/… and as iam:ResourceTag/… */
function needOn(
  action: string,
  resource: string,
  conditions: Conditions,
  entity: { readonly tags: readonly TagDocument[] } | undefined,
): Need {
  const tags = entity?.tags ?? [];
  if (tags.length === 0) return { action, resource, conditions };
  const tagKeys = Object.fromEntries(tags.map((tag) => [`iam:ResourceTag/${tag.Key}`, [tag.Value]]));
  return { action, resource, conditions: { ...tagKeys, ...conditions }, resourceTags: tagRecord(tags) };
}

/** A user; without a name the caller, be it a user or the account's root. */
export async function onUser(
  action: string,
  name: string | undefined,
  call: Call,
  view: StateView,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  const { accountId, principal } = call;
  const userName = name ?? (principal.type === 'IAMUser' ? principal.userName : undefined);
  if (userName === undefined) {
    return [{ action, resource: principal.type === 'Root' ? rootArn(accountId) : '*', conditions }];
  }
  const user = await read<UserDocument>(view, keys.user(accountId, userName));
  const arn = userArn(accountId, user?.path ?? '/', user?.name ?? userName);
  return [needOn(action, arn, { ...boundaryOf(action, user?.boundary), ...conditions }, user)];
}

export async function onGroup(
  action: string,
  name: string,
  call: Call,
  view: StateView,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  const group = await read<GroupDocument>(view, keys.group(call.accountId, name));
  return [
    { action, resource: groupArn(call.accountId, group?.path ?? '/', group?.name ?? name), conditions },
  ];
}

export async function onRole(
  action: string,
  name: string,
  call: Call,
  view: StateView,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  const role = await read<RoleDocument>(view, keys.role(call.accountId, name));
  const arn = roleArn(call.accountId, role?.path ?? '/', role?.name ?? name);
  return [needOn(action, arn, { ...boundaryOf(action, role?.boundary), ...conditions }, role)];
}

/** A managed policy, which requests name by its ARN. */
export async function onPolicy(
  action: string,
  arn: string,
  call: Call,
  view: StateView,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  const own = arn.startsWith(policyArn(call.accountId, '/', ''));
  const name = arn.slice(arn.lastIndexOf('/') + 1);
  const policy = own ? await read<PolicyDocument>(view, keys.policy(call.accountId, name)) : undefined;
  return [needOn(action, arn, conditions, policy?.arn === arn ? policy : undefined)];
}

export async function onInstanceProfile(
  action: string,
  name: string,
  call: Call,
  view: StateView,
  conditions: Conditions = {},
): Promise<readonly [Need]> {
  const profile = await read<InstanceProfileDocument>(view, keys.instanceProfile(call.accountId, name));
  const arn = instanceProfileArn(call.accountId, profile?.path ?? '/', profile?.name ?? name);
  return [needOn(action, arn, conditions, profile)];
}

/** An action that has no resource. */
export const onEverything = (action: string): readonly [Need] => [{ action, resource: '*' }];

/** The condition keys of tags that a request sets. */
export function tagConditions(
  tags: readonly { readonly Key: string | undefined; readonly Value: string | undefined }[] = [],
): Conditions {
  if (tags.length === 0) return {};
  return Object.fromEntries([
    ...tags.map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, [Value]] as const),
    ['aws:TagKeys', tags.map(({ Key = '' }) => Key)] as const,
  ]);
}

/** The condition key of tags that a request takes away. */
export const tagKeyConditions = (tagKeys: readonly string[]): Conditions => ({ 'aws:TagKeys': tagKeys });

/** The condition key of a boundary that a request sets. */
export const boundaryConditions = (boundary: string | undefined): Conditions =>
  boundary === undefined ? {} : { 'iam:PermissionsBoundary': [boundary] };
