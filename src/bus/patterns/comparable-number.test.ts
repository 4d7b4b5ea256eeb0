import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparableText, comparableValue } from './comparable-number.ts';

/** The same with whole numbers of any size, of digits and an exponent that is at most 40 either way. */
function byBigInt(text: string): { readonly millionths: number; readonly exact: boolean } | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const scaled = BigInt(`${sign}${whole}${fraction}`) * 10n ** 100n;
  const divisor = 10n ** BigInt(100 + fraction.length - Number(exponent) - 6);
  const exact = scaled % divisor === 0n;
  const rounded = scaled / divisor - (scaled < 0n && !exact ? 1n : 0n);
  const inBounds = rounded >= -5_000_000_000_000_000n && rounded <= 5_000_000_000_000_000n;
  return inBounds ? { millionths: Number(rounded), exact } : undefined;
}

const digits = (most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 1, maxLength: most });
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(12),
    fc.oneof(
      fc.constant(''),
      digits(12).map((fraction) => `.${fraction}`),
    ),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: -40, max: 40 }).map((exponent) => `e${exponent}`),
      fc.integer({ min: 0, max: 12 }).map((exponent) => `E+${exponent}`),
    ),
  )
  .map((parts) => parts.join(''));

describe('numbers as EventBridge compares them', () => {
  it('are the millionths of their text', () => {
    fc.assert(
      fc.property(numberText, (text) => {
        expect(comparableText(text)).toEqual(byBigInt(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('are the same from a double as from the text it was written with, if that has six decimals at most', () => {
    const millionths = fc.bigInt({ min: -5_000_000_000_000_000n, max: 5_000_000_000_000_000n });
    fc.assert(
      fc.property(millionths, (count) => {
        const positive = String(count < 0n ? -count : count).padStart(7, '0');
        const text = `${count < 0n ? '-' : ''}${positive.slice(0, -6)}.${positive.slice(-6)}`;
        expect(comparableValue(Number(text))).toEqual({ millionths: Number(count), exact: true });
      }),
      { numRuns: 5_000 },
    );
  });

  it('end at five billion', () => {
    expect(comparableText('5e9')).toEqual({ millionths: 5e15, exact: true });
    expect(comparableText('5000000000.000001')).toBeUndefined();
    expect(comparableText('-5000000000.0000001')).toBeUndefined();
    expect(comparableValue(-5e9)).toEqual({ millionths: -5e15, exact: true });
    expect(comparableValue(5_000_000_001)).toBeUndefined();
  });
});
