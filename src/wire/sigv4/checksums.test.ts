import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openChecksum, type ChecksumName } from './checksums.ts';

function checksum(name: ChecksumName, ...pieces: readonly Uint8Array[]): string {
  const running = openChecksum(name);
  for (const piece of pieces) running.update(piece);
  return running.digest().toString('hex');
}

/** A reflected CRC, one bit at a time: slow, and plainly what the definition says. */
function bitwise(width: bigint, polynomial: bigint, bytes: Uint8Array): string {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(Number(width) / 4, '0');
}

describe('checksums', () => {
  // The `check` values of the catalogue of parametrised CRC algorithms, and of FIPS 180-4 implementations.
  it.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ] as const)('%s of 123456789 is %s', (name, value) => {
    expect(checksum(name, Buffer.from('123456789'))).toBe(value);
  });

  it('CRC-32C of 32 zero bytes and of 32 bytes of ones (RFC 3720, B.4)', () => {
    expect(checksum('crc32c', Buffer.alloc(32))).toBe('8a9136aa');
    expect(checksum('crc32c', Buffer.alloc(32, 0xff))).toBe('62a8ab43');
  });

  it('agrees with the definition, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(checksum('crc32', ...pieces)).toBe(bitwise(32n, 0xedb88320n, bytes));
        expect(checksum('crc32c', ...pieces)).toBe(bitwise(32n, 0x82f63b78n, bytes));
        expect(checksum('crc64nvme', ...pieces)).toBe(bitwise(64n, 0x9a6c9329ac4bc9b5n, bytes));
      }),
      { seed: 20_261_122 },
    );
  });
});
