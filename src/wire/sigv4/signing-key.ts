import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** What a signature is valid for: a day, a region and a service. */
export interface CredentialScope {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function formatScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

function hmac(key: Uint8Array | string, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

/** Derives the key that signs within `scope` (IAM user guide, "Create a signed AWS API request", step 4). */
export function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): KeyObject {
  const key = hmac(
    hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), scope.service),
    'aws4_request',
  );
  // As a key object, which an HMAC takes many times faster than bytes.
  return createSecretKey(key);
}

/** Signs text with a derived key; 64 hexadecimal digits. */
export function signText(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text, 'latin1').digest('hex');
}

/** Derived keys, kept because deriving one costs four HMACs and clients use the same one all day. */
export interface SigningKeys {
  get(accessKeyId: string, secretAccessKey: string, scope: CredentialScope): KeyObject;
  /** Keeps a key that has just verified a signature; others are not kept, so that nobody can push these out by guessing. */
  keep(accessKeyId: string, secretAccessKey: string, scope: CredentialScope, key: KeyObject): void;
}

function nameOf(accessKeyId: string, scope: CredentialScope): string {
  return `${accessKeyId}/${formatScope(scope)}`;
}

/** Opens a cache of at most `bound` derived keys, the least recently used going first. */
export function openSigningKeys(bound: number): SigningKeys {
  const kept = new Map<string, { readonly secret: string; readonly key: KeyObject }>();
  return {
    get(accessKeyId, secretAccessKey, scope) {
      const found = kept.get(nameOf(accessKeyId, scope));
      return found?.secret === secretAccessKey ? found.key : deriveSigningKey(secretAccessKey, scope);
    },
    keep(accessKeyId, secretAccessKey, scope, key) {
      const name = nameOf(accessKeyId, scope);
      kept.delete(name);
      kept.set(name, { secret: secretAccessKey, key });
      if (kept.size > bound) {
        const oldest = kept.keys().next();
        if (!oldest.done) kept.delete(oldest.value);
      }
    },
  };
}

/** Compares in a time that says nothing about where the two differ. */
export function equalSignatures(expected: string, given: string): boolean {
  const [one, two] = [Buffer.from(expected, 'latin1'), Buffer.from(given, 'latin1')];
  return one.length === two.length && timingSafeEqual(one, two);
}
