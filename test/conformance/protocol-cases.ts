import { existsSync, readFileSync } from 'node:fs';
import { compileService, type Shape } from '../../src/wire/schema/index.ts';
import type { ProtocolName, ServiceDescription } from '../../src/wire/service.ts';
import type { LoadedService } from '../../src/wire/services.ts';
import { caseExports, type CaseMember, type CaseOperation, type CaseShape } from './botocore-shapes.ts';

/** The cases of the outside project, where they are; suites that need them skip by name elsewhere. */
const root = new URL('../../../shared/data/protocol-tests/', import.meta.url);
export const casesPresent = existsSync(root);

export interface ProtocolCase {
  readonly id: string;
  readonly suite: string;
  readonly service: LoadedService;
  readonly protocol: ProtocolName;
  readonly operationName: string;
  readonly given: CaseOperation;
  readonly shapes: Readonly<Record<string, CaseShape>>;
  readonly content: CaseContent;
}

interface CaseContent {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly serialized?: {
    readonly method?: string;
    readonly uri: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly host?: string;
  };
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly response?: {
    readonly status_code: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

interface Suite {
  readonly description: string;
  readonly metadata: {
    readonly apiVersion?: string;
    readonly targetPrefix?: string;
    readonly jsonVersion?: string;
    readonly xmlNamespace?: string;
  };
  readonly shapes: Readonly<Record<string, CaseShape>>;
  readonly cases: readonly (CaseContent & { readonly id?: string; readonly given: CaseOperation })[];
}

const files: Readonly<Record<string, ProtocolName>> = {
  json: 'awsJson1_1',
  json_1_0: 'awsJson1_0',
  'json_1_0-query-compatible': 'awsJson1_0',
  query: 'awsQuery',
  'rest-json': 'restJson1',
  'rest-xml': 'restXml',
  'smithy-rpc-v2-cbor': 'rpcv2Cbor',
  'smithy-rpc-v2-cbor-query-compatible': 'rpcv2Cbor',
  'smithy-rpc-v2-cbor-non-query-compatible': 'rpcv2Cbor',
};

export const caseFiles: readonly string[] = Object.keys(files);

export function readCases(direction: 'input' | 'output', file: string): readonly ProtocolCase[] {
  if (!casesPresent) return [];
  const protocol = files[file]!;
  const suites = JSON.parse(
    readFileSync(new URL(`${direction}/${file}.json`, root), 'utf8'),
  ) as readonly Suite[];
  return suites.flatMap((suite) =>
    suite.cases.map((content, index) => {
      const xml = protocol === 'awsQuery' || protocol === 'restXml';
      const exports = caseExports(content.given, suite.shapes, xml ? 'xmlName' : 'jsonName');
      const description: ServiceDescription = {
        name: 'cases',
        eventSource: 'cases.amazonaws.com',
        signingName: 'cases',
        iamPrefix: 'cases',
        apiVersion: suite.metadata.apiVersion ?? '2020-01-08',
        ...(suite.metadata.targetPrefix === undefined ? {} : { target: suite.metadata.targetPrefix }),
        protocols: [protocol],
        load: () => Promise.resolve(exports),
      };
      return {
        id: content.id ?? `${suite.description} ${index}`,
        suite: suite.description,
        service: { description, schema: compileService(exports) },
        protocol,
        operationName: content.given.name,
        given: content.given,
        shapes: suite.shapes,
        content,
      };
    }),
  );
}

/** The cases write times as epoch seconds and blobs as text; handlers get Date and bytes. */
export function nativeValue(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        shape.members.flatMap((member) => {
          const entry = (value as Record<string, unknown>)[member.name];
          return entry === undefined || entry === null
            ? []
            : [[member.name, nativeValue(member.shape, entry)]];
        }),
      );
    case 'list':
      return (value as unknown[])
        .filter((entry) => shape.sparse || entry !== null)
        .map((entry) => nativeValue(shape.element.shape, entry));
    case 'map':
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, entry]) => shape.sparse || entry !== null)
          .map(([key, entry]) => [key, nativeValue(shape.value.shape, entry)]),
      );
    case 'timestamp':
      return new Date(Number(value) * 1000);
    case 'blob':
      return new Uint8Array(Buffer.from(value as string, 'utf8'));
    case 'number':
      return typeof value === 'string' ? Number(value) : value;
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'unit':
    case 'boolean':
    case 'document':
    case 'bigInteger':
    case 'bigDecimal':
      return value;
  }
}

export type { CaseMember };
