import { expect, test } from 'vitest';
import { planMerge } from './compaction-plan.ts';
import { mostDocuments } from './segment-format.ts';

test.each([
  [[], undefined],
  [Array.from({ length: 7 }, () => 16_384), undefined],
  [Array.from({ length: 8 }, () => 16_384), { first: 0, count: 8 }],
  [[1_000_000, ...Array.from({ length: 8 }, () => 5)], { first: 1, count: 8 }],
  [[131_072, ...Array.from({ length: 7 }, () => 16_384)], undefined],
  [[...Array.from({ length: 7 }, () => 131_072), 300, 133_000, 16_384], { first: 0, count: 9 }],
])('of %j merges %j', (documents, plan) => {
  expect(planMerge(documents)).toEqual(plan);
});

test('whatever comes, there are few segments, none is too large, and an event is rewritten a few times only', () => {
  let segments: number[] = [];
  let [events, rewritten] = [0, 0];
  for (let step = 0; step < 3000; step += 1) {
    const sealed = step % 5 === 0 ? 1 + (step % 3000) : 16_384;
    segments.push(sealed);
    events += sealed;
    for (let plan = planMerge(segments); plan; plan = planMerge(segments)) {
      const { first, count } = plan;
      const merged = segments.slice(first, first + count).reduce((sum, one) => sum + one, 0);
      rewritten += merged;
      expect(merged).toBeLessThan(mostDocuments);
      segments = [...segments.slice(0, first), merged, ...segments.slice(first + count)];
    }
  }
  expect(rewritten / events).toBeLessThan(4);
  expect(segments.length).toBeLessThan(events / 1_000_000 + 32);
});
