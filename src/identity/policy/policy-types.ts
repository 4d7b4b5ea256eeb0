import type { Condition } from './condition-types.ts';
import type { TextPattern } from './text-pattern.ts';

/**
 * The words of policy evaluation: parsed policies, the request that is evaluated, and the answer.
 * Sources: "IAM JSON policy element reference" and "Policy evaluation logic" in the IAM user guide.
 */

/**
 * What a document is for, which decides what it may contain: `identity` (attached to a user, group or role), `boundary`
 * and `session` name no principal; `resource` must name one; `trust` names one and has no resource (a role's trust policy).
 */
export type PolicyKind = 'identity' | 'boundary' | 'session' | 'resource' | 'trust';

export type PolicyVersion = '2012-10-17' | '2008-10-17';

/** A place in a policy's text, counted from 1 as SimulatePrincipalPolicy does. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Why a document was refused. */
export interface PolicyProblem {
  /** The message for MalformedPolicyDocument, as IAM words it where it has a wording. */
  readonly message: string;
  /** What exactly was not understood, for a person; says more than `message`, which is often terse. */
  readonly detail: string;
}

export type ParsedPolicy =
  | { readonly kind: 'policy'; readonly policy: Policy }
  /** At least one problem; the first is the one that IAM would answer with. */
  | { readonly kind: 'malformed'; readonly problems: readonly PolicyProblem[] };

/** Condition keys of a request, such as `aws:SourceIp` or `iam:PolicyARN`, with their values. Case of the keys does not matter. */
export type ConditionKeys = Readonly<Record<string, readonly string[]>>;

/** One statement, understood. What it matches with is made ready at parse time, so a parsed policy is to be kept and reused. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** Undefined in policies that name no principal. */
  readonly principals: { readonly negated: boolean; readonly named: readonly PolicyPrincipal[] } | undefined;
  /** In lower case. */
  readonly actions: { readonly negated: boolean; readonly patterns: readonly TextPattern[] };
  /** Undefined where the policy speaks of the one resource that it belongs to. */
  readonly resources: { readonly negated: boolean; readonly patterns: readonly TextPattern[] } | undefined;
  readonly conditions: readonly Condition[];
  /** Where the statement's object begins and ends in the text, for SimulatePrincipalPolicy's MatchedStatements. */
  readonly start: Position;
  readonly end: Position;
}

/** A policy document, understood. */
export interface Policy {
  readonly kind: PolicyKind;
  readonly version: PolicyVersion;
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
}

/** A principal as a resource-based policy names it. */
export type PolicyPrincipal =
  | { readonly type: 'everyone' }
  /** `123456789012` or `arn:aws:iam::123456789012:root`: the account, which may delegate to its own principals. */
  | { readonly type: 'account'; readonly accountId: string }
  /** A user, a role, or one session of a role or of a federated user. */
  | { readonly type: 'arn'; readonly arn: string }
  /** The unique id (`AIDA…`, `AROA…`) that IAM keeps in place of an ARN, so that a namesake does not inherit. */
  | { readonly type: 'uniqueId'; readonly id: string }
  /** `AROA…:SESSION`: one session of a role, in the same way. */
  | { readonly type: 'sessionId'; readonly id: string; readonly roleId: string; readonly session: string }
  | { readonly type: 'service'; readonly name: string }
  | { readonly type: 'federated'; readonly provider: string }
  | { readonly type: 'canonicalUser'; readonly id: string };

/** Who asks, as far as policies care. `requesterOf` makes one of an authenticated principal. */
export type Requester =
  | {
      readonly type: 'root';
      readonly accountId: string;
      readonly arn: string;
      readonly canonicalUserId?: string;
    }
  | {
      readonly type: 'user';
      readonly accountId: string;
      readonly arn: string;
      /** AIDA… */
      readonly uniqueId?: string;
      /** Of the account, for bucket policies. */
      readonly canonicalUserId?: string;
    }
  | {
      readonly type: 'roleSession';
      readonly accountId: string;
      /** The session's ARN (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION); the role's own where a role is simulated. */
      readonly arn: string;
      readonly roleArn: string;
      /** AROA… */
      readonly roleUniqueId?: string;
      readonly canonicalUserId?: string;
    }
  /** A service that acts by itself, such as events.amazonaws.com. Only resource-based policies speak of it. */
  | { readonly type: 'service'; readonly name: string }
  /** Whoever an identity provider vouches for, before a role is assumed; `provider` is an ARN or a domain. */
  | { readonly type: 'federated'; readonly provider: string };

/** One question: may this requester do this, to this, in these circumstances? */
export interface EvaluationRequest {
  readonly requester: Requester;
  /** Such as `iam:CreateUser`. */
  readonly action: string;
  /** An ARN, or `*` where the action has no resource. */
  readonly resource: string;
  /** Global and service condition keys together; see `globalConditionKeys`. */
  readonly conditionKeys: ConditionKeys;
  /**
   * The account that owns the resource. By default the account in the resource's ARN, else (S3 buckets, `*`) the
   * requester's own.
   */
  readonly resourceAccountId?: string;
}

/** SimulatePrincipalPolicy's SourcePolicyType. */
export type PolicySourceType =
  | 'user'
  | 'group'
  | 'role'
  | 'aws-managed'
  | 'user-managed'
  | 'resource'
  | 'none';

/** A parsed policy and where it comes from. */
export interface AttachedPolicy {
  /** Name or ARN; SimulatePrincipalPolicy's SourcePolicyId. */
  readonly id: string;
  readonly source: PolicySourceType;
  readonly policy: Policy;
}

/** Everything that has a say in one question. */
export interface ApplicablePolicies {
  /** Of the user and their groups, or of the role: inline and managed. */
  readonly identity: readonly AttachedPolicy[];
  readonly boundary?: AttachedPolicy;
  /** What the session was limited to when it was made: allowed is what any one of them allows. None when absent or empty. */
  readonly session?: readonly AttachedPolicy[];
  /** The resource's own policy. */
  readonly resource?: AttachedPolicy;
  /**
   * The resource's policy must allow, whatever else does: role trust policies and KMS key policies. Always so for a
   * `resource` of kind `trust`.
   */
  readonly resourcePolicyRequired?: boolean;
}

/** The kinds of policy that an answer can be due to; `trust` is the role trust policy. */
export type DecidingPolicy = 'identity' | 'boundary' | 'session' | 'resource' | 'trust';

/** A statement that applied to the request. */
export interface MatchedStatement {
  readonly policy: AttachedPolicy;
  readonly role: DecidingPolicy;
  readonly statement: Statement;
}

interface Answer {
  /** The statements that decided: for an explicit deny those that deny, else those that allow. */
  readonly matched: readonly MatchedStatement[];
  /** Undefined where no permissions boundary is set. */
  readonly allowedByBoundary: boolean | undefined;
}

export type Evaluation =
  | (Answer & { readonly decision: 'allowed' })
  /** `because` is the kind of policy that is missing an Allow. */
  | (Answer & { readonly decision: 'implicitDeny'; readonly because: DecidingPolicy })
  /** `because` is the kind of policy that denies. */
  | (Answer & { readonly decision: 'explicitDeny'; readonly because: DecidingPolicy });
