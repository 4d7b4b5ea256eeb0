import { NumericValue } from '@smithy/core/serde';
import { AwsFault, limits } from '../../kernel/index.ts';
import { type Member, type Shape, type StructureShape, type ScalarShape, isScalar } from '../schema/index.ts';
import { decodeBase64, emptyRecord, specialNumber } from './text.ts';
import { readEpochSeconds, readTimestamp } from './timestamps.ts';

/** What differs between the formats that parse to a tree of plain values. */
export interface TreeFormat {
  /** Members go by their `jsonName` (restJson1). */
  readonly jsonNames: boolean;
  /** Blobs are bytes and timestamps are tagged (CBOR); otherwise base 64, and numbers or text (JSON). */
  readonly binary: boolean;
}

/** A CBOR value under a tag that has no plain counterpart. */
export interface Tagged {
  readonly tag: number;
  readonly value: unknown;
}

/** A number of JSON whose digits a JavaScript number would lose. */
export interface ExactNumber {
  readonly digits: string;
}

/**
 * Reads a parsed JSON or CBOR document by its shape into the SDK's own types: Date, Uint8Array, maps without a prototype.
 * What is not of the shape's type is a SerializationException (status 400) that names the place, never guessed at.
 * Members that the model lacks are left out, as AWS does.
 */
export function readTree(shape: Shape, value: unknown, format: TreeFormat): unknown {
  return read(shape, value, format, [], 0);
}

/** Where the reader stands; pushed and popped rather than copied, because every member of every request comes by. */
type Path = (string | number)[];

function read(shape: Shape, value: unknown, format: TreeFormat, path: Path, depth: number): unknown {
  if (depth > limits.requestDepth) throw serializationFault('The request is nested too deeply', path);
  if (isScalar(shape)) return readScalar(shape, value, format, path);
  switch (shape.kind) {
    case 'unit':
      return {};
    case 'structure':
      return readStructure(shape, value, format, path, depth);
    case 'list':
      if (!Array.isArray(value)) throw wrongType(value, 'List', path);
      return value.map((element, index) =>
        readWithin(shape, shape.element, element, format, path, index, depth),
      );
    case 'map':
      return readMap(shape, value, format, path, depth);
  }
}

/** Reads an element of a list or a value of a map. */
function readWithin(
  collection: { readonly sparse: boolean },
  member: Member,
  value: unknown,
  format: TreeFormat,
  path: Path,
  key: string | number,
  depth: number,
): unknown {
  path.push(key);
  if (value === null && !collection.sparse) throw serializationFault('null is not allowed here', path);
  const result = value === null ? null : read(member.shape, value, format, path, depth + 1);
  path.pop();
  return result;
}

function readStructure(
  shape: StructureShape,
  value: unknown,
  format: TreeFormat,
  path: Path,
  depth: number,
): Record<string, unknown> {
  if (!isObject(value)) throw wrongType(value, 'Structure', path);
  const result: Record<string, unknown> = {};
  let set = 0;
  for (const member of shape.members) {
    const name = format.jsonNames ? member.jsonName : member.name;
    if (!Object.hasOwn(value, name)) continue;
    const given = value[name];
    if (given === null || given === undefined) continue;
    path.push(name);
    result[member.name] = read(member.shape, given, format, path, depth + 1);
    path.pop();
    set += 1;
  }
  if (shape.union) checkUnion(shape, value, set, path);
  return result;
}

/** A union has exactly one member; one that the model lacks cannot be taken for another. */
function checkUnion(
  shape: StructureShape,
  value: Readonly<Record<string, unknown>>,
  known: number,
  path: Path,
): void {
  const given = Object.keys(value).filter((key) => key !== '__type' && value[key] !== null);
  if (known !== 1 || given.length !== 1) {
    throw serializationFault(
      `Exactly one known member of the union ${shape.name} must be set, and ${known} of ${given.length} given are`,
      path,
    );
  }
}

function readMap(
  shape: { readonly sparse: boolean; readonly value: Member },
  value: unknown,
  format: TreeFormat,
  path: Path,
  depth: number,
): Record<string, unknown> {
  if (!isObject(value)) throw wrongType(value, 'Map', path);
  const result = emptyRecord<unknown>();
  for (const [key, entry] of Object.entries(value)) {
    checkText(key, path);
    result[key] = readWithin(shape, shape.value, entry, format, path, key, depth);
  }
  return result;
}

function readScalar(shape: ScalarShape, value: unknown, format: TreeFormat, path: Path): unknown {
  switch (shape.kind) {
    case 'string':
      if (typeof value !== 'string') throw wrongType(value, 'String', path);
      return checkText(value, path);
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(value, 'Boolean', path);
      return value;
    case 'number':
      return readNumeric(value, format, path);
    case 'bigInteger':
      return readBigInteger(value, path);
    case 'bigDecimal':
      return readBigDecimal(value, path);
    case 'blob':
      return readBlob(value, format, path);
    case 'timestamp':
      return readTime(shape, value, format, path);
    case 'document':
      return readDocument(value, path, 0);
  }
}

