import {
  attributes,
  type Attribute,
  type InsightFinding,
  type InsightReceiver,
  type InsightSubject,
} from './insight-types.ts';
import {
  hourOf,
  leastHours,
  rules,
  thresholdsOf,
  windowMinutes,
  type RateModel,
  type Thresholds,
} from './rate-model.ts';
import { modelFor, newSeries, type Series } from './series.ts';
import {
  addCounts,
  addValue,
  averagesOf,
  dailyAverages,
  type DailyCounts,
  type ValueCounts,
} from './value-counts.ts';

/** What came in one minute of an API. */
export interface MinuteDetail {
  total: number;
  readonly values: Readonly<Record<Attribute, ValueCounts>>;
}

/** Unusual activity that goes on. */
export interface ActiveInsight {
  readonly startMinute: number;
  /** Calm minutes at its end, so far. */
  calm: number;
  /** Whose start is in the journal: an end without a start would say nothing. */
  announcedTo: readonly InsightReceiver[];
  /** Of the minutes up to the last one that was not calm. */
  readonly sum: MinuteDetail;
  /** Of the calm minutes since. */
  readonly calmSum: MinuteDetail;
}

/** One caller of an API that is known long enough to have a pattern of its own. */
export interface CallerRates {
  /** Hour of its first event. */
  readonly firstHour: number;
  readonly series: Series;
}

/** Everything that is known of one API (or of one error of it) in one account and region. */
export interface ApiRates {
  readonly subject: InsightSubject;
  readonly series: Series;
  readonly callers: Map<string, CallerRates>;
  readonly daily: Readonly<Record<Attribute, DailyCounts>>;
  /** The open minutes and those of the window, by minute. */
  readonly recent: Map<number, MinuteDetail>;
  active: ActiveInsight | undefined;
}

export const newDetail = (): MinuteDetail => ({
  total: 0,
  values: { userIdentityArn: new Map(), userAgent: new Map(), errorCode: new Map() },
});

export function newApiRates(subject: InsightSubject): ApiRates {
  return {
    subject,
    series: newSeries(),
    callers: new Map(),
    daily: { userIdentityArn: new Map(), userAgent: new Map(), errorCode: new Map() },
    recent: new Map(),
    active: undefined,
  };
}

export function addDetail(
  detail: MinuteDetail,
  values: Readonly<Record<Attribute, string>>,
  times: number,
): void {
  detail.total += times;
  for (const attribute of attributes) addValue(detail.values[attribute], values[attribute], times);
}

function mergeDetail(to: MinuteDetail, from: MinuteDetail): void {
  to.total += from.total;
  for (const attribute of attributes) addCounts(to.values[attribute], from.values[attribute]);
}

/** How the window that ends with a minute stands to what is usual. */
interface Reading {
  readonly model: RateModel;
  readonly thresholds: Thresholds;
  readonly observed: number;
  readonly isHot: boolean;
  readonly isCalm: boolean;
  /** The first minute of the window that was above its pattern. */
  readonly firstMinute: number;
}

function readWindow(
  countAt: (minute: number) => number,
  model: RateModel,
  minute: number,
  kind: 'call' | 'error',
  factor: number,
): Reading {
  const given = thresholdsOf(model, minute, kind);
  const least = rules.leastEvents[kind] * factor;
  const thresholds = { ...given, start: Math.max(given.start, least), calm: Math.max(given.calm, least / 2) };
  const perMinute = (rules.sustainedShare * thresholds.start) / windowMinutes;
  let [observed, above, firstMinute] = [0, 0, minute];
  for (let back = windowMinutes - 1; back >= 0; back -= 1) {
    const count = countAt(minute - back);
    observed += count;
    if (count < perMinute) continue;
    if (above === 0) firstMinute = minute - back;
    above += 1;
  }
  const isHot = observed >= thresholds.start && above >= rules.sustainedMinutes;
  return { model, thresholds, observed, isHot, isCalm: observed < thresholds.calm, firstMinute };
}

interface Trigger {
  readonly trigger: InsightFinding['trigger'];
  readonly reading: Reading;
}

