import { NumericValue } from '@smithy/core/serde';
import { assert, limits } from '../../kernel/index.ts';
import { type Member, type Shape, type ScalarShape, isScalar } from '../schema/index.ts';
import { decodeUtf8 } from './text.ts';
import { writeTimestamp } from './timestamps.ts';
import { exactNumber, readTree, serializationFault, tooManyValues } from './tree-reader.ts';

/**
 * A JSON body that is smaller than this cannot hold enough to hurt the parser, which goes to any depth; what the shape
 * knows is bounded when it is read. Where digits are kept, each level of nesting takes stack.
 */
const smallBytes = 256 * 1024;
const smallExactBytes = 32 * 1024;

/**
 * Reads a JSON body by its shape. `jsonNames` is set for restJson1. An empty body reads as an empty structure.
 * Throws SerializationException.
 */
export function readJsonBody(shape: Shape, body: Uint8Array, jsonNames: boolean): unknown {
  if (body.length === 0 && (shape.kind === 'unit' || (shape.kind === 'structure' && !shape.union))) return {};
  const value = parseJson(body, hasExactNumbers(shape));
  if (shape.kind !== 'document' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    if (shape.kind === 'structure' || shape.kind === 'unit')
      throw serializationFault('The body is not a JSON object');
  }
  return readTree(shape, value, { jsonNames, binary: false });
}

function parseJson(body: Uint8Array, exact: boolean): unknown {
  if (body.length > (exact ? smallExactBytes : smallBytes)) checkSize(body);
  const text = decodeUtf8(body);
  if (text === undefined) throw serializationFault('The body is not UTF-8');
  try {
    return exact ? JSON.parse(text, keepDigits) : JSON.parse(text, undefined);
  } catch {
    throw serializationFault('The body is not valid JSON');
  }
}

/** Nesting and the number of values are bounded before anything is made of them: `[{},{},…` is 30 times as large in memory. */
function checkSize(body: Uint8Array): void {
  const { length } = body;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = body[at];
    if (byte === quote) at = endOfText(body, at + 1);
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      values += 1;
      if (depth > limits.requestDepth) throw serializationFault('The request is nested too deeply');
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    else if (byte === 0x2c) values += 1;
  }
  if (values > limits.requestValues) throw tooManyValues();
}

const quote = 0x22;
const backslash = 0x5c;

/** The place of the quote that ends a text; the body's length where none does. Most of a large body is texts. */
function endOfText(body: Uint8Array, from: number): number {
  const { length } = body;
  let at = from;
  while (at < length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
}

function keepDigits(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source ? value : exactNumber(context.source);
}

const exactShapes = new WeakMap<Shape, boolean>();

/** Whether digits beyond a JavaScript number matter somewhere in the shape. */
function hasExactNumbers(shape: Shape): boolean {
  const known = exactShapes.get(shape);
  if (known !== undefined) return known;
  const seen = new Set<Shape>();
  const search = (at: Shape): boolean => {
    if (seen.has(at)) return false;
    seen.add(at);
    if (at.kind === 'bigInteger' || at.kind === 'bigDecimal') return true;
    if (at.kind === 'structure') return at.members.some((member) => search(member.shape));
    if (at.kind === 'list') return search(at.element.shape);
    return at.kind === 'map' && search(at.value.shape);
  };
  const found = search(shape);
  exactShapes.set(shape, found);
  return found;
}

/** Members of `value` that stand elsewhere in the message than in the body are left out where `only` says so. */
export interface JsonWriting {
  readonly jsonNames: boolean;
  readonly only?: (member: Member) => boolean;
}

/** Writes a value by its shape as JSON text. A value that is not of its shape is a mistake of the program. */
export function writeJson(shape: Shape, value: unknown, how: JsonWriting): string {
  if (isScalar(shape)) return writeScalar(shape, value);
  switch (shape.kind) {
    case 'unit':
      return '{}';
    case 'structure':
      return writeStructure(shape.members, value, how);
    case 'list':
      assert(Array.isArray(value), `${shape.name} is a list`);
      return `[${value
        .filter((element) => shape.sparse || present(element))
        .map((element) => (present(element) ? writeJson(shape.element.shape, element, inner(how)) : 'null'))
        .join(',')}]`;
    case 'map':
      return `{${Object.entries(record(value, shape.name))
        .filter(([, entry]) => shape.sparse || present(entry))
        .map(
          ([key, entry]) =>
            `${JSON.stringify(key)}:${present(entry) ? writeJson(shape.value.shape, entry, inner(how)) : 'null'}`,
        )
        .join(',')}}`;
  }
}

function writeStructure(members: readonly Member[], value: unknown, how: JsonWriting): string {
  const given = record(value, 'structure');
  const parts: string[] = [];
  const nested = inner(how);
  for (const member of members) {
    const entry = given[member.name];
    if (!present(entry) || how.only?.(member) === false) continue;
    const name = how.jsonNames ? member.jsonName : member.name;
    parts.push(`${quotedName(name)}:${writeJson(member.shape, entry, nested)}`);
  }
  return `{${parts.join(',')}}`;
}

const quotedNames = new Map<string, string>();

/** A member's name as JSON. The names of all models are a few thousand. */
function quotedName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const quoted = JSON.stringify(name);
  quotedNames.set(name, quoted);
  return quoted;
}

function writeScalar(shape: ScalarShape, value: unknown): string {
  switch (shape.kind) {
    case 'string':
      assert(typeof value === 'string', `${shape.name} is a string`);
      return JSON.stringify(value);
    case 'boolean':
      assert(typeof value === 'boolean', `${shape.name} is a boolean`);
      return String(value);
    case 'number':
      assert(typeof value === 'number' || typeof value === 'bigint', `${shape.name} is a number`);
      return Number.isFinite(Number(value)) ? String(value) : JSON.stringify(String(value));
    case 'bigInteger':
      assert(typeof value === 'bigint' || typeof value === 'number', `${shape.name} is a big integer`);
      return String(value);
    case 'bigDecimal':
      assert(value instanceof NumericValue || typeof value === 'number', `${shape.name} is a big decimal`);
      return value instanceof NumericValue ? value.string : String(value);
    case 'blob':
      return JSON.stringify(base64(value, shape.name));
    case 'timestamp': {
      assert(value instanceof Date, `${shape.name} is a Date`);
      const format = shape.format ?? 'epochSeconds';
      const text = writeTimestamp(value, format);
      return format === 'epochSeconds' ? text : JSON.stringify(text);
    }
    case 'document':
      return JSON.stringify(value);
  }
}

/** Blobs are bytes; text is taken as its UTF-8, as the SDK's clients do. */
export function bytesOf(value: unknown, name: string): Uint8Array {
  assert(typeof value === 'string' || value instanceof Uint8Array, `${name} is a blob`);
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

export function base64(value: unknown, name: string): string {
  return Buffer.from(bytesOf(value, name)).toString('base64');
}

/** `value` as a record; what handlers return is theirs to get right, so anything else is a mistake of the program. */
export function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  assert(typeof value === 'object' && value !== null && !Array.isArray(value), `${name} is an object`);
  return value as Readonly<Record<string, unknown>>;
}

/** Neither null nor undefined: what is absent is not written. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function inner(how: JsonWriting): JsonWriting {
  return how.only ? { jsonNames: how.jsonNames } : how;
}
