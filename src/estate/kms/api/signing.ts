import { createPublicKey } from 'node:crypto';
import type {
  GetPublicKeyRequest,
  GetPublicKeyResponse,
  SignRequest,
  SignResponse,
  VerifyRequest,
  VerifyResponse,
} from '@aws-sdk/client-kms';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { invalidUsage, unsupported, validationError } from '../faults.ts';
import { keyArn, type KeyDocument } from '../key-documents.ts';
import { checkGrantTokens } from '../grant-tokens.ts';
import { keyNamed, parseKeyName } from '../key-names.ts';
import { endDryRun, needOnNamed } from '../key-needs.ts';
import { signingAlgorithm, signingAlgorithmNames, type SigningAlgorithm } from '../key-specs.ts';
import { checkEnabled, checkUsable } from '../key-states.ts';
import type { Given, KmsOperation } from '../operation.ts';
import { digestOf, isSignature, signDigest } from '../signatures.ts';

type Signing = Pick<Given<SignRequest>, 'KeyId' | 'Message' | 'SigningAlgorithm' | 'MessageType'>;

const needToSign = async (
  action: string,
  input: Signing,
  call: Call,
  view: StateView,
): Promise<readonly Need[]> => [
  await needOnNamed(view, call, input.KeyId, {
    action,
    elsewhere: true,
    aliases: true,
    conditions: {
      'kms:SigningAlgorithm': [input.SigningAlgorithm],
      'kms:MessageType': [input.MessageType ?? 'RAW'],
    },
    granted: {},
  }),
];

function algorithmOf(key: KeyDocument, name: string): SigningAlgorithm {
  const algorithm = signingAlgorithm(name);
  if (algorithm) return algorithm;
  throw invalidUsage(`Algorithm ${name} is incompatible with key spec ${key.spec}.`);
}

/** The digest to sign. Throws ValidationException for a digest of another length than the algorithm's. */
function digestToSign(
  { Message, MessageType, SigningAlgorithm: name }: Signing,
  algorithm: SigningAlgorithm,
): Buffer {
  if (MessageType === undefined || MessageType === 'RAW') return digestOf(Message, algorithm);
  if (MessageType !== 'DIGEST') throw unsupported(`MessageType ${MessageType} is not supported by ${name}.`);
  if (Message.length === algorithm.hashBytes) return Buffer.from(Message);
  throw validationError(`Digest is invalid length for algorithm ${name}.`);
}

export const Sign: KmsOperation<SignRequest, SignResponse> = {
  access: 'read',
  needs: (input, call, view) => needToSign('Sign', input, call, view),
  async handle(input, call, change, { materials, random }) {
    await checkGrantTokens(change, input);
    const named = await keyNamed(change, parseKeyName(input.KeyId, call), call.region);
    const key = checkUsable(named, 'SIGN_VERIFY', 'Sign');
    const algorithm = algorithmOf(key, input.SigningAlgorithm);
    const digest = digestToSign(input, algorithm);
    endDryRun(input);
    const salt = random.bytes(algorithm.hashBytes);
    return {
      KeyId: keyArn(key),
      Signature: signDigest(materials.privateKey(key), digest, algorithm, salt),
      SigningAlgorithm: input.SigningAlgorithm,
    };
  },
};

const publicKeyOf = ({ publicKey = '' }: KeyDocument): Buffer => Buffer.from(publicKey, 'base64');

export const Verify: KmsOperation<VerifyRequest, VerifyResponse> = {
  access: 'read',
  needs: (input, call, view) => needToSign('Verify', input, call, view),
  async handle(input, call, change) {
    await checkGrantTokens(change, input);
    const named = await keyNamed(change, parseKeyName(input.KeyId, call), call.region);
    const key = checkUsable(named, 'SIGN_VERIFY', 'Verify');
    const algorithm = algorithmOf(key, input.SigningAlgorithm);
    const digest = digestToSign(input, algorithm);
    endDryRun(input);
    const publicKey = createPublicKey({ key: publicKeyOf(key), format: 'der', type: 'spki' });
    if (!isSignature(publicKey, digest, input.Signature, algorithm)) {
      const text = 'The signature does not belong to this message, key and algorithm.';
      throw new AwsFault('KMSInvalidSignatureException', text);
    }
    return { KeyId: keyArn(key), SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },
};

export const GetPublicKey: KmsOperation<GetPublicKeyRequest, GetPublicKeyResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'GetPublicKey',
      elsewhere: true,
      aliases: true,
      granted: {},
    }),
  ],
  async handle(input, call, change) {
    await checkGrantTokens(change, input);
    const named = await keyNamed(change, parseKeyName(input.KeyId, call), call.region);
    const key = checkEnabled(named);
    if (key.publicKey === undefined) {
      throw unsupported(`${keyArn(key)} is a symmetric key, which has no public key.`);
    }
    return {
      KeyId: keyArn(key),
      PublicKey: publicKeyOf(key),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      SigningAlgorithms: [...signingAlgorithmNames],
    };
  },
};
