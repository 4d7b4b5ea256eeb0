import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  deny,
  faultOf,
  management,
  openIdentityFixture,
  trust,
  type IdentityFixture,
} from '../../../test/identity-fixture.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const alice = `arn:aws:iam::${management}:user/alice`;
const simulate = (input: object) =>
  identity.call('SimulatePrincipalPolicy', {
    PolicySourceArn: alice,
    ActionNames: ['iam:GetUser'],
    ...input,
  });
const decisions = async (input: object) =>
  ((await simulate(input)).EvaluationResults as { EvalDecision: string }[]).map(
    (result) => result.EvalDecision,
  );

const code = async (input: object) => (await faultOf(simulate(input))).code;

describe('SimulatePrincipalPolicy', () => {
  it('answers each action on each resource as the real call would be answered', async () => {
    await identity.user('alice', allow('iam:*', `arn:aws:iam::${management}:user/a*`));
    const { EvaluationResults } = await simulate({
      ActionNames: ['iam:GetUser', 's3:GetObject'],
      ResourceArns: [alice, `arn:aws:iam::${management}:user/b`],
    });
    expect(
      EvaluationResults.map((result: Record<string, string>) => [
        result['EvalActionName'],
        result['EvalResourceName'],
        result['EvalDecision'],
      ]),
    ).toEqual([
      ['iam:GetUser', alice, 'allowed'],
      ['iam:GetUser', `arn:aws:iam::${management}:user/b`, 'implicitDeny'],
      ['s3:GetObject', alice, 'implicitDeny'],
      ['s3:GetObject', `arn:aws:iam::${management}:user/b`, 'implicitDeny'],
    ]);
    expect(EvaluationResults[0].MatchedStatements).toMatchObject([
      { SourcePolicyId: 'user_alice_p', SourcePolicyType: 'user', StartPosition: { Line: 1 } },
    ]);
  });

  it('takes ResourceOwner for the owner of those resources alone whose ARN names none', async () => {
    await identity.user('alice', allow('*'));
    const ResourceArns = ['arn:aws:s3:::bucket/object', `arn:aws:iam::${management}:user/b`];
    const ActionNames = ['x:Y'];
    expect(await decisions({ ActionNames, ResourceArns })).toEqual(['allowed', 'allowed']);
    const ResourceOwner = 'arn:aws:iam::210987654321:root';
    expect(await decisions({ ActionNames, ResourceArns, ResourceOwner })).toEqual([
      'implicitDeny',
      'allowed',
    ]);
  });

  it.each([
    ['AmazonS3ReadOnlyAccess', ['allowed', 'implicitDeny']],
    ['AmazonS3FullAccess', ['allowed', 'allowed']],
    ['AWSKeyManagementServicePowerUser', ['implicitDeny', 'implicitDeny']],
    ['AWSDenyAll', ['explicitDeny', 'explicitDeny']],
  ])('counts AWS’s own %s', async (name, expected) => {
    await identity.user('alice');
    const PolicyArn = `arn:aws:iam::aws:policy/${name}`;
    await identity.call('AttachUserPolicy', { UserName: 'alice', PolicyArn });
    expect(await decisions({ ActionNames: ['s3:GetObject', 's3:PutObject'] })).toEqual(expected);
  });

  it('counts group policies, given policies and the boundary', async () => {
    await identity.user('alice');
    expect(await decisions({})).toEqual(['implicitDeny']);
    await identity.call('CreateGroup', { GroupName: 'g' });
    await identity.call('AddUserToGroup', { GroupName: 'g', UserName: 'alice' });
    await identity.call('AttachGroupPolicy', {
      GroupName: 'g',
      PolicyArn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess',
    });
    expect(await decisions({})).toEqual(['allowed']);
    expect(await decisions({ PolicyInputList: [JSON.stringify(deny('iam:*'))] })).toEqual(['explicitDeny']);
    const boundary = { PermissionsBoundaryPolicyInputList: [JSON.stringify(allow('s3:*'))] };
    expect((await simulate(boundary)).EvaluationResults).toMatchObject([
      {
        EvalDecision: 'implicitDeny',
        PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
      },
    ]);
  });

  it('uses the context entries, and says which keys were missing', async () => {
    await identity.user('alice', {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: 'iam:GetUser',
        Resource: 'arn:aws:iam::*:user/${aws:username}',
        Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
      },
    });
    const input = { ResourceArns: [alice] };
    expect((await simulate(input)).EvaluationResults).toMatchObject([
      { EvalDecision: 'implicitDeny', MissingContextValues: [expect.stringMatching(/^aws:SourceIp$/i)] },
    ]);
    const entry = (value: string) => ({
      ...input,
      ContextEntries: [{ ContextKeyName: 'aws:SourceIp', ContextKeyType: 'ip', ContextKeyValues: [value] }],
    });
    expect(await decisions(entry('192.0.2.9'))).toEqual(['allowed']);
    expect(await decisions(entry('198.51.100.9'))).toEqual(['implicitDeny']);
    const keys = await identity.call('GetContextKeysForPrincipalPolicy', { PolicySourceArn: alice });
    expect(keys.ContextKeyNames.map((key: string) => key.toLowerCase())).toEqual([
      'aws:sourceip',
      'aws:username',
    ]);
  });

  it('works for groups and roles, and pages', async () => {
    await identity.call('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust(management) });
    await identity.call('PutRolePolicy', {
      RoleName: 'r',
      PolicyName: 'p',
      PolicyDocument: JSON.stringify(allow('a:*')),
    });
    const PolicySourceArn = `arn:aws:iam::${management}:role/r`;
    const ActionNames = ['a:One', 'b:Two', 'a:Three'];
    const first = await simulate({ PolicySourceArn, ActionNames, MaxItems: 2 });
    const second = await simulate({ PolicySourceArn, ActionNames, MaxItems: 2, Marker: first.Marker });
    const results = [...first.EvaluationResults, ...second.EvaluationResults] as { EvalDecision: string }[];
    expect(results.map((result) => result.EvalDecision)).toEqual(['allowed', 'implicitDeny', 'allowed']);
    expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false]);
  });

  it('refuses what it does not know', async () => {
    await identity.user('alice');
    expect(await code({ PolicySourceArn: `arn:aws:iam::${management}:user/nobody` })).toBe(
      'NoSuchEntityException',
    );
    expect(await code({ PolicySourceArn: 'arn:aws:iam::111111111111:user/alice' })).toBe('AccessDenied');
    expect(await code({ ResourceHandlingOption: 'EC2-VPC-InstanceStore' })).toBe('InvalidInputException');
    expect(await code({ ActionNames: ['iam:*'] })).toBe('InvalidInputException');
    expect(await code({ PolicyExclusionList: [{ PolicyArn: 'x' }] })).toBe('InvalidInputException');
    expect(await code({ OrderedOrganizationPolicyInputList: [{}] })).toBe('InvalidInputException');
    expect(await code({ PolicyInputList: ['{'] })).toBe('MalformedPolicyDocumentException');
  });
});

