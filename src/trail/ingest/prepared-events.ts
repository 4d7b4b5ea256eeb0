import { hash } from 'node:crypto';
import { limits } from '../../kernel/index.ts';
import { entryRoomBytes, hashInPlace, type NewEntry } from '../../journal/index.ts';
import { memberAt, openScanPacker, scanActivity } from '../history/index.ts';
import { entryOf, type LaidOutRecords } from '../laid-out-records.ts';
import { checkEventData, type AuditEventProblem } from './audit-event-data.ts';

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

/** The channel that events are prepared for, whether it exists or not. */
export interface EventChannel {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  /** As records show it. */
  readonly ingestionTime: string;
}

/** The events of a request, checked and made into records, but not taken yet. It can be posted to another thread. */
export interface PreparedEvents extends LaidOutRecords, Pick<PutAuditEventsResponse, 'failed'> {
  readonly channelArn: string;
  /** How many events the request has. */
  readonly count: number;
  /** What is wrong with the events as a whole; then none is prepared. */
  readonly refusal?: { readonly code: string; readonly message: string };
  /** The ids that the sender gave those that can be taken, in the order of their records. */
  readonly ids: readonly string[];
}

/** In bytes of UTF-8. Counting characters is enough where even the widest ones could not be too many. */
function largerThan(mostBytes: number, events: readonly AuditEvent[]): boolean {
  const characters = events.reduce((sum, { eventData }) => sum + eventData.length, 0);
  if (characters * 3 <= mostBytes) return false;
  return events.reduce((sum, { eventData }) => sum + Buffer.byteLength(eventData), 0) > mostBytes;
}

function refusalOf(events: readonly AuditEvent[]): PreparedEvents['refusal'] {
  const { putAuditEventsCount: most, putAuditEventsBytes: mostBytes } = limits;
  if (events.length < 1 || events.length > most) {
    const message = `The request has ${events.length} events; it takes 1 to ${most}.`;
    return { code: 'ValidationException', message };
  }
  if (largerThan(mostBytes, events)) {
    const message = `The events of the request are larger than ${mostBytes} bytes.`;
    return { code: 'ValidationException', message };
  }
  const seen = new Set<string>();
  for (const { id } of events) {
    if (seen.has(id)) {
      const message = `Two events of the request have the id ${id}.`;
      return { code: 'DuplicatedAuditEventId', message };
    }
    seen.add(id);
  }
  return undefined;
}

const idCharacters = 36;
const timeCharacters = 20;

/** What stands before `eventData` in a record; the same for all events of a request but for two members of fixed length. */
interface RecordHead {
  readonly bytes: Buffer;
  readonly eventIdAt: number;
  readonly eventTimeAt: number;
}

/** What CloudTrail Lake provides around `eventData` after ingestion ("CloudTrail Lake integrations event schema"). */
function headOf({ arn, accountId, region, ingestionTime }: EventChannel): RecordHead {
  const head = JSON.stringify({
    eventVersion: '1.0',
    eventCategory: 'ActivityAuditLog',
    eventType: 'ActivityLog',
    eventID: ' '.repeat(idCharacters),
    eventTime: ' '.repeat(timeCharacters),
    awsRegion: region,
    recipientAccountId: accountId,
    metadata: { ingestionTime, channelARN: arn },
  });
  const behind = (text: string): number => head.indexOf(text) + text.length;
  return {
    bytes: Buffer.from(`${head.slice(0, -1)},"eventData":`),
    eventIdAt: behind('"eventID":"'),
    eventTimeAt: behind('"eventTime":"'),
  };
}

/**
 * The eventID of an ingested event: made from its channel, the id that its sender gave it, and its data, so that a
 * request which is sent again after a lost answer does not make a second event. `bytes` are the three of them.
 */
function eventIdOf(bytes: Uint8Array): string {
  const hex = hash('sha256', bytes, 'hex');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3] ?? '';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const wrongChecksum: AuditEventProblem = {
  errorCode: 'InvalidChecksum',
  errorMessage: 'eventDataChecksum is not the SHA-256 of eventData.',
};

const tooLong: AuditEventProblem = {
  errorCode: 'FieldTooLong',
  errorMessage: `The event is larger than ${limits.auditRecordBytes} bytes.`,
};

