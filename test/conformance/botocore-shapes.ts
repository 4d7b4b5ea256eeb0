/**
 * Turns the shapes of the outside protocol cases, which are written in botocore's form of a model, into schemas in the
 * form of the SDK's clients, so that the cases run through the same compiler as the services do.
 */
export interface CaseShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, CaseMember>>;
  readonly member?: CaseMember;
  readonly key?: CaseMember;
  readonly value?: CaseMember;
  readonly required?: readonly string[];
  readonly payload?: string;
  readonly flattened?: boolean;
  readonly locationName?: string;
  readonly timestampFormat?: string;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: {
    readonly code?: string;
    readonly httpStatusCode?: number;
    readonly senderFault?: boolean;
  };
  readonly union?: boolean;
  readonly sparse?: boolean;
  readonly document?: boolean;
  readonly streaming?: boolean;
}

export interface CaseMember extends Omit<Partial<CaseShape>, 'member' | 'members' | 'locationName'> {
  readonly shape: string;
  readonly location?: string;
  readonly locationName?: string | undefined;
  readonly xmlAttribute?: boolean;
  readonly jsonvalue?: boolean;
  readonly idempotencyToken?: boolean;
}

export interface CaseOperation {
  readonly name: string;
  readonly http?: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: CaseMember;
  readonly output?: CaseMember;
  readonly errors?: readonly CaseMember[];
}

const namespace = 'aws.protocoltests';
const scalars: Readonly<Record<string, number>> = {
  string: 0,
  character: 0,
  boolean: 2,
  integer: 1,
  long: 1,
  float: 1,
  double: 1,
  blob: 21,
  timestamp: 4,
};
const timestampFormats: Readonly<Record<string, number>> = { iso8601: 5, rfc822: 6, unixTimestamp: 7 };

type Shapes = Readonly<Record<string, CaseShape>>;
type Schema = unknown;

/** Schemas by the names of the shapes; recursive shapes refer to one another by functions. */
function openSchemas(shapes: Shapes, names: 'jsonName' | 'xmlName'): { schema(name: string): Schema } {
  const known = new Map<string, Schema>();
  const schema = (name: string): Schema => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const shape = shapes[name]!;
    const made = make(name, shape);
    known.set(name, made);
    if (Array.isArray(made)) fill(shape, made);
    return made;
  };

  const fill = (shape: CaseShape, made: unknown[]): void => {
    if (shape.type === 'list') made[4] = member(shape.member!, false);
    else if (shape.type === 'map') {
      made[4] = member(shape.key!, false);
      made[5] = member(shape.value!, false);
    } else {
      const required = shape.required ?? [];
      const ordered = Object.entries(shape.members ?? {}).toSorted(
        ([one], [other]) => Number(required.includes(other)) - Number(required.includes(one)),
      );
      made[4] = ordered.map(([name]) => name);
      made[5] = ordered.map(([name, value]) => {
        // Payloads carry their own member's name there, which says nothing about the root element.
        const payload = shape.payload === name;
        return member(
          payload && value.locationName === name ? { ...value, locationName: undefined } : value,
          payload,
        );
      });
      made[6] = required.length;
    }
  };

  const member = (given: CaseMember, payload: boolean): Schema => {
    const target = shapes[given.shape]!;
    const own = timestampFormats[given.timestampFormat ?? ''];
    const inner = own ?? (target.type === 'blob' && given.streaming ? 42 : () => schema(given.shape));
    return [inner, memberTraits(given, target, payload)];
  };

  const memberTraits = (given: CaseMember, target: CaseShape, payload: boolean): Record<string, unknown> => ({
    ...ownTraits(given),
    ...place(given, target, payload),
    ...(given.xmlAttribute ? { xmlAttribute: 1 } : {}),
    ...(given.jsonvalue ? { mediaType: 'application/json' } : {}),
    ...(given.locationName !== undefined && given.location === undefined
      ? { [names]: given.locationName }
      : {}),
  });

  return { schema };
}

function make(name: string, shape: CaseShape): Schema {
  switch (shape.type) {
    case 'structure':
      if (shape.document) return 15;
      return [shape.exception ? -3 : shape.union ? 4 : 3, namespace, name, ownTraits(shape), [], [], 0];
    case 'list':
      return [1, namespace, name, ownTraits(shape), undefined];
    case 'map':
      return [2, namespace, name, ownTraits(shape), undefined, undefined];
    case 'timestamp':
      return timestampFormats[shape.timestampFormat ?? ''] ?? 4;
    default: {
      const scalar = scalars[shape.type];
      if (scalar === undefined) throw new Error(`the type ${shape.type} is not known`);
      return scalar === 21 && shape.streaming ? 42 : scalar;
    }
  }
}

function ownTraits(shape: Partial<CaseShape> | CaseMember): Record<string, unknown> {
  const xml = typeof shape.xmlNamespace === 'string' ? { uri: shape.xmlNamespace } : shape.xmlNamespace;
  return {
    ...(shape.flattened ? { xmlFlattened: 1 } : {}),
    ...(shape.sparse ? { sparse: 1 } : {}),
    ...(xml ? { xmlNamespace: [xml.prefix ?? '', xml.uri] } : {}),
    ...(shape.type === 'structure' && shape.locationName !== undefined
      ? { xmlName: shape.locationName }
      : {}),
    ...(shape.exception ? { error: shape.fault ? 'server' : 'client' } : {}),
    // With a code of the query protocol, the status is that protocol's alone.
    ...(shape.error?.httpStatusCode === undefined || shape.error.code !== undefined
      ? {}
      : { httpError: shape.error.httpStatusCode }),
    ...(shape.error?.code === undefined
      ? {}
      : { awsQueryError: [shape.error.code, shape.error.httpStatusCode ?? 400] }),
  };
}

function place(given: CaseMember, target: CaseShape, payload: boolean): Record<string, unknown> {
  switch (given.location) {
    case 'header':
      return { httpHeader: given.locationName };
    case 'headers':
      return { httpPrefixHeaders: given.locationName ?? '' };
    case 'querystring':
      return target.type === 'map' ? { httpQueryParams: 1 } : { httpQuery: given.locationName };
    case 'uri':
      return { httpLabel: 1 };
    case 'statusCode':
      return { httpResponseCode: 1 };
    case undefined:
    default:
      return payload ? { httpPayload: 1 } : {};
  }
}

/** The exports that an SDK package of the case's service would have. */
export function caseExports(
  operation: CaseOperation,
  shapes: Shapes,
  names: 'jsonName' | 'xmlName',
): Record<string, unknown> {
  const schemas = openSchemas(shapes, names);
  const { http } = operation;
  const traits = http ? { http: [http.method, template(http.requestUri), http.responseCode ?? 200] } : 0;
  const named = (given: CaseMember | undefined): unknown =>
    given ? () => schemas.schema(given.shape) : 'unit';
  const exports: Record<string, unknown> = {
    [`${operation.name}$`]: [
      9,
      namespace,
      operation.name,
      traits,
      named(operation.input),
      named(operation.output),
    ],
  };
  for (const error of operation.errors ?? []) exports[`${error.shape}$`] = schemas.schema(error.shape);
  return exports;
}

function template(uri: string): string {
  return uri === '' ? '/' : uri;
}
