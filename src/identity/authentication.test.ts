import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  callerOf,
  faultOf,
  management,
  openIdentityFixture,
  trust,
  type Caller,
  type IdentityFixture,
} from '../../test/identity-fixture.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const whoIs = async (caller: Caller) => (await identity.call('GetCallerIdentity', {}, caller)).Arn as string;
const invalid = {
  code: 'InvalidClientTokenId',
  message: 'The security token included in the request is invalid.',
};

/** Alice may do everything, also assume the role `worker`. */
async function aliceAndRole() {
  const alice = await identity.user('alice', allow('*'));
  await identity.call('CreateRole', {
    RoleName: 'worker',
    AssumeRolePolicyDocument: trust(`arn:aws:iam::${management}:user/alice`),
  });
  return { alice, RoleArn: `arn:aws:iam::${management}:role/worker`, RoleSessionName: 'session' };
}

describe('long-term keys', () => {
  it('stand for root and for users', async () => {
    expect(await whoIs(identity.root)).toBe(`arn:aws:iam::${management}:root`);
    const alice = await identity.user('alice');
    expect(await whoIs(alice)).toBe(`arn:aws:iam::${management}:user/alice`);
    const credential = await identity.findCredential(alice.accessKeyId, undefined);
    expect(credential.secretAccessKey).toBe(alice.secretAccessKey);
  });

  it('of root know the alias of the account, as it is at the time', async () => {
    const { Credentials } = await identity.call('GetSessionToken');
    const aliases = async () => [
      (await identity.findCredential(identity.root.accessKeyId, undefined)).principal,
      (await identity.findCredential(Credentials.AccessKeyId, Credentials.SessionToken)).principal,
    ];
    await identity.call('CreateAccountAlias', { AccountAlias: 'acme' });
    expect(await aliases()).toMatchObject([{ accountAlias: 'acme' }, { accountAlias: 'acme' }]);
    await identity.call('CreateAccountAlias', { AccountAlias: 'acme-two' });
    expect(await aliases()).toMatchObject([{ accountAlias: 'acme-two' }, { accountAlias: 'acme-two' }]);
    await identity.call('DeleteAccountAlias', { AccountAlias: 'acme-two' });
    for (const principal of await aliases()) expect(principal).not.toHaveProperty('accountAlias');
  });

  it.each(['AKIANOSUCHKEY0000000', '', 'x', '../../iam', 'iam/access-key/AKIA', 'A'.repeat(200)])(
    'are refused when unknown: %j',
    async (accessKeyId) => {
      expect(await faultOf(identity.findCredential(accessKeyId, undefined))).toEqual(invalid);
    },
  );

  it('end with the next request when made inactive, begin again, and end for good when deleted', async () => {
    const key = await identity.user('alice');
    await whoIs(key);
    const update = (Status: string) =>
      identity.call('UpdateAccessKey', { UserName: 'alice', AccessKeyId: key.accessKeyId, Status });
    await update('Inactive');
    expect(await faultOf(whoIs(key))).toEqual(invalid);
    await update('Active');
    await whoIs(key);
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: key.accessKeyId });
    expect(await faultOf(whoIs(key))).toEqual(invalid);
  });

  it('are never taken together with a session token', async () => {
    const alice = await identity.user('alice');
    const { Credentials } = await identity.call('GetSessionToken', {}, alice);
    const mixed = { accessKeyId: alice.accessKeyId, sessionToken: Credentials.SessionToken as string };
    expect(await faultOf(whoIs(mixed))).toEqual(invalid);
    expect(await faultOf(whoIs({ accessKeyId: Credentials.AccessKeyId as string }))).toEqual(invalid);
  });
});

describe('sessions of GetSessionToken', () => {
  it('stand for the user, carry their own secret, and expire', async () => {
    const alice = await identity.user('alice');
    const { Credentials } = await identity.call('GetSessionToken', { DurationSeconds: 900 }, alice);
    const caller = callerOf(Credentials);
    const credential = await identity.findCredential(caller.accessKeyId, caller.sessionToken);
    expect(credential.secretAccessKey).toBe(Credentials.SecretAccessKey);
    expect(credential.principal).toMatchObject({ type: 'IAMUser', userName: 'alice' });
    expect(Credentials.Expiration).toEqual(new Date(identity.clock.now() + 900_000));
    await identity.clock.advance(899_999);
    await whoIs(caller);
    await identity.clock.advance(1);
    expect((await faultOf(whoIs(caller))).code).toBe('ExpiredToken');
  });

  it('end with the key that asked for them', async () => {
    const alice = await identity.user('alice');
    const { Credentials } = await identity.call('GetSessionToken', {}, alice);
    await whoIs(callerOf(Credentials));
    const key = { UserName: 'alice', AccessKeyId: alice.accessKeyId };
    await identity.call('UpdateAccessKey', { ...key, Status: 'Inactive' });
    expect(await faultOf(whoIs(callerOf(Credentials)))).toEqual(invalid);
  });

  it('are for users and root with long-term keys only', async () => {
    const alice = await identity.user('alice');
    const { Credentials } = await identity.call('GetSessionToken', {}, alice);
    expect(await faultOf(identity.call('GetSessionToken', {}, callerOf(Credentials)))).toEqual({
      code: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
    });
    const ofRoot = await identity.call('GetSessionToken', { DurationSeconds: 129_600 });
    expect(ofRoot.Credentials.Expiration).toEqual(new Date(identity.clock.now() + 3_600_000));
  });

  it('cannot call IAM, whatever the policies of the user say', async () => {
    const alice = await identity.user('alice', allow('*'));
    const { Credentials } = await identity.call('GetSessionToken', {}, alice);
    const fault = await faultOf(identity.call('ListUsers', {}, callerOf(Credentials)));
    expect(fault.code).toBe('InvalidClientTokenId');
    const info = identity.call('GetAccessKeyInfo', { AccessKeyId: alice.accessKeyId }, callerOf(Credentials));
    expect((await faultOf(info)).code).toBe('AccessDenied');
  });
});

describe('sessions of a role', () => {
  it('stand for the role, and expire', async () => {
    const { alice, ...input } = await aliceAndRole();
    const answer = await identity.call('AssumeRole', input, alice);
    expect(answer.AssumedRoleUser).toEqual({
      AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:session$/) as string,
      Arn: `arn:aws:sts::${management}:assumed-role/worker/session`,
    });
    const caller = callerOf(answer.Credentials);
    expect(await whoIs(caller)).toBe(answer.AssumedRoleUser.Arn);
    await identity.clock.advance(3_600_000);
    expect((await faultOf(whoIs(caller))).code).toBe('ExpiredToken');
  });

  it('end when the role is deleted, and stay ended when another takes its name', async () => {
    const { alice, ...input } = await aliceAndRole();
    const caller = callerOf((await identity.call('AssumeRole', input, alice)).Credentials);
    await whoIs(caller);
    await identity.call('DeleteRole', { RoleName: 'worker' });
    expect(await faultOf(whoIs(caller))).toEqual(invalid);
    await identity.call('CreateRole', {
      RoleName: 'worker',
      AssumeRolePolicyDocument: trust(`arn:aws:iam::${management}:user/alice`),
    });
    expect(await faultOf(whoIs(caller))).toEqual(invalid);
  });

  it('live on when the key of their caller does not, as in AWS', async () => {
    const { alice, ...input } = await aliceAndRole();
    const caller = callerOf((await identity.call('AssumeRole', input, alice)).Credentials);
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: alice.accessKeyId });
    await whoIs(caller);
  });
});
