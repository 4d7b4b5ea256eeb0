import { AwsFault, type Random } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import { ciphertextSource, decryptBytes, encryptBytes, type CiphertextSource } from './ciphertext.ts';
import { invalidCiphertext, validationError } from './faults.ts';
import { currentMaterial, keyArn, readKey, type KeyDocument } from './key-documents.ts';
import type { Materials } from './key-material.ts';

type Context = Readonly<Record<string, string>>;

/** Bytes of an encryption context, keys and values ("Encryption context": 8,192). */
const contextBytes = 8192;

export function checkContext(context: Context | undefined): Context {
  const entries = Object.entries(context ?? {});
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (bytes <= contextBytes) return context ?? {};
  throw validationError(`The encryption context has ${bytes} bytes; it takes ${contextBytes}.`);
}

export interface Encrypted {
  readonly ciphertext: Buffer;
  readonly materialId: string;
}

/** Encrypts under the key's current material. */
export function encryptUnder(
  key: KeyDocument,
  plaintext: Uint8Array,
  context: Context,
  { materials, random }: { readonly materials: Materials; readonly random: Random },
): Encrypted {
  const { id: materialId } = currentMaterial(key);
  const material = materials.secret(key, materialId);
  if (!material) throw new Error(`the key ${keyArn(key)} has no current material`);
  const under = { arn: keyArn(key), materialId, material };
  return { ciphertext: encryptBytes(plaintext, under, context, random), materialId };
}

/** Decrypts what was encrypted under any version of the key's material. Throws InvalidCiphertextException. */
export function decryptUnder(
  key: KeyDocument,
  ciphertext: Uint8Array,
  context: Context,
  materials: Materials,
): { readonly plaintext: Buffer; readonly materialId: string } {
  const materialId = ciphertextSource(ciphertext)?.materialId ?? '';
  const material = materials.secret(key, materialId);
  const plaintext = material && decryptBytes(ciphertext, material, context);
  if (!plaintext) throw invalidCiphertext();
  return { plaintext, materialId };
}

/** The key that a ciphertext names. Throws InvalidCiphertextException, and AccessDenied in KMS's words without a key. */
export async function keyOfCiphertext(
  view: StateView,
  source: CiphertextSource | undefined,
  region: string,
): Promise<KeyDocument> {
  if (!source) throw invalidCiphertext();
  const key = source.region === region ? await readKey(view, source) : undefined;
  if (key && keyArn(key) === source.arn) return key;
  throw new AwsFault(
    'AccessDenied',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    { status: 400 },
  );
}
