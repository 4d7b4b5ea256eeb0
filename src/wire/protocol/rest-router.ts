import { AwsFault } from '../../kernel/index.ts';
import { membersOf, type Member, type OperationShape } from '../schema/index.ts';
import type { LoadedService } from '../services.ts';
import type { WireRequest } from './protocol-types.ts';
import { parseQuery, type Query } from './query-string.ts';
import { bucketOfHost } from './s3-host.ts';
import { decodePercent } from './text.ts';

/** A part of a path between slashes, as the model's template has it. */
type Segment = { readonly literal: string } | { readonly label: string; readonly greedy: boolean };

interface Route {
  readonly operation: OperationShape;
  readonly method: string;
  readonly segments: readonly Segment[];
  /** The segment that takes as many parts as there are; -1 where none does. */
  readonly greedyAt: number;
  /** Query parameters that must be there; with a value, that value. */
  readonly literals: readonly (readonly [string, string | undefined])[];
  /** Required members in the query or the headers: they tell UploadPart from PutObject, and PutObject from CopyObject. */
  readonly required: readonly Member[];
  readonly fixedSegments: number;
}

/** What a REST request asks for. */
export interface RestMatch {
  readonly operation: OperationShape;
  readonly labels: Readonly<Record<string, string>>;
}

const routesOf = new WeakMap<LoadedService, readonly Route[]>();

/**
 * Finds the operation of a REST request by method, path, query and headers. `x-id`, which newer clients add, is taken
 * as a hint between operations that nothing else tells apart (ListBuckets and ListDirectoryBuckets), because AWS does
 * not ask for it. Throws MethodNotAllowed or UnknownOperationException, InvalidURI for broken percent-encoding.
 */
export function routeRest(service: LoadedService, request: WireRequest): RestMatch {
  let routes = routesOf.get(service);
  if (!routes) {
    routes = compileRoutes(service);
    routesOf.set(service, routes);
  }
  const query = parseQuery(request.query);
  if (!query || !request.path.startsWith('/')) throw invalidUri();
  const s3 = service.description.name === 's3';
  const bucket = s3 ? bucketOfHost(request.host) : undefined;
  const path = bucket === undefined ? request.path : `/${bucket}${request.path}`;
  const raw = path.slice(1).split('/');
  let best: { route: Route; rank: readonly number[] } | undefined;
  let otherMethod = false;
  for (const route of routes) {
    if (!route.literals.every((literal) => hasLiteral(query, literal)) || !fits(route, raw)) continue;
    if (s3 && route.literals.length === 0 && !hasRequiredQuery(route, query)) continue;
    if (route.method !== request.method) {
      otherMethod = true;
      continue;
    }
    const rank = rankOf(route, query, request);
    if (!best || compareRanks(rank, best.rank) > 0) best = { route, rank };
  }
  if (!best) throw unknownOperation(service, request, otherMethod);
  return { operation: best.route.operation, labels: readLabels(best.route, raw) };
}

function compileRoutes(service: LoadedService): readonly Route[] {
  const s3 = service.description.name === 's3';
  return [...service.schema.operations.values()].flatMap((operation) => {
    if (!operation.http) return [];
    const [path = '/', query = ''] = operation.http.path.split('?');
    const members = membersOf(operation.input);
    // S3's templates lack the bucket, because clients may put it into the host name.
    const bucket = s3 && members.some(({ name, place }) => name === 'Bucket' && place.in === 'label');
    const segments = withoutEmptyEnd(
      `${bucket ? '{Bucket}' : ''}${path.slice(bucket ? 0 : 1)}`.split('/'),
    ).map((part) => segmentOf(part));
    const literals = query
      .split('&')
      .filter((pair) => pair !== '' && !pair.startsWith('x-id='))
      .map((pair) => pair.split('=') as [string, string | undefined]);
    return [
      {
        operation,
        method: operation.http.method,
        segments,
        greedyAt: segments.findIndex((segment) => 'greedy' in segment && segment.greedy),
        literals,
        required: members.filter(
          ({ required, place }) => required && (place.in === 'query' || place.in === 'header'),
        ),
        fixedSegments: segments.filter((segment) => 'literal' in segment).length,
      },
    ];
  });
}

function segmentOf(part: string): Segment {
  if (!part.startsWith('{')) return { literal: part };
  const greedy = part.endsWith('+}');
  return { label: part.slice(1, greedy ? -2 : -1), greedy };
}

function withoutEmptyEnd(parts: readonly string[]): readonly string[] {
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

/** The parts of a path that a route looks at: a slash at its end counts where a label takes all that is left. */
function partsFor({ greedyAt }: Route, raw: readonly string[]): readonly string[] {
  return greedyAt === -1 ? withoutEmptyEnd(raw) : raw;
}

/** Where the parts of a segment begin, and where they end. */
function spanOf({ segments, greedyAt }: Route, index: number, count: number): readonly [number, number] {
  const extra = count - segments.length;
  const start = greedyAt !== -1 && index > greedyAt ? index + extra : index;
  return [start, index === greedyAt ? start + extra + 1 : start + 1];
}

function fits(route: Route, raw: readonly string[]): boolean {
  const { segments, greedyAt } = route;
  const parts = partsFor(route, raw);
  if (greedyAt === -1 ? parts.length !== segments.length : parts.length < segments.length) return false;
  return segments.every((segment, index) => {
    const [start, end] = spanOf(route, index, parts.length);
    if ('literal' in segment) return parts[start] === segment.literal;
    return end - start > 1 || parts[start] !== '';
  });
}

function readLabels(route: Route, raw: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  const parts = partsFor(route, raw);
  for (const [index, segment] of route.segments.entries()) {
    if ('literal' in segment) continue;
    const value = decodePercent(parts.slice(...spanOf(route, index, parts.length)).join('/'));
    if (value === undefined) throw invalidUri();
    labels[segment.label] = value;
  }
  return labels;
}

function hasLiteral(query: Query, [name, value]: readonly [string, string | undefined]): boolean {
  const given = query.get(name);
  return given !== undefined && (value === undefined || given.includes(value));
}

/** In S3, `uploadId` is as good as a literal: POST to an object without it is no operation at all. */
function hasRequiredQuery(route: Route, query: Query): boolean {
  return route.required.every(({ place }) => place.in !== 'query' || query.has(place.name));
}

function rankOf(route: Route, query: Query, request: WireRequest): readonly number[] {
  const complete = route.required.every(({ place }) =>
    place.in === 'query'
      ? query.has(place.name)
      : place.in === 'header' && request.headers[place.name] !== undefined,
  );
  const hinted = query.get('x-id')?.includes(route.operation.name) === true;
  return [
    route.fixedSegments,
    route.literals.length,
    complete ? route.required.length : -1,
    hinted ? 1 : 0,
    // Without the hint, the shorter name is the older and more general operation.
    -route.operation.name.length,
  ];
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function unknownOperation(service: LoadedService, request: WireRequest, otherMethod: boolean): AwsFault {
  if (service.description.protocols.includes('restXml') || otherMethod) {
    return new AwsFault('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      status: 405,
    });
  }
  const what = `${request.method.slice(0, 20)} ${request.path.slice(0, 200)}`;
  return new AwsFault(
    'UnknownOperationException',
    `${service.description.name} has no operation at ${what}.`,
    {
      status: 404,
    },
  );
}

function invalidUri(): AwsFault {
  return new AwsFault('InvalidURI', "Couldn't parse the specified URI.", { status: 400 });
}
