import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../kernel/index.ts';
import { openGroupCounts } from './count-groups.ts';

const tuple = fc.tuple(fc.nat(40), fc.nat(2 ** 31 - 1), fc.nat(3));
const adds = fc.array(fc.tuple(tuple, fc.integer({ min: 1, max: 4 })), { maxLength: 3000, size: 'max' });

test('the greatest groups are those of a count by key, and of equal counts those that came first', () => {
  fc.assert(
    fc.property(adds, fc.integer({ min: 1, max: 50 }), (given, limit) => {
      const counts = openGroupCounts(3);
      const expected = new Map<string, number>();
      for (const [numbers, count] of given) {
        counts.add(numbers, count);
        const key = numbers.join(',');
        expected.set(key, (expected.get(key) ?? 0) + count);
      }
      const found = counts.greatest(limit).map(({ numbers, count }) => [numbers.join(','), count] as const);
      const sorted = [...expected].toSorted(([, one], [, other]) => other - one).slice(0, limit);
      expect(new Map(found)).toEqual(new Map(sorted));
      expect(found).toHaveLength(sorted.length);
    }),
    { numRuns: 50 },
  );
});

test('more groups than can be kept are refused', () => {
  const counts = openGroupCounts(1);
  for (let number = 0; number < limits.historyCountGroups; number += 1) counts.add([number], 1);
  counts.add([5], 1);
  expect(counts.greatest(1)).toEqual([{ numbers: [5], count: 2 }]);
  expect(() => counts.add([limits.historyCountGroups], 1)).toThrow('Narrow it down');
});
