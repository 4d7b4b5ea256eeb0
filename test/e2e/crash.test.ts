import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateUserCommand, DeleteUserCommand, IAMClient, paginateListUsers } from '@aws-sdk/client-iam';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/kernel/index.ts';
import { startServer, type TestServer } from './harness.ts';
import { putPings } from './pings.ts';
import { signedFetch } from './signed-fetch.ts';

/**
 * Kills the server with SIGKILL at random moments under load, starts it again on the same data, and compares what was
 * acknowledged with what is there. `CAIRN_CRASH_ROUNDS` sets how often, `CAIRN_CRASH_SEED` repeats a run.
 */
const rounds = Number(process.env['CAIRN_CRASH_ROUNDS'] ?? 20);
const seed = Number(process.env['CAIRN_CRASH_SEED'] ?? process.pid);
const random = seededRandom(seed);
const data = mkdtempSync(join(tmpdir(), 'cairn-crash-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

/** What the clients know: what was acknowledged, and what was asked and never answered. */
const ledgerParts = ['users', 'deleted', 'unanswered', 'audited'] as const;
type Ledger = Readonly<Record<(typeof ledgerParts)[number], Set<string>>>;

function emptyLedger(): Ledger {
  return { users: new Set(), deleted: new Set(), unanswered: new Set(), audited: new Set() };
}

async function manageUsers(
  iam: IAMClient,
  worker: string,
  ledger: Ledger,
  stopped: AbortSignal,
): Promise<void> {
  for (let index = 0; !stopped.aborted; index++) {
    const name = `u-${worker}-${index}`;
    ledger.unanswered.add(name);
    try {
      await iam.send(new CreateUserCommand({ UserName: name }));
      ledger.users.add(name);
      // Most go again, so that a long run stays below the quota of users.
      if (index % 3 > 0) {
        await iam.send(new DeleteUserCommand({ UserName: name }));
        ledger.deleted.add(name);
      }
      ledger.unanswered.delete(name);
    } catch (error) {
      if (!stopped.aborted) throw error;
    }
  }
}

async function ping(server: TestServer, ledger: Ledger, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const ids = Array.from({ length: 20 }, () => random.uuid());
    for (const id of await putPings(server, ids).catch(() => [])) ledger.audited.add(id);
  }
}

async function eventsOf(
  server: TestServer,
  query: Record<string, string>,
): Promise<Record<string, unknown>[]> {
  const answer = await signedFetch(server, '/_cairn/events', {
    service: 'cairn',
    query: { ...query, format: 'ndjson' },
  });
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return text
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

async function usersOf(server: TestServer): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const page of paginateListUsers(
    { client: new IAMClient(server.clientOptions), pageSize: 1000 },
    {},
  )) {
    for (const user of page.Users ?? []) names.add(user.UserName ?? '');
  }
  return names;
}

async function compare(server: TestServer, ledger: Ledger, since: string): Promise<void> {
  const users = await usersOf(server);
  const lost = [...ledger.users].filter(
    (name) => !users.has(name) && !ledger.deleted.has(name) && !ledger.unanswered.has(name),
  );
  expect(lost, 'users that were acknowledged and are gone').toEqual([]);
  expect(
    [...ledger.deleted].filter((name) => users.has(name)),
    'deletions that were acknowledged and did not stay',
  ).toEqual([]);

  const created = await eventsOf(server, { eventName: 'CreateUser', from: since });
  const names = created.map((event) => (event['requestParameters'] as { userName: string }).userName);
  const recorded = new Set(names);
  expect(names.length, 'records are there once').toBe(recorded.size);
  expect(
    [...ledger.users].filter((name) => !recorded.has(name)),
    'calls without their record',
  ).toEqual([]);
  const deleted = await eventsOf(server, { eventName: 'DeleteUser', from: since });
  const recordedDeletions = new Set(
    deleted.map((event) => (event['requestParameters'] as { userName: string }).userName),
  );
  const present = new Set([...users].filter((name) => ledger.users.has(name) || ledger.unanswered.has(name)));
  for (const name of recorded) present.delete(name);
  expect([...present], 'changes without their record').toEqual([]);
  const claimed = names.filter((name) => !users.has(name) && !recordedDeletions.has(name));
  expect(claimed, 'records of changes that did not happen').toEqual([]);

  const audited = new Set(
    (await eventsOf(server, { eventName: 'Ping', from: since })).map((event) => event['eventID']),
  );
  expect(
    [...ledger.audited].filter((id) => !audited.has(id)),
    'audit events that were acknowledged and are gone',
  ).toEqual([]);
}

describe('a server that is killed', () => {
  it(
    `keeps what it acknowledged, ${rounds} times over (CAIRN_CRASH_SEED=${seed})`,
    { timeout: 60_000 + rounds * 30_000 },
    async () => {
      const all = emptyLedger();
      const start = String(Date.now() - 1000);
      for (let round = 0; round < rounds; round++) {
        const since = String(Date.now() - 1000);
        const ledger = emptyLedger();
        const server = await startServer({ data });
        const iam = new IAMClient(server.clientOptions);
        const stopped = new AbortController();
        const work = [
          ...['a', 'b', 'c', 'd'].map((worker) =>
            manageUsers(iam, `${round}${worker}`, ledger, stopped.signal),
          ),
          ...[1, 2].map(() => ping(server, ledger, stopped.signal)),
        ];
        // On a busy machine it takes a while until the first calls are answered.
        const acknowledgedNow = () => ledger.users.size + ledger.deleted.size + ledger.audited.size;
        while (acknowledgedNow() === 0) await pause(5);
        await pause(random.below(400));
        stopped.abort();
        await server.kill();
        await Promise.all(work);
        const again = await startServer({ data });
        await compare(again, ledger, since);
        await again.kill();
        for (const part of ledgerParts) for (const name of ledger[part]) all[part].add(name);
      }
      expect(all.users.size + all.deleted.size + all.audited.size).toBeGreaterThan(rounds);
      // What a round found must have come through all the kills behind it, merges and checkpoints included.
      await using last = await startServer({ data });
      await compare(last, all, start);
    },
  );
});
