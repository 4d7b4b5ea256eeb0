import type { Sequence } from '../kernel/index.ts';
import type { LogDamage } from '../store/index.ts';

/** The named streams. `audit` and `bus` are written today; the others belong to the features that come. */
export type StreamName = 'audit' | 'bus' | 'items' | 'metrics' | 'logs';

/**
 * - `record`: a CloudTrail record of a call that this Cairn served, raw JSON
 * - `ingested`: a CloudTrail record handed in by PutAuditEvents, raw JSON
 * - `imported`: a CloudTrail record from a log file, the original bytes
 * - `change`: a change of the control state (see `state/FORMAT.md`), which travels with its record
 * - `event`: an event for an event bus (see `bus-event.ts`), which travels with the change that it tells of; in the stream `bus`,
 *   a delivery to a target (see `bus/FORMAT.md`)
 */
export type EntryKind = RecordKind | 'change' | 'event';

/** The kinds whose payload is a CloudTrail record. */
export type RecordKind = 'record' | 'ingested' | 'imported';

export interface NewEntry {
  readonly kind: EntryKind;
  readonly payload: Uint8Array;
  /**
   * The payload stands behind `entryRoomBytes` of its memory that `hashInPlace` has made ready for it and nobody else uses: the
   * journal takes all of it as the entry, instead of copying it. For records alone.
   */
  readonly inPlace?: true;
  /**
   * What live readers are handed along with the entry, to spare them work. It is not kept: readers that come to the entry
   * later do without.
   */
  readonly note?: unknown;
}

/** An entry as its readers get it. */
export interface JournalEntry extends Omit<NewEntry, 'inPlace'> {
  readonly sequence: Sequence;
  /** When the journal took it, epoch milliseconds. */
  readonly time: number;
  /** SHA-256 of the payload; kept for records, so that a Merkle tree can be built on it. */
  readonly hash: Uint8Array | undefined;
}

/** What a reader does. Applying an entry twice must change nothing. */
export interface ReaderOptions {
  /** Names the cursor and the metrics. */
  readonly name: string;
  /** Where to begin; by default the durable cursor of that name, else the stream's start. */
  readonly from?: Sequence;
  /** Takes the next entries, in order; the next batch comes when it resolves. A rejection is retried with backoff. */
  apply(entries: readonly JournalEntry[]): Promise<void>;
  /** Told of damage, once, in its place. */
  onDamage?(damage: LogDamage): void;
}

export interface Reader extends AsyncDisposable {
  readonly name: string;
  /** Everything before it has been applied. */
  readonly applied: Sequence;
  /** Entries that are durable and not yet applied. */
  readonly lag: number;
  /** Resolves once everything before `sequence` has been applied (immediately if it has). */
  reached(sequence: Sequence): Promise<void>;
  /** Says that everything before `sequence` is safe with the reader: saves its cursor, and lets the journal trim. */
  checkpoint(sequence: Sequence): Promise<void>;
}

export interface Stream {
  readonly name: StreamName;
  readonly start: Sequence;
  readonly end: Sequence;
  /** Set once the disk failed while the stream was written: nothing more is taken until a restart has checked the file. */
  readonly failure: Error | undefined;
  /** As `Log.append`: resolves with the first entry's sequence once all entries are durable, together or not at all. */
  append(entries: readonly NewEntry[]): Promise<Sequence>;
  /** Starts a reader: backfill from files, cut over, then live. A slow reader falls back to reading from files. */
  follow(options: ReaderOptions): Promise<Reader>;
  /** Durable entries from `from` to the end at the time of the call, once, without a cursor. */
  read(
    from: Sequence,
  ): AsyncIterable<{ readonly entries: readonly JournalEntry[]; readonly damage: readonly LogDamage[] }>;
  readonly readers: readonly Reader[];
  /** The durable cursor of the reader of that name; undefined where it never had one. */
  cursorOf(name: string): Sequence | undefined;
  /** Lets go of what every reader has checkpointed. */
  trim(): Promise<void>;
  sizeBytes(): Promise<number>;
}

export interface Journal extends AsyncDisposable {
  stream(name: StreamName): Stream;
}
