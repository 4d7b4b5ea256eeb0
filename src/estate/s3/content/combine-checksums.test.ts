import { createHash } from 'node:crypto';
import { array, assert, constantFrom, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openChecksum, type ChecksumName } from '../../../wire/index.ts';
import type { ChecksumAlgorithm } from '../object-documents.ts';
import { composedEtag, compositeChecksum, wholeChecksum } from './combine-checksums.ts';

const seed = 20_261_123;

function checksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  const running = openChecksum(algorithm.toLowerCase() as ChecksumName);
  running.update(bytes);
  return running.digest().toString('base64');
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

describe('checksums of composed objects', () => {
  it('a CRC of the whole is made from those of any parts', () => {
    assert(
      property(
        constantFrom<ChecksumAlgorithm>('CRC32', 'CRC32C', 'CRC64NVME'),
        array(uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }),
        (algorithm, parts) => {
          const whole = wholeChecksum(
            algorithm,
            parts.map((part) => ({ value: checksum(algorithm, part), sizeBytes: part.length })),
          );
          expect(whole).toBe(checksum(algorithm, Buffer.concat(parts)));
        },
      ),
      { numRuns: 200, seed },
    );
  });

  it('sizes beyond 32 bits count', () => {
    // Zero bytes change nothing of a CRC that began as all zeros would; here they move a part that is not zero.
    const one = { value: checksum('CRC64NVME', Buffer.from('a')), sizeBytes: 1 };
    const near = wholeChecksum('CRC64NVME', [one, { value: one.value, sizeBytes: 2 ** 32 }]);
    const far = wholeChecksum('CRC64NVME', [one, { value: one.value, sizeBytes: 2 ** 33 }]);
    expect(near).not.toBe(far);
  });

  it('the whole of a hash is not made from parts', () => {
    expect(() => wholeChecksum('SHA256', [])).toThrow(TypeError);
  });

  it('a composite checksum and the entity tag are hashes of hashes, with the number of parts', () => {
    const parts = ['one', 'two'].map((text) => Buffer.from(text));
    expect(
      compositeChecksum(
        'SHA256',
        parts.map((part) => ({ value: sha256(part).toString('base64'), sizeBytes: part.length })),
      ),
    ).toBe(`${sha256(Buffer.concat(parts.map((part) => sha256(part)))).toString('base64')}-2`);
    expect(composedEtag(parts.map((part) => md5(part).toString('hex')))).toBe(
      `${md5(Buffer.concat(parts.map((part) => md5(part)))).toString('hex')}-2`,
    );
  });
});
