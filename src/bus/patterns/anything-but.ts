import type { ScalarTest } from './field-test.ts';
import { caselessText, equalsCaseless } from './ignore-case.ts';
import { refuse } from './invalid-pattern.ts';
import { patternNumber } from './numeric.ts';
import type { PatternJson } from './pattern-json.ts';
import { matchesWildcard, parseWildcard } from './wildcard.ts';

/** `{"anything-but": …}` of strings or of numbers, one or a list of them. */
function compileValues(items: readonly PatternJson[]): ScalarTest {
  if (!items.every(({ kind }) => kind === 'string' || kind === 'number')) {
    refuse('Inside anything but list, start|null|boolean is not supported.');
  }
  const texts = new Set(items.flatMap((item) => (item.kind === 'string' ? [item.text] : [])));
  const numbers = new Set(
    items.flatMap((item) => (item.kind === 'number' ? [patternNumber(item.text)] : [])),
  );
  if (texts.size > 0 === numbers.size > 0) {
    refuse('Inside anything but list, either all values are number or string, mixed type is not supported');
  }
  if (texts.size > 0) return { kind: 'other-than-strings', excluded: (text) => texts.has(text) };
  return {
    kind: 'other-than-numbers',
    excluded: ({ comparable }) =>
      comparable !== undefined && comparable.exact && numbers.has(comparable.millionths),
  };
}

type Excludes = (text: string) => boolean;

/** The expressions that anything-but takes, and what each says where it is given something else than strings. */
const expressions: Readonly<
  Record<string, { readonly compile: (text: string) => Excludes; readonly wrong: string }>
> = {
  prefix: {
    compile: (prefix) => (text) => text.startsWith(prefix),
    wrong: 'prefix/suffix match pattern must be a string',
  },
  suffix: {
    compile: (suffix) => (text) => text.endsWith(suffix),
    wrong: 'prefix/suffix match pattern must be a string',
  },
  'equals-ignore-case': {
    compile(text) {
      const caseless = caselessText(text);
      return (value) => equalsCaseless(caseless, value);
    },
    wrong: 'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
  },
  wildcard: {
    compile(text) {
      const wildcard = parseWildcard(text);
      return (value) => matchesWildcard(wildcard, value);
    },
    wrong: 'wildcard match pattern must be a string',
  },
};

/** `{"anything-but": {"prefix": "a"}}`, and the like with a list. */
function compileExpression(
  members: readonly { readonly name: string; readonly value: PatternJson }[],
): ScalarTest {
  const [first, ...rest] = members;
  if (!first) refuse('Anything-But expression name not found');
  const { name, value } = first;
  const expression = Object.hasOwn(expressions, name) ? expressions[name] : undefined;
  if (!expression) refuse(`Unsupported anything-but pattern: ${name}`);
  if (value.kind === 'object' || value.kind === 'word') refuse(wrongKind);
  const items = value.kind === 'array' ? value.items : [value];
  if (items.length === 0) refuse('Empty arrays are not allowed');
  const excludes = items.map((item) => {
    if (item.kind !== 'string') refuse(expression.wrong);
    if (item.text === '' && name.endsWith('fix')) refuse('Null prefix/suffix not allowed');
    return expression.compile(item.text);
  });
  if (rest.length > 0) refuse('Only one key allowed in match expression');
  return { kind: 'other-than-strings', excluded: (text) => excludes.some((one) => one(text)) };
}

const wrongKind = 'Value of anything-but must be an array or single string/number value.';

/** Any value but those matches, of whatever type; there has to be one. */
export function compileAnythingBut(value: PatternJson): ScalarTest {
  switch (value.kind) {
    case 'object':
      return compileExpression(value.members);
    case 'array':
      return compileValues(value.items);
    case 'string':
    case 'number':
      return compileValues([value]);
    case 'word':
      return refuse(wrongKind);
  }
}

/** The wildcard patterns of an anything-but, as written. */
export function wildcardsButFor(value: PatternJson): readonly string[] {
  if (value.kind !== 'object' || value.members[0]?.name !== 'wildcard') return [];
  const given = value.members[0].value;
  return (given.kind === 'array' ? given.items : [given]).flatMap((item) =>
    item.kind === 'string' ? [item.text] : [],
  );
}
