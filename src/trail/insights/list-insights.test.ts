import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AdvancedEventSelector,
  EventSelector,
  InsightSelector,
  ListInsightsDataRequest,
  ListInsightsDataResponse,
  ListInsightsMetricDataRequest,
  ListInsightsMetricDataResponse,
} from '@aws-sdk/client-cloudtrail';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal, type Stream } from '../../journal/index.ts';
import {
  limits,
  manualClock,
  region,
  seededRandom,
  silentLog,
  type ManualClock,
} from '../../kernel/index.ts';
import { openMemoryState, type State } from '../../state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../../store/memory/index.ts';
import type { Call } from '../../wire/index.ts';
import { managementAccount, callBy, otherAccount, rootOf } from '../../../test/trail-fixture.ts';
import { LookupEvents } from '../api/lookup-events.ts';
import { openReferenceHistory } from '../history/reference-history.ts';
import type { History } from '../history/index.ts';
import { trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import { openInsights, type Insights } from './index.ts';
import { logsSource } from './insight-trails.ts';
import { listInsightsOperations } from './list-insights-operations.ts';

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
const startMs = Date.UTC(2026, 10, 23, 10, 0, 0);
const home = 'eu-central-1';

let clock: ManualClock;
let stream: Stream;
let state: State;
let history: History;
let insights: Insights;
let directory: string;
let parts: AsyncDisposableStack;
let made = 0;

const arnOf = (name: string) => `arn:aws:cloudtrail:${home}:${managementAccount}:trail/${name}`;
const dataInsights: InsightSelector[] = [
  { InsightType: 'ApiCallRateInsight', EventCategories: ['Data'] },
  { InsightType: 'ApiErrorRateInsight', EventCategories: ['Data'] },
];
const objects = [
  {
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
    ],
  },
];

async function putTrail(name: string, over: Partial<TrailDocument> = {}): Promise<void> {
  const change = state.begin();
  const trail: TrailDocument = {
    name,
    arn: arnOf(name),
    accountId: managementAccount,
    homeRegion: home,
    bucket: 'logs',
    includeGlobalServiceEvents: true,
    isMultiRegion: false,
    logFileValidation: false,
    isLogging: true,
    createdAt: startMs,
    ...over,
  };
  change.put(trailKey(managementAccount, home, name), trail);
  await state.commit(change, []);
}

