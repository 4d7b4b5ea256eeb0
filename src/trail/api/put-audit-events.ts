import { AwsFault, limits, parseArn, type Clock } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';
import type { Call } from '../../wire/index.ts';
import { scanParsed, type RecordNote } from '../history/index.ts';
import type { AuditedChange } from '../recording/audited-change.ts';
import { auditTime } from '../recording/user-identity.ts';
import {
  checkEventData,
  checksumMatches,
  eventIdFor,
  type AuditEventData,
  type AuditEventProblem,
} from './audit-event-data.ts';

/** PutAuditEvents' own shapes; there is no SDK client for JavaScript that has them. */
export interface PutAuditEventsRequest {
  readonly auditEvents: readonly AuditEvent[];
  /** ARN of a channel, or the last part of it. */
  readonly channelArn: string;
  readonly externalId?: string;
}

export interface AuditEvent {
  readonly id: string;
  /** JSON text. */
  readonly eventData: string;
  /** Base64 of the SHA-256 of `eventData`. */
  readonly eventDataChecksum?: string;
}

export interface PutAuditEventsResponse {
  readonly successful: readonly { readonly id: string; readonly eventID: string }[];
  readonly failed: readonly {
    readonly id: string;
    readonly errorCode: string;
    readonly errorMessage: string;
  }[];
}

/** The last part of the ARN of the channel that every account has in every region. */
export const defaultChannelId = '00000000-0000-4000-8000-000000000000';

/** The built-in channel of an account and region. */
export function defaultChannelArn(accountId: string, region: string): string {
  return `arn:aws:cloudtrail:${region}:${accountId}:channel/${defaultChannelId}`;
}

/** The ARN of the channel that the request names. Throws the modelled faults for one that it cannot write to. */
function channelOf(
  named: string,
  call: Pick<Call, 'accountId' | 'region'>,
  created: string | undefined,
): string {
  if (created !== undefined) return created;
  const own = defaultChannelArn(call.accountId, call.region);
  if (named === own || named === defaultChannelId) return own;
  const arn = parseArn(named);
  if (arn?.service !== 'cloudtrail' || !/^channel\/[-\w]+$/.test(arn.resource)) {
    throw new AwsFault('InvalidChannelARN', `${named} is not the ARN of a channel.`);
  }
  if (arn.accountId !== call.accountId) {
    const text = `The channel ${named} belongs to another account than the caller's, ${call.accountId}.`;
    throw new AwsFault('ChannelInsufficientPermission', text);
  }
  throw new AwsFault('ChannelNotFound', `There is no channel ${named}. The built-in channel is ${own}.`);
}

function refuseDuplicates(events: readonly AuditEvent[]): void {
  const seen = new Set<string>();
  for (const { id } of events) {
    if (seen.has(id))
      throw new AwsFault('DuplicatedAuditEventId', `Two events of the request have the id ${id}.`);
    seen.add(id);
  }
}

function refuseTooMuch(events: readonly AuditEvent[]): void {
  const { putAuditEventsCount: most, putAuditEventsBytes: mostBytes } = limits;
  if (events.length < 1 || events.length > most) {
    throw new AwsFault(
      'ValidationException',
      `The request has ${events.length} events; it takes 1 to ${most}.`,
    );
  }
  const size = events.reduce((sum, { eventData }) => sum + eventData.length, 0);
  if (size > mostBytes) {
    throw new AwsFault(
      'ValidationException',
      `The events of the request are larger than ${mostBytes} bytes.`,
    );
  }
}

interface Channel {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly ingestionTime: string;
}

/**
 * The record of an ingested event: what CloudTrail Lake provides around `eventData` after ingestion ("CloudTrail Lake
 * integrations event schema"), and the data itself as it was sent, byte for byte.
 */
function recordFor(
  channel: Channel,
  eventID: string,
  { eventTime, data }: AuditEventData,
  eventData: string,
): { readonly payload: Buffer; readonly note: RecordNote | undefined } {
  const head = {
    eventVersion: '1.0',
    eventCategory: 'ActivityAuditLog',
    eventType: 'ActivityLog',
    eventID,
    eventTime,
    awsRegion: channel.region,
    recipientAccountId: channel.accountId,
    metadata: { ingestionTime: channel.ingestionTime, channelARN: channel.arn },
  };
  const payload = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"eventData":${eventData}}`);
  // The data was parsed to check it, so the history need not walk the bytes once more.
  const scan = scanParsed({ ...head, eventData: data });
  return { payload, note: scan.kind === 'record' ? { scanned: scan.record } : undefined };
}

function ingest(
  channel: Channel,
  event: AuditEvent,
): { readonly eventID: string; readonly entry: NewEntry } | AuditEventProblem {
  const { id, eventData, eventDataChecksum } = event;
  if (eventDataChecksum !== undefined && !checksumMatches(eventData, eventDataChecksum)) {
    return {
      errorCode: 'InvalidChecksum',
      errorMessage: 'eventDataChecksum is not the SHA-256 of eventData.',
    };
  }
  const checked = checkEventData(eventData, channel.accountId);
  if ('errorCode' in checked) return checked;
  const eventID = eventIdFor(channel.arn, id, eventData);
  const { payload, note } = recordFor(channel, eventID, checked, eventData);
  if (payload.length > limits.auditRecordBytes) {
    const errorMessage = `The event is larger than ${limits.auditRecordBytes} bytes.`;
    return { errorCode: 'FieldTooLong', errorMessage };
  }
  return { eventID, entry: { kind: 'ingested', payload, note } };
}

/**
 * PutAuditEvents ("PutAuditEvents", CloudTrail Data API): up to 100 events or 1 MB of one's own systems. The events that
 * are taken become durable together with the record of the call, in one append. Events that are not taken are named in
 * `failed`; they do not keep the others out. `created` is the ARN of the caller's channel that the request names, where it
 * is one that CreateChannel made.
 */
export function PutAuditEvents(
  clock: Clock,
  request: PutAuditEventsRequest,
  call: Pick<Call, 'accountId' | 'region'>,
  change: Pick<AuditedChange, 'append'>,
  created?: string,
): PutAuditEventsResponse {
  const arn = channelOf(request.channelArn, call, created);
  refuseTooMuch(request.auditEvents);
  refuseDuplicates(request.auditEvents);
  const { accountId, region } = call;
  const channel: Channel = { arn, accountId, region, ingestionTime: auditTime(clock.now()) };
  const successful: { id: string; eventID: string }[] = [];
  const failed: { id: string; errorCode: string; errorMessage: string }[] = [];
  for (const event of request.auditEvents) {
    const taken = ingest(channel, event);
    if ('errorCode' in taken) {
      failed.push({ id: event.id, ...taken });
    } else {
      change.append(taken.entry);
      successful.push({ id: event.id, eventID: taken.eventID });
    }
  }
  return { successful, failed };
}
