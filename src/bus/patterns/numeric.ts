import { comparableText } from './comparable-number.ts';
import type { ScalarTest } from './field-test.ts';
import { refuse } from './invalid-pattern.ts';
import type { PatternJson } from './pattern-json.ts';

/** Millionths between which a number has to lie. */
interface Range {
  readonly bottom: number;
  readonly openBottom: boolean;
  readonly top: number;
  readonly openTop: boolean;
}

const everything: Range = { bottom: -Infinity, openBottom: false, top: Infinity, openTop: false };

/** The millionths of a number in a pattern, which has to be one that EventBridge compares. */
export function patternNumber(text: string): number {
  const number = comparableText(text);
  if (!number) refuse('Value must be between -5.0E9 and 5.0E9, inclusive');
  if (!number.exact) refuse(`Only values upto 6 decimals are supported: ${text}`);
  return number.millionths;
}

function written(item: PatternJson | undefined): string {
  if (item === undefined) return ']';
  switch (item.kind) {
    case 'string':
    case 'number':
      return item.text;
    case 'word':
      return String(item.value);
    case 'object':
      return '{';
    case 'array':
      return '[';
  }
}

function readNumber(item: PatternJson | undefined, operator: string): number {
  if (item?.kind === 'number') return patternNumber(item.text);
  return refuse(`Value of ${operator === '=' ? 'equals' : operator} must be numeric`);
}

function readBottom(items: readonly PatternJson[], operator: string): Range {
  const bottom = { ...everything, bottom: readNumber(items[1], operator), openBottom: operator === '>' };
  const [, , second, ...rest] = items;
  if (second === undefined) return bottom;
  if (second.kind !== 'string') refuse(`Bad value in numeric range: ${written(second)}`);
  if (second.text !== '<' && second.text !== '<=') refuse(`Bad numeric range operator: ${second.text}`);
  const top = readNumber(rest[0], second.text);
  if (rest.length > 1) refuse('Too many terms in numeric range expression');
  if (bottom.bottom >= top) refuse('Bottom must be less than top');
  return { ...bottom, top, openTop: second.text === '<' };
}

function readRange(items: readonly PatternJson[]): Range {
  const [first] = items;
  if (first?.kind !== 'string') refuse(`Invalid member in numeric match: ${written(first)}`);
  const operator = first.text;
  if (operator === '>' || operator === '>=') return readBottom(items, operator);
  if (operator !== '=' && operator !== '<' && operator !== '<=') {
    refuse(`Unrecognized numeric range operator: ${operator}`);
  }
  const number = readNumber(items[1], operator);
  if (items.length > 2) refuse('Too many elements in numeric expression');
  if (operator === '=') return { ...everything, bottom: number, top: number };
  return { ...everything, top: number, openTop: operator === '<' };
}

/** `{"numeric": [">", 0, "<=", 5]}`: one comparison, or a lower bound and then an upper bound. */
export function compileNumeric(value: PatternJson): ScalarTest {
  if (value.kind !== 'array') refuse('Value of numeric must be an array.');
  const { bottom, openBottom, top, openTop } = readRange(value.items);
  return {
    kind: 'number',
    matches({ comparable }) {
      if (!comparable) return false;
      const { millionths } = comparable;
      return (
        (openBottom ? millionths > bottom : millionths >= bottom) &&
        (openTop ? millionths < top : millionths <= top)
      );
    },
  };
}
