import { limits, sequence, type Clock, type Logger, type Timer } from '../../kernel/index.ts';
import {
  holdsRecord,
  type JournalEntry,
  type Reader,
  type ReaderOptions,
  type Stream,
} from '../../journal/index.ts';
import type { Columns, GatheredRows } from '../../store/index.ts';

/** The reader that brings the journal's records into the columns. */
export interface LakeReader extends AsyncDisposable {
  readonly reader: Reader;
  /** Resolves once everything that is durable in the journal now can be queried. Rejects when the lake is closed. */
  flush(signal?: AbortSignal): Promise<void>;
  /** Records that could not be taken since the start; each is named in the log. */
  readonly unreadable: number;
}

export interface LakeReaderOptions {
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  readonly columns: Columns;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** Records that wait to be sealed together. */
interface Waiting {
  readonly rows: GatheredRows;
  /** Everything before it is here or sealed. */
  through: number;
}

const firstRetryMs = 100;
const lastRetryMs = 30_000;

/** Fewer records are read again in no time. */
const worthSealing = 4096;
/** A stop waits so long for what is sealed; ten seconds are all that it has. */
const closeMs = 4000;

/**
 * Follows the journal and seals its records in batches: when enough have come, a minute after the first of them, and before
 * a query. While one batch is sealed the next is gathered; beyond two, the journal keeps the rest.
 */
export async function openLakeReader(options: LakeReaderOptions): Promise<LakeReader> {
  const { stream, columns, clock } = options;
  const log = options.log.child({ part: 'lake' });
  const stop = new AbortController();
  let waiting: Waiting = { rows: await columns.gather(), through: columns.durable };
  let taking: Promise<unknown> = Promise.resolve();
  let sealing: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let unreadable = 0;
  const opened: { reader?: Reader } = {};

  const sealOnce = async (batch: Waiting): Promise<void> => {
    const through = sequence(batch.through);
    const appended = await columns.append({ rows: batch.rows, through });
    for (const one of appended.unreadable) {
      unreadable++;
      log.error(
        { sequence: one },
        'a record of the journal has no account, eventID or eventTime that can be read; queries do not see it',
      );
    }
    const { reader } = opened;
    // What is being applied right now counts as applied only when `apply` has returned.
    await reader?.checkpoint(sequence(Math.min(through, reader.applied)));
  };
  /** Tries until it is sealed or the lake is closed. */
  const seal = async (batch: Waiting): Promise<void> => {
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, lastRetryMs)) {
      stop.signal.throwIfAborted();
      try {
        await sealOnce(batch);
        return;
      } catch (error) {
        stop.signal.throwIfAborted();
        log.error(
          { err: error, events: batch.rows.count, retryInMs: delayMs },
          'sealing events for queries failed; it is tried again',
        );
        await clock.sleep(delayMs, stop.signal);
      }
    }
  };
  /** Runs what changes `waiting`, one after the other. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = taking.then(work);
    taking = done.catch(() => undefined);
    return done;
  };
  const sealNow = async (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    const batch = waiting;
    if (batch.through <= columns.durable) return;
    waiting = { rows: await columns.gather(), through: batch.through };
    sealing = sealing.then(() => seal(batch));
    // Whoever waits for it is told; when nobody does, the reason was logged.
    sealing.catch(() => undefined);
  };
  /** Seals what waits, once what is being sealed is: until then more is gathered with it. */
  const sealWaiting = async (): Promise<void> => {
    await sealing;
    await alone(sealNow);
    await sealing;
  };
  const take = async (entries: readonly JournalEntry[]): Promise<void> => {
    const { rows, through } = waiting;
    const fresh = entries.filter((entry) => entry.sequence >= through);
    const records = fresh.filter(holdsRecord);
    if (records.length > 0) await rows.add(records);
    waiting.through = (fresh.at(-1)?.sequence ?? through - 1) + 1;
    if (rows.count > 0)
      timer ??= clock.after(limits.lakeSealMs, () => void sealWaiting().catch(() => undefined));
  };

  const reader = await stream.follow({
    name: 'lake',
    from: columns.durable,
    ...(options.onDamage && { onDamage: options.onDamage }),
    async apply(entries) {
      await alone(() => take(entries));
      const { count, sizeBytes } = waiting.rows;
      if (count < limits.lakeBatchEvents && sizeBytes < limits.lakeBatchBytes) return;
      await sealing;
      void sealWaiting().catch(() => undefined);
    },
  });
  opened.reader = reader;

  return {
    reader,
    async flush(signal) {
      const end = stream.end;
      await reader.reached(end);
      signal?.throwIfAborted();
      await sealWaiting();
    },
    get unreadable() {
      return unreadable;
    },
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await reader[Symbol.asyncDispose]();
      const sealed = waiting.rows.count < worthSealing ? sealing : sealWaiting();
      await Promise.race([sealed.catch(() => undefined), clock.sleep(closeMs, stop.signal)]);
      // What is not sealed by now is in the journal.
      stop.abort(new Error('the lake is closed'));
      await taking;
    },
  };
}
