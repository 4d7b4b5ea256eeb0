import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRawNumber, parseEvent } from './event-json.ts';

const part = (most: number) =>
  fc.string({ unit: fc.constantFrom('0', '1', '9'), minLength: 1, maxLength: most });
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      part(20).map((digits) => `1${digits}`),
    ),
    fc.oneof(
      fc.constant(''),
      part(12).map((digits) => `.${digits}`),
    ),
    fc.oneof(fc.constant(''), fc.constantFrom('e5', 'E+10', 'e-7')),
  )
  .map((parts) => parts.join(''));

describe('parseEvent', () => {
  it('keeps every number as it is written', () => {
    fc.assert(
      fc.property(number, number, fc.constantFrom('', ' ', '\n'), (one, other, space) => {
        const text = `{"a":${space}${one}${space},"b":[${space}${other}${space},{"c":${one}}],"d":"${one}"}`;
        expect(JSON.stringify(parseEvent(text))).toBe(
          `{"a":${one},"b":[${other},{"c":${one}}],"d":"${one}"}`,
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives ordinary numbers as such', () => {
    const event = { a: 1, b: [0, -1.5, 1e20, 0.1], c: '1.0', d: { e: 1700000000 } };
    expect(parseEvent(JSON.stringify(event))).toEqual(event);
    expect(isRawNumber((parseEvent('{"a":1.50}') as { a: unknown }).a)).toBe(true);
  });

  it('reads any JSON as JSON.parse does, and refuses what is none', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(JSON.parse(JSON.stringify(parseEvent(text))))).toBe(
          JSON.stringify(JSON.parse(text)),
        );
      }),
    );
    expect(() => parseEvent('{"a":1.0')).toThrow(SyntaxError);
    expect(() => parseEvent('{"a":1')).toThrow(SyntaxError);
  });
});
