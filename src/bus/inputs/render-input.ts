import type { InputTransformer, Target } from '@aws-sdk/client-eventbridge';
import { assert, limits } from '../../kernel/index.ts';
import { parseEvent } from '../event-json.ts';
import { readTemplate, type InputTemplate, type TemplatePart } from './input-template.ts';
import { readJsonPath, valueAt, type JsonPath } from './json-path.ts';
import { isReserved, reservedValue, type EventContext } from './reserved-variables.ts';

export interface RenderedEvent extends EventContext {
  /** The event's JSON text. */
  readonly raw: string;
  /** What `parseEvent` gave for it, where that is there already. */
  readonly event?: unknown;
}

/** What a template makes of an event is longer than a target gets. Trying again does not help. */
export class InputTooLongError extends Error {
  override readonly name = 'InputTooLongError';
}

function pathOf(text: string): JsonPath {
  const read = readJsonPath(text);
  assert(read.kind === 'path', `the path ${text}, which was accepted for a target, is none`);
  return read.path;
}

interface ReadTransformer {
  readonly template: InputTemplate;
  readonly paths: ReadonlyMap<string, JsonPath>;
}

/** Transformers of targets that are kept in memory, read once each. */
const known = new WeakMap<InputTransformer, ReadTransformer>();

function readTransformer(transformer: InputTransformer): ReadTransformer {
  const before = known.get(transformer);
  if (before) return before;
  const read = readTemplate(transformer.InputTemplate ?? '');
  assert(read.kind === 'template', 'an input template that was accepted for a target is none');
  const paths = Object.entries(transformer.InputPathsMap ?? {}).map(
    ([name, path]) => [name, pathOf(path)] as const,
  );
  const ready = { template: read.template, paths: new Map(paths) };
  known.set(transformer, ready);
  return ready;
}

/** What a placeholder in a string gives: the text of a string, and JSON for what is none, both escaped. */
function textWithin(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}

function renderTransformer(transformer: InputTransformer, input: RenderedEvent): string {
  const { template, paths } = readTransformer(transformer);
  const event = input.event ?? parseEvent(input.raw);
  const values = new Map<string, unknown>();
  const valueOf = (name: string): unknown => {
    if (!values.has(name)) {
      const path = isReserved(name) ? undefined : paths.get(name);
      values.set(name, path ? valueAt(event, path) : reservedValue(name, event, input));
    }
    return values.get(name);
  };
  const render = (part: TemplatePart): string => {
    if (part.kind === 'text') return part.text;
    const value = valueOf(part.name);
    // A variable that the event does not have is the empty string, in JSON as in strings.
    return part.inString ? textWithin(value) : JSON.stringify(value ?? (value === null ? null : ''));
  };
  let rendered = '';
  for (const part of template.parts) {
    rendered += render(part);
    if (rendered.length > limits.targetInputCharacters) {
      throw new InputTooLongError(
        `the input transformer makes more than ${limits.targetInputCharacters} characters of the event`,
      );
    }
  }
  return rendered;
}

/**
 * What a target gets of an event: the event as it is, or what the target's Input, InputPath or InputTransformer says, which
 * `checkInput` must have found right. Where there is nothing at an InputPath the target gets null. Values are escaped where
 * they stand in strings: the user guide says that EventBridge does not, but then an event could write JSON of its own.
 * Throws an InputTooLongError, and a SyntaxError if the event has to be parsed and is no JSON.
 */
export function renderInput(target: Target, input: RenderedEvent): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputTransformer !== undefined) return renderTransformer(target.InputTransformer, input);
  if (target.InputPath === undefined) return input.raw;
  const value = valueAt(input.event ?? parseEvent(input.raw), pathOf(target.InputPath));
  return value === undefined ? 'null' : JSON.stringify(value);
}
