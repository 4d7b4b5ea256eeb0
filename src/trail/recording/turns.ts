/** Work that is done one after the other, in the order in which it came. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nobody who came before is waiting or at work. */
  idle(): Promise<void>;
}

export function openTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(work) {
      const before = last;
      const turn = Promise.withResolvers<void>();
      last = turn.promise;
      await before;
      try {
        return await work();
      } finally {
        turn.resolve();
      }
    },
    idle: () => last,
  };
}
