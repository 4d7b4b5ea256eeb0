import { limits } from '../../kernel/index.ts';
import { refuse } from './invalid-pattern.ts';
import { parseWildcard } from './wildcard.ts';

/**
 * How complex the wildcards of one field are, as EventBridge's engine measures it: of how many wildcard patterns' prefixes
 * a value can be in the middle at once. More than ten are refused ("Comparison operators for use in event patterns",
 * section on wildcards and the complexity of patterns, has no figure; ten agrees with what is known of patterns refused).
 * This bounds what the engine of EventBridge would have to do; here a wildcard costs the same however complex it is.
 */

/** A match expression with wildcards: one wildcard, or the list of an anything-but, which counts once where they agree. */
export type WildcardExpression = readonly string[];

const star = '*';
const anyOther = '';

/** A place in a wildcard pattern: behind `at` of its tokens. */
interface Place {
  readonly tokens: readonly string[];
  readonly at: number;
  readonly pattern: number;
  /** Places of the same name count once: of one expression, those with the same text before the first asterisk. */
  readonly names: readonly string[];
}

/** The tokens of a wildcard: characters and asterisks, between the quotes that a string stands in. */
function tokensOf(text: string): string[] {
  const parts = parseWildcard(text).map((part) => Array.from(part));
  return ['"', ...parts.flatMap((part, index) => (index === 0 ? part : [star, ...part])), '"'];
}

function namesOf(expression: number, pattern: number, tokens: readonly string[]): string[] {
  const firstStar = tokens.indexOf(star);
  return Array.from({ length: tokens.length + 1 }, (_, at) =>
    firstStar === -1 || at <= firstStar + 1
      ? `${expression} ${tokens.slice(0, at).join('')}`
      : `${expression} ${pattern} ${at}`,
  );
}

const isStar = ({ tokens, at }: Place) => tokens[at] === star;
const isBehindStar = ({ tokens, at }: Place) => at > 0 && tokens[at - 1] === star;
const moved = (place: Place, by: number): Place => ({ ...place, at: place.at + by });

/** Where a value can be when `character` comes at `place`. */
function step(place: Place, character: string): Place[] {
  const next: Place[] = [];
  if (isBehindStar(place)) next.push(place);
  if (place.tokens[place.at] === character && character !== anyOther) next.push(moved(place, 1));
  if (isStar(place)) {
    next.push(moved(place, 1));
    if (place.tokens[place.at + 1] === character && character !== anyOther) next.push(moved(place, 2));
  }
  return next;
}

type Places = ReadonlyMap<string, Place>;

const keyOf = ({ pattern, at }: Place) => `${pattern} ${at}`;

function complexityOf(places: Places): number {
  const names = new Set<string>();
  for (const place of places.values()) {
    names.add(place.names[place.at] ?? '');
    if (isStar(place)) names.add(place.names[place.at + 1] ?? '');
  }
  return names.size;
}

/** The characters that lead on from these places, each to places of its own; all others lead where `anyOther` does. */
function charactersFrom(places: Places): Set<string> {
  const characters = new Set([anyOther]);
  for (const place of places.values()) {
    const next = place.tokens[isStar(place) ? place.at + 1 : place.at];
    if (next !== undefined && next !== star) characters.add(next);
  }
  return characters;
}

function tooComplex(): never {
  refuse(
    'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
  );
}

/** Throws an InvalidEventPatternError where the wildcards of one field are too complex together. */
export function checkWildcards(expressions: readonly WildcardExpression[]): void {
  const starts = expressions.flatMap((expression, index) =>
    expression.map((text, within): Place => {
      const tokens = tokensOf(text);
      const pattern = index * limits.eventPatternCharacters + within;
      return { tokens, at: 0, pattern, names: namesOf(index, pattern, tokens) };
    }),
  );
  if (starts.length === 0) return;
  const pending: Places[] = [new Map(starts.map((place) => [keyOf(place), place]))];
  const seen = new Set<string>();
  for (let places = pending.pop(); places; places = pending.pop()) {
    for (const character of charactersFrom(places)) {
      const reached = [...places.values()].flatMap((place) => step(place, character));
      const next = new Map(reached.map((place) => [keyOf(place), place]));
      if (complexityOf(next) > limits.wildcardComplexity) tooComplex();
      const name = [...next.keys()].toSorted().join(',');
      if (next.size === 0 || seen.has(name)) continue;
      seen.add(name);
      if (seen.size > limits.wildcardComplexitySets) tooComplex();
      pending.push(next);
    }
  }
}
