import { invalidState, invalidUsage, keyDisabled, unsupported } from './faults.ts';
import { keyArn, type KeyDocument } from './key-documents.ts';
import type { KeyUsageName } from './key-specs.ts';

/** What operations ask of a key's state ("Key states of AWS KMS keys" in the KMS developer guide). */

/** Throws KMSInvalidStateException for a key that waits for its deletion. */
export function checkNotPending(key: KeyDocument): KeyDocument {
  if (key.state === 'PendingDeletion') throw invalidState(`${keyArn(key)} is pending deletion.`);
  return key;
}

/** Throws DisabledException or KMSInvalidStateException unless the key is enabled. */
export function checkEnabled(key: KeyDocument): KeyDocument {
  checkNotPending(key);
  if (key.state === 'Disabled') throw keyDisabled(keyArn(key));
  return key;
}

/** Throws as `checkEnabled`, and InvalidKeyUsageException for a key that is for something else. */
export function checkUsable(key: KeyDocument, usage: KeyUsageName, operation: string): KeyDocument {
  checkEnabled(key);
  if (key.usage !== usage) {
    throw invalidUsage(`${keyArn(key)} key usage is ${key.usage} which is not valid for ${operation}.`);
  }
  return key;
}

/** Throws UnsupportedOperationException for a key whose material cannot be rotated. */
export function checkRotatable(key: KeyDocument): KeyDocument {
  if (key.spec === 'SYMMETRIC_DEFAULT') return key;
  throw unsupported(`${keyArn(key)} is a key of ${key.spec}; only symmetric keys can be rotated.`);
}
