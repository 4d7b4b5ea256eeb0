import { limits, sequence, type Clock, type Logger, type Timer } from '../../kernel/index.ts';
import type { JournalEntry, Reader, ReaderOptions, Stream } from '../../journal/index.ts';
import type { Columns, ColumnsRow } from '../../store/index.ts';

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
  rows: ColumnsRow[];
  bytes: number;
  /** Everything before it is here or sealed. */
  through: number;
}

const firstRetryMs = 100;
const lastRetryMs = 30_000;

/**
 * Follows the journal and seals its records in batches: when enough have come, a minute after the first of them, and before
 * a query. While one batch is sealed the next is gathered; beyond two, the journal keeps the rest.
 */
export async function openLakeReader(options: LakeReaderOptions): Promise<LakeReader> {
  const { stream, columns, clock } = options;
  const log = options.log.child({ part: 'lake' });
  const stop = new AbortController();
  let waiting: Waiting = { rows: [], bytes: 0, through: columns.durable };
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
    await opened.reader?.checkpoint(through);
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
          { err: error, events: batch.rows.length, retryInMs: delayMs },
          'sealing events for queries failed; it is tried again',
        );
        await clock.sleep(delayMs, stop.signal);
      }
    }
  };
  /** Begins to seal what waits, behind what is being sealed. */
  const sealWaiting = (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    const batch = waiting;
    if (batch.through > columns.durable) {
      waiting = { rows: [], bytes: 0, through: batch.through };
      sealing = sealing.then(() => seal(batch));
      // Whoever waits for it is told; when nobody does, the reason was logged.
      sealing.catch(() => undefined);
    }
    return sealing;
  };
  const take = (entries: readonly JournalEntry[]): void => {
    for (const entry of entries) {
      if (entry.sequence < waiting.through) continue;
      waiting.through = entry.sequence + 1;
      if (entry.kind === 'change') continue;
      waiting.rows.push({ sequence: entry.sequence, payload: entry.payload });
      waiting.bytes += entry.payload.length;
    }
    if (waiting.rows.length > 0)
      timer ??= clock.after(limits.lakeSealMs, () => void sealWaiting().catch(() => undefined));
  };

  const reader = await stream.follow({
    name: 'lake',
    from: columns.durable,
    ...(options.onDamage && { onDamage: options.onDamage }),
    async apply(entries) {
      take(entries);
      const isFull = waiting.rows.length >= limits.lakeBatchEvents || waiting.bytes >= limits.lakeBatchBytes;
      if (!isFull) return;
      await sealing;
      void sealWaiting();
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
      stop.abort(new Error('the lake is closed'));
      await reader[Symbol.asyncDispose]();
      await sealing.catch(() => undefined);
    },
  };
}
