import type { Clock, Logger } from '../kernel/index.ts';

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
  /** What is to be done now and then. A failure is logged, and the next round comes all the same. */
  readonly work: () => Promise<void>;
}

/** Does something now and then until it is closed; one round at a time. */
export function openUpkeep({ clock, log, everyMs, work }: UpkeepOptions): AsyncDisposable {
  const stop = new AbortController();
  const rounds = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await clock.sleep(everyMs, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
      await work().catch((error: unknown) => log.error({ err: error }, 'upkeep failed; it is tried again'));
    }
  };
  const done = rounds();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('closed'));
      await done;
    },
  };
}
