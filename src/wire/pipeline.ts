import { limits, OverloadError } from '../kernel/index.ts';
import type { RouteAnswer } from './endpoint.ts';
import { openBodyMemory, type Answer, type HandledRequest, type ReceivedRequest } from './http/index.ts';
import { authenticate, checkService, visibleHeaders, type Authenticated } from './pipeline/authenticate.ts';
import {
  cairnService,
  encodeRouteAnswer,
  findRoute,
  isOwnPath,
  routeOperation,
} from './pipeline/own-routes.ts';
import { answerInTime } from './pipeline/patience.ts';
import type { Pipeline, PipelineOptions, Progress } from './pipeline/progress.ts';
import { refuse } from './pipeline/refuse.ts';
import { claim, decodeContent, openRawBody, openUnprovenBodies } from './pipeline/request-body.ts';
import { requireChecksum } from './pipeline/required-checksum.ts';
import { refuseUnsigned } from './pipeline/unsigned.ts';
import { decodeValid, encodeOutput, route, type RoutedOperation } from './protocol/index.ts';
import type { Operation } from './service.ts';
import { claimedCredential, dialectOf, missingToken, normalisePath, openSigningKeys } from './sigv4/index.ts';

/** Answers a request; whatever is wrong with it. */
export type HandleRequest = (request: ReceivedRequest) => Promise<HandledRequest>;

/**
 * Opens the pipeline: receive → authenticate → route → decode → validate → authorise → audit and handle → encode.
 * Authorising, auditing and handling are one step here, `perform`, because they share one transaction.
 */
export function openPipeline<Change>(options: PipelineOptions<Change>): HandleRequest {
  const { clock } = options;
  const bounds = options.bounds ?? limits;
  const memory = openBodyMemory(bounds.requestBytesInFlight);
  const pipeline: Pipeline<Change> = {
    ...options,
    memory,
    // Half of the room stays for those who have proven who they are.
    unproven: openUnprovenBodies(Math.floor(bounds.requestsInFlight / 2)),
    keys: openSigningKeys(limits.signingKeys),
  };
  let inFlight = 0;
  return async (request) => {
    const started = clock.monotonic();
    const progress = receive(pipeline, request);
    inFlight++;
    const answer = await answerRequest(pipeline, progress, inFlight > bounds.requestsInFlight).catch(
      (error: unknown) => refuse(pipeline, progress, error),
    );
    const sent = () => {
      inFlight--;
      progress.body[Symbol.dispose]();
      options.onRequest?.({
        service: progress.service?.name ?? '-',
        operation: progress.operationName ?? '-',
        status: answer.status,
        errorCode: progress.errorCode,
        durationMs: clock.monotonic() - started,
      });
    };
    return { answer, sent };
  };
}

function receive<Change>(pipeline: Pipeline<Change>, request: ReceivedRequest): Progress {
  const { signed, headers, host } = request;
  const signingName = claimedCredential(signed).service;
  const dialect = dialectOf(signingName);
  const path = dialect === 's3' ? signed.path : normalisePath(signed.path);
  return {
    request,
    claimed: { method: signed.method, path, query: signed.query, headers: visibleHeaders(headers), host },
    body: openRawBody(request, dialect, pipeline),
    signingName,
    dialect,
    call: undefined,
    service: undefined,
    operationName: undefined,
    target: undefined,
    recorded: false,
    errorCode: undefined,
  };
}

async function answerRequest<Change>(
  pipeline: Pipeline<Change>,
  progress: Progress,
  overloaded: boolean,
): Promise<Answer> {
  if (isOwnPath(progress.claimed.path, progress.signingName))
    return answerRoute(pipeline, progress, overloaded);
  if (overloaded) throw overload(progress);
  const caller = (await authenticateCaller(pipeline, progress)) ?? (await refuseUnsigned(pipeline, progress));
  const routed = await routeCall(pipeline, progress, caller);
  const operation = presentOperation(pipeline, routed);
  const input = await decodeAndValidate(progress, caller, routed, operation);
  progress.recorded = true;
  const perform = async (): Promise<Answer> => {
    const output = await pipeline.perform({
      service: routed.service.description,
      operationName: routed.operationName,
      operation,
      input,
      call: caller.call,
    });
    return encodeOutput(routed, output, progress.request.requestId);
  };
  if (!operation?.takesLong) return perform();
  const answered = perform().catch((error: unknown) => refuse(pipeline, progress, error));
  return answerInTime(answered, pipeline.clock);
}

