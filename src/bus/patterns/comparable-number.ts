/**
 * Numbers as EventBridge compares them: between -5.0e9 and +5.0e9, with six digits behind the decimal point ("Comparison
 * operators for use in event patterns in Amazon EventBridge"). They become whole millionths, which a double holds exactly.
 */
export interface ComparableNumber {
  /** At most 5e15 either way. */
  readonly millionths: number;
  /** Whether the number has no digits beyond those; without, `millionths` is the next smaller one. */
  readonly exact: boolean;
}

const most = 5e15;
const decimalForm = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** The number that `text`, a JSON number, writes; undefined outside what is compared. */
export function comparableText(text: string): ComparableNumber | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = decimalForm.exec(text) ?? [];
  const written = whole + fraction;
  const digits = written.replace(/^0+/, '');
  if (digits === '') return { millionths: 0, exact: true };
  // How many of the digits make up the whole millionths.
  const count = whole.length - (written.length - digits.length) + Number(exponent) + 6;
  if (count > 16) return undefined;
  const kept = count <= 0 ? 0 : Number(digits.slice(0, count).padEnd(count, '0'));
  const exact = !/[1-9]/.test(digits.slice(Math.max(0, count)));
  const millionths = sign === '-' ? -kept - (exact ? 0 : 1) : kept;
  return Math.abs(millionths) > most ? undefined : { millionths: millionths + 0, exact };
}

/** The number of a value that JSON.parse gave. */
export function comparableValue(value: number): ComparableNumber | undefined {
  if (!Number.isInteger(value)) return comparableText(String(value));
  return Math.abs(value) > 5e9 ? undefined : { millionths: value * 1e6 + 0, exact: true };
}
