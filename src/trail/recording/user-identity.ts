import type { Principal, Session } from '../../wire/index.ts';
import { cappedText } from './field-caps.ts';

/** CloudTrail's userIdentity element ("CloudTrail userIdentity element"); members in the order CloudTrail writes. */
export interface UserIdentity {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'AWSAccount' | 'Unknown';
  readonly principalId?: string;
  readonly arn?: string;
  readonly accountId?: string;
  readonly accessKeyId?: string;
  readonly userName?: string;
  readonly sessionContext?: SessionContext;
  /** The service that made the call for the principal. */
  readonly invokedBy?: string;
}

interface SessionContext {
  readonly sessionIssuer?: {
    readonly type: 'Role';
    readonly principalId: string;
    readonly arn: string;
    readonly accountId: string;
    readonly userName: string;
  };
  readonly attributes: { readonly creationDate: string; readonly mfaAuthenticated: 'true' | 'false' };
  readonly sourceIdentity?: string;
}

/** A moment (epoch milliseconds) as CloudTrail writes it, in whole seconds: `2026-11-22T10:00:00Z`. */
export function auditTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

function contextOf(session: Session, issuer?: SessionContext['sessionIssuer']): SessionContext {
  return {
    ...(issuer && { sessionIssuer: issuer }),
    attributes: {
      creationDate: auditTime(session.issuedAt),
      mfaAuthenticated: session.mfaAuthenticated ? 'true' : 'false',
    },
    ...(session.sourceIdentity !== undefined && { sourceIdentity: session.sourceIdentity }),
  };
}

/** The role behind a session. */
function issuerOf(role: Extract<Principal, { type: 'AssumedRole' }>['role'], accountId: string) {
  return {
    type: 'Role' as const,
    principalId: role.principalId,
    arn: role.arn,
    accountId,
    userName: role.name,
  };
}

/**
 * `userName`: "If the userIdentity type is Root and you set an alias for your account, the userName field contains your
 * account alias"; of a role session, the role's name stands with the issuer.
 */
function userNameOf(principal: Principal): { readonly userName?: string } {
  switch (principal.type) {
    case 'Root':
      return principal.accountAlias === undefined ? {} : { userName: principal.accountAlias };
    case 'IAMUser':
      return { userName: principal.userName };
    case 'AssumedRole':
      return {};
  }
}

/** The userIdentity of an authenticated caller. */
export function userIdentityOf(principal: Principal): UserIdentity {
  const { type, arn, accountId, accessKeyId, session } = principal;
  const issuer = type === 'AssumedRole' ? issuerOf(principal.role, accountId) : undefined;
  return {
    type,
    principalId: type === 'Root' ? accountId : principal.principalId,
    arn,
    accountId,
    accessKeyId,
    ...userNameOf(principal),
    ...(session && { sessionContext: contextOf(session, issuer) }),
  };
}

/**
 * The userIdentity that the owner of a resource sees when another account's principal used it
 * ("CloudTrail userIdentity element", type `AWSAccount`): the account, not the caller's name or key.
 */
export function foreignIdentityOf(principal: Principal): UserIdentity {
  const principalId = principal.type === 'Root' ? principal.accountId : principal.principalId;
  return { type: 'AWSAccount', principalId, accountId: principal.accountId };
}

/**
 * The userIdentity of a caller that could not be authenticated: `Unknown`, with the access key that the request
 * claimed. Nothing of it is proven, so it names no account and no principal.
 */
export function unknownIdentity(claimedAccessKeyId: string | undefined): UserIdentity {
  if (claimedAccessKeyId === undefined) return { type: 'Unknown' };
  return { type: 'Unknown', accessKeyId: cappedText(claimedAccessKeyId, 128) };
}
