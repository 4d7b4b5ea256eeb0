import { parseArn } from '../kernel/index.ts';
import type { Change, StateView } from '../state/index.ts';
import { roleArn, userArn } from './arns.ts';
import { keys, read, type AccountDocument, type RoleDocument, type UserDocument } from './documents.ts';
import { principalsOf, type Policy } from './policy/index.ts';

/**
 * Whom policies name. As IAM does, the users and roles that a trust policy or a resource-based policy names are found when
 * the policy is saved, and are meant by their unique ids from then on: someone who is later made under the name of a deleted
 * user has nothing of it, and a policy that names somebody who is gone shows the unique id ("AWS JSON policy elements:
 * Principal", IAM user principals, IAM role principals). What is of an account that is not here (and services, accounts,
 * identity providers) is kept as it is written: nothing can be known of it.
 */

/** A user, role or role session that a policy names, as it was when the policy was saved. */
export interface NamedPrincipal {
  readonly arn: string;
  /** `AIDA…` or `AROA…`; of a session `AROA…:SESSION`. */
  readonly id: string;
}

export type BoundPolicy =
  | {
      readonly kind: 'bound';
      /** The policy as it is to be kept: as given, but with ARNs where it was given ids. */
      readonly text: string;
      readonly principals: readonly NamedPrincipal[];
    }
  /** The first one that is not there, as the policy names it. */
  | { readonly kind: 'unknown'; readonly principal: string };

type Found = NamedPrincipal | 'absent' | 'foreign';

const nameIn = (resource: string): string => resource.slice(resource.lastIndexOf('/') + 1);

/** The user or role of an IAM ARN, or the session of an STS one; `foreign` for all that nothing can be known of. */
async function findByArn(view: StateView, arn: string): Promise<Found> {
  const parsed = parseArn(arn);
  if (!parsed || !(await view.get(keys.account(parsed.accountId)))) return 'foreign';
  const { service, accountId, resource } = parsed;
  if (service === 'sts') {
    const [kind, name, session] = resource.split('/');
    if (kind !== 'assumed-role') return 'foreign';
    const role = await read<RoleDocument>(view, keys.role(accountId, name));
    return role?.name === name ? { arn, id: `${role?.id}:${session}` } : 'absent';
  }
  const isUser = resource.startsWith('user/');
  const key = isUser ? keys.user(accountId, nameIn(resource)) : keys.role(accountId, nameIn(resource));
  const found = await read<UserDocument | RoleDocument>(view, key);
  const arnOf = isUser ? userArn : roleArn;
  return found && arnOf(accountId, found.path, found.name) === arn ? { arn, id: found.id } : 'absent';
}

/** The ARNs of those users and roles here that have one of these ids; looked for through all of them, which is rare. */
async function arnsById(view: StateView, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (ids.size === 0) return found;
  for (const { value: account } of await view.list<AccountDocument>(keys.accounts)) {
    const { accountId } = account;
    for (const { value } of await view.list<UserDocument>(keys.user(accountId))) {
      if (ids.has(value.id)) found.set(value.id, userArn(accountId, value.path, value.name));
    }
    for (const { value } of await view.list<RoleDocument>(keys.role(accountId))) {
      if (ids.has(value.id)) found.set(value.id, roleArn(accountId, value.path, value.name));
    }
  }
  return found;
}

/** Puts other names in the place of those that statements give AWS principals. */
function renamePrincipals(policyText: string, nameOf: ReadonlyMap<string, string>): string {
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return nameOf.get(value) ?? value;
    return Array.isArray(value) ? value.map(rename) : value;
  };
  const policy = JSON.parse(policyText) as { Statement?: unknown };
  for (const statement of [policy.Statement].flat() as Record<string, Record<string, unknown> | string>[]) {
    for (const element of ['Principal', 'NotPrincipal']) {
      const named = statement[element];
      if (typeof named === 'object' && Object.hasOwn(named, 'AWS')) named['AWS'] = rename(named['AWS']);
    }
  }
  return JSON.stringify(policy);
}

/** Finds whom a policy that is about to be saved names. `policy` is `text`, parsed. */
export async function bindPrincipals(view: StateView, policy: Policy, text: string): Promise<BoundPolicy> {
  const named = principalsOf(policy);
  const ids = named.flatMap((one) => (one.type === 'uniqueId' ? [one.id] : []));
  const arns = await arnsById(view, new Set(ids));
  const principals = new Map<string, NamedPrincipal>();
  for (const one of named) {
    if (one.type === 'sessionId') return { kind: 'unknown', principal: one.id };
    if (one.type === 'uniqueId') {
      const arn = arns.get(one.id);
      if (arn === undefined) return { kind: 'unknown', principal: one.id };
      principals.set(arn, { arn, id: one.id });
    } else if (one.type === 'arn') {
      const found = await findByArn(view, one.arn);
      if (found === 'absent') return { kind: 'unknown', principal: one.arn };
      if (found !== 'foreign') principals.set(one.arn, found);
    }
  }
  const kept = ids.length === 0 ? text : renamePrincipals(text, arns);
  return { kind: 'bound', text: kept, principals: [...principals.values()] };
}

/** A policy as it is evaluated: with unique ids. One that was saved before ids were kept is evaluated as it is written. */
export function policyInForce(text: string, principals: readonly NamedPrincipal[] | undefined): string {
  if (!principals || principals.length === 0) return text;
  return renamePrincipals(text, new Map(principals.map(({ arn, id }) => [arn, id])));
}

/** A policy as it is shown: whoever was renamed by the new ARN, whoever is gone by the unique id. */
export async function policyShown(
  view: StateView,
  text: string,
  principals: readonly NamedPrincipal[] | undefined = [],
): Promise<string> {
  const others = new Map<string, string>();
  for (const { arn, id } of principals) {
    const current = await findByArn(view, arn);
    if (typeof current === 'object' && current.id === id) continue;
    others.set(arn, (await read<MovedDocument>(view, keys.moved(id)))?.arn ?? id);
  }
  return others.size === 0 ? text : renamePrincipals(text, others);
}

/** Where a user is whose name or path was changed, under its unique id. */
interface MovedDocument {
  readonly arn: string;
}

/** Remembers the new ARN of a user, for the policies that name it by the old one. */
export function noteMoved(change: Change, id: string, arn: string): void {
  change.put(keys.moved(id), { arn } satisfies MovedDocument);
}
