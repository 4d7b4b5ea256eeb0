import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import type { Random } from '../kernel/index.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** Authenticated encryption (AES-256-GCM). A sealed byte string is the nonce, the cipher text and the tag. */
export interface Cipher {
  /** `context` is bound in: the same context must be given to open what was sealed. */
  seal(plain: Uint8Array, context: string): Buffer;
  /** Undefined when the bytes were not sealed with this key and context, or have been changed since. */
  open(sealed: Uint8Array, context: string): Buffer | undefined;
}

/**
 * Derives the cipher of one purpose from the master key (HKDF-SHA-256), so that what was sealed for one purpose can
 * never be passed off as something else. Nonces are random: good for some 2^32 seals for each purpose.
 */
export function deriveCipher(masterKey: Uint8Array, purpose: string, random: Random): Cipher {
  // As a key object, which ciphers take many times faster than bytes.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', `cairn/${purpose}`, 32)));
  return {
    seal(plain, context) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      if (sealed.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}
