/**
 * Walking over JSON in bytes without building values. Every function takes a position and returns the position behind
 * what it read, or -1 where the bytes are not JSON (RFC 8259, as JSON.parse takes it). They never read at or past `end`.
 * The bytes must be valid UTF-8; that is checked once by the caller, because the machine does it far faster as a whole.
 */

/** The bytes that JSON is made of. */
export const quote = 0x22;
export const backslash = 0x5c;
export const comma = 0x2c;
export const colon = 0x3a;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;

/** 1 for the bytes at which a plain run inside a string stops: the quote, the backslash, control characters. */
const stopsText = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === quote || byte === backslash || byte < 0x20 ? 1 : 0,
);

/** 1 for space, tab, line feed, carriage return. */
const isSpace = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d ? 1 : 0,
);

/** 1 for what may stand behind a backslash, 2 for `u`. */
const isEscape = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x75 ? 2 : '"\\/bfnrt'.includes(String.fromCodePoint(byte)) ? 1 : 0,
);

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace[bytes[at] as number] === 1) at += 1;
  return at;
}

/** `from` stands behind the opening quote; the result stands behind the closing one. */
export function skipText(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  for (;;) {
    while (at < end && stopsText[bytes[at] as number] === 0) at += 1;
    if (at >= end) return -1;
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte !== backslash || at + 1 >= end) return -1;
    const kind = isEscape[bytes[at + 1] as number];
    if (kind === 0) return -1;
    at += 2;
    if (kind === 2) {
      if (at + 4 > end) return -1;
      for (let digit = 0; digit < 4; digit += 1) if (!isHex(bytes[at + digit] as number)) return -1;
      at += 4;
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at])) at += 1;
  return at;
}

function skipNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  if (at >= end || !isDigit(bytes[at])) return -1;
  at = bytes[at] === 0x30 ? at + 1 : skipDigits(bytes, at, end);
  if (at < end && bytes[at] === 0x2e) {
    const fraction = skipDigits(bytes, at + 1, end);
    if (fraction === at + 1) return -1;
    at = fraction;
  }
  if (at < end && ((bytes[at] as number) | 0x20) === 0x65) {
    at += 1;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1;
    const exponent = skipDigits(bytes, at, end);
    if (exponent === at) return -1;
    at = exponent;
  }
  return at;
}

const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));

function skipWord(bytes: Uint8Array, from: number, end: number): number {
  const word = words.find((candidate) => candidate[0] === bytes[from]);
  if (!word || from + word.length > end) return -1;
  for (let index = 1; index < word.length; index += 1) if (bytes[from + index] !== word[index]) return -1;
  return from + word.length;
}

function skipScalar(bytes: Uint8Array, from: number, end: number): number {
  const byte = bytes[from] as number;
  if (byte === quote) return skipText(bytes, from + 1, end);
  if (byte === 0x2d || isDigit(byte)) return skipNumber(bytes, from, end);
  return skipWord(bytes, from, end);
}

/** Reads a member's name and its colon; `from` stands where the opening quote must be. The result stands at the value. */
export function skipName(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end || bytes[from] !== quote) return -1;
  let at = skipText(bytes, from + 1, end);
  if (at < 0) return -1;
  at = skipSpace(bytes, at, end);
  if (at >= end || bytes[at] !== colon) return -1;
  return skipSpace(bytes, at + 1, end);
}

/**
 * Skips one value of any kind. `from` stands at its first byte. Nesting is kept as bits, not by recursion, so its depth
 * is bounded by the bytes alone, as with JSON.parse.
 */
export function skipValue(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end) return -1;
  const first = bytes[from];
  if (first !== openBrace && first !== openBracket) return skipScalar(bytes, from, end);
  let at = from;
  /** The innermost containers, one bit each (1: object), the innermost lowest; 31 in `bits`, the outer ones in `outer`. */
  let bits = 0;
  let depth = 0;
  let outer: number[] | undefined;
  for (;;) {
    const opening = bytes[at];
    if (opening === openBrace || opening === openBracket) {
      if (depth > 0 && depth % 31 === 0) (outer ??= []).push(bits);
      depth += 1;
      bits = (bits << 1) | (opening === openBrace ? 1 : 0);
      at = skipSpace(bytes, at + 1, end);
      if (at >= end) return -1;
      if (bytes[at] !== (opening === openBrace ? closeBrace : closeBracket)) {
        if (opening === openBrace) at = skipName(bytes, at, end);
        if (at < 0 || at >= end) return -1;
        continue;
      }
      // Empty: the closing byte is dealt with below, as behind a last value.
    } else {
      at = skipScalar(bytes, at, end);
      if (at < 0) return -1;
      at = skipSpace(bytes, at, end);
    }
    // Behind a value: close what ends here, then go on to the next value.
    for (;;) {
      if (at >= end) return -1;
      const inObject = (bits & 1) === 1;
      const byte = bytes[at];
      if (byte === comma) {
        at = skipSpace(bytes, at + 1, end);
        if (inObject) at = skipName(bytes, at, end);
        if (at < 0 || at >= end) return -1;
        break;
      }
      if (byte !== (inObject ? closeBrace : closeBracket)) return -1;
      at += 1;
      depth -= 1;
      if (depth === 0) return at;
      bits = depth % 31 === 0 ? (outer?.pop() ?? 0) : bits >>> 1;
      at = skipSpace(bytes, at, end);
    }
  }
}
