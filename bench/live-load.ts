import { setTimeout as pause } from 'node:timers/promises';
import { lookUp, openLightClient } from './light-client.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * Keeps up `perSecond` IAM writes, and for every tenth measures the milliseconds from its answer to the first LookupEvents
 * that finds it.
 */
export async function callToFound(
  server: ServerProcess,
  load: { readonly perSecond: number; readonly seconds: number },
): Promise<readonly number[]> {
  const client = openLightClient(server);
  const times: number[] = [];
  const run = Date.now().toString(36);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const one = async (index: number): Promise<void> => {
    const name = `bench-${run}-${index}`;
    const body = `Action=CreateUser&Version=2010-05-08&UserName=${name}`;
    const answer = await client.send({ service: 'iam', method: 'POST', target: '/', headers, body });
    if (answer === undefined) throw new Error('the server is overloaded');
    if (index % 10 !== 0) return;
    const answered = performance.now();
    while ((await lookUp(client, 'ResourceName', name)) === 0) await pause(1);
    times.push(performance.now() - answered);
  };
  const start = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < load.perSecond * load.seconds; index++) {
    const due = start + (index / load.perSecond) * 1000;
    await pause(Math.max(0, due - performance.now()));
    all.push(one(index));
  }
  await Promise.all(all);
  client.close();
  return times;
}

/** PutAuditEvents of 100 events for some seconds, from this process alone; events acknowledged a second. */
export async function putAuditEvents(
  server: ServerProcess,
  load: { readonly seconds: number; readonly inFlight: number },
): Promise<number> {
  const client = openLightClient(server);
  const account = server.env['CAIRN_ACCOUNT_ID'] ?? '000000000000';
  const channel = `arn:aws:cloudtrail:us-east-1:${account}:channel/00000000-0000-4000-8000-000000000000`;
  const target = `/PutAuditEvents?channelArn=${encodeURIComponent(channel)}`;
  const headers = { 'content-type': 'application/json' };
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
      const body = JSON.stringify({ auditEvents });
      const answer = await client.send({ service: 'cloudtrail-data', method: 'POST', target, headers, body });
      if (answer === undefined) {
        // Overloaded: the same client would try again after a pause.
        await pause(5);
        continue;
      }
      const { successful = [] } = JSON.parse(answer) as { readonly successful?: readonly unknown[] };
      if (successful.length < auditEvents.length)
        throw new Error(`not all were taken: ${answer.slice(0, 300)}`);
      acknowledged += successful.length;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: load.inFlight }, worker));
  client.close();
  return (acknowledged / (performance.now() - start)) * 1000;
}
