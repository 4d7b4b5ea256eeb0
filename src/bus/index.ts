/**
 * The event bus (EventBridge): buses, rules with event patterns, and targets that get what matches. In flow calls of
 * EventBridge and the journal's events and records; out flow changes of control state, and deliveries to targets.
 */
export { openBus, type EventBus } from './open-bus.ts';
