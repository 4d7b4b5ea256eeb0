import { randomBytes, randomUUID } from 'node:crypto';

/** Randomness, as a thing that is passed in, so that a failure replays by its seed. */
export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
  /** A random UUID (version 4), lower case. */
  uuid(): string;
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
  /** `length` characters drawn from `alphabet`. */
  text(length: number, alphabet: string): string;
}

function randomFrom(bytes: (length: number) => Uint8Array): Random {
  const below = (bound: number): number => {
    if (!(bound > 0 && bound <= 0x1_0000_0000)) throw new RangeError(`below: ${bound} is outside 1..2^32`);
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const value = Buffer.from(bytes(4)).readUInt32LE();
      if (value < limit) return value % bound;
    }
  };
  return {
    bytes,
    below,
    text: (length, alphabet) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join(''),
    uuid() {
      const raw = Buffer.from(bytes(16));
      raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40;
      raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80;
      const hex = raw.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}

/** Cryptographically strong randomness. Drawn from the system in pages, because small draws are slow. */
export const systemRandom: Random = (() => {
  let page = Buffer.alloc(0);
  const random = randomFrom((length) => {
    if (length > 1024) return randomBytes(length);
    if (page.length < length) page = randomBytes(4096);
    const drawn = Uint8Array.from(page.subarray(0, length));
    page.fill(0, 0, length);
    page = page.subarray(length);
    return drawn;
  });
  // Node's own takes a tenth of the time; every call needs two.
  return { ...random, uuid: () => randomUUID() };
})();

/** Repeatable randomness for tests and simulations (splitmix64). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = BigInt.asUintN(64, BigInt(seed) ^ 0x9e3779b97f4a7c15n);
  const next = (): bigint => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  return randomFrom((length) => {
    const out = Buffer.alloc(Math.ceil(length / 8) * 8);
    for (let at = 0; at < out.length; at += 8) out.writeBigUInt64LE(next(), at);
    return Uint8Array.from(out.subarray(0, length));
  });
}
