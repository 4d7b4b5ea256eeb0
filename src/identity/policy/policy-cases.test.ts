import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  evaluate,
  parsePolicy,
  type ApplicablePolicies,
  type AttachedPolicy,
  type ConditionKeys,
  type Evaluation,
  type EvaluationRequest,
  type Policy,
  type PolicyKind,
  type Requester,
} from './index.ts';

interface CaseFile {
  readonly groups: readonly {
    readonly source: string;
    readonly cases: readonly { readonly name?: string }[];
  }[];
}

type Titled<T> = readonly (readonly [title: string, T])[];

/** The cases of a file, each under its documentation page and its name. */
function casesOf(name: string): Titled<unknown> {
  const file = JSON.parse(readFileSync(new URL(`cases/${name}`, import.meta.url), 'utf8')) as CaseFile;
  return file.groups.flatMap(({ source, cases }) =>
    cases.map((one) => [`${source}: ${one.name ?? JSON.stringify(one)}`, one] as const),
  );
}

function parsed(document: unknown, kind: PolicyKind): Policy {
  const result = parsePolicy(JSON.stringify(document), kind);
  if (result.kind === 'malformed') throw new Error(result.problems.map(({ detail }) => detail).join('; '));
  return result.policy;
}

function attached(document: unknown, kind: PolicyKind): AttachedPolicy {
  return { id: kind, source: kind === 'identity' ? 'user' : 'none', policy: parsed(document, kind) };
}

const account = '111122223333';
const someone: Requester = { type: 'user', accountId: account, arn: `arn:aws:iam::${account}:user/someone` };

/** The decision on a request of the own account, by one statement of a resource-based policy that names everyone. */
function decide(
  statement: object,
  request: Partial<EvaluationRequest>,
  version = '2012-10-17',
): Evaluation['decision'] {
  const document = {
    Version: version,
    Statement: [{ Principal: '*', Action: '*', Resource: '*', ...statement }],
  };
  const question = { requester: someone, action: 'app:Act', resource: '*', conditionKeys: {}, ...request };
  return evaluate(
    { ...question, resourceAccountId: account },
    { identity: [], resource: attached(document, 'resource') },
  ).decision;
}

interface ConditionCase {
  readonly condition: object;
  readonly keys: ConditionKeys;
  readonly holds: boolean | 'unclear';
}

test.each(casesOf('conditions.json') as Titled<ConditionCase>)('%s', (_, { condition, keys, holds }) => {
  const [allow, deny] = (['Allow', 'Deny'] as const).map((Effect) =>
    decide({ Effect, Condition: condition }, { conditionKeys: keys }),
  );
  expect(allow).toBe(holds === true ? 'allowed' : 'implicitDeny');
  expect(deny).toBe(holds === false ? 'implicitDeny' : 'explicitDeny');
});

interface ResourceCase {
  readonly pattern: string;
  readonly resource: string;
  readonly covered: boolean;
  readonly keys?: ConditionKeys;
  readonly version?: string;
}

test.each(casesOf('resources.json') as Titled<ResourceCase>)(
  '%s',
  (_, { pattern, resource, covered, keys = {}, version }) => {
    const request = { resource, conditionKeys: keys };
    const plain = decide({ Effect: 'Allow', Resource: pattern }, request, version);
    const negated = decide({ Effect: 'Allow', Resource: undefined, NotResource: pattern }, request, version);
    expect([plain, negated]).toEqual(covered ? ['allowed', 'implicitDeny'] : ['implicitDeny', 'allowed']);
  },
);

interface ActionCase {
  readonly pattern: string;
  readonly action: string;
  readonly covered: boolean;
}

test.each(casesOf('actions.json') as Titled<ActionCase>)('%s', (_, { pattern, action, covered }) => {
  const plain = decide({ Effect: 'Allow', Action: pattern }, { action });
  const negated = decide({ Effect: 'Allow', Action: undefined, NotAction: pattern }, { action });
  expect([plain, negated]).toEqual(covered ? ['allowed', 'implicitDeny'] : ['implicitDeny', 'allowed']);
});

interface DocumentCase {
  readonly kind: PolicyKind;
  readonly document?: object;
  readonly text?: string;
  readonly message?: string;
}

test.each(casesOf('malformed.json') as Titled<DocumentCase>)('%s', (_, { kind, document, text, message }) => {
  const result = parsePolicy(text ?? JSON.stringify(document), kind);
  expect(result.kind === 'malformed' && result.problems[0]?.message).toBe(message);
});

test.each(casesOf('well-formed.json') as Titled<DocumentCase>)('%s', (_, { kind, document, text }) => {
  const result = parsePolicy(text ?? JSON.stringify(document), kind);
  expect(result.kind === 'policy' ? [] : result.problems).toEqual([]);
});

interface DecisionCase extends Pick<
  EvaluationRequest,
  'requester' | 'action' | 'resource' | 'resourceAccountId'
> {
  readonly keys?: ConditionKeys;
  readonly policies: {
    readonly identity: readonly object[];
    readonly boundary?: object;
    readonly session?: readonly object[];
    readonly resource_policy?: object;
    readonly trust?: object;
    readonly required?: boolean;
  };
  readonly decision: Evaluation['decision'];
  readonly because?: string;
}

function applicable(policies: DecisionCase['policies']): ApplicablePolicies {
  const { identity, boundary, session, resource_policy: resource, trust, required } = policies;
  return {
    identity: identity.map((document) => attached(document, 'identity')),
    ...(boundary && { boundary: attached(boundary, 'boundary') }),
    ...(session && { session: session.map((document) => attached(document, 'session')) }),
    ...(resource && { resource: attached(resource, 'resource') }),
    ...(trust && { resource: attached(trust, 'trust') }),
    ...(required !== undefined && { resourcePolicyRequired: required }),
  };
}

test.each(casesOf('decisions.json') as Titled<DecisionCase>)(
  '%s',
  (_, { keys = {}, policies, decision, because, ...request }) => {
    const evaluation = evaluate({ ...request, conditionKeys: keys }, applicable(policies));
    expect(evaluation.decision).toBe(decision);
    expect(evaluation.decision === 'allowed' ? undefined : evaluation.because).toBe(because);
    const effects = new Set(evaluation.matched.map(({ statement }) => statement.effect));
    expect(effects.has('Deny')).toBe(decision === 'explicitDeny');
  },
);
