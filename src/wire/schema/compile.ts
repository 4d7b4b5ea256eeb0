import { NormalizedSchema } from '@smithy/core/schema';
import type {
  HttpPlace,
  Member,
  OperationShape,
  ServiceSchema,
  Shape,
  StructureShape,
  TimestampFormat,
  UnitShape,
  XmlNamespace,
} from './shape.ts';

/** What a run-time schema is made of; the SDK documents neither, so the round trip of every operation guards them. */
type SchemaReference = Parameters<typeof NormalizedSchema.of>[0];
type Traits = Readonly<Record<string, unknown>>;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const unit: UnitShape = { kind: 'unit', name: 'Unit' };
const operationKind = 9;
const structureKinds: ReadonlySet<unknown> = new Set([3, -3, 4]);
const timestampFormats: Readonly<Record<number, TimestampFormat>> = {
  5: 'dateTime',
  6: 'httpDate',
  7: 'epochSeconds',
};

/** Compiles shapes, each schema once, so that recursive shapes become recursive objects. */
interface ShapeCompiler {
  shape(schema: SchemaReference): Shape;
  operation(schema: SchemaReference): OperationShape;
}

function openShapeCompiler(): ShapeCompiler {
  const known = new Map<unknown, Shape>();
  const shape = (schema: SchemaReference): Shape => compileShape(NormalizedSchema.of(schema), known);
  return { shape, operation: (schema) => compileOperation(schema as readonly unknown[], shape) };
}

/**
 * Compiles a service from the exports of an SDK client package: every export that ends in `$` is a schema.
 */
export function compileService(exports: Readonly<Record<string, unknown>>): ServiceSchema {
  const compiler = openShapeCompiler();
  const operations = new Map<string, OperationShape>();
  const structures = new Map<string, StructureShape>();
  const errors = new Map<string, StructureShape>();
  for (const [name, schema] of Object.entries(exports)) {
    if (!name.endsWith('$') || !Array.isArray(schema)) continue;
    if (schema[0] === operationKind) {
      const operation = compiler.operation(schema as unknown as SchemaReference);
      operations.set(operation.name, operation);
    } else if (structureKinds.has(schema[0])) {
      const shape = compiler.shape(schema as unknown as SchemaReference);
      if (shape.kind !== 'structure' || shape.namespace.startsWith('smithy.')) continue;
      (shape.fault ? errors : structures).set(shape.name, shape);
    }
  }
  return { operations, structures, errors };
}

function compileOperation(
  tuple: readonly unknown[],
  shape: (schema: SchemaReference) => Shape,
): OperationShape {
  const [, namespace, name, traits, input, output] = tuple as [
    9,
    string,
    string,
    Traits | number,
    SchemaReference,
    SchemaReference,
  ];
  const http =
    typeof traits === 'object' ? (traits['http'] as [string, string, number] | undefined) : undefined;
  const inputShape = structureOrUnit(shape(input));
  const outputShape = structureOrUnit(shape(output));
  return {
    name,
    namespace,
    input: inputShape,
    output: outputShape,
    http: http && { method: http[0], path: http[1], status: http[2] },
    streamingInput: membersOf(inputShape).some(isStreamingBlob),
    streamingOutput: membersOf(outputShape).some(isStreamingBlob),
    inputEvents: eventStreamOf(input),
    outputEvents: eventStreamOf(output),
  };
}

function structureOrUnit(shape: Shape): StructureShape | UnitShape {
  if (shape.kind !== 'structure' && shape.kind !== 'unit') {
    throw new Error(`the input or output ${shape.name} of an operation is no structure`);
  }
  return shape;
}

/** The members of a structure; none of a unit. */
export function membersOf(shape: StructureShape | UnitShape): readonly Member[] {
  return shape.kind === 'unit' ? [] : shape.members;
}

function isStreamingBlob(member: Member): boolean {
  return member.shape.kind === 'blob' && member.shape.streaming;
}

function eventStreamOf(schema: SchemaReference): string | undefined {
  const normalized = NormalizedSchema.of(schema);
  return normalized.isStructSchema() ? normalized.getEventStreamMember() || undefined : undefined;
}

