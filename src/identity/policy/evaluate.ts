import { parseArn, isAccountId } from '../../kernel/index.ts';
import { conditionHolds } from './condition-matches.ts';
import { matchesGlob } from './glob.ts';
import type {
  ApplicablePolicies,
  AttachedPolicy,
  DecidingPolicy,
  Evaluation,
  EvaluationRequest,
  MatchedStatement,
  Statement,
} from './policy-types.ts';
import { closestGrant, isDenied, type Grant } from './principal-matches.ts';
import { openRequestContext, type RequestContext } from './request-context.ts';
import { matchesPattern } from './text-pattern.ts';

/** The request, made ready for comparing. */
interface Question {
  readonly request: EvaluationRequest;
  /** In lower case. */
  readonly action: string;
  readonly context: RequestContext;
  readonly hasBoundary: boolean;
}

function coversAction({ actions }: Statement, question: Question): boolean {
  const covered = actions.patterns.some(
    ({ fixed }) => fixed !== undefined && matchesGlob(fixed, question.action),
  );
  return covered !== actions.negated;
}

/** A resource with a variable that has no value is no resource ("Policy variables with no value"). */
function coversResource({ resources }: Statement, question: Question): boolean {
  if (!resources) return true;
  const covered = resources.patterns.some((pattern) =>
    matchesPattern(pattern, question.request.resource, question.context),
  );
  return covered !== resources.negated;
}

/** What is unclear must not let anybody in: it keeps an Allow from applying, and a Deny it does not. */
function conditionsHold({ conditions, effect }: Statement, question: Question): boolean {
  return conditions.every((condition) => {
    const result = conditionHolds(condition, question.context);
    return result === 'unclear' ? effect === 'Deny' : result;
  });
}

function applies(statement: Statement, question: Question): boolean {
  return (
    coversAction(statement, question) &&
    coversResource(statement, question) &&
    conditionsHold(statement, question)
  );
}

/** What policies of one kind say. */
interface Verdict {
  readonly role: DecidingPolicy;
  readonly allows: MatchedStatement[];
  readonly denies: MatchedStatement[];
  /** Of a resource-based policy: the closest way in which it grants. */
  grant: Grant | undefined;
}

const closeness = { account: 1, role: 2, direct: 3 } as const;

function consult(policies: readonly AttachedPolicy[], role: DecidingPolicy, question: Question): Verdict {
  const verdict: Verdict = { role, allows: [], denies: [], grant: undefined };
  const { requester } = question.request;
  for (const policy of policies) {
    for (const statement of policy.policy.statements) {
      if (!applies(statement, question)) continue;
      const { principals, effect } = statement;
      const matched = { policy, role, statement };
      if (effect === 'Deny') {
        if (!principals || isDenied(principals, requester, question.hasBoundary))
          verdict.denies.push(matched);
        continue;
      }
      // The parser lets no Allow have a NotPrincipal.
      const grant = principals && !principals.negated ? closestGrant(principals.named, requester) : undefined;
      if (principals && grant === undefined) continue;
      verdict.allows.push(matched);
      if (grant && (!verdict.grant || closeness[grant] > closeness[verdict.grant])) verdict.grant = grant;
    }
  }
  return verdict;
}

interface Verdicts {
  readonly identity: Verdict;
  readonly boundary: Verdict | undefined;
  readonly session: Verdict | undefined;
  readonly resource: Verdict;
}

function consultAll(policies: ApplicablePolicies, question: Question): Verdicts {
  const { identity, boundary, session, resource } = policies;
  const role = resource?.policy.kind === 'trust' ? 'trust' : 'resource';
  return {
    identity: consult(identity, 'identity', question),
    boundary: boundary && consult([boundary], 'boundary', question),
    session: session && session.length > 0 ? consult(session, 'session', question) : undefined,
    resource: consult(resource ? [resource] : [], role, question),
  };
}

/** Whether the requester's own side allows: which kind of policy is missing an Allow, or undefined when none is. */
function missingOnOwnSide(verdicts: Verdicts, hasIdentityAllow: boolean): DecidingPolicy | undefined {
  if (!hasIdentityAllow) return 'identity';
  if (verdicts.boundary?.allows.length === 0) return 'boundary';
  return verdicts.session?.allows.length === 0 ? 'session' : undefined;
}

function ownerOf(request: EvaluationRequest, requesterAccountId: string): string {
  if (request.resourceAccountId !== undefined) return request.resourceAccountId;
  const account = parseArn(request.resource)?.accountId;
  return account !== undefined && isAccountId(account) ? account : requesterAccountId;
}

/** Which kind of policy is missing an Allow; undefined when the request is allowed. No policy denies it. */
function missingAllow(
  verdicts: Verdicts,
  request: EvaluationRequest,
  resourcePolicyRequired: boolean,
): DecidingPolicy | undefined {
  const { requester } = request;
  const { grant, role } = verdicts.resource;
  // Services and identity providers have no policies of their own.
  if (requester.type === 'service' || requester.type === 'federated') return grant ? undefined : role;
  const isRoot = requester.type === 'root';
  const ownSide = (granted: boolean) =>
    missingOnOwnSide(verdicts, isRoot || granted || verdicts.identity.allows.length > 0);
  if (ownerOf(request, requester.accountId) !== requester.accountId) {
    return ownSide(false) ?? (grant ? undefined : role);
  }
  if (grant === 'direct') return undefined;
  if (resourcePolicyRequired && !grant) return role;
  return ownSide(grant === 'role');
}

/**
 * Decides one request as AWS documents it: an explicit deny anywhere wins; within one account either side may allow, a
 * resource-based policy as far as it names the requester, bounded by permissions boundary and session policies; across
 * accounts both sides must allow; the root user may do everything in its own account that no resource-based policy
 * denies or, where one is required, leaves out.
 * Sources: "Policy evaluation logic", "How AWS enforcement code logic evaluates requests to allow or deny access",
 * "Cross-account policy evaluation logic".
 */
export function evaluate(request: EvaluationRequest, policies: ApplicablePolicies): Evaluation {
  const question: Question = {
    request,
    action: request.action.toLowerCase(),
    context: openRequestContext(request.conditionKeys),
    hasBoundary: policies.boundary !== undefined,
  };
  const verdicts = consultAll(policies, question);
  const { identity, boundary, session, resource } = verdicts;
  const all = [identity, boundary, session, resource].filter((verdict) => verdict !== undefined);
  const allowedByBoundary = boundary && boundary.denies.length === 0 && boundary.allows.length > 0;

  const denying = all.find(({ denies }) => denies.length > 0);
  if (denying) {
    const matched = all.flatMap(({ denies }) => denies);
    return { decision: 'explicitDeny', because: denying.role, matched, allowedByBoundary };
  }
  const matched = all.flatMap(({ allows }) => allows);
  const required = policies.resourcePolicyRequired === true || resource.role === 'trust';
  const because = missingAllow(verdicts, request, required);
  return because === undefined
    ? { decision: 'allowed', matched, allowedByBoundary }
    : { decision: 'implicitDeny', because, matched, allowedByBoundary };
}
