import { AwsFault } from '../../kernel/index.ts';
import {
  membersOf,
  type Member,
  type Shape,
  type StructureShape,
  type ScalarShape,
} from '../schema/index.ts';
import { scalarFromText } from './form-body.ts';
import { readJsonBody } from './json-body.ts';
import type { RoutedOperation, WireBody, WireRequest } from './protocol-types.ts';
import { parseQuery, type Query } from './query-string.ts';
import { decodeBase64, decodeUtf8, emptyRecord } from './text.ts';
import { serializationFault } from './tree-reader.ts';
import { malformedXml, parseXml } from './xml-parser.ts';
import { readXml } from './xml-body.ts';

/**
 * Reads the input of a REST operation from path, query, headers and body ("HTTP binding traits" in the Smithy
 * specification). A member is taken only from where the model puts it, so a body cannot overrule a path that was
 * signed and authorised.
 */
export function readRestInput(
  routed: RoutedOperation,
  request: WireRequest,
  body: WireBody,
): Record<string, unknown> {
  const { input } = routed.operation;
  if (input.kind === 'unit') return {};
  const query = parseQuery(request.query) ?? new Map<string, string[]>();
  const result: Record<string, unknown> = {};
  let readBody = false;
  for (const member of input.members) {
    if (member.place.in === 'body') readBody = true;
    else {
      const value = readPlaced(member, routed, request, query, body);
      if (value !== undefined) result[member.name] = value;
    }
  }
  return readBody ? { ...result, ...readBodyMembers(routed, input, wholeBody(body)) } : result;
}

function readPlaced(
  member: Member,
  routed: RoutedOperation,
  request: WireRequest,
  query: Query,
  body: WireBody,
): unknown {
  const { place } = member;
  switch (place.in) {
    case 'label': {
      const text = routed.labels[member.name];
      return text === undefined ? undefined : scalar(routed, member, member.shape, text, 'dateTime');
    }
    case 'query':
      return readQueryMember(routed, member, query.get(place.name));
    case 'queryMap':
      return readQueryMap(routed, member, query);
    case 'header':
      return readHeader(routed, member, request.headers[place.name]);
    case 'prefixHeaders':
      return readPrefixHeaders(place.prefix, request);
    case 'payload':
      return readPayload(routed, member, body);
    case 'body':
    case 'status':
      return undefined;
  }
}

function readQueryMember(
  routed: RoutedOperation,
  member: Member,
  values: readonly string[] | undefined,
): unknown {
  if (!values) return undefined;
  const { shape } = member;
  if (shape.kind === 'list')
    return values.map((text) => scalar(routed, member, shape.element.shape, text, 'dateTime'));
  const [text = ''] = values;
  // `?max-parts=` is as good as nothing, as an empty header is.
  if (text === '' && shape.kind === 'number' && routed.protocol === 'restXml') return undefined;
  return scalar(routed, member, shape, text, 'dateTime');
}

/** Every parameter, also those that other members take, as the specification asks of servers. */
function readQueryMap(routed: RoutedOperation, member: Member, query: Query): unknown {
  if (member.shape.kind !== 'map') return undefined;
  const fixed = (routed.operation.http?.path.split('?')[1] ?? '').split('&');
  const literals = new Set(fixed.map((pair) => pair.split('=')[0]));
  const lists = member.shape.value.shape.kind === 'list';
  const result = emptyRecord<unknown>();
  for (const [key, values] of query) {
    if (!literals.has(key)) result[key] = lists ? [...values] : values[0];
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function readHeader(routed: RoutedOperation, member: Member, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const { shape } = member;
  if (shape.kind !== 'list') {
    if (text === '' && shape.kind !== 'string') return undefined;
    return scalar(routed, member, shape, text, 'httpDate');
  }
  if (text.trim() === '') return [];
  const element = shape.element.shape;
  const dates = element.kind === 'timestamp' && (element.format ?? 'httpDate') === 'httpDate';
  const parts = dates ? text.split(/,(?= *[A-Z][a-z]{2},)/) : splitHeader(text);
  return parts.map((part) => scalar(routed, member, element, part.trim(), 'httpDate'));
}

/** Splits a header at its commas, minding quotes, which are taken off with their backslashes. */
function splitHeader(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted && character === '\\') {
      at += 1;
      part += text[at] ?? '';
    } else if (character === '"' && (quoted || part.trim() === '')) {
      quoted = !quoted;
      if (quoted) part = '';
    } else if (character === ',' && !quoted) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  parts.push(part);
  return parts;
}

function readPrefixHeaders(prefix: string, request: WireRequest): unknown {
  const result = emptyRecord<string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(prefix)) result[name.slice(prefix.length)] = value;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function readPayload(routed: RoutedOperation, member: Member, body: WireBody): unknown {
  const { shape } = member;
  if (shape.kind === 'blob' && shape.streaming) return body;
  const bytes = wholeBody(body);
  if (bytes.length === 0) return undefined;
  if (shape.kind === 'blob') return bytes;
  if (shape.kind === 'string') {
    const text = decodeUtf8(bytes);
    if (text === undefined) throw serializationFault('The body is not UTF-8');
    return text;
  }
  if (routed.protocol === 'restJson1' || shape.kind !== 'structure') return readJsonBody(shape, bytes, true);
  const element = parseXml(bytes);
  const expected = member.xmlName ?? shape.xmlName ?? shape.name;
  if (element.name !== expected) throw malformedXml(`its root is not <${expected}>`);
  return readXml(shape, element);
}

const bodyShapes = new WeakMap<StructureShape, StructureShape>();

/** The shape of what stands in the body alone. */
export function bodyShapeOf(shape: StructureShape): StructureShape {
  const known = bodyShapes.get(shape);
  if (known) return known;
  const members = membersOf(shape).filter(({ place }) => place.in === 'body');
  const bodyShape = { ...shape, members, byName: new Map(members.map((member) => [member.name, member])) };
  bodyShapes.set(shape, bodyShape);
  return bodyShape;
}

function readBodyMembers(
  routed: RoutedOperation,
  input: StructureShape,
  bytes: Uint8Array,
): Record<string, unknown> {
  if (bytes.length === 0) return {};
  const shape = bodyShapeOf(input);
  if (routed.protocol === 'restJson1') return readJsonBody(shape, bytes, true) as Record<string, unknown>;
  return readXml(shape, parseXml(bytes));
}

function wholeBody(body: WireBody): Uint8Array {
  if (body instanceof Uint8Array) return body;
  throw new Error('the body of an operation without a streaming input was handed over as a stream');
}

function scalar(
  routed: RoutedOperation,
  member: Member,
  shape: Shape,
  text: string,
  time: 'dateTime' | 'httpDate',
): unknown {
  const value = readScalar(shape as ScalarShape, text, time);
  if (value !== undefined) return value;
  const message = `The value of ${member.name} is not a valid ${shape.kind}`;
  if (routed.protocol === 'restXml') throw new AwsFault('InvalidArgument', `${message}.`, { status: 400 });
  throw serializationFault(message);
}

function readScalar(shape: ScalarShape, text: string, time: 'dateTime' | 'httpDate'): unknown {
  // Structured text, such as JSON, travels as base 64 in a header.
  if (shape.kind === 'string' && shape.mediaType !== undefined && time === 'httpDate') {
    const bytes = decodeBase64(text);
    return bytes && decodeUtf8(bytes);
  }
  return scalarFromText(shape, text, time);
}
