import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeDurably } from './durable-file.ts';
import { SegmentDamage } from './segment-format.ts';

/**
 * Dictionaries that raw blocks are compressed with: plain records, which zstd takes as text that came before. They are
 * shared by segments, numbered from 1, and never changed. A file is its bytes and their CRC-32.
 */
export interface Dictionaries {
  /** The bytes of a dictionary; none for number 0. */
  get(number: number): Buffer | undefined;
  /** The numbers of all dictionaries there are. */
  numbers(): readonly number[];
  /** Keeps a new dictionary, durably, and returns its number. */
  add(bytes: Uint8Array): number;
}

function fileOf(directory: string, number: number): string {
  return join(directory, `dictionary-${number}.zdict`);
}

/** Opens the dictionaries of a history's directory; they are read when first asked for. */
export function openDictionaries(directory: string): Dictionaries {
  const read = new Map<number, Buffer>();
  const numbers = () =>
    readdirSync(directory).flatMap((name) => Number(/^dictionary-(\d+)\.zdict$/.exec(name)?.[1] ?? []));
  return {
    numbers,
    get(number) {
      if (number === 0) return undefined;
      const known = read.get(number);
      if (known) return known;
      const file = fileOf(directory, number);
      const bytes = readFileSync(file);
      const body = bytes.subarray(0, Math.max(0, bytes.length - 4));
      if (bytes.length < 4 || crc32(body) !== bytes.readUInt32LE(body.length)) {
        throw new SegmentDamage(file, 0, bytes.length, 'wrong checksum of the dictionary');
      }
      read.set(number, body);
      return body;
    },
    add(bytes) {
      const number = Math.max(0, ...numbers()) + 1;
      const sum = Buffer.alloc(4);
      sum.writeUInt32LE(crc32(bytes));
      writeDurably(fileOf(directory, number), Buffer.concat([bytes, sum]));
      read.set(number, Buffer.from(bytes));
      return number;
    },
  };
}
