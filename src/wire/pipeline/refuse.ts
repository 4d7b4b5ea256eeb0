import { AwsFault, DiskFullError, limits, OverloadError, type Logger } from '../../kernel/index.ts';
import type { Answer } from '../http/index.ts';
import { encodeFault, route, unrouted, type RoutedOperation } from '../protocol/index.ts';
import { claimedCredential } from '../sigv4/index.ts';
import type { Pipeline, Progress } from './progress.ts';

/**
 * Answers a request that failed, after recording that it did. A failure of the program itself is logged with its cause
 * and answered without it. Never rejects.
 */
export async function refuse<Change>(
  pipeline: Pipeline<Change>,
  progress: Progress,
  error: unknown,
): Promise<Answer> {
  const { log } = pipeline;
  const { requestId } = progress.request;
  try {
    let fault = faultOf(error, progress, log);
    await describe(pipeline, progress);
    if (!progress.recorded) {
      progress.recorded = true;
      try {
        await record(pipeline, progress, fault);
      } catch (unrecorded) {
        fault = faultOf(unrecorded, progress, log);
      }
    }
    progress.errorCode = fault.code;
    const target = progress.target ?? (await describe(pipeline, progress));
    return encodeFault(target, fault, requestId);
  } catch (broken) {
    log.error({ err: broken, requestId }, 'an error could not be answered in the form of its service');
    progress.errorCode = 'InternalFailure';
    return {
      status: 500,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
      body: JSON.stringify({ __type: 'InternalFailure', message: internalMessage }),
    };
  }
}

const internalMessage =
  'The request processing has failed because of an unknown error, exception or failure.';

/** What the caller is told. */
function faultOf(error: unknown, progress: Progress, log: Logger): AwsFault {
  if (error instanceof AwsFault) return error;
  const about = {
    err: error,
    requestId: progress.request.requestId,
    service: progress.service?.name,
    operation: progress.operationName,
  };
  if (error instanceof OverloadError) {
    log.warn(about, 'a request was refused because too much is being worked on');
    return progress.dialect === 's3'
      ? new AwsFault('SlowDown', 'Please reduce your request rate.', { status: 503 })
      : new AwsFault('ServiceUnavailable', 'Too many requests are being worked on; try again after a pause.');
  }
  if (error instanceof DiskFullError) {
    log.error(about, 'a request was refused because the disk is full');
    return new AwsFault(
      'ServiceUnavailable',
      'The disk is full; nothing was changed. Make room and try again.',
    );
  }
  log.error(about, 'a request failed because of a mistake of the program');
  return new AwsFault('InternalFailure', internalMessage, { status: 500 });
}

/** Finds out as much as the head tells of a request that did not come as far as being routed. */
async function describe<Change>(
  pipeline: Pipeline<Change>,
  progress: Progress,
): Promise<NonNullable<Progress['target']>> {
  if (progress.target) return progress.target;
  const { claimed, signingName } = progress;
  progress.target = await unrouted(pipeline.services, claimed, signingName);
  progress.service ??= progress.target.service?.description;
  if (progress.operationName === undefined && signingName !== undefined) {
    const routed = await claimedOperation(pipeline, progress);
    progress.operationName = routed?.operationName;
    progress.service ??= routed?.service.description;
  }
  return progress.target;
}

/**
 * The operation that a request asks for whose caller is not known: its name belongs in the record of the attempt. A
 * body is looked at for that only where it is small and has not begun to flow elsewhere.
 */
async function claimedOperation<Change>(
  { services }: Pipeline<Change>,
  { claimed, signingName, body }: Progress,
): Promise<RoutedOperation | undefined> {
  try {
    return await route(
      services,
      claimed,
      signingName,
      async () => (await body.peek(limits.unsignedBodyBytes)) ?? new Uint8Array(),
    );
  } catch {
    return undefined;
  }
}

function record<Change>(pipeline: Pipeline<Change>, progress: Progress, fault: AwsFault): Promise<void> {
  const { request, call } = progress;
  const claimed = claimedCredential(request.signed);
  return pipeline.recordRejected({
    service: progress.service,
    operationName: progress.operationName,
    call,
    claimedAccessKeyId: call ? undefined : claimed.accessKeyId,
    requestId: request.requestId,
    time: request.time,
    region: call?.region ?? claimed.region ?? 'us-east-1',
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    host: request.host,
    tls: request.tls,
    error: { code: fault.code, message: fault.message },
  });
}
