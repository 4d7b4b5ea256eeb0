import {
  baselineHours,
  hourOf,
  leastHours,
  modelRates,
  windowMinutes,
  type HourCell,
  type RateModel,
} from './rate-model.ts';

/** Minutes whose counts are kept, for the squares and peaks of their hours; older ones begin at nothing again. */
const mostMinutes = 64;

/** Per-minute counts of one thing over the last 28 days, by the hour, and the model of them, made once a day. */
export interface Series {
  readonly cells: Map<number, HourCell>;
  readonly minutes: Map<number, number>;
  model: RateModel | undefined;
  /** The day (since the epoch) that the model is for. */
  modelDay: number;
}

export function newSeries(): Series {
  return { cells: new Map(), minutes: new Map(), model: undefined, modelDay: -1 };
}

/** Most events of the windows that a minute is part of; later minutes are there already when events come out of order. */
function peakAround(minutes: ReadonlyMap<number, number>, minute: number): number {
  let peak = 0;
  for (let end = minute; end < minute + windowMinutes; end += 1) {
    if (end > minute && !minutes.has(end)) continue;
    let running = 0;
    for (let back = 0; back < windowMinutes; back += 1) running += minutes.get(end - back) ?? 0;
    peak = Math.max(peak, running);
  }
  return peak;
}

/** Adds events to a minute; returns the number of cells that came with it. */
export function addEvents({ cells, minutes }: Series, minute: number, times: number): number {
  const before = minutes.get(minute) ?? 0;
  minutes.set(minute, before + times);
  if (before === 0 && minutes.size > mostMinutes) {
    const [oldest] = minutes.keys();
    if (oldest !== undefined) minutes.delete(oldest);
  }
  const running = peakAround(minutes, minute);
  const hour = hourOf(minute);
  const cell = cells.get(hour);
  if (!cell) {
    cells.set(hour, { sum: times, squares: times * times, peak: running });
    return 1;
  }
  cell.sum += times;
  cell.squares += times * (2 * before + times);
  cell.peak = Math.max(cell.peak, running);
  return 0;
}

/** The model for the day of a minute, over at most 28 days before it; undefined with fewer than 7 days of history. */
export function modelFor(series: Series, minute: number, firstHour: number): RateModel | undefined {
  const day = Math.floor(minute / 1440);
  if (series.modelDay === day) return series.model;
  const to = day * 24;
  const from = Math.max(firstHour, to - baselineHours);
  series.modelDay = day;
  series.model = to - from < leastHours ? undefined : modelRates(series.cells, from, to);
  return series.model;
}

/** Lets go of hours that no baseline covers any more; returns how many cells went. */
export function pruneSeries({ cells }: Series, beforeHour: number): number {
  const had = cells.size;
  for (const hour of cells.keys()) if (hour < beforeHour) cells.delete(hour);
  return had - cells.size;
}

export const totalOf = ({ cells }: Series): number => {
  let total = 0;
  for (const { sum } of cells.values()) total += sum;
  return total;
};
