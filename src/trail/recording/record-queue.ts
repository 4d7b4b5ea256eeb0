import { AwsFault, type Clock, type Logger, type Timer } from '../../kernel/index.ts';
import type { NewEntry, Stream } from '../../journal/index.ts';

/** The records of reads, which are appended right behind the answers. */
export interface RecordQueue extends AsyncDisposable {
  /** Records that were taken and are not durable yet. */
  readonly pending: number;
  /**
   * Takes a record. Resolves at once while there is room; else it waits for room, so that no read is answered whose
   * record has no place. Rejects with ServiceUnavailable when there is none for too long, or the queue is closed.
   */
  add(entry: NewEntry): Promise<void>;
  /** Resolves once everything taken so far is durable. */
  flush(): Promise<void>;
}

export interface RecordQueueOptions {
  readonly stream: Stream;
  readonly clock: Clock;
  readonly log: Logger;
  /** Records pending at most. */
  readonly bound: number;
  /** How long a read waits for room. */
  readonly waitMs: number;
  /** How long closing tries to append what is pending. */
  readonly closeMs: number;
}

interface Waiter {
  readonly go: () => void;
  readonly refuse: (reason: Error) => void;
  readonly timer: Timer;
}

const batchEntries = 512;
const firstPauseMs = 20;
const longestPauseMs = 2_000;

function unavailable(): AwsFault {
  const text = 'The record of this call cannot be taken now, so the call is not answered. Try again.';
  return new AwsFault('ServiceUnavailable', text, { status: 503 });
}

/** Opens the queue. One append is under way at a time; what comes meanwhile is the next group. */
export function openRecordQueue(options: RecordQueueOptions): RecordQueue {
  const { stream, clock, log, bound, waitMs, closeMs } = options;
  let queue: NewEntry[] = [];
  let appending = 0;
  let waiters: Waiter[] = [];
  let running: Promise<void> | undefined;
  let closed = false;
  const giveUp = new AbortController();

  const letIn = () => {
    while (waiters.length > 0 && queue.length + appending < bound) waiters.shift()?.go();
  };

  const appendOne = async (group: readonly NewEntry[]): Promise<void> => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        await stream.append(group);
        return;
      } catch (error) {
        if (pauseMs === firstPauseMs)
          log.warn({ err: error, pending: group.length }, 'records of reads have to wait');
        await clock.sleep(pauseMs, giveUp.signal);
      }
    }
  };

  const drain = async (): Promise<void> => {
    // What is handed in within one turn of the event loop shares an append.
    await Promise.resolve();
    try {
      while (queue.length > 0) {
        const group = queue.slice(0, batchEntries);
        queue = queue.slice(group.length);
        appending = group.length;
        await appendOne(group);
        appending = 0;
        letIn();
      }
    } catch {
      // Only giving up ends it this way; whoever gave up counts what is lost and says so.
    } finally {
      running = undefined;
    }
  };

  const take = (entry: NewEntry) => {
    queue.push(entry);
    running ??= drain();
  };

  const flush = async () => {
    for (let current = running; current; current = running) await current;
  };

  return {
    get pending() {
      return queue.length + appending;
    },
    async add(entry) {
      if (closed) throw unavailable();
      if (queue.length + appending < bound) {
        take(entry);
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiters = waiters.filter((other) => other !== waiter);
          reject(unavailable());
        };
        const waiter: Waiter = {
          timer: clock.after(waitMs, leave),
          go() {
            waiter.timer.cancel();
            take(entry);
            resolve();
          },
          refuse(reason) {
            waiter.timer.cancel();
            reject(reason);
          },
        };
        waiters.push(waiter);
      });
    },
    flush,
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const waiter of waiters.splice(0)) waiter.refuse(unavailable());
      const timer = clock.after(closeMs, () => giveUp.abort(new Error('closing')));
      const stopped = new Promise<void>((resolve) => {
        giveUp.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([flush(), stopped]);
      timer.cancel();
      const lost = queue.length + appending;
      if (lost > 0)
        log.error({ records: lost }, 'closing: the journal did not take the records of these reads');
    },
  };
}
