import { limits } from '../../kernel/index.ts';
import { addDetail, closeMinute, isLive, newApiRates, newDetail, type ApiRates } from './api-rates.ts';
import {
  attributes,
  type CountedEvent,
  type InsightFinding,
  type InsightReceiver,
  type InsightSubject,
  type InsightType,
} from './insight-types.ts';
import { baselineHours, hourOf } from './rate-model.ts';
import { addEvents, newSeries, pruneSeries, totalOf, type Series } from './series.ts';
import { addDaily, pruneDaily } from './value-counts.ts';

const minuteMs = 60_000;
const dayMinutes = 1440;
/** How long a minute stays open for events that come late. */
const graceMs = minuteMs;
/** An event may be so much ahead of the journal's time; clocks differ. */
const usualAheadMinutes = 6;
/** A journal whose time is so far behind what was judged has a clock that was put back. */
const putBackMinutes = 60;

/** All counts and baselines, and what goes on. A pure function of the events and times that it is given. */
export interface RateEngine {
  readonly apis: Map<string, ApiRates>;
  /** Hour of the first event of each account, by account. */
  readonly firstHours: Map<string, number>;
  /** Every minute before it has been judged. */
  closedUntil: number;
  /** So much further ahead than that events are counted. */
  readonly aheadMinutes: number;
  /** Events that were not counted because there were too many APIs, or hours of them, since the start. */
  uncounted: number;
  /** Hours of series that are kept. */
  cells: number;
  /** Those whose next minutes need judging. */
  readonly live: Set<ApiRates>;
}

/** Opens the engine at a time: minutes before it are counted and not judged. */
export function newRateEngine(nowMs: number, aheadMinutes = usualAheadMinutes): RateEngine {
  return {
    apis: new Map(),
    firstHours: new Map(),
    closedUntil: Math.floor(nowMs / minuteMs),
    aheadMinutes,
    uncounted: 0,
    cells: 0,
    live: new Set(),
  };
}

export function keyOf(subject: InsightSubject): string {
  const { accountId, region, category, insightType, eventSource, eventName, errorCode } = subject;
  return JSON.stringify([
    accountId,
    region,
    category,
    insightType,
    eventSource,
    eventName,
    errorCode ?? null,
  ]);
}

/** Call rates of management events are of writes alone; error rates are of all ("Working with CloudTrail Insights"). */
function typesOf({ category, readOnly, errorCode }: CountedEvent): readonly InsightType[] {
  const isCounted = category === 'Data' || !readOnly;
  return [
    ...(isCounted ? (['ApiCallRateInsight'] as const) : []),
    ...(errorCode === undefined ? [] : (['ApiErrorRateInsight'] as const)),
  ];
}

function apiOf(engine: RateEngine, event: CountedEvent, insightType: InsightType): ApiRates | undefined {
  const { accountId, region, category, eventSource, eventName, errorCode } = event;
  const subject: InsightSubject = {
    accountId,
    region,
    category,
    insightType,
    eventSource,
    eventName,
    ...(insightType === 'ApiErrorRateInsight' && errorCode !== undefined && { errorCode }),
  };
  const key = keyOf(subject);
  const known = engine.apis.get(key);
  if (known) return known;
  if (engine.apis.size >= limits.insightApis) return undefined;
  const made = newApiRates(subject);
  engine.apis.set(key, made);
  return made;
}

function countCaller(engine: RateEngine, rates: ApiRates, event: CountedEvent, times: number): void {
  const hour = hourOf(event.minute);
  let caller = rates.callers.get(event.caller);
  if (!caller) {
    if (rates.callers.size >= limits.insightCallers) return;
    rates.callers.set(event.caller, (caller = { firstHour: hour, series: newSeries() }));
  } else if (hour < caller.firstHour) {
    rates.callers.set(event.caller, (caller = { ...caller, firstHour: hour }));
  }
  if (engine.cells >= limits.insightHours && !caller.series.cells.has(hour)) return;
  engine.cells += addEvents(caller.series, event.minute, times);
}

function countFor(engine: RateEngine, rates: ApiRates, event: CountedEvent, times: number): void {
  const { minute } = event;
  if (engine.cells >= limits.insightHours && !rates.series.cells.has(hourOf(minute))) {
    engine.uncounted += times;
    return;
  }
  engine.cells += addEvents(rates.series, minute, times);
  countCaller(engine, rates, event, times);
  const values = {
    userIdentityArn: event.caller,
    userAgent: event.userAgent,
    errorCode: event.errorCode ?? 'null',
  };
  const day = Math.floor(minute / dayMinutes);
  for (const attribute of attributes) addDaily(rates.daily[attribute], values[attribute], day, times);
  if (minute < engine.closedUntil) return;
  let detail = rates.recent.get(minute);
  if (!detail) rates.recent.set(minute, (detail = newDetail()));
  addDetail(detail, values, times);
  engine.live.add(rates);
}

/**
 * Counts an event. Of a minute that is judged already (late, or imported) it becomes part of the baseline alone; from
 * before the baseline, or too far ahead, it is nothing.
 */
