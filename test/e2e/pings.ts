import type { TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

const recipientAccountId = '000000000000';
const channelArn = `arn:aws:cloudtrail:us-east-1:${recipientAccountId}:channel/00000000-0000-4000-8000-000000000000`;

const ping = (UID: string) => ({
  version: '1.0',
  userIdentity: { type: 'app', principalId: 'pinger' },
  eventSource: 'pings.example',
  eventName: 'Ping',
  eventTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  UID,
  recipientAccountId,
});

/** Puts one audit event `Ping` for each id, in one request. Returns the event ids of those that were acknowledged. */
export async function putPings(
  server: TestServer,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const answer = await signedFetch(server, '/PutAuditEvents', {
    service: 'cloudtrail-data',
    method: 'POST',
    query: { channelArn },
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auditEvents: ids.map((id) => ({ id, eventData: JSON.stringify(ping(id)) })) }),
    ...(signal && { signal }),
  });
  const { successful = [] } = (await answer.json()) as { successful?: { eventID: string }[] };
  return successful.map(({ eventID }) => eventID);
}
