import { hash } from 'node:crypto';
import { isIP } from 'node:net';

/** Why an audit event is not taken (PutAuditEvents, ResultErrorEntry). */
export interface AuditEventProblem {
  readonly errorCode:
    | 'FieldNotFound'
    | 'FieldTooLong'
    | 'InvalidData'
    | 'InvalidChecksum'
    | 'InvalidRecipient';
  readonly errorMessage: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** What is needed of an accepted event's data for its record. */
export interface AuditEventData {
  /** Whole seconds in UTC, as CloudTrail writes them. */
  readonly eventTime: string;
  /** As JSON.parse read it. */
  readonly data: JsonObject;
}

const kiB = 1024;

/** Text members and their greatest length ("CloudTrail Lake integrations event schema"). */
const required: readonly (readonly [name: string, maxLength: number])[] = [
  ['version', 256],
  ['eventSource', 1024],
  ['eventName', 1024],
  ['eventTime', 64],
  ['UID', 1024],
  ['recipientAccountId', 12],
];
const optional: readonly (readonly [name: string, maxLength: number])[] = [
  ['userAgent', 1024],
  ['errorCode', 256],
  ['errorMessage', 256],
  ['sourceIPAddress', 64],
];
const objects: readonly (readonly [name: string, maxBytes: number])[] = [
  ['requestParameters', 100 * kiB],
  ['responseElements', 100 * kiB],
  ['additionalEventData', 28 * kiB],
];

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(errorCode: AuditEventProblem['errorCode'], errorMessage: string): AuditEventProblem {
  return { errorCode, errorMessage };
}

function textProblem(
  parent: JsonObject,
  path: string,
  name: string,
  maxLength: number,
  needed: boolean,
): AuditEventProblem | undefined {
  const value = parent[name];
  if (value === undefined || value === null) {
    return needed ? problem('FieldNotFound', `${path}${name} is missing.`) : undefined;
  }
  if (typeof value !== 'string') return problem('InvalidData', `${path}${name} is not a string.`);
  if (needed && value === '') return problem('FieldNotFound', `${path}${name} is empty.`);
  if (value.length > maxLength) {
    return problem('FieldTooLong', `${path}${name} is longer than ${maxLength} characters.`);
  }
  return undefined;
}

function firstProblem(checks: Iterable<AuditEventProblem | undefined>): AuditEventProblem | undefined {
  for (const found of checks) if (found) return found;
  return undefined;
}

function* memberChecks(data: JsonObject, textLength: number): Iterable<AuditEventProblem | undefined> {
  for (const [name, max] of required) yield textProblem(data, 'eventData.', name, max, true);
  for (const [name, max] of optional) yield textProblem(data, 'eventData.', name, max, false);
  for (const [name, maxBytes] of objects) {
    const value = data[name];
    if (value === undefined || value === null) continue;
    if (!isObject(value)) yield problem('InvalidData', `eventData.${name} is not a JSON object.`);
    // An event shorter than the cap cannot hold a member above it.
    else if (textLength * 3 > maxBytes && jsonBytes(value) > maxBytes) {
      yield problem('FieldTooLong', `eventData.${name} is larger than ${maxBytes / kiB} kB.`);
    }
  }
  yield identityProblem(data['userIdentity']);
  const address = data['sourceIPAddress'];
  if (typeof address === 'string' && isIP(address) === 0) {
    yield problem('InvalidData', 'eventData.sourceIPAddress is not an IPv4 or IPv6 address.');
  }
}

/** How large a value is as JSON; one that is nested too deeply to be written is larger than anything. */
function jsonBytes(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch (error) {
    if (error instanceof RangeError) return Infinity;
    throw error;
  }
}

function identityProblem(identity: unknown): AuditEventProblem | undefined {
  if (identity === undefined || identity === null) {
    return problem('FieldNotFound', 'eventData.userIdentity is missing.');
  }
  if (!isObject(identity)) return problem('InvalidData', 'eventData.userIdentity is not a JSON object.');
  const { details } = identity;
  if (details !== undefined && details !== null && !isObject(details)) {
    return problem('InvalidData', 'eventData.userIdentity.details is not a JSON object.');
  }
  return (
    textProblem(identity, 'eventData.userIdentity.', 'type', 128, true) ??
    textProblem(identity, 'eventData.userIdentity.', 'principalId', 1024, true)
  );
}

/** The last time that was read: the events of a request mostly share a few seconds. */
let lastTime = { text: '', seconds: undefined as string | undefined };

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?$/;

/** `yyyy-MM-DDTHH:mm:ss` in UTC, with or without `Z` and a fraction, in whole seconds; undefined if it is none. */
function normaliseTime(text: string): string | undefined {
  if (text !== lastTime.text) lastTime = { text, seconds: readTime(text) };
  return lastTime.seconds;
}

function readTime(text: string): string | undefined {
  if (!timePattern.test(text)) return undefined;
  const seconds = `${text.slice(0, 19)}Z`;
  const time = new Date(seconds);
  // A date such as 30 February moves to another day when it is parsed.
  return Number.isNaN(time.getTime()) || time.toISOString().slice(0, 19) !== text.slice(0, 19)
    ? undefined
    : seconds;
}

/** Checks one event's data ("CloudTrail Lake integrations event schema"), which belongs to `accountId`'s channel. */
export function checkEventData(text: string, accountId: string): AuditEventData | AuditEventProblem {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return problem('InvalidData', 'eventData is not JSON.');
  }
  if (!isObject(data)) return problem('InvalidData', 'eventData is not a JSON object.');
  const found = firstProblem(memberChecks(data, text.length));
  if (found) return found;
  const eventTime = normaliseTime(String(data['eventTime']));
  if (eventTime === undefined) {
    return problem(
      'InvalidData',
      'eventData.eventTime is not a time of the form yyyy-MM-DDTHH:mm:ss in UTC.',
    );
  }
  if (data['recipientAccountId'] !== accountId) {
    return problem(
      'InvalidRecipient',
      'eventData.recipientAccountId is not the account that owns the channel.',
    );
  }
  return { eventTime, data };
}

/** Whether `checksum` is the Base64-encoded SHA-256 of the data (AuditEvent, eventDataChecksum). */
export function checksumMatches(text: string, checksum: string): boolean {
  return hash('sha256', text, 'base64') === checksum;
}

/**
 * The eventID of an ingested event: made from its channel, the id that its sender gave it, and its data, so that a
 * request which is sent again after a lost answer does not make a second event.
 */
export function eventIdFor(channelArn: string, id: string, text: string): string {
  const digest = hash('sha256', `${channelArn}\0${id}\0${text}`, 'buffer');
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