export function countEvent(engine: RateEngine, event: CountedEvent, times = 1): void {
  const hour = hourOf(event.minute);
  if (hour < hourOf(engine.closedUntil) - baselineHours) return;
  if (event.minute > engine.closedUntil + engine.aheadMinutes) return;
  const first = engine.firstHours.get(event.accountId);
  if (first === undefined || hour < first) engine.firstHours.set(event.accountId, hour);
  for (const type of typesOf(event)) {
    const rates = apiOf(engine, event, type);
    if (rates) countFor(engine, rates, event, times);
    else engine.uncounted += times;
  }
}

/** Remembers of an insight that goes on for whom its start is in the journal. */
export function announce(
  engine: RateEngine,
  { subject, startMinute, state }: InsightFinding,
  receivers: readonly InsightReceiver[],
): void {
  const active = engine.apis.get(keyOf(subject))?.active;
  if (state !== 'Start' || active?.startMinute !== startMinute) return;
  active.announcedTo = [...new Set([...active.announcedTo, ...receivers])];
}

/** Once a day: what is too old goes, and, of what is too much, the rarest. */
function prune(engine: RateEngine, minute: number): void {
  const beforeHour = hourOf(minute) - baselineHours;
  const beforeDay = Math.floor(beforeHour / 24);
  for (const [key, rates] of engine.apis) {
    engine.cells -= pruneSeries(rates.series, beforeHour);
    for (const [caller, { series }] of rates.callers) {
      engine.cells -= pruneSeries(series, beforeHour);
      if (series.cells.size === 0) rates.callers.delete(caller);
    }
    for (const attribute of attributes) pruneDaily(rates.daily[attribute], beforeDay);
    if (rates.series.cells.size === 0 && !isLive(rates)) engine.apis.delete(key);
  }
  makeRoom(engine);
}

/** A tenth of the room is free for the day that comes: callers go before APIs, the rarest first. */
function makeRoom(engine: RateEngine): void {
  const most = 0.9 * limits.insightHours;
  if (engine.cells <= most) return;
  const callers = [...engine.apis.values()].flatMap((rates) =>
    [...rates.callers].map(([caller, { series }]) => ({ rates, caller, series, total: totalOf(series) })),
  );
  for (const { rates, caller, series } of callers.toSorted((a, b) => a.total - b.total)) {
    if (engine.cells <= most) return;
    rates.callers.delete(caller);
    engine.cells -= series.cells.size;
  }
  const apis = [...engine.apis].map(([key, rates]) => ({ key, rates, total: totalOf(rates.series) }));
  for (const { key, rates } of apis.toSorted((a, b) => a.total - b.total)) {
    if (engine.cells <= most) return;
    if (isLive(rates)) continue;
    engine.apis.delete(key);
    engine.cells -= rates.series.cells.size;
  }
}

/** Lets go of what was counted at hours after `hour`. */
function dropLater(engine: RateEngine, { cells, minutes }: Series, hour: number): void {
  for (const at of cells.keys()) if (at > hour && cells.delete(at)) engine.cells -= 1;
  for (const at of minutes.keys()) if (hourOf(at) > hour) minutes.delete(at);
}

/**
 * Goes back to an earlier minute after the clock was ahead for a while: else nothing would be judged until time is there
 * again. What was counted for later is let go of. What was too old for the time that was wrong is gone from the baselines,
 * so that they begin behind it.
 */
function putBack(engine: RateEngine, minute: number): void {
  const hour = hourOf(minute);
  const kept = Math.min(hour, hourOf(engine.closedUntil) - baselineHours);
  for (const [account, first] of engine.firstHours) engine.firstHours.set(account, Math.max(first, kept));
  for (const rates of engine.apis.values()) {
    const all = [rates.series, ...[...rates.callers.values()].map(({ series }) => series)];
    for (const series of all) {
      dropLater(engine, series, hour);
      series.modelDay = -1;
    }
    rates.recent.clear();
  }
  engine.closedUntil = minute;
}

/**
 * Says that it is `nowMs`: judges every minute that is over for longer than the grace, in order. What began or ended
 * with them, in an order that the events alone decide.
 */
export function passTime(engine: RateEngine, nowMs: number): readonly InsightFinding[] {
  const until = Math.floor((nowMs - graceMs) / minuteMs);
  const found: InsightFinding[] = [];
  if (until < engine.closedUntil - putBackMinutes) putBack(engine, until);
  while (engine.closedUntil < until) {
    if (engine.live.size === 0) {
      // Nothing happens in minutes without events; only the turn of the day is not to be missed.
      const day = (Math.floor(engine.closedUntil / dayMinutes) + 1) * dayMinutes;
      const next = Math.min(until, day);
      if (next === day) prune(engine, day);
      engine.closedUntil = next;
      continue;
    }
    const minute = engine.closedUntil;
    engine.closedUntil += 1;
    const judged = [...engine.live].flatMap((rates) => {
      const firstHour = engine.firstHours.get(rates.subject.accountId) ?? hourOf(minute);
      const one = closeMinute(rates, minute, firstHour);
      if (!isLive(rates)) engine.live.delete(rates);
      return one ? [{ key: keyOf(rates.subject), one }] : [];
    });
    found.push(...judged.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ one }) => one));
    if (engine.closedUntil % dayMinutes === 0) prune(engine, engine.closedUntil);
  }
  return found;
}
