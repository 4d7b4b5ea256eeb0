import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesEvent, parseEvent, parseEventPattern } from './index.ts';
import { matchesByDefinition, type ModelPattern, type ModelValue } from './reference-matcher.ts';

function matches(pattern: unknown, event: unknown): boolean {
  return matchesEvent(parseEventPattern(JSON.stringify(pattern)), parseEvent(JSON.stringify(event)));
}

function isTooComplex(pattern: string): boolean {
  try {
    parseEventPattern(pattern);
    return false;
  } catch (error) {
    if ((error as Error).message.startsWith('Rule is too complex')) return true;
    throw error;
  }
}

/** Small alphabets, so that patterns and events meet. */
const name = fc.constantFrom('a', 'b', 'c');
const text = fc.string({ unit: fc.constantFrom('x', 'y', 'Y', 'é'), maxLength: 3 });
const number = fc.constantFrom(0, 1, -1, 1.5, 2, 0.000001);
const scalar = fc.oneof(text, number, fc.constantFrom(true, false, null));

const event = fc.letrec<{ value: ModelValue; object: ModelValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 3, arbitrary: scalar },
    { weight: 2, arbitrary: tie('object') },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
  object: fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 3 }),
})).object;

const wildcard = fc
  .array(fc.constantFrom('x', 'y', '*', '\\*'), { maxLength: 4 })
  .map((parts) => parts.join('').replaceAll(/(?<!\\)\*{2,}/g, '*'))
  .filter((one) => !/(?<!\\)\*\*|\\\*\*\*/.test(one));
const affix = fc.string({ unit: fc.constantFrom('x', 'Y', 'É'), minLength: 1, maxLength: 2 });
const someOf = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 2 }));
const caseless = affix.map((one) => ({ 'equals-ignore-case': one }));
const expression = fc.oneof(
  fc.record({ prefix: fc.oneof(text, caseless) }),
  fc.record({ suffix: fc.oneof(text, caseless) }),
  fc.record({ 'equals-ignore-case': text }),
  fc.record({ wildcard }),
  fc.record({ exists: fc.boolean() }),
  fc.record({
    numeric: fc.oneof(
      fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), number),
      fc
        .tuple(fc.constantFrom('>', '>='), number, fc.constantFrom('<', '<='), number)
        .filter(([, bottom, , top]) => bottom < top),
    ),
  }),
  fc.record({
    'anything-but': fc.oneof(
      someOf(text),
      someOf(number),
      fc.record({ prefix: someOf(affix) }),
      fc.record({ suffix: someOf(affix) }),
      fc.record({ 'equals-ignore-case': someOf(text) }),
      fc.record({ wildcard: someOf(wildcard) }),
    ),
  }),
);
const terms = fc.array(fc.oneof(scalar, expression), { minLength: 1, maxLength: 3 });

const pattern = fc.letrec<{ fields: ModelPattern }>((tie) => ({
  fields: fc.oneof(
    { depthSize: 'small' },
    { weight: 3, arbitrary: fc.dictionary(name, terms, { minKeys: 1, maxKeys: 2 }) },
    fc.dictionary(name, fc.oneof(terms, tie('fields')), { minKeys: 1, maxKeys: 3 }),
    fc
      .tuple(
        fc.dictionary(name, terms, { maxKeys: 2 }),
        fc.array(tie('fields'), { minLength: 2, maxLength: 3 }),
      )
      .map(([fields, branches]): ModelPattern => ({ ...fields, $or: branches })),
  ),
})).fields;

/** Fields below one array of objects, some of them arrays of arrays, and values that often are the wanted ones. */
const few = fc.constantFrom('x', 'y');
const items = fc.letrec<{ item: ModelValue; list: ModelValue }>((tie) => ({
  item: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.dictionary(name, fc.oneof(few, fc.array(few, { maxLength: 2 })), { maxKeys: 3 }),
    },
    { weight: 1, arbitrary: few },
    { weight: 1, arbitrary: tie('list') },
    { weight: 1, arbitrary: fc.dictionary(name, tie('list'), { maxKeys: 2 }) },
  ),
  list: fc.array(tie('item'), { maxLength: 4, depthIdentifier: 'list' }),
})).list;
const absent = fc.constant({ exists: false });
const fewTerms = fc.oneof(
  few.map((one) => [one]),
  absent.map((one) => [one]),
  fc.tuple(few, absent),
);
// With dots, a field may lie below another one.
const path = fc.constantFrom('a', 'b', 'a.b', 'b.a');
const inItems = fc.oneof(
  fc.dictionary(path, fewTerms, { minKeys: 1, maxKeys: 3 }),
  fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.oneof(fewTerms, fc.dictionary(name, fewTerms, { minKeys: 1, maxKeys: 2 })),
    { minKeys: 1 },
  ),
);

