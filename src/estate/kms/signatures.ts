import {
  constants,
  createHash,
  privateEncrypt,
  publicDecrypt,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import type { SigningAlgorithm } from './key-specs.ts';

/**
 * RSA signatures over digests that are made already (RFC 8017). Node signs messages alone, while KMS's message type
 * DIGEST hands in the digest; so the encodings are made here, and the library does the arithmetic.
 */

/** The DER of DigestInfo before the digest (RFC 8017, section 9.2, note 1). */
const digestInfo: Readonly<Record<SigningAlgorithm['hash'], Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

const rawPadding = constants.RSA_NO_PADDING;
const pkcs1Padding = constants.RSA_PKCS1_PADDING;

const hashOf = (hash: SigningAlgorithm['hash'], ...parts: readonly Uint8Array[]): Buffer => {
  const made = createHash(hash);
  for (const part of parts) made.update(part);
  return made.digest();
};

export function digestOf(message: Uint8Array, algorithm: SigningAlgorithm): Buffer {
  return hashOf(algorithm.hash, message);
}

/** MGF1 (appendix B.2.1). */
function mask(seed: Uint8Array, length: number, hash: SigningAlgorithm['hash']): Buffer {
  const blocks: Buffer[] = [];
  for (let made = 0, counter = 0; made < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const block = hashOf(hash, seed, number);
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

const xor = (a: Uint8Array, b: Uint8Array): Buffer =>
  Buffer.from(a.map((byte, place) => byte ^ (b[place] ?? 0)));

const zeros = Buffer.alloc(8);

/** EMSA-PSS-ENCODE (section 9.1.1), for moduli of whole bytes: the first bit of the encoding is 0. */
function encodePss(
  digest: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  { hash, hashBytes }: SigningAlgorithm,
) {
  const h = hashOf(hash, zeros, digest, salt);
  const block = Buffer.alloc(bytes - hashBytes - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  const masked = xor(block, mask(h, block.length, hash));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, h, Buffer.from([0xbc])]);
}

/** EMSA-PSS-VERIFY (section 9.1.2) with a salt as long as the hash, which is the only one that KMS makes. */
function isPss(encoded: Buffer, digest: Uint8Array, algorithm: SigningAlgorithm): boolean {
  const { hash, hashBytes } = algorithm;
  const masked = encoded.subarray(0, encoded.length - hashBytes - 1);
  const h = encoded.subarray(masked.length, -1);
  if (encoded.at(-1) !== 0xbc || ((masked[0] ?? 0) & 0x80) !== 0) return false;
  const block = xor(masked, mask(h, masked.length, hash));
  block[0] = (block[0] ?? 0) & 0x7f;
  const salt = block.subarray(-hashBytes);
  return timingSafeEqual(encoded, encodePss(digest, salt, encoded.length, algorithm));
}

const modulusBytes = (key: KeyObject): number => (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;

/** Signs a digest. `salt` is as long as the hash, for PSS. */
export function signDigest(
  key: KeyObject,
  digest: Uint8Array,
  algorithm: SigningAlgorithm,
  salt: Uint8Array,
): Buffer {
  if (algorithm.padding === 'pkcs1') {
    const encoded = Buffer.concat([digestInfo[algorithm.hash], digest]);
    return privateEncrypt({ key, padding: pkcs1Padding }, encoded);
  }
  return privateEncrypt({ key, padding: rawPadding }, encodePss(digest, salt, modulusBytes(key), algorithm));
}

export function isSignature(
  key: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
  algorithm: SigningAlgorithm,
): boolean {
  if (signature.length !== modulusBytes(key)) return false;
  let encoded: Buffer;
  try {
    const padding = algorithm.padding === 'pkcs1' ? pkcs1Padding : rawPadding;
    encoded = publicDecrypt({ key, padding }, signature);
  } catch {
    // Not a number below the modulus, or not padded as a signature is.
    return false;
  }
  if (algorithm.padding === 'pss') return isPss(encoded, digest, algorithm);
  const wanted = Buffer.concat([digestInfo[algorithm.hash], digest]);
  return encoded.length === wanted.length && timingSafeEqual(encoded, wanted);
}