const record = (timeMs: number, over: Record<string, unknown>): Buffer =>
  Buffer.from(
    JSON.stringify({
      eventVersion: '1.11',
      userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${managementAccount}:user/app`, userName: 'app' },
      eventTime: `${new Date(timeMs).toISOString().slice(0, 19)}Z`,
      eventSource: 's3.amazonaws.com',
      eventName: 'PutObject',
      awsRegion: home,
      userAgent: 'app/1',
      eventID: `event-${(made += 1)}`,
      readOnly: false,
      eventType: 'AwsApiCall',
      recipientAccountId: managementAccount,
      eventCategory: 'Data',
      ...over,
    }),
  );

async function put(payloads: readonly Buffer[]): Promise<void> {
  await stream.append(payloads.map((payload) => ({ kind: 'record' as const, payload })));
}

/** So many calls a minute, for so many minutes; each minute is judged as it goes by. */
async function traffic(minutes: number, perMinute: number, over: Record<string, unknown> = {}) {
  for (let minute = 0; minute < minutes; minute += 1) {
    if (perMinute > 0) await put(Array.from({ length: perMinute }, () => record(clock.now(), over)));
    await clock.advance(minuteMs);
    await insights.settle();
  }
}

async function index(): Promise<void> {
  for await (const { entries } of stream.read(stream.start)) await history.apply(entries);
}

async function call<Output>(name: string, input: unknown, over: Partial<Call> = {}): Promise<Output> {
  const operation = insights.operations[name]!;
  const by = callBy(rootOf(managementAccount), { time: clock.now(), ...over });
  return (await operation.handle(input, by, state.begin())) as Output;
}

const listData = (over: Partial<ListInsightsDataRequest> = {}, as: Partial<Call> = {}) =>
  call<ListInsightsDataResponse>(
    'ListInsightsData',
    { InsightSource: arnOf('one'), DataType: 'InsightsEvents', ...over },
    as,
  );

const listMetric = (over: Partial<ListInsightsMetricDataRequest> = {}, as: Partial<Call> = {}) =>
  call<ListInsightsMetricDataResponse>(
    'ListInsightsMetricData',
    {
      EventSource: 's3.amazonaws.com',
      EventName: 'PutObject',
      InsightType: 'ApiCallRateInsight',
      TrailName: 'one',
      Period: 60,
      ...over,
    },
    as,
  );

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
  insights = parts.use(
    await openInsights({
      state,
      stream,
      history,
      directory,
      clock,
      random: seededRandom(1),
      log,
      managementAccountId: managementAccount,
    }),
  );
  const weeks = [];
  for (let at = startMs - 10 * dayMs; at < startMs; at += hourMs) weeks.push(record(at, {}));
  await put(weeks);
});
afterEach(async () => {
  await parts[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const advanced = (category: string, ...more: AdvancedEventSelector['FieldSelectors'] & {}) => ({
  advancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: [category] }, ...more] }],
});
const basic = (selector: EventSelector) => ({ eventSelectors: [selector] });

describe('a trail has insights of what it logs', () => {
  // "Working with CloudTrail Insights": which events the trail has to log for which insights.
  const reads = { Field: 'readOnly', Equals: ['true'] };
  const DataResources = [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }];

  it.each([
    [{}, ['calls', 'errors']],
    [basic({ ReadWriteType: 'WriteOnly' }), ['calls', 'errors']],
    [basic({ ReadWriteType: 'ReadOnly' }), ['errors']],
    [basic({ DataResources }), ['calls', 'errors', 'data calls', 'data errors']],
    [basic({ IncludeManagementEvents: false, DataResources }), ['data calls', 'data errors']],
    [advanced('Management'), ['calls', 'errors']],
    [advanced('Management', reads), ['errors']],
    [advanced('Data', reads), ['data calls', 'data errors']],
    [advanced('NetworkActivity'), []],
  ])('with %j: %j', (selectors, expected) => {
    const kinds = [
      ['calls', 'Management', 'ApiCallRateInsight'],
      ['errors', 'Management', 'ApiErrorRateInsight'],
      ['data calls', 'Data', 'ApiCallRateInsight'],
      ['data errors', 'Data', 'ApiErrorRateInsight'],
    ] as const;
    const found = kinds.filter(([, category, insightType]) =>
      logsSource(selectors, { category, insightType }),
    );
    expect(found.map(([name]) => name)).toEqual(expected);
  });
});

describe('ListInsightsData', () => {
  beforeEach(async () => {
    const logging = { advancedEventSelectors: objects, insightSelectors: dataInsights };
    await putTrail('one', logging);
    await putTrail('two', logging);
    await putTrail('management', {
      insightSelectors: [
        { InsightType: 'ApiCallRateInsight', EventCategories: ['Management', 'Data'] },
        { InsightType: 'ApiErrorRateInsight', EventCategories: ['Management', 'Data'] },
      ],
    });
    await traffic(6, 30);
    await traffic(20, 0);
    await index();
  });

  it('gives the Insights events of data events of one trail, newest first', async () => {
    const { Events = [], NextToken } = await listData();
    expect(NextToken).toBeUndefined();
    const records = Events.map(({ CloudTrailEvent = '' }) => JSON.parse(CloudTrailEvent));
    expect(records).toMatchObject([
      { insightSource: arnOf('one'), insightDetails: { state: 'End', sourceEventCategory: 'Data' } },
      { insightSource: arnOf('one'), insightDetails: { state: 'Start', sourceEventCategory: 'Data' } },
    ]);
    expect(records[0].sharedEventID).toBe(records[1].sharedEventID);
    expect(Events[1]).toMatchObject({
      EventId: records[1].eventID,
      EventName: 'PutObject',
      EventSource: 's3.amazonaws.com',
      EventTime: new Date(startMs),
    });
    const ids = (events = Events) => events.map(({ EventId }) => EventId);
    const other = await listData({ InsightSource: arnOf('two') });
    expect(other.Events).toHaveLength(2);
    expect(new Set([...ids(), ...ids(other.Events)]).size).toBe(4);
    const byName = await listData({ InsightSource: 'one' });
    expect(ids(byName.Events)).toEqual(ids());
  });

  it('gives none of a trail that does not log data events', async () => {
    expect((await listData({ InsightSource: arnOf('management') })).Events).toEqual([]);
    const { Events = [] } = await LookupEvents(
      history,
      { EventCategory: 'insight' },
      callBy(rootOf(managementAccount)),
    );
    expect(Events).toHaveLength(4);
  });

  it('takes one dimension, a range of time, and pages', async () => {
    const { Events = [] } = await listData();
    const [ended, begun] = Events.map(({ EventId }) => EventId);
    const found = async (over: Partial<ListInsightsDataRequest>) =>
      (await listData(over)).Events?.map(({ EventId }) => EventId);
    expect(await found({ Dimensions: { EventId: begun! } })).toEqual([begun]);
    expect(await found({ Dimensions: { EventName: 'PutObject' } })).toEqual([ended, begun]);
    expect(await found({ Dimensions: { EventName: 'GetObject' } })).toEqual([]);
    expect(await found({ Dimensions: { EventSource: 's3.amazonaws.com' } })).toEqual([ended, begun]);
    expect(await found({ EndTime: new Date(startMs) })).toEqual([begun]);
    expect(await found({ StartTime: new Date(startMs + 1) })).toEqual([ended]);
    const seen = [];
    for (let NextToken: string | undefined, pages = 0; pages < 9; pages += 1) {
      const page = await listData({ MaxResults: 1, ...(NextToken && { NextToken }) });
      seen.push(...(page.Events ?? []).map(({ EventId }) => EventId));
      ({ NextToken } = page);
      if (NextToken === undefined) break;
    }
    expect(seen).toEqual([ended, begun]);
  });

  it('is of one region, and refuses what is wrong by name', async () => {
    expect((await listData({}, { region: region('us-east-1') })).Events).toEqual([]);
    const { NextToken = '' } = await listData({ MaxResults: 1 });
    const wrong: readonly Partial<ListInsightsDataRequest>[] = [
      { InsightSource: arnOf('none') },
      { InsightSource: `arn:aws:cloudtrail:${home}:${otherAccount}:trail/one` },
      { InsightSource: `arn:aws:cloudtrail:${home}:${managementAccount}:eventdatastore/x` },
      { StartTime: new Date(startMs + 1), EndTime: new Date(startMs) },
      { NextToken, Dimensions: { EventName: 'PutObject' } },
      { NextToken: 'never given' },
    ];
    for (const over of wrong)
      await expect(listData(over)).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });
});

const filled = async (Period: number) =>
  (await listMetric({ Period, DataType: 'FillWithZeros' })).Timestamps?.length;

describe('ListInsightsMetricData', () => {
  beforeEach(async () => {
    await putTrail('one', { advancedEventSelectors: objects, insightSelectors: dataInsights });
    await traffic(2, 3, { readOnly: true });
    await traffic(1, 2, { errorCode: 'AccessDenied' });
    await traffic(1, 1, { errorCode: 'NoSuchBucket' });
    await traffic(2, 0);
    await traffic(1, 4, { eventCategory: 'Management' });
    await traffic(1, 5, { eventCategory: 'Management', readOnly: true });
    await put([record(clock.now(), { recipientAccountId: otherAccount })]);
    await put([record(clock.now(), { awsRegion: 'us-east-1' })]);
    await index();
  });
  const StartTime = new Date(startMs);
  const minutes = (...places: readonly number[]) => places.map((one) => new Date(startMs + one * minuteMs));

  it('counts calls of data events by the period', async () => {
    expect(await listMetric({ StartTime })).toEqual({
      TrailARN: arnOf('one'),
      EventSource: 's3.amazonaws.com',
      EventName: 'PutObject',
      InsightType: 'ApiCallRateInsight',
      Timestamps: minutes(0, 1, 2, 3),
      Values: [3, 3, 2, 1],
    });
    const filled = await listMetric({ StartTime, DataType: 'FillWithZeros' });
    expect(filled.Values).toEqual([3, 3, 2, 1, 0, 0, 0, 0]);
    const fives = await listMetric({ StartTime, DataType: 'FillWithZeros', Period: 300 });
    expect([fives.Timestamps, fives.Values]).toEqual([minutes(0, 5), [9, 0]]);
  });

  it('counts errors by their code, and of management events the calls that write', async () => {
    const errors = await listMetric({
      StartTime,
      InsightType: 'ApiErrorRateInsight',
      ErrorCode: 'AccessDenied',
    });
    expect(errors).toMatchObject({ ErrorCode: 'AccessDenied', Timestamps: minutes(2), Values: [2] });
    await putTrail('management', { insightSelectors: [{ InsightType: 'ApiCallRateInsight' }] });
    const writes = await listMetric({ StartTime, TrailName: undefined });
    expect(writes).not.toHaveProperty('TrailARN');
    expect([writes.Timestamps, writes.Values]).toEqual([minutes(6), [4]]);
  });

  it('takes the start in, leaves the end out, and counts hours of 90 days by default', async () => {
    const within = await listMetric({ StartTime: minutes(1)[0], EndTime: minutes(3)[0] });
    expect(within.Timestamps).toEqual(minutes(1, 2));
    const later = await listMetric({ StartTime: new Date(startMs + 1), EndTime: minutes(2)[0] });
    expect(later.Timestamps).toEqual(minutes(1));
    const hours = await listMetric({ Period: undefined });
    expect(hours.Timestamps).toHaveLength(241);
    expect(hours.Values?.at(-1)).toBe(9);
    const all = await listMetric({ Period: undefined, DataType: 'FillWithZeros' });
    expect(all.Timestamps).toHaveLength(90 * 24);
  });

  it('has minutes for 15 days and five minutes for 63, as many as one answer takes', async () => {
    expect(await filled(60)).toBe(15 * 1440);
    expect(await filled(300)).toBe(63 * 288);
  });

  it('goes on where a page ended, in the range of the first', async () => {
    const seen: number[] = [];
    let NextToken: string | undefined;
    do {
      const page = await listMetric({
        StartTime,
        MaxResults: 3,
        DataType: 'FillWithZeros',
        ...(NextToken && { NextToken }),
      });
      seen.push(...(page.Values ?? []));
      ({ NextToken } = page);
      await clock.advance(minuteMs);
    } while (NextToken !== undefined);
    expect(seen).toEqual([3, 3, 2, 1, 0, 0, 0, 0]);
  });

  it('counts for as many callers at once as searches do, and for the others after them', async () => {
    let [running, most] = [0, 0];
    const slow: Pick<History, 'count' | 'search'> = {
      search: (...asked) => history.search(...asked),
      async count(...asked) {
        most = Math.max(most, (running += 1));
        await new Promise(setImmediate);
        running -= 1;
        return history.count(...asked);
      },
    };
    const { ListInsightsMetricData } = listInsightsOperations({ history: slow });
    const by = callBy(rootOf(managementAccount), { time: clock.now() });
    const input = { EventSource: 's3.amazonaws.com', EventName: 'PutObject', TrailName: 'one', StartTime };
    const asked = { ...input, InsightType: 'ApiCallRateInsight' };
    const answers = (await Promise.all(
      Array.from({ length: 7 }, () => ListInsightsMetricData!.handle(asked, by, state.begin())),
    )) as readonly ListInsightsMetricDataResponse[];
    expect(answers.map(({ Values }) => Values)).toEqual(Array.from({ length: 7 }, () => [9]));
    expect(most).toBe(limits.countsAtOnce);
  });

  it('is refused where insights are not on, and for what is wrong', async () => {
    const refused: readonly [Partial<ListInsightsMetricDataRequest>, string][] = [
      [{ TrailName: undefined }, 'OperationNotPermittedException'],
      [{ TrailName: 'none' }, 'InvalidParameterException'],
      [{ TrailName: '-' }, 'InvalidTrailNameException'],
      [{ Period: 120 }, 'InvalidParameterException'],
      [{ InsightType: 'ApiErrorRateInsight' }, 'InvalidParameterException'],
      [{ ErrorCode: 'AccessDenied' }, 'InvalidParameterException'],
      [{ StartTime: new Date(startMs + 1), EndTime: new Date(startMs) }, 'InvalidParameterException'],
      [{ NextToken: 'never given' }, 'InvalidParameterException'],
    ];
    for (const [over, code] of refused) await expect(listMetric(over)).rejects.toMatchObject({ code });
    await putTrail('one', { insightSelectors: dataInsights });
    await expect(listMetric()).rejects.toMatchObject({ code: 'OperationNotPermittedException' });
  });
});
