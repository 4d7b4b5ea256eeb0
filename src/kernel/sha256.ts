import { hash } from 'node:crypto';

/** Of a SHA-256. */
export const sha256Bytes = 32;

/**
 * Writes the SHA-256 of `bytes` into `target` at `at`. It passes through a string of one byte a character: a buffer of its
 * own for every digest costs more than hashing a record does.
 */
export function writeSha256(bytes: Uint8Array, target: Buffer, at: number): void {
  target.write(hash('sha256', bytes, 'binary'), at, 'binary');
}
