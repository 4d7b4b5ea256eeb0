import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wildcardMatches } from './reference-matcher.ts';
import { matchesWildcard, parseWildcard } from './wildcard.ts';

const unit = fc.constantFrom('a', 'b', '*', '\\');
const text = fc.string({ unit, maxLength: 8 });
const literal = text.map((one) => one.replaceAll(/[*\\]/g, (character) => `\\${character}`));
const wildcard = fc
  .array(literal, { minLength: 1, maxLength: 4 })
  .map((parts) =>
    parts.filter((part, index) => part !== '' || index === 0 || index === parts.length - 1).join('*'),
  );

test('matches as the naive definition does', () => {
  fc.assert(
    fc.property(wildcard, text, (pattern, subject) => {
      expect(matchesWildcard(parseWildcard(pattern), subject)).toBe(wildcardMatches(pattern, subject));
    }),
    { numRuns: 3_000 },
  );
});

test('a pattern made of the text by putting asterisks in always matches it', () => {
  const pieces = fc.array(fc.tuple(fc.string({ unit, minLength: 1, maxLength: 3 }), fc.boolean()), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(pieces, (parts) => {
      const pattern = parts
        .map(([part, hidden]) => (hidden ? '*' : part.replaceAll(/[*\\]/g, (character) => `\\${character}`)))
        .join('')
        // Asterisks that follow one another, but for those that are escaped, become one.
        .replaceAll(/\\.|\*+/gs, (found) => (found.startsWith('*') ? '*' : found));
      expect(matchesWildcard(parseWildcard(pattern), parts.map(([part]) => part).join(''))).toBe(true);
    }),
  );
});