describe('SimulateCustomPolicy', () => {
  it('evaluates the given policies alone, with a resource policy in the name of a caller', async () => {
    const custom = async (input: object) =>
      (
        await identity.call('SimulateCustomPolicy', {
          PolicyInputList: [JSON.stringify(allow('s3:GetObject'))],
          ActionNames: ['s3:GetObject'],
          ...input,
        })
      ).EvaluationResults[0] as { EvalDecision: string };
    expect(await custom({})).toMatchObject({
      EvalDecision: 'allowed',
      MatchedStatements: [{ SourcePolicyId: 'PolicyInputList.1', SourcePolicyType: 'none' }],
    });
    const ResourcePolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Deny', Principal: { AWS: alice }, Action: 's3:*', Resource: '*' },
    });
    expect((await faultOf(custom({ ResourcePolicy }))).code).toBe('InvalidInputException');
    expect((await custom({ ResourcePolicy, CallerArn: alice })).EvalDecision).toBe('explicitDeny');
    const keys = await identity.call('GetContextKeysForCustomPolicy', {
      PolicyInputList: [JSON.stringify(allow('s3:*', 'arn:aws:s3:::${aws:username}/*'))],
    });
    expect(keys.ContextKeyNames).toEqual(['aws:username']);
  });

  it('answers large policies in short pages, and refuses larger ones', async () => {
    const statement = '{"Effect":"Allow","Action":"*","Resource":"*"}';
    const statements = Array.from({ length: 2_700 }, () => statement).join(',');
    const document = `{"Version":"2012-10-17","Statement":[${statements}]}`;
    const ActionNames = Array.from({ length: 1_000 }, (_, index) => `a:A${index}`);
    const ask = (documents: number, over: object = {}) =>
      identity.call('SimulateCustomPolicy', {
        PolicyInputList: Array.from({ length: documents }, () => document),
        ActionNames,
        MaxItems: 1_000,
        ...over,
      });
    const first = await ask(4);
    expect([first.EvaluationResults.length, first.IsTruncated]).toEqual([8, true]);
    const second = await ask(4, { Marker: first.Marker });
    expect(second.EvaluationResults[0].EvalActionName).toBe('a:A8');
    expect((await ask(4, { ResourceArns: ['a'.repeat(2_048)] })).EvaluationResults).toHaveLength(1);
    expect((await faultOf(ask(5))).code).toBe('InvalidInputException');
  });
});
