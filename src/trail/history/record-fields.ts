import type { EventResource, RecordScan, ScannedRecord } from './scanned-record.ts';
import { typeNamed } from './resource-names.ts';

/** The text members of a record that attributes come from, as they stand in it. Undefined: absent or not a string. */
export interface RecordFields {
  eventID: string | undefined;
  eventTime: string | undefined;
  eventName: string | undefined;
  eventSource: string | undefined;
  eventCategory: string | undefined;
  eventType: string | undefined;
  errorCode: string | undefined;
  sourceIPAddress: string | undefined;
  recipientAccountId: string | undefined;
  awsRegion: string | undefined;
  /** A boolean in real records; text is accepted as well. */
  readOnly: string | undefined;
  /** The rest stands under userIdentity. */
  type: string | undefined;
  arn: string | undefined;
  userName: string | undefined;
  accessKeyId: string | undefined;
  accountId: string | undefined;
  principalId: string | undefined;
  invokedBy: string | undefined;
  /** userIdentity.sessionContext.sessionIssuer.userName: the role. */
  issuerUserName: string | undefined;
  /** A boolean in real records. */
  managementEvent: string | undefined;
  /** What stands under eventData, in audit events of other systems. */
  dataEventName: string | undefined;
  dataEventSource: string | undefined;
  dataErrorCode: string | undefined;
  dataSourceIPAddress: string | undefined;
  dataType: string | undefined;
  dataPrincipalId: string | undefined;
  /** The record's own `resources`. */
  resources: EventResource[];
  /** Index in `namingParameters`, value: in ascending order of index, and in the record's order within one. */
  named: (readonly [parameter: number, value: string])[];
}

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Two digits at a place of a text; NaN where there are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

let lastDay = '';
let lastMidnight = Number.NaN;

/** Midnight of `2026-11-22`, epoch milliseconds; the last answer is kept, because records come in runs of a day. */
function midnightOf(day: string): number {
  if (day === lastDay) return lastMidnight;
  lastMidnight = parseAnyTime(`${day}T00:00:00Z`) ?? Number.NaN;
  lastDay = day;
  return lastMidnight;
}

/** Parses an eventTime (RFC 3339, as `2026-11-22T20:53:01Z`) to epoch milliseconds; undefined if it is not one. */
function parseEventTime(text: string): number | undefined {
  const isUsual =
    text.length === 20 && text[10] === 'T' && text[13] === ':' && text[16] === ':' && text[19] === 'Z';
  if (!isUsual) return parseAnyTime(text);
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  const isInDay = hours < 24 && minutes < 60 && seconds < 60;
  const time = midnightOf(text.slice(0, 10)) + ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return isInDay && !Number.isNaN(time) ? time : undefined;
}

function parseAnyTime(text: string): number | undefined {
  const match = timePattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnight);
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return undefined;
  const millis = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  const time = midnight + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000 + millis;
  if (zone === undefined || zone === 'Z') return time;
  const shift = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
  return zone.startsWith('+') ? time - shift : time + shift;
}

function afterLast(text: string | undefined, separator: string): string | undefined {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf(separator);
  return at < 0 || at + 1 === text.length ? undefined : text.slice(at + 1);
}

/**
 * Who called, as LookupEvents shows it in Username: the user name of an IAM user, the session name of an assumed role
 * (see the example of `aws cloudtrail lookup-events`), `root` for the root user, the service for calls of AWS itself.
 */
function usernameOf(fields: RecordFields): string | undefined {
  switch (fields.type) {
    case 'Root':
      return 'root';
    case 'AssumedRole':
      return (
        afterLast(fields.arn, '/') ??
        afterLast(fields.principalId, ':') ??
        fields.userName ??
        fields.issuerUserName
      );
    case 'FederatedUser':
      return fields.userName ?? afterLast(fields.arn, '/') ?? afterLast(fields.principalId, ':');
    case 'AWSService':
      return fields.userName ?? fields.invokedBy;
    case undefined:
    default:
      return (
        fields.userName ??
        (fields.type === 'IAMUser' ? afterLast(fields.arn, '/') : undefined) ??
        fields.invokedBy
      );
  }
}

/** Each pair once, for the few records that name very many resources. */
function distinctResources(resources: readonly EventResource[]): readonly EventResource[] {
  return [...new Map(resources.map((one) => [`${one.type ?? ''}\0${one.name ?? ''}`, one])).values()];
}

function resourcesOf(fields: RecordFields): readonly EventResource[] {
  if (fields.resources.length === 0 && fields.named.length === 0) return fields.resources;
  const isLong = fields.resources.length + fields.named.length > 16;
  const resources: EventResource[] = [];
  const add = ({ name, type }: EventResource) => {
    const isNew = isLong || !resources.some((other) => other.name === name && other.type === type);
    if (isNew) resources.push({ name, type });
  };
  for (const resource of fields.resources) add(resource);
  if (fields.eventSource !== undefined) {
    for (const [parameter, name] of fields.named) {
      const type = typeNamed(parameter, fields.eventSource, fields.eventName);
      if (type !== undefined) add({ name, type });
    }
  }
  return isLong ? distinctResources(resources) : resources;
}

/** Since event version 1.07 records say it; older ones are management events unless they deny it. */
function categoryOf(fields: RecordFields): string {
  return fields.eventCategory ?? (fields.managementEvent === 'false' ? 'Data' : 'Management');
}

/** What happened, by whom and from where: in audit events of other systems all of it stands under eventData. */
function happeningOf(fields: RecordFields) {
  if (fields.eventCategory === 'ActivityAuditLog') {
    return {
      eventName: fields.dataEventName,
      eventSource: fields.dataEventSource,
      username: fields.dataPrincipalId,
      principalType: fields.dataType,
      errorCode: fields.dataErrorCode,
      sourceIpAddress: fields.dataSourceIPAddress,
    };
  }
  return {
    eventName: fields.eventName,
    eventSource: fields.eventSource,
    username: usernameOf(fields),
    principalType: fields.type,
    errorCode: fields.errorCode,
    sourceIpAddress: fields.sourceIPAddress,
  };
}

/** Turns a record's members into what is indexed, or says what is missing. */
export function recordOf(fields: RecordFields): RecordScan {
  const { eventID: eventId, awsRegion: region } = fields;
  if (eventId === undefined) return { kind: 'problem', problem: 'no eventID' };
  const eventTime = fields.eventTime === undefined ? undefined : parseEventTime(fields.eventTime);
  if (eventTime === undefined) return { kind: 'problem', problem: 'no eventTime' };
  const accountId = fields.recipientAccountId ?? fields.accountId;
  if (accountId === undefined) return { kind: 'problem', problem: 'no recipientAccountId' };
  if (region === undefined) return { kind: 'problem', problem: 'no awsRegion' };
  const record: ScannedRecord = {
    eventId,
    eventTime,
    accountId,
    region,
    ...happeningOf(fields),
    readOnly: fields.readOnly === 'true' || fields.readOnly === 'false' ? fields.readOnly : undefined,
    accessKeyId: fields.accessKeyId,
    principalArn: fields.arn,
    eventCategory: categoryOf(fields),
    eventType: fields.eventType,
    resources: resourcesOf(fields),
  };
  return { kind: 'record', record };
}
