import { limits } from '../../kernel/index.ts';
import { isRawNumber } from '../event-json.ts';

/**
 * EventBridge's engine joins the names on the way to a field by dots, so that `{"a.b": 1}` and `{"a": {"b": 1}}` are the
 * same to it, in events as in patterns. Patterns are split at the dots; an event with dots in its names is made into one
 * without.
 */
type Names = Record<string, unknown>;

function isObject(value: unknown): value is Names {
  return typeof value === 'object' && value !== null && !isRawNumber(value);
}

function hasDots(value: unknown, depth = 0): boolean {
  if (!isObject(value) || depth > limits.eventDepth) return false;
  if (Array.isArray(value)) return value.some((item) => hasDots(item, depth + 1));
  for (const name in value) if (name.includes('.') || hasDots(value[name], depth + 1)) return true;
  return false;
}

/** Lists of what came to stand at one place by different spellings of its path; the last item is an object. */
type Meetings = WeakSet<readonly unknown[]>;

const emptyObject = () => Object.create(null) as Names;

function meetingOf(value: unknown, object: unknown, meetings: Meetings): readonly unknown[] {
  const meeting = [value, object];
  meetings.add(meeting);
  return meeting;
}

/** The object below `step`, to put more names into. What else is there already stands beside it. */
function objectAt(object: Names, step: string, meetings: Meetings): Names {
  const before = object[step];
  if (isObject(before) && !Array.isArray(before)) return before;
  if (Array.isArray(before) && meetings.has(before)) return before.at(-1) as Names;
  const added = emptyObject();
  object[step] = before === undefined ? added : meetingOf(before, added, meetings);
  return added;
}

function put(object: Names, steps: readonly string[], value: unknown, meetings: Meetings): void {
  const outer = steps.slice(0, -1).reduce((at, step) => objectAt(at, step, meetings), object);
  const last = steps.at(-1) ?? '';
  if (outer[last] === undefined) {
    outer[last] = value;
  } else if (isObject(value) && !Array.isArray(value)) {
    const inner = objectAt(outer, last, meetings);
    for (const [name, one] of Object.entries(value)) put(inner, [name], one, meetings);
  } else {
    objectAt(outer, last, meetings);
    const meeting = outer[last];
    if (Array.isArray(meeting)) meeting.unshift(value);
    else outer[last] = meetingOf(value, meeting, meetings);
  }
}

function withoutDots(value: unknown, meetings: Meetings, depth = 0): unknown {
  if (!isObject(value) || depth > limits.eventDepth) return value;
  if (Array.isArray(value)) return value.map((item) => withoutDots(item, meetings, depth + 1));
  const object = emptyObject();
  for (const [name, inner] of Object.entries(value)) {
    put(object, name.split('.'), withoutDots(inner, meetings, depth + 1), meetings);
  }
  return object;
}

/** Events that were looked at: an event is held against many patterns. */
const known = new WeakMap<object, unknown>();

/** The event without dots in its names. An event must not be changed between two matches. */
export function undotted(event: unknown): unknown {
  if (!isObject(event)) return event;
  let plain = known.get(event);
  if (plain === undefined) {
    plain = hasDots(event) ? withoutDots(event, new WeakSet()) : event;
    known.set(event, plain);
  }
  return plain;
}
