/**
 * What targets of rules get. In flow targets, to be checked when they are put, and events; out flow the reason why a target
 * is refused, and the text that it gets for an event.
 */
export { checkInput } from './check-input.ts';
export { InputTooLongError, renderInput, type RenderedEvent } from './render-input.ts';
