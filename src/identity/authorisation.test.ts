import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId } from '../kernel/index.ts';
import type { Need } from '../wire/index.ts';
import {
  allow,
  deny,
  faultOf,
  management,
  openIdentityFixture,
  type IdentityFixture,
} from '../../test/identity-fixture.ts';
import { openAuthorisation } from './authorisation.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const statement = (Action: string, rest: object) => ({ Effect: 'Allow', Action, ...rest });

const saying = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });

const attach = (name: string) => ({ UserName: 'y', PolicyArn: `arn:aws:iam::aws:policy/${name}` });

const policy = (account: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 's3:GetObject', Resource: '*' },
  });
const need = { action: 's3:GetObject', resource: `arn:aws:s3:eu-central-1:${management}:x` };

describe('authorisation', () => {
  it('denies by default, and says what is missing', async () => {
    const alice = await identity.user('alice');
    expect(await faultOf(identity.call('GetUser', { UserName: 'bob' }, alice))).toEqual({
      code: 'AccessDenied',
      message: `User: arn:aws:iam::${management}:user/alice is not authorized to perform: iam:GetUser on resource: arn:aws:iam::${management}:user/bob because no identity-based policy allows the iam:GetUser action`,
    });
    await identity.call('GetCallerIdentity', {}, alice);
  });

  it('lets an explicit deny win, except over GetCallerIdentity', async () => {
    const alice = await identity.user('alice', allow('*'));
    const PolicyDocument = JSON.stringify(deny('*'));
    await identity.call('PutUserPolicy', { UserName: 'alice', PolicyName: 'deny', PolicyDocument });
    const fault = await faultOf(identity.call('ListUsers', {}, alice));
    expect(fault.message).toContain('with an explicit deny in an identity-based policy');
    await identity.call('GetCallerIdentity', {}, alice);
  });

  it('counts inline, managed and group policies, each from the very next call and until the very last', async () => {
    const alice = await identity.user('alice');
    const mayList = async () => {
      const call = identity.call('ListUsers', {}, alice);
      return call.then(
        () => true,
        (error: { code: string }) => {
          expect(error.code).toBe('AccessDenied');
          return false;
        },
      );
    };
    const PolicyDocument = JSON.stringify(allow('iam:ListUsers'));
    expect(await mayList()).toBe(false);

    await identity.call('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument });
    expect(await mayList()).toBe(true);
    await identity.call('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' });
    expect(await mayList()).toBe(false);

    const { Policy } = await identity.call('CreatePolicy', { PolicyName: 'list', PolicyDocument });
    const PolicyArn = Policy.Arn as string;
    await identity.call('AttachUserPolicy', { UserName: 'alice', PolicyArn });
    expect(await mayList()).toBe(true);
    const version = { PolicyArn, PolicyDocument: JSON.stringify(allow('s3:*')), SetAsDefault: true };
    await identity.call('CreatePolicyVersion', version);
    expect(await mayList()).toBe(false);
    await identity.call('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' });
    expect(await mayList()).toBe(true);
    await identity.call('DetachUserPolicy', { UserName: 'alice', PolicyArn });
    expect(await mayList()).toBe(false);

    await identity.call('CreateGroup', { GroupName: 'staff' });
    await identity.call('AttachGroupPolicy', { GroupName: 'staff', PolicyArn });
    expect(await mayList()).toBe(false);
    await identity.call('AddUserToGroup', { GroupName: 'staff', UserName: 'alice' });
    expect(await mayList()).toBe(true);
    await identity.call('RemoveUserFromGroup', { GroupName: 'staff', UserName: 'alice' });
    expect(await mayList()).toBe(false);

    await identity.call('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument });
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/CloudWatchLogsFullAccess';
    await identity.call('PutUserPermissionsBoundary', { UserName: 'alice', PermissionsBoundary });
    expect(await mayList()).toBe(false);
    await identity.call('DeleteUserPermissionsBoundary', { UserName: 'alice' });
    expect(await mayList()).toBe(true);
  });

  it('names the boundary when that is what is missing', async () => {
    const alice = await identity.user('alice', allow('*'));
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/CloudWatchLogsFullAccess';
    await identity.call('PutUserPermissionsBoundary', { UserName: 'alice', PermissionsBoundary });
    const { message } = await faultOf(identity.call('ListUsers', {}, alice));
    expect(message).toContain('because no permissions boundary allows the iam:ListUsers action');
  });

  it('knows the path, the tags and the condition keys of what is acted on', async () => {
    await identity.call('CreateUser', {
      UserName: 'x',
      Path: '/team/',
      Tags: [{ Key: 'Stage', Value: 'dev' }],
    });
    await identity.call('CreateUser', { UserName: 'y', Path: '/team/' });
    const everything = { Resource: '*' };
    const alice = await identity.user('alice', {
      Version: '2012-10-17',
      Statement: [
        statement('iam:GetUser', { Resource: `arn:aws:iam::${management}:user/team/*` }),
        statement('iam:DeleteUser', {
          ...everything,
          Condition: { StringEquals: { 'aws:ResourceTag/Stage': 'dev' } },
        }),
        statement('iam:TagUser', {
          ...everything,
          Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['Stage'] } },
        }),
        statement('iam:AttachUserPolicy', {
          ...everything,
          Condition: { ArnEquals: { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/SecurityAudit' } },
        }),
        statement('iam:CreateUser', {
          ...everything,
          Condition: {
            StringEquals: { 'iam:PermissionsBoundary': 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
          },
        }),
      ],
    });
    const denied = async (operation: string, input: object) =>
      expect((await faultOf(identity.call(operation, input, alice))).code).toBe('AccessDenied');
    await identity.call('GetUser', { UserName: 'x' }, alice);
    await denied('GetUser', { UserName: 'alice' });
    await identity.call('TagUser', { UserName: 'y', Tags: [{ Key: 'Stage', Value: 'x' }] }, alice);
    await denied('TagUser', { UserName: 'y', Tags: [{ Key: 'Other', Value: 'x' }] });
    await denied('DeleteUser', { UserName: 'y' });
    await identity.call('DeleteUser', { UserName: 'x' }, alice);
    await identity.call('AttachUserPolicy', attach('SecurityAudit'), alice);
    await denied('AttachUserPolicy', attach('AdministratorAccess'));
    await denied('CreateUser', { UserName: 'z' });
    const bounded = { UserName: 'z', PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess' };
    await identity.call('CreateUser', bounded, alice);
    await denied('CreateUser', { ...bounded, UserName: 'zz', Tags: [{ Key: 'Other', Value: 'x' }] });
  });

  it('asks for both names when a user is renamed', async () => {
    const alice = await identity.user('alice', allow('iam:UpdateUser', `arn:aws:iam::${management}:user/a*`));
    await identity.call('CreateUser', { UserName: 'a1' });
    const fault = await faultOf(identity.call('UpdateUser', { UserName: 'a1', NewUserName: 'b1' }, alice));
    expect(fault.message).toContain(`arn:aws:iam::${management}:user/b1`);
    await identity.call('UpdateUser', { UserName: 'a1', NewUserName: 'a2' }, alice);
  });

  it('fills in policy variables of the caller', async () => {
    const own = `arn:aws:iam::${management}:user/\${aws:username}`;
    const alice = await identity.user('alice', allow('iam:GetUser', own));
    await identity.call('GetUser', { UserName: 'alice' }, alice);
    expect((await faultOf(identity.call('GetUser', { UserName: 'bob' }, alice))).code).toBe('AccessDenied');
  });

  it('gives nothing to a user that takes the name of a deleted one', async () => {
    const alice = await identity.user('alice', allow('*'));
    const { principal } = await identity.findCredential(alice.accessKeyId, undefined);
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: alice.accessKeyId });
    await identity.call('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' });
    await identity.call('DeleteUser', { UserName: 'alice' });
    const again = await identity.user('alice', allow('iam:GetUser'));
    await identity.call('GetUser', {}, again);
    const call = { ...(await identity.callOf(again)), principal };
    const needs = [{ action: 'iam:GetUser', resource: '*' }];
    expect((await faultOf(identity.authorise(call, needs))).code).toBe('AccessDenied');
  });

  it('asks the policy of a resource in another account as well as that of the caller', async () => {
    const other = await identity.account(accountId('111111111111'));
    const alice = await identity.user('alice', allow('s3:GetObject'), other);
    const call = await identity.callOf(alice);
    expect((await faultOf(identity.authorise(call, [need]))).code).toBe('AccessDenied');
    const denied = { ...need, resourcePolicy: policy('222222222222') };
    expect((await faultOf(identity.authorise(call, [denied]))).message).toContain('no resource-based policy');
    await identity.authorise(call, [{ ...need, resourcePolicy: policy('111111111111') }]);
  });

  // "AWS global condition context keys", aws:RequestedRegion: IAM calls are always made to us-east-1. The calls here are
  // signed for eu-central-1.
  it.each([
    ['iam:ListUsers', '*', 'us-east-1'],
    ['kms:ListKeys', '*', 'eu-central-1'],
  ])('knows the region of %s', async (action, resource, requested) => {
    const Condition = { StringEquals: { 'aws:RequestedRegion': requested } };
    const there = statement('*', { Resource: '*', Condition });
    const elsewhere = { ...there, Condition: { StringNotEquals: Condition.StringEquals } };
    const near = await identity.callOf(await identity.user('near', saying(there)));
    await identity.authorise(near, [{ action, resource }]);
    const far = await identity.callOf(await identity.user('far', saying(elsewhere)));
    expect((await faultOf(identity.authorise(far, [{ action, resource }]))).code).toBe('AccessDenied');
  });

  // The API reference of GetSessionToken speaks of calls to IAM; passing a role is a permission that other calls need.
  it('lets credentials of GetSessionToken pass roles, and not call IAM', async () => {
    const { principal, ...call } = await identity.callOf(await identity.user('alice', allow('*')));
    if (principal.type !== 'IAMUser') throw new Error('alice is a user');
    const session = { issuedAt: call.time, expiresAt: call.time + 1000, mfaAuthenticated: false };
    const asked = { ...call, principal: { ...principal, session } };
    const passing = { action: 'iam:PassRole', resource: `arn:aws:iam::${management}:role/a` };
    await identity.authorise(asked, [{ action: 'cloudtrail:StartImport', resource: '*' }, passing]);
    expect((await faultOf(identity.authorise(asked, [passing]))).code).toBe('InvalidClientTokenId');
  });

  // aws:ResourceAccount is there for every action; the perimeter denies what is not of this account.
  it.each([
    ['a resource of the account', `arn:aws:iam::${management}:user/a`, undefined, true],
    ['no resource', '*', undefined, true],
    ["one of AWS's own", 'arn:aws:iam::aws:policy/ReadOnlyAccess', undefined, true],
    ['a resource of another account', 'arn:aws:iam::111111111111:role/a', undefined, false],
    ['a resource that the service knows the owner of', 'arn:aws:s3:::b', '111111111111', false],
  ])('knows whose %s is', async (_, resource, resourceAccountId, isInside) => {
    const Condition = { StringNotEquals: { 'aws:ResourceAccount': management } };
    const perimeter = { Effect: 'Deny', Action: '*', Resource: '*', Condition };
    const everything = statement('*', { Resource: '*' });
    const alice = await identity.user('alice', saying(everything, perimeter));
    const asked = identity.authorise(await identity.callOf(alice), [
      { action: 'x:Y', resource, ...(resourceAccountId === undefined ? {} : { resourceAccountId }) },
    ]);
    if (isInside) await asked;
    else expect((await faultOf(asked)).message).toContain('explicit deny in an identity-based policy');
  });
});

