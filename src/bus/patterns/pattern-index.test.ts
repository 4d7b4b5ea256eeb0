import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesEvent, openPatternIndex, parseEventPattern } from './index.ts';

const value = fc.constantFrom('a', 'b', 'c');
const terms = fc.array(
  fc.oneof({ weight: 5, arbitrary: value }, fc.constantFrom({ prefix: 'a' }, { exists: false }, 1)),
  {
    minLength: 1,
    maxLength: 2,
  },
);
const fields = fc
  .record(
    { source: terms, 'detail-type': terms, eventName: terms, eventSource: terms, other: terms },
    { requiredKeys: [] },
  )
  .map(({ eventName, eventSource, other, ...head }) => {
    const detail = { ...(eventName && { eventName }), ...(eventSource && { eventSource }) };
    const some = { ...head, ...(Object.keys(detail).length > 0 && { detail }) };
    return Object.keys(some).length > 0 ? some : { other: other ?? ['a'] };
  });
const pattern = fc.oneof(
  fields,
  fc.tuple(value, fields, fields).map(([source, one, other]) => ({ source: [source], $or: [one, other] })),
);
const given = fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.constantFrom(null, 1));
const detail = fc.record({ eventName: given, eventSource: given }, { requiredKeys: [] });
const event = fc.record(
  {
    source: given,
    'detail-type': given,
    detail: fc.oneof(detail, fc.array(detail, { maxLength: 2 }), fc.constant('text')),
    'detail.eventName': value,
    other: given,
  },
  { requiredKeys: [] },
);

test('the candidates are in order, each once, and all that match', () => {
  let left = 0;
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 8 }), event, (patterns, one) => {
      const rules = patterns.map((text, number) => ({
        number,
        pattern: parseEventPattern(JSON.stringify(text)),
      }));
      const candidates = openPatternIndex(rules).candidates(one);
      const numbers = candidates.map(({ number }) => number);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      expect(candidates).toEqual(
        expect.arrayContaining(rules.filter((rule) => matchesEvent(rule.pattern, one))),
      );
      left += rules.length - candidates.length;
    }),
    { numRuns: 1_000 },
  );
  // It is of use only if it leaves rules out.
  expect(left).toBeGreaterThan(1_000);
});
