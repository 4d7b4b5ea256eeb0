import type { Clock, Random } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { AuditResource, Call, Given, Need, Operations, Recorded, Show } from '../../wire/index.ts';
import { ciphertextSource } from './ciphertext.ts';
import { aliasArn, keyArn } from './key-documents.ts';
import type { Materials } from './key-material.ts';

export { nothing, type Given, type Nothing } from '../../wire/index.ts';

/** What the operations of KMS work with, beside the call and the change. */
export interface Parts {
  readonly state: StateView;
  readonly materials: Materials;
  readonly random: Random;
  readonly clock: Clock;
  /** Makes the account's own key of an alias such as `alias/aws/s3`, unless it is there. */
  readonly ensureManaged: (
    place: { readonly accountId: string; readonly region: string },
    alias: string,
  ) => Promise<void>;
}

/** One operation of KMS, as a file in `api/` declares it under the operation's own name. */
export interface KmsOperation<Input, Output> {
  readonly access: 'read' | 'write';
  needs(input: Given<Input>, call: Call, view: StateView): readonly Need[] | Promise<readonly Need[]>;
  handle(input: Given<Input>, call: Call, change: Change, parts: Parts): Promise<Output>;
  /** What the record shows, where it is not `usualRecord`. */
  recorded?(this: void, input: Given<Input>, output: Output | undefined, call: Call): Recorded;
}

type Members = Readonly<Record<string, unknown>>;

/** By input: the key that a call turned out to be about, where neither it nor its answer says so. */
const notedKeys = new WeakMap<object, string>();

/** Remembers for the record which key a call touched, as the key that a deleted alias named, or that of a grant's token. */
export function noteKey(input: object, arn: string): void {
  notedKeys.set(input, arn);
}

/** The ARNs of keys that an answer names, else the one that the request names by its id or ARN. */
function keyArnsOf(input: Members, output: Members | undefined, call: Call): readonly string[] {
  const noted = notedKeys.get(input);
  if (noted !== undefined) return [noted];
  const metadata = output?.['KeyMetadata'] as Members | undefined;
  const named = [metadata?.['Arn'], output?.['SourceKeyId'], output?.['KeyId']].filter(
    (arn): arn is string => typeof arn === 'string' && arn.startsWith('arn:'),
  );
  if (named.length > 0) return [...new Set(named)];
  const given = input['KeyId'] ?? input['TargetKeyId'];
  if (typeof given !== 'string' || given.includes('alias/')) return [];
  return [given.startsWith('arn:') ? given : keyArn({ ...call, id: given })];
}

/** The record's `resources` element, as "Examples of AWS KMS log entries" shows it: an alias stands behind its key. */
function keysTouched(input: Members, output: Members | undefined, call: Call): readonly AuditResource[] {
  const arns = keyArnsOf(input, output, call);
  const alias = input['AliasName'];
  const all = typeof alias === 'string' ? [...arns, aliasArn(call, alias)] : arns;
  return all.map((ARN) => ({
    ARN,
    accountId: ARN.split(':')[4] ?? call.accountId,
    type: 'AWS::KMS::Key',
  }));
}

/**
 * The material that was used ("Examples of AWS KMS log entries": Encrypt, Decrypt, ReEncrypt, GenerateDataKey …). Encrypt does
 * not answer it, but its ciphertext says it.
 */
function materialUsed(output: Members): Members | undefined {
  const { KeyMaterialId: id, SourceKeyMaterialId, DestinationKeyMaterialId, CiphertextBlob: blob } = output;
  if (SourceKeyMaterialId !== undefined) {
    return { sourceKeyMaterialId: SourceKeyMaterialId, destinationKeyMaterialId: DestinationKeyMaterialId };
  }
  const keyMaterialId = id ?? (blob instanceof Uint8Array ? ciphertextSource(blob)?.materialId : undefined);
  return keyMaterialId === undefined ? undefined : { keyMaterialId };
}

/** "… always includes the encryptionAlgorithm in the requestParameters even if [it] wasn't specified in the request." */
const algorithmMembers: Readonly<Record<string, readonly string[]>> = {
  Decrypt: ['EncryptionAlgorithm'],
  Encrypt: ['EncryptionAlgorithm'],
  ReEncrypt: ['SourceEncryptionAlgorithm', 'DestinationEncryptionAlgorithm'],
};

const shownInput = (name: string, input: Members): Members => ({
  ...Object.fromEntries((algorithmMembers[name] ?? []).map((member) => [member, 'SYMMETRIC_DEFAULT'])),
  ...input,
});

/**
 * "CloudTrail log entries for this operation … include the key ARN of the affected KMS key in the responseElements.keyId value,
 * even though this operation does not return the key ARN" (CreateAlias, EnableKey, PutKeyPolicy … in "Examples of AWS KMS log
 * entries").
 */
function affectedKey(input: Members, output: Members, call: Call): Members {
  const [keyId] = Object.keys(output).length > 0 ? [] : keyArnsOf(input, output, call);
  return keyId === undefined ? {} : { keyId };
}

/** What the record of the operation `name` shows. */
const usualRecord =
  (name: string) =>
  async (input: Members, output: Members | undefined, call: Call, show: Show): Promise<Recorded> => {
    const used = output && materialUsed(output);
    return {
      requestParameters: await show('input', shownInput(name, input)),
      responseElements: output && {
        ...((await show('output', output)) as object | null),
        ...affectedKey(input, output, call),
      },
      ...(used && { additionalEventData: used }),
    };
  };

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: Parts,
  operations: Readonly<Record<string, KmsOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        needs: (input, call) => operation.needs(input as never, call, parts.state),
        resources: keysTouched,
        recorded: operation.recorded ?? usualRecord(name),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
