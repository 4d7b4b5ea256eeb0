import { limits } from '../../kernel/index.ts';
import { isRawNumber, type Scalar } from '../event-json.ts';
import { matchesScalar } from './field-test.ts';
import type { EventPattern } from './parse-event-pattern.ts';
import type { PatternNode } from './pattern-tree.ts';
import { undotted } from './undotted.ts';

/**
 * Matching, consistent with arrays as EventBridge's engine is ("rulesForJSONEvent"): arrays vanish, each of their items
 * stands for the whole, but no two fields are taken from different items of one array. So at an array all fields that lie
 * within items have to match in a single one; a field that is itself among the items' plain values matches for all.
 *
 * A field that may be absent is absent if it has no value in the very item that the others are taken from, and if none of
 * them is taken from an item, nowhere in the array. The engine decides it by the fields that come before it in the
 * alphabet alone.
 *
 * Every value of the event is looked at once for each node of the pattern that leads to it.
 */

/** Nothing below a node matches; nothing is there and may be so; at least one field has a value that matches. */
type Outcome = 'fails' | 'absent' | 'found';

/** Whether the field at a node still has to be found, has been in an array around, or cannot be absent any more. */
type OwnField = 'open' | 'found' | 'required';

interface Matching {
  /** Outcomes of long arrays, which several trees of one pattern come to. */
  readonly outcomes: Map<string, Map<readonly unknown[], Outcome>> | undefined;
}

const longArray = 8;

function isCompound(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isRawNumber(value);
}

/** The outcome of the children of a node at a value that has none of them. */
function withoutChildren(node: PatternNode): Outcome {
  return node.children.every((child) => child.node.mayBeAbsent) ? 'absent' : 'fails';
}

function atScalar(value: Scalar, node: PatternNode, own: OwnField): Outcome {
  const below = withoutChildren(node);
  if (below === 'fails' || !node.test || own === 'found') return below;
  return matchesScalar(value, node.test) ? 'found' : 'fails';
}

function atObject(
  object: Readonly<Record<string, unknown>>,
  node: PatternNode,
  own: OwnField,
  depth: number,
  matching: Matching,
): Outcome {
  if (node.test && own !== 'found' && (own === 'required' || !node.test.absent)) return 'fails';
  let outcome: Outcome = 'absent';
  for (const { step, isInherited, node: child } of node.children) {
    const value = isInherited && !Object.hasOwn(object, step) ? undefined : object[step];
    if (value === undefined) {
      if (!child.mayBeAbsent) return 'fails';
      continue;
    }
    const below = outcomeAt(value, child, 'open', depth + 1, matching);
    if (below === 'fails') return 'fails';
    if (below === 'found') outcome = 'found';
  }
  return outcome;
}

/** Whether the field at this node is among the plain values of the array. */
function ownAmong(array: readonly unknown[], node: PatternNode, own: OwnField): OwnField {
  if (!node.test || own === 'found') return own;
  let result = own;
  for (const item of array) {
    if (isCompound(item)) continue;
    if (matchesScalar(item as Scalar, node.test)) return 'found';
    result = 'required';
  }
  return result;
}

function searchArray(
  array: readonly unknown[],
  node: PatternNode,
  own: OwnField,
  depth: number,
  matching: Matching,
): Outcome {
  const among = ownAmong(array, node, own);
  const without: Outcome = among === 'found' && own !== 'found' ? 'found' : 'absent';
  if (node.children.length === 0 && (among === 'found' || !node.test)) return without;
  let isAbsent = withoutChildren(node) === 'absent';
  if (node.test && among !== 'found') isAbsent &&= among === 'open' && node.test.absent;
  for (const item of array) {
    if (!isCompound(item)) continue;
    const outcome = outcomeAt(item, node, among, depth + 1, matching);
    if (outcome === 'found') return 'found';
    if (outcome === 'fails') isAbsent = false;
  }
  return isAbsent ? without : 'fails';
}

function atArray(
  array: readonly unknown[],
  node: PatternNode,
  own: OwnField,
  depth: number,
  matching: Matching,
): Outcome {
  const { outcomes } = matching;
  if (!outcomes || array.length < longArray) return searchArray(array, node, own, depth, matching);
  const key = `${node.number} ${own}`;
  let known = outcomes.get(key);
  if (!known) outcomes.set(key, (known = new Map()));
  let outcome = known.get(array);
  if (outcome === undefined) known.set(array, (outcome = searchArray(array, node, own, depth, matching)));
  return outcome;
}

function outcomeAt(
  value: unknown,
  node: PatternNode,
  own: OwnField,
  depth: number,
  matching: Matching,
): Outcome {
  if (!isCompound(value)) return atScalar(value as Scalar, node, own);
  if (depth > limits.eventDepth) return 'fails';
  if (Array.isArray(value)) return atArray(value, node, own, depth, matching);
  return atObject(value as Readonly<Record<string, unknown>>, node, own, depth, matching);
}

/**
 * Whether an event matches a pattern. The event is what `parseEvent` gives; what JSON.parse gives will do, but numbers of
 * more digits than a double holds are then compared by what is left of them.
 */
export function matchesEvent(pattern: EventPattern, event: unknown): boolean {
  const plain = undotted(event);
  if (!isCompound(plain) || Array.isArray(plain)) return false;
  const matching: Matching = { outcomes: pattern.trees.length > 1 ? new Map() : undefined };
  return pattern.trees.some((tree) => outcomeAt(plain, tree, 'open', 0, matching) !== 'fails');
}
