import { arnGlobs } from './arn-pattern.ts';
import { parseBase64, parseDate, parseNumber } from './comparable-values.ts';
import type { Condition, Relation, ValueTest } from './condition-types.ts';
import { parseIpRange } from './ip-range.ts';
import type { JsonNode } from './json-text.ts';
import { parseProblem, syntaxProblem, type Report } from './problems.ts';
import { codesOf, readTokens, textPattern, type TextPattern, type Token } from './text-pattern.ts';

type Family = ValueTest['family'] | 'bool' | 'null';

interface Operator {
  readonly family: Family;
  readonly negated: boolean;
  readonly relation: Relation;
  readonly foldCase: boolean;
  readonly wildcards: boolean;
}

function operator(family: Family, more: Partial<Operator> = {}): Operator {
  return { family, negated: false, relation: 'equals', foldCase: false, wildcards: false, ...more };
}

function comparisons(name: 'Numeric' | 'Date'): readonly (readonly [string, Operator])[] {
  const family = name === 'Numeric' ? 'numeric' : 'date';
  return [
    [`${name}Equals`, operator(family)],
    [`${name}NotEquals`, operator(family, { negated: true })],
    [`${name}LessThan`, operator(family, { relation: 'lessThan' })],
    [`${name}LessThanEquals`, operator(family, { relation: 'lessThanEquals' })],
    [`${name}GreaterThan`, operator(family, { relation: 'greaterThan' })],
    [`${name}GreaterThanEquals`, operator(family, { relation: 'greaterThanEquals' })],
  ];
}

/** Every operator of "IAM JSON policy elements: Condition operators", by its exact name. */
const operators: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', operator('string')],
  ['StringNotEquals', operator('string', { negated: true })],
  ['StringEqualsIgnoreCase', operator('string', { foldCase: true })],
  ['StringNotEqualsIgnoreCase', operator('string', { foldCase: true, negated: true })],
  ['StringLike', operator('string', { wildcards: true })],
  ['StringNotLike', operator('string', { wildcards: true, negated: true })],
  ...comparisons('Numeric'),
  ...comparisons('Date'),
  ['Bool', operator('bool')],
  ['BinaryEquals', operator('binary')],
  ['IpAddress', operator('ip')],
  ['NotIpAddress', operator('ip', { negated: true })],
  ['ArnEquals', operator('arn', { wildcards: true })],
  ['ArnLike', operator('arn', { wildcards: true })],
  ['ArnNotEquals', operator('arn', { wildcards: true, negated: true })],
  ['ArnNotLike', operator('arn', { wildcards: true, negated: true })],
  ['Null', operator('null')],
]);

interface NamedOperator {
  readonly operator: Operator;
  readonly set: 'one' | 'any' | 'all';
  readonly ifExists: boolean;
}

const sets: ReadonlyMap<string, NamedOperator['set']> = new Map([
  ['', 'one'],
  ['ForAnyValue', 'any'],
  ['ForAllValues', 'all'],
]);

function findOperator(name: string): NamedOperator | undefined {
  const colon = name.indexOf(':');
  const set = sets.get(colon === -1 ? '' : name.slice(0, colon));
  const ifExists = name.endsWith('IfExists');
  const found = operators.get(name.slice(colon + 1, ifExists ? -'IfExists'.length : undefined));
  if (!found || !set) return undefined;
  // The documentation excludes Null from IfExists, and set operators say nothing about a key that is absent.
  if (found.family === 'null' && (ifExists || set !== 'one')) return undefined;
  return { operator: found, set, ifExists };
}

/** A condition value is a string, a number or a boolean, or a list of those. */
function readValues(node: JsonNode, where: string, report: Report): readonly string[] {
  const nodes = node.kind === 'array' ? node.items : [node];
  if (nodes.length === 0) report(syntaxProblem(`${where} has no value, so it could never be decided`));
  return nodes.flatMap((item) => {
    if (item.kind === 'string' || item.kind === 'number' || item.kind === 'boolean') return [item.text];
    report(syntaxProblem(`${where} takes strings, numbers and booleans`));
    return [];
  });
}

function readAll<T>(
  values: readonly string[],
  read: (value: string) => T | undefined,
  fail: (value: string) => void,
): T[] {
  return values.flatMap((value) => {
    const parsed = read(value);
    if (parsed !== undefined) return [parsed];
    fail(value);
    return [];
  });
}

function lowered(tokens: readonly Token[]): readonly Token[] {
  return tokens.map((token) => (typeof token === 'string' ? token.toLowerCase() : token));
}

interface Reading {
  readonly operator: Operator;
  readonly where: string;
  readonly variables: boolean;
  readonly report: Report;
}

