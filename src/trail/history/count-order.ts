import type { CountRow } from './history-types.ts';

/** Greatest count first, then by bucket and values, so that the order is fixed. */
export function compareCounts(one: CountRow, other: CountRow): number {
  if (one.count !== other.count) return other.count - one.count;
  if (one.bucket !== other.bucket) return (one.bucket ?? 0) - (other.bucket ?? 0);
  const [left, right] = [JSON.stringify(one.values), JSON.stringify(other.values)];
  return left < right ? -1 : left > right ? 1 : 0;
}
