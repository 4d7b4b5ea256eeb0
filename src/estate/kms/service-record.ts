import type { Random } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';
import { keyArn } from './key-documents.ts';

/** A moment (epoch milliseconds) as records have it. */
export const recordTime = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/**
 * The CloudTrail record of what KMS does by itself, such as DeleteKey and RotateKey ("Examples of AWS KMS log entries"):
 * an AwsServiceEvent without a caller, in the account of the key.
 */
export function serviceRecord(
  key: { readonly accountId: string; readonly region: string; readonly id: string },
  event: {
    readonly eventName: string;
    /** Epoch milliseconds. */
    readonly time: number;
    readonly random: Random;
    readonly details: Readonly<Record<string, unknown>>;
  },
): NewEntry {
  const record = {
    eventVersion: '1.11',
    userIdentity: { accountId: key.accountId, invokedBy: 'AWS Internal' },
    eventTime: recordTime(event.time),
    eventSource: 'kms.amazonaws.com',
    eventName: event.eventName,
    awsRegion: key.region,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: null,
    eventID: event.random.uuid(),
    readOnly: false,
    resources: [{ accountId: key.accountId, type: 'AWS::KMS::Key', ARN: keyArn(key) }],
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: key.accountId,
    serviceEventDetails: event.details,
    eventCategory: 'Management',
  };
  return { kind: 'record', payload: Buffer.from(JSON.stringify(record)) };
}
