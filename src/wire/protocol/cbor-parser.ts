import { NumericValue } from '@smithy/core/serde';
import { limits } from '../../kernel/index.ts';
import { decodeUtf8, emptyRecord } from './text.ts';
import { serializationFault, taggedValue, tooManyValues } from './tree-reader.ts';

/**
 * Parses one CBOR item (RFC 8949) from a client that is not trusted: no allocation is larger than what the bytes that
 * are there can fill, nesting is bounded, and nothing may follow the item. Big numbers (tags 2 and 3) become bigint,
 * decimal fractions (tag 4) NumericValue, other tags `Tagged`. Throws SerializationException.
 */
export function parseCbor(bytes: Uint8Array): unknown {
  const input: Input = {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    values: 0,
  };
  const value = item(input, 0);
  if (input.at !== bytes.length) throw malformed('bytes follow the end of the item');
  return value;
}

interface Input {
  readonly bytes: Buffer;
  readonly view: DataView;
  at: number;
  values: number;
}

const indefinite = 31;
const breakByte = 0xff;
/** Digits beyond these are of no use to anybody and cost quadratic time. */
const bigNumberBytes = 1024;

function countValue(input: Input): void {
  input.values += 1;
  if (input.values > limits.requestValues) throw tooManyValues();
}

function item(input: Input, depth: number): unknown {
  if (depth > limits.requestDepth) throw serializationFault('The request is nested too deeply');
  countValue(input);
  const first = byte(input);
  const major = first >> 5;
  const minor = first & 0x1f;
  switch (major) {
    case 0:
      return argument(input, minor);
    case 1: {
      const value = argument(input, minor);
      return typeof value === 'bigint' ? -1n - value : safe(-1n - BigInt(value));
    }
    case 2:
      return byteString(input, minor);
    case 3:
      return textString(input, minor);
    case 4:
      return list(input, minor, depth);
    case 5:
      return map(input, minor, depth);
    case 6:
      return tagged(input, minor, depth);
    default:
      return simple(input, minor);
  }
}

function byte(input: Input): number {
  const value = input.bytes[input.at];
  if (value === undefined) throw malformed('the item is cut off');
  input.at += 1;
  return value;
}

function need(input: Input, count: number): number {
  const start = input.at;
  if (count > input.bytes.length - start) throw malformed('the item is cut off');
  input.at = start + count;
  return start;
}

function argument(input: Input, minor: number): number | bigint {
  if (minor < 24) return minor;
  switch (minor) {
    case 24:
      return byte(input);
    case 25:
      return input.view.getUint16(need(input, 2));
    case 26:
      return input.view.getUint32(need(input, 4));
    case 27:
      return safe(input.view.getBigUint64(need(input, 8)));
    default:
      throw malformed('a length is not well-formed');
  }
}

function safe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A count of things that take at least `bytesEach` bytes: more than the rest can hold is refused before allocating. */
function count(input: Input, minor: number, bytesEach: number): number {
  const value = argument(input, minor);
  if (typeof value === 'bigint' || value * bytesEach > input.bytes.length - input.at) {
    throw malformed('a length is greater than what follows');
  }
  return value;
}

function byteString(input: Input, minor: number): Uint8Array {
  if (minor !== indefinite) {
    const length = count(input, minor, 1);
    const start = need(input, length);
    return input.bytes.subarray(start, start + length);
  }
  return Buffer.concat(chunks(input, 2));
}

function textString(input: Input, minor: number): string {
  if (minor === indefinite) {
    return chunks(input, 3)
      .map((chunk) => text(chunk, 0, chunk.length))
      .join('');
  }
  const length = count(input, minor, 1);
  const start = need(input, length);
  return text(input.bytes, start, start + length);
}

