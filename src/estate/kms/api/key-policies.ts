import type {
  GetKeyPolicyRequest,
  GetKeyPolicyResponse,
  ListKeyPoliciesRequest,
  ListKeyPoliciesResponse,
  PutKeyPolicyRequest,
} from '@aws-sdk/client-kms';
import { policyShown } from '../../../identity/index.ts';
import { notFound } from '../faults.ts';
import { writeKey } from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { needOnNamed } from '../key-needs.ts';
import { checkKeyPolicy } from '../key-policies.ts';
import { nothing, type KmsOperation, type Nothing } from '../operation.ts';

/** A key has one policy, and this is its name. */
const policyName = 'default';

function checkName(name: string | undefined): void {
  if (name !== undefined && name !== policyName) throw notFound(`No such policy exists: ${name}`);
}

export const GetKeyPolicy: KmsOperation<GetKeyPolicyRequest, GetKeyPolicyResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'GetKeyPolicy' }),
  ],
  async handle(input, call, change) {
    checkName(input.PolicyName);
    const { policy, policyPrincipals } = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    return { Policy: await policyShown(change, policy, policyPrincipals), PolicyName: policyName };
  },
};

export const ListKeyPolicies: KmsOperation<ListKeyPoliciesRequest, ListKeyPoliciesResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'ListKeyPolicies' }),
  ],
  async handle(input, call, change) {
    await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    return { PolicyNames: [policyName], Truncated: false };
  },
};

export const PutKeyPolicy: KmsOperation<PutKeyPolicyRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'PutKeyPolicy',
      conditions: {
        'kms:BypassPolicyLockoutSafetyCheck': [String(input.BypassPolicyLockoutSafetyCheck ?? false)],
      },
    }),
  ],
  async handle(input, call, change) {
    checkName(input.PolicyName);
    const key = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const bypass = input.BypassPolicyLockoutSafetyCheck ?? false;
    const policy = await checkKeyPolicy(change, input.Policy, key, call, bypass);
    writeKey(change, key, { ...key, ...policy });
    return nothing;
  },
};
