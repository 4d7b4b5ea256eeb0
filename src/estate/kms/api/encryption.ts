import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  ReEncryptRequest,
  ReEncryptResponse,
} from '@aws-sdk/client-kms';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { ciphertextSource } from '../ciphertext.ts';
import { invalidCiphertext, invalidUsage, unsupported } from '../faults.ts';
import { keyArn, type KeyDocument } from '../key-documents.ts';
import { checkContext, decryptUnder, encryptUnder, keyOfCiphertext } from '../key-encryption.ts';
import { checkGrantTokens } from '../grant-tokens.ts';
import { findKey, keyNamed, parseKeyName } from '../key-names.ts';
import { contextConditions, endDryRun, needOnNamed, needOnNone } from '../key-needs.ts';
import { checkEnabled, checkUsable } from '../key-states.ts';
import type { KmsOperation } from '../operation.ts';

const algorithm = 'SYMMETRIC_DEFAULT';

function checkAlgorithm(name: string | undefined): void {
  if (name === undefined || name === algorithm) return;
  throw invalidUsage(`Algorithm ${name} is incompatible with key spec ${algorithm}.`);
}

const algorithmCondition = (name: string | undefined) => ({
  'kms:EncryptionAlgorithm': [name ?? algorithm],
});

export const Encrypt: KmsOperation<EncryptRequest, EncryptResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'Encrypt',
      elsewhere: true,
      aliases: true,
      conditions: {
        ...contextConditions(input.EncryptionContext),
        ...algorithmCondition(input.EncryptionAlgorithm),
      },
      granted: { context: input.EncryptionContext ?? {} },
    }),
  ],
  async handle(input, call, change, parts) {
    await checkGrantTokens(change, input);
    const named = await keyNamed(change, parseKeyName(input.KeyId, call), call.region);
    const key = checkUsable(named, 'ENCRYPT_DECRYPT', 'Encrypt');
    checkAlgorithm(input.EncryptionAlgorithm);
    const context = checkContext(input.EncryptionContext);
    endDryRun(input);
    const { ciphertext } = encryptUnder(key, input.Plaintext, context, parts);
    return { CiphertextBlob: ciphertext, KeyId: keyArn(key), EncryptionAlgorithm: algorithm };
  },
};

/** The need to read a ciphertext: on the key that the request names, else on the one that the ciphertext names. */
async function needToRead(
  view: StateView,
  call: Call,
  action: string,
  given: {
    readonly blob: Uint8Array;
    readonly keyId: string | undefined;
    readonly context: Readonly<Record<string, string>> | undefined;
  },
  conditions: Readonly<Record<string, readonly string[]>>,
): Promise<Need> {
  const named = given.keyId ?? ciphertextSource(given.blob)?.arn;
  if (named === undefined) return needOnNone(call, action, conditions);
  const granted = { context: given.context ?? {} };
  return needOnNamed(view, call, named, { action, elsewhere: true, aliases: true, conditions, granted });
}

/** The key to read a ciphertext with. Throws IncorrectKeyException when the request names another one. */
async function keyToRead(
  view: StateView,
  call: Call,
  blob: Uint8Array,
  keyId: string | undefined,
  operation: string,
): Promise<KeyDocument> {
  const source = ciphertextSource(blob);
  if (keyId !== undefined) {
    const named = checkEnabled(await keyNamed(view, parseKeyName(keyId, call), call.region));
    if (!source) throw invalidCiphertext();
    if (source.arn !== keyArn(named)) {
      throw new AwsFault(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
  }
  return checkUsable(await keyOfCiphertext(view, source, call.region), 'ENCRYPT_DECRYPT', operation);
}

export const Decrypt: KmsOperation<DecryptRequest, DecryptResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needToRead(
      view,
      call,
      'Decrypt',
      {
        blob: input.CiphertextBlob ?? new Uint8Array(),
        keyId: input.KeyId,
        context: input.EncryptionContext,
      },
      { ...contextConditions(input.EncryptionContext), ...algorithmCondition(input.EncryptionAlgorithm) },
    ),
  ],
  async handle(input, call, change, { materials }) {
    await checkGrantTokens(change, input);
    if (input.DryRunModifiers?.length) throw unsupported('DryRunModifiers are not supported.');
    checkAlgorithm(input.EncryptionAlgorithm);
    // The model requires the ciphertext of a real call alone; there is none that goes without.
    if (input.CiphertextBlob === undefined) throw invalidCiphertext();
    const key = await keyToRead(change, call, input.CiphertextBlob, input.KeyId, 'Decrypt');
    const context = checkContext(input.EncryptionContext);
    const { plaintext, materialId } = decryptUnder(key, input.CiphertextBlob, context, materials);
    endDryRun(input);
    return {
      KeyId: keyArn(key),
      Plaintext: plaintext,
      EncryptionAlgorithm: algorithm,
      KeyMaterialId: materialId,
    };
  },
};

