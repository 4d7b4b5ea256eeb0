import type { ServiceCaller } from '../../identity/index.ts';
import type { Call } from '../../wire/index.ts';

/** On whose behalf a key is used: permissions are theirs, by the key's policy. */
export type KeyCaller =
  | {
      readonly kind: 'call';
      readonly call: Call;
      /** Such as `s3.us-east-1.amazonaws.com`, for kms:ViaService. */ readonly via: string;
    }
  | { readonly kind: 'service'; readonly caller: ServiceCaller };

/** What must be given again to decrypt; for an S3 object `aws:s3:arn` with the object's or the bucket's ARN. */
export type EncryptionContext = Readonly<Record<string, string>>;

export interface DataKey {
  /** 32 bytes. Never kept. */
  readonly plaintext: Uint8Array;
  /** What is kept beside the data; `decrypt` takes it. */
  readonly ciphertext: Uint8Array;
  readonly keyArn: string;
}

/**
 * Envelope encryption under the keys of KMS, for the services that encrypt what they keep. Each use is authorised
 * (`kms:GenerateDataKey`, `kms:Decrypt`) as the caller. Throws AwsFault with the codes of KMS: NotFoundException,
 * DisabledException, KMSInvalidStateException, InvalidKeyUsageException, AccessDenied.
 */
export interface DataKeys {
  /**
   * `keyId` is a key id, key ARN, alias name or alias ARN, looked up in `accountId` and `region` where it does not say
   * itself. `aws/s3` names the account's key for S3, which is made at its first use.
   */
  generate(request: {
    readonly keyId: string;
    readonly accountId: string;
    readonly region: string;
    readonly context: EncryptionContext;
    readonly as: KeyCaller;
  }): Promise<DataKey>;
  decrypt(request: {
    readonly ciphertext: Uint8Array;
    readonly context: EncryptionContext;
    readonly as: KeyCaller;
  }): Promise<Uint8Array>;
  /** The ARN of a key, without a permission. Throws NotFoundException. */
  keyArn(request: {
    readonly keyId: string;
    readonly accountId: string;
    readonly region: string;
  }): Promise<string>;
}
