import { limits } from '../../kernel/index.ts';
import { exactValues, type ExactValues } from './exact-values.ts';
import { refuse } from './invalid-pattern.ts';
import { compileField, type PatternField } from './pattern-field.ts';
import { readPatternJson, type PatternJson, type PatternMember } from './pattern-json.ts';
import { openPatternTrees, type PatternNode } from './pattern-tree.ts';
import { checkWildcards, type WildcardExpression } from './wildcard-complexity.ts';

/** Fields that all have to match, by their path: names joined by dots, as EventBridge's engine joins them. */
type Conjunction = Map<string, PatternField>;

/** A pattern, ready to match. */
export interface EventPattern {
  /** One tree for each combination of what `$or` says; the event has to match one of them. */
  readonly trees: readonly PatternNode[];
  /** Values of which the event must have one; undefined where that cannot be told from the pattern. */
  readonly exact: ExactValues;
}

const or = '$or';

/** Names that a field inside `$or` may not have, in EventBridge's engine: its operators, and what it keeps for later. */
const reservedInOr = new Set(
  `exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex
  not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range
  ip-address-in-range ip-address-not-in-range`.split(/\s+/),
);

/** Where in a pattern an object stands. */
interface Place {
  readonly path: string;
  readonly insideOr: boolean;
}

function readOr(value: PatternJson, place: Place, given: readonly Conjunction[]): Conjunction[] {
  if (value.kind !== 'array') refuse(`It must be an Array followed with ${or}.`);
  const combined = value.items.flatMap((item, index) => {
    if (item.kind !== 'object') refuse(`Only JSON object is allowed in array of ${or} relationship.`);
    if ((index + 1) * given.length > limits.eventPatternCombinations) {
      refuse(`${or} gives more than ${limits.eventPatternCombinations} combinations of fields`);
    }
    const branch = given.map((conjunction) => new Map(conjunction));
    return readObject(item.members, { ...place, insideOr: true }, branch);
  });
  if (value.items.length < 2) refuse(`There must have at least 2 Objects in ${or} relationship.`);
  if (combined.length > limits.eventPatternCombinations) {
    refuse(`${or} gives more than ${limits.eventPatternCombinations} combinations of fields`);
  }
  return combined;
}

function readMember({ name, value }: PatternMember, place: Place, given: Conjunction[]): Conjunction[] {
  if (name === or) return readOr(value, place, given);
  if (place.insideOr && reservedInOr.has(name)) {
    refuse(`${name} is Ruler reserved fieldName which cannot be used inside ${or}.`);
  }
  const path = place.path === '' ? name : `${place.path}.${name}`;
  switch (value.kind) {
    case 'object':
      return readObject(value.members, { ...place, path }, given);
    case 'array': {
      // A field that is given again, in an `$or` within its object or by the same name, is given anew.
      const field = compileField(value.items);
      for (const conjunction of given) conjunction.set(path, field);
      return given;
    }
    case 'string':
    case 'number':
    case 'word':
      return refuse(`"${name}" must be an object or an array`);
  }
}

function readObject(members: readonly PatternMember[], place: Place, given: Conjunction[]): Conjunction[] {
  if (members.length === 0) refuse('Empty objects are not allowed');
  return members.reduce((conjunctions, member) => readMember(member, place, conjunctions), given);
}

const hasWildcards = (conjunction: Conjunction) =>
  [...conjunction.values()].some(({ wildcards }) => wildcards.length > 0);

/** Wildcards of a field count together where the engine meets them together: behind the same fields, in order of path. */
function checkComplexity(conjunctions: readonly Conjunction[]): void {
  if (!conjunctions.some(hasWildcards)) return;
  const numbers = new Map<unknown, number>();
  const numberOf = (thing: unknown) => {
    const number = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, number);
    return number;
  };
  const together = new Map<string, Set<WildcardExpression>>();
  for (const conjunction of conjunctions) {
    let before = 0;
    for (const [path, field] of [...conjunction].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      const place = `${before} ${path}`;
      const met = together.get(place) ?? new Set();
      for (const expression of field.wildcards) met.add(expression);
      if (field.wildcards.length > 0) together.set(place, met);
      before = numberOf(`${place} ${numberOf(field)}`);
    }
  }
  for (const met of together.values()) checkWildcards([...met]);
}

/**
 * Parses an event pattern as EventBridge does ("Event pattern syntax", "Comparison operators for use in event patterns in
 * Amazon EventBridge"). Throws an InvalidEventPatternError whose message is the reason, without the words "Event pattern is
 * not valid. Reason: " that EventBridge puts before it.
 */
export function parseEventPattern(text: string): EventPattern {
  if (text.length > limits.eventPatternCharacters) {
    refuse(`The pattern is longer than ${limits.eventPatternCharacters} characters`);
  }
  const json = readPatternJson(text);
  if (json.kind !== 'object') refuse('Filter is not an object');
  const conjunctions = readObject(json.members, { path: '', insideOr: false }, [new Map()]);
  checkComplexity(conjunctions);
  const trees = openPatternTrees();
  return {
    trees: conjunctions.map((conjunction) =>
      trees.add([...conjunction].map(([path, { test }]) => ({ steps: path.split('.'), test }))),
    ),
    exact: exactValues(conjunctions),
  };
}
