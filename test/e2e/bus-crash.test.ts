import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/kernel/index.ts';
import { openHttpReceiver, type HttpReceiver } from '../http-receiver.ts';
import { makeTargetRole } from './bus-fixture.ts';
import { startServer, type TestServer } from './harness.ts';

/**
 * Kills the server with SIGKILL while events come in and go out, one of their two targets dead, and starts it again: every
 * event that was acknowledged reaches both.
 */
const rounds = Number(process.env['CAIRN_CRASH_ROUNDS'] ?? 3);
const seed = Number(process.env['CAIRN_CRASH_SEED'] ?? process.pid);
const random = seededRandom(seed);
const data = mkdtempSync(join(tmpdir(), 'cairn-bus-crash-'));

/** An endpoint that can die, and what it took while it lived. */
interface Endpoint {
  readonly receiver: HttpReceiver;
  readonly taken: string[];
  isAlive: boolean;
}

const endpoints: Endpoint[] = [];
let server: TestServer;
let events: EventBridgeClient;

async function openEndpoint(): Promise<Endpoint> {
  const receiver = await openHttpReceiver();
  const endpoint: Endpoint = { receiver, taken: [], isAlive: true };
  receiver.respond = ({ body }, response) => {
    if (!endpoint.isAlive) {
      response.destroy();
      return;
    }
    const { id } = JSON.parse(body) as { readonly id: string };
    setTimeout(() => {
      endpoint.taken.push(id);
      response.writeHead(200).end();
    }, random.below(20));
  };
  endpoints.push(endpoint);
  return endpoint;
}

async function start(): Promise<void> {
  server = await startServer({ data, env: { CAIRN_HTTP_TARGETS: '127.0.0.1' } });
  events = new EventBridgeClient({ ...server.clientOptions, maxAttempts: 1 });
}

async function kill(): Promise<void> {
  await server.kill();
  events.destroy();
}

async function putTarget(name: string, { receiver }: Endpoint, RoleArn: string, ConnectionArn: string) {
  const made = await events.send(
    new CreateApiDestinationCommand({
      Name: name,
      ConnectionArn,
      InvocationEndpoint: `http://${receiver.host}/`,
      HttpMethod: 'POST',
      InvocationRateLimitPerSecond: 1000,
    }),
  );
  return { Id: name, Arn: made.ApiDestinationArn, RoleArn };
}

beforeAll(async () => {
  const [live, mortal] = [await openEndpoint(), await openEndpoint()];
  await start();
  const role = await makeTargetRole(server.clientOptions);
  const { ConnectionArn = '' } = await events.send(
    new CreateConnectionCommand({
      Name: 'c',
      AuthorizationType: 'API_KEY',
      AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'x-key', ApiKeyValue: 'x' } },
    }),
  );
  await events.send(new PutRuleCommand({ Name: 'all', EventPattern: '{"source":["crash"]}' }));
  const Targets = [
    await putTarget('live', live, role, ConnectionArn),
    await putTarget('mortal', mortal, role, ConnectionArn),
  ];
  await events.send(new PutTargetsCommand({ Rule: 'all', Targets }));
  await kill();
});
afterAll(async () => {
  await kill();
  for (const { receiver } of endpoints) await receiver[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

/** Puts events until it is stopped; the ids of those that were acknowledged. */
async function putMany(acknowledged: Set<string>, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const Entries = Array.from({ length: 1 + random.below(10) }, () => ({
      Source: 'crash',
      DetailType: 'a',
      Detail: JSON.stringify({ padding: 'x'.repeat(random.below(2_000)) }),
    }));
    try {
      const { Entries: answers = [] } = await events.send(new PutEventsCommand({ Entries }));
      for (const { EventId } of answers) if (EventId !== undefined) acknowledged.add(EventId);
    } catch (error) {
      if (!stopped.aborted) throw error;
    }
  }
}

const missing = (acknowledged: ReadonlySet<string>, { taken }: Endpoint): number => {
  const there = new Set(taken);
  return [...acknowledged].filter((id) => !there.has(id)).length;
};

async function untilAllAreThere(acknowledged: ReadonlySet<string>, endpoint: Endpoint): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (missing(acknowledged, endpoint) > 0 && performance.now() < deadline) await pause(20);
}

describe('a server that is killed while events go out', () => {
  it(
    `delivers every event that it acknowledged, ${rounds} times over (CAIRN_CRASH_SEED=${seed})`,
    { timeout: 60_000 + rounds * 60_000 },
    async () => {
      const [live, mortal] = endpoints as [Endpoint, Endpoint];
      let repeated = 0;
      for (let round = 0; round < rounds; round++) {
        const acknowledged = new Set<string>();
        mortal.isAlive = false;
        await start();
        const stopped = new AbortController();
        const putting = Promise.all([1, 2, 3].map(() => putMany(acknowledged, stopped.signal)));
        while (acknowledged.size < 20) await pause(5);
        await pause(random.below(1_500));
        stopped.abort();
        await kill();
        await putting;
        // What it keeps of its progress may be gone as well; that costs repetitions and no events.
        if (round % 2 === 1) writeFileSync(join(data, 'bus', 'progress.json'), '{"torn');
        mortal.isAlive = true;
        const before = live.taken.length;
        await start();
        for (const endpoint of [live, mortal]) await untilAllAreThere(acknowledged, endpoint);
        expect(missing(acknowledged, live), 'events that the live target did not get').toBe(0);
        expect(missing(acknowledged, mortal), 'events that the target that was dead did not get').toBe(0);
        repeated += live.taken.length - before;
        await kill();
      }
      expect(new Set(live.taken).size).toBeGreaterThan(rounds * 20);
      expect(repeated).toBeGreaterThan(0);
    },
  );

  it('stops in time while a target hangs, and goes on behind it', { timeout: 60_000 }, async () => {
    const [live, mortal] = endpoints as [Endpoint, Endpoint];
    const { respond } = mortal.receiver;
    mortal.receiver.respond = () => {};
    await start();
    const { Entries = [] } = await events.send(
      new PutEventsCommand({ Entries: [{ Source: 'crash', DetailType: 'a', Detail: '{}' }] }),
    );
    const id = new Set([Entries[0]?.EventId ?? '']);
    await untilAllAreThere(id, live);
    expect(await server.stop()).toBe(0);
    mortal.receiver.respond = respond;
    mortal.isAlive = true;
    await start();
    await untilAllAreThere(id, mortal);
    expect(missing(id, mortal)).toBe(0);
    expect(live.taken.filter((one) => id.has(one))).toHaveLength(1);
  });
});
