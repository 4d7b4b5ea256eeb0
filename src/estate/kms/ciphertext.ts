import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { parseArn, type Random } from '../../kernel/index.ts';

/** Which key and which version of its material a ciphertext was made with. */
export interface CiphertextSource {
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
  readonly arn: string;
  readonly materialId: string;
}

type Context = Readonly<Record<string, string>>;

/** FORMAT.md has the layout. */
const version = 1;
const materialBytes = 32;
const saltBytes = 16;
const tagBytes = 16;
const leastBytes = 2 + materialBytes + saltBytes + tagBytes;

interface Parts {
  /** Everything before the salt. */
  readonly head: Buffer;
  readonly salt: Buffer;
  readonly body: Buffer;
  readonly tag: Buffer;
}

function partsOf(blob: Uint8Array): Parts | undefined {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  const arnBytes = bytes[1] ?? 0;
  if (bytes[0] !== version || bytes.length < leastBytes + arnBytes) return undefined;
  const headBytes = 2 + arnBytes + materialBytes;
  return {
    head: bytes.subarray(0, headBytes),
    salt: bytes.subarray(headBytes, headBytes + saltBytes),
    body: bytes.subarray(headBytes + saltBytes, -tagBytes),
    tag: bytes.subarray(-tagBytes),
  };
}

/**
 * Every message has a key of its own, derived from the material by a random salt (HKDF-SHA-256), so that no number of
 * messages under one key wears its nonces out.
 */
function messageKey(
  material: Uint8Array,
  salt: Uint8Array,
): { readonly key: Buffer; readonly nonce: Buffer } {
  const derived = Buffer.from(hkdfSync('sha256', material, salt, 'cairn/kms/message/v1', 44));
  return { key: derived.subarray(0, 32), nonce: derived.subarray(32) };
}

/** The order of the pairs means nothing, as in KMS. */
function boundContext(context: Context): Buffer {
  const pairs = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

function associatedData(head: Buffer, context: Context): Buffer {
  return Buffer.concat([head, boundContext(context)]);
}

/** Encrypts under one version of a key's material; the result names both, and the context is bound in. */
export function encryptBytes(
  plaintext: Uint8Array,
  under: { readonly arn: string; readonly materialId: string; readonly material: Uint8Array },
  context: Context,
  random: Random,
): Buffer {
  const arn = Buffer.from(under.arn);
  const head = Buffer.concat([Buffer.from([version, arn.length]), arn, Buffer.from(under.materialId, 'hex')]);
  const salt = random.bytes(saltBytes);
  const { key, nonce } = messageKey(under.material, salt);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associatedData(head, context));
  return Buffer.concat([head, salt, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** What a ciphertext says that it was made with; undefined when it is none. Nothing is proven by it. */
export function ciphertextSource(blob: Uint8Array): CiphertextSource | undefined {
  const parts = partsOf(blob);
  if (!parts) return undefined;
  const text = parts.head.subarray(2, -materialBytes).toString();
  const arn = parseArn(text);
  const id = /^key\/(.+)$/su.exec(arn?.resource ?? '')?.[1];
  if (arn?.service !== 'kms' || id === undefined) return undefined;
  const materialId = parts.head.subarray(-materialBytes).toString('hex');
  return { accountId: arn.accountId, region: arn.region, id, arn: text, materialId };
}

/** Undefined when the bytes were changed, or the material or the context is another. */
export function decryptBytes(blob: Uint8Array, material: Uint8Array, context: Context): Buffer | undefined {
  const parts = partsOf(blob);
  if (!parts) return undefined;
  const { key, nonce } = messageKey(material, parts.salt);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(associatedData(parts.head, context));
  decipher.setAuthTag(parts.tag);
  try {
    return Buffer.concat([decipher.update(parts.body), decipher.final()]);
  } catch {
    return undefined;
  }
}
