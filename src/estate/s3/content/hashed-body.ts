import { createHash } from 'node:crypto';
import { checksumOfBody, openChecksum, type Checksum, type ChecksumName } from '../../../wire/index.ts';
import { entityTooLarge } from '../faults.ts';
import type { ChecksumAlgorithm } from '../object-documents.ts';

/** What is known of a body once it has ended. */
export interface BodyFacts {
  readonly sizeBytes: number;
  /** MD5 in hexadecimal. */
  readonly etag: string;
  /** Base 64. */
  readonly checksums: Partial<Record<ChecksumAlgorithm, string>>;
}

/**
 * A body that counts and hashes what flows through it. `facts` is to be asked once the iteration has ended. The iteration
 * throws EntityTooLarge over `mostBytes`.
 */
export function hashBody(
  body: AsyncIterable<Uint8Array>,
  algorithms: readonly ChecksumAlgorithm[],
  mostBytes: number,
): { readonly stream: AsyncIterable<Uint8Array>; facts(): BodyFacts } {
  const md5 = createHash('md5');
  // What the sender gave was computed and compared on the way in.
  const given = checksumOfBody(body);
  const givenAlgorithm = given?.algorithm.toUpperCase();
  const running = algorithms
    .filter((algorithm) => algorithm !== givenAlgorithm)
    .map((algorithm): readonly [ChecksumAlgorithm, Checksum] => [
      algorithm,
      openChecksum(algorithm.toLowerCase() as ChecksumName),
    ]);
  let sizeBytes = 0;
  async function* stream() {
    for await (const piece of body) {
      sizeBytes += piece.length;
      if (sizeBytes > mostBytes) throw entityTooLarge(mostBytes);
      md5.update(piece);
      for (const [, checksum] of running) checksum.update(piece);
      yield piece;
    }
  }
  return {
    stream: stream(),
    facts: () => ({
      sizeBytes,
      etag: md5.digest('hex'),
      checksums: {
        ...Object.fromEntries(
          running.map(([algorithm, checksum]) => [algorithm, checksum.digest().toString('base64')]),
        ),
        ...(given && { [given.algorithm.toUpperCase()]: given.value() }),
      },
    }),
  };
}
