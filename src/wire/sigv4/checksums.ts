import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The checksums that S3 takes in `x-amz-checksum-…` ("Checking object integrity", S3 user guide). */
export type ChecksumName = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256';

/** A checksum in the making. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** The checksum of everything so far, big-endian bytes. Call it once. */
  digest(): Buffer;
}

/** Bytes of each checksum. */
export const checksumLengths: Readonly<Record<ChecksumName, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

export function isChecksumName(name: string): name is ChecksumName {
  return Object.hasOwn(checksumLengths, name);
}

/** Opens a checksum. */
export function openChecksum(name: ChecksumName): Checksum {
  return openers[name]();
}

const openers: Readonly<Record<ChecksumName, () => Checksum>> = {
  crc32: openCrc32,
  crc32c: openCrc32c,
  crc64nvme: openCrc64Nvme,
  sha1: () => openHash('sha1'),
  sha256: () => openHash('sha256'),
};

function openHash(name: string): Checksum {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function openCrc32(): Checksum {
  let value = 0;
  return {
    update(bytes) {
      value = crc32(bytes, value);
    },
    digest: () => bigEndian(value),
  };
}

/**
 * Tables for taking eight bytes at a time ("slicing by 8"): table k holds what a byte does to the remainder k bytes
 * later. `low` and `high` are the halves of a reflected polynomial of 64 bits; for one of 32 bits `high` is 0.
 */
function slicingTables(high: number, low: number): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const highs = new Uint32Array(8 * 256);
  const lows = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = ((l >>> 1) | (h << 31)) >>> 0;
      h >>>= 1;
      if (carry) {
        h ^= high;
        l ^= low;
      }
    }
    highs[byte] = h;
    lows[byte] = l;
  }
  for (let at = 256; at < 8 * 256; at++) {
    const h = highs[at - 256] as number;
    const l = lows[at - 256] as number;
    const index = l & 0xff;
    lows[at] = ((l >>> 8) | (h << 24)) ^ (lows[index] as number);
    highs[at] = (h >>> 8) ^ (highs[index] as number);
  }
  return { high: highs, low: lows };
}

let crc32cTable: Uint32Array | undefined;

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4). */
function openCrc32c(): Checksum {
  const table = (crc32cTable ??= slicingTables(0, 0x82f63b78).low);
  let crc = 0xffffffff;
  return {
    update(bytes) {
      crc = updateCrc32c(table, crc, bytes);
    },
    digest: () => bigEndian(~crc),
  };
}

function updateCrc32c(t: Uint32Array, start: number, bytes: Uint8Array): number {
  let crc = start;
  let at = 0;
  const end = bytes.length - (bytes.length % 8);
  const byteAt = (index: number): number => bytes[index] as number;
  const entry = (index: number): number => t[index] as number;
  while (at < end) {
    crc ^= byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24);
    crc =
      entry(1792 + (crc & 0xff)) ^
      entry(1536 + ((crc >>> 8) & 0xff)) ^
      entry(1280 + ((crc >>> 16) & 0xff)) ^
      entry(1024 + (crc >>> 24)) ^
      entry(768 + byteAt(at + 4)) ^
      entry(512 + byteAt(at + 5)) ^
      entry(256 + byteAt(at + 6)) ^
      entry(byteAt(at + 7));
    at += 8;
  }
  while (at < bytes.length) crc = (crc >>> 8) ^ entry((crc ^ byteAt(at++)) & 0xff);
  return crc;
}

let crc64Tables: ReturnType<typeof slicingTables> | undefined;

/** CRC-64/NVME (NVM Express NVM Command Set Specification, "64b CRC"); the polynomial is 0xad93d23594c93659, reflected. */
function openCrc64Nvme(): Checksum {
  const tables = (crc64Tables ??= slicingTables(0x9a6c9329, 0xac4bc9b5));
  const remainder = new Uint32Array([0xffffffff, 0xffffffff]);
  return {
    update: (bytes) => updateCrc64(tables, remainder, bytes),
    digest: () => Buffer.concat([bigEndian(~(remainder[0] as number)), bigEndian(~(remainder[1] as number))]),
  };
}

/** `remainder` holds the high half, then the low half, and is changed in place. */
function updateCrc64(
  tables: ReturnType<typeof slicingTables>,
  remainder: Uint32Array,
  bytes: Uint8Array,
): void {
  const { high: th, low: tl } = tables;
  let high = remainder[0] as number;
  let low = remainder[1] as number;
  let at = 0;
  const end = bytes.length - (bytes.length % 8);
  const byteAt = (index: number): number => bytes[index] as number;
  const highAt = (index: number): number => th[index] as number;
  const lowAt = (index: number): number => tl[index] as number;
  while (at < end) {
    low ^= byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24);
    high ^= byteAt(at + 4) | (byteAt(at + 5) << 8) | (byteAt(at + 6) << 16) | (byteAt(at + 7) << 24);
    const i7 = 1792 + (low & 0xff);
    const i6 = 1536 + ((low >>> 8) & 0xff);
    const i5 = 1280 + ((low >>> 16) & 0xff);
    const i4 = 1024 + (low >>> 24);
    const i3 = 768 + (high & 0xff);
    const i2 = 512 + ((high >>> 8) & 0xff);
    const i1 = 256 + ((high >>> 16) & 0xff);
    const i0 = high >>> 24;
    high =
      highAt(i7) ^ highAt(i6) ^ highAt(i5) ^ highAt(i4) ^ highAt(i3) ^ highAt(i2) ^ highAt(i1) ^ highAt(i0);
    low = lowAt(i7) ^ lowAt(i6) ^ lowAt(i5) ^ lowAt(i4) ^ lowAt(i3) ^ lowAt(i2) ^ lowAt(i1) ^ lowAt(i0);
    at += 8;
  }
  while (at < bytes.length) {
    const index = (low ^ byteAt(at++)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ lowAt(index);
    high = (high >>> 8) ^ highAt(index);
  }
  remainder[0] = high;
  remainder[1] = low;
}
