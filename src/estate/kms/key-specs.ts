import type { EncryptionAlgorithmSpec, SigningAlgorithmSpec } from '@aws-sdk/client-kms';

export type KeySpecName = 'SYMMETRIC_DEFAULT' | 'RSA_2048' | 'RSA_3072' | 'RSA_4096';
export type KeyUsageName = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY';

/** What a key of one spec is made of and may do. */
export interface KeySpec {
  /** Absent: 256 random bits for AES-256-GCM. */
  readonly rsaBits?: number;
  readonly usages: readonly KeyUsageName[];
}

/**
 * The key specs that are present ("Key spec reference" in the KMS developer guide). RSA keys sign and verify; encrypting
 * under them, elliptic curves, HMAC, ML-DSA and SM2 are absent and refused by name.
 */
export const keySpecs: Readonly<Record<KeySpecName, KeySpec>> = {
  SYMMETRIC_DEFAULT: { usages: ['ENCRYPT_DECRYPT'] },
  RSA_2048: { rsaBits: 2048, usages: ['SIGN_VERIFY'] },
  RSA_3072: { rsaBits: 3072, usages: ['SIGN_VERIFY'] },
  RSA_4096: { rsaBits: 4096, usages: ['SIGN_VERIFY'] },
};

export const isKeySpec = (name: string): name is KeySpecName => Object.hasOwn(keySpecs, name);

export const encryptionAlgorithms: readonly EncryptionAlgorithmSpec[] = ['SYMMETRIC_DEFAULT'];

export interface SigningAlgorithm {
  readonly padding: 'pkcs1' | 'pss';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly hashBytes: number;
}

const signing = {
  RSASSA_PSS_SHA_256: { padding: 'pss', hash: 'sha256', hashBytes: 32 },
  RSASSA_PSS_SHA_384: { padding: 'pss', hash: 'sha384', hashBytes: 48 },
  RSASSA_PSS_SHA_512: { padding: 'pss', hash: 'sha512', hashBytes: 64 },
  RSASSA_PKCS1_V1_5_SHA_256: { padding: 'pkcs1', hash: 'sha256', hashBytes: 32 },
  RSASSA_PKCS1_V1_5_SHA_384: { padding: 'pkcs1', hash: 'sha384', hashBytes: 48 },
  RSASSA_PKCS1_V1_5_SHA_512: { padding: 'pkcs1', hash: 'sha512', hashBytes: 64 },
} as const satisfies Readonly<Partial<Record<SigningAlgorithmSpec, SigningAlgorithm>>>;

export type SigningAlgorithmName = keyof typeof signing;

export const signingAlgorithmNames = Object.keys(signing) as readonly SigningAlgorithmName[];

/** Undefined for an algorithm that no key here has. */
export function signingAlgorithm(name: string): SigningAlgorithm | undefined {
  return Object.hasOwn(signing, name) ? signing[name as SigningAlgorithmName] : undefined;
}
