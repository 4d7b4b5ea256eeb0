import { isInRange, parseIp, parseIpRange } from '../../identity/policy/index.ts';
import { compileAnythingBut } from './anything-but.ts';
import type { ScalarTest } from './field-test.ts';
import { caselessText, endsCaseless, equalsCaseless, startsCaseless } from './ignore-case.ts';
import { refuse } from './invalid-pattern.ts';
import { compileNumeric } from './numeric.ts';
import type { PatternJson } from './pattern-json.ts';
import { matchesWildcard, parseWildcard } from './wildcard.ts';

/** A match expression: a test of values, or of there being one. */
export type MatchExpression = ScalarTest | { readonly kind: 'exists'; readonly wanted: boolean };

function textOf(value: PatternJson, operator: string): string {
  if (value.kind !== 'string') refuse(`${operator} match pattern must be a string`);
  return value.text;
}

const strings = (matches: (text: string) => boolean): ScalarTest => ({ kind: 'string', matches });

/** What a prefix or a suffix is to be, in another case too; undefined where it is to be as it is written. */
function caselessAffix(value: PatternJson, operator: 'prefix' | 'suffix'): string | undefined {
  if (value.kind !== 'object') return undefined;
  const [first, ...rest] = value.members;
  if (!first) refuse(`${operator === 'prefix' ? 'Prefix' : 'Suffix'} expression name not found`);
  if (first.name !== 'equals-ignore-case') refuse(`Unsupported ${operator} pattern: ${first.name}`);
  const text = textOf(first.value, 'equals-ignore-case');
  if (rest.length > 0) refuse('Only one key allowed in match expression');
  return text;
}

function compilePrefix(value: PatternJson): ScalarTest {
  const caseless = caselessAffix(value, 'prefix');
  if (caseless !== undefined) {
    const prefix = caselessText(caseless);
    return strings((text) => startsCaseless(prefix, text));
  }
  const prefix = textOf(value, 'prefix');
  return strings((text) => text.startsWith(prefix));
}

function compileSuffix(value: PatternJson): ScalarTest {
  const caseless = caselessAffix(value, 'suffix');
  if (caseless !== undefined) {
    const suffix = caselessText(caseless);
    return strings((text) => endsCaseless(suffix, text));
  }
  const suffix = textOf(value, 'suffix');
  return strings((text) => text.endsWith(suffix));
}

function compileEqualsIgnoreCase(value: PatternJson): ScalarTest {
  const wanted = caselessText(textOf(value, 'equals-ignore-case'));
  return strings((text) => equalsCaseless(wanted, text));
}

function compileWildcard(value: PatternJson): ScalarTest {
  const wildcard = parseWildcard(textOf(value, 'wildcard'));
  return strings((text) => matchesWildcard(wildcard, text));
}

/** `{"cidr": "10.0.0.0/24"}`. A single address has no range in EventBridge: /32 and /128 are refused. */
function compileCidr(value: PatternJson): ScalarTest {
  // EventBridge speaks of a prefix here.
  const [address = '', mask, ...rest] = textOf(value, 'prefix').split('/');
  if (mask === undefined || rest.length > 0) refuse("Malformed CIDR, one '/' required");
  if (!/^[+-]?\d{1,9}$/.test(mask)) refuse('Malformed CIDR, mask bits must be an integer');
  const bits = Number(mask);
  if (bits < 0) refuse('Malformed CIDR, mask bits must not be negative');
  const range = parseIpRange(address);
  if (!range) refuse(`Nonstandard IP address: ${address}`);
  const addressBits = address.includes(':') ? 128 : 32;
  if (bits >= addressBits) refuse(`IPv${addressBits === 32 ? 4 : 6} mask bits must be < ${addressBits}`);
  const wanted = parseIpRange(`${address}/${bits}`);
  if (!wanted) refuse(`Nonstandard IP address: ${address}`);
  return strings((text) => {
    const given = parseIp(text);
    return given !== undefined && isInRange(given, wanted);
  });
}

function compileExists(value: PatternJson): MatchExpression {
  if (value.kind === 'word' && value.value !== null) return { kind: 'exists', wanted: value.value };
  return refuse('exists match pattern must be either true or false.');
}

const operators: Readonly<Record<string, (value: PatternJson) => MatchExpression>> = {
  prefix: compilePrefix,
  suffix: compileSuffix,
  'equals-ignore-case': compileEqualsIgnoreCase,
  'anything-but': compileAnythingBut,
  wildcard: compileWildcard,
  numeric: compileNumeric,
  cidr: compileCidr,
  exists: compileExists,
};

/**
 * Compiles a match expression (`{"prefix": "a"}`), of every kind in "Comparison operators for use in event patterns in
 * Amazon EventBridge"; whatever else it names is refused.
 */
export function compileExpression(expression: PatternJson & { readonly kind: 'object' }): MatchExpression {
  const [first, ...rest] = expression.members;
  if (!first) refuse('Match expression name not found');
  const compile = Object.hasOwn(operators, first.name) ? operators[first.name] : undefined;
  if (!compile) refuse(`Unrecognized match type ${first.name}`);
  const compiled = compile(first.value);
  if (rest.length > 0) {
    const isNumeric = first.name === 'numeric' || first.name === 'anything-but';
    refuse(
      isNumeric ? 'Too many elements in numeric expression' : 'Only one key allowed in match expression',
    );
  }
  return compiled;
}
