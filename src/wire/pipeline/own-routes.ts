import { AwsFault } from '../../kernel/index.ts';
import type { HttpRoute, RouteAnswer, RouteRequest } from '../endpoint.ts';
import type { Answer } from '../http/index.ts';
import type { Call, Operation, ServiceDescription } from '../service.ts';

/** Cairn's own paths, as a service: who calls them is authenticated, authorised and recorded as for any other. */
export const cairnService: ServiceDescription = {
  name: 'cairn',
  eventSource: 'cairn',
  signingName: 'cairn',
  iamPrefix: 'cairn',
  apiVersion: '2026-11-22',
  protocols: ['restJson1'],
  load: () => Promise.resolve({}),
};

/**
 * Whether a path is Cairn's own. A bucket named `console` stays reachable: a request that is signed for another
 * service is that service's.
 */
export function isOwnPath(path: string, signingName: string | undefined): boolean {
  if (path.startsWith('/_cairn/')) return true;
  const console = path === '/console' || path.startsWith('/console/');
  return console && (signingName === undefined || signingName === cairnService.signingName);
}

/** The route of a path; GET routes answer HEAD too. Throws AwsFault: ResourceNotFoundException, MethodNotAllowed. */
export function findRoute<Change>(
  routes: readonly HttpRoute<Change>[],
  method: string,
  path: string,
): HttpRoute<Change> {
  const candidates = routes.filter((route) => covers(route.path, path));
  const longest = Math.max(0, ...candidates.map((route) => route.path.length));
  const nearest = candidates.filter((route) => route.path === path || route.path.length === longest);
  const asked = method === 'HEAD' ? 'GET' : method;
  const found =
    nearest.find((route) => route.method === asked && route.path === path) ??
    nearest.find((route) => route.method === asked);
  if (found) return found;
  if (candidates.length > 0) {
    const allowed = [...new Set(candidates.map((route) => route.method))].join(', ');
    throw new AwsFault('MethodNotAllowedException', `This path takes ${allowed}.`, { status: 405 });
  }
  throw new AwsFault('ResourceNotFoundException', 'There is nothing at this path.', { status: 404 });
}

function covers(routePath: string, path: string): boolean {
  return routePath.endsWith('/*') ? path.startsWith(routePath.slice(0, -1)) : path === routePath;
}

/** The query parameters as a record shows them: a value, or a list of them where one is given several times. */
function parameters(query: URLSearchParams): Readonly<Record<string, string | string[]>> | null {
  const shown: Record<string, string | string[]> = {};
  for (const [name, pairs] of Map.groupBy(query, ([key]) => key)) {
    const values = pairs.map(([, text]) => text);
    const [only = ''] = values;
    Object.defineProperty(shown, name, { value: values.length === 1 ? only : values, enumerable: true });
  }
  return Object.keys(shown).length === 0 ? null : shown;
}

/** A signed route as an operation of the `cairn` service. Its output is `{ answer }`. */
export function routeOperation<Change>(
  route: HttpRoute<Change>,
  request: Omit<RouteRequest, 'call'>,
): Operation<Change> {
  let ran = false;
  return {
    access: route.access,
    needs: () => [{ action: `${cairnService.iamPrefix}:${route.operationName}`, resource: '*' }],
    recorded: (_input, output?: { readonly answer: RouteAnswer }) => ({
      requestParameters: parameters(request.query),
      responseElements: output?.answer.recorded ?? null,
    }),
    async handle(_input, call: Call, change) {
      if (ran) {
        throw new AwsFault(
          'ConflictException',
          'Other calls changed the same resources while this one was being made; nothing was changed. Try again.',
          { status: 409 },
        );
      }
      ran = true;
      return { answer: await route.handle({ ...request, call }, change) };
    },
  };
}

/** Puts a route's answer into the form of all others. */
export function encodeRouteAnswer(answer: RouteAnswer, requestId: string): Answer {
  const headers: Record<string, string> = { 'x-amzn-requestid': requestId };
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = value;
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    headers['content-length'] ??= String(Buffer.byteLength(body));
  }
  return { status: answer.status, headers, body };
}
