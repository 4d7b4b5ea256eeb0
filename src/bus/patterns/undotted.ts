import { isRawNumber } from '../event-json.ts';
import { limits } from '../../kernel/index.ts';

/**
 * EventBridge's engine joins the names on the way to a field by dots, so that `{"a.b": 1}` and `{"a": {"b": 1}}` are the
 * same to it, in events as in patterns. Patterns are split at the dots; an event with dots in its names is made into one
 * without.
 */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isRawNumber(value);
}

function hasDots(value: unknown, depth = 0): boolean {
  if (!isObject(value) || depth > limits.eventDepth) return false;
  if (Array.isArray(value)) return value.some((item) => hasDots(item, depth + 1));
  for (const name in value) if (name.includes('.') || hasDots(value[name], depth + 1)) return true;
  return false;
}

/** Puts `value` under the steps. Where something is already, both stand side by side, like items of an array. */
function put(object: Record<string, unknown>, steps: readonly string[], value: unknown): void {
  const [step = '', ...rest] = steps;
  const before = object[step];
  if (rest.length > 0 && isObject(before) && !Array.isArray(before)) {
    put(before, rest, value);
    return;
  }
  const added = rest.length === 0 ? value : nested(rest, value);
  object[step] = before === undefined ? added : [before, added];
}

function nested(steps: readonly string[], value: unknown): unknown {
  return steps.reduceRight(
    (inner, step) => Object.assign(Object.create(null), { [step]: inner }) as unknown,
    value,
  );
}

function withoutDots(value: unknown, depth = 0): unknown {
  if (!isObject(value) || depth > limits.eventDepth) return value;
  if (Array.isArray(value)) return value.map((item) => withoutDots(item, depth + 1));
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, inner] of Object.entries(value))
    put(object, name.split('.'), withoutDots(inner, depth + 1));
  return object;
}

/** Events that were looked at: an event is held against many patterns. */
const known = new WeakMap<object, unknown>();

/** The event without dots in its names. An event must not be changed between two matches. */
export function undotted(event: unknown): unknown {
  if (!isObject(event)) return event;
  let plain = known.get(event);
  if (plain === undefined) {
    plain = hasDots(event) ? withoutDots(event) : event;
    known.set(event, plain);
  }
  return plain;
}
