import { malformedPolicy } from './faults.ts';
import { parsePolicy, type Policy, type PolicyKind } from './policy/index.ts';

/** The policy that a request carries. Throws MalformedPolicyDocument, saying what was not understood. */
export function checkPolicyText(text: string, kind: PolicyKind): Policy {
  const parsed = parsePolicy(text, kind);
  if (parsed.kind === 'policy') return parsed.policy;
  const [first] = parsed.problems;
  if (!first) throw malformedPolicy('Syntax errors in policy.');
  throw malformedPolicy(
    first.detail && first.detail !== first.message ? `${first.message} (${first.detail})` : first.message,
  );
}

/** How much of a size quota a policy takes: IAM does not count white space. */
export const policySize = (text: string): number => text.replace(/\s/gu, '').length;
