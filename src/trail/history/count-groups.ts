import { AwsFault, limits } from '../../kernel/index.ts';

const firstSlots = 1024;

export interface GroupCount {
  readonly numbers: readonly number[];
  readonly count: number;
}

/** Counts by tuples of small numbers, without building a key object for each. */
export interface GroupCounts {
  add(numbers: readonly number[], count: number): void;
  /** The `limit` groups with the highest counts, in any order; of equal counts those that came first. */
  greatest(limit: number): readonly GroupCount[];
}

function slotOf(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e37_79b1) ^ Math.imul(right, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}

function twiceAsLong(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

/** A number for each pair of numbers: 0, 1, 2, …; in a table of its own. */
function openPairs() {
  /** By number. */
  let lefts = new Int32Array(firstSlots / 2);
  let rights = new Int32Array(firstSlots / 2);
  let count = 0;
  /** In each slot a number and one; 0 where it is free. At least half of them are. */
  let slots = new Int32Array(firstSlots);
  const find = (left: number, right: number): number => {
    const mask = slots.length - 1;
    for (let slot = slotOf(left, right) & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1;
      if (number < 0 || (lefts[number] === left && rights[number] === right)) return slot;
    }
  };
  const grow = (): void => {
    lefts = twiceAsLong(lefts);
    rights = twiceAsLong(rights);
    slots = new Int32Array(slots.length * 2);
    for (let number = 0; number < count; number += 1) {
      slots[find(lefts[number] as number, rights[number] as number)] = number + 1;
    }
  };
  return {
    numberOf(left: number, right: number): number {
      let slot = find(left, right);
      const known = slots[slot] as number;
      if (known > 0) return known - 1;
      if (count >= limits.historyCountGroups) {
        throw new AwsFault(
          'LimitExceededException',
          `The count has more than ${limits.historyCountGroups} groups. Narrow it down by time or by attributes, or group by fewer.`,
        );
      }
      if (count === lefts.length) {
        grow();
        slot = find(left, right);
      }
      lefts[count] = left;
      rights[count] = right;
      count += 1;
      slots[slot] = count;
      return count - 1;
    },
    leftOf: (number: number) => lefts[number] as number,
    rightOf: (number: number) => rights[number] as number,
  };
}

/** Opens counts of tuples of `width` numbers, each below 2^31. */
export function openGroupCounts(width: number): GroupCounts {
  const levels = Array.from({ length: width }, () => openPairs());
  /** By the number of the last level. */
  const counts: number[] = [];
  const numbersOf = (group: number): readonly number[] => {
    let current = group;
    const backwards = levels.toReversed().map((pairs) => {
      const number = pairs.rightOf(current);
      current = pairs.leftOf(current);
      return number;
    });
    return backwards.toReversed();
  };
  return {
    add(numbers, count) {
      let group = 0;
      for (let level = 0; level < width; level += 1) {
        group = (levels[level] as ReturnType<typeof openPairs>).numberOf(group, numbers[level] as number);
      }
      counts[group] = (counts[group] ?? 0) + count;
    },
    greatest(limit) {
      const ascending = Float64Array.from(counts).toSorted();
      const least = ascending[Math.max(0, ascending.length - limit)] ?? 0;
      // Of those that have just the least count only some have room.
      let room = limit - (ascending.length - (ascending.findLastIndex((count) => count <= least) + 1));
      const groups: GroupCount[] = [];
      for (const [group, count] of counts.entries()) {
        if (count < least || (count === least && room-- <= 0)) continue;
        groups.push({ numbers: numbersOf(group), count });
      }
      return groups;
    },
  };
}
