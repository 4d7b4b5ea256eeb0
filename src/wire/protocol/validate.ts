import { AwsFault, limits } from '../../kernel/index.ts';
import type { Member, Shape, StructureShape } from '../schema/index.ts';
import { constraintsOf, type Constraint, type ServiceConstraints } from '../services.ts';
import type { RoutedOperation } from './protocol-types.ts';

/** One thing that is wrong with an input. */
interface Violation {
  readonly path: string;
  /** As AWS shows it: quoted, or `null`; empty for bytes, which it does not show. */
  readonly value: string;
  /** `Member must …`, or `invalid` for a name that IAM has words of its own for. */
  readonly rule: string;
  readonly kind: 'missing' | 'constraint' | 'name';
}

const noConstraints: ServiceConstraints = { source: '', members: {}, structures: {} };

/**
 * Checks a decoded input: required members by the schema; lengths, ranges, patterns and values by the service's table.
 * Throws the fault that the service itself gives, in AWS's words, listing the first few violations. What a service has
 * exceptions of its own for is left to its operations.
 */
export function validate(routed: RoutedOperation, input: Readonly<Record<string, unknown>>): void {
  const shape = routed.operation.input;
  if (shape.kind === 'unit') return;
  const table = constraintsOf(routed.service.description.name) ?? noConstraints;
  const violations: Violation[] = [];
  checkStructure(shape, input, '', table, violations);
  const [first] = violations;
  if (first) throw validationFault(routed, violations.slice(0, limits.validationErrors), first);
}

function checkStructure(
  shape: StructureShape,
  value: Readonly<Record<string, unknown>>,
  path: string,
  table: ServiceConstraints,
  found: Violation[],
): void {
  for (const member of shape.members) {
    if (found.length >= limits.validationErrors) return;
    const entry = value[member.name];
    const at = path === '' ? lowerFirst(member.name) : `${path}.${lowerFirst(member.name)}`;
    if (entry === undefined || entry === null) {
      if (member.required) {
        found.push({ path: at, value: 'null', rule: 'Member must not be null', kind: 'missing' });
      }
      continue;
    }
    const constraint = constraintOf(table, shape.name, member.name);
    if (constraint) checkValue(constraint, member, entry, at, found);
    checkInside(member.shape, entry, at, table, found);
  }
}

function constraintOf(table: ServiceConstraints, structure: string, member: string): Constraint | undefined {
  const own = table.structures[structure];
  if (own && Object.hasOwn(own, member)) return own[member];
  return Object.hasOwn(table.members, member) ? table.members[member] : undefined;
}

/** Walks on into lists, maps and structures; elements are counted from 1, as AWS counts them. */
function checkInside(
  shape: Shape,
  value: unknown,
  path: string,
  table: ServiceConstraints,
  found: Violation[],
): void {
  if (found.length >= limits.validationErrors) return;
  if (shape.kind === 'structure') {
    checkStructure(shape, value as Readonly<Record<string, unknown>>, path, table, found);
  } else if (shape.kind === 'list' && holdsStructures(shape.element.shape)) {
    for (const [index, element] of (value as readonly unknown[]).entries()) {
      if (element !== null)
        checkInside(shape.element.shape, element, `${path}.${index + 1}.member`, table, found);
    }
  } else if (shape.kind === 'map' && holdsStructures(shape.value.shape)) {
    for (const [key, entry] of Object.entries(value as Readonly<Record<string, unknown>>)) {
      if (entry !== null) checkInside(shape.value.shape, entry, `${path}.${shown(key)}.member`, table, found);
    }
  }
}

function holdsStructures(shape: Shape): boolean {
  return shape.kind === 'structure' || shape.kind === 'list' || shape.kind === 'map';
}

function checkValue(
  constraint: Constraint,
  member: Member,
  value: unknown,
  path: string,
  found: Violation[],
): void {
  const { shape } = member;
  const secret = member.sensitive;
  if (typeof value === 'string') {
    found.push(...textViolations(constraint, value, path, secret));
  } else if (typeof value === 'number') {
    const rule = rangeRule(constraint, value);
    if (rule) found.push({ path, value: `'${value}'`, rule, kind: 'constraint' });
  } else if (value instanceof Uint8Array) {
    const rule = sizeRule(constraint.length, value.length);
    if (rule) found.push({ path, value: '', rule, kind: 'constraint' });
  } else if (Array.isArray(value) && shape.kind === 'list') {
    checkList(constraint, value, path, secret || shape.element.sensitive, found);
  } else if (shape.kind === 'map') {
    checkMap(constraint, value as Readonly<Record<string, unknown>>, path, found);
  }
}