/** Runs a property that says something only where events match, and where they do not. */
function agree(patterns: fc.Arbitrary<ModelPattern>, events: fc.Arbitrary<ModelValue>): void {
  const runs = 1_500;
  let matched = 0;
  fc.assert(
    fc.property(patterns, events, (pattern, event) => {
      const text = JSON.stringify(pattern);
      fc.pre(!isTooComplex(text));
      const expected = matchesByDefinition(pattern, event);
      matched += expected ? 1 : 0;
      expect(matchesEvent(parseEventPattern(text), event)).toBe(expected);
    }),
    { numRuns: runs },
  );
  expect(matched).toBeGreaterThan(runs / 20);
  expect(matched).toBeLessThan((runs * 19) / 20);
}

const flat = (nested: Readonly<Record<string, Readonly<Record<string, unknown>>>>) =>
  Object.fromEntries(
    Object.entries(nested).flatMap(([outer, inner]) =>
      Object.entries(inner).map(([one, value]) => [`${outer}.${one}`, value]),
    ),
  );

describe('matching', () => {
  it('is what the definition says', () => agree(pattern, event));

  it('takes all fields from one item of an array, and knows what is absent there', () => {
    agree(
      inItems.map((fields): ModelPattern => ({ a: fields })),
      items.map((list): ModelValue => ({ a: list })),
    );
  });

  it('finds the same by dotted names as by nested ones', () => {
    const dotted = fc.dictionary(name, fc.dictionary(name, few, { minKeys: 1 }), { minKeys: 1, maxKeys: 2 });
    fc.assert(
      fc.property(dotted, dotted, (wanted, given) => {
        const pattern = Object.fromEntries(
          Object.entries(wanted).map(([outer, inner]) => [
            outer,
            Object.fromEntries(Object.entries(inner).map(([one, value]) => [one, [value]])),
          ]),
        );
        const expected = matchesByDefinition(pattern, given);
        for (const somePattern of [pattern, flat(pattern)]) {
          for (const someEvent of [given, flat(given)])
            expect(matches(somePattern, someEvent)).toBe(expected);
        }
      }),
    );
  });

  it('finds what the event has at one place by several names', () => {
    const event = {
      a: 1,
      'a.b': 2,
      'a.c': 3,
      'a.d.e': 4,
      'a.d': { f: 5 },
      'g.h': [{ i: 6 }],
      g: { h: { j: 7 } },
    };
    for (const pattern of [
      { a: [1] },
      { a: { b: [2], c: [3], d: { e: [4], f: [5] } } },
      { 'a.b': [2], a: { 'd.e': [4] } },
      { g: { h: { i: [6] } } },
      { g: { h: { j: [7] } } },
    ]) {
      expect(matches(pattern, event)).toBe(true);
    }
    expect(matches({ a: { b: [3] } }, event)).toBe(false);
    expect(matches({ a: { b: [{ exists: false }] } }, event)).toBe(false);
  });
});

describe('anything-but, as EventBridge answers TestEventPattern', () => {
  it.each([
    ['init'],
    [['init', 'stopped']],
    [0],
    [[1, 2]],
    [{ prefix: 'init' }],
    [{ prefix: ['init', 'test'] }],
    [{ suffix: '.txt' }],
    [{ suffix: ['.txt', '.bak'] }],
    [{ wildcard: '*/dir/*' }],
    [{ wildcard: ['*/dir/*', '*/other/*'] }],
    [{ wildcard: '' }],
    [{ 'equals-ignore-case': 'init' }],
    [{ 'equals-ignore-case': ['init', 'stopped'] }],
  ])('of %j takes a number and null, but not that there is nothing', (anythingBut) => {
    const pattern = { detail: { state: [{ 'anything-but': anythingBut }] } };
    expect(matches(pattern, { detail: { state: 12 } })).toBe(true);
    expect(matches(pattern, { detail: { state: null } })).toBe(true);
    expect(matches(pattern, { detail: {} })).toBe(false);
  });
});
