/**
 * Event patterns of EventBridge. In flow patterns (JSON text), events and, for each pattern once, the making ready of it;
 * out flow whether an event matches, and the reason why a pattern is none.
 */
export { parseEvent } from '../event-json.ts';
export { InvalidEventPatternError } from './invalid-pattern.ts';
export { matchesEvent } from './match-event.ts';
export { openPatternIndex, type PatternIndex } from './pattern-index.ts';
export { parseEventPattern, type EventPattern } from './parse-event-pattern.ts';