/** Nothing of the request has been looked at, so there is nothing to record. */
function overload(progress: Progress): OverloadError {
  progress.recorded = true;
  return new OverloadError('too many requests are being worked on at once');
}

async function authenticateCaller<Change>(
  pipeline: Pipeline<Change>,
  progress: Progress,
): Promise<Authenticated | undefined> {
  const { clock, keys, findCredential } = pipeline;
  const { request, body, dialect, claimed } = progress;
  const caller = await authenticate(request, body, {
    seen: claimed,
    dialect,
    now: clock.now(),
    keys,
    findCredential,
  });
  progress.call = caller?.call;
  return caller;
}

async function routeCall<Change>(
  { services }: Pipeline<Change>,
  progress: Progress,
  caller: Authenticated,
): Promise<RoutedOperation> {
  const { wire, signingName } = caller;
  const readForm = async () =>
    decodeContent(await caller.whole(), wire.headers['content-encoding'], progress.body.memory);
  const routed = await route(services, wire, signingName, readForm);
  progress.target = routed;
  progress.service = routed.service.description;
  progress.operationName = routed.operationName;
  checkService(caller, routed.service.description.signingName, progress.dialect);
  return routed;
}

/** For S3 the content encoding is a property of the object, and nothing to be undone. */
async function decodeAndValidate<Change>(
  { dialect, body: raw }: Progress,
  caller: Authenticated,
  routed: RoutedOperation,
  operation: Operation<Change> | undefined,
): Promise<Record<string, unknown>> {
  const { wire, signingName } = caller;
  if (dialect === 's3') requireChecksum(routed.operationName, wire);
  if (routed.streamingInput) return decodeValid(routed, wire, caller.stream());
  const bytes = await caller.whole();
  const encoding = dialect === 's3' || routed.form ? undefined : wire.headers['content-encoding'];
  const body = await decodeContent(bytes, encoding, raw.memory);
  const decode = () => decodeValid(routed, wire, body);
  if (!operation?.decode) return decode();
  const encoded = { signingName, request: wire, body };
  return operation.decode(
    { encoded, decode, claim: (size) => claim(raw.memory, size) },
    caller.call,
  ) as Promise<Record<string, unknown>>;
}

function presentOperation<Change>(
  { operations }: Pipeline<Change>,
  { service, operationName }: RoutedOperation,
): Operation<Change> | undefined {
  const { name } = service.description;
  const present = Object.hasOwn(operations, name) ? operations[name] : undefined;
  return present && Object.hasOwn(present, operationName) ? present[operationName] : undefined;
}

/** A path of Cairn's own. Those without a signature are answered even when there is no room for other requests. */
async function answerRoute<Change>(
  pipeline: Pipeline<Change>,
  progress: Progress,
  overloaded: boolean,
): Promise<Answer> {
  const { request, claimed, body } = progress;
  progress.target = { service: undefined, protocol: 'restJson1', queryMode: false, method: claimed.method };
  progress.service = cairnService;
  progress.recorded = true;
  const found = findRoute(pipeline.routes, claimed.method, claimed.path);
  progress.operationName = found.operationName;
  const seen = { path: claimed.path, headers: claimed.headers, signal: request.signal };
  if (found.unsigned) {
    const query = new URLSearchParams(claimed.query);
    const asked = { ...seen, query, body: body.stream(), call: undefined };
    const answer = await found.handle(asked, undefined as Change);
    return encodeRouteAnswer(answer, request.requestId);
  }
  if (overloaded) throw overload(progress);
  progress.recorded = false;
  const caller = await authenticateCaller(pipeline, progress);
  if (!caller) throw missingToken(progress.dialect);
  checkService(caller, cairnService.signingName, progress.dialect);
  const query = new URLSearchParams(caller.wire.query);
  const operation = routeOperation(found, {
    ...seen,
    headers: caller.wire.headers,
    query,
    body: caller.stream(),
  });
  progress.recorded = true;
  const output = await pipeline.perform({
    service: cairnService,
    operationName: found.operationName,
    operation,
    input: {},
    call: caller.call,
  });
  return encodeRouteAnswer(output['answer'] as RouteAnswer, request.requestId);
}
