/** A bound on how much work of one kind is done at once. What does not fit waits, in the order of arrival. */
export interface Lanes {
  /** Resolves with a lane once one is free; dispose of it after the work. Rejects when `signal` is aborted first. */
  take(signal: AbortSignal): Promise<Disposable>;
}

/** Opens `most` lanes. */
export function openLanes(most: number): Lanes {
  let free = most;
  const waiting = new Set<() => void>();
  const leave = () => {
    const [next] = waiting;
    if (!next) free++;
    else {
      waiting.delete(next);
      next();
    }
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) free--;
      else {
        await new Promise<void>((resolve, reject) => {
          const onAbort = () => {
            waiting.delete(go);
            reject(signal.reason as Error);
          };
          const go = () => {
            signal.removeEventListener('abort', onAbort);
            resolve();
          };
          waiting.add(go);
          signal.addEventListener('abort', onAbort, { once: true });
        });
      }
      let left = false;
      return {
        [Symbol.dispose]() {
          if (!left) leave();
          left = true;
        },
      };
    },
  };
}