async function needsToReEncrypt(
  input: ReEncryptRequest & { readonly DestinationKeyId: string },
  call: Call,
  view: StateView,
): Promise<readonly Need[]> {
  const source = input.SourceKeyId ?? ciphertextSource(input.CiphertextBlob ?? new Uint8Array())?.arn;
  const [from, to] = await Promise.all(
    [source, input.DestinationKeyId].map(async (name) =>
      name === undefined ? undefined : findKey(view, parseKeyName(name, call)),
    ),
  );
  const same = { 'kms:ReEncryptOnSameKey': [String(from !== undefined && from.id === to?.id)] };
  return [
    await needToRead(
      view,
      call,
      'ReEncryptFrom',
      {
        blob: input.CiphertextBlob ?? new Uint8Array(),
        keyId: input.SourceKeyId,
        context: input.SourceEncryptionContext,
      },
      {
        ...same,
        ...contextConditions(input.SourceEncryptionContext),
        ...algorithmCondition(input.SourceEncryptionAlgorithm),
      },
    ),
    await needOnNamed(view, call, input.DestinationKeyId, {
      action: 'ReEncryptTo',
      elsewhere: true,
      aliases: true,
      conditions: {
        ...same,
        ...contextConditions(input.DestinationEncryptionContext),
        ...algorithmCondition(input.DestinationEncryptionAlgorithm),
      },
      granted: { context: input.DestinationEncryptionContext ?? {} },
    }),
  ];
}

export const ReEncrypt: KmsOperation<ReEncryptRequest, ReEncryptResponse> = {
  access: 'read',
  needs: needsToReEncrypt,
  async handle(input, call, change, parts) {
    await checkGrantTokens(change, input);
    if (input.DryRunModifiers?.length) throw unsupported('DryRunModifiers are not supported.');
    checkAlgorithm(input.SourceEncryptionAlgorithm);
    checkAlgorithm(input.DestinationEncryptionAlgorithm);
    if (input.CiphertextBlob === undefined) throw invalidCiphertext();
    const from = await keyToRead(change, call, input.CiphertextBlob, input.SourceKeyId, 'ReEncrypt');
    const named = await keyNamed(change, parseKeyName(input.DestinationKeyId, call), call.region);
    const to = checkUsable(named, 'ENCRYPT_DECRYPT', 'ReEncrypt');
    const source = decryptUnder(
      from,
      input.CiphertextBlob,
      checkContext(input.SourceEncryptionContext),
      parts.materials,
    );
    endDryRun(input);
    const context = checkContext(input.DestinationEncryptionContext);
    const { ciphertext, materialId } = encryptUnder(to, source.plaintext, context, parts);
    return {
      CiphertextBlob: ciphertext,
      SourceKeyId: keyArn(from),
      KeyId: keyArn(to),
      SourceEncryptionAlgorithm: algorithm,
      DestinationEncryptionAlgorithm: algorithm,
      SourceKeyMaterialId: source.materialId,
      DestinationKeyMaterialId: materialId,
    };
  },
};
