/** How often each value of an attribute came, of a bounded number of values; the rest is counted as `others`. */

const others = 'others';
/** CloudTrail names at most five values of an attribute. */
const shownValues = 5;
const mostValues = 50;
const mostDailyValues = 20;

export type ValueCounts = Map<string, number>;

export function addValue(counts: ValueCounts, value: string, times: number): void {
  const name = counts.has(value) || counts.size < mostValues ? value : others;
  counts.set(name, (counts.get(name) ?? 0) + times);
}

export function addCounts(to: ValueCounts, from: ValueCounts): void {
  for (const [value, times] of from) addValue(to, value, times);
}

/** By value, then by day since the epoch. */
export type DailyCounts = Map<string, Map<number, number>>;

export function addDaily(counts: DailyCounts, value: string, day: number, times: number): void {
  const name = counts.has(value) || counts.size < mostDailyValues ? value : others;
  let days = counts.get(name);
  if (!days) counts.set(name, (days = new Map()));
  days.set(day, (days.get(day) ?? 0) + times);
}

export function pruneDaily(counts: DailyCounts, beforeDay: number): void {
  for (const [value, days] of counts) {
    for (const day of days.keys()) if (day < beforeDay) days.delete(day);
    if (days.size === 0) counts.delete(value);
  }
}

export interface ValueAverage {
  readonly value: string;
  /** Events of a minute. */
  readonly average: number;
}

function shown(averages: readonly ValueAverage[]): readonly ValueAverage[] {
  return averages
    .toSorted((a, b) => b.average - a.average || (a.value < b.value ? -1 : 1))
    .slice(0, shownValues);
}

/** The most frequent values, as averages over so many minutes. */
export function averagesOf(counts: ValueCounts, minutes: number): readonly ValueAverage[] {
  return shown([...counts].map(([value, times]) => ({ value, average: times / minutes })));
}

/** As `averagesOf`, over the days from `fromDay` up to, not including, `toDay`. */
export function dailyAverages(
  counts: DailyCounts,
  fromDay: number,
  toDay: number,
  minutes: number,
): readonly ValueAverage[] {
  const totals = [...counts].map(([value, days]) => {
    let total = 0;
    for (const [day, times] of days) if (day >= fromDay && day < toDay) total += times;
    return { value, average: total / minutes };
  });
  return shown(totals.filter(({ average }) => average > 0));
}
