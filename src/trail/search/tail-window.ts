import { limits, sequence, type Sequence } from '../../kernel/index.ts';
import { holdsRecord, type JournalEntry } from '../../journal/index.ts';
import { scanRecord, type ScannedRecord } from '../history/index.ts';

/** An entry of the journal that holds a record. */
export interface TailRecord {
  readonly sequence: Sequence;
  readonly raw: Uint8Array;
  /** Undefined when it cannot be indexed. Read once, for all listeners. */
  readonly record: ScannedRecord | undefined;
}

/**
 * The newest entries of the journal, held once for all listeners. A listener that is behind its beginning reads the
 * journal instead, so a slow one costs no memory.
 */
export interface TailWindow {
  /** Everything from here up to `end` is held. */
  readonly start: Sequence;
  /** Everything before it is searchable. */
  readonly end: Sequence;
  /** Takes entries that have become searchable, in order. Without `hold` it only moves its end: nobody listens. */
  push(entries: readonly JournalEntry[], hold: boolean): void;
  /**
   * The records among the entries from `from`, and where they end. At most `most` entries are looked at, and no more
   * than about a megabyte, since every listener holds what it was given until its client has read it.
   */
  read(from: Sequence, most: number): { readonly records: readonly TailRecord[]; readonly next: Sequence };
  /** Calls back once, when something was pushed. Returns the function that ends it. */
  onPush(listener: () => void): () => void;
}

/** An entry as a listener sees it; undefined for those that hold no record. */
export function tailRecordOf(entry: JournalEntry): TailRecord | undefined {
  if (!holdsRecord(entry)) return undefined;
  let scanned: { readonly record: ScannedRecord | undefined } | undefined;
  return {
    sequence: entry.sequence,
    raw: entry.payload,
    get record() {
      if (!scanned) {
        const scan = scanRecord(entry.payload);
        scanned = { record: scan.kind === 'record' ? scan.record : undefined };
      }
      return scanned.record;
    },
  };
}

const readBytes = 1024 * 1024;

interface Held {
  readonly sequence: number;
  readonly record: TailRecord | undefined;
  readonly bytes: number;
}

/** Opens an empty window at `end`. */
export function openTailWindow(at: Sequence): TailWindow {
  const listeners = new Set<() => void>();
  let held: Held[] = [];
  let bytes = 0;
  let start: number = at;
  let end: number = at;

  const shrink = () => {
    let drop = Math.max(0, held.length - limits.tailEntries);
    let left = bytes;
    for (let index = 0; index < held.length && (index < drop || left > limits.tailBytes); index++) {
      left -= held[index]?.bytes ?? 0;
      drop = Math.max(drop, index + 1);
    }
    if (drop === 0) return;
    bytes = left;
    held = held.slice(drop);
    start = held[0]?.sequence ?? end;
  };

  return {
    get start() {
      return sequence(start);
    },
    get end() {
      return sequence(end);
    },
    push(entries, hold) {
      const last = entries.at(-1);
      if (!hold && last) {
        held = [];
        bytes = 0;
        start = last.sequence + 1;
        end = start;
        return;
      }
      for (const entry of entries) {
        // A gap (an entry that cannot be read) begins the window anew.
        if (entry.sequence !== end) {
          held = [];
          bytes = 0;
          start = entry.sequence;
        }
        const size = holdsRecord(entry) ? entry.payload.length : 0;
        held.push({ sequence: entry.sequence, record: tailRecordOf(entry), bytes: size });
        bytes += size;
        end = entry.sequence + 1;
      }
      shrink();
      const told = [...listeners];
      listeners.clear();
      for (const listener of told) listener();
    },
    read(from, most) {
      const first = Math.max(0, from - start);
      let behind = first;
      for (let size = 0; behind < first + most && size < readBytes; behind++) {
        const one = held[behind];
        if (!one) break;
        size += one.bytes;
      }
      const some = held.slice(first, behind);
      const last = some.at(-1);
      return {
        records: some.flatMap(({ record }) => record ?? []),
        next: sequence(last ? last.sequence + 1 : end),
      };
    },
    onPush(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
