import { AwsFault, limits, type Clock, type Logger } from '../../kernel/index.ts';
import type { Call, Undecoded } from '../../wire/index.ts';
import { auditTime } from '../recording/user-identity.ts';
import { movable, openWorkerPool, WorkerDiedError, type WorkerPool } from '../worker-pool.ts';
import {
  prepareInput,
  type EventSender,
  type PrepareJob,
  type PrepareResult,
  type PutAuditEventsInput,
} from './prepare-input.ts';
import type { PutAuditEventsRequest } from './prepared-events.ts';

/** Prepares the events of PutAuditEvents: decodes and checks them, and makes their records. */
export interface EventPreparer extends AsyncDisposable {
  /**
   * Large requests are prepared in worker threads, to which their bodies are moved. Rejects with the faults of decoding
   * and validating, ServiceUnavailable when a thread ended over it, and OverloadError when there is no memory for it.
   */
  prepare(undecoded: Undecoded, call: Call): Promise<PutAuditEventsInput>;
}

export interface EventPreparerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many threads. */
  readonly threads: number;
  /** A thread without work ends after this time. */
  readonly idleMs: number;
  /** Bodies that are smaller are not worth the way to a thread and back. */
  readonly threadBytes: number;
}

export type PreparePool = WorkerPool<PrepareJob, PrepareResult>;

// The published build holds JavaScript beside this file, the repository TypeScript.
const file = new URL(
  import.meta.url.endsWith('.ts') ? './prepare-worker.ts' : './prepare-worker.js',
  import.meta.url,
);

/** About what a record has beside its data and the channel's ARN. */
const recordHeadBytes = 512;

function lostFault(cause: WorkerDiedError): AwsFault {
  const text = 'The request could not be taken apart now; none of its events was taken. Try again later.';
  return new AwsFault('ServiceUnavailable', text, { status: 503, cause });
}

/** Opens the preparer; no thread runs yet. `pool` is for tests. */
export function openEventPreparer(options: EventPreparerOptions, pool?: PreparePool): EventPreparer {
  const { clock, log, threads, idleMs, threadBytes } = options;
  const workers: PreparePool =
    pool ??
    openWorkerPool({
      clock,
      file,
      workerData: undefined,
      threads,
      heapMiB: 512,
      idleMs,
      onLost: (error) =>
        log.error({ err: error }, 'a thread that takes requests of PutAuditEvents apart ended'),
    });

  const prepareInThread = async (
    { encoded, claim }: Undecoded,
    sender: EventSender,
  ): Promise<PutAuditEventsInput> => {
    const heads = limits.putAuditEventsCount * (recordHeadBytes + encoded.request.query.length);
    claim(encoded.body.length + heads);
    const body = movable(encoded.body);
    const result = await workers
      .run({ encoded: { ...encoded, body }, sender }, [body.buffer])
      .catch((error: unknown) => {
        throw error instanceof WorkerDiedError ? lostFault(error) : error;
      });
    if (result.kind === 'prepared') return result.input;
    const { code, message, status } = result;
    throw new AwsFault(code, message, status === undefined ? {} : { status });
  };

  return {
    async prepare(undecoded, { accountId, region }) {
      const sender = { accountId, region, ingestionTime: auditTime(clock.now()) };
      // While no thread has started the work is done here, so that nobody waits for one.
      const inThread = undecoded.encoded.body.length >= threadBytes && workers.ready();
      if (inThread) return prepareInThread(undecoded, sender);
      return prepareInput(undecoded.decode() as PutAuditEventsRequest, sender);
    },
    [Symbol.asyncDispose]: () => workers[Symbol.asyncDispose](),
  };
}
