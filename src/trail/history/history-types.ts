import type { Sequence } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import type { RecordPath } from './record-path.ts';
import type { ScannedRecord } from './scanned-record.ts';

/**
 * The indexed attributes of an audit event. The first eight are LookupEvents's own; the others are Cairn's.
 * Values are compared as exact text; `ReadOnly` is `true` or `false`.
 */
export const attributeNames = [
  'EventId',
  'EventName',
  'ReadOnly',
  'Username',
  'ResourceType',
  'ResourceName',
  'EventSource',
  'AccessKeyId',
  'ErrorCode',
  'SourceIpAddress',
  'PrincipalArn',
  'PrincipalType',
  'AccountId',
  'Region',
  'EventCategory',
  'EventType',
] as const;
export type AttributeName = (typeof attributeNames)[number];

/** What events are counted by. */
export type CountedBy = AttributeName | RecordPath;

/** Every condition must hold. */
export interface EventFilter {
  /** For each attribute given: the event has one of these values (or, with `not`, none of them). */
  readonly attributes?: readonly {
    readonly name: AttributeName;
    readonly values: readonly string[];
    readonly not?: boolean;
  }[];
  /** eventTime, epoch milliseconds, inclusive. */
  readonly from?: number;
  /** eventTime, epoch milliseconds, inclusive. */
  readonly to?: number;
  /** IPv4 or IPv6 CIDR that sourceIPAddress lies in. */
  readonly sourceCidr?: string;
  /** Case-sensitive text that stands in the raw record. */
  readonly text?: string;
}

export interface FoundEvent {
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly eventTime: number;
  /** The original bytes of the record. */
  readonly raw: Uint8Array;
  /** What stands in the record, where that had to be found out to find the event. */
  readonly scanned?: ScannedRecord | undefined;
}

export interface EventPage {
  /** Newest first by eventTime; events of the same time in one fixed order. */
  readonly events: readonly FoundEvent[];
  /** Pass as `after` for the next page; absent on the last. Stays right while new events come in and segments merge. */
  readonly next?: string;
}

export interface CountRow {
  /** The values of what was counted by, in their order; `null` where the event has none. */
  readonly values: readonly (string | null)[];
  /** Start of the time bucket, epoch milliseconds; absent when no bucket was asked for. */
  readonly bucket?: number;
  readonly count: number;
}

export interface HistoryStats {
  readonly events: number;
  readonly segments: number;
  readonly sizeBytes: number;
  readonly oldestEventTime?: number;
  readonly newestEventTime?: number;
}

/** Why a record was not taken. It stays in the journal; it is reported, never dropped silently. */
export type RecordProblem =
  | 'not valid UTF-8'
  | 'not a JSON object'
  | 'no eventID'
  | 'no eventTime'
  | 'no recipientAccountId'
  | 'no awsRegion'
  | 'too large';

/** The searchable history: a reader of the journal's `audit` stream. */
export interface History extends AsyncDisposable {
  /** Everything before it is durable in the history's own segments: the journal may trim up to here. */
  readonly durable: Sequence;
  /**
   * Takes journal entries (kinds other than records are skipped); they are searchable when it resolves. An event whose
   * account and eventID are already there is left out. `added` and `duplicates` count what happened.
   */
  apply(entries: readonly JournalEntry[]): Promise<{ readonly added: number; readonly duplicates: number }>;
  /** A page of events that match, newest first. `limit` is 1 to 1,000; of large records there may be fewer with a `next`. */
  search(
    filter: EventFilter,
    page: { readonly limit: number; readonly after?: string },
    signal?: AbortSignal,
  ): Promise<EventPage>;
  /** All events that match, newest first, without holding them in memory. */
  stream(filter: EventFilter, signal?: AbortSignal): AsyncIterable<FoundEvent>;
  /**
   * Counts by up to three attributes or other members of the record, and a time bucket (milliseconds). At most `limit` rows, greatest
   * count first. Attributes are counted from the index; for other members each matching record is read.
   */
  count(
    filter: EventFilter,
    by: { readonly attributes: readonly CountedBy[]; readonly bucketMs?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly CountRow[]>;
  /** Sets how long an account's events are kept; `undefined` keeps them. Older ones vanish from answers at once. */
  setRetention(accountId: string, days: number | undefined): void;
  /** Drops whole segments that hold nothing but expired events; called now and then, with the time. */
  expire(now: number): Promise<{ readonly segmentsDropped: number }>;
  stats(): Promise<HistoryStats>;
  /** Makes everything applied so far durable in segments (on shutdown and in tests). */
  flush(): Promise<void>;
}
