import { policyInForce } from '../../identity/index.ts';
import { parsePolicy, type Policy, type Statement } from '../../identity/policy/index.ts';
import { limits } from '../../kernel/index.ts';
import type { BucketDocument } from './bucket-documents.ts';

/**
 * Condition keys that fix who is meant, in lower case, so that a grant to everyone with one of them is not public
 * ("The meaning of public" in "Blocking public access to your Amazon S3 storage").
 */
const fixingKeys = new Set(
  [
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalOrgID',
    'aws:PrincipalServiceName',
    'aws:SourceAccount',
    'aws:SourceArn',
    'aws:SourceIp',
    'aws:SourceOwner',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:userid',
    's3:DataAccessPointAccount',
    's3:DataAccessPointArn',
    's3:x-amz-server-side-encryption-aws-kms-key-id',
  ].map((key) => key.toLowerCase()),
);

/** Prefixes of the widest address ranges that are not public. */
const widestV4 = 8;
const widestV6 = 32;

function isFixed(condition: Statement['conditions'][number]): boolean {
  if (condition.kind !== 'compare' || !fixingKeys.has(condition.key)) return false;
  const { negated, ifExists, set, test } = condition;
  // Without the key, IfExists and ForAllValues hold for everybody.
  if (negated || ifExists || set === 'all') return false;
  switch (test.family) {
    case 'string':
      return test.patterns.every(({ source }) => isFixedText(source));
    case 'arn':
      return test.patterns.every(({ pattern }) => isFixedText(pattern.source));
    case 'ip':
      return test.ranges.every(
        ({ address, prefixBits }) => prefixBits >= (address.length === 4 ? widestV4 : widestV6),
      );
    case 'numeric':
    case 'date':
    case 'binary':
      return false;
  }
}

/** A fixed value has neither wildcards nor policy variables. */
const isFixedText = (source: string): boolean => !/[*?]|\$\{/.test(source);

function isPublicStatement({ effect, principals, conditions }: Statement): boolean {
  if (effect !== 'Allow' || !principals) return false;
  const everyone = principals.negated || principals.named.some(({ type }) => type === 'everyone');
  return everyone && !conditions.some((condition) => isFixed(condition));
}

/** Whether a parsed bucket policy grants anything to the public, as S3 means it. */
export function grantsPublic(policy: Policy): boolean {
  return policy.statements.some((statement) => isPublicStatement(statement));
}

/** Parsed once for each text, which has 20 KB at most. */
const remembered = new Map<string, boolean>();

/** The same for a policy as it is stored. */
export function isPublicPolicy(text: string): boolean {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const parsed = parsePolicy(text, 'resource');
  // What was stored was parsed before; if it were not understood any more, the cautious answer is the right one.
  const result = parsed.kind === 'malformed' || grantsPublic(parsed.policy);
  if (remembered.size >= limits.publicPolicyCacheEntries) remembered.clear();
  remembered.set(text, result);
  return result;
}

/**
 * The policy that a bucket has for a caller of this account. RestrictPublicBuckets takes other accounts what a public policy
 * gives them ("Blocking public access to your Amazon S3 storage").
 */
export function bucketPolicyInForce(
  { policy, policyPrincipals, publicAccessBlock, accountId }: BucketDocument,
  callerAccountId: string,
): string | undefined {
  if (policy === undefined) return undefined;
  const restricted = publicAccessBlock?.RestrictPublicBuckets === true && callerAccountId !== accountId;
  return restricted && isPublicPolicy(policy) ? undefined : policyInForce(policy, policyPrincipals);
}
