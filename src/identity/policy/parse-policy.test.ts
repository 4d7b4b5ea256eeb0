import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../kernel/index.ts';
import { evaluate, parsePolicy, type PolicyKind } from './index.ts';

const kinds: readonly PolicyKind[] = ['identity', 'boundary', 'session', 'resource', 'trust'];
const kind = fc.constantFrom(...kinds);

const words = [
  'Version', 'Id', 'Statement', 'Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource',
  'Condition', 'AWS', 'Service', 'Federated', 'StringEquals', 'ForAnyValue:ArnLikeIfExists', 'NumericLessThan', 'DateEquals', 'IpAddress', 'Bool',
  'Null', 'BinaryEquals', 'aws:username', 'aws:TagKeys', '2012-10-17', '2008-10-17', 'Allow', 'Deny', '*', 's3:*', 'sts:AssumeRole', 'arn:aws:s3:::b/*',
  'arn:aws:iam::123456789012:root', '123456789012', '${aws:username}', '${', '10.0.0.0/8', 'true', '1', '__proto__', 'constructor', '',
]; // prettier-ignore
const word = fc.constantFrom(...words);
const soup = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    word,
    fc.constantFrom(null, true, 7),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 5 }),
  ),
})).value;

const request = {
  requester: { type: 'user', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/u' },
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::b/k',
  conditionKeys: { 'aws:username': ['u'], 'aws:TagKeys': ['a', 'b'] },
} as const;

test('no document makes the parser or the evaluation fall over', () => {
  const statement = fc.dictionary(word, soup, { maxKeys: 6 });
  const document = fc.oneof(
    soup.map((value) => JSON.stringify(value)),
    fc.string({ maxLength: 60 }),
    fc
      .array(statement, { maxLength: 3 })
      .map((Statement) => JSON.stringify({ Version: '2012-10-17', Statement })),
  );
  fc.assert(
    fc.property(document, kind, (text, asKind) => {
      const result = parsePolicy(text, asKind);
      if (result.kind === 'malformed') {
        expect(result.problems.length).toBeGreaterThan(0);
        return;
      }
      const policy = { id: 'p', source: 'none', policy: result.policy } as const;
      evaluate(request, { identity: [], resource: policy });
      evaluate(request, { identity: [policy], session: [policy], boundary: policy });
    }),
    { numRuns: 5000 },
  );
});

const wellFormed = {
  Version: '2012-10-17',
  Id: 'x',
  Statement: [
    {
      Sid: 'A',
      Effect: 'Allow',
      Action: ['s3:Get*', 's3:PutObject'],
      Resource: 'arn:aws:s3:::b/${aws:username}/*',
      Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] }, Bool: { 'aws:SecureTransport': true } },
    },
  ],
};

test('one character more, less or other never makes a document into one that means more than it says', () => {
  const text = JSON.stringify(wellFormed);
  const anything = { ...request, action: 'iam:CreateUser', resource: '*' };
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.constantFrom('', '*', '"', '\\', '{', '}', 'x', '\u0000'),
      (at, char) => {
        const result = parsePolicy(text.slice(0, at) + char + text.slice(at + 1), 'identity');
        if (result.kind === 'malformed') return;
        const policy = { id: 'p', source: 'none', policy: result.policy } as const;
        expect(evaluate(anything, { identity: [policy] }).decision).toBe('implicitDeny');
      },
    ),
    { numRuns: 3000 },
  );
});

test('a document that is too long is refused before it is read', () => {
  const text = JSON.stringify(wellFormed);
  const padded = text + ' '.repeat(limits.policyDocumentCharacters - text.length);
  expect(parsePolicy(padded, 'identity').kind).toBe('policy');
  expect(parsePolicy(`${padded} `, 'identity').kind).toBe('malformed');
});

test('nesting beyond any policy is refused, however deep', () => {
  const deep = '['.repeat(60_000) + ']'.repeat(60_000);
  const result = parsePolicy(`{"Version":"2012-10-17","Statement":${deep}}`, 'identity');
  expect(result.kind === 'malformed' && result.problems[0]?.detail).toContain('too deep');
});

test('all problems are told, those first that IAM finds first', () => {
  const Statement = [
    { Sid: 'a b', Effect: 'Allow', Action: 'Get', Resource: 'bucket', Principal: '*' },
    { Effect: 'Maybe', Action: 's3:*' },
  ];
  const result = parsePolicy(JSON.stringify({ Statement }), 'identity');
  expect(result.kind === 'malformed' && result.problems.map(({ message }) => message)).toEqual([
    'Syntax errors in policy.',
    'Policy document must be version 2012-10-17 or greater.',
    'Policy document should not specify a principal.',
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    'Policy statement must contain resources.',
    'Resource bucket must be in ARN format or "*".',
    'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  ]);
});

test('what was parsed tells what was written', () => {
  const result = parsePolicy(JSON.stringify(wellFormed), 'identity');
  const policy = result.kind === 'policy' ? result.policy : undefined;
  expect(policy).toMatchObject({ kind: 'identity', version: '2012-10-17', id: 'x' });
  expect(policy?.statements[0]?.actions.patterns.map(({ source }) => source)).toEqual([
    's3:Get*',
    's3:PutObject',
  ]);
});
