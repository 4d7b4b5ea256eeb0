import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  accessDeniedMessage,
  contextKeysOf,
  evaluate,
  missingContextKeys,
  parsePolicy,
  principalsOf,
  type ApplicablePolicies,
  type AttachedPolicy,
  type EvaluationRequest,
  type Policy,
  type PolicyKind,
} from './index.ts';

function parsed(statements: readonly object[], kind: PolicyKind): Policy {
  const result = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), kind);
  if (result.kind === 'malformed') throw new Error(result.problems.map(({ detail }) => detail).join('; '));
  return result.policy;
}

function attached(statements: readonly object[], kind: PolicyKind, id: string = kind): AttachedPolicy {
  return { id, source: 'user-managed', policy: parsed(statements, kind) };
}

const account = '111122223333';
const user = { type: 'user', accountId: account, arn: `arn:aws:iam::${account}:user/jan` } as const;
const session = {
  type: 'roleSession',
  accountId: account,
  arn: `arn:aws:sts::${account}:assumed-role/app/s`,
  roleArn: `arn:aws:iam::${account}:role/app`,
} as const;

// A small world in which most policies say something about most requests.
const names = fc.constantFrom('a', 'b', '*', 'a*', '?');
const condition = fc.constantFrom(
  undefined,
  { Bool: { 'aws:SecureTransport': 'true' } },
  { StringNotEquals: { 'aws:username': 'jan' } },
  { StringEquals: { 'aws:TagKeys': 'x' } },
  { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['x', 'y'] } },
);
const body = fc.record({
  Effect: fc.constantFrom('Allow', 'Deny'),
  Action: names.map((name) => (name === '*' ? name : `app:${name}`)),
  Resource: names.map((name) => (name === '*' ? name : `arn:aws:app:::${name}`)),
  Condition: condition,
});
const principal = fc.constantFrom(
  '*',
  { AWS: account },
  { AWS: user.arn },
  { AWS: session.roleArn },
  { AWS: session.arn },
  { Service: 'sns.amazonaws.com' },
);
const statements = fc.array(body, { minLength: 1, maxLength: 3 });
const resourceStatements = fc.array(
  fc.tuple(body, principal).map(([one, Principal]) => ({ ...one, Principal })),
  { minLength: 1, maxLength: 3 },
);

