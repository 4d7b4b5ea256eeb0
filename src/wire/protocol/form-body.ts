import { NumericValue } from '@smithy/core/serde';
import { AwsFault, limits } from '../../kernel/index.ts';
import { type Member, type Shape, type StructureShape, type ScalarShape, isScalar } from '../schema/index.ts';
import { decodeBase64, decodePercent, decodeUtf8, emptyRecord, readBoolean, readNumber } from './text.ts';
import { readTimestamp } from './timestamps.ts';

/** A key of n parts makes up to n nodes; those that AWS knows make two or three, most of them shared. */
const mostNodes = 2 * limits.formPairs;

/** A form, parsed into the tree that the dots of its keys spell. */
export interface FormNode {
  value: string | undefined;
  children: Map<string, FormNode> | undefined;
}

/**
 * Parses `application/x-www-form-urlencoded` bytes. Throws MalformedQueryString (404, as "Common Errors" of the query
 * APIs has it) for broken percent-encoding, text that is not UTF-8, a parameter that stands there twice (one reader would
 * take the first, another the last), or more pairs or dots than the bounds allow.
 */
export function parseForm(body: Uint8Array): FormNode {
  const text = decodeUtf8(body);
  if (text === undefined) throw malformed('it is not UTF-8');
  return parseFormText(text);
}

export function parseFormText(text: string): FormNode {
  const root: FormNode = { value: undefined, children: undefined };
  let pairs = 0;
  let nodes = 0;
  for (let start = 0; start <= text.length;) {
    const found = text.indexOf('&', start);
    const end = found === -1 ? text.length : found;
    if (end > start) {
      pairs += 1;
      if (pairs > limits.formPairs) throw malformed(`it has more than ${limits.formPairs} parameters`);
      nodes += addPair(root, text.slice(start, end));
      if (nodes > mostNodes) throw malformed(`its keys have more than ${mostNodes} parts`);
    }
    start = end + 1;
  }
  return root;
}

/** How many nodes the pair added to the tree. */
function addPair(root: FormNode, pair: string): number {
  const equals = pair.indexOf('=');
  const key = decodePlus(equals === -1 ? pair : pair.slice(0, equals));
  const value = decodePlus(equals === -1 ? '' : pair.slice(equals + 1));
  if (key === undefined || value === undefined) throw malformed('a parameter is not percent-encoded UTF-8');
  let node = root;
  let depth = 0;
  let added = 0;
  for (const part of key.split('.')) {
    depth += 1;
    if (depth > 3 * limits.requestDepth) throw malformed('a key has too many parts');
    node.children ??= new Map();
    let next = node.children.get(part);
    if (!next) {
      next = { value: undefined, children: undefined };
      node.children.set(part, next);
      added += 1;
    }
    node = next;
  }
  if (node.value !== undefined) throw malformed(`the parameter ${key.slice(0, 200)} stands more than once`);
  node.value = value;
  return added;
}

