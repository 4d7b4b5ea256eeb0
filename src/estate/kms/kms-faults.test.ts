import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultOf, management } from '../../../test/identity-fixture.ts';
import { kmsRegion, openKmsFixture, type KmsFixture } from '../../../test/kms-fixture.ts';

/** Codes and texts as KMS itself gives them; clients and their users read them. */

const text = (value: string) => new TextEncoder().encode(value);
const tags = (count: number, key = 'k') =>
  Array.from({ length: count }, (_, index) => ({ TagKey: `${key}${index}`, TagValue: 'v' }));
const keyArns = `arn:aws:kms:${kmsRegion}:${management}:key/`;
const absent = '1234abcd-12ab-34cd-56ef-1234567890ab';

let kms: KmsFixture;
let keys: { readonly aes: string; readonly rsa: string };

beforeAll(async () => {
  kms = await openKmsFixture();
  keys = { aes: await kms.key(), rsa: await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }) };
});
afterAll(async () => {
  await kms[Symbol.asyncDispose]();
});

it.each<[string, string, () => object, string, string]>([
  [
    'a key id of another form',
    'DescribeKey',
    () => ({ KeyId: 'not-a-key-id' }),
    'NotFoundException',
    "Invalid keyId 'not-a-key-id'",
  ],
  [
    'a UUID without hyphens',
    'Encrypt',
    () => ({ KeyId: absent.replaceAll('-', ''), Plaintext: text('a') }),
    'NotFoundException',
    `Invalid keyId '${absent.replaceAll('-', '')}'`,
  ],
  [
    'a key that is not there',
    'DescribeKey',
    () => ({ KeyId: absent }),
    'NotFoundException',
    `Key '${keyArns}${absent}' does not exist`,
  ],
  [
    'a multi-region key that is not there',
    'DescribeKey',
    () => ({ KeyId: 'mrk-1234abcd12ab34cd56ef1234567890ab' }),
    'NotFoundException',
    `Key '${keyArns}mrk-1234abcd12ab34cd56ef1234567890ab' does not exist`,
  ],
  [
    'an alias without its prefix',
    'CreateAlias',
    () => ({ AliasName: 'mine', TargetKeyId: keys.aes }),
    'ValidationException',
    'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  ],
  [
    'a digest of another length',
    'Sign',
    () => ({
      KeyId: keys.rsa,
      Message: text('short'),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'RSASSA_PSS_SHA_256',
    }),
    'ValidationException',
    'Digest is invalid length for algorithm RSASSA_PSS_SHA_256.',
  ],
  [
    'an algorithm of other keys',
    'Sign',
    () => ({ KeyId: keys.rsa, Message: text('a'), SigningAlgorithm: 'ECDSA_SHA_256' }),
    'InvalidKeyUsageException',
    'Algorithm ECDSA_SHA_256 is incompatible with key spec RSA_2048.',
  ],
  [
    'an algorithm of other keys to encrypt with',
    'Encrypt',
    () => ({ KeyId: keys.aes, Plaintext: text('a'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
    'InvalidKeyUsageException',
    'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
  ],
  [
    'an asymmetric key without a usage',
    'CreateKey',
    () => ({ KeySpec: 'RSA_2048' }),
    'ValidationException',
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
  ],
  [
    'a usage of other specs',
    'CreateKey',
    () => ({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }),
    'ValidationException',
    'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
  ],
  ['too many tags', 'CreateKey', () => ({ Tags: tags(51) }), 'TagException', 'Too many tags'],
  [
    'a tag that is reserved',
    'TagResource',
    () => ({ KeyId: keys.aes, Tags: tags(1, 'AWS:') }),
    'TagException',
    'Tags beginning with aws: are reserved',
  ],
  [
    'a tag twice',
    'TagResource',
    () => ({ KeyId: keys.aes, Tags: [...tags(1), ...tags(1)] }),
    'TagException',
    'Duplicate tag keys',
  ],
  [
    'random bytes of no number',
    'GenerateRandom',
    () => ({}),
    'ValidationException',
    'NumberOfBytes is required.',
  ],
])('%s', async (_, operation, input, code, message) => {
  expect(await faultOf(kms.call(operation, input()))).toMatchObject({ code, message });
});

it('a ciphertext of another key is refused as such, also where the key named cannot decrypt at all', async () => {
  const { CiphertextBlob } = await kms.call('Encrypt', { KeyId: keys.aes, Plaintext: text('a') });
  for (const KeyId of [keys.rsa, await kms.key()]) {
    expect(await faultOf(kms.call('Decrypt', { KeyId, CiphertextBlob }))).toMatchObject({
      code: 'IncorrectKeyException',
      message: 'The key ID in the request does not identify a CMK that can perform this operation.',
    });
  }
});