const world = fc.record({
  identity: fc.array(statements, { maxLength: 2 }),
  boundary: fc.option(statements, { nil: undefined }),
  session: fc.array(statements, { maxLength: 2 }),
  resource: fc.option(resourceStatements, { nil: undefined }),
  required: fc.boolean(),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const request: fc.Arbitrary<EvaluationRequest> = fc.record({
  requester: fc.constantFrom(user, session, {
    type: 'root',
    accountId: account,
    arn: `arn:aws:iam::${account}:root`,
  } as const),
  action: fc.constantFrom('app:a', 'app:b', 'APP:A'),
  resource: fc.constantFrom('arn:aws:app:::a', 'arn:aws:app:::b', '*'),
  resourceAccountId: fc.constantFrom(account, '444455556666'),
  conditionKeys: fc.record({
    'aws:SecureTransport': fc.constantFrom(['true'], ['false']),
    'aws:username': fc.constantFrom([], ['jan'], ['bob']),
    'aws:TagKeys': fc.constantFrom([], ['x'], ['x', 'y'], ['z', 'x']),
  }),
});

function policiesOf({
  identity,
  boundary,
  session: sessions,
  resource,
  required,
}: World): ApplicablePolicies {
  return {
    identity: identity.map((one) => attached(one, 'identity')),
    ...(boundary && { boundary: attached(boundary, 'boundary') }),
    session: sessions.map((one) => attached(one, 'session')),
    ...(resource && { resource: attached(resource, 'resource') }),
    resourcePolicyRequired: required,
  };
}

const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
const nothing = { Effect: 'Deny', Action: '*', Resource: '*' };

/** The world with a statement more in each of its policies in turn, and in a new identity-based policy. */
function withOneMore(one: World, statement: object): readonly World[] {
  const add = (list: readonly object[]) => [...list, statement] as never;
  return [
    { ...one, identity: [...one.identity, [statement]] as never },
    ...one.identity.map((list, at) => ({ ...one, identity: one.identity.with(at, add(list)) })),
    ...one.session.map((list, at) => ({ ...one, session: one.session.with(at, add(list)) })),
    ...(one.boundary ? [{ ...one, boundary: add(one.boundary) }] : []),
    ...(one.resource
      ? [{ ...one, resource: [...one.resource, { ...statement, Principal: '*' }] as never }]
      : []),
  ];
}

test('a deny anywhere always wins', () => {
  fc.assert(
    fc.property(world, request, (one, question) => {
      for (const more of withOneMore(one, nothing)) {
        expect(evaluate(question, policiesOf(more)).decision).toBe('explicitDeny');
      }
    }),
  );
});

test('one more Allow never turns an allowed request into a denied one', () => {
  fc.assert(
    fc.property(world, request, body, (one, question, { Condition, ...rest }) => {
      if (evaluate(question, policiesOf(one)).decision !== 'allowed') return;
      for (const extra of [everything, { ...rest, Condition, Effect: 'Allow' }]) {
        for (const more of withOneMore(one, extra)) {
          expect(evaluate(question, policiesOf(more)).decision).toBe('allowed');
        }
      }
    }),
    { numRuns: 1000 },
  );
});

function allowsOf(list: readonly { readonly Effect: string }[]): readonly object[] {
  return list.filter(({ Effect }) => Effect === 'Allow');
}

test('taking any Deny away never turns an allowed request into a denied one', () => {
  fc.assert(
    fc.property(world, request, (one, question) => {
      if (evaluate(question, policiesOf(one)).decision !== 'allowed') return;
      // Policies need a statement: one that is about nothing stands in for those that were taken out.
      const filler = { Effect: 'Allow', Action: 'none:None', Resource: '*' };
      const identity = one.identity.map((list) => [...allowsOf(list), filler]) as never;
      expect(evaluate(question, policiesOf({ ...one, identity })).decision).toBe('allowed');
    }),
    { numRuns: 1000 },
  );
});

test('nobody but the root user is let in without an Allow', () => {
  fc.assert(
    fc.property(world, request, (one, question) => {
      const evaluation = evaluate(question, policiesOf(one));
      if (evaluation.decision !== 'allowed' || question.requester.type === 'root') return;
      const granting = evaluation.matched.filter(({ role }) => role === 'identity' || role === 'resource');
      expect(granting.map(({ statement }) => statement.effect)).toContain('Allow');
    }),
    { numRuns: 1000 },
  );
});

const question: EvaluationRequest = {
  requester: user,
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::b/k',
  conditionKeys: { 'aws:username': ['jan'] },
};

test('the statements that decided are named, with their place in the text', () => {
  const text = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    {"Sid": "B", "Effect": "Allow", "Action": "iam:*", "Resource": "*"}
  ]
}`;
  const result = parsePolicy(text, 'identity');
  const policy = result.kind === 'policy' ? result.policy : undefined;
  const source: AttachedPolicy = { id: 'p1', source: 'group', policy: policy! };
  const allowed = evaluate(question, { identity: [source] });
  expect(
    allowed.matched.map(({ policy: { id }, statement }) => [
      id,
      statement.sid,
      statement.start,
      statement.end,
    ]),
  ).toEqual([['p1', 'A', { line: 4, column: 5 }, { line: 4, column: 71 }]]);
  const denied = evaluate(question, { identity: [source, attached([nothing], 'identity', 'p2')] });
  expect(denied.matched.map(({ policy: { id } }) => id)).toEqual(['p2']);
});

test('whether the boundary allows is told apart from the decision', () => {
  const identity = [attached([everything], 'identity')];
  const boundary = (statement: object) => attached([statement], 'boundary');
  expect(evaluate(question, { identity }).allowedByBoundary).toBeUndefined();
  expect(evaluate(question, { identity, boundary: boundary(everything) }).allowedByBoundary).toBe(true);
  expect(evaluate(question, { identity, boundary: boundary(nothing) }).allowedByBoundary).toBe(false);
  expect(evaluate(question, { identity: [], boundary: boundary(everything) }).allowedByBoundary).toBe(true);
});

const denyEveryone = { ...nothing, Principal: '*' };
const trustNobody = [
  { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
];

test.each<[string, ApplicablePolicies, string]>([
  ['identity, implicit', { identity: [] }, 'because no identity-based policy allows the s3:GetObject action'],
  [
    'identity, explicit',
    { identity: [attached([nothing], 'identity')] },
    'with an explicit deny in an identity-based policy',
  ],
  [
    'boundary, implicit',
    {
      identity: [attached([everything], 'identity')],
      boundary: attached([{ ...everything, Action: 'iam:*' }], 'boundary'),
    },
    'because no permissions boundary allows the s3:GetObject action',
  ],
  [
    'boundary, explicit',
    { identity: [], boundary: attached([nothing], 'boundary') },
    'with an explicit deny in a permissions boundary',
  ],
  [
    'session, implicit',
    {
      identity: [attached([everything], 'identity')],
      session: [attached([{ ...everything, Action: 'iam:*' }], 'session')],
    },
    'because no session policy allows the s3:GetObject action',
  ],
  [
    'session, explicit',
    { identity: [], session: [attached([nothing], 'session')] },
    'with an explicit deny in a session policy',
  ],
  [
    'resource, implicit',
    { identity: [attached([everything], 'identity')], resourcePolicyRequired: true },
    'because no resource-based policy allows the s3:GetObject action',
  ],
  [
    'resource, explicit',
    { identity: [], resource: attached([denyEveryone], 'resource') },
    'with an explicit deny in a resource-based policy',
  ],
  [
    'trust, implicit',
    { identity: [attached([everything], 'identity')], resource: attached(trustNobody, 'trust') },
    'because no role trust policy allows the s3:GetObject action',
  ],
])('the message of AccessDenied: %s', (_, policies, reason) => {
  const evaluation = evaluate(question, policies);
  if (evaluation.decision === 'allowed') throw new Error('allowed');
  expect(accessDeniedMessage(question, evaluation)).toBe(
    `User: ${user.arn} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k ${reason}`,
  );
});

test('the message of AccessDenied: trust, explicit, and of a service', () => {
  const assume: EvaluationRequest = {
    requester: { type: 'service', name: 'sns.amazonaws.com' },
    action: 'sts:AssumeRole',
    resource: session.roleArn,
    conditionKeys: {},
  };
  const denial = [{ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }];
  const evaluation = evaluate(assume, { identity: [], resource: attached(denial, 'trust') });
  if (evaluation.decision === 'allowed') throw new Error('allowed');
  expect(accessDeniedMessage(assume, evaluation)).toBe(
    `User: sns.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: ${session.roleArn} with an explicit deny in the role trust policy`,
  );
});

test('the condition keys that policies ask for', () => {
  const policy = attached(
    [
      {
        ...everything,
        Resource: ['arn:aws:s3:::b/${aws:username}/*', 'arn:aws:s3:::b/${*}'],
        Condition: {
          StringLike: { 's3:prefix': "${aws:PrincipalTag/team, 'x'}/*", 'S3:Delimiter': '/' },
          Null: { 'aws:TokenIssueTime': 'true' },
          ArnLike: { 'aws:SourceArn': '${aws:PrincipalArn}' },
        },
      },
      { ...nothing, Condition: { StringNotEquals: { 'S3:PREFIX': 'y' } } },
    ],
    'identity',
  );
  expect(contextKeysOf(policy.policy)).toEqual([
    's3:prefix',
    'S3:Delimiter',
    'aws:TokenIssueTime',
    'aws:SourceArn',
    'aws:username',
    'aws:PrincipalTag/team',
    'aws:PrincipalArn',
  ]);
  const keys = { 'S3:Prefix': ['a'], 'aws:UserName': ['jan'], 'aws:SourceArn': [] };
  expect(missingContextKeys({ identity: [policy], boundary: policy }, keys)).toEqual([
    'S3:Delimiter',
    'aws:TokenIssueTime',
    'aws:SourceArn',
    'aws:PrincipalTag/team',
    'aws:PrincipalArn',
  ]);
});

test('the principals that a policy names', () => {
  const Principal = { AWS: ['*', account, user.arn, 'AIDAQ7EXAMPLEEXAMPLE1'], Service: 'SNS.amazonaws.com' };
  expect(principalsOf(parsed([{ ...everything, Principal }], 'resource'))).toEqual([
    { type: 'everyone' },
    { type: 'account', accountId: account },
    { type: 'arn', arn: user.arn },
    { type: 'uniqueId', id: 'AIDAQ7EXAMPLEEXAMPLE1' },
    { type: 'service', name: 'sns.amazonaws.com' },
  ]);
});
