/**
 * What a value looks like: the run-time schemas of the SDK clients, compiled once into plain objects that readers,
 * writers and checks walk. Shapes may be recursive.
 */
export type Shape = StructureShape | ListShape | MapShape | ScalarShape | UnitShape;

export interface StructureShape {
  readonly kind: 'structure';
  /** Name in the model, such as `LookupEventsRequest`. */
  readonly name: string;
  readonly namespace: string;
  /** Exactly one member is set. */
  readonly union: boolean;
  /** Set for errors: who is to blame. */
  readonly fault: 'client' | 'server' | undefined;
  /** Code and HTTP status that awsQuery answers for this error, where the model says other than the shape's name. */
  readonly queryError: { readonly code: string; readonly status: number } | undefined;
  /** HTTP status that REST protocols answer for this error. */
  readonly status: number | undefined;
  readonly xmlName: string | undefined;
  readonly xmlNamespace: XmlNamespace | undefined;
  /** In the order of the model. */
  readonly members: readonly Member[];
  readonly byName: ReadonlyMap<string, Member>;
}

export interface ListShape {
  readonly kind: 'list';
  readonly name: string;
  readonly sparse: boolean;
  readonly element: Member;
}

export interface MapShape {
  readonly kind: 'map';
  readonly name: string;
  readonly sparse: boolean;
  readonly key: Member;
  readonly value: Member;
}

export type ScalarShape =
  | { readonly kind: 'string'; readonly name: string; readonly mediaType: string | undefined }
  | { readonly kind: 'boolean' | 'number' | 'bigInteger' | 'bigDecimal' | 'document'; readonly name: string }
  | {
      readonly kind: 'blob';
      readonly name: string;
      readonly streaming: boolean;
      readonly mediaType: string | undefined;
    }
  | { readonly kind: 'timestamp'; readonly name: string; readonly format: TimestampFormat | undefined };

/** An input or output without members. */
export interface UnitShape {
  readonly kind: 'unit';
  readonly name: 'Unit';
}

export type TimestampFormat = 'dateTime' | 'httpDate' | 'epochSeconds';

export interface XmlNamespace {
  readonly prefix: string;
  readonly uri: string;
}

/** Where a member of a REST input or output stands in the HTTP message; `body` unless the model says otherwise. */
export type HttpPlace =
  | { readonly in: 'body' }
  | { readonly in: 'label' }
  | { readonly in: 'query'; readonly name: string }
  | { readonly in: 'queryMap' }
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'prefixHeaders'; readonly prefix: string }
  | { readonly in: 'payload' }
  | { readonly in: 'status' };

/** A member of a structure, the element of a list, the key or value of a map. */
export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly sensitive: boolean;
  readonly place: HttpPlace;
  readonly jsonName: string;
  /** Set only where the model says so. */
  readonly xmlName: string | undefined;
  readonly xmlFlattened: boolean;
  readonly xmlAttribute: boolean;
  readonly xmlNamespace: XmlNamespace | undefined;
  readonly eventPayload: boolean;
  readonly eventHeader: boolean;
}

/** One operation of the model. */
export interface OperationShape {
  readonly name: string;
  readonly namespace: string;
  readonly input: StructureShape | UnitShape;
  readonly output: StructureShape | UnitShape;
  /** Present in REST services. `path` is the model's template, such as `/2015-03-31/functions/{FunctionName}`. */
  readonly http: { readonly method: string; readonly path: string; readonly status: number } | undefined;
  /** The input has a blob that is handed over as a stream. */
  readonly streamingInput: boolean;
  /** The output has a blob that the operation may give as a stream. */
  readonly streamingOutput: boolean;
  /** Name of the member of the input or output that is an event stream. */
  readonly inputEvents: string | undefined;
  readonly outputEvents: string | undefined;
}

/** A service's model, indexed. */
export interface ServiceSchema {
  readonly operations: ReadonlyMap<string, OperationShape>;
  readonly structures: ReadonlyMap<string, StructureShape>;
  /** Errors by the name of their shape. */
  readonly errors: ReadonlyMap<string, StructureShape>;
}

/** Whether values of the shape have no parts. */
export function isScalar(shape: Shape): shape is ScalarShape {
  return shape.kind !== 'structure' && shape.kind !== 'list' && shape.kind !== 'map' && shape.kind !== 'unit';
}
