import { limits } from '../kernel/index.ts';
import type { StateView } from '../state/index.ts';
import type { Principal } from '../wire/index.ts';
import { defaultDocument, findPolicy } from './attachments.ts';
import {
  keys,
  read,
  tagRecord,
  type EntityDocument,
  type GroupDocument,
  type RoleDocument,
  type UserDocument,
} from './documents.ts';
import type { HolderKind } from './entities.ts';
import { parsePolicy, type AttachedPolicy, type Policy, type PolicyKind } from './policy/index.ts';

/** What a user, group or role may do by its own policies. */
export interface Permissions {
  readonly identity: readonly AttachedPolicy[];
  readonly boundary?: AttachedPolicy;
  /** The user's or role's tags, for aws:PrincipalTag/… */
  readonly tags: Readonly<Record<string, string>>;
}

const noPermissions: Permissions = { identity: [], tags: {} };

/** Parsed policies by kind and text: the same text always parses to the same policy, so nothing ever makes them stale. */
const parsed = new Map<string, Policy>();

/**
 * Parses a policy that was checked when it was stored. One that is not understood all the same is a broken promise:
 * it must neither be ignored nor guessed at, so the call fails.
 */
export function knownPolicy(text: string, kind: PolicyKind, name: string): Policy {
  const key = `${kind} ${text}`;
  const known = parsed.get(key);
  if (known) return known;
  const result = parsePolicy(text, kind);
  if (result.kind === 'malformed') {
    throw new Error(
      `the stored ${kind} policy ${name} is not understood: ${result.problems[0]?.detail ?? ''}`,
    );
  }
  const [oldest] = parsed.size >= limits.policyCacheEntries ? parsed.keys() : [];
  if (oldest !== undefined) parsed.delete(oldest);
  parsed.set(key, result.policy);
  return result.policy;
}

async function managedPolicy(
  view: StateView,
  accountId: string,
  arn: string,
  kind: PolicyKind,
): Promise<AttachedPolicy> {
  const policy = await findPolicy(view, accountId, arn);
  if (!policy) throw new Error(`policy ${arn} is attached and does not exist`);
  const source = arn.startsWith('arn:aws:iam::aws:') ? 'aws-managed' : 'user-managed';
  return { id: policy.name, source, policy: knownPolicy(defaultDocument(policy), kind, arn) };
}

/** The policies in and attached to one user, group or role. */
async function policiesOfHolder(
  view: StateView,
  accountId: string,
  kind: HolderKind,
  holder: EntityDocument,
): Promise<readonly AttachedPolicy[]> {
  const inline = holder.inlinePolicies.map(({ name, document }): AttachedPolicy => {
    const id = `${kind}_${holder.name}_${name}`;
    return { id, source: kind, policy: knownPolicy(document, 'identity', id) };
  });
  const managed: AttachedPolicy[] = [];
  for (const arn of holder.attachedPolicies) {
    managed.push(await managedPolicy(view, accountId, arn, 'identity'));
  }
  return [...inline, ...managed];
}

async function boundaryOf(view: StateView, accountId: string, arn: string | undefined) {
  return arn === undefined ? {} : { boundary: await managedPolicy(view, accountId, arn, 'boundary') };
}

/** A user's permissions: its own policies and those of its groups. */
export async function permissionsOfUser(
  view: StateView,
  accountId: string,
  user: UserDocument,
): Promise<Permissions> {
  const identity = [...(await policiesOfHolder(view, accountId, 'user', user))];
  for (const name of user.groups) {
    const group = await read<GroupDocument>(view, keys.group(accountId, name));
    if (group) identity.push(...(await policiesOfHolder(view, accountId, 'group', group)));
  }
  return { identity, ...(await boundaryOf(view, accountId, user.boundary)), tags: tagRecord(user.tags) };
}

export async function permissionsOfGroup(
  view: StateView,
  accountId: string,
  group: GroupDocument,
): Promise<Permissions> {
  return { identity: await policiesOfHolder(view, accountId, 'group', group), tags: {} };
}

export async function permissionsOfRole(
  view: StateView,
  accountId: string,
  role: RoleDocument,
): Promise<Permissions> {
  return {
    identity: await policiesOfHolder(view, accountId, 'role', role),
    ...(await boundaryOf(view, accountId, role.boundary)),
    tags: tagRecord(role.tags),
  };
}

/** A caller's permissions. Whoever was deleted since they were authenticated has none. */
export async function permissionsOf(view: StateView, principal: Principal): Promise<Permissions> {
  const { accountId } = principal;
  switch (principal.type) {
    case 'Root':
      return noPermissions;
    case 'IAMUser': {
      const user = await read<UserDocument>(view, keys.user(accountId, principal.userName));
      return user?.id === principal.principalId ? permissionsOfUser(view, accountId, user) : noPermissions;
    }
    case 'AssumedRole': {
      const role = await read<RoleDocument>(view, keys.role(accountId, principal.role.name));
      return role?.id === principal.role.principalId
        ? permissionsOfRole(view, accountId, role)
        : noPermissions;
    }
  }
}