function checkList(
  constraint: Constraint,
  value: readonly unknown[],
  path: string,
  secret: boolean,
  found: Violation[],
): void {
  const rule = sizeRule(constraint.items, value.length);
  if (rule) found.push({ path, value: listShown(value, secret), rule, kind: 'constraint' });
  if (!constraint.element) return;
  for (const element of value) {
    if (found.length >= limits.validationErrors) return;
    if (typeof element !== 'string') continue;
    if (rulesOf(constraint.element, element).length > 0) {
      const inner = `Member must satisfy constraint: [${allRules(constraint.element).join(', ')}]`;
      found.push({ path, value: listShown(value, secret), rule: inner, kind: 'constraint' });
      return;
    }
  }
}

function checkMap(
  constraint: Constraint,
  value: Readonly<Record<string, unknown>>,
  path: string,
  found: Violation[],
): void {
  const keys = Object.keys(value);
  const rule = sizeRule(constraint.items, keys.length);
  const shownKeys = `'{${keys
    .slice(0, 10)
    .map((key) => shown(key))
    .join(', ')}}'`;
  if (rule) found.push({ path, value: shownKeys, rule, kind: 'constraint' });
  for (const key of keys) {
    const keyRules = constraint.key ? rulesOf(constraint.key, key) : [];
    const entry = value[key];
    const valueRules = constraint.value && typeof entry === 'string' ? rulesOf(constraint.value, entry) : [];
    if (keyRules.length > 0) {
      const inner = `Map keys must satisfy constraint: [${keyRules.join(', ')}]`;
      found.push({ path, value: shownKeys, rule: inner, kind: 'constraint' });
    }
    if (valueRules.length > 0) {
      const inner = `Map value must satisfy constraint: [${valueRules.join(', ')}]`;
      found.push({ path, value: shownKeys, rule: inner, kind: 'constraint' });
    }
    if (keyRules.length + valueRules.length > 0) return;
  }
}

function textViolations(constraint: Constraint, value: string, path: string, secret: boolean): Violation[] {
  const display = secret ? "'***'" : `'${shown(value)}'`;
  return rulesOf(constraint, value).map((rule) => ({
    path,
    value: display,
    rule,
    kind: constraint.pattern === nameCharacters && rule.includes('pattern') ? 'name' : 'constraint',
  }));
}

const isAtMost = (most: number) => `Member must have length less than or equal to ${most}`;
const isAtLeast = (least: number) => `Member must have length greater than or equal to ${least}`;
const hasPattern = (pattern: string) => `Member must satisfy regular expression pattern: ${pattern}`;
const isOneOf = (values: readonly string[]) => `Member must satisfy enum value set: [${values.join(', ')}]`;

/** The rules that a text breaks. A text that is too long is not matched, so that no pattern meets unbounded input. */
function rulesOf({ length: bounds, pattern, values }: Constraint, value: string): string[] {
  const length = sizeRule(bounds, value.length);
  const rules = length ? [length] : [];
  const most = bounds?.[1];
  if (pattern !== undefined && (most === undefined || value.length <= most)) {
    if (!compiled(pattern).test(value)) rules.push(hasPattern(pattern));
  }
  if (values && !values.includes(value)) rules.push(isOneOf(values));
  return rules;
}

/** Every rule for the elements of a list: AWS names them all where one element breaks one of them. */
function allRules({ length, pattern, values }: Constraint): string[] {
  const [least, most] = length ?? [0, undefined];
  return [
    ...(most === undefined ? [] : [isAtMost(most)]),
    ...(least > 0 ? [isAtLeast(least)] : []),
    ...(pattern === undefined ? [] : [hasPattern(pattern)]),
    ...(values ? [isOneOf(values)] : []),
    'Member must not be null',
  ];
}

function sizeRule(bounds: readonly [number, number?] | undefined, size: number): string | undefined {
  if (!bounds) return undefined;
  const [least, most] = bounds;
  if (size < least) return isAtLeast(least);
  return most !== undefined && size > most ? isAtMost(most) : undefined;
}

function rangeRule(constraint: Constraint, value: number): string | undefined {
  if (!constraint.range) return undefined;
  const [least, most] = constraint.range;
  // The ranges of the tables are those of whole numbers, which the schemas do not tell from others.
  if (!Number.isInteger(value)) return 'Member must be a whole number';
  if (value < least) return `Member must have value greater than or equal to ${least}`;
  if (most !== undefined && value > most) return `Member must have value less than or equal to ${most}`;
  return undefined;
}

