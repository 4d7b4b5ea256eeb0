/**
 * Policies: documents of the IAM policy language, parsed and checked as IAM does, and the decision whether a request is
 * allowed. In flow policy documents (JSON text) and requests with their condition keys; out flow parsed policies, problems
 * for MalformedPolicyDocument, and evaluations with the wording of AccessDenied. Nothing here reads state or knows of HTTP.
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
export { accessDeniedMessage } from './access-denied.ts';
export { contextKeysOf, missingContextKeys, principalsOf } from './context-keys.ts';
export { evaluate } from './evaluate.ts';
export { globalConditionKeys, requesterOf, serviceConditionKeys, type ContextFacts } from './global-keys.ts';
export { isInRange, parseIp, parseIpRange } from './ip-range.ts';
export { parsePolicy } from './parse-policy.ts';
