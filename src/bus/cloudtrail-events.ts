import type { Sequence } from '../kernel/index.ts';
import { busEventText, type JournalEntry } from '../journal/index.ts';
import type { BusPlace } from './bus-documents.ts';
import { insightSource, isHiddenFromEnabled, sourceOf } from './record-glance.ts';

/**
 * What the trails of an account log, which is what CloudTrail sends to the bus: "you must enable a CloudTrail trail with
 * logging" ("AWS service events delivered via AWS CloudTrail"). Supplied by the trail feature.
 */
export interface TrailSelection {
  /** Takes an entry of the `audit` stream: every one from where it was opened, in order. */
  follow(entry: JournalEntry): void;
  /** Whether a trail of its account logs the record of the entry that was followed last. */
  selects(entry: JournalEntry): boolean;
}

/** Opens it where the journal is read from. */
export type OpenTrailSelection = (from: Sequence) => Promise<TrailSelection>;

/** A record as the event that CloudTrail sends for it. */
export interface CloudTrailEvent {
  /** It goes to the default bus there. */
  readonly place: BusPlace;
  /** Whether rules in state ENABLED do not get it, but those that ask for all management events do. */
  readonly isHidden: boolean;
  /** The whole event. */
  readonly text: string;
  /** The same, parsed. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** By the record's eventType: "AWS service events delivered via AWS CloudTrail". */
const detailTypes: Readonly<Record<string, string>> = {
  AwsApiCall: 'AWS API Call via CloudTrail',
  AwsServiceEvent: 'AWS Service Event via CloudTrail',
  AwsCloudTrailInsight: 'AWS Insight via CloudTrail',
};

interface AuditRecord {
  readonly eventTime: string;
  readonly eventSource?: string;
  readonly eventName?: string;
  readonly awsRegion: string;
  readonly eventID: string;
  readonly eventType: string;
  readonly readOnly?: boolean;
  readonly eventCategory?: string;
  readonly recipientAccountId: string;
}

/**
 * The event that CloudTrail sends for a record of this Cairn's own: its detail is the record, byte for byte, and its id the
 * record's, so that a record which is read again is the same event. Undefined for other entries.
 */
export function cloudtrailEvent(entry: JournalEntry): CloudTrailEvent | undefined {
  if (entry.kind !== 'record') return undefined;
  const { payload } = entry;
  const detail = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
  const record = JSON.parse(detail) as AuditRecord;
  const detailType = detailTypes[record.eventType];
  if (detailType === undefined) return undefined;
  const text = busEventText({
    id: record.eventID,
    detailType,
    source: record.eventSource === undefined ? insightSource : sourceOf(record.eventSource),
    account: record.recipientAccountId,
    region: record.awsRegion,
    time: Date.parse(record.eventTime),
    resources: [],
    detail,
  });
  const head = JSON.parse(`${text.slice(0, text.length - detail.length - 1)}null}`) as object;
  const { eventCategory: category, readOnly = false, eventName } = record;
  return {
    place: { account: record.recipientAccountId, region: record.awsRegion },
    isHidden: isHiddenFromEnabled({ category, readOnly, eventName }),
    text,
    event: { ...head, detail: record },
  };
}
