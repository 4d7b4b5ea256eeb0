import type { Member, Shape, StructureShape, ScalarShape } from '../schema/index.ts';
import { bytesOf, present, record, writeJson } from './json-body.ts';
import type { RoutedOperation, WireAnswer } from './protocol-types.ts';
import { bodyShapeOf } from './rest-reader.ts';
import { scalarText, writeXmlElement } from './xml-body.ts';
type Headers = Record<string, string>;

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** What S3 answers with 204 though the model leaves it out; see the sample responses of the operations' pages. */
const noContent: ReadonlySet<string> = new Set(['PutBucketPolicy', 'PutBucketTagging']);

/** Writes the output of a REST operation as status, headers and body. */
export function writeRestOutput(
  routed: RoutedOperation,
  output: Readonly<Record<string, unknown>>,
): WireAnswer {
  const { operation } = routed;
  const modelled = noContent.has(operation.name) ? 204 : (operation.http?.status ?? 200);
  if (operation.output.kind === 'unit') return { status: modelled, headers: {}, body: new Uint8Array() };
  const headers: Headers = {};
  const placed = writePlaced(operation.output, output, headers);
  // The model leaves out that S3 answers a part of an object as such.
  const status = placed ?? (headers['content-range'] === undefined ? modelled : 206);
  const payload = operation.output.members.find(({ place }) => place.in === 'payload');
  const body = payload
    ? writePayload(routed, payload, output[payload.name], headers)
    : writeBody(routed, operation.output, output, headers, status);
  return { status, headers, body };
}

/** Writes the members that are headers; gives the status where a member holds it. */
export function writePlaced(
  shape: StructureShape,
  value: Readonly<Record<string, unknown>>,
  headers: Headers,
): number | undefined {
  let status: number | undefined;
  for (const member of shape.members) {
    const entry = value[member.name];
    if (!present(entry)) continue;
    const { place } = member;
    if (place.in === 'status') status = Number(entry);
    else if (place.in === 'header') {
      const text = headerText(member.shape, entry);
      if (text !== undefined) headers[place.name] = text;
    } else if (place.in === 'prefixHeaders') {
      for (const [name, text] of Object.entries(record(entry, member.name))) {
        headers[`${place.prefix}${name.toLowerCase()}`] = headerSafe(String(text));
      }
    }
  }
  return status;
}

function headerText(shape: Shape, value: unknown): string | undefined {
  if (shape.kind === 'list') {
    const element = shape.element.shape as ScalarShape;
    const parts = (value as readonly unknown[])
      .filter((part) => present(part))
      .map((part) => {
        const text = scalarText(element, part, 'httpDate');
        return element.kind !== 'timestamp' && /[",]/.test(text)
          ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
          : text;
      });
    return parts.length === 0 ? undefined : headerSafe(parts.join(', '));
  }
  const text = scalarText(shape as ScalarShape, value, 'httpDate');
  if (shape.kind === 'string' && shape.mediaType !== undefined)
    return Buffer.from(text, 'utf8').toString('base64');
  return headerSafe(text);
}

/**
 * Text that a header cannot hold goes as an encoded word of RFC 2047, as S3 gives back metadata that is not ASCII
 * ("Working with object metadata" in the S3 user guide). It also keeps a line break from starting another header.
 */
export function headerSafe(text: string): string {
  return /^[\t\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

function writePayload(
  routed: RoutedOperation,
  member: Member,
  value: unknown,
  headers: Headers,
): WireAnswer['body'] {
  const { shape } = member;
  if (!present(value)) return new Uint8Array();
  if (shape.kind === 'blob') {
    headers['content-type'] ??= shape.mediaType ?? 'application/octet-stream';
    return isStream(value) ? value : bytesOf(value, shape.name);
  }
  if (shape.kind === 'string') {
    headers['content-type'] ??= shape.mediaType ?? 'text/plain';
    return Buffer.from(String(value), 'utf8');
  }
  if (routed.protocol === 'restJson1' || shape.kind !== 'structure') {
    headers['content-type'] ??= 'application/json';
    return Buffer.from(writeJson(shape, value, { jsonNames: true }), 'utf8');
  }
  headers['content-type'] ??= 'application/xml';
  const name = member.xmlName ?? shape.xmlName ?? shape.name;
  const namespace = shape.xmlNamespace ?? member.xmlNamespace ?? serviceNamespace(routed);
  return Buffer.from(xmlDeclaration + writeXmlElement(name, shape, value, namespace), 'utf8');
}

function isStream(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function writeBody(
  routed: RoutedOperation,
  output: StructureShape,
  value: Readonly<Record<string, unknown>>,
  headers: Headers,
  status: number,
): Uint8Array {
  const shape = bodyShapeOf(output);
  if (routed.protocol === 'restJson1') {
    if (status === 204 || status === 304) return new Uint8Array();
    headers['content-type'] ??= 'application/json';
    return Buffer.from(writeJson(shape, value, { jsonNames: true }), 'utf8');
  }
  if (shape.members.length === 0) return new Uint8Array();
  headers['content-type'] ??= 'application/xml';
  const name = output.xmlName ?? output.name;
  return Buffer.from(xmlDeclaration + restXml(routed, name, shape, value), 'utf8');
}

function restXml(
  routed: RoutedOperation,
  name: string,
  shape: StructureShape,
  value: Readonly<Record<string, unknown>>,
): string {
  const namespace = shape.xmlNamespace ?? serviceNamespace(routed);
  const text = writeXmlElement(name, shape, value, namespace);
  // "GetBucketLocation" in the S3 API Reference: the location is the text of the root element itself.
  const inner = `<${name}>`;
  return routed.operationName === 'GetBucketLocation' && text.includes(inner)
    ? text.replace(inner, '').replace(`</${name}>`, '')
    : text;
}

function serviceNamespace(routed: RoutedOperation): StructureShape['xmlNamespace'] {
  const uri = routed.service.description.xmlNamespace;
  return uri === undefined ? undefined : { prefix: '', uri };
}
