import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock, sequence, silentLog, type ManualClock } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import { attributeNames, type AttributeName, type EventFilter, type History } from './history-types.ts';
import { openHistory, type OpenedHistory } from './open-history.ts';
import type { RecordPath } from './record-path.ts';
import { openReferenceHistory } from './reference-history.ts';

const start = Date.UTC(2026, 5, 1);
const dayMs = 86_400_000;

/** Few values, so that filters find something, with text that needs escapes and several bytes among them. */
const words = ['alice', 'bob', 'Zoë "Z"', '日本\\', 'x'];
const accounts = ['111111111111', '222222222222'];
const addresses = ['10.0.0.1', '10.0.1.7', '192.0.2.200', '2001:db8::1', 'config.amazonaws.com'];

const event = fc.record({
  id: fc.integer({ min: 0, max: 400 }),
  account: fc.constantFrom(...accounts),
  name: fc.constantFrom(...words),
  user: fc.constantFrom(...words),
  address: fc.constantFrom(...addresses),
  error: fc.option(fc.constantFrom('AccessDenied', 'Throttling'), { nil: undefined }),
  resources: fc.array(fc.constantFrom(...words), { maxLength: 3 }),
  readOnly: fc.boolean(),
});
type GeneratedEvent = typeof event extends fc.Arbitrary<infer T> ? T : never;

function recordOf(one: GeneratedEvent): Buffer {
  return Buffer.from(
    JSON.stringify({
      eventID: `event-${one.id}`,
      eventTime: new Date(start + (one.id % 41) * dayMs * 0.1).toISOString().replace('.000', ''),
      eventName: one.name,
      eventSource: 'iam.amazonaws.com',
      awsRegion: 'eu-central-1',
      recipientAccountId: one.account,
      sourceIPAddress: one.address,
      readOnly: one.readOnly,
      errorCode: one.error,
      userIdentity: {
        type: 'IAMUser',
        userName: one.user,
        arn: `arn:aws:iam::${one.account}:user/${one.user}`,
      },
      resources: one.resources.map((name) => ({ ARN: `arn:${name}`, type: `AWS::${name.length}` })),
      requestParameters: { userName: one.name, tags: [one.user, one.name] },
    }),
  );
}

const members: readonly RecordPath[] = [
  { path: ['requestParameters', 'userName'] },
  { path: ['resources', 'ARN'] },
  { path: ['userAgent'] },
];

const attributeValue: fc.Arbitrary<{ name: AttributeName; values: readonly string[]; not?: boolean }> =
  fc.oneof(
    fc.record({
      name: fc.constant('EventId' as const),
      values: fc.array(
        fc.integer({ min: 0, max: 400 }).map((id) => `event-${id}`),
        { maxLength: 30 },
      ),
      not: fc.boolean(),
    }),
    fc.record({
      name: fc.constantFrom('EventName', 'Username', 'ResourceName'),
      values: fc.subarray([...words, ...words.map((word) => `arn:${word}`)]),
      not: fc.boolean(),
    }),
    fc.record({ name: fc.constant('AccountId' as const), values: fc.subarray(accounts), not: fc.boolean() }),
    fc.record({
      name: fc.constant('ErrorCode' as const),
      values: fc.subarray(['AccessDenied', 'Throttling']),
      not: fc.boolean(),
    }),
    fc.record({ name: fc.constant('ReadOnly' as const), values: fc.constant(['true']), not: fc.boolean() }),
    fc.record({
      name: fc.constant('ResourceType' as const),
      values: fc.constant(['AWS::1', 'AWS::5']),
      not: fc.boolean(),
    }),
  );

const time = fc.option(
  fc.integer({ min: 0, max: 40 }).map((second) => start + second * dayMs * 0.1),
  { nil: undefined },
);
const filter: fc.Arbitrary<EventFilter> = fc
  .record({
    attributes: fc.array(attributeValue, { maxLength: 2 }),
    from: time,
    to: time,
    sourceCidr: fc.option(fc.constantFrom('10.0.0.0/23', '192.0.2.128/25', '2001:db8::/32', '0.0.0.0/0'), {
      nil: undefined,
    }),
    text: fc.option(fc.constantFrom('alice', 'Zoë', '日本', 'nowhere', 'eventID'), { nil: undefined }),
  })
  .map((one) => JSON.parse(JSON.stringify(one)) as EventFilter);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      events: fc.array(event, { minLength: 1, maxLength: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      account: fc.constantFrom(...accounts),
      days: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('search' as const),
      filter,
      limit: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('count' as const),
      filter,
      by: fc.subarray([...attributeNames, ...members], { maxLength: 3 }),
      bucketMs: fc.option(fc.constantFrom(dayMs, 3_600_000), { nil: undefined }),
    }),
  },
);

