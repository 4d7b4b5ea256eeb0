import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { globOf, matchesGlob, wildcard } from './glob.ts';

/** The definition, written down without a thought for speed. */
function matchesNaively(codes: readonly number[], text: string): boolean {
  const [code, ...rest] = codes;
  if (code === undefined) return text === '';
  if (code === wildcard.star || code === wildcard.confinedStar) {
    for (let taken = 0; taken <= text.length; taken += 1) {
      if (code === wildcard.confinedStar && text.slice(0, taken).includes(':')) return false;
      if (matchesNaively(rest, text.slice(taken))) return true;
    }
    return false;
  }
  const first = text[0];
  if (first === undefined) return false;
  if (code === wildcard.confinedQuestion && first === ':') return false;
  return (code < 0 || code === first.charCodeAt(0)) && matchesNaively(rest, text.slice(1));
}

const letters = ['a', 'b', ':'];
const code = fc.constantFrom(...letters.map((letter) => letter.charCodeAt(0)), ...Object.values(wildcard));
const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 9 });

test('matches as the naive definition does', () => {
  fc.assert(
    fc.property(fc.array(code, { maxLength: 8 }), text, (codes, subject) => {
      expect(matchesGlob(globOf(codes), subject)).toBe(matchesNaively(codes, subject));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern made of the text by putting wildcards in always matches it', () => {
  const pieces = fc.array(fc.tuple(text, fc.boolean()), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const codes = parts.flatMap(([part, hidden]) =>
        hidden ? [wildcard.star] : Array.from({ length: part.length }, (_, at) => part.charCodeAt(at)),
      );
      expect(matchesGlob(globOf(codes), parts.map(([part]) => part).join(''))).toBe(true);
    }),
  );
});

test('hostile patterns cost no more than pattern times text', () => {
  // A matcher that backtracks over all of its stars would not come back from this.
  const stars = Array.from({ length: 400 }, () => [wildcard.star, 'a'.charCodeAt(0)]).flat();
  const confined = stars.map((one) => (one === wildcard.star ? wildcard.confinedStar : one));
  const subject = 'a'.repeat(2000);
  for (const codes of [stars, confined]) {
    expect(matchesGlob(globOf(codes), subject)).toBe(true);
    expect(matchesGlob(globOf([...codes, 'b'.charCodeAt(0)]), subject)).toBe(false);
  }
});
