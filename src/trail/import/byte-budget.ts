/** A bound on bytes that are held at once. Whoever does not fit waits, in the order of arrival. */
export interface ByteBudget {
  /** Resolves with the reservation once `bytes` fit; more than the whole budget fits when nobody else has any. */
  reserve(bytes: number): Promise<Reservation>;
}

export interface Reservation extends Disposable {
  /** Corrects an estimate once the real size is known. */
  set(bytes: number): void;
}

/** Opens a budget of `most` bytes. */
export function openByteBudget(most: number): ByteBudget {
  let held = 0;
  const waiting: { readonly bytes: number; go(): void }[] = [];
  const fits = (bytes: number) => held === 0 || held + bytes <= most;
  const letIn = () => {
    for (let first = waiting[0]; first && fits(first.bytes); first = waiting[0]) {
      waiting.shift();
      first.go();
    }
  };
  const take = (bytes: number): Reservation => {
    let mine = bytes;
    held += bytes;
    const set = (now: number) => {
      held += now - mine;
      mine = now;
      letIn();
    };
    return { set, [Symbol.dispose]: () => set(0) };
  };
  return {
    reserve(bytes) {
      if (waiting.length === 0 && fits(bytes)) return Promise.resolve(take(bytes));
      return new Promise((resolve) => {
        waiting.push({ bytes, go: () => resolve(take(bytes)) });
      });
    },
  };
}