async function allPages(history: History, filter: EventFilter, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await history.search(filter, { limit, ...(after === undefined ? {} : { after }) });
    found.push(
      ...page.events.map((one) => `${one.eventTime} ${one.eventId} ${Buffer.from(one.raw).toString()}`),
    );
    after = page.next;
  } while (after !== undefined);
  return found;
}

interface World {
  readonly directory: string;
  readonly clock: ManualClock;
  readonly model: History;
  real: OpenedHistory;
  readonly journal: JournalEntry[];
  readonly retention: Map<string, number>;
}

function openReal(world: Pick<World, 'directory' | 'clock'>): Promise<OpenedHistory> {
  return openHistory({ ...world, log: silentLog, tailEvents: 25, mostTextTerms: 4 });
}

async function perform(
  world: World,
  one: typeof step extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  const { model, journal, retention } = world;
  switch (one.kind) {
    case 'apply': {
      const entries = one.events.map((generated, index): JournalEntry => ({
        kind: 'ingested',
        payload: recordOf(generated),
        sequence: sequence(journal.length + index),
        time: 0,
        hash: undefined,
      }));
      journal.push(...entries);
      const expected = await model.apply(entries);
      const result = await world.real.apply(entries);
      // What has expired may be gone, so that it counts as added again; it stays hidden all the same.
      if (retention.size === 0) expect(result).toEqual(expected);
      return;
    }
    case 'flush':
      await world.real.flush();
      expect(world.real.durable).toBe(journal.length);
      return;
    case 'settle':
      await world.real.settled();
      return;
    case 'reopen':
      await world.real[Symbol.asyncDispose]();
      world.real = await openReal(world);
      for (const [account, days] of retention) world.real.setRetention(account, days);
      await world.real.apply(journal.slice(world.real.durable));
      return;
    case 'retain': {
      // Only ever shorter: what was hidden may be gone already.
      const days = Math.min(one.days, retention.get(one.account) ?? Infinity);
      retention.set(one.account, days);
      for (const history of [model, world.real]) history.setRetention(one.account, days);
      return;
    }
    case 'expire':
      await world.real.expire(world.clock.now());
      return;
    case 'search':
      expect(await allPages(world.real, one.filter, one.limit)).toEqual(
        await allPages(model, one.filter, 1000),
      );
      return;
    case 'count': {
      const by = {
        attributes: one.by,
        ...(one.bucketMs === undefined ? {} : { bucketMs: one.bucketMs }),
        limit: 100_000,
      };
      expect(await world.real.count(one.filter, by)).toEqual(await model.count(one.filter, by));
      return;
    }
  }
}

// Few histories and many steps: the worker that a history starts takes longer than all of its steps.
test('answers as the reference does, whatever is applied, sealed, merged, expired and reopened in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const directory = await mkdtemp(join(tmpdir(), 'cairn-history-'));
      const clock = manualClock(start + 5 * dayMs);
      const world: World = {
        directory,
        clock,
        model: openReferenceHistory({ clock, log: silentLog }),
        real: await openReal({ directory, clock }),
        journal: [],
        retention: new Map(),
      };
      try {
        for (const one of steps) await perform(world, one);
        const everything = await allPages(world.real, {}, 1000);
        expect(everything).toEqual(await allPages(world.model, {}, 1000));
      } finally {
        await world.real[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      }
    }),
    { numRuns: Number(process.env['CAIRN_TEST_RUNS'] ?? 10) },
  );
});

test('answers as the reference does over thousands of events in segments of several sizes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-history-'));
  const clock = manualClock(start + 5 * dayMs);
  const model = openReferenceHistory({ clock, log: silentLog });
  const real = await openHistory({ directory, clock, log: silentLog, tailEvents: 400, mostTextTerms: 4 });
  const seed = Number(process.env['CAIRN_TEST_SEED'] ?? 7);
  const generated = fc.sample(event, { numRuns: 6000, seed });
  const journal = generated.map((one, index): JournalEntry => ({
    kind: 'imported',
    payload: recordOf({ ...one, id: one.id * 50 + (index % 50) }),
    sequence: sequence(index),
    time: 0,
    hash: undefined,
  }));
  for (let from = 0; from < journal.length; from += 500) {
    const batch = journal.slice(from, from + 500);
    expect(await real.apply(batch)).toEqual(await model.apply(batch));
  }
  await real.settled();
  expect((await real.stats()).segments).toBeLessThan(15);
  for (const one of fc.sample(filter, { numRuns: 60, seed })) {
    expect(await allPages(real, one, 300), JSON.stringify(one)).toEqual(await allPages(model, one, 1000));
    for (const attributes of [
      ['Username', 'ResourceName'] as const,
      ['EventName', ...members.slice(1)] as const,
      members.slice(0, 1),
    ]) {
      const by = { attributes, bucketMs: dayMs, limit: 100_000 };
      expect(await real.count(one, by), JSON.stringify(one)).toEqual(await model.count(one, by));
    }
  }
  await real[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});
