import { assert, limits, sequence, type Clock, type Logger, type Sequence } from '../kernel/index.ts';
import type { LogDamage } from '../store/index.ts';
import { openLiveTail } from './live-tail.ts';
import type { JournalEntry, Reader, ReaderOptions, Stream } from './journal-types.ts';

const firstRetryMs = 50;
const lastRetryMs = 30_000;
/** So many places are remembered as told; a reader that goes over them again tells the others twice. */
const rememberedDamage = 10_000;

/** What a reader needs of its stream. */
export interface ReaderSource {
  readonly stream: Pick<Stream, 'name' | 'end' | 'read'>;
  readonly clock: Clock;
  readonly log: Logger;
  saveCursor(sequence: Sequence): Promise<void>;
  closed(): void;
}

export interface RunningReader {
  readonly reader: Reader;
  /** Whether the reader is taking live entries now, so that it is worth decoding them. */
  readonly live: boolean;
  offer(entries: readonly JournalEntry[], bytes: number): void;
  /** Everything before it is safe with the reader; undefined before its first checkpoint. */
  readonly checkpointed: Sequence | undefined;
}

/**
 * Starts a reader at `from`. It reads files until it has caught up, then takes live entries as they become durable;
 * when it falls too far behind, it is back at the files. One `apply` is in flight at most.
 */
export function startReader(
  options: ReaderOptions,
  start: { readonly from: Sequence; readonly checkpointed: Sequence | undefined },
  source: ReaderSource,
): RunningReader {
  const { stream, clock } = source;
  const log = source.log.child({ stream: stream.name, reader: options.name });
  const stop = new AbortController();
  const tail = openLiveTail(limits.journalReaderBytes);
  const told = new Set<string>();
  let next = start.from;
  let checkpointed = start.checkpointed;
  let wake: (() => void) | undefined;
  let waiting: { readonly sequence: Sequence; resolve(): void; reject(error: Error): void }[] = [];

  function advance(to: Sequence): void {
    if (to <= next) return;
    next = to;
    if (waiting.length === 0) return;
    const reached = waiting.filter((waiter) => waiter.sequence <= next);
    waiting = waiting.filter((waiter) => waiter.sequence > next);
    for (const waiter of reached) waiter.resolve();
  }

  /** Runs `attempt` until it succeeds or the reader is closed; false when it was closed. */
  async function persist(what: string, attempt: () => Promise<void>): Promise<boolean> {
    for (let delayMs = firstRetryMs; !stop.signal.aborted; delayMs = Math.min(delayMs * 2, lastRetryMs)) {
      try {
        await attempt();
        return true;
      } catch (error) {
        log.error({ err: error, from: next, retryInMs: delayMs }, `${what} failed; it will be tried again`);
        await clock.sleep(delayMs, stop.signal).catch(() => {});
      }
    }
    return false;
  }

  async function apply(entries: readonly JournalEntry[]): Promise<void> {
    const fresh =
      (entries[0]?.sequence ?? next) < next ? entries.filter((entry) => entry.sequence >= next) : entries;
    const last = fresh.at(-1);
    if (!last) return;
    if (await persist('applying entries', () => options.apply(fresh))) advance(sequence(last.sequence + 1));
  }

  function report(damage: LogDamage): void {
    const place = `${damage.file}:${damage.offset}`;
    if (told.has(place)) return;
    if (told.size >= rememberedDamage) told.clear();
    told.add(place);
    log.error({ damage }, 'the journal is damaged; what is before and after goes on');
    options.onDamage?.(damage);
  }

  /** Reads files up to `until`, behind which the live tail holds everything. */
  async function backfill(until: Sequence): Promise<void> {
    for await (const batch of stream.read(next)) {
      for (const damage of batch.damage) report(damage);
      await apply(batch.entries);
      if (stop.signal.aborted) return;
    }
    // Entries that damage made unreadable were reported above; the reader goes on behind them.
    advance(until);
  }

  async function step(): Promise<void> {
    if (tail.from === undefined) tail.begin(stream.end);
    const until = tail.from ?? stream.end;
    if (next < until) {
      await persist('reading the journal', () => backfill(until));
    } else if (!tail.empty) {
      await apply(tail.take());
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  const running = (async () => {
    while (!stop.signal.aborted) await step();
  })();

  const reader: Reader = {
    name: options.name,
    get applied() {
      return next;
    },
    get lag() {
      return Math.max(0, stream.end - next);
    },
    reached(wanted) {
      if (wanted <= next) return Promise.resolve();
      if (stop.signal.aborted) return Promise.reject(new Error(`reader ${options.name} is closed`));
      return new Promise((resolve, reject) => {
        waiting.push({ sequence: wanted, resolve, reject });
      });
    },
    async checkpoint(safe) {
      assert(safe <= next, `checkpoint ${safe} of ${options.name} is ahead of what it applied (${next})`);
      await source.saveCursor(safe);
      checkpointed = safe;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error(`reader ${options.name} is closed`));
      wake?.();
      await running;
      source.closed();
      for (const waiter of waiting.splice(0)) waiter.reject(new Error(`reader ${options.name} is closed`));
    },
  };
  return {
    reader,
    get live() {
      return tail.from !== undefined;
    },
    get checkpointed() {
      return checkpointed;
    },
    offer(entries, bytes) {
      tail.offer(entries, bytes);
      wake?.();
    },
  };
}
