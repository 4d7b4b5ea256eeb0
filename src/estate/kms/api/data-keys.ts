import type {
  GenerateDataKeyPairRequest,
  GenerateDataKeyPairResponse,
  GenerateDataKeyPairWithoutPlaintextRequest,
  GenerateDataKeyPairWithoutPlaintextResponse,
  GenerateDataKeyRequest,
  GenerateDataKeyResponse,
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse,
  GenerateRandomRequest,
  GenerateRandomResponse,
} from '@aws-sdk/client-kms';
import type { Change, StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { makeDataKeyPair } from '../data-key-pairs.ts';
import { unsupported, validationError } from '../faults.ts';
import { keyArn, type KeyDocument } from '../key-documents.ts';
import { checkContext, encryptUnder } from '../key-encryption.ts';
import { checkGrantTokens } from '../grant-tokens.ts';
import { keyNamed, parseKeyName } from '../key-names.ts';
import { contextConditions, endDryRun, needOnNamed, needOnNone } from '../key-needs.ts';
import { checkUsable } from '../key-states.ts';
import type { KmsOperation, Parts } from '../operation.ts';

interface DataKeyInput {
  readonly KeyId: string;
  readonly EncryptionContext?: Record<string, string> | undefined;
  readonly KeySpec?: string | undefined;
  readonly NumberOfBytes?: number | undefined;
  readonly GrantTokens?: string[] | undefined;
  readonly DryRun?: boolean | undefined;
  readonly Recipient?: unknown;
}

const needToGenerate = async (
  action: string,
  input: DataKeyInput,
  call: Call,
  view: StateView,
  conditions: Readonly<Record<string, readonly string[]>> = {},
): Promise<readonly Need[]> => [
  await needOnNamed(view, call, input.KeyId, {
    action,
    elsewhere: true,
    aliases: true,
    conditions: { ...contextConditions(input.EncryptionContext), ...conditions },
    granted: { context: input.EncryptionContext ?? {} },
  }),
];

function sizeOf({ KeySpec, NumberOfBytes }: DataKeyInput): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw validationError('Please specify either number of bytes or key spec.');
  }
  return NumberOfBytes ?? (KeySpec === 'AES_128' ? 16 : 32);
}

async function keyFor(
  input: DataKeyInput,
  call: Call,
  change: Change,
  operation: string,
): Promise<KeyDocument> {
  await checkGrantTokens(change, input);
  const key = await keyNamed(change, parseKeyName(input.KeyId, call), call.region);
  return checkUsable(key, 'ENCRYPT_DECRYPT', operation);
}

async function generate(input: DataKeyInput, call: Call, change: Change, parts: Parts, operation: string) {
  const key = await keyFor(input, call, change, operation);
  const plaintext = parts.random.bytes(sizeOf(input));
  const context = checkContext(input.EncryptionContext);
  endDryRun(input);
  const { ciphertext, materialId } = encryptUnder(key, plaintext, context, parts);
  return { key, plaintext, ciphertext, materialId };
}

export const GenerateDataKey: KmsOperation<GenerateDataKeyRequest, GenerateDataKeyResponse> = {
  access: 'read',
  needs: (input, call, view) => needToGenerate('GenerateDataKey', input, call, view),
  async handle(input, call, change, parts) {
    const made = await generate(input, call, change, parts, 'GenerateDataKey');
    return {
      CiphertextBlob: made.ciphertext,
      Plaintext: made.plaintext,
      KeyId: keyArn(made.key),
      KeyMaterialId: made.materialId,
    };
  },
};

export const GenerateDataKeyWithoutPlaintext: KmsOperation<
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse
> = {
  access: 'read',
  needs: (input, call, view) => needToGenerate('GenerateDataKeyWithoutPlaintext', input, call, view),
  async handle(input, call, change, parts) {
    const whole = {
      ...input,
      ...(input.KeySpec === undefined && input.NumberOfBytes === undefined && { KeySpec: 'AES_256' }),
    };
    const made = await generate(whole, call, change, parts, 'GenerateDataKeyWithoutPlaintext');
    return { CiphertextBlob: made.ciphertext, KeyId: keyArn(made.key), KeyMaterialId: made.materialId };
  },
};

type PairInput = DataKeyInput & { readonly KeyPairSpec: string };

async function generatePair(input: PairInput, call: Call, change: Change, parts: Parts, operation: string) {
  const key = await keyFor(input, call, change, operation);
  const context = checkContext(input.EncryptionContext);
  endDryRun(input);
  const { privateKey, publicKey } = await makeDataKeyPair(input.KeyPairSpec);
  const { ciphertext, materialId } = encryptUnder(key, privateKey, context, parts);
  return {
    plaintext: privateKey,
    shown: {
      PrivateKeyCiphertextBlob: ciphertext,
      PublicKey: publicKey,
      KeyId: keyArn(key),
      KeyPairSpec: input.KeyPairSpec as NonNullable<GenerateDataKeyPairResponse['KeyPairSpec']>,
      KeyMaterialId: materialId,
    },
  };
}

export const GenerateDataKeyPair: KmsOperation<GenerateDataKeyPairRequest, GenerateDataKeyPairResponse> = {
  access: 'read',
  needs: (input, call, view) =>
    needToGenerate('GenerateDataKeyPair', input, call, view, {
      'kms:DataKeyPairSpec': [input.KeyPairSpec],
    }),
  async handle(input, call, change, parts) {
    const { plaintext, shown } = await generatePair(input, call, change, parts, 'GenerateDataKeyPair');
    return { ...shown, PrivateKeyPlaintext: plaintext };
  },
};

export const GenerateDataKeyPairWithoutPlaintext: KmsOperation<
  GenerateDataKeyPairWithoutPlaintextRequest,
  GenerateDataKeyPairWithoutPlaintextResponse
> = {
  access: 'read',
  needs: (input, call, view) =>
    needToGenerate('GenerateDataKeyPairWithoutPlaintext', input, call, view, {
      'kms:DataKeyPairSpec': [input.KeyPairSpec],
    }),
  async handle(input, call, change, parts) {
    const operation = 'GenerateDataKeyPairWithoutPlaintext';
    return (await generatePair(input, call, change, parts, operation)).shown;
  },
};

export const GenerateRandom: KmsOperation<GenerateRandomRequest, GenerateRandomResponse> = {
  access: 'read',
  needs: (_, call) => [needOnNone(call, 'GenerateRandom')],
  handle(input, _call, _change, { random }) {
    if (input.Recipient !== undefined) throw unsupported('Recipient is not supported.');
    if (input.CustomKeyStoreId !== undefined) throw unsupported('CustomKeyStoreId is not supported.');
    if (input.NumberOfBytes === undefined) throw validationError('NumberOfBytes is required.');
    return Promise.resolve({ Plaintext: random.bytes(input.NumberOfBytes) });
  },
};
