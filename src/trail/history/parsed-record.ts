import { assert } from '../../kernel/index.ts';
import type { EventResource, ScannedRecord } from './scanned-record.ts';
import { recordOf, type RecordFields } from './record-fields.ts';
import { namingParameters } from './resource-names.ts';

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(object: unknown, name: string): string | undefined {
  if (!isObject(object) || !Object.hasOwn(object, name)) return undefined;
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined;
}

function memberOf(object: unknown, name: string): unknown {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

function wordOf(record: JsonObject, name: string): string | undefined {
  const value = memberOf(record, name);
  return typeof value === 'boolean' ? String(value) : textOf(record, name);
}

function ownResources(record: JsonObject): EventResource[] {
  const list = memberOf(record, 'resources');
  if (!Array.isArray(list)) return [];
  return list.flatMap((element: unknown) => {
    const name = textOf(element, 'ARN') ?? textOf(element, 'ARNPrefix');
    const type = textOf(element, 'type');
    return name === undefined && type === undefined ? [] : [{ name, type }];
  });
}

/** Texts at the end of a path; lists on the way are passed through, one level deep at each step. */
function textsAt(value: unknown, path: readonly string[], step: number): readonly string[] {
  const elements: readonly unknown[] = Array.isArray(value) ? value : [value];
  const name = path[step];
  if (name === undefined) {
    const texts = elements.filter((element) => typeof element === 'string');
    return texts.filter((text) => text !== '').map((text) => text.toWellFormed());
  }
  return elements.flatMap((element) => textsAt(memberOf(element, name), path, step + 1));
}

function namedResources(record: JsonObject): (readonly [number, string])[] {
  if (!isObject(record['requestParameters']) && !isObject(record['responseElements'])) return [];
  return namingParameters.flatMap((parameter, index) => {
    const side = memberOf(record, parameter.side);
    // The sides themselves are objects or null in a record; a list there names nothing.
    if (!isObject(side)) return [];
    return textsAt(side, parameter.path, 0).map((value): readonly [number, string] => [index, value]);
  });
}

/** The members that are indexed, taken from a record that JSON.parse has read. */
function fieldsOfParsed(record: JsonObject): RecordFields {
  const identity = memberOf(record, 'userIdentity');
  const issuer = memberOf(memberOf(identity, 'sessionContext'), 'sessionIssuer');
  const data = memberOf(record, 'eventData');
  const dataIdentity = memberOf(data, 'userIdentity');
  return {
    eventID: textOf(record, 'eventID'),
    eventTime: textOf(record, 'eventTime'),
    eventName: textOf(record, 'eventName'),
    eventSource: textOf(record, 'eventSource'),
    eventCategory: textOf(record, 'eventCategory'),
    eventType: textOf(record, 'eventType'),
    errorCode: textOf(record, 'errorCode'),
    sourceIPAddress: textOf(record, 'sourceIPAddress'),
    recipientAccountId: textOf(record, 'recipientAccountId'),
    awsRegion: textOf(record, 'awsRegion'),
    readOnly: wordOf(record, 'readOnly'),
    type: textOf(identity, 'type'),
    arn: textOf(identity, 'arn'),
    userName: textOf(identity, 'userName'),
    accessKeyId: textOf(identity, 'accessKeyId'),
    accountId: textOf(identity, 'accountId'),
    principalId: textOf(identity, 'principalId'),
    invokedBy: textOf(identity, 'invokedBy'),
    issuerUserName: textOf(issuer, 'userName'),
    managementEvent: wordOf(record, 'managementEvent'),
    dataEventName: textOf(data, 'eventName'),
    dataEventSource: textOf(data, 'eventSource'),
    dataErrorCode: textOf(data, 'errorCode'),
    dataSourceIPAddress: textOf(data, 'sourceIPAddress'),
    dataType: textOf(dataIdentity, 'type'),
    dataPrincipalId: textOf(dataIdentity, 'principalId'),
    resources: ownResources(record),
    named: namedResources(record),
  };
}

const noFields = fieldsOfParsed({});

/** Reads a record with JSON.parse; undefined when the text is not a JSON object. */
export function parseRecord(text: string): RecordFields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) ? fieldsOfParsed(value) : undefined;
}

/** What stands around the data of an audit event of another system. */
export interface ActivityHead {
  readonly eventID: string;
  readonly eventTime: string;
  readonly region: string;
  readonly accountId: string;
}

/**
 * What the history indexes of the record of another system's audit event, whose `eventData` JSON.parse has read: the
 * same as `scanRecord` finds in the record's bytes.
 */
export function scanActivity(head: ActivityHead, data: JsonObject): ScannedRecord {
  const identity = memberOf(data, 'userIdentity');
  const scan = recordOf({
    ...noFields,
    eventID: head.eventID,
    eventTime: head.eventTime,
    awsRegion: head.region,
    recipientAccountId: head.accountId,
    eventCategory: 'ActivityAuditLog',
    eventType: 'ActivityLog',
    dataEventName: textOf(data, 'eventName'),
    dataEventSource: textOf(data, 'eventSource'),
    dataErrorCode: textOf(data, 'errorCode'),
    dataSourceIPAddress: textOf(data, 'sourceIPAddress'),
    dataType: textOf(identity, 'type'),
    dataPrincipalId: textOf(identity, 'principalId'),
  });
  assert(scan.kind === 'record', 'the head has what every record needs');
  return scan.record;
}