const lastUsed = async (accessKeyId: string) =>
  (await identity.call('GetAccessKeyLastUsed', { AccessKeyId: accessKeyId })).AccessKeyLastUsed as object;
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('last use', () => {
  it('of a key is written a moment later, at most once a minute, without holding up anybody', async () => {
    const alice = await identity.user('alice');
    expect(await lastUsed(alice.accessKeyId)).toEqual({ ServiceName: 'N/A', Region: 'N/A' });
    const first = new Date(identity.clock.now());
    await faultOf(identity.call('ListUsers', {}, alice));
    expect(await lastUsed(alice.accessKeyId)).toEqual({ ServiceName: 'N/A', Region: 'N/A' });
    await identity.clock.advance(1000);
    await settle();
    expect(await lastUsed(alice.accessKeyId)).toEqual({
      ServiceName: 'iam',
      // Calls to IAM are made there, whatever region signs them.
      Region: 'us-east-1',
      LastUsedDate: first,
    });
    await identity.call('GetCallerIdentity', {}, alice);
    await identity.clock.advance(30_000);
    await settle();
    expect(await lastUsed(alice.accessKeyId)).toMatchObject({ LastUsedDate: first });
    await identity.clock.advance(31_000);
    await settle();
    expect(await lastUsed(alice.accessKeyId)).toMatchObject({ ServiceName: 'sts' });
  });

  it('leaves nothing behind of a key that is deleted meanwhile', async () => {
    const alice = await identity.user('alice');
    await faultOf(identity.call('ListUsers', {}, alice));
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: alice.accessKeyId });
    await identity.clock.advance(2000);
    await identity.lastUsed[Symbol.asyncDispose]();
    const keys = (await identity.state.list('iam/last-used/')).map(({ key }) => key);
    expect(keys).toEqual([`iam/last-used/${identity.root.accessKeyId}`]);
  });
});

