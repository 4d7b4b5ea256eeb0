import type { Random } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';
import { keyArn, type KeyDocument } from './key-documents.ts';

type KeyPlace = Pick<KeyDocument, 'accountId' | 'region' | 'id'>;

/** What the records of KMS's own doing and of services' uses of keys say each for itself. */
interface ServiceEvent {
  readonly eventName: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly random: Random;
  readonly userIdentity: Readonly<Record<string, string>>;
  /** Who it was, where other records have an address and a program. */
  readonly source: string;
  readonly eventType: 'AwsApiCall' | 'AwsServiceEvent';
  readonly readOnly: boolean;
  readonly recipientAccountId: string;
  readonly resources: readonly unknown[];
  readonly requestParameters?: unknown;
  readonly additionalEventData?: unknown;
  readonly requestID?: string;
  readonly sharedEventID?: string | undefined;
  readonly serviceEventDetails?: unknown;
}

/** A key among the resources of a record. */
export const keyResource = (key: KeyPlace) => ({
  accountId: key.accountId,
  type: 'AWS::KMS::Key',
  ARN: keyArn(key),
});

/** The CloudTrail record of what happened to a key without a call of a principal. */
export function serviceRecord(event: ServiceEvent): NewEntry {
  const record = {
    eventVersion: '1.11',
    userIdentity: event.userIdentity,
    eventTime: `${new Date(event.time).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: event.source,
    userAgent: event.source,
    requestParameters: event.requestParameters ?? null,
    responseElements: null,
    additionalEventData: event.additionalEventData,
    requestID: event.requestID,
    eventID: event.random.uuid(),
    readOnly: event.readOnly,
    resources: event.resources,
    eventType: event.eventType,
    managementEvent: true,
    recipientAccountId: event.recipientAccountId,
    sharedEventID: event.sharedEventID,
    serviceEventDetails: event.serviceEventDetails,
    eventCategory: 'Management',
  };
  return { kind: 'record', payload: Buffer.from(JSON.stringify(record)) };
}

/**
 * The record of what KMS does by itself, such as DeleteKey and RotateKey ("Examples of AWS KMS log entries"): an
 * AwsServiceEvent without a caller, in the account of the key.
 */
export function keyEventRecord(
  key: KeyPlace,
  event: Pick<ServiceEvent, 'eventName' | 'time' | 'random'> & {
    readonly details: Readonly<Record<string, unknown>>;
  },
): NewEntry {
  return serviceRecord({
    eventName: event.eventName,
    region: key.region,
    time: event.time,
    random: event.random,
    userIdentity: { accountId: key.accountId, invokedBy: 'AWS Internal' },
    source: 'AWS Internal',
    eventType: 'AwsServiceEvent',
    readOnly: false,
    recipientAccountId: key.accountId,
    resources: [keyResource(key)],
    serviceEventDetails: event.details,
  });
}
