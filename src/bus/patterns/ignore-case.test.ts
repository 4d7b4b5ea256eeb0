import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { caselessText, endsCaseless, equalsCaseless, startsCaseless } from './ignore-case.ts';

test('a text equals itself in any case, and begins and ends with its parts', () => {
  const letters = fc.string({ unit: fc.constantFrom(...Array.from('aBÄé😀𐐀я1ß')), maxLength: 6 });
  fc.assert(
    fc.property(letters, letters, (before, behind) => {
      const text = before + behind;
      for (const subject of [
        text,
        text.toLowerCase(),
        text.replaceAll(/[^ß]/gu, (one) => one.toUpperCase()),
      ]) {
        expect(equalsCaseless(caselessText(text), subject)).toBe(true);
        expect(startsCaseless(caselessText(before), subject)).toBe(true);
        expect(endsCaseless(caselessText(behind), subject)).toBe(true);
        expect(equalsCaseless(caselessText(text), `${subject}x`)).toBe(false);
        expect(equalsCaseless(caselessText(`${text}x`), subject)).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

test('no letter stands for another one', () => {
  expect(equalsCaseless(caselessText('strasse'), 'straße')).toBe(false);
  expect(equalsCaseless(caselessText('e'), 'é')).toBe(false);
  expect(endsCaseless(caselessText('.PNG'), 'png')).toBe(false);
  expect(endsCaseless(caselessText(''), 'x')).toBe(true);
});
