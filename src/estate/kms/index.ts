/**
 * KMS: keys, aliases, key policies, encryption, data keys and signatures. In flow calls of KMS and wishes of other services
 * for data keys (`dataKeys`); out flow ciphertexts that name their key, and changes of control state. Key material
 * leaves this folder sealed under the master key, or not at all. FORMAT.md describes documents and ciphertexts.
 */
export { openKms, type Kms } from './open-kms.ts';
export type { DataKeys, EncryptionContext, KeyCaller } from './data-keys.ts';
