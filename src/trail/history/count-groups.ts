import { AwsFault, limits } from '../../kernel/index.ts';

/** Numbers below this fit twice into one exact number. */
const radix = 2 ** 26;

/** Counts by tuples of small numbers, without building a key object for each. */
export interface GroupCounts {
  add(numbers: readonly number[], count: number): void;
  /** Calls `visit` for each group. */
  each(visit: (numbers: readonly number[], count: number) => void): void;
}

/** A number for each pair of numbers. */
function openPairs() {
  const numbers = new Map<number, number>();
  const pairs: number[] = [];
  return {
    numberOf(left: number, right: number): number {
      const key = left * radix + right;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      if (pairs.length >= limits.historyCountGroups) {
        throw new AwsFault(
          'LimitExceededException',
          `The count has more than ${limits.historyCountGroups} groups. Narrow it down by time or by attributes, or group by fewer.`,
        );
      }
      const number = pairs.length;
      pairs.push(key);
      numbers.set(key, number);
      return number;
    },
    leftOf: (number: number) => Math.floor((pairs[number] as number) / radix),
    rightOf: (number: number) => (pairs[number] as number) % radix,
  };
}

/** Opens counts of tuples of `width` numbers, each below 2^26. */
export function openGroupCounts(width: number): GroupCounts {
  const levels = Array.from({ length: width }, () => openPairs());
  const counts: number[] = [];
  return {
    add(numbers, count) {
      let group = 0;
      for (let level = 0; level < width; level += 1) {
        group = (levels[level] as ReturnType<typeof openPairs>).numberOf(group, numbers[level] as number);
      }
      counts[group] = (counts[group] ?? 0) + count;
    },
    each(visit) {
      for (const [group, count] of counts.entries()) {
        if (count === undefined) continue;
        const numbers: number[] = [];
        let current = group;
        for (let level = width - 1; level >= 0; level -= 1) {
          const pairs = levels[level] as ReturnType<typeof openPairs>;
          numbers.unshift(pairs.rightOf(current));
          current = pairs.leftOf(current);
        }
        visit(numbers, count);
      }
    },
  };
}
