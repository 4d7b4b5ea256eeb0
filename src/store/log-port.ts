import type { Sequence } from '../kernel/index.ts';

/** One entry as it was read back. */
export interface LogEntry {
  readonly sequence: Sequence;
  readonly bytes: Uint8Array;
}

/** A stretch of the log that cannot be read, said once, in its place among the entries. */
export interface LogDamage {
  readonly file: string;
  /** Byte offset in `file` where the damage begins. */
  readonly offset: number;
  /** Bytes that were skipped. */
  readonly length: number;
  readonly reason: string;
}

export interface LogBatch {
  readonly entries: readonly LogEntry[];
  /** Damage met on the way to these entries, so that nothing is skipped silently. */
  readonly damage: readonly LogDamage[];
}

/**
 * The `log` port: an append-only, ordered, durable sequence of byte strings.
 *
 * A *group* is what one `append` hands in: it becomes durable as a whole or not at all, also over a crash. Appends
 * become durable in the order in which they were called. Concurrent appends share one write and one fdatasync.
 */
export interface Log extends AsyncDisposable {
  /** The sequence that the next durable entry gets: everything below it is durable and readable. */
  readonly end: Sequence;
  /** The oldest entry kept. */
  readonly start: Sequence;
  /**
   * Resolves with the sequence of the group's first entry once the whole group is durable.
   * Rejects with `OverloadError` at once when too much is in flight, and with `DiskFullError` when there is no room;
   * in both cases nothing of the group is or will be in the log. Rejects with `LogFailedError` when the disk failed.
   * The bytes belong to the log from then on: they are handed to listeners as they are and must not be changed.
   */
  append(group: readonly Uint8Array[]): Promise<Sequence>;
  /** Durable entries from `from` (or from `start`, if that is later) up to where the log ended at the call. */
  read(from: Sequence): AsyncIterable<LogBatch>;
  /** Calls back after entries became durable, in order. Returns the function that ends it. */
  onDurable(listener: (entries: readonly LogEntry[]) => void): () => void;
  /** Lets go of entries before `before`, as far as whole files hold nothing else. */
  trim(before: Sequence): Promise<void>;
  /** Bytes kept on disk (or in memory). */
  sizeBytes(): Promise<number>;
}
