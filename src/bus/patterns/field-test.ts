import { isRawNumber, type Scalar } from '../event-json.ts';
import { comparableText, comparableValue, type ComparableNumber } from './comparable-number.ts';

/** A number of an event: its text, and what it compares as. */
interface EventNumber {
  readonly text: string;
  readonly comparable: ComparableNumber | undefined;
}

/** What a value is held against, one match expression each. */
export type ScalarTest =
  | { readonly kind: 'string'; readonly matches: (text: string) => boolean }
  | { readonly kind: 'number'; readonly matches: (number: EventNumber) => boolean }
  /** What is neither string nor number matches. */
  | { readonly kind: 'other-than-strings'; readonly excluded: (text: string) => boolean }
  | { readonly kind: 'other-than-numbers'; readonly excluded: (number: EventNumber) => boolean };

/** What an event pattern says of one field. A value matches if any of it does. */
export interface FieldTest {
  readonly strings: ReadonlySet<string>;
  /** Exact numbers, in millionths; and, where a number is not compared that way, as text. */
  readonly numbers: ReadonlySet<number>;
  readonly numberTexts: ReadonlySet<string>;
  readonly words: ReadonlySet<boolean | null>;
  readonly tests: readonly ScalarTest[];
  /** `{"exists": true}`: any value matches. */
  readonly exists: boolean;
  /** `{"exists": false}`: it matches that there is no value. */
  readonly absent: boolean;
}

/**
 * Whether two numbers are equal: by value where both have at most six decimals and lie within the bounds, otherwise as they
 * are written. The user guide says that 300 and 300.0 are not equal ("Event pattern syntax"), EventBridge finds them equal.
 */
function isExactly({ text, comparable }: EventNumber, test: FieldTest): boolean {
  return (comparable?.exact && test.numbers.has(comparable.millionths)) || test.numberTexts.has(text);
}

function matchesString(text: string, test: FieldTest): boolean {
  if (test.strings.has(text)) return true;
  return test.tests.some((one) => {
    if (one.kind === 'string') return one.matches(text);
    if (one.kind === 'other-than-strings') return !one.excluded(text);
    return one.kind === 'other-than-numbers';
  });
}

function matchesNumber(number: EventNumber, test: FieldTest): boolean {
  if (isExactly(number, test)) return true;
  return test.tests.some((one) => {
    if (one.kind === 'number') return one.matches(number);
    if (one.kind === 'other-than-numbers') return !one.excluded(number);
    return one.kind === 'other-than-strings';
  });
}

/** Whether a value of an event, which is no object and no array, matches. */
export function matchesScalar(value: Scalar, test: FieldTest): boolean {
  if (test.exists) return true;
  if (typeof value === 'string') return matchesString(value, test);
  if (typeof value === 'number') {
    return matchesNumber({ text: String(value), comparable: comparableValue(value) }, test);
  }
  if (isRawNumber(value)) {
    return matchesNumber({ text: value.rawJSON, comparable: comparableText(value.rawJSON) }, test);
  }
  return (
    test.words.has(value) ||
    test.tests.some(({ kind }) => kind === 'other-than-strings' || kind === 'other-than-numbers')
  );
}
