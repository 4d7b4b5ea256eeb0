import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal, type Stream } from '../../journal/index.ts';
import { manualClock, seededRandom, silentLog, type Clock, type ManualClock } from '../../kernel/index.ts';
import { openMemoryState, type State } from '../../state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../../store/memory/index.ts';
import { managementAccount, callBy, otherAccount, rootOf } from '../../../test/trail-fixture.ts';
import { LookupEvents } from '../api/lookup-events.ts';
import { openReferenceHistory } from '../history/reference-history.ts';
import type { History } from '../history/index.ts';
import { trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import { storeArn, storeKey, type EventDataStoreDocument } from '../lake/store-documents.ts';
import { openInsights, type Insights } from './index.ts';
import { storeInsightsKey, type StoreInsightsDocument } from './subscriptions.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 23, 10, 0, 0);
const region = 'eu-central-1';

let clock: ManualClock;
let stream: Stream;
let state: State;
let history: History;
let directory: string;
let parts: AsyncDisposableStack;
let made = 0;

const trail: TrailDocument = {
  name: 'main',
  arn: `arn:aws:cloudtrail:${region}:${managementAccount}:trail/main`,
  accountId: managementAccount,
  homeRegion: region,
  bucket: 'logs',
  includeGlobalServiceEvents: true,
  isMultiRegion: false,
  logFileValidation: false,
  isLogging: true,
  createdAt: startMs,
  insightSelectors: [{ InsightType: 'ApiErrorRateInsight' }, { InsightType: 'ApiCallRateInsight' }],
};

function record(timeMs: number, over: Record<string, unknown> = {}): Buffer {
  made += 1;
  return Buffer.from(
    JSON.stringify({
      eventVersion: '1.11',
      userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::000000000000:assumed-role/app/i-1' },
      eventTime: `${new Date(timeMs).toISOString().slice(0, 19)}Z`,
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      awsRegion: region,
      userAgent: 'terraform "1.9"',
      eventID: `event-${made}`,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: managementAccount,
      eventCategory: 'Management',
      ...over,
    }),
  );
}

async function put(kind: 'record' | 'imported', payloads: readonly Buffer[]): Promise<void> {
  if (payloads.length > 0) await stream.append(payloads.map((payload) => ({ kind, payload })));
}

/** An event each ten minutes for ten days, as a log bucket would bring them. */
async function importTenDays(over: Record<string, unknown> = {}): Promise<void> {
  const payloads: Buffer[] = [];
  for (let at = startMs - 10 * dayMs; at < startMs; at += 10 * minuteMs) payloads.push(record(at, over));
  await put('imported', payloads);
}

let opened = 0;
const open = (its: Clock = clock): Promise<Insights> =>
  openInsights({
    state,
    stream,
    history,
    directory,
    clock: its,
    random: seededRandom((opened += 1)),
    log: silentLog,
    managementAccountId: managementAccount,
  });

/** So many calls a minute, for so many minutes; each minute is judged as it goes by. */
async function traffic(insights: Insights, minutes: number, perMinute: number, over = {}): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await put(
      'record',
      Array.from({ length: perMinute }, () => record(clock.now(), over)),
    );
    await clock.advance(minuteMs);
    await insights.settle();
  }
}

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- records are looked into at many depths

async function insightsInJournal(): Promise<readonly Record<string, Answer>[]> {
  const found = [];
  for await (const { entries } of stream.read(stream.start)) {
    for (const { kind, payload } of entries) {
      if (kind === 'change') continue;
      const event = JSON.parse(Buffer.from(payload).toString()) as Record<string, Answer>;
      if (event['eventCategory'] === 'Insight') found.push(event);
    }
    await history.apply(entries);
  }
  return found;
}

async function subscribe(document: TrailDocument): Promise<void> {
  const change = state.begin();
  change.put(trailKey(document.accountId, document.homeRegion, document.name), document);
  await state.commit(change, []);
}

