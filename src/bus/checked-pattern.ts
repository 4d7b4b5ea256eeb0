import { invalidPattern } from './faults.ts';
import { InvalidEventPatternError, parseEventPattern, type EventPattern } from './patterns/index.ts';

/** The pattern of a request. Throws InvalidEventPatternException. */
export function checkedPattern(text: string): EventPattern {
  try {
    return parseEventPattern(text);
  } catch (error) {
    if (error instanceof InvalidEventPatternError) throw invalidPattern(error.message);
    throw error;
  }
}
