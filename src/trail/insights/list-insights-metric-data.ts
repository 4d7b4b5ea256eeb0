import type {
  ListInsightsMetricDataRequest,
  ListInsightsMetricDataResponse,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { tokenFor } from '../api/lookup-token.ts';
import { timeRangeOf } from '../api/time-range.ts';
import type { EventFilter, History } from '../history/index.ts';
import { readTrails, type TrailDocument } from '../trails/trail-documents.ts';
import { logsSource } from './insight-trails.ts';
import type { InsightSubject, InsightType, SourceCategory } from './insight-types.ts';
import { invalidCode, invalidParameter, namedTrail, placeIn } from './list-request.ts';
import { selectsInsight } from './subscriptions.ts';

const dayMs = 86_400_000;
/** For how many days the data points of each period are there. */
const availableDays: Readonly<Record<number, number>> = { 60: 15, 300: 63, 3600: 90 };
const mostPoints = 21_600;
/** Data points of the longest range, one of them begun. */
const mostBuckets = mostPoints + 1;

type Subject = Pick<InsightSubject, 'insightType' | 'category'>;

const isOn = (trail: TrailDocument, subject: Subject): boolean =>
  selectsInsight(trail.insightSelectors ?? [], subject) && logsSource(trail, subject);

/**
 * Checks that insights are on for what is asked about ("Returns Insights metrics data for trails that have enabled
 * Insights"); gives the trail that is named, which is for data events.
 */
async function checkEnabled(
  view: StateView,
  { TrailName }: ListInsightsMetricDataRequest,
  subject: Subject,
  call: Pick<Call, 'accountId' | 'region'>,
): Promise<TrailDocument | undefined> {
  const { insightType, category } = subject;
  const what = `${insightType} of ${category.toLowerCase()} events`;
  if (TrailName !== undefined) {
    const trail = await namedTrail(view, 'TrailName', TrailName, call);
    if (isOn(trail, subject)) return trail;
    throw new AwsFault('OperationNotPermittedException', `${what} is not turned on for ${trail.arn}.`);
  }
  const here = (await readTrails(view, call.accountId)).filter(
    ({ isMultiRegion, homeRegion }) => isMultiRegion || homeRegion === call.region,
  );
  if (here.some((trail) => isOn(trail, subject))) return undefined;
  throw new AwsFault(
    'OperationNotPermittedException',
    `No trail in ${call.region} has ${what} turned on. For data events, give the TrailName.`,
  );
}

/** The events that insights count for the same subject. */
function countedEvents(
  request: ListInsightsMetricDataRequest,
  { insightType, category }: Subject,
  { accountId, region }: Pick<Call, 'accountId' | 'region'>,
): NonNullable<EventFilter['attributes']> {
  const isError = insightType === 'ApiErrorRateInsight';
  return [
    { name: 'AccountId', values: [accountId] },
    { name: 'Region', values: [region] },
    { name: 'EventCategory', values: [category] },
    { name: 'EventSource', values: [request.EventSource ?? ''] },
    { name: 'EventName', values: [request.EventName ?? ''] },
    ...(isError ? ([{ name: 'ErrorCode', values: [request.ErrorCode ?? ''] }] as const) : []),
    ...(!isError && category === 'Management'
      ? ([{ name: 'ReadOnly', values: ['true'], not: true }] as const)
      : []),
  ];
}

interface Points {
  readonly periodMs: number;
  /** Of the first data point, and after the last one; epoch milliseconds, whole periods. */
  readonly from: number;
  readonly to: number;
}

function pointsOf(request: ListInsightsMetricDataRequest, now: number): Points {
  const { Period = 3600 } = request;
  const days = availableDays[Period];
  if (days === undefined) throw invalidParameter(`Period takes 60, 300 and 3600, not ${Period}.`);
  const { from = now - 90 * dayMs, to = now } = timeRangeOf(request, invalidCode);
  if (from > to) throw invalidParameter('The StartTime is after the EndTime.');
  const periodMs = Period * 1000;
  const upTo = (time: number) => Math.ceil(time / periodMs) * periodMs;
  return { periodMs, from: upTo(Math.max(from, now - days * dayMs)), to: upTo(Math.min(to, now)) };
}

function checkErrorCode({ InsightType, ErrorCode }: ListInsightsMetricDataRequest): void {
  const isError = InsightType === 'ApiErrorRateInsight';
  if (isError && !ErrorCode) throw invalidParameter('ErrorCode is needed for ApiErrorRateInsight.');
  if (!isError && ErrorCode !== undefined) throw invalidParameter('ErrorCode goes with ApiErrorRateInsight.');
}

/**
 * ListInsightsMetricData (API reference): how many calls, or errors of one code, there were of an API in each period: what
 * insights are found by, counted from the event history. With TrailName data events, else management events, of the
 * caller's region. Throws InvalidParameterException, and OperationNotPermittedException where insights are not on.
 */
export async function ListInsightsMetricData(
  { history, view }: { readonly history: Pick<History, 'count'>; readonly view: StateView },
  request: ListInsightsMetricDataRequest,
  call: Pick<Call, 'accountId' | 'region' | 'time'>,
): Promise<ListInsightsMetricDataResponse> {
  checkErrorCode(request);
  const category: SourceCategory = request.TrailName === undefined ? 'Management' : 'Data';
  const subject = { insightType: request.InsightType as InsightType, category };
  const { EventSource, EventName, InsightType, ErrorCode, DataType, MaxResults = mostPoints } = request;
  const { NextToken, ...asked } = request;
  const canonical = JSON.stringify([
    'ListInsightsMetricData',
    call.accountId,
    call.region,
    { ...asked, MaxResults: undefined },
  ]);
  // A later page goes on in the range that the first one had: by then "now" is another time.
  const { periodMs, from, to } =
    NextToken === undefined
      ? pointsOf(request, call.time)
      : (JSON.parse(placeIn(canonical, NextToken)) as Points);
  const trail = await checkEnabled(view, request, subject, call);
  const counts = new Map<number, number>();
  if (from < to) {
    const filter = { attributes: countedEvents(request, subject, call), from, to: to - 1 };
    const by = { attributes: [], bucketMs: periodMs, limit: mostBuckets };
    for (const { bucket = 0, count } of await history.count(filter, by)) counts.set(bucket, count);
  }
  const times =
    DataType === 'FillWithZeros'
      ? Array.from({ length: Math.max(0, to - from) / periodMs }, (_, place) => from + place * periodMs)
      : [...counts.keys()].toSorted((one, other) => one - other);
  const page = times.slice(0, MaxResults);
  const next = times[page.length];
  return {
    ...(trail && { TrailARN: trail.arn }),
    EventSource,
    EventName,
    InsightType,
    ...(ErrorCode !== undefined && { ErrorCode }),
    Timestamps: page.map((time) => new Date(time)),
    Values: page.map((time) => counts.get(time) ?? 0),
    ...(next !== undefined && {
      NextToken: tokenFor(canonical, JSON.stringify({ periodMs, from: next, to } satisfies Points)),
    }),
  };
}