function readPattern(value: string, reading: Reading, foldCase: boolean): TextPattern | undefined {
  const { wildcards } = reading.operator;
  const read = readTokens(value, { variables: reading.variables, wildcards });
  if (read.kind === 'tokens') return textPattern(value, foldCase ? lowered(read.tokens) : read.tokens);
  reading.report(syntaxProblem(`${reading.where}: ${read.reason}`));
  return undefined;
}

function readArns(values: readonly string[], reading: Reading): ValueTest {
  const patterns = values.flatMap((value) => {
    const pattern = readPattern(value, reading, false);
    if (!pattern) return [];
    const globs = pattern.fixed && arnGlobs(codesOf(pattern.tokens, undefined) ?? []);
    if (pattern.fixed && !globs) {
      reading.report(syntaxProblem(`${reading.where}: "${value}" does not have the six parts of an ARN`));
    }
    return [{ pattern, globs }];
  });
  return { family: 'arn', patterns };
}

function readStrings(values: readonly string[], reading: Reading): ValueTest {
  const isBool = reading.operator.family === 'bool';
  const foldCase = isBool || reading.operator.foldCase;
  const patterns = values.flatMap((value) => readPattern(value, reading, foldCase) ?? []);
  for (const { fixed, source } of isBool ? patterns : []) {
    if (fixed && !/^(?:true|false)$/i.test(source)) {
      reading.report(syntaxProblem(`${reading.where} takes true or false, not "${source}"`));
    }
  }
  return { family: 'string', foldCase, patterns };
}

function readTest(values: readonly string[], reading: Reading): ValueTest {
  const { where, report } = reading;
  const { relation } = reading.operator;
  switch (reading.operator.family) {
    case 'string':
    case 'bool':
      return readStrings(values, reading);
    case 'arn':
      return readArns(values, reading);
    case 'numeric': {
      const fail = (value: string) =>
        report(
          syntaxProblem(`${where} takes an integer or decimal number of at most 15 digits, not "${value}"`),
        );
      return { family: 'numeric', relation, values: readAll(values, parseNumber, fail) };
    }
    case 'date': {
      const fail = (value: string) =>
        report(
          parseProblem(`${where} takes an ISO 8601 date with its time zone or epoch seconds, not "${value}"`),
        );
      return { family: 'date', relation, values: readAll(values, parseDate, fail) };
    }
    case 'binary': {
      const fail = (value: string) => report(syntaxProblem(`${where} takes base64, not "${value}"`));
      return { family: 'binary', values: readAll(values, parseBase64, fail) };
    }
    case 'ip':
    case 'null': {
      const fail = (value: string) =>
        report(syntaxProblem(`${where} takes an address or a CIDR range, not "${value}"`));
      return { family: 'ip', ranges: readAll(values, parseIpRange, fail) };
    }
  }
}

function readNull(
  values: readonly string[],
  where: string,
  report: Report,
): { whenAbsent: boolean; whenPresent: boolean } {
  const words = values.map((value) => value.toLowerCase());
  for (const word of words) {
    if (word !== 'true' && word !== 'false')
      report(syntaxProblem(`${where} takes true or false, not "${word}"`));
  }
  return { whenAbsent: words.includes('true'), whenPresent: words.includes('false') };
}

function readKey(
  name: string,
  named: NamedOperator,
  node: JsonNode,
  where: string,
  variables: boolean,
  report: Report,
): Condition {
  const values = readValues(node, where, report);
  const key = { key: name.toLowerCase(), writtenKey: name };
  if (named.operator.family === 'null') return { ...key, kind: 'null', ...readNull(values, where, report) };
  const test = readTest(values, { operator: named.operator, where, variables, report });
  const { set, ifExists } = named;
  return { ...key, kind: 'compare', negated: named.operator.negated, set, ifExists, test };
}

const missingVendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

/** Reads a Condition element. `variables`: whether the document's version has policy variables. */
export function parseConditions(node: JsonNode, variables: boolean, report: Report): readonly Condition[] {
  if (node.kind !== 'object') {
    report(syntaxProblem('Condition takes an object'));
    return [];
  }
  return [...node.members].flatMap(([name, keys]) => {
    const named = findOperator(name);
    if (!named || keys.kind !== 'object') {
      report(syntaxProblem(named ? `${name} takes an object` : `there is no condition operator "${name}"`));
      return [];
    }
    const seen = new Set<string>();
    return [...keys.members].map(([key, value]) => {
      const where = `${name} of ${key}`;
      if (!/^[^:]+:./su.test(key))
        report({ rank: 'vendor', message: missingVendor, detail: `the condition key "${key}"` });
      if (key.includes('${')) report(syntaxProblem(`the condition key "${key}" has a policy variable`));
      if (seen.has(key.toLowerCase())) report(syntaxProblem(`${where} stands there twice`));
      seen.add(key.toLowerCase());
      return readKey(key, named, value, where, variables, report);
    });
  });
}