/** A role that EventBridge may assume, unless `trusted` says otherwise; its ARN. */
async function role(name: string, trusted: object, allowed: unknown, path = '/'): Promise<string> {
  const trust = saying(
    statement('sts:AssumeRole', { Principal: { Service: 'events.amazonaws.com' }, ...trusted }),
  );
  const { Role } = await identity.call('CreateRole', {
    RoleName: name,
    Path: path,
    AssumeRolePolicyDocument: JSON.stringify(trust),
  });
  const document = { RoleName: name, PolicyName: 'p', PolicyDocument: JSON.stringify(allowed) };
  await identity.call('PutRolePolicy', document);
  return Role.Arn as string;
}

const forRule = (SourceArn: string) => ({ Condition: { ArnEquals: { 'aws:SourceArn': SourceArn } } });
const lets = (AWS: string) =>
  JSON.stringify(saying(statement('events:PutEvents', { Principal: { AWS }, Resource: '*' })));

describe('a service that acts with a role', () => {
  const put = {
    action: 'events:PutEvents',
    resource: `arn:aws:events:eu-central-1:${management}:event-bus/b`,
  };
  const rule = `arn:aws:events:eu-central-1:${management}:rule/r`;

  const act = (arn: string, needs: readonly Need[] = [put], service = 'events.amazonaws.com') => {
    const { authoriseRole } = openAuthorisation({ state: identity.state });
    const time = identity.clock.now();
    const caller = { service, sourceArn: rule, sourceAccountId: management, region: 'eu-central-1', time };
    return authoriseRole(caller, arn, needs);
  };

  it('may do what the role allows', async () => {
    const arn = await role('r', {}, allow('events:PutEvents', put.resource), '/service/');
    await act(arn);
    const other = { ...put, resource: `${put.resource}2` };
    expect(await faultOf(act(arn, [other]))).toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /assumed-role\/r\/events is not authorized to perform: events:PutEvents/,
      ) as string,
    });
  });

  it('may not where the role does not trust it, or not for this', async () => {
    const everything = allow('*');
    const untrusting = await role('a', { Principal: { Service: 'lambda.amazonaws.com' } }, everything);
    expect((await faultOf(act(untrusting))).message).toMatch(
      /events\.amazonaws\.com is not authorized to perform: sts:AssumeRole/,
    );
    const byAccount = await role('b', { Principal: { AWS: management } }, everything);
    expect((await faultOf(act(byAccount))).code).toBe('AccessDenied');
    await act(await role('c', forRule(rule), everything));
    const forAnother = await role('d', forRule(`${rule}2`), everything);
    expect((await faultOf(act(forAnother))).code).toBe('AccessDenied');
  });

  it('may not with a role that is not there, or is of another path', async () => {
    const arn = await role('r', {}, allow('*'), '/service/');
    for (const wrong of [
      arn.replace('/service/', '/'),
      arn.replace('/r', '/s'),
      'arn:aws:iam::999999999999:role/r',
      'r',
    ]) {
      expect((await faultOf(act(wrong))).message).toMatch(/there is no such role/);
    }
  });

  it('is let in by another account only by what that says', async () => {
    const arn = await role('r', {}, allow('*'));
    const there = {
      action: 'events:PutEvents',
      resource: 'arn:aws:events:eu-central-1:111111111111:event-bus/b',
      resourceAccountId: '111111111111',
    };
    expect((await faultOf(act(arn, [there]))).code).toBe('AccessDenied');
    await act(arn, [{ ...there, resourcePolicy: lets(management) }]);
    expect((await faultOf(act(arn, [{ ...there, resourcePolicy: lets('222222222222') }]))).code).toBe(
      'AccessDenied',
    );
  });
});