/** An event data store with insights on the rate of calls; its ARN. */
async function storeNamed(id: string, over: Partial<EventDataStoreDocument> = {}): Promise<string> {
  const arn = storeArn(managementAccount, region, id);
  const store: EventDataStoreDocument = {
    id,
    name: id,
    arn,
    accountId: managementAccount,
    region,
    isMultiRegion: true,
    retentionDays: 366,
    billingMode: 'EXTENDABLE_RETENTION_PRICING',
    terminationProtected: false,
    selectors: [],
    isIngesting: true,
    spans: [],
    imported: [],
    channels: [],
    createdAt: startMs,
    updatedAt: startMs,
    ...over,
  };
  const insights: StoreInsightsDocument = {
    storeArn: arn,
    accountId: managementAccount,
    region,
    selectors: [{ InsightType: 'ApiCallRateInsight' }],
  };
  const change = state.begin();
  change.put(storeKey(managementAccount, id), store);
  change.put(storeInsightsKey(arn), insights);
  await state.commit(change, []);
  return arn;
}

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  clock = manualClock(startMs);
  const log = silentLog;
  const journal = parts.use(
    await openJournal({ openLog: () => openMemoryLog(), openCursors: () => openMemoryCursors(), clock, log }),
  );
  stream = journal.stream('audit');
  state = parts.use(await openMemoryState({ stream, clock, log }));
  history = parts.use(openReferenceHistory({ clock, log }));
  directory = mkdtempSync(join(tmpdir(), 'cairn-insights-'));
});
afterEach(async () => {
  await parts[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

describe('insights', () => {
  it('are events in the journal, in the documented form, and are looked up', async () => {
    await subscribe(trail);
    await using insights = await open();
    await importTenDays();
    const over = { errorCode: 'Client.UnauthorizedOperation', readOnly: true };
    await traffic(insights, 10, 12, over);
    await traffic(insights, 20, 0);
    const [begun, ended, ...more] = await insightsInJournal();
    expect(more).toEqual([]);
    expect(begun).toEqual({
      eventVersion: '1.11',
      eventTime: '2026-11-23T10:00:00Z',
      awsRegion: region,
      eventID: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      eventType: 'AwsCloudTrailInsight',
      recipientAccountId: managementAccount,
      sharedEventID: ended!['sharedEventID'],
      eventCategory: 'Insight',
      insightDetails: {
        state: 'Start',
        eventSource: 'ec2.amazonaws.com',
        eventName: 'RunInstances',
        insightType: 'ApiErrorRateInsight',
        errorCode: 'Client.UnauthorizedOperation',
        insightContext: {
          statistics: {
            baseline: { average: 0 },
            insight: { average: 12 },
            insightDuration: 3,
            baselineDuration: 14_400 - 600,
          },
          attributions: [
            {
              attribute: 'userIdentityArn',
              insight: [{ value: 'arn:aws:sts::000000000000:assumed-role/app', average: 12 }],
              baseline: [],
            },
            { attribute: 'userAgent', insight: [{ value: 'terraform "1.9"', average: 12 }], baseline: [] },
            {
              attribute: 'errorCode',
              insight: [{ value: 'Client.UnauthorizedOperation', average: 12 }],
              baseline: [],
            },
          ],
        },
      },
    });
    expect(ended).toMatchObject({
      insightDetails: {
        state: 'End',
        insightContext: { statistics: { insightDuration: expect.any(Number) } },
      },
    });
    expect(ended!['eventID']).not.toBe(begun!['eventID']);
    const caller = callBy(rootOf(managementAccount));
    const lookUp = (
      AttributeKey: 'EventName' | 'EventSource' | 'EventId' | 'Username',
      AttributeValue: string,
    ) =>
      LookupEvents(
        history,
        { EventCategory: 'insight', LookupAttributes: [{ AttributeKey, AttributeValue }], MaxResults: 1 },
        caller,
      );
    const first = await lookUp('EventName', 'RunInstances');
    expect(first.Events).toMatchObject([
      { EventId: ended!['eventID'], EventName: 'RunInstances', EventSource: 'ec2.amazonaws.com' },
    ]);
    expect(first.NextToken).toBeDefined();
    expect((await lookUp('EventId', begun!['eventID'] as string)).Events).toHaveLength(1);
    expect((await lookUp('EventName', 'StopInstances')).Events).toEqual([]);
    await expect(lookUp('Username', 'x')).rejects.toMatchObject({ code: 'InvalidLookupAttributesException' });
    const other = await LookupEvents(history, { EventCategory: 'insight' }, callBy(rootOf(otherAccount)));
    expect(other.Events).toEqual([]);
  });

  it('are for those who asked for them', async () => {
    await subscribe({ ...trail, insightSelectors: [{ InsightType: 'ApiErrorRateInsight' }] });
    await using insights = await open();
    await importTenDays();
    await traffic(insights, 10, 30);
    expect(await insightsInJournal()).toEqual([]);
  });

  it.each([0, 1, 2, 4, 7, 12])(
    'come once each when the process ends without a word after %i minutes, and begins again',
    async (minutes) => {
      await subscribe(trail);
      // A process that is killed: its timers never ring again, its reader is gone, and nothing more is saved.
      let alive = true;
      const first = await open({ ...clock, after: (ms, work) => clock.after(ms, () => alive && work()) });
      await importTenDays();
      await traffic(first, minutes, 15);
      alive = false;
      await first.reader[Symbol.asyncDispose]();
      await using second = await open();
      await traffic(second, 12 - minutes, 15);
      await traffic(second, 20, 0);
      const states = (await insightsInJournal()).map((event) => event['insightDetails'].state);
      expect(states).toEqual(['Start', 'End']);
    },
  );

  it('of event data stores are records of their own, of those alone that take events', async () => {
    await subscribe(trail);
    const taking = await storeNamed('taking');
    await storeNamed('stopped', { isIngesting: false });
    await storeNamed('deleted', { deletedAt: startMs });
    await storeNamed('elsewhere', { isMultiRegion: false, region: 'us-east-1' });
    let alive = true;
    const first = await open({ ...clock, after: (ms, work) => clock.after(ms, () => alive && work()) });
    await importTenDays();
    await traffic(first, 7, 15);
    // Killed between the start and the end: each record comes once all the same.
    alive = false;
    await first.reader[Symbol.asyncDispose]();
    await using second = await open();
    await traffic(second, 5, 15);
    await traffic(second, 20, 0);
    const found = await insightsInJournal();
    expect(new Set(found.map(({ eventID }) => eventID)).size).toBe(found.length);
    const ofTrails = found.filter(({ insightDetails }) => insightDetails !== undefined);
    const ofStores = found.filter(({ insightSource }) => insightSource !== undefined);
    expect(ofTrails.map(({ insightDetails }) => insightDetails.state)).toEqual(['Start', 'End']);
    expect(ofStores.map(({ insightSource, insightState }) => [insightSource, insightState])).toEqual([
      [taking, 'Start'],
      [taking, 'End'],
    ]);
    expect(found).toHaveLength(4);
    expect(ofStores[0]).toEqual({
      eventVersion: '1.11',
      eventCategory: 'Insight',
      eventType: 'AwsCloudTrailInsight',
      eventID: expect.any(String),
      eventTime: '2026-11-23T10:00:00Z',
      awsRegion: region,
      recipientAccountId: managementAccount,
      sharedEventID: ofStores[1]!['sharedEventID'],
      insightSource: taking,
      insightState: 'Start',
      insightEventSource: 'ec2.amazonaws.com',
      insightEventName: 'RunInstances',
      insightType: 'ApiCallRateInsight',
      insightContext: {
        baselineAverage: expect.any(Number),
        insightAverage: expect.any(Number),
        baselineDuration: expect.any(Number),
        insightDuration: expect.any(Number),
        attributions: ofTrails[0]!['insightDetails'].insightContext.attributions,
      },
    });
    expect(ofStores[0]!['sharedEventID']).not.toBe(ofTrails[0]!['sharedEventID']);
    // LookupEvents knows those of trails.
    const looked = await LookupEvents(
      history,
      { EventCategory: 'insight' },
      callBy(rootOf(managementAccount)),
    );
    expect(looked.Events).toHaveLength(2);
  });

  it('come in pairs, although insights are turned on in their middle, or off', async () => {
    await subscribe({ ...trail, insightSelectors: [] });
    await using insights = await open();
    await importTenDays();
    const storm = async (before: TrailDocument, within: TrailDocument) => {
      await subscribe(before);
      await traffic(insights, 8, 40);
      await subscribe(within);
      await traffic(insights, 4, 40);
      await traffic(insights, 20, 0);
      return (await insightsInJournal()).map((event) => event['insightDetails'].state);
    };
    const without = { ...trail, insightSelectors: [] };
    expect(await storm(without, trail)).toEqual([]);
    expect(await storm(trail, without)).toEqual(['Start', 'End']);
  });

  it('come late when the process was away from before they were known until after they ended', async () => {
    await subscribe(trail);
    const first = await open();
    await importTenDays();
    await first.settle();
    await first[Symbol.asyncDispose]();
    for (let minute = 0; minute < 6; minute += 1) {
      await put(
        'record',
        Array.from({ length: 15 }, () => record(clock.now())),
      );
      await clock.advance(minuteMs);
    }
    await clock.advance(60 * minuteMs);
    await using second = await open();
    await second.settle();
    const states = (await insightsInJournal()).map((event) => event['insightDetails'].state);
    expect(states).toEqual(['Start', 'End']);
  });

  it('go on where they were after an orderly end, with the baseline', async () => {
    await subscribe(trail);
    const first = await open();
    await importTenDays();
    await traffic(first, 6, 15);
    await first[Symbol.asyncDispose]();
    await using second = await open();
    expect(second.reader.applied).toBe(stream.end);
    await traffic(second, 6, 15);
    await traffic(second, 20, 0);
    const found = await insightsInJournal();
    expect(found.map((event) => event['insightDetails'].state)).toEqual(['Start', 'End']);
    const [begun, ended] = found;
    expect(ended!['sharedEventID']).toBe(begun!['sharedEventID']);
    expect(begun!['insightDetails'].insightContext.statistics.baseline.average).toBeCloseTo(0.1, 1);
  });
});

describe('a backtest', () => {
  it('says what would have been found, and why', async () => {
    await using insights = await open();
    await importTenDays();
    await traffic(insights, 10, 15);
    await traffic(insights, 20, 0);
    expect(await insightsInJournal()).toEqual([]);
    const [route] = insights.routes;
    const ask = async (call = callBy(rootOf(managementAccount)), query = '') => {
      const to = new Date(clock.now()).toISOString();
      const { body } = await route!.handle(
        {
          path: route!.path,
          query: new URLSearchParams(`from=2026-11-23T00:00:00Z&to=${to}${query}`),
          headers: {},
          body: (async function* () {})(),
          call,
          signal: new AbortController().signal,
        },
        undefined,
      );
      const lines = [];
      for await (const part of body as AsyncIterable<Uint8Array>)
        lines.push(JSON.parse(Buffer.from(part).toString()));
      return lines;
    };
    const lines = await ask();
    expect(lines).toMatchObject([
      {
        eventTime: '2026-11-23T10:00:00.000Z',
        accountId: managementAccount,
        awsRegion: region,
        insightDetails: { state: 'Start', eventName: 'RunInstances', insightType: 'ApiCallRateInsight' },
        why: {
          trigger: { by: 'api' },
          windowMinutes: 5,
          observed: expect.any(Number),
          threshold: expect.any(Number),
        },
      },
      { insightDetails: { state: 'End' } },
    ]);
    expect(lines[0].why.observed).toBeGreaterThanOrEqual(lines[0].why.threshold);
    expect(await ask(undefined, '&eventName=StopInstances')).toEqual([]);
    expect(await ask(callBy(rootOf(otherAccount)))).toEqual([]);
  });
});

describe('insight selectors', () => {
  const call = callBy(rootOf(managementAccount));
  const run = async (
    insights: Insights,
    name: 'PutInsightSelectors' | 'GetInsightSelectors',
    input: object,
  ) => {
    const change = state.begin();
    const operation = insights.operations[name]!;
    const answer = await operation.handle(input, call, { ...change, append: () => undefined });
    await state.commit(change, []);
    return answer as Record<string, unknown>;
  };

  it('of a trail are put, shown and taken away', async () => {
    await using insights = await open();
    const { insightSelectors: _, ...without } = trail;
    await subscribe(without);
    const notEnabled = { code: 'InsightNotEnabledException' };
    await expect(run(insights, 'GetInsightSelectors', { TrailName: 'main' })).rejects.toMatchObject(
      notEnabled,
    );
    const InsightSelectors = [{ InsightType: 'ApiCallRateInsight', EventCategories: ['Management', 'Data'] }];
    const put = { TrailName: 'main', InsightSelectors };
    const shown = { TrailARN: trail.arn, InsightSelectors };
    expect(await run(insights, 'PutInsightSelectors', put)).toEqual(shown);
    expect(await run(insights, 'GetInsightSelectors', { TrailName: trail.arn })).toEqual(shown);
    await run(insights, 'PutInsightSelectors', { TrailName: 'main', InsightSelectors: [] });
    await expect(run(insights, 'GetInsightSelectors', { TrailName: 'main' })).rejects.toMatchObject(
      notEnabled,
    );
  });

  it('are refused by name', async () => {
    await using insights = await open();
    await subscribe(trail);
    for (const [input, code] of [
      [
        { TrailName: 'main', InsightSelectors: [{ InsightType: 'Other' }] },
        'InvalidInsightSelectorsException',
      ],
      [{ TrailName: 'none', InsightSelectors: [] }, 'TrailNotFoundException'],
      [{ InsightSelectors: [] }, 'InvalidParameterCombinationException'],
      [
        { TrailName: 'main', EventDataStore: 'x', InsightSelectors: [] },
        'InvalidParameterCombinationException',
      ],
      [{ EventDataStore: 'none', InsightSelectors: [] }, 'EventDataStoreNotFoundException'],
    ] as const) {
      await expect(run(insights, 'PutInsightSelectors', input)).rejects.toMatchObject({ code });
    }
  });
});
