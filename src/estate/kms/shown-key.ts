import type { KeyMetadata } from '@aws-sdk/client-kms';
import { currentMaterial, keyArn, type KeyDocument } from './key-documents.ts';
import { encryptionAlgorithms, signingAlgorithmNames } from './key-specs.ts';

/** A key as DescribeKey and CreateKey show it. */
export function keyShown(key: KeyDocument): KeyMetadata {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.id,
    Arn: keyArn(key),
    CreationDate: new Date(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deletionAt !== undefined && { DeletionDate: new Date(key.deletionAt) }),
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...(key.usage === 'ENCRYPT_DECRYPT'
      ? { EncryptionAlgorithms: [...encryptionAlgorithms], CurrentKeyMaterialId: currentMaterial(key).id }
      : { SigningAlgorithms: [...signingAlgorithmNames] }),
    MultiRegion: false,
  };
}
