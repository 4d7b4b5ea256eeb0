import {
  assert,
  AwsFault,
  DiskFullError,
  OverloadError,
  type Clock,
  type Logger,
  type Random,
} from '../../kernel/index.ts';
import type { NewEntry, Stream } from '../../journal/index.ts';
import type { Change, State } from '../../state/index.ts';
import { LogFailedError } from '../../store/index.ts';
import {
  absentOperation,
  type Authorise,
  type DecodedCall,
  type Need,
  type Perform,
  type RecordRejected,
  type ServiceDescription,
  type Show,
} from '../../wire/index.ts';
import { encodeAuditRecord } from './audit-record.ts';
import {
  factsOf,
  forwardedOf,
  partsOf,
  recipientsOf,
  rejectedFacts,
  type CallOutcome,
  type OperationClass,
  type ShownCall,
} from './call-facts.ts';
import { openTurns } from './turns.ts';
import { openRecordQueue } from './record-queue.ts';
import { openRejectionBudget } from './rejection-budget.ts';

/** How often a write is run again when it met other changes. */
const attempts = 8;

export interface RecordingOptions {
  readonly state: State;
  /** The journal's `audit` stream, on which `state` stands. */
  readonly stream: Stream;
  readonly authorise: Authorise;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Account that calls without a proven caller are recorded in. */
  readonly managementAccountId: string;
  /** Input or output with member names as CloudTrail writes them and without sensitive members. */
  show(service: ServiceDescription, operationName: string, side: 'input' | 'output', value: unknown): unknown;
  /** What an operation of a service (by its name) is in CloudTrail's eyes, also one that is absent. */
  classify(serviceName: string, operationName: string): OperationClass;
  /** Bounds; CloudTrail has none. By default 1,000 reads, 5 s; 20 failed authentications a second, 500 at once. */
  readonly pendingReads?: number;
  readonly readWaitMs?: number;
  readonly rejections?: { readonly perSecond: number; readonly burst: number };
}

/** Performs calls and records them; what `wire` is given. */
export interface Recording extends AsyncDisposable {
  readonly perform: Perform<Change>;
  readonly recordRejected: RecordRejected;
  /** Reads that were answered and whose records are not durable yet. */
  readonly pendingReads: number;
  /** Failed authentications that were answered and, for their number, not recorded. */
  readonly suppressedRejections: number;
  /** Resolves once the records of all reads answered so far are durable. */
  flush(): Promise<void>;
}

type Decoded = DecodedCall<Change>;

type Output = Readonly<Record<string, unknown>>;

/** How a run of an operation ended, before anything was committed. */
type Run =
  | { readonly kind: 'done'; readonly output: Output; readonly change: Change }
  | { readonly kind: 'denied' | 'failed'; readonly error: unknown };

const nothingShown: ShownCall = { requestParameters: null, responseElements: null, resources: [] };

/** What a caller is told when the journal does not take the record of the call. */
function unrecordedFault(error: unknown): unknown {
  if (error instanceof OverloadError || error instanceof DiskFullError) {
    const why = error instanceof DiskFullError ? 'the disk is full' : 'too much is being written';
    const text = `The call cannot be recorded now because ${why}; nothing was changed. Try again later.`;
    return new AwsFault('ServiceUnavailable', text, { status: 503, cause: error });
  }
  if (error instanceof LogFailedError) {
    // Whether the call that met it is in the journal is open until then.
    const text = 'The disk failed under the journal; no call can be recorded until Cairn is started again.';
    return new AwsFault('ServiceUnavailable', text, { status: 503, cause: error });
  }
  return error;
}

function conflictFault(): AwsFault {
  const text = `Other calls changed the same resources ${attempts} times while this one was being made; nothing was changed. Try again.`;
  return new AwsFault('ThrottlingException', text, { status: 400 });
}

function failureOf(error: unknown): CallOutcome {
  if (error instanceof AwsFault) return { kind: 'failed', code: error.code, message: error.message };
  const answer = unrecordedFault(error);
  if (answer instanceof AwsFault) return { kind: 'failed', code: answer.code, message: answer.message };
  return { kind: 'failed', code: 'InternalFailure', message: 'An internal error occurred.' };
}

function needsOf({
  service,
  operationName,
  operation,
  input,
  call,
}: Decoded): readonly Need[] | Promise<readonly Need[]> {
  const declared = operation?.needs?.(input, call);
  return declared ?? [{ action: `${service.iamPrefix}:${operationName}`, resource: '*' }];
}

/**
 * Opens recording. Every call that it performs gets its CloudTrail record: a write is answered only once its change and
 * its record are durable in one append; a failed or denied call once its record is; a read is answered first and
 * recorded right behind, within a bound.
 */
