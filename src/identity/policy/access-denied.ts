import type { DecidingPolicy, Evaluation, EvaluationRequest } from './policy-types.ts';

const denying: Readonly<Record<DecidingPolicy, string>> = {
  identity: 'an identity-based policy',
  boundary: 'a permissions boundary',
  session: 'a session policy',
  resource: 'a resource-based policy',
  trust: 'the role trust policy',
};

const missing: Readonly<Record<DecidingPolicy, string>> = {
  identity: 'identity-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
  resource: 'resource-based policy',
  trust: 'role trust policy',
};

function nameOf(request: EvaluationRequest): string {
  switch (request.requester.type) {
    case 'root':
    case 'user':
    case 'roleSession':
      return request.requester.arn;
    case 'service':
      return request.requester.name;
    case 'federated':
      return request.requester.provider;
  }
}

/**
 * The message of AccessDenied: who, which action, which resource, and which kind of policy is the reason. Of several
 * kinds it names one. Source: "Troubleshoot access denied error messages".
 */
export function accessDeniedMessage(
  request: EvaluationRequest,
  denied: Exclude<Evaluation, { readonly decision: 'allowed' }>,
): string {
  const reason =
    denied.decision === 'explicitDeny'
      ? `with an explicit deny in ${denying[denied.because]}`
      : `because no ${missing[denied.because]} allows the ${request.action} action`;
  return `User: ${nameOf(request)} is not authorized to perform: ${request.action} on resource: ${request.resource} ${reason}`;
}