function decodePlus(text: string): string | undefined {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** The value of a key without dots, such as `Action`. */
export function formValue(form: FormNode, key: string): string | undefined {
  return form.children?.get(key)?.value;
}

/**
 * Reads an awsQuery input ("AWS query protocol" in the Smithy documentation). Throws MalformedInput (400) for a
 * value that is not of its type.
 */
export function readForm(shape: StructureShape, form: FormNode): Record<string, unknown> {
  return readStructure(shape, form, '', 0);
}

function read(member: Member, node: FormNode, path: string, depth: number): unknown {
  const { shape } = member;
  if (depth > limits.requestDepth) throw malformedInput('is nested too deeply', path);
  if (isScalar(shape)) return readScalar(shape, node, path);
  switch (shape.kind) {
    case 'unit':
      return {};
    case 'structure':
      return readStructure(shape, node, path, depth);
    case 'list':
      return readList(member, shape, node, path, depth);
    case 'map':
      return readMap(member, shape, node, path, depth);
  }
}

function readStructure(
  shape: StructureShape,
  node: FormNode,
  path: string,
  depth: number,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  let set = 0;
  for (const member of shape.members) {
    const key = member.xmlName ?? member.name;
    const child = node.children?.get(key);
    if (!child) continue;
    result[member.name] = read(member, child, join(path, key), depth + 1);
    set += 1;
  }
  if (shape.union && set !== 1) throw malformedInput('takes exactly one of its members', path);
  return result;
}

/** `Key.member.1`, or `Key.1` where the list is flattened. `Key=` alone is the empty list. */
function readList(
  member: Member,
  shape: Extract<Shape, { kind: 'list' }>,
  node: FormNode,
  path: string,
  depth: number,
): unknown[] {
  const container = member.xmlFlattened ? node : node.children?.get(shape.element.xmlName ?? 'member');
  return numbered(container, node, path).map(([key, child]) =>
    read(shape.element, child, join(path, key), depth + 1),
  );
}

/** `Key.entry.1.key` and `Key.entry.1.value`, or `Key.1.…` where the map is flattened. */
function readMap(
  member: Member,
  shape: Extract<Shape, { kind: 'map' }>,
  node: FormNode,
  path: string,
  depth: number,
): Record<string, unknown> {
  const result = emptyRecord<unknown>();
  const container = member.xmlFlattened ? node : node.children?.get('entry');
  for (const [index, entry] of numbered(container, node, path)) {
    const key = entry.children?.get(shape.key.xmlName ?? 'key')?.value;
    const value = entry.children?.get(shape.value.xmlName ?? 'value');
    if (key === undefined || !value)
      throw malformedInput('takes a key and a value in each entry', join(path, index));
    result[key] = read(shape.value, value, join(path, key), depth + 1);
  }
  return result;
}

/** Entries in the order of their numbers; gaps are closed, as AWS closes them. */
function numbered(container: FormNode | undefined, node: FormNode, path: string): [string, FormNode][] {
  if (!container?.children) {
    if (node.value === '' || container?.value === '') return [];
    throw malformedInput('takes numbered entries', path);
  }
  const entries = [...container.children];
  const wrong = entries.find(([key]) => !/^[1-9]\d{0,8}$/.test(key));
  if (wrong) throw malformedInput('takes entries numbered from 1', join(path, wrong[0].slice(0, 100)));
  return entries.toSorted((one, other) => Number(one[0]) - Number(other[0]));
}

function readScalar(shape: ScalarShape, node: FormNode, path: string): unknown {
  const text = node.value;
  if (text === undefined || node.children) throw malformedInput('takes a value, not further members', path);
  const value = scalarFromText(shape, text, 'dateTime');
  if (value === undefined) throw malformedInput(`is not a valid ${shape.kind}`, path);
  return value;
}

/** Reads a scalar that stands as text in a form, an XML element, a header, a path or a query. */
export function scalarFromText(shape: ScalarShape, text: string, time: 'dateTime' | 'httpDate'): unknown {
  switch (shape.kind) {
    case 'string':
    case 'document':
      return text;
    case 'boolean':
      return readBoolean(text);
    case 'number':
      return readNumber(text);
    case 'bigInteger':
      return /^-?\d{1,1000}$/.test(text) ? BigInt(text) : undefined;
    case 'bigDecimal':
      return readNumber(text) === undefined ? undefined : new NumericValue(text, 'bigDecimal');
    case 'blob':
      return decodeBase64(text);
    case 'timestamp':
      return readTimestamp(text, shape.format ?? time);
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function malformed(what: string): AwsFault {
  return new AwsFault('MalformedQueryString', `The query string contains a syntax error: ${what}.`, {
    status: 404,
  });
}

function malformedInput(what: string, path: string): AwsFault {
  return new AwsFault('MalformedInput', `The parameter ${path.slice(0, 500)} ${what}.`, { status: 400 });
}
