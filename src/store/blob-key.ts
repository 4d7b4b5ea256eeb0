/** What S3 allows for a key, which is what every adapter takes ("Naming Amazon S3 objects" in the S3 user guide). */
const keyBytes = 1024;

/** Throws RangeError unless `key` is 1 to 1,024 bytes of well-formed UTF-8; two keys are never folded into one. */
export function checkBlobKey(key: string): void {
  if (!key.isWellFormed()) throw new RangeError('a blob key must be well-formed Unicode');
  const size = Buffer.byteLength(key);
  if (size < 1 || size > keyBytes)
    throw new RangeError(`a blob key takes 1 to ${keyBytes} bytes, not ${size}`);
}
