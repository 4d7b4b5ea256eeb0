import { hash } from 'node:crypto';
import type { AwsFault } from '../../kernel/index.ts';
import type { Member, StructureShape } from '../schema/index.ts';
import type { LoadedService } from '../services.ts';
import { writeCbor } from './cbor-body.ts';
import { commonError } from './common-errors.ts';
import { writeJson } from './json-body.ts';
import type { RoutedOperation, UnroutedRequest, WireAnswer } from './protocol-types.ts';
import { bodyShapeOf } from './rest-reader.ts';
import { headerSafe, writePlaced, xmlDeclaration } from './rest-writer.ts';
import { escapeXml, writeXmlMembers } from './xml-body.ts';

/** A fault with everything that the protocols say of it. */
interface Described {
  /** Name of the error's shape, or the common code in the protocol's words. */
  readonly code: string;
  /** The code of the query protocol, where the model gives another one. */
  readonly queryCode: string;
  readonly shape: StructureShape | undefined;
  readonly status: number;
  readonly sender: boolean;
  readonly message: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Encodes a fault in the envelope of the request's protocol. Errors in the model get its code, status and members. */
export function encodeFault(
  target: RoutedOperation | UnroutedRequest,
  fault: AwsFault,
  requestId: string,
): WireAnswer {
  const described = describe(target, fault);
  const answer = envelope(target, described, requestId);
  const headers = { ...answer.headers, ...fault.headers };
  // "Not modified" has neither a body nor the length of one (RFC 9110, 15.4.5).
  if (described.status === 304) {
    const { 'content-type': _, ...kept } = headers;
    return { status: 304, headers: kept, body: new Uint8Array() };
  }
  const body = target.method === 'HEAD' ? new Uint8Array() : answer.body;
  return {
    status: described.status,
    headers: { ...headers, 'content-length': String(body.length) },
    body,
  };
}

interface Envelope {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

function envelope(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
  requestId: string,
): Envelope {
  switch (target.protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return jsonEnvelope(target, described, requestId);
    case 'rpcv2Cbor':
      return cborEnvelope(target, described, requestId);
    case 'restJson1':
      return restJsonEnvelope(described, requestId);
    case 'awsQuery':
      return queryEnvelope(target, described, requestId);
    case 'restXml':
      return restXmlEnvelope(target, described, requestId);
  }
}

function describe(target: RoutedOperation | UnroutedRequest, fault: AwsFault): Described {
  const { protocol } = target;
  const own = target.service && findError(target.service, fault.code);
  const common = own ? undefined : commonError(fault.code, protocol);
  // A service may model an error that is common: AccessDenied is then its own AccessDeniedException.
  const shape = own ?? (common && target.service && findError(target.service, common.code));
  const code = shape?.name ?? common?.code ?? fault.code;
  const status = fault.status ?? common?.status ?? (shape ? statusOf(shape, protocol) : 400);
  const members = messageMember(shape)
    ? { ...fault.members, [messageMember(shape)?.name ?? 'message']: fault.message }
    : fault.members;
  return {
    code,
    queryCode: shape?.queryError?.code ?? commonError(fault.code, 'awsQuery')?.code ?? code,
    shape,
    status,
    sender: status < 500,
    message: fault.message,
    members,
  };
}

function findError(service: LoadedService, code: string): StructureShape | undefined {
  const { errors } = service.schema;
  return errors.get(code) ?? [...errors.values()].find((shape) => shape.queryError?.code === code);
}

/** JSON services answer every mistake of a client with 400, whatever status the model has for the query protocol. */
function statusOf(shape: StructureShape, protocol: RoutedOperation['protocol']): number {
  const general = shape.fault === 'server' ? 500 : 400;
  switch (protocol) {
    case 'awsQuery':
      return shape.queryError?.status ?? shape.status ?? general;
    case 'awsJson1_0':
    case 'awsJson1_1':
      return general;
    case 'restJson1':
    case 'rpcv2Cbor':
      return shape.status ?? general;
    case 'restXml':
      // The model leaves out the status of what HEAD answers.
      return shape.status ?? (shape.name === 'NotFound' ? 404 : general);
  }
}

function messageMember(shape: StructureShape | undefined): Member | undefined {
  return shape?.members.find(({ name }) => name.toLowerCase() === 'message');
}

/** "AWS JSON protocols" in the Smithy specification: the bare name in 1.1, with its namespace in 1.0. */
function jsonEnvelope(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
  requestId: string,
): Envelope {
  const old = target.protocol === 'awsJson1_0';
  const type = old ? qualified(target, described) : described.code;
  return {
    headers: {
      'x-amzn-requestid': requestId,
      'content-type': old ? 'application/x-amz-json-1.0' : 'application/x-amz-json-1.1',
      ...queryErrorHeader(target, described),
    },
    body: Buffer.from(errorJson(described, { __type: type }, false), 'utf8'),
  };
}

function cborEnvelope(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
  requestId: string,
): Envelope {
  const type = { __type: qualified(target, described) };
  const { shape } = described;
  return {
    headers: {
      'x-amzn-requestid': requestId,
      'smithy-protocol': 'rpc-v2-cbor',
      'content-type': 'application/cbor',
      ...queryErrorHeader(target, described),
    },
    body: shape
      ? writeCbor(
          shape,
          described.members,
          messageMember(shape) ? type : { ...type, message: described.message },
        )
      : writeCbor({ kind: 'unit', name: 'Unit' }, {}, { ...type, message: described.message }),
  };
}

function qualified(target: RoutedOperation | UnroutedRequest, described: Described): string {
  const namespace =
    described.shape?.namespace ?? target.service?.schema.operations.values().next().value?.namespace;
  return namespace === undefined ? described.code : `${namespace}#${described.code}`;
}

/** "awsQueryCompatible trait" in the Smithy specification. */
function queryErrorHeader(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
): Record<string, string> {
  if (!target.queryMode) return {};
  return { 'x-amzn-query-error': `${described.queryCode};${described.sender ? 'Sender' : 'Receiver'}` };
}

function restJsonEnvelope(described: Described, requestId: string): Envelope {
  const headers: Record<string, string> = {
    'x-amzn-requestid': requestId,
    'content-type': 'application/json',
    'x-amzn-errortype': headerSafe(described.code),
  };
  if (described.shape) writePlaced(described.shape, described.members, headers);
  return { headers, body: Buffer.from(errorJson(described, {}, true), 'utf8') };
}

function errorJson(described: Described, extra: Readonly<Record<string, string>>, rest: boolean): string {
  const { shape } = described;
  const head = Object.entries(messageMember(shape) ? extra : { ...extra, message: described.message })
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(',');
  if (!shape) return `{${head}}`;
  const members = writeJson(rest ? bodyShapeOf(shape) : shape, described.members, { jsonNames: rest }).slice(
    1,
    -1,
  );
  return `{${[head, members].filter((part) => part !== '').join(',')}}`;
}

/** "AWS query protocol" in the Smithy specification, and "Common Errors" of the query APIs. */
function queryEnvelope(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
  requestId: string,
): Envelope {
  const uri = target.service?.description.xmlNamespace;
  const detail = described.shape
    ? writeXmlMembers(described.shape, described.members, ({ name }) => name.toLowerCase() !== 'message')
    : '';
  const error = [
    `<Type>${described.sender ? 'Sender' : 'Receiver'}</Type>`,
    `<Code>${escapeXml(described.queryCode)}</Code>`,
    `<Message>${escapeXml(described.message)}</Message>${detail}`,
  ].join('');
  const namespace = uri === undefined ? '' : ` xmlns="${escapeXml(uri)}"`;
  const text = `<ErrorResponse${namespace}><Error>${error}</Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`;
  return {
    headers: { 'x-amzn-requestid': requestId, 'content-type': 'text/xml' },
    body: Buffer.from(text, 'utf8'),
  };
}

/** "REST error responses" in the S3 API Reference. S3 Control's stand in an ErrorResponse, as those of other services do. */
function restXmlEnvelope(
  target: RoutedOperation | UnroutedRequest,
  described: Described,
  requestId: string,
): Envelope {
  const headers: Record<string, string> = { ...s3RequestIds(requestId), 'content-type': 'application/xml' };
  if (described.shape) writePlaced(described.shape, described.members, headers);
  const detail = `${modelledMembers(described)}${plainMembers(described)}`;
  const text = [
    `<Code>${escapeXml(described.code)}</Code>`,
    `<Message>${escapeXml(described.message)}</Message>${detail}`,
    `<RequestId>${escapeXml(requestId)}</RequestId>`,
    `<HostId>${escapeXml(headers['x-amz-id-2'] ?? '')}</HostId>`,
  ].join('');
  const error = `<Error>${text}</Error>`;
  const isControl = target.service?.description.name === 's3control';
  const document = isControl ? `<ErrorResponse>${error}</ErrorResponse>` : error;
  return { headers, body: Buffer.from(`${xmlDeclaration}${document}`, 'utf8') };
}

function modelledMembers({ shape, members }: Described): string {
  if (!shape) return '';
  return writeXmlMembers(bodyShapeOf(shape), members, ({ name }) => name.toLowerCase() !== 'message');
}

/**
 * S3 models few of its errors, and of those that it does (NoSuchBucket, NoSuchKey) not the members: what handlers say beyond
 * the message (BucketName, Key, Resource) goes in as text.
 */
function plainMembers({ shape, members }: Described): string {
  const modelled = new Set([
    ...(shape?.members ?? []).map(({ name }) => name),
    messageMember(shape)?.name ?? 'message',
  ]);
  return Object.entries(members)
    .filter(
      ([name, value]) =>
        !modelled.has(name) &&
        /^[A-Za-z][\w-]*$/.test(name) &&
        (typeof value === 'string' || typeof value === 'number'),
    )
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');
}

/** S3 answers two ids; clients print both, so the second is made of the first. */
export function s3RequestIds(requestId: string): Record<string, string> {
  const second = hash('sha256', requestId, 'base64');
  return { 'x-amz-request-id': requestId, 'x-amz-id-2': second };
}
