import { expect, test } from 'vitest';
import { accountId, region } from '../../kernel/index.ts';
import type { Call, Principal, Session } from '../../wire/index.ts';
import { globalConditionKeys, requesterOf } from './index.ts';

const account = accountId('111122223333');
const time = Date.parse('2026-11-22T10:15:30.250Z');

const root: Principal = {
  type: 'Root',
  accountId: account,
  arn: `arn:aws:iam::${account}:root`,
  accessKeyId: 'AKIAROOT',
};
const user: Principal = {
  type: 'IAMUser',
  accountId: account,
  arn: `arn:aws:iam::${account}:user/team/jan`,
  principalId: 'AIDAJAN',
  userName: 'jan',
  accessKeyId: 'AKIAJAN',
};
const session: Session = { issuedAt: time - 90_500, expiresAt: time + 1000, mfaAuthenticated: false };
const role: Principal = {
  type: 'AssumedRole',
  accountId: account,
  arn: `arn:aws:sts::${account}:assumed-role/app/s1`,
  principalId: 'AROAAPP:s1',
  accessKeyId: 'ASIAAPP',
  role: { arn: `arn:aws:iam::${account}:role/team/app`, principalId: 'AROAAPP', name: 'app' },
  session,
};

function callOf(principal: Principal, more: Partial<Call> = {}): Call {
  return {
    principal,
    accountId: account,
    region: region('eu-central-1'),
    time,
    requestId: 'r',
    sourceIp: '203.0.113.9',
    userAgent: 'aws-cli/2',
    tls: undefined,
    host: 'localhost',
    ...more,
  };
}

const always = {
  'aws:CurrentTime': ['2026-11-22T10:15:30Z'],
  'aws:EpochTime': ['1795342530'],
  'aws:PrincipalAccount': [account],
  'aws:PrincipalIsAWSService': ['false'],
  'aws:RequestedRegion': ['eu-central-1'],
  'aws:SecureTransport': ['false'],
  'aws:SourceIp': ['203.0.113.9'],
  'aws:UserAgent': ['aws-cli/2'],
  'aws:ViaAWSService': ['false'],
};

test('the root user', () => {
  expect(globalConditionKeys(callOf(root))).toEqual({
    ...always,
    'aws:PrincipalArn': [root.arn],
    'aws:PrincipalType': ['Account'],
    'aws:userid': [account],
  });
});

test('a user with an access key has none of the keys of temporary credentials', () => {
  expect(globalConditionKeys(callOf(user))).toEqual({
    ...always,
    'aws:PrincipalArn': [user.arn],
    'aws:PrincipalType': ['User'],
    'aws:userid': ['AIDAJAN'],
    'aws:username': ['jan'],
  });
});

test('a session of a role goes by the ARN of its role and has no user name', () => {
  expect(globalConditionKeys(callOf(role))).toEqual({
    ...always,
    'aws:MultiFactorAuthPresent': ['false'],
    'aws:PrincipalArn': [role.role.arn],
    'aws:PrincipalType': ['AssumedRole'],
    'aws:TokenIssueTime': ['2026-11-22T10:13:59Z'],
    'aws:userid': ['AROAAPP:s1'],
  });
});

test('MFA, source identity and TLS', () => {
  const withMfa = { ...session, mfaAuthenticated: true, sourceIdentity: 'jan@example.com' };
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
  expect(globalConditionKeys(callOf({ ...user, session: withMfa }, { tls }))).toMatchObject({
    'aws:MultiFactorAuthAge': ['90'],
    'aws:MultiFactorAuthPresent': ['true'],
    'aws:SecureTransport': ['true'],
    'aws:SourceIdentity': ['jan@example.com'],
  });
});

test('session tags take the place of tags of the role, whatever their case', () => {
  const tagged = { ...role, session: { ...session, tags: { Team: 'red' } } };
  const keys = globalConditionKeys(callOf(tagged), { principalTags: { team: 'blue', cost: '7' } });
  expect(Object.entries(keys).filter(([key]) => key.startsWith('aws:PrincipalTag'))).toEqual([
    ['aws:PrincipalTag/cost', ['7']],
    ['aws:PrincipalTag/Team', ['red']],
  ]);
});

test('tags of request and resource, and whose the resource is', () => {
  const facts = {
    requestTags: { env: 'prod', owner: '' },
    tagKeys: ['env', 'old'],
    resourceTags: { team: 'red' },
    resourceAccountId: '444455556666',
  };
  expect(globalConditionKeys(callOf(user), facts)).toMatchObject({
    'aws:RequestTag/env': ['prod'],
    'aws:RequestTag/owner': [''],
    'aws:ResourceAccount': ['444455556666'],
    'aws:ResourceTag/team': ['red'],
    'aws:TagKeys': ['env', 'owner', 'old'],
  });
});

test('the referer, where a browser names one', () => {
  const keys = globalConditionKeys(callOf(root, { referer: 'https://example.com/a' }));
  expect(keys['aws:Referer']).toEqual(['https://example.com/a']);
  expect(globalConditionKeys(callOf(root))).not.toHaveProperty(['aws:Referer']);
});

test('requesters', () => {
  expect([root, user, role].map(requesterOf)).toEqual([
    { type: 'root', accountId: account, arn: root.arn },
    { type: 'user', accountId: account, arn: user.arn, uniqueId: 'AIDAJAN' },
    {
      type: 'roleSession',
      accountId: account,
      arn: role.arn,
      roleArn: role.role.arn,
      roleUniqueId: 'AROAAPP',
    },
  ]);
});