function compileShape(schema: NormalizedSchema, known: Map<unknown, Shape>): Shape {
  const raw: unknown = schema.getSchema();
  const name = schema.getName() ?? '';
  if (schema.isUnitSchema()) return unit;
  if (schema.isStructSchema())
    return known.get(raw) ?? compileStructure(schema, raw as readonly unknown[], known);
  const traits: Traits = schema.getMergedTraits();
  if (schema.isListSchema() || schema.isMapSchema()) {
    const found = Array.isArray(raw) ? known.get(raw) : undefined;
    return found ?? compileCollection(schema, raw, known);
  }
  if (schema.isBlobSchema()) {
    return { kind: 'blob', name, streaming: schema.isStreaming(), mediaType: text(traits, 'mediaType') };
  }
  if (schema.isTimestampSchema()) return { kind: 'timestamp', name, format: timestampFormats[raw as number] };
  if (schema.isStringSchema()) return { kind: 'string', name, mediaType: text(traits, 'mediaType') };
  if (schema.isBooleanSchema()) return { kind: 'boolean', name };
  if (schema.isNumericSchema()) return { kind: 'number', name };
  if (schema.isBigIntegerSchema()) return { kind: 'bigInteger', name };
  if (schema.isBigDecimalSchema()) return { kind: 'bigDecimal', name };
  if (schema.isDocumentSchema()) return { kind: 'document', name };
  throw new Error(`the schema ${name} is of a kind that is not known here`);
}

function compileStructure(
  schema: NormalizedSchema,
  raw: readonly unknown[],
  known: Map<unknown, Shape>,
): StructureShape {
  const traits: Traits = schema.getOwnTraits();
  const fault = traits['error'];
  const queryError = traits['awsQueryError'] as [string, number] | undefined;
  const members: Member[] = [];
  const byName = new Map<string, Member>();
  const shape: StructureShape = {
    kind: 'structure',
    name: schema.getName() ?? '',
    namespace: String(raw[1]),
    union: schema.isUnionSchema(),
    fault: fault === 'client' || fault === 'server' ? fault : undefined,
    queryError: queryError && { code: queryError[0], status: queryError[1] },
    status: traits['httpError'] as number | undefined,
    xmlName: text(traits, 'xmlName'),
    xmlNamespace: namespaceOf(traits),
    members,
    byName,
  };
  known.set(raw, shape);
  // The seventh element is a count: that many members from the first on are required.
  const required = typeof raw[6] === 'number' ? raw[6] : 0;
  for (const [name, memberSchema] of schema.structIterator()) {
    const member = compileMember(name, memberSchema, members.length < required, known);
    members.push(member);
    byName.set(name, member);
  }
  return shape;
}

function compileCollection(schema: NormalizedSchema, raw: unknown, known: Map<unknown, Shape>): Shape {
  const name = schema.getName() ?? '';
  const value = schema.getValueSchema();
  const sparse = Boolean(schema.getMergedTraits().sparse ?? value.getMergedTraits().sparse);
  if (schema.isListSchema()) {
    const list = { kind: 'list', name, sparse } as Mutable<Extract<Shape, { kind: 'list' }>>;
    if (Array.isArray(raw)) known.set(raw, list);
    list.element = compileMember('member', value, false, known);
    return list;
  }
  const map = { kind: 'map', name, sparse } as Mutable<Extract<Shape, { kind: 'map' }>>;
  if (Array.isArray(raw)) known.set(raw, map);
  map.key = compileMember('key', schema.getKeySchema(), true, known);
  map.value = compileMember('value', value, false, known);
  return map;
}

function compileMember(
  name: string,
  schema: NormalizedSchema,
  required: boolean,
  known: Map<unknown, Shape>,
): Member {
  const own: Traits = schema.getMemberTraits();
  const merged: Traits = schema.getMergedTraits();
  return {
    name,
    shape: compileShape(schema, known),
    required,
    sensitive: Boolean(merged['sensitive']),
    place: placeOf(merged),
    jsonName: text(merged, 'jsonName') ?? name,
    xmlName: text(own, 'xmlName'),
    xmlFlattened: Boolean(merged['xmlFlattened']),
    xmlAttribute: Boolean(merged['xmlAttribute']),
    xmlNamespace: namespaceOf(merged),
    eventPayload: Boolean(merged['eventPayload']),
    eventHeader: Boolean(merged['eventHeader']),
  };
}

function placeOf(traits: Traits): HttpPlace {
  if (traits['httpLabel']) return { in: 'label' };
  if (traits['httpPayload']) return { in: 'payload' };
  if (traits['httpResponseCode']) return { in: 'status' };
  if (traits['httpQueryParams']) return { in: 'queryMap' };
  const query = text(traits, 'httpQuery');
  if (query !== undefined) return { in: 'query', name: query };
  const header = text(traits, 'httpHeader');
  if (header !== undefined) return { in: 'header', name: header.toLowerCase() };
  const prefix = text(traits, 'httpPrefixHeaders');
  if (prefix !== undefined) return { in: 'prefixHeaders', prefix: prefix.toLowerCase() };
  return { in: 'body' };
}

function namespaceOf(traits: Traits): XmlNamespace | undefined {
  const value = traits['xmlNamespace'] as [string, string] | undefined;
  return value && { prefix: value[0], uri: value[1] };
}

function text(traits: Traits, name: string): string | undefined {
  const value = traits[name];
  return typeof value === 'string' ? value : undefined;
}
