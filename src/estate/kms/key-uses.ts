import { AwsFault, type Clock, type Random } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';
import type { ServiceCaller } from '../../identity/index.ts';
import type { Call, ForwardedCall } from '../../wire/index.ts';
import type { EncryptionContext, KeyCaller } from './data-keys.ts';
import type { KeyDocument } from './key-documents.ts';
import { keyResource, serviceRecord } from './service-record.ts';

/** A use of a key for another service, as it goes on; its record shows what is known when it has ended. */
export interface KeyUse {
  readonly eventName: 'GenerateDataKey' | 'Decrypt';
  readonly region: string;
  /** The key's name in the request, as KMS is given it; Decrypt reads it from the ciphertext. */
  readonly keyId?: string;
  readonly context: EncryptionContext;
  key?: KeyDocument;
  materialId?: string;
}

/** By call: what was done for it, to be recorded with it. */
const uses = new WeakMap<Call, ForwardedCall[]>();

/** The calls of KMS that services made for this call. */
export const forwardedCalls = (call: Call): readonly ForwardedCall[] => uses.get(call) ?? [];

/** What the record says of a use, as "Examples of AWS KMS log entries" shows Decrypt and GenerateDataKey. */
function shownUse({ eventName, keyId, context, key, materialId }: KeyUse) {
  return {
    requestParameters: {
      ...(keyId !== undefined && { keyId }),
      ...(eventName === 'Decrypt'
        ? { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
        : { keySpec: 'AES_256' as const }),
      encryptionContext: context,
    },
    ...(materialId !== undefined && { additionalEventData: { keyMaterialId: materialId } }),
    resources: key ? [keyResource(key)] : [],
  };
}

/** As in the record of a call that was made directly, a denied one shows nothing of what was asked. */
const deniedUse = { requestParameters: null, resources: [] };

function noteUse(use: KeyUse, { call, via }: Extract<KeyCaller, { kind: 'call' }>, fault?: AwsFault): void {
  const one: ForwardedCall = {
    eventSource: 'kms.amazonaws.com',
    eventName: use.eventName,
    region: use.region,
    invokedBy: `fas.${via.split('.')[0]}.amazonaws.com`,
    ...(fault && { error: { code: fault.code, message: fault.message } }),
    ...(fault?.code.startsWith('AccessDenied') ? deniedUse : shownUse(use)),
  };
  const known = uses.get(call);
  if (known) known.push(one);
  else uses.set(call, [one]);
}

/**
 * The records of a service's own use: for the account that it works for, and for the key's, under one sharedEventID
 * ("How AWS CloudTrail uses AWS KMS").
 */
function serviceUseRecords(
  use: KeyUse & { readonly key: KeyDocument },
  caller: ServiceCaller,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): readonly NewEntry[] {
  const accounts = new Set([caller.sourceAccountId, use.key.accountId]);
  const sharedEventID = accounts.size > 1 ? random.uuid() : undefined;
  const event = {
    eventName: use.eventName,
    region: use.region,
    time: clock.now(),
    random,
    userIdentity: { type: 'AWSService', invokedBy: caller.service },
    source: caller.service,
    eventType: 'AwsApiCall',
    readOnly: true,
    requestID: random.uuid(),
    sharedEventID,
    ...shownUse(use),
  } as const;
  return [...accounts].map((recipientAccountId) => serviceRecord({ ...event, recipientAccountId }));
}

/**
 * Does `work` and has it recorded. A use for a call is noted, and recorded with the call, also when it failed. One of the
 * service itself is durable before its outcome is known to the service; where the service was refused, no account called.
 */
export async function recordedUse<T>(
  use: KeyUse,
  as: KeyCaller,
  parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly append: (records: readonly NewEntry[]) => Promise<unknown>;
  },
  work: (use: KeyUse) => Promise<T>,
): Promise<T> {
  try {
    const result = await work(use);
    const { key } = use;
    if (as.kind === 'call') noteUse(use, as);
    else if (key) await parts.append(serviceUseRecords({ ...use, key }, as.caller, parts));
    return result;
  } catch (error) {
    if (as.kind === 'call' && error instanceof AwsFault) noteUse(use, as, error);
    throw error;
  }
}
