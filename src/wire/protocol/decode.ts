import { AwsFault } from '../../kernel/index.ts';
import { readCborBody } from './cbor-body.ts';
import { parseForm, readForm } from './form-body.ts';
import { readJsonBody } from './json-body.ts';
import type { RoutedOperation, WireBody, WireRequest } from './protocol-types.ts';
import { readRestInput } from './rest-reader.ts';

/**
 * Decodes the input of an operation into the SDK's own types: Date, Uint8Array, maps without a prototype. The body is
 * a stream only where `routed.streamingInput` is set. Throws AwsFault for what is not of the schema's types:
 * SerializationException, MalformedInput, MalformedQueryString, MalformedXML, InvalidArgument.
 */
export function decode(
  routed: RoutedOperation,
  request: WireRequest,
  body: WireBody,
): Record<string, unknown> {
  const { input } = routed.operation;
  if (routed.operation.inputEvents !== undefined) {
    throw new AwsFault(
      'NotImplemented',
      `${routed.operationName} takes a stream of events, which is not supported.`,
    );
  }
  switch (routed.protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return readJsonBody(input, bytesOf(body), false) as Record<string, unknown>;
    case 'rpcv2Cbor':
      return readCborBody(input, bytesOf(body)) as Record<string, unknown>;
    case 'awsQuery':
      return input.kind === 'unit' ? {} : readForm(input, routed.form ?? parseForm(bytesOf(body)));
    case 'restJson1':
    case 'restXml':
      return readRestInput(routed, request, body);
  }
}

function bytesOf(body: WireBody): Uint8Array {
  if (body instanceof Uint8Array) return body;
  throw new Error('only an operation with a streaming input takes its body as a stream');
}
