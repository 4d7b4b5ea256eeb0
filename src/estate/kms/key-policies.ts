import type { Call } from '../../wire/index.ts';
import { bindPrincipals } from '../../identity/index.ts';
import {
  evaluate,
  globalConditionKeys,
  parsePolicy,
  requesterOf,
  type Policy,
} from '../../identity/policy/index.ts';
import type { StateView } from '../../state/index.ts';
import { malformedPolicy } from './faults.ts';
import { keyArn, type KeyDocument } from './key-documents.ts';

/** Bytes of a key policy ("Key policies in AWS KMS": 32 KB). */
const policyBytes = 32_768;

const document = (id: string, statements: readonly unknown[]): string =>
  JSON.stringify({ Version: '2012-10-17', Id: id, Statement: statements }, undefined, 2);

/** What a key gets that is made without a policy ("Default key policy"): IAM policies of the account decide. */
export function defaultKeyPolicy(accountId: string): string {
  return document('key-default-1', [
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ]);
}

/** The policy of the account's own key for S3: everybody of the account, through S3 alone; the account sees it. */
export function managedKeyPolicy(accountId: string, region: string): string {
  return document('auto-s3-2', [
    {
      Sid: 'Allow access through S3 for all principals in the account that are authorized to use S3',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: {
        StringEquals: { 'kms:CallerAccount': accountId, 'kms:ViaService': `s3.${region}.amazonaws.com` },
      },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
      Resource: '*',
    },
  ]);
}

type KeyPolicy = Pick<KeyDocument, 'policy' | 'policyPrincipals'>;
type CheckedKey = Pick<KeyDocument, 'accountId' | 'region' | 'id'>;

/**
 * Checks a key policy as a caller gives it; returns the members of the key's document that hold it. Throws
 * MalformedPolicyDocumentException when it is not understood, when it names a user or role that does not exist ("The
 * principals in the key policy must exist"), and, unless `bypass`, when it would not let this caller set the next one (the
 * lockout safety check of "CreateKey" and "PutKeyPolicy"). As in KMS, a policy that delegates to the caller's account passes
 * the check.
 */
export async function checkKeyPolicy(
  view: StateView,
  text: string,
  key: CheckedKey,
  call: Call,
  bypass: boolean,
): Promise<KeyPolicy> {
  if (Buffer.byteLength(text) > policyBytes) {
    throw malformedPolicy(`The policy is larger than ${policyBytes} bytes.`);
  }
  const parsed = parsePolicy(text, 'resource');
  if (parsed.kind === 'malformed') {
    throw malformedPolicy(parsed.problems[0]?.detail ?? 'The policy is not understood.');
  }
  const bound = await bindPrincipals(view, parsed.policy, text);
  if (bound.kind === 'unknown') {
    throw malformedPolicy(
      `Policy contains a statement with one or more invalid principals: ${bound.principal} does not exist.`,
    );
  }
  if (!bypass) checkLockout(parsed.policy, key, call);
  return { policy: bound.text, policyPrincipals: bound.principals };
}

function checkLockout(policy: Policy, key: CheckedKey, call: Call): void {
  const anything = parsePolicy(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    'identity',
  );
  const resource = keyArn(key);
  const { decision } = evaluate(
    {
      requester: requesterOf(call.principal),
      action: 'kms:PutKeyPolicy',
      resource,
      conditionKeys: {
        ...globalConditionKeys(call, { resourceAccountId: key.accountId }),
        'kms:CallerAccount': [call.accountId],
      },
    },
    {
      identity:
        anything.kind === 'policy' ? [{ id: 'anything', source: 'none', policy: anything.policy }] : [],
      resource: { id: resource, source: 'resource', policy },
      resourcePolicyRequired: true,
    },
  );
  if (decision !== 'allowed') {
    throw malformedPolicy('The new key policy will not allow you to update the key policy in the future.');
  }
}
