import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { openDueHeap, type Due } from './due-heap.ts';

const order = (a: Due, b: Due) => a.due - b.due || a.sequence - b.sequence;

it('gives what is due first, and of two at the same time the older one, whatever was put in and taken before', () => {
  const step = fc.oneof(fc.record({ due: fc.nat(20) }), fc.constant('pop' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = openDueHeap<Due>();
      let model: Due[] = [];
      for (const [sequence, one] of steps.entries()) {
        if (one === 'pop') {
          const [first, ...others] = model.toSorted(order);
          expect(heap.peek()).toEqual(first);
          expect(heap.pop()).toEqual(first);
          model = others;
        } else {
          heap.push({ sequence, due: one.due });
          model.push({ sequence, due: one.due });
        }
        expect(heap.size).toBe(model.length);
      }
      expect(heap.all().toSorted(order)).toEqual(model.toSorted(order));
    }),
  );
});
