import type { JsonNode, JsonObject } from './json-text.ts';
import { parseActions } from './parse-action.ts';
import { parseConditions } from './parse-condition.ts';
import { parsePrincipals } from './parse-principal.ts';
import { parseResources } from './parse-resource.ts';
import type { PolicyKind, PolicyPrincipal, Statement } from './policy-types.ts';
import { parseProblem, syntaxProblem, type Rank, type Report } from './problems.ts';

/** What a statement is read with. */
export interface StatementReading {
  readonly kind: PolicyKind;
  /** Whether the document's version has policy variables. */
  readonly variables: boolean;
  readonly report: Report;
}

const elements = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

function refuse(report: Report, rank: Rank, message: string, detail: string): void {
  report({ rank, message, detail });
}

function hasPrincipal(kind: PolicyKind): boolean {
  return kind === 'resource' || kind === 'trust';
}

function readSid(node: JsonNode | undefined, { kind, report }: StatementReading): string | undefined {
  if (!node) return undefined;
  if (node.kind !== 'string') {
    report(syntaxProblem('Sid takes a string'));
    return undefined;
  }
  // Services with policies of their own allow more, such as spaces.
  if (kind !== 'resource' && !/^[0-9A-Za-z]*$/.test(node.text)) {
    const message =
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*';
    refuse(report, 'sid', message, `the Sid "${node.text}"`);
  }
  return node.text;
}

function readEffect(node: JsonNode | undefined, { kind, report }: StatementReading): 'Allow' | 'Deny' {
  if (!node) {
    if (kind === 'trust')
      refuse(report, 'legacy', 'Missing required field Effect', 'a statement without Effect');
    else report(syntaxProblem('a statement without Effect'));
    return 'Deny';
  }
  const text = node.kind === 'string' ? node.text : '';
  if (text === 'Allow' || text === 'Deny') return text;
  // Of a wrong case IAM's first reader takes no notice; its second one does.
  const detail = 'Effect takes Allow or Deny';
  report(/^(?:allow|deny)$/i.test(text) ? parseProblem(detail) : syntaxProblem(detail));
  return 'Deny';
}

/** Of two elements that exclude one another, the one that is there. */
function readEither(
  members: ReadonlyMap<string, JsonNode>,
  name: 'Principal' | 'Action' | 'Resource',
  report: Report,
): { readonly node: JsonNode; readonly negated: boolean } | undefined {
  const plain = members.get(name);
  const not = members.get(`Not${name}`);
  if (plain && not) report(syntaxProblem(`${name} and Not${name} in one statement`));
  if (plain) return { node: plain, negated: false };
  return not && { node: not, negated: true };
}

function refuseNotPrincipal(effect: 'Allow' | 'Deny', { kind, report }: StatementReading): void {
  if (kind === 'trust') {
    const message = 'AssumeRole policy must not contain NotPrincipal field.';
    refuse(report, 'principal', message, 'a role trust policy with NotPrincipal');
  } else if (effect === 'Allow') {
    const message = 'Allow with NotPrincipal is not allowed.';
    refuse(report, 'principal', message, 'NotPrincipal goes with Deny alone');
  }
}

function readPrincipals(
  members: ReadonlyMap<string, JsonNode>,
  effect: 'Allow' | 'Deny',
  reading: StatementReading,
): Statement['principals'] {
  const { kind, report } = reading;
  const either = readEither(members, 'Principal', report);
  if (!hasPrincipal(kind)) {
    const message = 'Policy document should not specify a principal.';
    if (either)
      refuse(report, 'principal', message, `a policy of kind ${kind} speaks of whom it is attached to`);
    return undefined;
  }
  if (!either) {
    refuse(report, 'principal', 'Missing required field Principal', 'a statement that speaks of nobody');
    return undefined;
  }
  if (either.negated) refuseNotPrincipal(effect, reading);
  const named: readonly PolicyPrincipal[] = parsePrincipals(either.node, kind, report);
  return { negated: either.negated, named };
}

function readActions(
  members: ReadonlyMap<string, JsonNode>,
  { kind, report }: StatementReading,
): Statement['actions'] {
  const either = readEither(members, 'Action', report);
  if (!either) {
    const message =
      kind === 'trust' ? 'Missing required field Action' : 'Policy statement must contain actions.';
    refuse(report, 'actions', message, 'a statement without Action or NotAction');
    return { negated: false, patterns: [] };
  }
  const patterns = parseActions(either.node, report);
  if (kind === 'trust' && !patterns.every(({ source }) => /^sts:/i.test(source))) {
    const message = 'AssumeRole policy may only specify STS AssumeRole actions.';
    refuse(report, 'actions', message, 'a role trust policy with an action of another service');
  }
  return { negated: either.negated, patterns };
}

function readResources(
  members: ReadonlyMap<string, JsonNode>,
  { kind, variables, report }: StatementReading,
): Statement['resources'] {
  const either = readEither(members, 'Resource', report);
  if (kind === 'trust') {
    const message = either?.negated
      ? 'AssumeRole policy must not contain resources.'
      : 'Has prohibited field Resource';
    if (either) refuse(report, 'resources', message, 'a role trust policy speaks of its role alone');
    return undefined;
  }
  if (either) return { negated: either.negated, patterns: parseResources(either.node, variables, report) };
  // A resource's own policy may leave out which resource it speaks of (repositories of Amazon ECR, for one).
  if (kind !== 'resource') {
    const message = 'Policy statement must contain resources.';
    refuse(report, 'resources', message, 'a statement without Resource or NotResource');
  }
  return undefined;
}

/** Reads one statement; what is wrong with it is reported, and the statement is then not to be used. */
export function parseStatement(
  node: JsonObject,
  reading: StatementReading,
): Omit<Statement, 'start' | 'end'> {
  const { report, variables } = reading;
  for (const name of node.members.keys()) {
    if (!elements.has(name)) report(syntaxProblem(`a statement has no element "${name}"`));
  }
  const effect = readEffect(node.members.get('Effect'), reading);
  const condition = node.members.get('Condition');
  return {
    sid: readSid(node.members.get('Sid'), reading),
    effect,
    principals: readPrincipals(node.members, effect, reading),
    actions: readActions(node.members, reading),
    resources: readResources(node.members, reading),
    conditions: condition ? parseConditions(condition, variables, report) : [],
  };
}
