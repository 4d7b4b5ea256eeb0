import { parseArn } from '../kernel/index.ts';
import type { StateView } from '../state/index.ts';
import { roleArn, userArn } from './arns.ts';
import { keys, read, type RoleDocument, type TrustedPrincipal, type UserDocument } from './documents.ts';
import { limitExceeded, malformedPolicy } from './faults.ts';
import { principalsOf } from './policy/index.ts';
import { checkPolicyText, policySize } from './policy-texts.ts';
import { quotas } from './quotas.ts';

/**
 * Role trust policies. As IAM does, the users and roles that a trust policy names are remembered by their unique ids when
 * the policy is set: someone who is later created under the name of a deleted user is not trusted
 * ("AWS JSON policy elements: Principal" in the IAM user guide).
 */

type NamedPrincipal =
  | { readonly kind: 'found'; readonly id: string }
  /** Of an account here, in which there is no such user or role. */
  | { readonly kind: 'absent' }
  /** Not a user or role, or of an account that is not here: nothing can be known of it. */
  | { readonly kind: 'foreign' };

async function findPrincipal(view: StateView, principalArn: string): Promise<NamedPrincipal> {
  const arn = parseArn(principalArn);
  if (arn?.service !== 'iam' || !(await view.get(keys.account(arn.accountId)))) return { kind: 'foreign' };
  const name = arn.resource.slice(arn.resource.lastIndexOf('/') + 1);
  const isUser = arn.resource.startsWith('user/');
  const found = isUser
    ? await read<UserDocument>(view, keys.user(arn.accountId, name))
    : await read<RoleDocument>(view, keys.role(arn.accountId, name));
  const toArn = isUser ? userArn : roleArn;
  return found && toArn(arn.accountId, found.path, found.name) === principalArn
    ? { kind: 'found', id: found.id }
    : { kind: 'absent' };
}

/**
 * Checks a trust policy; returns the members of the role's document that hold it. Throws MalformedPolicyDocument, also
 * for a user or role that does not exist in an account of this Cairn, and LimitExceeded.
 */
export async function checkTrustPolicy(
  view: StateView,
  text: string,
): Promise<Pick<RoleDocument, 'trustPolicy' | 'trustedPrincipals'>> {
  const policy = checkPolicyText(text, 'trust');
  if (policySize(text) > quotas.ACLSizePerRole) throw limitExceeded('ACLSizePerRole');
  const trustedPrincipals: TrustedPrincipal[] = [];
  for (const principal of principalsOf(policy)) {
    if (principal.type !== 'arn') continue;
    const { arn } = principal;
    const named = await findPrincipal(view, arn);
    if (named.kind === 'absent') throw malformedPolicy(`Invalid principal in policy: "AWS":"${arn}"`);
    if (named.kind === 'found') trustedPrincipals.push({ arn, id: named.id });
  }
  return { trustPolicy: text, trustedPrincipals };
}

/** Puts ids in the place of ARNs where a statement names AWS principals. */
function replacePrincipals(policyText: string, idOf: ReadonlyMap<string, string>): string {
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return idOf.get(value) ?? value;
    return Array.isArray(value) ? value.map(replace) : value;
  };
  return JSON.stringify(JSON.parse(policyText), function reviver(this: unknown, key, value: unknown) {
    return key === 'AWS' ? replace(value) : value;
  });
}

/** The trust policy as it is evaluated: with unique ids. */
export function trustPolicyInForce(role: RoleDocument): string {
  if (role.trustedPrincipals.length === 0) return role.trustPolicy;
  return replacePrincipals(
    role.trustPolicy,
    new Map(role.trustedPrincipals.map((principal) => [principal.arn, principal.id])),
  );
}

/** The trust policy as it is shown: with the unique ids of those principals that are no more. */
export async function trustPolicyShown(view: StateView, role: RoleDocument): Promise<string> {
  const gone = new Map<string, string>();
  for (const { arn, id } of role.trustedPrincipals) {
    const current = await findPrincipal(view, arn);
    if (current.kind !== 'found' || current.id !== id) gone.set(arn, id);
  }
  return gone.size === 0 ? role.trustPolicy : replacePrincipals(role.trustPolicy, gone);
}
