import { describe, expect, it } from 'vitest';
import { matchesEvent, parseEvent, parseEventPattern } from './index.ts';
import { checkWildcards } from './wildcard-complexity.ts';
import { matchesWildcard, parseWildcard } from './wildcard.ts';

/**
 * Whoever may put rules or events chooses both. What follows would not come back from a matcher that tries every way to
 * match; here it takes milliseconds, so that the bound below is far off on any machine.
 */
const enoughMs = 5_000;

function inTime<Result>(work: () => Result): Result {
  const start = performance.now();
  const result = work();
  expect(performance.now() - start).toBeLessThan(enoughMs);
  return result;
}

const match = (pattern: unknown, event: unknown) =>
  inTime(() => matchesEvent(parseEventPattern(JSON.stringify(pattern)), event));

const branches = (field: string) => ({
  $or: Array.from({ length: 10 }, (_, at) => ({ [field]: { v: [`${field}${at}`] } })),
});

describe('hostile input', () => {
  it('wildcards over long repetitive texts', () => {
    const text = 'a'.repeat(1_000_000);
    const stars = parseWildcard(`${'*a'.repeat(2_000)}*b`);
    expect(inTime(() => matchesWildcard(stars, text))).toBe(false);
    const late = parseWildcard(`*b${'a'.repeat(4_000)}*`);
    expect(inTime(() => matchesWildcard(late, text))).toBe(false);
    const early = parseWildcard(`*${'a'.repeat(4_000)}b*`);
    expect(inTime(() => matchesWildcard(early, text))).toBe(false);
    const both = parseWildcard(`*${'ab'.repeat(1_000)}b*`);
    expect(inTime(() => matchesWildcard(both, 'ab'.repeat(500_000)))).toBe(false);
  });

  it('the complexity of wildcards, however many states they have', () => {
    const letters = 'abcdefghij';
    const one = Array.from(letters, (letter) => `*${letter}`).join('');
    const long = Array.from({ length: 4 }, (_, at) => `*${'ab'.repeat(400)}${at}`);
    const many = Array.from({ length: 9 }, (_, at) => [`${'x'.repeat(at)}*${one.slice(0, 6)}`]);
    for (const expressions of [[[one]], long.map((text) => [text]), many, [long]]) {
      inTime(() => {
        try {
          checkWildcards(expressions);
        } catch {
          // Whether it is refused does not matter here.
        }
      });
    }
  });

  it('many fields in many items of nested arrays', () => {
    const fields = Array.from({ length: 40 }, (_, at) => `f${at}`);
    const wanted = Object.fromEntries(fields.map((field) => [field, ['x', { exists: false }]]));
    // Each item lacks one field in its own way, so that all have to be looked at.
    const items = Array.from({ length: 20_000 }, (_, at) => ({ [`f${at % 40}`]: 'y' }));
    expect(match({ a: wanted }, { a: items })).toBe(false);
    expect(match({ a: { b: wanted } }, { a: items.map((item) => ({ b: [[item], [item]] })) })).toBe(false);
  });

  it('$or over the items of long arrays', () => {
    const items = Array.from({ length: 50_000 }, (_, at) => ({ v: `none${at}` }));
    const pattern = { x: branches('a'), y: branches('b'), z: branches('c') };
    expect(match(pattern, { x: { a: items }, y: { b: items }, z: { c: items } })).toBe(false);
  });

  it('deep nesting', () => {
    let event: unknown = 'b';
    for (let depth = 0; depth < 200_000; depth += 1) event = [event];
    expect(match({ a: ['b', { exists: false }] }, { a: event })).toBe(false);
    expect(match({ a: [{ exists: false }] }, { 'x.y': event, z: event })).toBe(true);
    let chain: unknown = 'b';
    for (let depth = 0; depth < 900; depth += 1) chain = depth % 2 ? [chain] : { a: chain };
    expect(match({ a: { a: { a: ['b'] } } }, { a: chain })).toBe(false);
    // An array in an array in an array, each looked through for what may be absent.
    let wide: unknown = Array.from({ length: 100_000 }, () => ({ c: 1 }));
    for (let depth = 0; depth < 800; depth += 1) wide = [wide];
    expect(match({ a: { b: [{ exists: false }] } }, { a: wide })).toBe(true);
    expect(() => parseEvent(`{"a":1.0,"b":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).toThrow(
      SyntaxError,
    );
  });

  it('paths of many steps over objects of many names', () => {
    const steps = Array.from({ length: 800 }, () => 'a');
    const names = Object.fromEntries(Array.from({ length: 800 }, (_, at) => [steps.slice(at).join('.'), 1]));
    expect(match({ [steps.join('.')]: [2] }, names)).toBe(false);
    expect(match({ [steps.join('.')]: [1] }, { [steps.join('.')]: 1, 'b.c': names })).toBe(true);
  });

  it('numbers with huge exponents and many digits', () => {
    const pattern = parseEventPattern('{"a":[{"numeric":[">",5]}]}');
    for (const [number, expected] of [
      ['1e999999999999999999999', false],
      ['-1e-999999999999999999999', false],
      [`6.${'0'.repeat(500_000)}1`, true],
      [`0.${'0'.repeat(500_000)}1e500000`, false],
      [`${'9'.repeat(500_000)}e-499999`, true],
    ] as const) {
      expect(inTime(() => matchesEvent(pattern, parseEvent(`{"a":${number}}`)))).toBe(expected);
    }
  });
});
