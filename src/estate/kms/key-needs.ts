import { policyInForce } from '../../identity/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { AwsFault } from '../../kernel/index.ts';
import { validationError } from './faults.ts';
import { withGrants, type GrantedUse } from './grant-use.ts';
import { aliasesOf, aliasArn, keyArn, type KeyDocument } from './key-documents.ts';
import { findKey, parseKeyId, parseKeyName, type KeyName } from './key-names.ts';

type Conditions = Readonly<Record<string, readonly string[]>>;

/** Condition keys that every operation on a key has ("AWS KMS condition keys"). */
async function keyConditions(
  view: StateView,
  key: KeyDocument,
  callerAccountId: string,
): Promise<Conditions> {
  return {
    'kms:CallerAccount': [callerAccountId],
    'kms:KeySpec': [key.spec],
    'kms:KeyUsage': [key.usage],
    'kms:KeyOrigin': ['AWS_KMS'],
    'kms:MultiRegion': ['false'],
    'kms:ResourceAliases': await aliasesOf(view, key),
  };
}

/** The need for one action on a key: its own policy must allow it, or delegate to its account. */
export async function needOnKey(
  view: StateView,
  key: KeyDocument,
  callerAccountId: string,
  action: string,
  conditions: Conditions = {},
): Promise<Need> {
  return {
    action: `kms:${action}`,
    resource: keyArn(key),
    resourcePolicy: policyInForce(key.policy, key.policyPrincipals),
    resourcePolicyRequired: true,
    resourceAccountId: key.accountId,
    resourceTags: Object.fromEntries(key.tags.map((tag) => [tag.key, tag.value])),
    conditions: { ...(await keyConditions(view, key, callerAccountId)), ...conditions },
  };
}

/** An operation's use of a key. */
export interface KeyUse {
  readonly action: string;
  /** Whether principals of other accounts may, and whether aliases are taken; both or neither, but for a few. */
  readonly elsewhere?: boolean;
  readonly aliases?: boolean;
  readonly conditions?: Conditions;
  /** Set where grants may allow it as well. */
  readonly granted?: Omit<GrantedUse, 'operation'>;
}

/**
 * The need of a call that names a key. Where there is no such key the caller's own policies decide who may hear that.
 * An operation that does not work across accounts is allowed to nobody of another one, whatever the key's policy says
 * ("AWS KMS permissions", cross-account use).
 */
export async function needOnNamed(view: StateView, call: Call, keyId: string, use: KeyUse): Promise<Need> {
  const name = use.aliases ? parseKeyName(keyId, call) : parseKeyId(keyId, call);
  const key = name.region === call.region ? await findKey(view, name) : undefined;
  const conditions = { ...requestAlias(name), ...use.conditions };
  if (!key) return needOnAbsent(name, call, use.action, conditions);
  const need = await needOnKey(view, key, call.accountId, use.action, conditions);
  if (use.elsewhere || key.accountId === call.accountId) {
    return use.granted ? withGrants(view, key, call, need, { operation: use.action, ...use.granted }) : need;
  }
  const { resourcePolicy: _, resourcePolicyRequired: __, ...own } = need;
  return own;
}

function needOnAbsent(name: KeyName, call: Call, action: string, conditions: Conditions): Need {
  return {
    action: `kms:${action}`,
    resource: name.arn,
    resourceAccountId: name.accountId,
    conditions: { 'kms:CallerAccount': [call.accountId], ...conditions },
  };
}

const requestAlias = (name: KeyName): Conditions =>
  name.kind === 'alias' ? { 'kms:RequestAlias': [name.alias] } : {};

/** A need on an alias of the caller's account: IAM policies alone speak of it. */
export function needOnAlias(call: Call, action: string, name: string): Need {
  const conditions = { 'kms:CallerAccount': [call.accountId] };
  return { action: `kms:${action}`, resource: aliasArn(call, name), conditions };
}

/** A need on no key in particular. */
export function needOnNone(call: Call, action: string, conditions: Conditions = {}): Need {
  return {
    action: `kms:${action}`,
    resource: '*',
    conditions: { 'kms:CallerAccount': [call.accountId], ...conditions },
  };
}

/** Condition keys of an encryption context; that keys differ by case alone would make them ambiguous. */
export function contextConditions(context: Readonly<Record<string, string>> | undefined): Conditions {
  const names = Object.keys(context ?? {});
  if (names.length === 0) return {};
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw validationError('Keys of the encryption context differ by their case alone.');
  }
  return {
    'kms:EncryptionContextKeys': names,
    ...Object.fromEntries(
      Object.entries(context ?? {}).map(([name, value]) => [`kms:EncryptionContext:${name}`, [value]]),
    ),
  };
}

/** Ends a call that asked only whether it would be allowed. */
export function endDryRun(input: { readonly DryRun?: boolean | undefined }): void {
  if (!input.DryRun) return;
  throw new AwsFault(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  );
}
