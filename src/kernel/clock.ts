/**
 * Time, as a thing that is passed in. Everything that needs the time or waits takes a `Clock`, so that a test
 * can run a day in a millisecond. `Date.now`, `new Date()` and `setTimeout` stand nowhere else.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations and time-outs. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Timer {
  cancel(): void;
}

function sleepOn(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs, signal) =>
    sleepOn(
      {
        after(ms, run) {
          const handle = setTimeout(run, Math.min(ms, 0x7fffffff));
          return { cancel: () => clearTimeout(handle) };
        },
      },
      delayMs,
      signal,
    ),
};

/** A clock that a test turns by hand. */
export interface ManualClock extends Clock {
  /** Moves both the wall clock and the monotonic clock, running what falls due, in order. */
  advance(byMs: number): Promise<void>;
  /** Moves the wall clock alone, as an administrator or NTP would. */
  jump(byMs: number): void;
}

/** Opens a manual clock that stands at `startMs` (epoch milliseconds). */
export function manualClock(startMs: number): ManualClock {
  let wall = startMs;
  let elapsed = 0;
  let nextId = 0;
  const due = new Map<number, { at: number; run: () => void }>();
  const after = (delayMs: number, run: () => void): Timer => {
    const id = nextId++;
    due.set(id, { at: elapsed + delayMs, run });
    return { cancel: () => void due.delete(id) };
  };
  return {
    now: () => wall,
    monotonic: () => elapsed,
    after,
    sleep: (delayMs, signal) => sleepOn({ after }, delayMs, signal),
    jump(byMs) {
      wall += byMs;
    },
    async advance(byMs) {
      const end = elapsed + byMs;
      for (;;) {
        const next = [...due].filter(([, timer]) => timer.at <= end).toSorted((a, b) => a[1].at - b[1].at)[0];
        if (!next) break;
        const [id, timer] = next;
        due.delete(id);
        const step = Math.max(0, timer.at - elapsed);
        elapsed += step;
        wall += step;
        timer.run();
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      wall += end - elapsed;
      elapsed = end;
    },
  };
}
