import { isAscii } from 'node:buffer';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes UTF-8; undefined where the bytes are not UTF-8, because replacing them would record something never sent. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes percent-encoding; undefined where it is broken or not UTF-8. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Decodes base 64, padded or not; undefined for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!base64.test(text)) return undefined;
  const unpadded = text.replace(/=+$/, '');
  if (unpadded.length % 4 === 1 || (text.length !== unpadded.length && text.length % 4 !== 0))
    return undefined;
  return new Uint8Array(Buffer.from(unpadded, 'base64'));
}

/** Reads a decimal number as JSON and XML schema write it, or NaN and the infinities by name. */
export function readNumber(text: string): number | undefined {
  const special = specialNumber(text);
  if (special !== undefined) return special;
  if (!/^[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The values that JSON has no number for, by the names that AWS protocols give them. */
export function specialNumber(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}

export function readBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  return lower === 'false' ? false : undefined;
}

/** A record whose keys come from a client: without a prototype, so that `__proto__` is a key like any other. */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
