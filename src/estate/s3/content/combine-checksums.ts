import { createHash } from 'node:crypto';
import { openChecksum, type ChecksumName } from '../../../wire/index.ts';
import type { ChecksumAlgorithm } from '../object-documents.ts';

/**
 * Checksums of what is put together from parts, without reading it again. A CRC is linear: that of two stretches is the
 * first one's, moved over as many zero bytes as the second has, plus the second one's. Polynomials stand reflected, as the
 * checksums themselves do: the highest bit is the coefficient of x^0.
 */
interface CrcField {
  readonly bits: bigint;
  readonly polynomial: bigint;
}

const fields: Readonly<Partial<Record<ChecksumAlgorithm, CrcField>>> = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
};

function multiply({ bits, polynomial }: CrcField, one: bigint, other: bigint): bigint {
  let product = 0n;
  let shifted = other;
  for (let mask = 1n << (bits - 1n); mask !== 0n; mask >>= 1n) {
    if (one & mask) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

/** x^(8 · length), modulo the polynomial. */
function overBytes(field: CrcField, length: number): bigint {
  const one = 1n << (field.bits - 1n);
  let result = one;
  // x^8
  let power = one >> 8n;
  for (let left = BigInt(length); left > 0n; left >>= 1n) {
    if (left & 1n) result = multiply(field, result, power);
    power = multiply(field, power, power);
  }
  return result;
}

const toNumber = (base64: string): bigint => BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`);

/** A part's checksum (base 64) and its size. */
export interface PartChecksum {
  readonly value: string;
  readonly sizeBytes: number;
}

/** The CRC of the whole, in base 64. Throws for a checksum that is not a CRC, which has no such sum. */
export function wholeChecksum(algorithm: ChecksumAlgorithm, parts: readonly PartChecksum[]): string {
  const field = fields[algorithm];
  if (!field) throw new TypeError(`${algorithm} of a whole cannot be made from its parts`);
  // Nearly all parts have the same size.
  const factors = new Map<number, bigint>();
  let sum = 0n;
  for (const { value, sizeBytes } of parts) {
    let factor = factors.get(sizeBytes);
    if (factor === undefined) {
      factor = overBytes(field, sizeBytes);
      factors.set(sizeBytes, factor);
    }
    sum = multiply(field, sum, factor) ^ toNumber(value);
  }
  return Buffer.from(sum.toString(16).padStart(Number(field.bits) / 4, '0'), 'hex').toString('base64');
}

/** The checksum of the parts' checksums, with their number behind it ("Checking object integrity": composite). */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly PartChecksum[]): string {
  const checksum = openChecksum(algorithm.toLowerCase() as ChecksumName);
  for (const { value } of parts) checksum.update(Buffer.from(value, 'base64'));
  return `${checksum.digest().toString('base64')}-${parts.length}`;
}

/** The entity tag of a composed object: MD5 of the parts' MD5s, and how many there are. */
export function composedEtag(md5s: readonly string[]): string {
  const joined = Buffer.concat(md5s.map((md5) => Buffer.from(md5, 'hex')));
  return `${createHash('md5').update(joined).digest('hex')}-${md5s.length}`;
}
