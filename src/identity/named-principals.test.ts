import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { management, openIdentityFixture, trust, type IdentityFixture } from '../../test/identity-fixture.ts';
import { accountId } from '../kernel/index.ts';
import { bindPrincipals, policyInForce, policyShown } from './named-principals.ts';
import { parsePolicy } from './policy/index.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const arn = (resource: string, account: string = management) => `arn:aws:iam::${account}:${resource}`;
const sessionArn = (name: string) => `arn:aws:sts::${management}:assumed-role/${name}`;

function policy(Principal: unknown, over: object = {}): string {
  const statement = { Effect: 'Allow', Principal, Action: 's3:*', Resource: '*', ...over };
  return JSON.stringify({ Version: '2012-10-17', Statement: statement }, undefined, 1);
}

async function bind(text: string) {
  const parsed = parsePolicy(text, 'resource');
  if (parsed.kind === 'malformed') throw new Error(parsed.problems[0]?.detail);
  return bindPrincipals(identity.state, parsed.policy, text);
}

async function bound(text: string) {
  const result = await bind(text);
  if (result.kind === 'unknown') throw new Error(`there is no ${result.principal}`);
  return result;
}

const principalsIn = (text: string) =>
  (JSON.parse(text) as { Statement: Record<string, unknown> }).Statement['Principal'];

async function newUser(UserName: string, Path = '/'): Promise<string> {
  const { User } = await identity.call('CreateUser', { UserName, Path });
  return User.UserId as string;
}

async function newRole(RoleName: string): Promise<string> {
  const { Role } = await identity.call('CreateRole', {
    RoleName,
    AssumeRolePolicyDocument: trust(management),
  });
  return Role.RoleId as string;
}

describe('whom a policy names', () => {
  it('is meant by the unique id, and shown by the ARN as long as it is there', async () => {
    const user = await newUser('alice', '/team/');
    const role = await newRole('worker');
    const names = [arn('user/team/alice'), arn('role/worker')];
    const text = policy({ AWS: names, Service: 'cloudtrail.amazonaws.com' });
    const kept = await bound(text);
    expect(kept.text).toBe(text);
    const inForce = policyInForce(kept.text, kept.principals);
    expect(principalsIn(inForce)).toEqual({ AWS: [user, role], Service: 'cloudtrail.amazonaws.com' });
    expect(await policyShown(identity.state, kept.text, kept.principals)).toBe(text);

    await identity.call('DeleteUser', { UserName: 'alice' });
    await newUser('alice', '/team/');
    const shown = await policyShown(identity.state, kept.text, kept.principals);
    expect(principalsIn(shown)).toMatchObject({ AWS: [user, arn('role/worker')] });
    await identity.call('DeleteRole', { RoleName: 'worker' });
    const later = await policyShown(identity.state, kept.text, kept.principals);
    expect(principalsIn(later)).toMatchObject({ AWS: [user, role] });
  });

  it('must be there, also in NotPrincipal and under its path', async () => {
    await newUser('alice', '/team/');
    for (const name of [arn('user/alice'), arn('user/team/bob'), arn('role/alice'), sessionArn('none/one')]) {
      expect(await bind(policy({ AWS: name }))).toEqual({ kind: 'unknown', principal: name });
    }
    const { Principal: _, ...denial } = {
      Principal: '',
      Effect: 'Deny',
      NotPrincipal: { AWS: arn('user/bob') },
    };
    expect(await bind(policy(undefined, denial))).toEqual({ kind: 'unknown', principal: arn('user/bob') });
  });

  it('may be everyone, an account, a service, and whoever is of an account that is not here', async () => {
    const elsewhere = arn('user/alice', '999999999999');
    for (const principal of [
      '*',
      { AWS: '*' },
      { AWS: [management, arn('root'), '999999999999', elsewhere] },
      { AWS: `arn:aws:sts::${management}:federated-user/bob` },
      { Service: 'cloudtrail.amazonaws.com' },
    ]) {
      const text = policy(principal);
      expect(await bound(text)).toEqual({ kind: 'bound', text, principals: [] });
      expect(policyInForce(text, [])).toBe(text);
    }
  });

  it('may be of another account that is here', async () => {
    const other = accountId('111111111111');
    const root = await identity.account(other);
    expect(await bind(policy({ AWS: arn('user/bob', other) }))).toMatchObject({ kind: 'unknown' });
    const { User } = await identity.call('CreateUser', { UserName: 'bob' }, root);
    const { text, principals } = await bound(policy({ AWS: arn('user/bob', other) }));
    expect(principalsIn(policyInForce(text, principals))).toEqual({ AWS: User.UserId });
  });

  it('of a role session is meant as a session of that role alone', async () => {
    const role = await newRole('worker');
    const { text, principals } = await bound(policy({ AWS: sessionArn('worker/one') }));
    expect(principalsIn(policyInForce(text, principals))).toEqual({ AWS: `${role}:one` });
    expect(await policyShown(identity.state, text, principals)).toBe(text);
    await identity.call('DeleteRole', { RoleName: 'worker' });
    await newRole('worker');
    expect(principalsIn(await policyShown(identity.state, text, principals))).toEqual({ AWS: `${role}:one` });
  });

  it('may be given by the id of somebody who is there, and is then shown by the ARN', async () => {
    const user = await newUser('alice');
    const { text, principals } = await bound(policy({ AWS: user }));
    expect(principalsIn(text)).toEqual({ AWS: arn('user/alice') });
    expect(principalsIn(policyInForce(text, principals))).toEqual({ AWS: user });
    await identity.call('DeleteUser', { UserName: 'alice' });
    expect(await bind(policy({ AWS: user }))).toEqual({ kind: 'unknown', principal: user });
    const session = 'AROAQEXAMPLEEXAMPLE12:one';
    expect(await bind(policy({ AWS: session }))).toEqual({ kind: 'unknown', principal: session });
  });

  it('stays who it is when it is renamed', async () => {
    const user = await newUser('alice');
    const { text, principals } = await bound(policy({ AWS: arn('user/alice') }));
    await identity.call('UpdateUser', { UserName: 'alice', NewUserName: 'alicia', NewPath: '/new/' });
    await newUser('alice');
    const shown = await policyShown(identity.state, text, principals);
    expect(principalsIn(shown)).toEqual({ AWS: arn('user/new/alicia') });
    expect(principalsIn(policyInForce(text, principals))).toEqual({ AWS: user });
    await identity.call('DeleteUser', { UserName: 'alicia' });
    expect(principalsIn(await policyShown(identity.state, text, principals))).toEqual({ AWS: user });
  });

  it('is replaced in principals alone', async () => {
    const user = await newUser('alice');
    const name = arn('user/alice');
    const Condition = { ArnLike: { 'aws:PrincipalArn': name } };
    const { text, principals } = await bound(
      policy({ AWS: name }, { Condition, Sid: name.replaceAll(/\W/g, '') }),
    );
    const { Statement } = JSON.parse(policyInForce(text, principals)) as { Statement: unknown };
    expect(Statement).toMatchObject({ Principal: { AWS: user }, Condition });
  });

  it('is a matter of the ARN in a policy that was saved before ids were kept', async () => {
    const text = policy({ AWS: arn('user/alice') });
    expect(policyInForce(text, undefined)).toBe(text);
    expect(await policyShown(identity.state, text, undefined)).toBe(text);
  });
});
