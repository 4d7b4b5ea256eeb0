import { gzipSync } from 'node:zlib';

/** What is called: `eventSource`, `eventName`, and the category. */
export interface QuietCall {
  readonly eventSource: string;
  readonly eventName: string;
  readonly eventCategory: 'Management' | 'Data';
}

/** A log file with a call an hour, for nine days before `until`, so that the account is known long enough for insights. */
export function quietDays(accountId: string, until: number, call: QuietCall): Buffer {
  const Records = Array.from({ length: 9 * 24 }, (_, hour) => ({
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${accountId}:user/deploy`, userName: 'deploy' },
    eventTime: `${new Date(until - (hour + 1) * 3_600_000).toISOString().slice(0, 19)}Z`,
    awsRegion: 'us-east-1',
    eventID: `11111111-2222-4333-8444-${String(hour).padStart(12, '0')}`,
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: call.eventCategory === 'Management',
    recipientAccountId: accountId,
    ...call,
  }));
  return gzipSync(JSON.stringify({ Records }));
}
