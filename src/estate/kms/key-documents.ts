import type { NamedPrincipal } from '../../identity/index.ts';
import { formatArn } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { KeySpecName, KeyUsageName } from './key-specs.ts';

/** One version of a key's material. A ciphertext names it, so that it stays readable when the key is rotated. */
export interface MaterialDocument {
  /** 64 hexadecimal digits, as KMS's KeyMaterialId. */
  readonly id: string;
  /** The AES key, or the RSA key as PKCS #8 DER, sealed under the master key for this document and id; base 64. */
  readonly sealed: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** How it came; absent for a key's first. */
  readonly rotation?: 'AUTOMATIC' | 'ON_DEMAND';
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A key, under `kms/key/ACCOUNT/REGION/ID`. */
export interface KeyDocument {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly description: string;
  readonly spec: KeySpecName;
  readonly usage: KeyUsageName;
  readonly manager: 'CUSTOMER' | 'AWS';
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  /** With PendingDeletion alone; epoch milliseconds. */
  readonly deletionAt?: number;
  /** JSON text, as it was given. */
  readonly policy: string;
  /** Whom the policy names, by their unique ids; absent where it was put before those were kept. */
  readonly policyPrincipals?: readonly NamedPrincipal[];
  readonly tags: readonly Tag[];
  /** Oldest first; the last one is the current one. */
  readonly materials: readonly MaterialDocument[];
  /** SPKI DER, base 64; of RSA keys. */
  readonly publicKey?: string;
  /** Present while automatic rotation is on. `sinceMs`: when it was turned on, or last rotated by itself. */
  readonly rotation?: { readonly periodDays: number; readonly sinceMs: number };
}

/** An alias, under `kms/alias/ACCOUNT/REGION/NAME`, and again below its key, to find a key's aliases. */
export interface AliasDocument {
  /** With `alias/` in front. */
  readonly name: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What KMS does by itself, and to which key, under `kms/due/TIME/ACCOUNT/REGION/ID`: in the order of time. */
export interface DueDocument {
  readonly at: number;
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
}

interface Place {
  readonly accountId: string;
  readonly region: string;
}

export const duePrefix = 'kms/due/';

export const documentKeys = {
  keys: ({ accountId, region }: Place): string => `kms/key/${accountId}/${region}/`,
  key: (place: Place & { readonly id: string }): string => `${documentKeys.keys(place)}${place.id}`,
  aliases: ({ accountId, region }: Place): string => `kms/alias/${accountId}/${region}/`,
  alias: (place: Place, name: string): string => `${documentKeys.aliases(place)}${name}`,
  aliasesOfKey: (place: Place & { readonly id: string }): string =>
    `kms/key-alias/${place.accountId}/${place.region}/${place.id}/`,
  due: ({ at, accountId, region, id }: DueDocument): string =>
    `${duePrefix}${String(at).padStart(15, '0')}/${accountId}/${region}/${id}`,
};

export const keyArn = ({ accountId, region, id }: Place & { readonly id: string }): string =>
  formatArn('kms', region, accountId, `key/${id}`);

/** `name` with `alias/` in front. */
export const aliasArn = ({ accountId, region }: Place, name: string): string =>
  formatArn('kms', region, accountId, name);

const dayMs = 86_400_000;

/** When the key is rotated by itself next; undefined without rotation. */
export function nextRotation({ rotation }: KeyDocument): number | undefined {
  return rotation && rotation.sinceMs + rotation.periodDays * dayMs;
}

function dueOf(key: KeyDocument | undefined): DueDocument | undefined {
  if (!key) return undefined;
  // A key that is disabled is not rotated; it is as soon as it is enabled again ("Automatic key rotation").
  const at =
    key.state === 'PendingDeletion'
      ? key.deletionAt
      : key.state === 'Enabled'
        ? nextRotation(key)
        : undefined;
  return at === undefined ? undefined : { at, accountId: key.accountId, region: key.region, id: key.id };
}

/** Writes a key that was `before` (undefined: it is new), together with what is due for it. */
export function writeKey(change: Change, before: KeyDocument | undefined, after: KeyDocument): void {
  moveDue(change, before, after);
  change.put(documentKeys.key(after), after);
}

/** Deletes a key with its material and its aliases. */
export async function deleteKey(change: Change, key: KeyDocument): Promise<void> {
  moveDue(change, key, undefined);
  for (const name of await aliasesOf(change, key)) deleteAlias(change, key, name);
  change.delete(documentKeys.key(key));
}

function moveDue(change: Change, before: KeyDocument | undefined, after: KeyDocument | undefined): void {
  const [old, next] = [dueOf(before), dueOf(after)];
  if (old && old.at !== next?.at) change.delete(documentKeys.due(old));
  if (next && next.at !== old?.at) change.put(documentKeys.due(next), next);
}

export async function readKey(
  view: StateView,
  place: Place & { readonly id: string },
): Promise<KeyDocument | undefined> {
  return (await view.get<KeyDocument>(documentKeys.key(place)))?.value;
}

export async function readAlias(
  view: StateView,
  place: Place,
  name: string,
): Promise<AliasDocument | undefined> {
  return (await view.get<AliasDocument>(documentKeys.alias(place, name)))?.value;
}

/** Names of the aliases of a key, with `alias/` in front. */
export async function aliasesOf(
  view: StateView,
  key: Place & { readonly id: string },
): Promise<readonly string[]> {
  const prefix = documentKeys.aliasesOfKey(key);
  return (await view.list(prefix)).map((document) => document.key.slice(prefix.length));
}

export function writeAlias(change: Change, place: Place, alias: AliasDocument): void {
  change.put(documentKeys.alias(place, alias.name), alias);
  change.put(`${documentKeys.aliasesOfKey({ ...place, id: alias.keyId })}${alias.name}`, {});
}

export function deleteAlias(change: Change, key: Place & { readonly id: string }, name: string): void {
  change.delete(documentKeys.alias(key, name));
  change.delete(`${documentKeys.aliasesOfKey(key)}${name}`);
}

/** The current version of the key's material. */
export function currentMaterial(key: KeyDocument): MaterialDocument {
  const material = key.materials.at(-1);
  if (!material) throw new Error(`the key ${keyArn(key)} has no material`);
  return material;
}