/** The readings of an API as a whole and of its known callers, those that say the most first. */
function readApi(rates: ApiRates, minute: number, firstHour: number): readonly Trigger[] {
  const kind = rates.subject.insightType === 'ApiCallRateInsight' ? 'call' : 'error';
  const model = modelFor(rates.series, minute, firstHour);
  if (!model) return [];
  const countAt = (at: number) => rates.recent.get(at)?.total ?? 0;
  const found: Trigger[] = [{ trigger: { by: 'api' }, reading: readWindow(countAt, model, minute, kind, 1) }];
  for (const [caller, known] of rates.callers) {
    const since = Math.max(firstHour, known.firstHour);
    // A caller without a pattern of its own is judged with the API as a whole: every new role would be an alarm else.
    if (hourOf(minute) - since < leastHours) continue;
    const own = modelFor(known.series, minute, since);
    if (!own) continue;
    const countOfCaller = (at: number) => rates.recent.get(at)?.values.userIdentityArn.get(caller) ?? 0;
    const reading = readWindow(countOfCaller, own, minute, kind, rules.callerFactor);
    found.push({ trigger: { by: 'caller', caller }, reading });
  }
  return found;
}

function finding(
  rates: ApiRates,
  state: 'Start' | 'End',
  { trigger, reading }: Trigger,
  model: RateModel,
  span: { readonly startMinute: number; readonly endMinute: number },
  sum: MinuteDetail,
): InsightFinding {
  const { baselineMinutes } = model;
  const minutes = Math.max(1, span.endMinute - span.startMinute);
  const toDay = Math.floor(span.startMinute / 1440);
  const fromDay = toDay - Math.ceil(baselineMinutes / 1440);
  return {
    subject: rates.subject,
    state,
    announcedTo: rates.active?.announcedTo ?? [],
    ...span,
    trigger,
    observed: reading.observed,
    expected: reading.thresholds.expected,
    threshold: state === 'Start' ? reading.thresholds.start : reading.thresholds.calm,
    baselineAverage: model.average,
    insightAverage: sum.total / minutes,
    baselineMinutes,
    attributions: attributes.map((attribute) => ({
      attribute,
      insight: averagesOf(sum.values[attribute], minutes),
      baseline: dailyAverages(rates.daily[attribute], fromDay, toDay, baselineMinutes),
    })),
  };
}

function startInsight(rates: ApiRates, minute: number, hot: Trigger, model: RateModel): InsightFinding {
  const { firstMinute } = hot.reading;
  const sum = newDetail();
  for (let at = firstMinute; at <= minute; at += 1) {
    const detail = rates.recent.get(at);
    if (detail) mergeDetail(sum, detail);
  }
  rates.active = { startMinute: firstMinute, calm: 0, announcedTo: [], sum, calmSum: newDetail() };
  return finding(rates, 'Start', hot, model, { startMinute: firstMinute, endMinute: minute + 1 }, sum);
}

/** The active insight goes on, or ends when it has been calm for long enough. */
function goOn(
  rates: ApiRates,
  active: ActiveInsight,
  minute: number,
  readings: readonly Trigger[],
): InsightFinding | undefined {
  const detail = rates.recent.get(minute) ?? newDetail();
  const [whole] = readings;
  if (whole && readings.some(({ reading }) => !reading.isCalm)) {
    mergeDetail(active.sum, active.calmSum);
    mergeDetail(active.sum, detail);
    rates.active = { ...active, calm: 0, calmSum: newDetail() };
    return undefined;
  }
  mergeDetail(active.calmSum, detail);
  active.calm += 1;
  if (active.calm < rules.calmMinutes) return undefined;
  const model = whole?.reading.model;
  if (!whole || !model) {
    rates.active = undefined;
    return undefined;
  }
  // The window is calm some minutes after the last event that was too much: the insight ends where calm began.
  const span = { startMinute: active.startMinute, endMinute: minute + 1 - active.calm };
  const ended = finding(rates, 'End', whole, model, span, active.sum);
  rates.active = undefined;
  return ended;
}

/** Judges the minute that closes; what begins or ends with it. Minutes are closed one after the other. */
export function closeMinute(rates: ApiRates, minute: number, firstHour: number): InsightFinding | undefined {
  const readings = readApi(rates, minute, firstHour);
  const { active } = rates;
  let found: InsightFinding | undefined;
  if (active) found = goOn(rates, active, minute, readings);
  else {
    const hot = readings.find(({ reading }) => reading.isHot);
    const [whole] = readings;
    if (hot && whole) found = startInsight(rates, minute, hot, whole.reading.model);
  }
  rates.recent.delete(minute - windowMinutes + 1);
  return found;
}

/** Whether the next minutes need judging even when nothing more comes. */
export const isLive = (rates: ApiRates): boolean => rates.active !== undefined || rates.recent.size > 0;
