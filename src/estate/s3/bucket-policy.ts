import { AwsFault } from '../../kernel/index.ts';
import { bindPrincipals } from '../../identity/index.ts';
import {
  evaluate,
  parsePolicy,
  requesterOf,
  type Policy,
  type Statement,
} from '../../identity/policy/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { bucketArn, type BucketDocument } from './bucket-documents.ts';
import { matchesWildcards, targetsOf, type PolicyTarget } from './bucket-policy-actions.ts';

/** S3: "Bucket policies are limited to 20 KB in size." */
const policyBytes = 20 * 1024;

const malformed = (message: string, detail?: string): AwsFault =>
  new AwsFault('MalformedPolicy', detail === undefined ? message : `${message}: ${detail}`, { status: 400 });

/** What a resource of the policy reaches of the bucket; empty where it is none of its. */
function reachOf(source: string, bucket: string): ReadonlySet<PolicyTarget> {
  if (source === '*') return new Set(['bucket', 'object']);
  const [, path] = /^arn:[^:]+:s3:[^:]*:[^:]*:(.+)$/su.exec(source) ?? [];
  if (path === undefined) return new Set();
  const slash = path.indexOf('/');
  const name = slash === -1 ? path : path.slice(0, slash);
  if (!matchesWildcards(name, bucket)) {
    // A star before the slash may reach beyond it.
    return new Set();
  }
  if (slash !== -1) return new Set(['object']);
  return name.endsWith('*') ? new Set(['bucket', 'object']) : new Set(['bucket']);
}

function checkStatement(statement: Statement, bucket: string): void {
  const { actions, resources, principals } = statement;
  const canonical = principals?.named.find(({ type }) => type === 'canonicalUser');
  if (canonical) {
    throw malformed(
      'Invalid principal in policy',
      'canonical users are not known here; name the account by its id',
    );
  }
  const reached = new Set<PolicyTarget>();
  for (const { source } of resources?.patterns ?? []) {
    const reach = reachOf(source, bucket);
    if (reach.size === 0) {
      throw malformed('Policy has invalid resource', `"${source}" is neither this bucket nor objects in it`);
    }
    for (const target of reach) reached.add(target);
  }
  for (const { source } of actions.patterns) {
    const targets =
      source === '*' ? new Set<PolicyTarget>(['bucket', 'object']) : targetsOf(source.toLowerCase());
    if (targets.size === 0)
      throw malformed('Policy has invalid action', `"${source}" is no action on buckets or objects`);
    if (!actions.negated && !resources?.negated && targets.isDisjointFrom(reached)) {
      throw malformed('Action does not apply to any resource(s) in statement', `"${source}"`);
    }
  }
}

/**
 * Parses a bucket policy and checks that it speaks of this bucket. Throws MalformedPolicy with S3's message and what exactly
 * is wrong.
 */
export function checkBucketPolicy(text: string, bucket: string): Policy {
  if (Buffer.byteLength(text) > policyBytes) {
    throw malformed('Policy is too large', `a bucket policy has at most ${policyBytes} bytes`);
  }
  if (!text.startsWith('{')) {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const parsed = parsePolicy(text, 'resource');
  if (parsed.kind === 'malformed') {
    const [first] = parsed.problems;
    throw malformed(
      first?.message ?? 'Syntax errors in policy.',
      parsed.problems.map(({ detail }) => detail).join('; '),
    );
  }
  for (const statement of parsed.policy.statements) checkStatement(statement, bucket);
  return parsed.policy;
}

/**
 * Finds whom a checked policy names; the members of the bucket's document that hold it. Throws MalformedPolicy for a user or
 * role that does not exist.
 */
export async function bindBucketPolicy(
  view: StateView,
  policy: Policy,
  text: string,
): Promise<Pick<BucketDocument, 'policy' | 'policyPrincipals'>> {
  const bound = await bindPrincipals(view, policy, text);
  if (bound.kind === 'bound') return { policy: bound.text, policyPrincipals: bound.principals };
  throw malformed('Invalid principal in policy', `"AWS" : "${bound.principal}" does not exist`);
}

/** Whether a policy would keep the caller, who is not the root user of the bucket's account, from putting another one. */
export function locksOut(policy: Policy, call: Call, bucket: string): boolean {
  if (call.principal.type === 'Root') return false;
  const resource = bucketArn(bucket);
  const request = {
    requester: requesterOf(call.principal),
    action: 's3:PutBucketPolicy',
    resource,
    conditionKeys: {},
    resourceAccountId: call.accountId,
  };
  const { decision } = evaluate(request, {
    identity: [],
    resource: { id: resource, source: 'resource', policy },
  });
  return decision === 'explicitDeny';
}
