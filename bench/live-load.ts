import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { setTimeout as pause } from 'node:timers/promises';
import { signedFetch } from '../test/e2e/signed-fetch.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * Keeps up `perSecond` IAM writes, and for every tenth measures the milliseconds from its answer to the first LookupEvents
 * that finds it.
 */
export async function callToFound(
  server: ServerProcess,
  load: { readonly perSecond: number; readonly seconds: number },
): Promise<readonly number[]> {
  const options = { endpoint: server.endpoint, credentials: server.credentials, region: 'us-east-1' };
  const iam = new IAMClient(options);
  const trail = new CloudTrailClient(options);
  const times: number[] = [];
  const run = Date.now().toString(36);
  const one = async (index: number): Promise<void> => {
    const UserName = `bench-${run}-${index}`;
    await iam.send(new CreateUserCommand({ UserName }));
    if (index % 10 !== 0) return;
    const answered = performance.now();
    const command = new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: UserName }],
    });
    while (((await trail.send(command)).Events ?? []).length === 0) await pause(1);
    times.push(performance.now() - answered);
  };
  const start = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < load.perSecond * load.seconds; index++) {
    const due = start + (index / load.perSecond) * 1000;
    if (due > performance.now()) await pause(due - performance.now());
    all.push(one(index));
  }
  await Promise.all(all);
  return times;
}

/** PutAuditEvents of 100 events for some seconds, from this process alone; events acknowledged a second. */
export async function putAuditEvents(
  server: ServerProcess,
  load: { readonly seconds: number; readonly inFlight: number },
): Promise<number> {
  const account = server.env['CAIRN_ACCOUNT_ID'] ?? '000000000000';
  const query = {
    channelArn: `arn:aws:cloudtrail:us-east-1:${account}:channel/00000000-0000-4000-8000-000000000000`,
  };
  const detail = 'x'.repeat(1000);
  const run = Date.now().toString(16).padStart(12, '0').slice(-12);
  let acknowledged = 0;
  let next = 0;
  const end = performance.now() + load.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const auditEvents = Array.from({ length: 100 }, () => {
        const id = `${String(next++).padStart(8, '0')}-0000-4000-8000-${run}`;
        const event = {
          version: '1.0',
          userIdentity: { type: 'app', principalId: 'bench', details: { detail } },
          eventSource: 'bench.example',
          eventName: 'Bench',
          eventTime: '2026-01-01T00:00:00Z',
          UID: id,
          recipientAccountId: account,
        };
        return { id, eventData: JSON.stringify(event) };
      });
      const answer = await signedFetch(server, '/PutAuditEvents', {
        service: 'cloudtrail-data',
        method: 'POST',
        query,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ auditEvents }),
      });
      if (answer.status === 503) {
        // Overloaded: the same client would try again after a pause.
        await pause(5);
        continue;
      }
      const { successful = [] } = (await answer.json()) as { readonly successful?: readonly unknown[] };
      if (successful.length < auditEvents.length) throw new Error(`not all were taken: ${answer.status}`);
      acknowledged += successful.length;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: load.inFlight }, worker));
  return (acknowledged / (performance.now() - start)) * 1000;
}