function readNumeric(value: unknown, format: TreeFormat, path: Path): number {
  const number = typeof value === 'bigint' ? Number(value) : isExact(value) ? Number(value.digits) : value;
  if (typeof number === 'string') {
    const special = specialNumber(number);
    if (special !== undefined) return special;
  }
  if (typeof number !== 'number') throw wrongType(value, 'Number', path);
  // JSON.parse makes Infinity of 1e999; in CBOR the infinities are numbers and meant.
  if (!format.binary && !Number.isFinite(number)) throw serializationFault('The number is too large', path);
  return number;
}

function readBigInteger(value: unknown, path: Path): bigint {
  if (typeof value === 'bigint') return value;
  const text = isExact(value) ? value.digits : String(value);
  if ((typeof value !== 'number' && !isExact(value)) || !/^-?\d{1,1000}$/.test(text)) {
    throw wrongType(value, 'BigInteger', path);
  }
  return BigInt(text);
}

function readBigDecimal(value: unknown, path: Path): NumericValue {
  if (value instanceof NumericValue) return value;
  if (isExact(value)) return new NumericValue(value.digits, 'bigDecimal');
  if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(value, 'BigDecimal', path);
  return new NumericValue(String(value), 'bigDecimal');
}

function readBlob(value: unknown, format: TreeFormat, path: Path): Uint8Array {
  if (format.binary) {
    if (!(value instanceof Uint8Array)) throw wrongType(value, 'Blob', path);
    return value;
  }
  if (typeof value !== 'string') throw wrongType(value, 'Blob', path);
  const bytes = decodeBase64(value);
  if (!bytes) throw serializationFault('The value is not base 64', path);
  return bytes;
}

function readTime(
  shape: Extract<Shape, { kind: 'timestamp' }>,
  value: unknown,
  format: TreeFormat,
  path: Path,
): Date {
  const time = format.binary ? binaryTime(value) : jsonTime(shape.format ?? 'epochSeconds', value);
  if (time === 'wrong type') throw wrongType(value, 'Timestamp', path);
  if (!time) throw serializationFault('The value is not a timestamp of the expected format', path);
  return time;
}

function binaryTime(value: unknown): Date | undefined | 'wrong type' {
  const seconds = isTagged(value) && value.tag === 1 ? value.value : value;
  if (typeof seconds === 'bigint') return undefined;
  return typeof seconds === 'number' ? readEpochSeconds(seconds) : 'wrong type';
}

function jsonTime(
  format: 'dateTime' | 'httpDate' | 'epochSeconds',
  value: unknown,
): Date | undefined | 'wrong type' {
  const plain = isExact(value) ? Number(value.digits) : value;
  if (format === 'epochSeconds') return typeof plain === 'number' ? readEpochSeconds(plain) : 'wrong type';
  return typeof plain === 'string' ? readTimestamp(plain, format) : 'wrong type';
}

function readDocument(value: unknown, path: Path, depth: number): unknown {
  if (depth > limits.requestDepth) throw serializationFault('The request is nested too deeply', path);
  if (typeof value === 'string') return checkText(value, path);
  if (isExact(value)) return Number(value.digits);
  if (Array.isArray(value)) return value.map((element) => readDocument(element, path, depth + 1));
  if (!isObject(value)) return value;
  const result = emptyRecord<unknown>();
  for (const [key, entry] of Object.entries(value))
    result[checkText(key, path)] = readDocument(entry, path, depth + 1);
  return result;
}

/** Half a surrogate pair has no UTF-8 form: it could be neither kept nor given back as it was sent. */
function checkText(text: string, path: Path): string {
  if (!text.isWellFormed()) throw serializationFault('The text holds half a surrogate pair', path);
  return text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isTagged(value) && !isExact(value);
}

const tagged: unique symbol = Symbol('tagged');
const exact: unique symbol = Symbol('exact');

export function taggedValue(tag: number, value: unknown): Tagged {
  return Object.freeze({ [tagged]: true, tag, value });
}

export function exactNumber(digits: string): ExactNumber {
  return Object.freeze({ [exact]: true, digits });
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === 'object' && value !== null && tagged in value;
}

function isExact(value: unknown): value is ExactNumber {
  return typeof value === 'object' && value !== null && exact in value;
}

function wrongType(value: unknown, wanted: string, path: Path): AwsFault {
  return serializationFault(`${describe(value)} can not be converted to a ${wanted}`, path);
}

/** The words that AWS's own parsers use. */
function describe(value: unknown): string {
  if (value === null) return 'NULL_VALUE';
  if (Array.isArray(value)) return 'START_ARRAY';
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  if (typeof value === 'number' || typeof value === 'bigint' || isExact(value)) return 'NUMBER_VALUE';
  if (value instanceof Uint8Array) return 'BINARY_VALUE';
  if (isTagged(value)) return 'TAGGED_VALUE';
  return 'START_OBJECT';
}

/** What a body that cannot be read is answered with. `path` says where. */
export function serializationFault(message: string, path: readonly (string | number)[] = []): AwsFault {
  const where = path
    .slice(0, 20)
    .map((part) => String(part).slice(0, 100))
    .join('.');
  return new AwsFault('SerializationException', where === '' ? message : `${message} (at ${where})`, {
    status: 400,
  });
}

/** What a body with more values than the bound is answered with. */
export function tooManyValues(): AwsFault {
  return serializationFault(`The request has more than ${limits.requestValues} values`);
}
