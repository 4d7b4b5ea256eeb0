import type { ActiveInsight, ApiRates, MinuteDetail } from './api-rates.ts';
import { type Attribute, type InsightReceiver, type InsightSubject } from './insight-types.ts';
import { keyOf, newRateEngine, type RateEngine } from './rate-engine.ts';
import { newSeries, type Series } from './series.ts';
import type { DailyCounts } from './value-counts.ts';

/** The engine as lines of JSON, and back; FORMAT.md has the members. */

type Pairs = readonly (readonly [string, number])[];

interface SeriesLine {
  /** Hour, events, squares, peak; again and again. */
  readonly h: readonly number[];
  /** Minute, events; again and again. */
  readonly m: readonly number[];
}

interface DetailLine {
  readonly n: number;
  readonly v: Readonly<Record<Attribute, Pairs>>;
}

interface ApiLine {
  readonly subject: InsightSubject;
  readonly series: SeriesLine;
  readonly callers: readonly (readonly [caller: string, firstHour: number, series: SeriesLine])[];
  readonly daily: Readonly<
    Record<Attribute, readonly (readonly [string, readonly (readonly [number, number])[]])[]>
  >;
  readonly recent: readonly (readonly [minute: number, detail: DetailLine])[];
  readonly active?: {
    readonly startMinute: number;
    readonly calm: number;
    readonly announcedTo?: readonly InsightReceiver[];
    /** As earlier versions wrote it: to trails. */
    readonly isAnnounced?: boolean;
    readonly sum: DetailLine;
    readonly calmSum: DetailLine;
  };
}

interface HeadLine {
  readonly closedUntil: number;
  readonly uncounted: number;
  readonly firstHours: Pairs;
}

function seriesLine({ cells, minutes }: Series): SeriesLine {
  return {
    h: [...cells].flatMap(([hour, { sum, squares, peak }]) => [hour, sum, squares, peak]),
    m: [...minutes].flat(),
  };
}

function seriesOf({ h, m }: SeriesLine): Series {
  const series = newSeries();
  for (let at = 0; at < h.length; at += 4) {
    const [hour = 0, sum = 0, squares = 0, peak = 0] = h.slice(at, at + 4);
    series.cells.set(hour, { sum, squares, peak });
  }
  for (let at = 0; at < m.length; at += 2) {
    const [minute = 0, events = 0] = m.slice(at, at + 2);
    series.minutes.set(minute, events);
  }
  return series;
}

const byAttribute = <T>(make: (attribute: Attribute) => T): Record<Attribute, T> => ({
  userIdentityArn: make('userIdentityArn'),
  userAgent: make('userAgent'),
  errorCode: make('errorCode'),
});

const detailLine = ({ total, values }: MinuteDetail): DetailLine => ({
  n: total,
  v: byAttribute((attribute) => [...values[attribute]]),
});

const detailOf = ({ n, v }: DetailLine): MinuteDetail => ({
  total: n,
  values: byAttribute((attribute) => new Map(v[attribute])),
});

function apiLine(rates: ApiRates): ApiLine {
  const { subject, series, callers, daily, recent, active } = rates;
  return {
    subject,
    series: seriesLine(series),
    callers: [...callers].map(([caller, one]) => [caller, one.firstHour, seriesLine(one.series)]),
    daily: byAttribute((attribute) => [...daily[attribute]].map(([value, days]) => [value, [...days]])),
    recent: [...recent].map(([minute, detail]) => [minute, detailLine(detail)]),
    ...(active && {
      active: { ...active, sum: detailLine(active.sum), calmSum: detailLine(active.calmSum) },
    }),
  };
}

function activeOf(line: NonNullable<ApiLine['active']>): ActiveInsight {
  const { startMinute, calm, announcedTo, isAnnounced = false, sum, calmSum } = line;
  return {
    startMinute,
    calm,
    announcedTo: announcedTo ?? (isAnnounced ? ['trails'] : []),
    sum: detailOf(sum),
    calmSum: detailOf(calmSum),
  };
}

function apiOf(line: ApiLine): ApiRates {
  const daily = byAttribute(
    (attribute): DailyCounts => new Map(line.daily[attribute].map(([value, days]) => [value, new Map(days)])),
  );
  const { active } = line;
  return {
    subject: line.subject,
    series: seriesOf(line.series),
    callers: new Map(
      line.callers.map(([caller, firstHour, series]) => [caller, { firstHour, series: seriesOf(series) }]),
    ),
    daily,
    recent: new Map(line.recent.map(([minute, detail]) => [minute, detailOf(detail)])),
    active: active && activeOf(active),
  };
}

/** The lines of an engine, the head first, one for each API behind it. The engine must not change meanwhile. */
export function* engineLines(engine: RateEngine): Generator<string> {
  const { closedUntil, uncounted, firstHours } = engine;
  yield JSON.stringify({ closedUntil, uncounted, firstHours: [...firstHours] } satisfies HeadLine);
  for (const rates of engine.apis.values()) yield JSON.stringify(apiLine(rates));
}

/** The engine of such lines. Throws for lines that are not of an engine. */
export function engineOf(lines: readonly string[]): RateEngine {
  const [head = '', ...apis] = lines;
  const { closedUntil, uncounted, firstHours } = JSON.parse(head) as HeadLine;
  const engine = newRateEngine(0);
  engine.closedUntil = closedUntil;
  engine.uncounted = uncounted;
  for (const [account, hour] of firstHours) engine.firstHours.set(account, hour);
  for (const line of apis) {
    const rates = apiOf(JSON.parse(line) as ApiLine);
    engine.apis.set(keyOf(rates.subject), rates);
    engine.cells += rates.series.cells.size;
    for (const { series } of rates.callers.values()) engine.cells += series.cells.size;
    if (rates.active !== undefined || rates.recent.size > 0) engine.live.add(rates);
  }
  return engine;
}
