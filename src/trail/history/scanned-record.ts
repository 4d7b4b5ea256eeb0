import type { AttributeName, RecordProblem } from './history-types.ts';

/** A resource that an event names. As in LookupEvents, a resource has a name, a type, or both. */
export interface EventResource {
  readonly name: string | undefined;
  readonly type: string | undefined;
}

/** What the history indexes of one CloudTrail record. Text that is absent, empty or not a string is undefined. */
export interface ScannedRecord {
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly eventTime: number;
  /** recipientAccountId, else userIdentity.accountId. */
  readonly accountId: string;
  readonly region: string;
  readonly eventName: string | undefined;
  readonly eventSource: string | undefined;
  /** `true` or `false`. */
  readonly readOnly: string | undefined;
  /** Who called, as LookupEvents shows it: user name, role session name, `root`, or the calling service. */
  readonly username: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly principalArn: string | undefined;
  readonly principalType: string | undefined;
  readonly errorCode: string | undefined;
  readonly sourceIpAddress: string | undefined;
  readonly eventCategory: string | undefined;
  readonly eventType: string | undefined;
  /** The record's own `resources`, then those that well-known parameters name; each pair once. */
  readonly resources: readonly EventResource[];
}

export type RecordScan =
  | { readonly kind: 'record'; readonly record: ScannedRecord }
  | { readonly kind: 'problem'; readonly problem: RecordProblem };

/** An attribute of which a record has at most one value. */
export type SingleAttribute = Exclude<AttributeName, 'ResourceName' | 'ResourceType'>;

/** Where a record holds each attribute's value. */
export const memberOfAttribute = {
  EventId: 'eventId',
  EventName: 'eventName',
  ReadOnly: 'readOnly',
  Username: 'username',
  EventSource: 'eventSource',
  AccessKeyId: 'accessKeyId',
  ErrorCode: 'errorCode',
  SourceIpAddress: 'sourceIpAddress',
  PrincipalArn: 'principalArn',
  PrincipalType: 'principalType',
  AccountId: 'accountId',
  Region: 'region',
  EventCategory: 'eventCategory',
  EventType: 'eventType',
} as const satisfies Record<SingleAttribute, keyof ScannedRecord>;

const noValues: readonly string[] = [];

function distinct(values: readonly (string | undefined)[]): readonly string[] {
  const [first] = values;
  if (values.length === 1) return first === undefined ? noValues : [first];
  return [...new Set(values)].filter((value) => value !== undefined);
}

/** The record's values of an attribute: none, one, or (resources) several distinct ones. */
export function attributeValues(record: ScannedRecord, name: AttributeName): readonly string[] {
  if (name === 'ResourceName') return distinct(record.resources.map((resource) => resource.name));
  if (name === 'ResourceType') return distinct(record.resources.map((resource) => resource.type));
  const value = record[memberOfAttribute[name]];
  return value === undefined ? noValues : [value];
}
