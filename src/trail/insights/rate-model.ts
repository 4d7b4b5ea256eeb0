/**
 * The statistics of insights: what is usual for one series of per-minute counts, and from where on a count is unusual.
 * Pure; FORMAT.md says why it is done so.
 */

/** What is kept of one hour of a series: everything that its model needs. */
export interface HourCell {
  /** Events. */
  sum: number;
  /** Sum over the minutes of the square of their counts. */
  squares: number;
  /** Most events in five minutes running that end in this hour. */
  peak: number;
}

/** By hours since the epoch; an hour without a cell had no event. */
export type Cells = ReadonlyMap<number, HourCell>;

const hoursPerWeek = 168;
/** Hours that a baseline covers: 28 days. */
export const baselineHours = 4 * hoursPerWeek;
/** Hours of history that an account needs before anything can be unusual in it: 7 days. */
export const leastHours = 7 * 24;
export const windowMinutes = 5;

/** When a count is unusual; all of it must hold. */
export const rules = {
  /** Events in the window, so that a handful is never an alarm. */
  leastEvents: { call: 25, error: 15 },
  /** Times what is expected of the window. */
  leastRatio: 3,
  /** Standard deviations (one-sided) of the count that is expected, by a gamma distribution: 1 in 10 million. */
  startDeviations: 5.2,
  /** Minutes of the window that must have so much of their share of the threshold: one burst is no change of rate. */
  sustainedMinutes: 3,
  sustainedShare: 0.6,
  /** Times the excess that is seen now and then outside the weekly pattern. */
  excessShare: 1.5,
  /** Below these the series is calm again (1 in 100), and so many minutes running end an insight. */
  calmRatio: 1.5,
  calmDeviations: 2.33,
  calmMinutes: 10,
  /** A caller's own change counts when it is so many times larger than the least for an API. */
  callerFactor: 2,
} as const;

export interface RateModel {
  /** Expected events of a minute, by hour of the week (hours since the epoch modulo 168). */
  readonly means: Float64Array;
  /** Over-dispersion: the variance of a count with mean m is m + alpha m². */
  readonly alpha: number;
  /** Events above the pattern in five minutes, as they came on at least two days. */
  readonly excess: number;
  /** Average events of a minute over the whole baseline. */
  readonly average: number;
  readonly baselineMinutes: number;
}

export const hourOf = (minute: number): number => Math.floor(minute / 60);

const read = (numbers: Float64Array, place: number): number => numbers[place] ?? 0;

function add(numbers: Float64Array, place: number, amount: number): void {
  numbers[place] = read(numbers, place) + amount;
}

/** Events of the hours of one class (such as Mondays at 9), summed up. */
function classes(cells: Cells, from: number, to: number, period: number) {
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  for (let hour = from; hour < to; hour += 1) add(counts, hour % period, 1);
  for (const [hour, { sum }] of cells) if (hour >= from && hour < to) add(sums, hour % period, sum);
  return { sums, counts };
}

/**
 * Models a series over the hours from `from` up to, not including, `to`: the mean of each hour of the week over the weeks
 * (of an hour of the week seen once, pulled towards its hour of the day), the dispersion by which hours differed from what
 * the other weeks made expect, and the excess that came on at least two days.
 */
export function modelRates(cells: Cells, from: number, to: number): RateModel {
  const weekly = classes(cells, from, to, hoursPerWeek);
  const daily = classes(cells, from, to, 24);
  const hours = to - from;
  const means = new Float64Array(hoursPerWeek);
  for (let hour = 0; hour < hoursPerWeek; hour += 1) {
    const weeks = read(weekly.counts, hour);
    const day = read(daily.sums, hour % 24) / Math.max(1, read(daily.counts, hour % 24));
    const pull = weeks >= 2 ? 0 : 0.5;
    means[hour] = weeks + pull === 0 ? 0 : (read(weekly.sums, hour) + pull * day) / (60 * (weeks + pull));
  }
  let [residual, expected, squared, total] = [0, 0, 0, 0];
  const excesses = new Map<number, number>();
  for (let hour = from; hour < to; hour += 1) {
    const cell = cells.get(hour);
    const [sum, squares, peak] = [cell?.sum ?? 0, cell?.squares ?? 0, cell?.peak ?? 0];
    const usual = othersMean(hour, sum, weekly, daily);
    total += sum;
    residual += squares - 2 * usual * sum + 60 * usual * usual;
    expected += 60 * usual;
    squared += 60 * usual * usual;
    const day = Math.floor(hour / 24);
    excesses.set(day, Math.max(excesses.get(day) ?? 0, peak - windowMinutes * usual));
  }
  const [, second = 0] = [...excesses.values()].toSorted((a, b) => b - a);
  return {
    means,
    alpha: squared === 0 ? 0 : Math.max(0.02, (residual - expected) / squared),
    excess: Math.max(0, second),
    average: total / Math.max(1, hours * 60),
    baselineMinutes: hours * 60,
  };
}

/** What the other weeks, or with one week the other days, made expect of an hour's minutes. */
function othersMean(
  hour: number,
  sum: number,
  weekly: ReturnType<typeof classes>,
  daily: ReturnType<typeof classes>,
): number {
  const weeks = read(weekly.counts, hour % hoursPerWeek);
  if (weeks >= 2) return (read(weekly.sums, hour % hoursPerWeek) - sum) / (60 * (weeks - 1));
  const days = read(daily.counts, hour % 24);
  return days >= 2 ? (read(daily.sums, hour % 24) - sum) / (60 * (days - 1)) : 0;
}

/** Expected events of one minute (minutes since the epoch). */
function expectedOf(model: RateModel, minute: number): number {
  return read(model.means, hourOf(minute) % hoursPerWeek);
}

/** The count that lies `deviations` above the mean, in a gamma distribution (Wilson and Hilferty's approximation). */
function upperCount(mean: number, alpha: number, deviations: number): number {
  const variance = mean + alpha * mean * mean;
  if (mean <= 0 || variance <= 0) return 0;
  const shape = (mean * mean) / variance;
  const root = 1 - 1 / (9 * shape) + deviations / (3 * Math.sqrt(shape));
  return mean * Math.max(0, root) ** 3;
}

export interface Thresholds {
  /** Expected events of the window. */
  readonly expected: number;
  /** At least so many are unusual; fewer than `calm` are calm. */
  readonly start: number;
  readonly calm: number;
}

/** The thresholds of the window of five minutes that ends with `minute`. */
export function thresholdsOf(model: RateModel, minute: number, kind: 'call' | 'error'): Thresholds {
  let expected = 0;
  for (let back = 0; back < windowMinutes; back += 1) expected += expectedOf(model, minute - back);
  const least = rules.leastEvents[kind];
  return {
    expected,
    start: Math.max(
      least,
      rules.leastRatio * expected,
      upperCount(expected, model.alpha, rules.startDeviations),
      expected + rules.excessShare * model.excess,
    ),
    calm: Math.max(
      least / 2,
      rules.calmRatio * expected,
      upperCount(expected, model.alpha, rules.calmDeviations),
      expected + model.excess,
    ),
  };
}
