import { describe, expect, test } from 'vitest';
import { AwsFault } from '../../src/kernel/index.ts';
import {
  encodeFault,
  encodeOutput,
  type RoutedOperation,
  type WireAnswer,
} from '../../src/wire/protocol/index.ts';
import { parseCbor } from '../../src/wire/protocol/cbor-parser.ts';
import { parseXml, type XmlElement } from '../../src/wire/protocol/xml-parser.ts';
import { caseFiles, casesPresent, nativeValue, readCases, type ProtocolCase } from './protocol-cases.ts';

/** Cases whose answer no server of this project would write, because they show what a client must put up with. */
const skipped: readonly (readonly [RegExp, string])[] = [
  [
    /DateTimeWith|DateTimeWithFractional|HttpDateWithFractional/,
    'times in another form than the one written here',
  ],
  [/FooErrorUsing|FooErrorWith/, 'errors named in places where old services name them'],
  [
    /AllowNulls|SkipsNull|DontDeserializeNull|DoesntDeserializeNull|ShouldSkipNull|DeserializeIgnoreType/,
    'nulls and types to be skipped',
  ],
  [
    /unexpected_json|HandlesUnexpected|ExtraFields|Wrapping|IgnoresUndefined|IgnoreQueryParams/,
    'members to be skipped',
  ],
  [/NoOutputClientAllows|PayloadWithUnsetUnion|^RestXmlHttpResponseCode$/, 'headers of a body that is empty'],
  [/^QueryXmlNamespaces$/, 'a namespace of the model is left out'],
  [/^QueryComplexError$/, 'an error without a message'],
  [
    /^InvalidGreetingError$|^ComplexError$/,
    'errors in a wrapper, which S3, the one restXml service here, has not',
  ],
  [/^AwsJson11IntEnums$/, 'a header of requests stands in the answer'],
];

function isSkipped(id: string): boolean {
  return skipped.some(([pattern]) => pattern.test(id));
}

function routedOf(one: ProtocolCase): RoutedOperation {
  const operation = one.service.schema.operations.get(one.operationName)!;
  return {
    service: one.service,
    protocol: one.protocol,
    operation,
    operationName: one.operationName,
    streamingInput: false,
    streamingOutput: operation.streamingOutput,
    labels: {},
    queryMode: one.content.response?.headers?.['x-amzn-query-error'] !== undefined,
    method: 'POST',
  };
}

function requestIdOf(one: ProtocolCase): string {
  const { headers, body } = one.content.response!;
  const header = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'x-amzn-requestid');
  return header?.[1] ?? /<RequestId>([^<]*)</.exec(body ?? '')?.[1] ?? 'a-request-id';
}

function answerOf(one: ProtocolCase): WireAnswer {
  const routed = routedOf(one);
  const { result, error, errorCode, errorMessage } = one.content;
  if (errorCode === undefined) {
    const output = nativeValue(routed.operation.output, result ?? {}) as Record<string, unknown> | undefined;
    return encodeOutput(routed, output ?? {}, requestIdOf(one));
  }
  const shapeName = one.given.errors?.[0]?.shape ?? errorCode;
  const shape = one.service.schema.errors.get(shapeName)!;
  const members = nativeValue(shape, error ?? {}) as Record<string, unknown>;
  return encodeFault(routed, new AwsFault(shapeName, errorMessage ?? '', { members }), requestIdOf(one));
}

const metadataElements = new Set(['ResponseMetadata', 'RequestId', 'HostId']);

/**
 * An XML document without the accidents of its writing: white space between elements, order of siblings, the service's
 * namespace and the metadata around the result.
 */
function canonical(element: XmlElement): unknown {
  const children = element.children
    .filter(({ name }) => !metadataElements.has(name))
    .map((child) => canonical(child))
    .filter((child) => child !== undefined);
  const attributes = [...element.attributes]
    .filter(([, value]) => value !== 'https://example.com/')

    .toSorted(([one], [other]) => one.localeCompare(other));
  if (element.name.endsWith('Result') && children.length === 0) return undefined;
  return {
    name: element.name,
    attributes: Object.fromEntries(attributes),
    text: element.children.length > 0 || element.text.trim() === '' ? '' : element.text,
    children: children.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other))),
  };
}

/** Bodies that say nothing are equal, whether they are empty or an empty object in the protocol's form. */
const nothing = 'nothing';

function parsed(one: ProtocolCase, body: Uint8Array): unknown {
  if (body.length === 0) return nothing;
  const text = Buffer.from(body).toString('utf8');
  if (one.protocol === 'rpcv2Cbor') return bodyObject(one, parseCbor(body) as Record<string, unknown>);
  if (text.trimStart().startsWith('<')) {
    const root = parseXml(Buffer.from(text.trim(), 'utf8'));
    const document = canonical(root) as { children: unknown[] } | undefined;
    const empty = document?.children.length === 0 && root.text.trim() === '' && root.attributes.size === 0;
    return empty || (one.protocol === 'awsQuery' && document?.children.length === 0) ? nothing : document;
  }
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? bodyObject(one, value as Record<string, unknown>)
      : value;
  } catch {
    return text;
  }
}

/** The namespace of an error's type differs from case to case; that it has one is compared. */
function bodyObject(one: ProtocolCase, value: Record<string, unknown>): unknown {
  const type = value['__type'];
  const result = { ...value };
  if (typeof type === 'string') result['__type'] = type.replace(/^[^#]+#/, 'namespace#');
  // Where a case gives no message, ours is empty.
  if (one.content.errorMessage === undefined && result['message'] === '') delete result['message'];
  return Object.keys(result).length === 0 ? nothing : result;
}

describe.skipIf(!casesPresent)('outside protocol cases, answers (../shared/data/protocol-tests)', () => {
  describe.each(caseFiles.filter((file) => readCases('output', file).length > 0))('%s', (file) => {
    test.each(readCases('output', file).filter(({ id }) => !isSkipped(id)))('$id', (one) => {
      const expected = one.content.response!;
      const answer = answerOf(one);
      expect(answer.status).toBe(expected.status_code);
      for (const [name, value] of Object.entries(expected.headers ?? {})) {
        expect(answer.headers[name.toLowerCase()], name).toBe(value);
      }
      const bytes = Buffer.from(expected.body ?? '', one.protocol === 'rpcv2Cbor' ? 'base64' : 'utf8');
      expect(parsed(one, answer.body as Uint8Array)).toEqual(parsed(one, bytes));
    });
  });
});
