import { openByteWriter } from './byte-writer.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A column of whole numbers in blocks of 128: a base for each block, and what each number is above it in as many bits
 * as the block needs. Numbers that are all multiples of 1,000 (times of whole seconds) are divided by it. Layout: the
 * factor (u32), for each block a head of 16 bytes (base f64, offset of its bits u32, bits u32), the bits. Differences of
 * more than 32 bits are kept as f64 (bits = 64).
 */
const blockSize = 128;
const headBytes = 16;
const factorBytes = 4;

export interface NumberColumn {
  readonly length: number;
  at(index: number): number;
}

function bitsFor(range: number): number {
  if (range >= 0x1_0000_0000) return 64;
  return range === 0 ? 0 : 32 - Math.clz32(range);
}

function packBits(values: Float64Array, base: number, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((values.length * bits) / 8));
  let at = 0;
  for (const value of values) {
    let rest = value - base;
    for (let left = bits; left > 0;) {
      const used = at & 7;
      const take = Math.min(8 - used, left);
      out[at >> 3] = (out[at >> 3] as number) | ((rest % 2 ** take) << used);
      rest = Math.floor(rest / 2 ** take);
      at += take;
      left -= take;
    }
  }
  return out;
}

export function encodeNumbers(numbers: Float64Array): Buffer {
  const factor = numbers.every((value) => value % 1000 === 0) ? 1000 : 1;
  const values = factor === 1 ? numbers : numbers.map((value) => value / factor);
  const blocks = Math.ceil(values.length / blockSize);
  const bitsAt = factorBytes + blocks * headBytes;
  const heads = openByteWriter(bitsAt);
  heads.u32(factor);
  const body = openByteWriter();
  for (let block = 0; block < blocks; block += 1) {
    const part = values.subarray(block * blockSize, (block + 1) * blockSize);
    let base = Infinity;
    let top = -Infinity;
    for (const value of part) {
      if (value < base) base = value;
      if (value > top) top = value;
    }
    const bits = bitsFor(top - base);
    heads.f64(base);
    heads.u32(bitsAt + body.length);
    heads.u32(bits);
    if (bits === 64) for (const value of part) body.f64(value - base);
    else body.bytes(packBits(part, base, bits));
  }
  return Buffer.concat([heads.view(), body.view()]);
}

function unpackBits(bytes: Buffer, bits: number, base: number, out: Float64Array, count: number): void {
  // Four bytes at the place of each number hold it whole when it has at most 25 bits, wherever in a byte it begins.
  if (bits <= 25) {
    const padded = new Uint8Array(bytes.length + 4);
    padded.set(bytes);
    const mask = 2 ** bits - 1;
    for (let index = 0, at = 0; index < count; index += 1, at += bits) {
      const place = at >> 3;
      const word =
        (padded[place] as number) |
        ((padded[place + 1] as number) << 8) |
        ((padded[place + 2] as number) << 16) |
        ((padded[place + 3] as number) << 24);
      out[index] = base + ((word >>> (at & 7)) & mask);
    }
    return;
  }
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    let value = 0;
    let scale = 1;
    for (let left = bits; left > 0;) {
      const used = at & 7;
      const take = Math.min(8 - used, left);
      value += (((bytes[at >> 3] as number) >> used) & (2 ** take - 1)) * scale;
      scale *= 2 ** take;
      at += take;
      left -= take;
    }
    out[index] = base + value;
  }
}

/** Reads a column; the block that was read last is kept unpacked, because reads come in runs. */
export function openNumberColumn(source: ByteSource, length: number): NumberColumn {
  const unpacked = new Float64Array(blockSize);
  let current = -1;
  let factor = 0;
  const load = (block: number): void => {
    factor ||= source.bytes(0, factorBytes).readUInt32LE(0);
    const head = source.bytes(factorBytes + block * headBytes, headBytes);
    const base = head.readDoubleLE(0);
    const offset = head.readUInt32LE(8);
    const bits = head.readUInt32LE(12);
    const count = Math.min(blockSize, length - block * blockSize);
    if (bits === 0) unpacked.fill(base);
    else {
      const bytes = source.bytes(offset, Math.ceil((count * bits) / 8));
      if (bits === 64)
        for (let index = 0; index < count; index += 1) unpacked[index] = base + bytes.readDoubleLE(index * 8);
      else unpackBits(bytes, bits, base, unpacked, count);
    }
    if (factor !== 1)
      for (let index = 0; index < count; index += 1) unpacked[index] = (unpacked[index] as number) * factor;
    current = block;
  };
  return {
    length,
    at(index) {
      const block = Math.floor(index / blockSize);
      if (block !== current) {
        // A read that fails half-way must not leave another block's numbers behind as this one's.
        current = -1;
        load(block);
      }
      return unpacked[index % blockSize] as number;
    },
  };
}
