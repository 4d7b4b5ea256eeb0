/**
 * The keyed 64-bit hash of a term: HalfSipHash-1-3 over the text's UTF-16 units, two to a word. It is made for short
 * inputs under a secret key, so nobody who does not know the key can choose values that collide; and it needs nothing
 * but 32-bit arithmetic, which makes it several times faster here than a call into a cryptographic library.
 */
export interface TermKey {
  readonly one: number;
  readonly other: number;
}

/** Reads a key from its text in the manifest: base64 of at least eight bytes. */
export function termKey(text: string): TermKey {
  const bytes = Buffer.from(text, 'base64');
  return { one: bytes.readInt32LE(0), other: bytes.readInt32LE(4) };
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

export function hashTerm(key: TermKey, text: string): readonly [high: number, low: number] {
  let v0 = key.one;
  let v1 = key.other ^ 0xee;
  let v2 = key.one ^ 0x6c796765;
  let v3 = key.other ^ 0x74656462;
  const { length } = text;
  // The words of the text, then one with the rest and the length, then three to finish the first half and three more.
  const words = length >> 1;
  let high = 0;
  for (let step = 0; step < words + 7; step += 1) {
    let word = 0;
    if (step < words) word = text.charCodeAt(step * 2) | (text.charCodeAt(step * 2 + 1) << 16);
    else if (step === words) word = ((length & 1) === 1 ? text.charCodeAt(length - 1) : 0) | (length << 16);
    if (step === words + 1) v2 ^= 0xee;
    if (step === words + 4) {
      high = v1 ^ v3;
      v1 ^= 0xdd;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
    v0 ^= word;
  }
  return [high >>> 0, (v1 ^ v3) >>> 0];
}
