import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matchesEvent, parseEvent, parseEventPattern } from './index.ts';

/**
 * Patterns and events recorded from the tests of EventBridge's own engine (see the README beside them). The engine is not
 * quite the service: what this program refuses and the engine takes is listed here, and there is nothing the other way.
 */
const folder = new URL('../../../../shared/data/event-patterns/', import.meta.url);

interface MatchCase {
  readonly test: string;
  readonly pattern: string;
  readonly event: string;
  readonly match: boolean;
}

interface InvalidPattern {
  readonly test: string;
  readonly pattern: string;
  readonly error: string;
}

function read<Case>(name: string): Case[] {
  const lines = readFileSync(new URL(name, folder), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Case);
}

function reasonOf(pattern: string): string | undefined {
  try {
    parseEventPattern(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Reasons that are told otherwise than the engine tells them, which reads the text as it goes. */
const told: readonly (readonly [engine: RegExp, here: RegExp])[] = [
  // Broken JSON: the engine's parser has words of its own, and the engine may find something else wrong before that.
  [/Unexpected c|^Unexpected end-of-input/, /^Invalid JSON: /],
  [/^prefix match pattern must be a string|ignore-case list, number/, /^Invalid JSON: was expecting a comma/],
  // An infinite number is outside the bounds like any other.
  [/^Cannot compare number : 1E309$/, /^Value must be between/],
  // Older versions read such an $or as a field of that name.
  [/Unrecognized match type source$/, /^Only JSON object is allowed in array of \$or relationship\.$/],
];

describe.skipIf(!existsSync(folder))('cases of the engine (../shared/data/event-patterns)', () => {
  it('events match as they do there', () => {
    const cases = read<MatchCase>('match-cases.jsonl');
    const wrong = cases.filter(
      ({ pattern, event, match }) => matchesEvent(parseEventPattern(pattern), parseEvent(event)) !== match,
    );
    expect(cases.length).toBeGreaterThan(300);
    expect(wrong).toEqual([]);
  });

  it('what is refused there is refused here, for the same reason', () => {
    const cases = read<InvalidPattern>('invalid-patterns.jsonl');
    const wrong = cases.flatMap(({ pattern, error }) => {
      const reason = reasonOf(pattern) ?? 'accepted';
      const isTold = told.some(([engine, here]) => engine.test(error) && here.test(reason));
      return reason === error || isTold ? [] : [{ pattern, error, reason }];
    });
    expect(cases.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });
});
