import { wildcard } from './glob.ts';
import { textPattern, type TextPattern, type Token } from './text-pattern.ts';

/**
 * Makes the pattern of a Resource or NotResource element. A wildcard stays within its segment of the ARN (the parts
 * between the first five colons), except a `*` that is the last character of its segment, which may go beyond the colon;
 * the sixth segment is all the rest. Source: "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
 */
export function resourcePattern(source: string, tokens: readonly Token[]): TextPattern {
  if (source === '*') return textPattern(source, tokens);
  let colons = 0;
  const confined = tokens.map((token, index): Token => {
    if (typeof token === 'string') colons += token.split(':').length - 1;
    if (typeof token !== 'number' || colons >= 5) return token;
    if (token === wildcard.question) return wildcard.confinedQuestion;
    const next = tokens[index + 1];
    const lastOfSegment = next === undefined || (typeof next === 'string' && next.startsWith(':'));
    return lastOfSegment ? wildcard.star : wildcard.confinedStar;
  });
  return textPattern(source, confined);
}
