/** Runs work with so much of it at once, for everybody who shares the pool. */
export interface Pool {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` on every item; the first failure ends it. */
  each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void>;
  /** Throws why the work ends, if it does. */
  throwIfAborted(): void;
}

/** Opens a pool; an aborted signal ends what has not begun. */
export function openPool(size: number, signal: AbortSignal): Pool {
  let free = size;
  const waiting: (() => void)[] = [];
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
  return {
    run,
    throwIfAborted: () => signal.throwIfAborted(),
    async each(items, work) {
      const iterator = items[Symbol.iterator]();
      // So many take items as may run, so that of a million items only a few wait in memory.
      const take = async () => {
        for (let next = iterator.next(); !next.done; next = iterator.next()) {
          const item = next.value;
          await run(() => work(item));
        }
      };
      await Promise.all(Array.from({ length: size }, take));
    },
  };
}
