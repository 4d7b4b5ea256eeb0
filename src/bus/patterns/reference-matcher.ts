/**
 * Event patterns by their definition, written down without a thought for speed: the event as a list of values, each with
 * the items of arrays that it lies in, and every way to take one value for each field. For tests.
 */
export type ModelScalar = string | number | boolean | null;
export type ModelValue = ModelScalar | readonly ModelValue[] | { readonly [name: string]: ModelValue };

type Expression = Readonly<Record<string, unknown>>;
type Term = ModelScalar | Expression;
export interface ModelPattern {
  readonly [name: string]: readonly (Term | ModelPattern)[] | ModelPattern;
}

interface Occurrence {
  readonly path: string;
  readonly value: ModelScalar;
  /** By array, the index of the item. */
  readonly items: ReadonlyMap<object, number>;
}

function occurrencesOf(
  value: ModelValue,
  path = '',
  items: ReadonlyMap<object, number> = new Map(),
): Occurrence[] {
  if (typeof value !== 'object' || value === null) return [{ path, value, items }];
  if (Array.isArray(value)) {
    return (value as readonly ModelValue[]).flatMap((item, index) => {
      const isPlain = typeof item !== 'object' || item === null;
      return occurrencesOf(item, path, isPlain ? items : new Map([...items, [value, index]]));
    });
  }
  return Object.entries(value as { readonly [name: string]: ModelValue }).flatMap(([name, inner]) =>
    occurrencesOf(inner, path === '' ? name : `${path}.${name}`, items),
  );
}

export function wildcardMatches(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) {
    return (
      wildcardMatches(pattern.slice(1), text) || (text !== '' && wildcardMatches(pattern, text.slice(1)))
    );
  }
  const literal = pattern.startsWith('\\') ? pattern.slice(1, 2) : pattern.slice(0, 1);
  return (
    text.startsWith(literal) &&
    wildcardMatches(pattern.slice(pattern.startsWith('\\') ? 2 : 1), text.slice(1))
  );
}

const comparisons: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  '=': (one, other) => one === other,
  '<': (one, other) => one < other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '>=': (one, other) => one >= other,
};

function isWithin(value: number, range: readonly (string | number)[]): boolean {
  for (let at = 0; at < range.length; at += 2) {
    if (!comparisons[range[at] as string]?.(value, range[at + 1] as number)) return false;
  }
  return true;
}

function textMatches(name: string, wanted: unknown, text: string): boolean {
  if (typeof wanted === 'object' && wanted !== null) {
    const caseless = (wanted as { readonly 'equals-ignore-case': string })['equals-ignore-case'];
    return textMatches(name, caseless.toLowerCase(), text.toLowerCase());
  }
  const literal = wanted as string;
  switch (name) {
    case 'prefix':
      return text.startsWith(literal);
    case 'suffix':
      return text.endsWith(literal);
    case 'equals-ignore-case':
      return text.toLowerCase() === literal.toLowerCase();
    case 'wildcard':
      return wildcardMatches(literal, text);
    default:
      throw new Error(`unknown expression ${name}`);
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [value];
}

function isExcluded(value: ModelScalar, excluded: unknown): boolean {
  if (typeof excluded !== 'object' || excluded === null || Array.isArray(excluded)) {
    return listOf(excluded).includes(value);
  }
  const [[name, wanted] = ['', '']] = Object.entries(excluded);
  return typeof value === 'string' && listOf(wanted).some((one) => textMatches(name, one, value));
}

function termMatches(value: ModelScalar, term: Term): boolean {
  if (typeof term !== 'object' || term === null) return value === term;
  const [[name, wanted] = ['', '']] = Object.entries(term);
  if (name === 'exists') return wanted === true;
  if (name === 'anything-but') return !isExcluded(value, wanted);
  if (name === 'numeric') return typeof value === 'number' && isWithin(value, wanted as (string | number)[]);
  return typeof value === 'string' && textMatches(name, wanted, value);
}

type Fields = ReadonlyMap<string, readonly Term[]>;

/** Every combination of fields that the pattern, with its `$or`, stands for. */
function combinationsOf(
  pattern: ModelPattern,
  path = '',
  given: readonly Fields[] = [new Map()],
): readonly Fields[] {
  return Object.entries(pattern).reduce((combinations, [name, value]): readonly Fields[] => {
    if (name === '$or') {
      return (value as readonly ModelPattern[]).flatMap((branch) =>
        combinationsOf(branch, path, combinations),
      );
    }
    const inner = path === '' ? name : `${path}.${name}`;
    if (!Array.isArray(value)) return combinationsOf(value as ModelPattern, inner, combinations);
    return combinations.map((fields) => new Map([...fields, [inner, value as readonly Term[]]]));
  }, given);
}

function isConsistent(one: ReadonlyMap<object, number>, other: ReadonlyMap<object, number>): boolean {
  return [...one].every(([array, index]) => (other.get(array) ?? index) === index);
}

function fieldsMatch(fields: Fields, occurrences: readonly Occurrence[]): boolean {
  const wanted = [...fields];
  function search(at: number, items: ReadonlyMap<object, number>, absent: readonly string[]): boolean {
    const [path, terms] = wanted[at] ?? [];
    if (path === undefined || terms === undefined) {
      return !occurrences.some((one) => absent.includes(one.path) && isConsistent(one.items, items));
    }
    const mayBeAbsent = terms.some(
      (term) => typeof term === 'object' && term !== null && term['exists'] === false,
    );
    return (
      occurrences.some(
        (one) =>
          one.path === path &&
          isConsistent(one.items, items) &&
          terms.some((term) => termMatches(one.value, term)) &&
          search(at + 1, new Map([...items, ...one.items]), absent),
      ) ||
      (mayBeAbsent && search(at + 1, items, [...absent, path]))
    );
  }
  return search(0, new Map(), []);
}

export function matchesByDefinition(pattern: ModelPattern, event: ModelValue): boolean {
  const occurrences = occurrencesOf(event);
  return combinationsOf(pattern).some((fields) => fieldsMatch(fields, occurrences));
}
