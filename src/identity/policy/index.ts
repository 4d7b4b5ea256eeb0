/**
 * Policies: documents of the IAM policy language, parsed and checked as IAM does, and the decision whether a request is
 * allowed. In flow policy documents (JSON text) and requests with their condition keys; out flow parsed policies, problems
 * for MalformedPolicyDocument, and evaluations with the wording of AccessDenied. Nothing here reads state or knows of HTTP.
 *
 * The functions of this face, being written:
 *   parsePolicy(json: string, kind: PolicyKind): ParsedPolicy
 *   evaluate(request: EvaluationRequest, policies: ApplicablePolicies): Evaluation
 *   accessDeniedMessage(request: EvaluationRequest, denied: Evaluation): string
 *   requesterOf(principal: Principal): Requester
 *   globalConditionKeys(call: Call, facts?: ContextFacts): ConditionKeys
 *   contextKeysOf(policy: Policy): readonly string[]
 *   missingContextKeys(policies: ApplicablePolicies, conditionKeys: ConditionKeys): readonly string[]
 *   principalsOf(policy: Policy): readonly PolicyPrincipal[]
 */
export type {
  ApplicablePolicies,
  AttachedPolicy,
  ConditionKeys,
  DecidingPolicy,
  Evaluation,
  EvaluationRequest,
  MatchedStatement,
  ParsedPolicy,
  Policy,
  PolicyKind,
  PolicyPrincipal,
  PolicyProblem,
  PolicySourceType,
  PolicyVersion,
  Position,
  Requester,
  Statement,
} from './policy-types.ts';
export type { ContextFacts } from './global-keys.ts';
