import type { Clock, Random } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';
import type { AuthoriseService } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import type { Authorise } from '../../wire/index.ts';
import { ciphertextSource } from './ciphertext.ts';
import type { DataKeys, EncryptionContext, KeyCaller } from './data-keys.ts';
import { withGrants } from './grant-use.ts';
import { keyArn, type KeyDocument } from './key-documents.ts';
import { checkContext, decryptUnder, encryptUnder, keyOfCiphertext } from './key-encryption.ts';
import type { Materials } from './key-material.ts';
import { keyNamed, parseKeyName, type KeyName } from './key-names.ts';
import { contextConditions, needOnKey } from './key-needs.ts';
import { checkUsable } from './key-states.ts';
import { recordedUse } from './key-uses.ts';
import { isManagedAlias } from './managed-keys.ts';

export interface DataKeysOptions {
  readonly state: State;
  readonly materials: Materials;
  readonly clock: Clock;
  readonly random: Random;
  readonly authorise: Authorise;
  readonly authoriseService: AuthoriseService;
  readonly ensureManaged: (
    place: { readonly accountId: string; readonly region: string },
    alias: string,
  ) => Promise<void>;
}

/**
 * Opens the data keys for other services. Their use is authorised as the call's caller, by way of the service (forward
 * access: kms:ViaService), or as the service itself, whom the key's policy must name; and each use is recorded.
 */
export function openDataKeys(options: DataKeysOptions): DataKeys {
  const { state, materials, random } = options;

  const authorise = async (
    key: KeyDocument,
    action: string,
    context: EncryptionContext,
    as: KeyCaller,
    requestAlias: string | undefined,
  ): Promise<void> => {
    const conditions = {
      ...contextConditions(context),
      'kms:EncryptionAlgorithm': ['SYMMETRIC_DEFAULT'],
      ...(requestAlias !== undefined && { 'kms:RequestAlias': [requestAlias] }),
    };
    if (as.kind === 'service') {
      const need = await needOnKey(state, key, as.caller.sourceAccountId, action, conditions);
      options.authoriseService(as.caller, [need]);
      return;
    }
    const via = { 'kms:ViaService': [as.via], 'aws:ViaAWSService': ['true'] };
    const need = await needOnKey(state, key, as.call.accountId, action, { ...conditions, ...via });
    const granted = await withGrants(state, key, as.call, need, { operation: action, context });
    await options.authorise(as.call, [granted]);
  };

  /** `aws/s3` and `alias/aws/s3` are one name; the key behind it is made when it is first wanted. */
  const nameOf = async (request: {
    readonly keyId: string;
    readonly accountId: string;
    readonly region: string;
  }): Promise<KeyName> => {
    const keyId = request.keyId.startsWith('aws/') ? `alias/${request.keyId}` : request.keyId;
    const name = parseKeyName(keyId, request);
    if (name.kind === 'alias' && isManagedAlias(name.alias) && name.accountId === request.accountId) {
      await options.ensureManaged(name, name.alias);
    }
    return name;
  };

  const recording = {
    ...options,
    append: (records: readonly NewEntry[]) => state.commit(state.begin(), records),
  };

  return {
    async generate({ context, as, ...request }) {
      const name = await nameOf(request);
      const alias = name.kind === 'alias' ? name.alias : undefined;
      const { region, arn: keyId } = name;
      return recordedUse(
        { eventName: 'GenerateDataKey', region, keyId, context },
        as,
        recording,
        async (use) => {
          const key = (use.key = await keyNamed(state, name, region));
          await authorise(key, 'GenerateDataKey', context, as, alias);
          checkUsable(key, 'ENCRYPT_DECRYPT', 'GenerateDataKey');
          const plaintext = random.bytes(32);
          const { ciphertext, materialId } = encryptUnder(key, plaintext, checkContext(context), {
            materials,
            random,
          });
          use.materialId = materialId;
          return { plaintext, ciphertext, keyArn: keyArn(key) };
        },
      );
    },
    async decrypt({ ciphertext, context, as }) {
      const source = ciphertextSource(ciphertext);
      const region = source?.region ?? (as.kind === 'call' ? as.call : as.caller).region;
      return recordedUse({ eventName: 'Decrypt', region, context }, as, recording, async (use) => {
        const key = (use.key = await keyOfCiphertext(state, source, region));
        await authorise(key, 'Decrypt', context, as, undefined);
        checkUsable(key, 'ENCRYPT_DECRYPT', 'Decrypt');
        const { plaintext, materialId } = decryptUnder(key, ciphertext, context, materials);
        use.materialId = materialId;
        return plaintext;
      });
    },
    async keyArn(request) {
      const name = await nameOf(request);
      return keyArn(await keyNamed(state, name, name.region));
    },
  };
}
