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

function objectProblem(
  data: JsonObject,
  [name, maxBytes]: (typeof objects)[number],
  textLength: number,
): AuditEventProblem | undefined {
  const value = data[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return problem('InvalidData', `eventData.${name} is not a JSON object.`);
  // An event shorter than the cap cannot hold a member above it.
  if (textLength * 3 <= maxBytes || jsonBytes(value) <= maxBytes) return undefined;
  return problem('FieldTooLong', `eventData.${name} is larger than ${maxBytes / kiB} kB.`);
}

/** The first thing that is wrong with the members. */
function memberProblem(data: JsonObject, textLength: number): AuditEventProblem | undefined {
  for (const [name, max] of required) {
    const found = textProblem(data, 'eventData.', name, max, true);
    if (found) return found;
  }
  for (const [name, max] of optional) {
    const found = textProblem(data, 'eventData.', name, max, false);
    if (found) return found;
  }
  for (const one of objects) {
    const found = objectProblem(data, one, textLength);
    if (found) return found;
  }
  return identityProblem(data['userIdentity']) ?? addressProblem(data['sourceIPAddress']);
}

function addressProblem(address: unknown): AuditEventProblem | undefined {
  if (typeof address !== 'string' || isIP(address) !== 0) return undefined;
  return problem('InvalidData', 'eventData.sourceIPAddress is not an IPv4 or IPv6 address.');
}

/**
 * How large a value is as JSON. Walked with a list of our own: JSON.stringify gives up at a depth that depends on the
 * thread's stack, and an event must not be judged by the thread it meets.
 */
function jsonBytes(value: unknown): number {
  const left: unknown[] = [value];
  let sizeBytes = 0;
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) {
      sizeBytes += Buffer.byteLength(JSON.stringify(next));
      continue;
    }
    const values: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    // The brackets, and a comma between each two.
    sizeBytes += 2 + Math.max(0, values.length - 1);
    for (const entry of values) left.push(entry);
    if (values === next) continue;
    for (const key of Object.keys(next)) sizeBytes += Buffer.byteLength(JSON.stringify(key)) + 1;
  }
  return sizeBytes;
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
  const found = memberProblem(data, text.length);
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