function chunks(input: Input, major: number): Buffer[] {
  const parts: Buffer[] = [];
  for (;;) {
    const first = byte(input);
    if (first === breakByte) return parts;
    // A chunk without content takes one byte of the body and a hundred of memory.
    countValue(input);
    const minor = first & 0x1f;
    if (first >> 5 !== major || minor === indefinite)
      throw malformed('a chunk is of another type than its string');
    const length = count(input, minor, 1);
    const start = need(input, length);
    parts.push(input.bytes.subarray(start, start + length));
  }
}

/** Decodes the bytes from `start` on as UTF-8. Most texts are short and ASCII, for which the strict decoder is slow. */
function text(bytes: Buffer, start: number, end: number): string {
  let ascii = end - start < 256;
  for (let at = start; ascii && at < end; at += 1) ascii = (bytes[at] ?? 0x80) < 0x80;
  if (ascii) return bytes.toString('latin1', start, end);
  const decoded = decodeUtf8(bytes.subarray(start, end));
  if (decoded === undefined) throw malformed('a text is not UTF-8');
  return decoded;
}

function atBreak(input: Input): boolean {
  if (input.bytes[input.at] !== breakByte) return false;
  input.at += 1;
  return true;
}

function list(input: Input, minor: number, depth: number): unknown[] {
  const values: unknown[] = [];
  if (minor === indefinite) {
    while (!atBreak(input)) values.push(item(input, depth + 1));
    return values;
  }
  const length = count(input, minor, 1);
  for (let index = 0; index < length; index += 1) values.push(item(input, depth + 1));
  return values;
}

function map(input: Input, minor: number, depth: number): Record<string, unknown> {
  const values = emptyRecord<unknown>();
  const length = minor === indefinite ? Number.POSITIVE_INFINITY : count(input, minor, 2);
  for (let index = 0; index < length; index += 1) {
    if (length === Number.POSITIVE_INFINITY && atBreak(input)) break;
    const first = byte(input);
    if (first >> 5 !== 3) throw malformed('a key is not text');
    const key = textString(input, first & 0x1f);
    values[key] = item(input, depth + 1);
  }
  return values;
}

function tagged(input: Input, minor: number, depth: number): unknown {
  const tag = argument(input, minor);
  const value = item(input, depth + 1);
  if (tag === 2 || tag === 3) return bigNumber(tag, value);
  if (tag === 4) return decimalFraction(value);
  return typeof tag === 'number' ? taggedValue(tag, value) : taggedValue(Number.NaN, value);
}

function bigNumber(tag: 2 | 3, value: unknown): bigint {
  if (!(value instanceof Uint8Array) || value.length > bigNumberBytes)
    throw malformed('a big number is not well-formed');
  const magnitude = value.length === 0 ? 0n : BigInt(`0x${Buffer.from(value).toString('hex')}`);
  return tag === 2 ? magnitude : -1n - magnitude;
}

function decimalFraction(value: unknown): NumericValue {
  const [exponent, mantissa] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  if (
    typeof exponent !== 'number' ||
    !Number.isInteger(exponent) ||
    (typeof mantissa !== 'bigint' && !Number.isInteger(mantissa))
  ) {
    throw malformed('a decimal fraction is not well-formed');
  }
  const digits = String(mantissa);
  if (exponent >= 0 || exponent < -bigNumberBytes) {
    return new NumericValue(exponent === 0 ? digits : `${digits}e${exponent}`, 'bigDecimal');
  }
  const negative = digits.startsWith('-');
  const padded = (negative ? digits.slice(1) : digits).padStart(1 - exponent, '0');
  const decimal = `${negative ? '-' : ''}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
  return new NumericValue(decimal, 'bigDecimal');
}

function simple(input: Input, minor: number): unknown {
  switch (minor) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
    case 23:
      return null;
    case 25:
      return halfFloat(input.view.getUint16(need(input, 2)));
    case 26:
      return input.view.getFloat32(need(input, 4));
    case 27:
      return input.view.getFloat64(need(input, 8));
    default:
      throw malformed('a simple value is not known');
  }
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function malformed(what: string): Error {
  return serializationFault(`The body is not valid CBOR: ${what}`);
}
