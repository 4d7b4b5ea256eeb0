/** An S3 key has up to 1,024 bytes, and its bucket and version stand beside it. */
const keyBytes = 2048;

/**
 * Throws TypeError unless `key` is 1 to 2,048 bytes of well-formed text without NUL: what every adapter keeps, orders
 * and compares alike.
 */
export function checkDocumentKey(key: string): void {
  if (key.isWellFormed() && !key.includes('\0') && key !== '' && Buffer.byteLength(key) <= keyBytes) return;
  throw new TypeError(
    `not a document key (1 to ${keyBytes} bytes, well-formed, without NUL): ${JSON.stringify(key)}`,
  );
}

/**
 * Orders keys by their UTF-8 bytes, which is the order of code points. Comparing UTF-16 units, as `<` does, differs
 * where a surrogate meets a unit from U+E000 up, so these are moved past the surrogates first.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The first key, in key order, that is behind all keys that begin with `prefix`; undefined when there is none. */
export function keyBehind(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10_ffff) continue;
    points.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...points);
  }
  return undefined;
}
