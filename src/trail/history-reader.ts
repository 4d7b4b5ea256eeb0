import { sequence, type Logger, type Sequence } from '../kernel/index.ts';
import {
  holdsRecord,
  type JournalEntry,
  type Reader,
  type ReaderOptions,
  type Stream,
} from '../journal/index.ts';
import { scanRecord, type History } from './history/index.ts';

/** What the history made of a group of entries. */
export interface Applied {
  readonly added: number;
  readonly duplicates: number;
}

/** The reader that brings the journal's records into the history. */
export interface HistoryReader extends AsyncDisposable {
  readonly reader: Reader;
  /** Resolves once every entry before `sequence` is searchable. */
  reached(sequence: Sequence): Promise<void>;
  /**
   * Counts what the history makes of a group of `count` entries that is being appended: resolves once all of them are
   * searchable. Rejects as the append does. Call it in the same turn as the append.
   */
  countGroup(append: Promise<Sequence>, count: number): Promise<Applied>;
  /** Calls back with entries that have just become searchable, in order. Returns the function that ends it. */
  onApplied(listener: (entries: readonly JournalEntry[]) => void): () => void;
  /** Records of the journal that could not be indexed since the start; each is named in the log. */
  readonly unindexed: number;
}

export interface HistoryReaderOptions {
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  readonly history: History;
  readonly log: Logger;
  /** Told of stretches of the journal that cannot be read. */
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** Entries that were handed to the journal together. */
interface Group {
  /** Undefined until the append has settled. */
  first: number | undefined;
  readonly count: number;
  /** Never rejects. */
  settled: Promise<void>;
  added: number;
  duplicates: number;
}

/** Cuts entries where groups begin and end, so that what the history counts belongs to one group or to none. */
function cutAtGroups(
  entries: readonly JournalEntry[],
  groups: readonly Group[],
): readonly (readonly JournalEntry[])[] {
  const edges = new Set(
    groups.flatMap(({ first, count }) => (first === undefined ? [] : [first, first + count])),
  );
  if (edges.size === 0) return [entries];
  const parts: JournalEntry[][] = [];
  let part: JournalEntry[] = [];
  for (const entry of entries) {
    if (part.length > 0 && edges.has(entry.sequence)) {
      parts.push(part);
      part = [];
    }
    part.push(entry);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/**
 * Connects the journal to the history: follows the stream from where the history is durable, and checkpoints as that
 * place moves on. A record that cannot be indexed stays in the journal, is named in the log with its sequence and the
 * reason, and is counted.
 */
export async function openHistoryReader(options: HistoryReaderOptions): Promise<HistoryReader> {
  const { stream, history } = options;
  const log = options.log.child({ part: 'history' });
  const listeners = new Set<(entries: readonly JournalEntry[]) => void>();
  const groups = new Set<Group>();
  let unindexed = 0;
  let applied = -1;
  let checkpointed = -1;
  /** Everything before it that belongs to a group belongs to one whose place is known. */
  let placedUntil = 0;

  const report = (entries: readonly JournalEntry[]) => {
    for (const entry of entries) {
      const scan = scanRecord(entry.payload);
      if (scan.kind === 'record') continue;
      unindexed++;
      log.error(
        { sequence: entry.sequence, kind: entry.kind, reason: scan.problem },
        'a record of the journal cannot be indexed; it stays in the journal and is not found by searches',
      );
    }
  };

  const credit = (first: number, outcome: Applied) => {
    for (const group of groups) {
      if (group.first === undefined || first < group.first || first >= group.first + group.count) continue;
      group.added += outcome.added;
      group.duplicates += outcome.duplicates;
    }
  };

  const applyPart = async (part: readonly JournalEntry[]): Promise<void> => {
    const records = part.filter(holdsRecord);
    const outcome = records.length === 0 ? { added: 0, duplicates: 0 } : await history.apply(part);
    if (outcome.added + outcome.duplicates < records.length) report(records);
    const first = part[0]?.sequence ?? 0;
    applied = first + part.length - 1;
    credit(first, outcome);
    for (const listener of listeners) listener(part);
  };

  /**
   * Waits until the places of the groups are known that the entries may belong to. Appends become durable in the order
   * of their calls, so the appends of entries that are here settle in a moment.
   */
  const placeGroups = async (entries: readonly JournalEntry[]): Promise<void> => {
    const last = entries.findLast(({ kind }) => kind === 'imported')?.sequence ?? -1;
    for (const group of groups) {
      if (last < placedUntil) return;
      if (group.first === undefined) await group.settled;
    }
  };

  const place = async (group: Group, append: Promise<Sequence>): Promise<void> => {
    const first = await append.catch(() => undefined);
    if (first === undefined) return;
    group.first = first;
    placedUntil = Math.max(placedUntil, first + group.count);
  };

  const opened: { reader?: Reader } = {};
  const checkpoint = async (): Promise<void> => {
    const { reader } = opened;
    const safe = Math.min(history.durable, reader?.applied ?? 0);
    if (safe <= checkpointed || !reader) return;
    await reader.checkpoint(sequence(safe));
    checkpointed = safe;
  };

  const running = await stream.follow({
    name: 'history',
    from: history.durable,
    ...(options.onDamage && { onDamage: options.onDamage }),
    async apply(entries) {
      // What was applied before a failure is not applied again, so that it is not counted as duplicates.
      const fresh = entries.filter((entry) => entry.sequence > applied);
      await placeGroups(fresh);
      for (const part of cutAtGroups(fresh, [...groups])) await applyPart(part);
      await checkpoint();
    },
  });
  opened.reader = running;

  return {
    reader: running,
    reached: (wanted) => running.reached(wanted),
    async countGroup(append, count) {
      const group: Group = {
        first: undefined,
        count,
        added: 0,
        duplicates: 0,
        settled: Promise.resolve(),
      };
      group.settled = place(group, append);
      groups.add(group);
      try {
        const first = await append;
        await running.reached(sequence(first + count));
        return { added: group.added, duplicates: group.duplicates };
      } finally {
        groups.delete(group);
      }
    },
    onApplied(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get unindexed() {
      return unindexed;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