const patterns = new Map<string, RegExp>();

/** Patterns come from our own tables alone; each is matched against the whole text, as AWS does. */
function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known) return known;
  const made = new RegExp(`^(?:${pattern})$`, 'u');
  patterns.set(pattern, made);
  return made;
}

const nameCharacters = '[\\w+=,.@-]+';
const shownCharacters = 256;

function shown(value: string): string {
  return value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value;
}

function listShown(value: readonly unknown[], secret: boolean): string {
  if (secret) return "'[***]'";
  const parts = value.slice(0, 10).map((part) => (typeof part === 'string' ? shown(part) : '…'));
  return `'[${parts.join(', ')}${value.length > 10 ? ', …' : ''}]'`;
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

/** The code of a failed validation where it is neither ValidationError (query) nor ValidationException (the others). */
const codes: Readonly<Record<string, { readonly missing: string; readonly constraint: string }>> = {
  logs: { missing: 'InvalidParameterException', constraint: 'InvalidParameterException' },
  lambda: { missing: 'InvalidParameterValueException', constraint: 'InvalidParameterValueException' },
  cloudwatch: { missing: 'MissingRequiredParameterException', constraint: 'InvalidParameterValueException' },
  sns: { missing: 'InvalidParameterException', constraint: 'InvalidParameterException' },
  sqs: { missing: 'MissingParameter', constraint: 'InvalidParameterValue' },
};

function validationFault(
  routed: RoutedOperation,
  violations: readonly Violation[],
  first: Violation,
): AwsFault {
  const { name } = routed.service.description;
  if (routed.protocol === 'restXml') return restXmlFault(routed, first);
  if (name === 'iam' && first.kind === 'name') {
    const message = `The specified value for ${first.path} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
    return new AwsFault('ValidationError', message, { status: 400 });
  }
  const general = routed.protocol === 'awsQuery' ? 'ValidationError' : 'ValidationException';
  const code = codes[name]?.[first.kind === 'missing' ? 'missing' : 'constraint'] ?? general;
  return new AwsFault(code, messageOf(name, violations, first), { status: 400 });
}

function messageOf(serviceName: string, violations: readonly Violation[], first: Violation): string {
  const member = first.path.slice(0, 1).toUpperCase() + first.path.slice(1);
  if (first.kind === 'missing') {
    if (serviceName === 'sqs') return `The request must contain the parameter ${member}.`;
    if (serviceName === 'cloudwatch') return `The parameter ${member} is required.`;
    if (serviceName === 'sns') return `Invalid parameter: ${member} Reason: no value for required parameter`;
  }
  // IAM tells the place and the rule, and repeats nothing of what was sent.
  const isShown = serviceName !== 'iam' || first.kind === 'missing';
  const all = violations
    .map(
      ({ path, value, rule }) =>
        `${`Value ${isShown ? value : ''}`.trim()} at '${path}' failed to satisfy constraint: ${rule}`,
    )
    .join('; ');
  return `${violations.length} validation error${violations.length === 1 ? '' : 's'} detected: ${all}`;
}

/** The name of a header or query parameter, by which S3 calls what it refuses. */
function placeName(member: Member | undefined): string | undefined {
  const place = member?.place;
  return place?.in === 'header' || place?.in === 'query' ? place.name : undefined;
}

const argumentValue = ({ value }: Violation) =>
  /^'.*'$/su.test(value) ? { ArgumentValue: value.slice(1, -1) } : {};

/** "Error responses" in the S3 API Reference: a body that lacks something does not fit the published schema. */
function restXmlFault(routed: RoutedOperation, first: Violation): AwsFault {
  const top = first.path.split('.')[0] ?? '';
  const member =
    routed.operation.input.kind === 'structure'
      ? routed.operation.input.members.find(({ name }) => lowerFirst(name) === top)
      : undefined;
  const inBody = member?.place.in === 'payload' || member?.place.in === 'body';
  if (inBody) {
    return new AwsFault(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema.',
      { status: 400 },
    );
  }
  const name = member?.name ?? top;
  return first.kind === 'missing'
    ? new AwsFault('InvalidRequest', `Missing required parameter: ${name}.`, { status: 400 })
    : new AwsFault('InvalidArgument', `The value of ${name} is not one that it takes.`, {
        status: 400,
        members: { ArgumentName: placeName(member) ?? name, ...argumentValue(first) },
      });
}