export function openRecording(options: RecordingOptions): Recording {
  const { state, stream, authorise, clock, random, log } = options;
  const reads = openRecordQueue({
    stream,
    clock,
    log,
    bound: options.pendingReads ?? 1_000,
    waitMs: options.readWaitMs ?? 5_000,
    closeMs: 5_000,
  });
  const turns = openTurns();
  const budget = openRejectionBudget(clock, options.rejections ?? { perSecond: 20, burst: 500 });

  const classOf = ({ service, operationName, operation }: Decoded): OperationClass => {
    const usual = options.classify(service.name, operationName);
    return {
      ...usual,
      access: operation?.access ?? usual.access,
      category: operation?.category ?? usual.category,
    };
  };

  /** Whether the answer waits for the record and is shown in it: writes, and whoever is given credentials. */
  const recordedFirst = (decoded: Decoded): boolean =>
    classOf(decoded).access === 'write' || decoded.operation?.issuesCredentials === true;

  const show = async (decoded: Decoded, run: Run): Promise<ShownCall> => {
    const { operation, service, operationName, input, call } = decoded;
    const output = run.kind === 'done' ? run.output : undefined;
    const showsResponse = output !== undefined && recordedFirst(decoded);
    const usual: Show = async (side, value) =>
      side === 'output' && !showsResponse ? null : options.show(service, operationName, side, value);
    const recorded = (await operation?.recorded?.(input, output, call, usual)) ?? {
      requestParameters: await usual('input', input),
      responseElements: await usual('output', output),
    };
    return {
      ...recorded,
      responseElements: showsResponse ? recorded.responseElements : null,
      resources: operation?.resources?.(input, output, call) ?? [],
    };
  };

  const shownOf = async (decoded: Decoded, run: Run): Promise<ShownCall> => {
    // CloudTrail shows no parameters of a call that was not allowed, but for a few services.
    if (run.kind === 'denied' && !decoded.operation?.shownWhenDenied) return nothingShown;
    if (run.kind === 'done') return show(decoded, run);
    try {
      return await show(decoded, run);
    } catch (error) {
      log.error(
        { error, operation: decoded.operationName },
        'the parameters of a failed call cannot be shown',
      );
      return nothingShown;
    }
  };

  const recordsOf = async (decoded: Decoded, run: Run): Promise<readonly NewEntry[]> => {
    const operationClass = classOf(decoded);
    const outcome: CallOutcome =
      run.kind === 'done' ? { kind: 'done', output: run.output } : failureOf(run.error);
    const shown = await shownOf(decoded, run);
    const at = { time: clock.now(), random };
    const all = [
      factsOf(decoded, outcome, shown, operationClass, at),
      ...(run.kind === 'done' ? partsOf(decoded, operationClass, at) : []),
      ...forwardedOf(decoded, at),
    ];
    return all
      .flatMap((facts) => recipientsOf(facts, decoded.call, random))
      .map((one) => ({ kind: 'record', payload: encodeAuditRecord(one) }));
  };

  const appendAlone = async (entries: readonly NewEntry[]): Promise<void> => {
    try {
      await stream.append(entries);
    } catch (error) {
      throw unrecordedFault(error);
    }
  };

  const runOnce = async (decoded: Decoded): Promise<Run> => {
    const { operation, input, call } = decoded;
    let needs: readonly Need[];
    try {
      needs = await needsOf(decoded);
    } catch (error) {
      return { kind: 'failed', error };
    }
    try {
      await authorise(call, needs);
    } catch (error) {
      return { kind: error instanceof AwsFault ? 'denied' : 'failed', error };
    }
    try {
      if (!operation) throw absentOperation(decoded.service, decoded.operationName);
      const change = state.begin();
      const output = (await operation.handle(input, call, change)) as Record<string, unknown>;
      assert(operation.access === 'write' || change.entries.length === 0, 'a read appends no entries');
      return { kind: 'done', output, change };
    } catch (error) {
      return { kind: 'failed', error };
    }
  };

  const commit = async (change: Change, records: readonly NewEntry[]): Promise<boolean> => {
    try {
      const result = await state.commit(change, records);
      return result.kind === 'committed';
    } catch (error) {
      throw unrecordedFault(error);
    }
  };

  const fail = async (decoded: Decoded, run: Run & { readonly error: unknown }): Promise<never> => {
    await appendAlone(await recordsOf(decoded, run));
    throw run.error instanceof AwsFault ? run.error : unrecordedFault(run.error);
  };

  /** Runs the call once; undefined when its change conflicted with another's and nothing happened. */
  async function attempt(decoded: Decoded): Promise<Output | undefined> {
    const run = await runOnce(decoded);
    if (run.kind !== 'done') return fail(decoded, run);
    const records = await recordsOf(decoded, run).catch((error: unknown) =>
      fail(decoded, { kind: 'failed', error }),
    );
    if (recordedFirst(decoded)) return (await commit(run.change, records)) ? run.output : undefined;
    for (const record of records) await reads.add(record);
    return run.output;
  }

  return {
    async perform(decoded) {
      if (recordedFirst(decoded)) await turns.idle();
      const first = await attempt(decoded);
      if (first) return first;
      // Calls that conflict take turns, so that each of them gets through however many there are.
      return turns.take(async () => {
        for (let again = 1; again < attempts; again++) {
          const output = await attempt(decoded);
          if (output) return output;
        }
        return fail(decoded, { kind: 'failed', error: conflictFault() });
      });
    },
    async recordRejected(rejected) {
      if (!rejected.call && !budget.spend()) {
        if (budget.suppressed % 1_000 === 1) {
          log.warn(
            { suppressed: budget.suppressed },
            'too many failed authentications to record each of them',
          );
        }
        return;
      }
      const { service, operationName } = rejected;
      const operationClass: OperationClass =
        service && operationName !== undefined
          ? options.classify(service.name, operationName)
          : { access: 'write', category: 'management', eventName: operationName ?? 'Unknown' };
      const facts = rejectedFacts(rejected, operationClass, {
        random,
        managementAccountId: options.managementAccountId,
      });
      await appendAlone([{ kind: 'record', payload: encodeAuditRecord(facts) }]);
    },
    get pendingReads() {
      return reads.pending;
    },
    get suppressedRejections() {
      return budget.suppressed;
    },
    flush: () => reads.flush(),
    [Symbol.asyncDispose]: () => reads[Symbol.asyncDispose](),
  };
}
