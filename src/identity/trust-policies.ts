import type { StateView } from '../state/index.ts';
import type { RoleDocument } from './documents.ts';
import { limitExceeded, malformedPolicy } from './faults.ts';
import { bindPrincipals, policyInForce, policyShown } from './named-principals.ts';
import { checkPolicyText, policySize } from './policy-texts.ts';
import { quotas } from './quotas.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Checks a role trust policy; returns the members of the role's document that hold it. Throws MalformedPolicyDocument, also
 * for a user or role that does not exist in an account of this Cairn, and LimitExceeded.
 */
export async function checkTrustPolicy(
  view: StateView,
  text: string,
): Promise<Pick<RoleDocument, 'trustPolicy' | 'trustedPrincipals'>> {
  if (!isJson(text)) throw malformedPolicy('This policy contains invalid Json');
  const policy = checkPolicyText(text, 'trust');
  if (policySize(text) > quotas.ACLSizePerRole) throw limitExceeded('ACLSizePerRole');
  const bound = await bindPrincipals(view, policy, text);
  if (bound.kind === 'unknown')
    throw malformedPolicy(`Invalid principal in policy: "AWS":"${bound.principal}"`);
  return { trustPolicy: bound.text, trustedPrincipals: bound.principals };
}

/** The trust policy as it is evaluated: with unique ids. */
export const trustPolicyInForce = ({ trustPolicy, trustedPrincipals }: RoleDocument): string =>
  policyInForce(trustPolicy, trustedPrincipals);

/** The trust policy as it is shown: with the unique ids of those principals that are no more. */
export const trustPolicyShown = (view: StateView, role: RoleDocument): Promise<string> =>
  policyShown(view, role.trustPolicy, role.trustedPrincipals);
