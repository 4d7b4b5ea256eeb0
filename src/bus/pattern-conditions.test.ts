import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { patternConditions } from './pattern-conditions.ts';
import { InvalidEventPatternError, matchesEvent, parseEventPattern } from './patterns/index.ts';

it.each<[string, object]>([
  ['{"source":["a","b","a"]}', { 'events:source': ['a', 'b'] }],
  ['{"source":[1,null,true]}', { 'events:source': ['1', 'null', 'true'] }],
  ['{"source":["a",{"suffix":"b"}]}', { 'events:source': ['a', '{...}'] }],
  ['{"source":["a"],"source":["b"]}', { 'events:source': ['b'] }],
  [
    '{"detail":{"service":["a"]},"detail":{"eventTypeCode":["b"]}}',
    {
      'events:detail.service': ['a'],
      'events:detail.eventTypeCode': ['b'],
    },
  ],
  ['{"$or":[{"source":["a"]},{"id":["b"]}]}', {}],
  ['{"$or":[{"source":["a"]},{"source":["b"],"detail-type":["c"]}]}', { 'events:source': ['a', 'b'] }],
  ['{"id":["a"]}', {}],
  ['', {}],
  ['{', {}],
  ['{"source":"a"}', {}],
])('%s has the condition keys %j', (pattern, keys) => {
  expect(patternConditions(pattern)).toEqual(keys);
});

/** Text of a pattern, in which names may stand twice, or with dots. */
const value = fc.constantFrom(
  '"a"',
  '"b"',
  '{"prefix":"a"}',
  '{"exists":false}',
  '{"exists":true}',
  '{"anything-but":"a"}',
  'null',
);
const values = fc.array(value, { minLength: 1, maxLength: 3 }).map((all) => `[${all.join()}]`);
const { object } = fc.letrec<{ object: string; member: string }>((tie) => ({
  object: fc.array(tie('member'), { minLength: 1, maxLength: 4 }).map((all) => `{${all.join()}}`),
  member: fc.oneof(
    { maxDepth: 2 },
    fc
      .tuple(fc.constantFrom('source', 'detail-type', 'detail.service', 'id'), values)
      .map(([name, of]) => `"${name}":${of}`),
    fc.tuple(fc.constantFrom('detail', 'source'), tie('object')).map(([name, of]) => `"${name}":${of}`),
    fc.tuple(tie('object'), tie('object')).map(([one, other]) => `"$or":[${one},${other}]`),
    fc.constantFrom('"service":["a"]', '"service":["a","b"]'),
  ),
}));
/** Patterns that name a source at the top, before or after whatever else they hold. */
const pattern = fc
  .tuple(object, fc.constantFrom('"source":["a"]', '"source":["a","a"]'), fc.boolean())
  .map(([rest, source, isFirst]) => {
    const inner = rest.slice(1, -1);
    return isFirst ? `{${source},${inner}}` : `{${inner},${source}}`;
  });
const scalar = fc.constantFrom('a', 'ab', 'b', null, undefined);
const event = fc.record({
  id: scalar,
  source: fc.oneof(scalar, fc.constant(['a', 'b'])),
  'detail-type': scalar,
  detail: fc.record({ service: scalar, source: scalar }),
});

it('a pattern that a policy for one value lets through matches events of that value alone', () => {
  let held = 0;
  fc.assert(
    fc.property(pattern, event, (text, raw) => {
      const keys = patternConditions(text);
      let parsed;
      try {
        parsed = parseEventPattern(text);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidEventPatternError);
        expect(keys).toEqual({});
        return;
      }
      const told = JSON.parse(JSON.stringify(raw)) as typeof raw;
      const matches = matchesEvent(parsed, told);
      const lets = (key: string) => keys[key]?.join() === 'a';
      if (lets('events:source')) {
        if (matches) held += 1;
        expect(matches && ![told.source].flat().includes('a')).toBe(false);
      }
      if (lets('events:detail.service')) expect(matches && told.detail.service !== 'a').toBe(false);
    }),
    { numRuns: 3000, seed: 5 },
  );
  expect(held).toBeGreaterThan(50);
});
