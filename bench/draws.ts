/** Fast, repeatable draws for benchmarks: millions a second, which the kernel's randomness is not made for. */
export interface Draws {
  /** 0 up to, not including, 1. */
  unit(): number;
  below(bound: number): number;
  /** 0 is the most frequent of `count`. */
  zipf(count: number): number;
  pick<T>(list: readonly T[]): T;
  text(length: number, alphabet: string): string;
  hex(length: number): string;
  uuid(): string;
}

/** Opens draws from a seed (mulberry32). */
export function draws(seed: number): Draws {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const unit = () => word() / 0x1_0000_0000;
  const below = (bound: number) => Math.floor(unit() * bound);
  const hex8 = () => (word() + 0x1_0000_0000).toString(16).slice(1);
  const hex = (length: number) => {
    let text = '';
    while (text.length < length) text += hex8();
    return text.slice(0, length);
  };
  return {
    unit,
    below,
    // Inverse of the continuous distribution 1/x: near enough to Zipf with exponent 1.
    zipf: (count) => Math.min(count - 1, Math.floor(Math.exp(unit() * Math.log(count + 1)) - 1)),
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    text(length, alphabet) {
      let text = '';
      for (let index = 0; index < length; index += 1) text += alphabet[below(alphabet.length)];
      return text;
    },
    hex,
    uuid() {
      const text = hex(32);
      return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
    },
  };
}
