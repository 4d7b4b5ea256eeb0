import type {
  CreateKeyRequest,
  CreateKeyResponse,
  DescribeKeyRequest,
  DescribeKeyResponse,
  ListKeysRequest,
  ListKeysResponse,
  UpdateKeyDescriptionRequest,
} from '@aws-sdk/client-kms';
import { limitExceeded, unsupported, validationError } from '../faults.ts';
import { checkGrantTokens } from '../grant-tokens.ts';
import { documentKeys, keyArn, writeKey, type KeyDocument } from '../key-documents.ts';
import { keyNamed, parseKeyId, parseKeyName } from '../key-names.ts';
import { needOnNamed, needOnNone } from '../key-needs.ts';
import { checkKeyPolicy, defaultKeyPolicy } from '../key-policies.ts';
import { isKeySpec, keySpecs, type KeySpecName, type KeyUsageName } from '../key-specs.ts';
import { checkNotPending } from '../key-states.ts';
import { isManagedAlias } from '../managed-keys.ts';
import { nothing, type Given, type KmsOperation, type Nothing } from '../operation.ts';
import { pageOfDocuments } from '../paging.ts';
import { keyShown } from '../shown-key.ts';
import { addTags, tagRecord } from '../tags.ts';

/** "Resource quotas" in the KMS developer guide. */
const keysPerRegion = 100_000;

function specOf(input: Given<CreateKeyRequest>): KeySpecName {
  const { KeySpec, CustomerMasterKeySpec } = input;
  if (KeySpec && CustomerMasterKeySpec && KeySpec !== CustomerMasterKeySpec) {
    throw validationError('KeySpec and CustomerMasterKeySpec are not the same; give KeySpec alone.');
  }
  const spec: string = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (isKeySpec(spec)) return spec;
  throw unsupported(`KeySpec ${spec} is not supported; there are ${Object.keys(keySpecs).join(', ')}.`);
}

function usageOf(input: Given<CreateKeyRequest>, spec: KeySpecName): KeyUsageName {
  const { usages } = keySpecs[spec];
  if (input.KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw validationError(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    );
  }
  const usage = usages.find((one) => one === (input.KeyUsage ?? 'ENCRYPT_DECRYPT'));
  if (usage) return usage;
  // KMS has RSA keys that encrypt; here they are absent.
  throw input.KeyUsage === 'ENCRYPT_DECRYPT'
    ? unsupported(`KeyUsage ENCRYPT_DECRYPT is not supported for KeySpec ${spec}, which takes SIGN_VERIFY.`)
    : validationError(`KeyUsage ${input.KeyUsage} is not compatible with KeySpec ${spec}`);
}

function refuseOtherOrigins(input: Given<CreateKeyRequest>): void {
  if (input.Origin !== undefined && input.Origin !== 'AWS_KMS') {
    throw unsupported(`Origin ${input.Origin} is not supported: key material is made here alone.`);
  }
  if (input.CustomKeyStoreId !== undefined || input.XksKeyId !== undefined) {
    throw unsupported('CustomKeyStoreId and XksKeyId are not supported: there are no custom key stores.');
  }
  if (input.MultiRegion) throw unsupported('MultiRegion is not supported: keys belong to one region.');
}

export const CreateKey: KmsOperation<CreateKeyRequest, CreateKeyResponse> = {
  access: 'write',
  needs(input, call) {
    const conditions = {
      'kms:BypassPolicyLockoutSafetyCheck': [String(input.BypassPolicyLockoutSafetyCheck ?? false)],
      'kms:KeySpec': [input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'],
      'kms:KeyUsage': [input.KeyUsage ?? 'ENCRYPT_DECRYPT'],
      'kms:KeyOrigin': [input.Origin ?? 'AWS_KMS'],
      'kms:MultiRegion': [String(input.MultiRegion ?? false)],
    };
    const requestTags = tagRecord(input.Tags);
    const create = { ...needOnNone(call, 'CreateKey', conditions), requestTags };
    if (!input.Tags?.length) return [create];
    const anyKey = keyArn({ ...call, id: '*' });
    return [create, { ...needOnNone(call, 'TagResource', conditions), requestTags, resource: anyKey }];
  },
  async handle(input, call, change, { state, materials, random }) {
    refuseOtherOrigins(input);
    const spec = specOf(input);
    const usage = usageOf(input, spec);
    const { accountId, region } = call;
    const place = { accountId, region, id: random.uuid() };
    const bypass = input.BypassPolicyLockoutSafetyCheck ?? false;
    const given = input.Policy ?? defaultKeyPolicy(accountId);
    const policy = await checkKeyPolicy(change, given, place, call, bypass);
    if ((await state.count(documentKeys.keys(call))) >= keysPerRegion) {
      throw limitExceeded(`There are ${keysPerRegion} keys in this region already.`);
    }
    const { material, publicKey } = await materials.make(place, spec, call.time);
    const key: KeyDocument = {
      ...place,
      createdAt: call.time,
      description: input.Description ?? '',
      spec,
      usage,
      manager: 'CUSTOMER',
      state: 'Enabled',
      ...policy,
      tags: addTags([], input.Tags),
      materials: [material],
      ...(publicKey !== undefined && { publicKey }),
    };
    writeKey(change, undefined, key);
    return { KeyMetadata: keyShown(key) };
  },
};

export const DescribeKey: KmsOperation<DescribeKeyRequest, DescribeKeyResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'DescribeKey',
      elsewhere: true,
      aliases: true,
      granted: {},
    }),
  ],
  async handle(input, call, change, { ensureManaged }) {
    await checkGrantTokens(change, input);
    const name = parseKeyName(input.KeyId, call);
    // "If you use DescribeKey with a predefined AWS alias, KMS associates the alias with an AWS managed key."
    if (name.kind === 'alias' && name.accountId === call.accountId && isManagedAlias(name.alias)) {
      await ensureManaged(call, name.alias);
    }
    return { KeyMetadata: keyShown(await keyNamed(change, name, call.region)) };
  },
};

export const ListKeys: KmsOperation<ListKeysRequest, ListKeysResponse> = {
  access: 'read',
  needs: (_, call) => [needOnNone(call, 'ListKeys')],
  async handle(input, call, change) {
    const { items, answer } = await pageOfDocuments<KeyDocument>(change, documentKeys.keys(call), input, 100);
    return { Keys: items.map(({ value }) => ({ KeyId: value.id, KeyArn: keyArn(value) })), ...answer };
  },
};

export const UpdateKeyDescription: KmsOperation<UpdateKeyDescriptionRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'UpdateKeyDescription' }),
  ],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    writeKey(change, key, { ...key, description: input.Description });
    return nothing;
  },
};
