import { AwsFault } from '../../kernel/index.ts';
import { writeCbor } from './cbor-body.ts';
import { s3RequestIds } from './fault-writer.ts';
import { writeJson } from './json-body.ts';
import type { RoutedOperation, WireAnswer } from './protocol-types.ts';
import { writeRestOutput } from './rest-writer.ts';
import { escapeXml, writeXmlElement } from './xml-body.ts';

/**
 * Encodes what an operation gave. An output that is not of the schema's types is a mistake of the program and throws a
 * plain Error, which the pipeline answers as InternalFailure.
 */
export function encodeOutput(
  routed: RoutedOperation,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): WireAnswer {
  if (routed.operation.outputEvents !== undefined) {
    throw new AwsFault(
      'NotImplemented',
      `${routed.operationName} answers a stream of events, which is not supported.`,
    );
  }
  const answer = writeOutput(routed, output, requestId);
  const ids = routed.protocol === 'restXml' ? s3RequestIds(requestId) : { 'x-amzn-requestid': requestId };
  const headers = { ...ids, ...answer.headers };
  // A HEAD answer says the length of what GET would answer, which the operation itself gives as a header.
  const length =
    answer.body instanceof Uint8Array && headers['content-length'] === undefined && answer.status !== 204
      ? { 'content-length': String(answer.body.length) }
      : {};
  return { status: answer.status, headers: { ...headers, ...length }, body: answer.body };
}

function writeOutput(
  routed: RoutedOperation,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): WireAnswer {
  const shape = routed.operation.output;
  switch (routed.protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return {
        status: 200,
        headers: {
          'content-type':
            routed.protocol === 'awsJson1_0' ? 'application/x-amz-json-1.0' : 'application/x-amz-json-1.1',
        },
        body: Buffer.from(writeJson(shape, output, { jsonNames: false }), 'utf8'),
      };
    case 'rpcv2Cbor':
      return {
        status: 200,
        headers: {
          'smithy-protocol': 'rpc-v2-cbor',
          ...(shape.kind === 'unit' ? {} : { 'content-type': 'application/cbor' }),
        },
        body: shape.kind === 'unit' ? new Uint8Array() : writeCbor(shape, output),
      };
    case 'awsQuery':
      return {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: Buffer.from(queryAnswer(routed, output, requestId), 'utf8'),
      };
    case 'restJson1':
    case 'restXml':
      return writeRestOutput(routed, output);
  }
}

/** "AWS query protocol" in the Smithy specification: the result and the request id in one element. */
function queryAnswer(
  routed: RoutedOperation,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): string {
  const { operation, operationName, service } = routed;
  const uri = service.description.xmlNamespace;
  const namespace = uri === undefined ? '' : ` xmlns="${escapeXml(uri)}"`;
  const result =
    operation.output.kind === 'unit'
      ? ''
      : writeXmlElement(`${operationName}Result`, operation.output, output, undefined);
  const metadata = `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`;
  return `<${operationName}Response${namespace}>${result}${metadata}</${operationName}Response>`;
}
