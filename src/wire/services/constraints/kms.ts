import type { ServiceConstraints } from './constraint.ts';

const aliasName = { length: [1, 256], pattern: '^[a-zA-Z0-9:/_-]+$' } as const;
const keyId = { length: [1, 2048] } as const;
const principal = { length: [1, 256], pattern: '^[\\w+=,.@:/-]+$' } as const;
const anyText = '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+';
const pairSpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SM2',
  'ECC_NIST_EDWARDS25519',
];
const masterKeySpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
];
const keySpecs = [
  ...masterKeySpecs,
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
];
const keyUsages = [
  'SIGN_VERIFY',
  'ENCRYPT_DECRYPT',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
];
const encryptionAlgorithm = {
  values: ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'],
};
const signingAlgorithms = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
];

/**
 * Lengths, ranges, patterns and values of KMS, from the pages of its operations and data types. Which of the key specs,
 * algorithms and origins of KMS are present is left to the operations, which name the one that is not.
 */
export const kmsConstraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/kms/latest/APIReference/',
  members: {
    AliasName: aliasName,
    CiphertextBlob: { length: [1, 6144] },
    CustomKeyStoreId: { length: [1, 64] },
    DestinationEncryptionAlgorithm: encryptionAlgorithm,
    EncryptionAlgorithm: encryptionAlgorithm,
    Description: { length: [0, 8192] },
    DestinationKeyId: keyId,
    GrantId: { length: [1, 128] },
    GrantToken: { length: [1, 8192] },
    GrantTokens: { items: [0, 10], element: { length: [1, 8192] } },
    GranteePrincipal: principal,
    IncludeKeyMaterial: { values: ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'] },
    KeyId: keyId,
    KeyPairSpec: { values: pairSpecs },
    Limit: { range: [1, 1000] },
    Marker: { length: [1, 1024], pattern: '[\\u0020-\\u00FF]*' },
    Message: { length: [1, 4096] },
    MessageType: { values: ['RAW', 'DIGEST', 'EXTERNAL_MU'] },
    NumberOfBytes: { range: [1, 1024] },
    Name: { length: [1, 256], pattern: '^[a-zA-Z0-9:/_-]+$' },
    PendingWindowInDays: { range: [1, 365] },
    Plaintext: { length: [1, 4096] },
    Policy: { length: [1, 131072], pattern: anyText },
    PolicyName: { length: [1, 128], pattern: '[\\w]+' },
    RetiringPrincipal: principal,
    RotationPeriodInDays: { range: [90, 2560] },
    Signature: { length: [1, 6144] },
    SigningAlgorithm: { values: signingAlgorithms },
    SourceEncryptionAlgorithm: encryptionAlgorithm,
    SourceKeyId: keyId,
    TagKey: { length: [1, 128] },
    TagKeys: { element: { length: [1, 128] } },
    TagValue: { length: [0, 256] },
    TargetKeyId: keyId,
    XksKeyId: { length: [1, 128], pattern: '^[a-zA-Z0-9-_.]+$' },
  },
  structures: {
    CreateKeyRequest: {
      KeySpec: { values: keySpecs },
      CustomerMasterKeySpec: { values: masterKeySpecs },
      KeyUsage: { values: keyUsages },
      Origin: { values: ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] },
    },
    GenerateDataKeyRequest: { KeySpec: { values: ['AES_256', 'AES_128'] } },
    ListRetirableGrantsRequest: { Limit: { range: [1, 100] } },
    GenerateDataKeyWithoutPlaintextRequest: { KeySpec: { values: ['AES_256', 'AES_128'] } },
    ListAliasesRequest: { Limit: { range: [1, 100] } },
    ListGrantsRequest: { Limit: { range: [1, 100] } },
    ListResourceTagsRequest: { Limit: { range: [1, 50] } },
  },
};
