import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/** Requests of PutAuditEvents that are large enough for worker threads, against a server of its own process. */

const data = mkdtempSync(join(tmpdir(), 'cairn-put-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const channelArn = 'arn:aws:cloudtrail:us-east-1:000000000000:channel/00000000-0000-4000-8000-000000000000';
const eventsOfRequest = 100;

function bodyOf(batch: string): string {
  const auditEvents = Array.from({ length: eventsOfRequest }, (_, index) => ({
    id: `${batch}-${index}`,
    eventData: JSON.stringify({
      version: '1.0',
      userIdentity: { type: 'app', principalId: batch, details: { text: 'ü'.repeat(500) } },
      eventSource: 'put.example',
      eventName: 'Put',
      eventTime: '2026-11-22T10:00:00Z',
      UID: `${batch}-${index}`,
      recipientAccountId: '000000000000',
    }),
  }));
  return JSON.stringify({ auditEvents });
}

async function put(server: TestServer, body: string, signal?: AbortSignal) {
  return signedFetch(server, '/PutAuditEvents', {
    service: 'cloudtrail-data',
    method: 'POST',
    query: { channelArn },
    headers: { 'content-type': 'application/json' },
    body,
    ...(signal && { signal }),
  });
}

/** How many events of a batch are found. */
async function found(server: TestServer, batch: string): Promise<number> {
  const query = { username: batch, format: 'ndjson' };
  const answer = await signedFetch(server, '/_cairn/events', { service: 'cairn', query });
  expect(answer.status).toBe(200);
  return (await answer.text()).split('\n').filter((line) => line.includes(`"${batch}-`)).length;
}

async function callsOf(server: TestServer): Promise<readonly Record<string, unknown>[]> {
  const query = { eventName: 'PutAuditEvents', format: 'ndjson' };
  const answer = await signedFetch(server, '/_cairn/events', { service: 'cairn', query });
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('large requests of PutAuditEvents', () => {
  it('are answered, refused and recorded as small ones are', async () => {
    await using server = await startServer();
    for (let round = 0; round < 4; round++) {
      const names = Array.from({ length: 8 }, (_, index) => `round-${round}-${index}`);
      const answers = await Promise.all(names.map((name) => put(server, bodyOf(name))));
      for (const answer of answers) {
        const { successful, failed } = (await answer.json()) as Record<string, unknown[]>;
        expect([answer.status, successful?.length, failed?.length]).toEqual([200, eventsOfRequest, 0]);
      }
    }
    const good = bodyOf('refused');
    const refusals = [
      [good.slice(0, -2), 400, 'SerializationException'],
      [good.replace('refused-7', 'refused-6'), 400, 'DuplicatedAuditEventId'],
      [good.replace('"id":"refused-9"', '"id":9'), 400, 'SerializationException'],
      [good.replace('"id":"refused-9"', '"id":"?"'), 400, 'ValidationException'],
    ] as const;
    for (const [body, status, code] of refusals) {
      const answer = await put(server, body);
      expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, code]);
    }
    expect(await found(server, 'refused')).toBe(0);
    const calls = await eventually(async () => {
      const all = await callsOf(server);
      return all.length === 32 + refusals.length ? all : undefined;
    });
    const failed = calls.filter((call) => 'errorCode' in call);
    expect(failed.map((call) => String(call['errorCode'])).toSorted()).toEqual(
      refusals.map(([, , code]) => code).toSorted(),
    );
  });

  it('are taken whole or not at all when the client goes away', async () => {
    await using server = await startServer();
    await Promise.all(Array.from({ length: 8 }, (_, index) => put(server, bodyOf(`warm-${index}`))));
    const gone = Array.from({ length: 24 }, (_, index) => `gone-${index}`);
    await Promise.all(
      gone.map(async (name, index) => {
        const leave = new AbortController();
        const sent = put(server, bodyOf(name), leave.signal).catch(() => undefined);
        setTimeout(() => leave.abort(), index * 3);
        await sent;
      }),
    );
    expect((await put(server, bodyOf('after'))).status).toBe(200);
    expect(await found(server, 'after')).toBe(eventsOfRequest);
    // What a client left behind may still be on its way; in the end the calls whose events are there are those that are recorded.
    await eventually(async () => {
      const counts = await Promise.all(gone.map((name) => found(server, name)));
      expect(counts.filter((count) => count !== 0 && count !== eventsOfRequest)).toEqual([]);
      const taken = (await callsOf(server)).filter((call) => !('errorCode' in call)).length;
      return taken === 8 + 1 + counts.filter((count) => count > 0).length ? true : undefined;
    });
  });

  it('are all there if they were answered, and whole or not at all if not, when the server stops', async () => {
    const names = Array.from({ length: 32 }, (_, index) => `stopped-${index}`);
    const answered = new Set<string>();
    {
      await using server = await startServer({ data });
      await Promise.all(Array.from({ length: 8 }, (_, index) => put(server, bodyOf(`warm-${index}`))));
      const all = names.map(async (name) => {
        const answer = await put(server, bodyOf(name)).catch(() => undefined);
        if (answer?.status === 200) answered.add(name);
      });
      await Promise.race(all);
      expect(await server.stop()).toBe(0);
      await Promise.all(all);
    }
    expect(answered.size).toBeGreaterThan(0);
    await using server = await startServer({ data });
    for (const name of names) {
      const count = await found(server, name);
      expect(answered.has(name) ? [eventsOfRequest] : [0, eventsOfRequest]).toContain(count);
    }
  });
});
