import { sequence, type Sequence } from '../kernel/index.ts';
import type { JournalEntry } from './journal-types.ts';

/** The newest entries, held for one reader between the moment they became durable and the moment it takes them. */
export interface LiveTail {
  /** The sequence from which on the tail holds everything; undefined while it holds nothing for sure. */
  readonly from: Sequence | undefined;
  readonly empty: boolean;
  /** Holds what becomes durable from `end` on. */
  begin(end: Sequence): void;
  /**
   * Takes what became durable. Over the bound the tail lets go of everything, so that a slow reader costs neither
   * memory nor the writers' time: it reads the files instead.
   */
  offer(entries: readonly JournalEntry[], bytes: number): void;
  /** Hands over what is held; the tail goes on behind it. */
  take(): readonly JournalEntry[];
}

export function openLiveTail(boundBytes: number): LiveTail {
  let from: Sequence | undefined;
  let held: (readonly JournalEntry[])[] = [];
  let heldBytes = 0;
  return {
    get from() {
      return from;
    },
    get empty() {
      return held.length === 0;
    },
    begin(end) {
      from = end;
      held = [];
      heldBytes = 0;
    },
    offer(entries, bytes) {
      if (from === undefined) return;
      heldBytes += bytes;
      held.push(entries);
      if (heldBytes <= boundBytes) return;
      from = undefined;
      held = [];
      heldBytes = 0;
    },
    take() {
      const taken = held.length === 1 && held[0] ? held[0] : held.flat();
      const last = taken.at(-1);
      if (last) from = sequence(last.sequence + 1);
      held = [];
      heldBytes = 0;
      return taken;
    },
  };
}
