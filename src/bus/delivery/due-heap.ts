/** What falls due at some time; of two at the same time, the older one first. */
export interface Due {
  readonly sequence: number;
  /** On the monotonic clock. */
  readonly due: number;
}

export interface DueHeap<T extends Due> {
  readonly size: number;
  /** What falls due first. */
  peek(): T | undefined;
  pop(): T | undefined;
  push(item: T): void;
  /** In no order. */
  all(): readonly T[];
}

const before = (a: Due, b: Due): boolean => a.due < b.due || (a.due === b.due && a.sequence < b.sequence);

/** A binary heap. */
export function openDueHeap<T extends Due>(): DueHeap<T> {
  const items: T[] = [];

  const swap = (a: number, b: number) => {
    [items[a], items[b]] = [items[b] as T, items[a] as T];
  };
  const isBefore = (a: number, b: number): boolean =>
    a < items.length && before(items[a] as T, items[b] as T);

  const sink = () => {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = isBefore(left, at) ? left : at;
      if (isBefore(right, first)) first = right;
      if (first === at) return;
      swap(at, first);
      at = first;
    }
  };

  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    pop() {
      if (items.length <= 1) return items.pop();
      swap(0, items.length - 1);
      const first = items.pop();
      sink();
      return first;
    },
    push(item) {
      items.push(item);
      for (let at = items.length - 1; at > 0;) {
        const above = (at - 1) >> 1;
        if (!isBefore(at, above)) return;
        swap(at, above);
        at = above;
      }
    },
    all: () => items,
  };
}
