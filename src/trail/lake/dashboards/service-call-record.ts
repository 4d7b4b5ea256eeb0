import type { AwsFault, Random } from '../../../kernel/index.ts';
import type { NewEntry } from '../../../journal/index.ts';
import { auditTime } from '../../recording/user-identity.ts';
import type { DashboardDocument } from './dashboard-documents.ts';

const cloudTrail = 'cloudtrail.amazonaws.com';

/**
 * The record of a call that CloudTrail makes for a dashboard, in the dashboard's account ("CloudTrail userIdentity
 * element", invokedBy): nobody but the service is its caller.
 */
export function serviceCallRecord(
  { arn, accountId, region }: Pick<DashboardDocument, 'arn' | 'accountId' | 'region'>,
  call: {
    readonly eventName: 'StartDashboardRefresh' | 'StartQuery';
    /** Epoch milliseconds. */
    readonly now: number;
    readonly random: Random;
    readonly requestParameters: unknown;
    readonly responseElements: unknown;
    readonly error?: AwsFault | undefined;
  },
): NewEntry {
  const record = {
    eventVersion: '1.11',
    userIdentity: { type: 'AWSService', invokedBy: cloudTrail },
    eventTime: auditTime(call.now),
    eventSource: cloudTrail,
    eventName: call.eventName,
    awsRegion: region,
    sourceIPAddress: cloudTrail,
    userAgent: cloudTrail,
    ...(call.error && { errorCode: call.error.code, errorMessage: call.error.message }),
    requestParameters: call.requestParameters,
    responseElements: call.responseElements,
    requestID: call.random.uuid(),
    eventID: call.random.uuid(),
    readOnly: false,
    resources: [{ accountId, type: 'AWS::CloudTrail::Dashboard', ARN: arn }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
  };
  return { kind: 'record', payload: Buffer.from(JSON.stringify(record)) };
}
