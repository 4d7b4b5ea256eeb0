import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  callerOf,
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

const create = (over: object = {}) =>
  identity.call('CreateRole', { RoleName: 'Worker', AssumeRolePolicyDocument: trust(management), ...over });

describe('roles', () => {
  it('are created, and got again with the trust policy as it was given', async () => {
    const document = trust(management).replace('"Version"', '  "Version"');
    const { Role } = await create({
      AssumeRolePolicyDocument: document,
      Path: '/service/',
      Description: 'does work',
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'k', Value: '' }],
    });
    expect(Role).toMatchObject({
      Arn: `arn:aws:iam::${management}:role/service/Worker`,
      Tags: [{ Key: 'k', Value: '' }],
    });
    // As IAM answers who makes a role: neither its description nor the length of its sessions.
    expect(Role).not.toHaveProperty('Description');
    expect(Role).not.toHaveProperty('MaxSessionDuration');
    expect(Role.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(Role.AssumeRolePolicyDocument).toMatch(/^[A-Za-z0-9%._~-]+$/);
    expect(decodeURIComponent(Role.AssumeRolePolicyDocument as string)).toBe(document);
    const got = await identity.call('GetRole', { RoleName: 'worker' });
    expect(got.Role).toEqual({
      ...Role,
      Description: 'does work',
      MaxSessionDuration: 7200,
      RoleLastUsed: {},
    });
  });

  it('are refused with a trust policy that is not one, or that trusts somebody who does not exist', async () => {
    const code = async (AssumeRolePolicyDocument: string) =>
      (await faultOf(create({ AssumeRolePolicyDocument }))).code;
    expect(await code('{}')).toBe('MalformedPolicyDocumentException');
    expect(await faultOf(create({ AssumeRolePolicyDocument: 'no json' }))).toMatchObject({
      code: 'MalformedPolicyDocumentException',
      message: 'This policy contains invalid Json',
    });
    const nobody = await faultOf(
      create({ AssumeRolePolicyDocument: trust(`arn:aws:iam::${management}:user/nobody`) }),
    );
    expect(nobody).toEqual({
      code: 'MalformedPolicyDocumentException',
      message: `Invalid principal in policy: "AWS":"arn:aws:iam::${management}:user/nobody"`,
    });
    const long = Array.from(
      { length: 60 },
      (_, place) => `arn:aws:iam::9999999999${10 + place}:role/${'x'.repeat(30)}`,
    );
    expect(await faultOf(create({ AssumeRolePolicyDocument: trust(long) }))).toEqual({
      code: 'LimitExceededException',
      message: 'Cannot exceed quota for ACLSizePerRole: 2048',
    });
  });

  it('are updated', async () => {
    await create({ Description: 'one' });
    await identity.call('UpdateRole', { RoleName: 'Worker', MaxSessionDuration: 43_200 });
    expect((await identity.call('GetRole', { RoleName: 'Worker' })).Role).toMatchObject({
      Description: 'one',
      MaxSessionDuration: 43_200,
    });
    const updated = await identity.call('UpdateRoleDescription', { RoleName: 'Worker', Description: 'two' });
    expect(updated.Role.Description).toBe('two');
    const tooLong = identity.call('UpdateRole', { RoleName: 'Worker', MaxSessionDuration: 43_201 });
    expect((await faultOf(tooLong)).code).toBe('ValidationError');
    const PolicyDocument = trust('999999999999');
    await identity.call('UpdateAssumeRolePolicy', { RoleName: 'Worker', PolicyDocument });
    const { Role } = await identity.call('GetRole', { RoleName: 'Worker' });
    expect(decodeURIComponent(Role.AssumeRolePolicyDocument as string)).toBe(PolicyDocument);
  });

  it('are deleted only once nothing hangs on them', async () => {
    await create();
    const RoleName = 'worker';
    const remove = () => identity.call('DeleteRole', { RoleName });
    const PolicyArn = 'arn:aws:iam::aws:policy/SecurityAudit';
    await identity.call('AttachRolePolicy', { RoleName, PolicyArn });
    expect((await faultOf(remove())).message).toContain('must detach all policies first');
    await identity.call('DetachRolePolicy', { RoleName, PolicyArn });
    const InstanceProfileName = 'Profile';
    await identity.call('CreateInstanceProfile', { InstanceProfileName });
    await identity.call('AddRoleToInstanceProfile', { InstanceProfileName, RoleName });
    expect((await faultOf(remove())).message).toContain('must remove roles from instance profile first');
    await identity.call('RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName });
    await remove();
    expect((await identity.call('ListRoles')).Roles).toEqual([]);
  });

  it('tell when they were last used', async () => {
    const alice = await identity.user('alice');
    await create({ AssumeRolePolicyDocument: trust(`arn:aws:iam::${management}:user/alice`) });
    const RoleArn = `arn:aws:iam::${management}:role/Worker`;
    const { Credentials } = await identity.call('AssumeRole', { RoleArn, RoleSessionName: 'session' }, alice);
    await identity.call('GetCallerIdentity', {}, callerOf(Credentials));
    await identity.lastUsed[Symbol.asyncDispose]();
    expect((await identity.call('GetRole', { RoleName: 'Worker' })).Role.RoleLastUsed).toEqual({
      LastUsedDate: new Date(identity.clock.now()),
      Region: 'eu-central-1',
    });
  });
});

describe('instance profiles', () => {
  it('hold one role, and are found by it', async () => {
    await create();
    await create({ RoleName: 'other' });
    const InstanceProfileName = 'Profile';
    await identity.call('CreateInstanceProfile', {
      InstanceProfileName,
      Path: '/p/',
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    await identity.call('AddRoleToInstanceProfile', { InstanceProfileName, RoleName: 'worker' });
    const second = identity.call('AddRoleToInstanceProfile', { InstanceProfileName, RoleName: 'other' });
    expect(await faultOf(second)).toEqual({
      code: 'LimitExceededException',
      message: 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1',
    });
    const { InstanceProfile } = await identity.call('GetInstanceProfile', { InstanceProfileName: 'profile' });
    expect(InstanceProfile).toMatchObject({
      Arn: `arn:aws:iam::${management}:instance-profile/p/Profile`,
      Roles: [{ RoleName: 'Worker' }],
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    const ofRole = await identity.call('ListInstanceProfilesForRole', { RoleName: 'WORKER' });
    expect(ofRole.InstanceProfiles).toHaveLength(1);
    expect(
      (await identity.call('ListInstanceProfilesForRole', { RoleName: 'other' })).InstanceProfiles,
    ).toEqual([]);
    expect((await identity.call('ListInstanceProfiles', { PathPrefix: '/q/' })).InstanceProfiles).toEqual([]);
    const remove = () => identity.call('DeleteInstanceProfile', { InstanceProfileName });
    expect((await faultOf(remove())).code).toBe('DeleteConflictException');
    const take = (RoleName: string) =>
      identity.call('RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName });
    await take('Worker');
    expect((await faultOf(take('Worker'))).message).toBe(
      `Role Worker in Instance Profile ${InstanceProfileName} cannot be found.`,
    );
    expect((await faultOf(take('nobody'))).message).toBe('The role with name nobody cannot be found.');
    await remove();
    expect((await faultOf(identity.call('GetInstanceProfile', { InstanceProfileName }))).code).toBe(
      'NoSuchEntityException',
    );
  });
});