/**
 * Makes the records one behind the other in one piece of memory. Each event's data is put where it stays, and what is
 * hashed together with it is written in front of it, where the record's head comes at last: so every text becomes bytes
 * once.
 */
function openRecords(channel: EventChannel, events: readonly AuditEvent[]) {
  const head = headOf(channel);
  const channelName = Buffer.from(`${channel.arn}\0`);
  /** Of what stands in front of the data of an event for its eventID: the channel and the id, each ended by a zero. */
  const nameBytes = ({ id }: AuditEvent): number => channelName.length + Buffer.byteLength(id) + 1;
  const roomFor = (event: AuditEvent): number =>
    Math.max(entryRoomBytes + head.bytes.length, nameBytes(event));
  const sizeBytes = events.reduce(
    (sum, event) => sum + roomFor(event) + Buffer.byteLength(event.eventData) + 1,
    0,
  );
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  const spans = new Uint32Array(events.length * 2);
  const packer = openScanPacker();
  let count = 0;
  let end = 0;

  const add = (event: AuditEvent): AuditEventProblem | undefined => {
    const { eventData, eventDataChecksum } = event;
    const dataAt = end + roomFor(event);
    const dataEnd = dataAt + bytes.write(eventData, dataAt);
    const isRight =
      eventDataChecksum === undefined ||
      hash('sha256', bytes.subarray(dataAt, dataEnd), 'base64') === eventDataChecksum;
    if (!isRight) return wrongChecksum;
    const checked = checkEventData(eventData, channel.accountId);
    if ('errorCode' in checked) return checked;
    const nameAt = dataAt - nameBytes(event);
    bytes.set(channelName, nameAt);
    bytes.write(event.id, nameAt + channelName.length);
    bytes[dataAt - 1] = 0;
    const eventID = eventIdOf(bytes.subarray(nameAt, dataEnd));
    const start = dataAt - head.bytes.length;
    if (dataEnd + 1 - start > limits.auditRecordBytes) return tooLong;
    bytes.set(head.bytes, start);
    bytes.write(eventID, start + head.eventIdAt, 'latin1');
    bytes.write(checked.eventTime, start + head.eventTimeAt, 'latin1');
    bytes[dataEnd] = 0x7d;
    end = dataEnd + 1;
    hashInPlace(bytes, start, end);
    packer.add(scanActivity({ ...channel, eventID, eventTime: checked.eventTime }, checked.data));
    spans[count * 2] = start;
    spans[count * 2 + 1] = end;
    count += 1;
    return undefined;
  };
  return {
    add,
    done: () => ({
      bytes: new Uint8Array(bytes.buffer),
      spans: spans.slice(0, count * 2),
      scans: packer.pack(),
    }),
  };
}

/**
 * Checks the events of a request and makes the records of those that can be taken, with each event's data as it was
 * sent, byte for byte. Events that cannot be taken are named in `failed`; they do not keep the others out.
 */
export function prepareEvents(
  { auditEvents }: Pick<PutAuditEventsRequest, 'auditEvents'>,
  channel: EventChannel,
): PreparedEvents {
  const refusal = refusalOf(auditEvents);
  const events = refusal ? [] : auditEvents;
  const records = openRecords(channel, events);
  const ids: string[] = [];
  const failed: { id: string; errorCode: string; errorMessage: string }[] = [];
  for (const event of events) {
    const problem = records.add(event);
    if (problem) failed.push({ id: event.id, ...problem });
    else ids.push(event.id);
  }
  const shared = { channelArn: channel.arn, count: auditEvents.length, ids, failed };
  return { ...shared, ...(refusal && { refusal }), ...records.done() };
}

/** What the sender is told: for each event that is taken, the eventID that it has now. */
export function answerOf({ ids, scans, failed }: PreparedEvents): PutAuditEventsResponse {
  const successful = ids.map((id, index) => ({ id, eventID: memberAt(scans, index, 'eventId') as string }));
  return { successful, failed };
}

/** The records as journal entries. */
export function entriesOf(events: PreparedEvents): readonly NewEntry[] {
  return events.ids.map((_, index) => entryOf('ingested', events, index));
}
