import type { PolicyPrincipal, Requester, Statement } from './policy-types.ts';

/**
 * How closely a resource-based policy names the requester, which decides what else has a say within one account:
 * `direct` (the user, the session, everyone): nothing else; `role`: the boundary and the session policies;
 * `account`: those and the identity-based policies, since the account only delegates.
 * Sources: "How AWS enforcement code logic evaluates requests to allow or deny access", resource-based policies;
 * "AWS JSON policy elements: Principal", account principals and IAM role principals.
 */
export type Grant = 'direct' | 'role' | 'account';

function sameId(known: string | undefined, id: string): boolean {
  return known !== undefined && known === id;
}

function grantOf(principal: PolicyPrincipal, requester: Requester): Grant | undefined {
  if (principal.type === 'everyone') return 'direct';
  switch (requester.type) {
    case 'service':
      return principal.type === 'service' && principal.name === requester.name.toLowerCase()
        ? 'direct'
        : undefined;
    case 'federated':
      return principal.type === 'federated' && principal.provider === requester.provider
        ? 'direct'
        : undefined;
    case 'root':
    case 'user':
    case 'roleSession':
      break;
  }
  if (principal.type === 'account')
    return principal.accountId === requester.accountId ? 'account' : undefined;
  if (principal.type === 'canonicalUser')
    return sameId(requester.canonicalUserId, principal.id) ? 'account' : undefined;
  if (requester.type === 'roleSession') {
    if (principal.type === 'arn' && principal.arn === requester.roleArn) return 'role';
    if (principal.type === 'uniqueId')
      return sameId(requester.roleUniqueId, principal.id) ? 'role' : undefined;
    if (principal.type === 'sessionId') {
      const isSession = requester.arn.endsWith(`/${principal.session}`);
      return isSession && sameId(requester.roleUniqueId, principal.roleId) ? 'direct' : undefined;
    }
  }
  if (principal.type === 'arn') return principal.arn === requester.arn ? 'direct' : undefined;
  const isNamed =
    requester.type === 'user' && principal.type === 'uniqueId' && sameId(requester.uniqueId, principal.id);
  return isNamed ? 'direct' : undefined;
}

/** The closest way in which any of the principals names the requester. */
export function closestGrant(named: readonly PolicyPrincipal[], requester: Requester): Grant | undefined {
  let closest: Grant | undefined;
  for (const principal of named) {
    const grant = grantOf(principal, requester);
    if (grant === 'direct') return grant;
    if (grant === 'role' || closest === undefined) closest = grant ?? closest;
  }
  return closest;
}

/** Whether NotPrincipal leaves the requester out: itself, its role and its account must all be named. */
function isExcepted(named: readonly PolicyPrincipal[], requester: Requester): boolean {
  const grants = new Set(named.map((principal) => grantOf(principal, requester)));
  if (named.some(({ type }) => type === 'everyone')) return true;
  switch (requester.type) {
    case 'service':
    case 'federated':
      return grants.has('direct');
    case 'root':
      return grants.has('account');
    case 'user':
      return grants.has('direct') && grants.has('account');
    case 'roleSession':
      return (
        grants.has('role') &&
        grants.has('account') &&
        (grants.has('direct') || requester.arn === requester.roleArn)
      );
  }
}

/** Canonical ids are known to buckets alone; where the requester's is not known, a Deny for one may be meant. */
function mayBeMeant(named: readonly PolicyPrincipal[], requester: Requester): boolean {
  const isUnknown = 'accountId' in requester && requester.canonicalUserId === undefined;
  return isUnknown && named.some(({ type }) => type === 'canonicalUser');
}

/**
 * Whether a Deny of a resource-based policy speaks of the requester. NotPrincipal always denies who has a permissions
 * boundary. Source: "AWS JSON policy elements: NotPrincipal".
 */
export function isDenied(
  principals: NonNullable<Statement['principals']>,
  requester: Requester,
  hasBoundary: boolean,
): boolean {
  const { negated, named } = principals;
  if (negated) return hasBoundary || !isExcepted(named, requester);
  return closestGrant(named, requester) !== undefined || mayBeMeant(named, requester);
}
