import type { CountedEvent } from '../../src/trail/insights/insight-types.ts';

/** Traffic of an account for weeks, by seed: a weekly pattern, over-dispersed, with nightly jobs and random bursts. */

export interface Api {
  readonly event: Pick<CountedEvent, 'eventSource' | 'eventName'> & Partial<CountedEvent>;
  /** Expected calls of a minute at busy times of a working day; nights and weekends have `quiet` times that. */
  readonly perMinute: number;
  readonly quiet: number;
  /** How much the rate of an hour differs from its expectation: the shape of a gamma distribution (small is wild). */
  readonly steadiness: number;
  /** Calls of a minute of a job that runs for half an hour each night, at two. */
  readonly nightly?: number;
  /** Bursts a week, at random times, of so many calls of a minute, for ten minutes. */
  readonly bursts?: { readonly perWeek: number; readonly perMinute: number };
  readonly callers: readonly string[];
}

export interface Uniform {
  (): number;
}

/** A small fast generator (mulberry32); simulations draw millions of numbers. */
export function uniform(seed: number): Uniform {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function poisson(mean: number, draw: Uniform): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(draw)));
  let [product, count] = [draw(), 0];
  for (const limit = Math.exp(-mean); product > limit; count += 1) product *= draw();
  return count;
}

function normal(draw: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** Mean 1, variance 1 / shape (Marsaglia and Tsang; for shapes of at least 1). */
function gamma(shape: number, draw: Uniform): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(draw);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - draw()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
}

/** Calls the account makes: `emit` gets, for each minute from `from` to `to` (minutes since the epoch), its events. */
export function simulate(
  apis: readonly Api[],
  from: number,
  to: number,
  draw: Uniform,
  emit: (event: CountedEvent, times: number) => void,
  afterMinute: (minute: number) => void,
): void {
  const hourly = apis.map(() => 1);
  const burstUntil = apis.map(() => 0);
  for (let minute = from; minute < to; minute += 1) {
    const hour = Math.floor(minute / 60) % 24;
    // 1970-01-01 was a Thursday.
    const weekday = (Math.floor(minute / 1440) + 4) % 7;
    const busy = weekday > 0 && weekday < 6 && hour >= 8 && hour < 18;
    for (const [at, api] of apis.entries()) {
      if (minute % 60 === 0) hourly[at] = gamma(api.steadiness, draw);
      if (api.bursts && draw() < api.bursts.perWeek / 10_080) burstUntil[at] = minute + 10;
      let mean = api.perMinute * (busy ? 1 : api.quiet) * (hourly[at] ?? 1);
      if (api.nightly !== undefined && hour === 2 && minute % 60 < 30) mean += api.nightly;
      if (api.bursts && minute < (burstUntil[at] ?? 0)) mean += api.bursts.perMinute;
      const count = poisson(mean, draw);
      for (const [place, caller] of api.callers.entries()) {
        const share = Math.floor(count / api.callers.length) + (place < count % api.callers.length ? 1 : 0);
        if (share > 0) emit(eventOf(api, caller, minute), share);
      }
    }
    afterMinute(minute);
  }
}

export function eventOf({ event }: Pick<Api, 'event'>, caller: string, minute: number): CountedEvent {
  return {
    accountId: '000000000000',
    region: 'us-east-1',
    category: 'Management',
    readOnly: false,
    errorCode: undefined,
    userAgent: 'terraform',
    ...event,
    caller,
    minute,
  };
}
