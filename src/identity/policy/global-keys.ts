import type { Call, Principal } from '../../wire/index.ts';
import type { ConditionKeys, Requester } from './policy-types.ts';

/** What a call does not know itself and its service or account does, for the condition keys that depend on it. */
export interface ContextFacts {
  /** Tags of the IAM user or role that is calling. A session's own tags come from the call and win. */
  readonly principalTags?: Readonly<Record<string, string>>;
  /** Tags that the request sets, for aws:RequestTag/… and aws:TagKeys. */
  readonly requestTags?: Readonly<Record<string, string>>;
  /** Tag keys that the request names without values, as an untagging does. */
  readonly tagKeys?: readonly string[];
  /** Tags on the resource, for aws:ResourceTag/… */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** The account that owns the resource, for aws:ResourceAccount. */
  readonly resourceAccountId?: string;
}

type Keys = Record<string, readonly string[]>;

function tagKeys(prefix: string, tags: Readonly<Record<string, string>> | undefined): Keys {
  return Object.fromEntries(Object.entries(tags ?? {}).map(([key, value]) => [`${prefix}/${key}`, [value]]));
}

/** Session tags take the place of the user's or role's tags of the same key, whatever its case. */
function principalTagKeys(principal: Principal, tags: ContextFacts['principalTags']): Keys {
  const session = principal.session?.tags ?? {};
  const overridden = new Set(Object.keys(session).map((key) => key.toLowerCase()));
  const own = Object.entries(tags ?? {}).filter(([key]) => !overridden.has(key.toLowerCase()));
  return tagKeys('aws:PrincipalTag', { ...Object.fromEntries(own), ...session });
}

function nameKeys(principal: Principal): Keys {
  switch (principal.type) {
    case 'Root':
      return { 'aws:PrincipalType': ['Account'], 'aws:userid': [principal.accountId] };
    case 'IAMUser':
      return {
        'aws:PrincipalType': ['User'],
        'aws:userid': [principal.principalId],
        'aws:username': [principal.userName],
      };
    case 'AssumedRole':
      return { 'aws:PrincipalType': ['AssumedRole'], 'aws:userid': [principal.principalId] };
  }
}

function dateText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** Keys that temporary credentials bring; those of an access key of a user or of the root user have none of them. */
function sessionKeys({ principal, time }: Call): Keys {
  const { session } = principal;
  if (!session) return {};
  const ageSeconds = Math.max(0, Math.floor((time - session.issuedAt) / 1000));
  return {
    'aws:TokenIssueTime': [dateText(session.issuedAt)],
    'aws:MultiFactorAuthPresent': [String(session.mfaAuthenticated)],
    ...(session.mfaAuthenticated && { 'aws:MultiFactorAuthAge': [String(ageSeconds)] }),
    ...(session.sourceIdentity !== undefined && { 'aws:SourceIdentity': [session.sourceIdentity] }),
  };
}

/**
 * The global condition keys of a call, as far as they can be known. Known: aws:CurrentTime, aws:EpochTime,
 * aws:MultiFactorAuthAge, aws:MultiFactorAuthPresent, aws:PrincipalAccount, aws:PrincipalArn (of a role session: the role's
 * ARN), aws:PrincipalIsAWSService, aws:PrincipalTag/…, aws:PrincipalType, aws:Referer, aws:RequestedRegion, aws:RequestTag/…,
 * aws:ResourceAccount, aws:ResourceTag/…, aws:SecureTransport, aws:SourceIdentity, aws:SourceIp, aws:TagKeys,
 * aws:TokenIssueTime, aws:UserAgent, aws:userid, aws:username (users only), aws:ViaAWSService.
 * All others (aws:PrincipalOrgID, aws:SourceVpc, aws:SourceArn, aws:CalledVia, aws:FederatedProvider, …) are
 * absent, and conditions on them come out as documented for a key that the request lacks. What a service knows besides
 * (its own keys, aws:SourceArn of a delivery) is added by the caller.
 * Source: "AWS global condition context keys", and "Principal key values" of "IAM policy elements: Variables and tags".
 */
export function globalConditionKeys(call: Call, facts: ContextFacts = {}): ConditionKeys {
  const { principal } = call;
  const named = [...Object.keys(facts.requestTags ?? {}), ...(facts.tagKeys ?? [])];
  return {
    'aws:CurrentTime': [dateText(call.time)],
    'aws:EpochTime': [String(Math.floor(call.time / 1000))],
    'aws:PrincipalAccount': [principal.accountId],
    'aws:PrincipalArn': [principal.type === 'AssumedRole' ? principal.role.arn : principal.arn],
    'aws:PrincipalIsAWSService': ['false'],
    'aws:RequestedRegion': [call.region],
    'aws:SecureTransport': [String(call.tls !== undefined)],
    'aws:SourceIp': [call.sourceIp],
    'aws:UserAgent': [call.userAgent],
    'aws:ViaAWSService': ['false'],
    ...(call.referer !== undefined && { 'aws:Referer': [call.referer] }),
    ...nameKeys(principal),
    ...sessionKeys(call),
    ...principalTagKeys(principal, facts.principalTags),
    ...tagKeys('aws:RequestTag', facts.requestTags),
    ...tagKeys('aws:ResourceTag', facts.resourceTags),
    ...(named.length > 0 && { 'aws:TagKeys': [...new Set(named)] }),
    ...(facts.resourceAccountId !== undefined && { 'aws:ResourceAccount': [facts.resourceAccountId] }),
  };
}

/** The requester that an authenticated principal is. */
export function requesterOf(principal: Principal): Requester {
  const { accountId, arn } = principal;
  switch (principal.type) {
    case 'Root':
      return { type: 'root', accountId, arn };
    case 'IAMUser':
      return { type: 'user', accountId, arn, uniqueId: principal.principalId };
    case 'AssumedRole': {
      const { role } = principal;
      return { type: 'roleSession', accountId, arn, roleArn: role.arn, roleUniqueId: role.principalId };
    }
  }
}

/**
 * The global condition keys of a call that a service makes by itself ("Properties of the network", "Service principals"
 * of "AWS global condition context keys"): there is no caller, address or user agent.
 */
export function serviceConditionKeys(caller: {
  readonly service: string;
  readonly sourceArn: string;
  readonly sourceAccountId: string;
  readonly region: string;
  readonly time: number;
}): ConditionKeys {
  return {
    'aws:CurrentTime': [dateText(caller.time)],
    'aws:EpochTime': [String(Math.floor(caller.time / 1000))],
    'aws:PrincipalIsAWSService': ['true'],
    'aws:PrincipalServiceName': [caller.service],
    'aws:RequestedRegion': [caller.region],
    // It never leaves the process.
    'aws:SecureTransport': ['true'],
    'aws:SourceAccount': [caller.sourceAccountId],
    'aws:SourceArn': [caller.sourceArn],
    'aws:ViaAWSService': ['false'],
  };
}
