import { openJournal, type Stream } from '../src/journal/index.ts';
import {
  accountId,
  AwsFault,
  manualClock,
  region,
  seededRandom,
  silentLog,
  type AccountId,
} from '../src/kernel/index.ts';
import { openMemoryState, type Change, type State } from '../src/state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../src/store/memory/index.ts';
import { classify } from '../src/wire/index.ts';
import { openTrail, type Trail, type TrailOptions } from '../src/trail/index.ts';
import { openReferenceHistory } from '../src/trail/history/reference-history.ts';
import type { History } from '../src/trail/history/index.ts';
import type {
  Call,
  DecodedCall,
  HttpRoute,
  Operation,
  Principal,
  RouteAnswer,
  ServiceDescription,
} from '../src/wire/index.ts';

/** Parts for tests of the trail: everything real and in memory, time by hand, authorisation by a list of denials. */

export const managementAccount = accountId('000000000000');
export const otherAccount = accountId('111111111111');
export const startMs = Date.UTC(2026, 10, 22, 10, 0, 0);

export function serviceNamed(name: string, over: Partial<ServiceDescription> = {}): ServiceDescription {
  return {
    name,
    eventSource: `${name}.amazonaws.com`,
    signingName: name,
    iamPrefix: name,
    apiVersion: '2026-01-01',
    protocols: ['awsJson1_1'],
    load: () => Promise.resolve({}),
    ...over,
  };
}

export function rootOf(account: AccountId): Principal {
  const arn = `arn:aws:iam::${account}:root`;
  return { type: 'Root', accountId: account, arn, accessKeyId: 'AKIAROOT000000000001' };
}

export function callBy(principal: Principal, over: Partial<Call> = {}): Call {
  return {
    principal,
    accountId: principal.accountId,
    region: region('eu-central-1'),
    time: startMs,
    requestId: 'request-1',
    sourceIp: '192.0.2.7',
    userAgent: 'aws-cli/2.9.19',
    tls: undefined,
    host: '127.0.0.1:4747',
    ...over,
  };
}

export interface TrailFixture extends AsyncDisposable {
  readonly clock: ReturnType<typeof manualClock>;
  readonly stream: Stream;
  readonly state: State;
  readonly history: History;
  readonly trail: Trail;
  /** Actions that are denied. */
  readonly denied: Set<string>;
  /** The records in the journal, parsed. */
  records(): Promise<readonly Record<string, unknown>[]>;
  perform(
    operation: Operation<Change> | undefined,
    over?: Partial<DecodedCall<Change>>,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Calls a route as the pipeline does: performed and recorded, with its change. */
  route(
    method: 'GET' | 'POST',
    pathAndQuery: string,
    over?: { body?: Uint8Array; call?: Call; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<RouteAnswer>;
}

async function* chunks(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const cairn = serviceNamed('cairn', { eventSource: 'cairn' });

/** Wraps a route as an operation of the service `cairn`. */
function routeOperation(
  route: HttpRoute<Change>,
  query: URLSearchParams,
  over: { body?: Uint8Array; headers?: Record<string, string>; signal?: AbortSignal },
): Operation<Change> {
  return {
    access: route.access,
    recorded: (_, output: RouteAnswer | undefined) => ({
      requestParameters: Object.fromEntries(query),
      responseElements: output?.recorded ?? null,
    }),
    handle: (_, call, change) =>
      route.handle(
        {
          path: route.path,
          query,
          headers: over.headers ?? {},
          body: chunks(over.body ?? new Uint8Array()),
          call,
          signal: over.signal ?? new AbortController().signal,
        },
        change,
      ),
  };
}

/** Hands an operation that decodes its input what the wire would have decoded. */
async function decodeBy(
  operation: Operation<Change>,
  input: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<Readonly<Record<string, unknown>>> {
  const request = { method: 'POST', path: '/', query: '', headers: {}, host: call.host };
  const encoded = { signingName: 'none', request, body: new Uint8Array() };
  const undecoded = { encoded, decode: () => input, claim: () => undefined };
  return (await operation.decode?.(undecoded, call)) as Record<string, unknown>;
}

/** Opens a whole trail in memory. `wrap` may put something around the journal's stream that recording gets. */
export async function openTrailFixture(
  over: Partial<TrailOptions> & { readonly wrap?: (stream: Stream) => Stream } = {},
): Promise<TrailFixture> {
  const clock = manualClock(startMs);
  const log = silentLog;
  await using opening = new AsyncDisposableStack();
  const journal = opening.use(
    await openJournal({
      openLog: () => openMemoryLog(),
      openCursors: () => openMemoryCursors(),
      clock,
      log,
    }),
  );
  const real = journal.stream('audit');
  const stream = over.wrap ? over.wrap(real) : real;
  const state = opening.use(await openMemoryState({ stream, clock, log }));
  const history = opening.use(openReferenceHistory({ clock, log }));
  const denied = new Set<string>();
  const trail = opening.use(
    await openTrail({
      state,
      stream,
      history,
      authorise(_, needs) {
        const no = needs.find(({ action }) => denied.has(action));
        if (no)
          throw new AwsFault('AccessDenied', `not authorized to perform: ${no.action}`, { status: 403 });
        return Promise.resolve();
      },
      clock,
      random: seededRandom(1),
      log,
      managementAccountId: managementAccount,
      retentionDays: undefined,
      show: (_service, _operation, _side, value) => value,
      classify,
      ...over,
    }),
  );
  const opened = opening.move();
  const fixture: TrailFixture = {
    clock,
    stream,
    state,
    history,
    trail,
    denied,
    async records() {
      const found: Record<string, unknown>[] = [];
      for await (const { entries } of stream.read(stream.start)) {
        for (const { kind, payload } of entries) {
          if (kind !== 'change')
            found.push(JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>);
        }
      }
      return found;
    },
    async perform(operation, decoded = {}) {
      const { input = {}, call = callBy(rootOf(managementAccount)) } = decoded;
      return trail.perform({
        service: serviceNamed('iam'),
        operationName: 'CreateUser',
        operation,
        ...decoded,
        call,
        input: operation?.decode ? await decodeBy(operation, input, call) : input,
      });
    },
    async route(method, pathAndQuery, options = {}) {
      const url = new URL(pathAndQuery, 'http://localhost');
      const route = trail.routes.find((one) => one.method === method && one.path === url.pathname);
      if (!route) throw new Error(`no route ${method} ${url.pathname}`);
      const answer = await trail.perform({
        service: cairn,
        operationName: route.operationName,
        operation: routeOperation(route, url.searchParams, options),
        input: {},
        call: options.call ?? callBy(rootOf(managementAccount)),
      });
      return answer as unknown as RouteAnswer;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}

/** The whole body of an answer. */
export async function bodyOf({ body }: RouteAnswer): Promise<Buffer> {
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
