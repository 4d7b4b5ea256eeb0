import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  faultOf,
  management,
  openIdentityFixture,
  type IdentityFixture,
} from '../../../test/identity-fixture.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

describe('users', () => {
  it('creates a user with path, tags and boundary, and gets it again', async () => {
    const boundary = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
    const { User } = await identity.call('CreateUser', {
      UserName: 'Alice',
      Path: '/team/',
      PermissionsBoundary: boundary,
      Tags: [{ Key: 'Cost', Value: '42' }],
    });
    expect(User).toMatchObject({
      UserName: 'Alice',
      Path: '/team/',
      Arn: `arn:aws:iam::${management}:user/team/Alice`,
      PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: boundary },
      Tags: [{ Key: 'Cost', Value: '42' }],
    });
    expect(User.UserId).toMatch(/^AIDA[A-Z2-7]{17}$/);
    expect(await identity.call('GetUser', { UserName: 'alice' })).toEqual({ User });
  });

  it('knows names regardless of case, and refuses a second user of the same name', async () => {
    await identity.call('CreateUser', { UserName: 'Alice' });
    expect(await faultOf(identity.call('CreateUser', { UserName: 'aLICE' }))).toEqual({
      code: 'EntityAlreadyExistsException',
      message: 'User with name aLICE already exists.',
    });
  });

  it.each(['a/b', '', 'a b', '../x', 'ä', 'x'.repeat(65)])('refuses the name %j', async (UserName) => {
    expect((await faultOf(identity.call('CreateUser', { UserName }))).code).toBe('ValidationError');
  });

  it.each(['x', '/x', 'x/', '/ä/', ''])('refuses the path %j', async (Path) => {
    expect((await faultOf(identity.call('CreateUser', { UserName: 'alice', Path }))).code).toBe(
      'ValidationError',
    );
  });

  it('says that a user cannot be found', async () => {
    expect(await faultOf(identity.call('GetUser', { UserName: 'nobody' }))).toEqual({
      code: 'NoSuchEntityException',
      message: 'The user with name nobody cannot be found.',
    });
  });

  it('lists page by page, under a path', async () => {
    for (const name of ['d', 'A', 'c', 'B']) {
      await identity.call('CreateUser', { UserName: name, Path: name === 'c' ? '/other/' : '/team/' });
    }
    const first = await identity.call('ListUsers', { MaxItems: 2 });
    expect(first.IsTruncated).toBe(true);
    const second = await identity.call('ListUsers', { MaxItems: 2, Marker: first.Marker });
    const names = [...first.Users, ...second.Users].map((user: { UserName: string }) => user.UserName);
    expect(names).toEqual(['A', 'B', 'c', 'd']);
    expect(second).toMatchObject({ IsTruncated: false });
    expect(second.Marker).toBeUndefined();
    const team = await identity.call('ListUsers', { PathPrefix: '/team/', MaxItems: 3 });
    expect(team.Users.map((user: { UserName: string }) => user.UserName)).toEqual(['A', 'B', 'd']);
    expect(team.IsTruncated).toBe(false);
    expect((await faultOf(identity.call('ListUsers', { Marker: '!' }))).code).toBe('ValidationError');
  });

  it('shows callers themselves', async () => {
    const alice = await identity.user('alice', {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'iam:GetUser', Resource: '*' },
    });
    expect((await identity.call('GetUser', {}, alice)).User.UserName).toBe('alice');
    expect((await identity.call('GetUser')).User).toMatchObject({
      UserId: management,
      Arn: `arn:aws:iam::${management}:root`,
    });
  });

  it('keeps keys, groups, policies and the boundary when a user gets another name', async () => {
    const key = await identity.user('alice', {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'iam:GetUser', Resource: '*' },
    });
    await identity.call('CreateGroup', { GroupName: 'Staff' });
    await identity.call('AddUserToGroup', { GroupName: 'Staff', UserName: 'alice' });
    const policyArn = 'arn:aws:iam::aws:policy/SecurityAudit';
    await identity.call('AttachUserPolicy', { UserName: 'alice', PolicyArn: policyArn });
    await identity.call('PutUserPermissionsBoundary', {
      UserName: 'alice',
      PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess',
    });
    await identity.call('UpdateUser', { UserName: 'alice', NewUserName: 'Bob', NewPath: '/x/' });
    expect((await identity.call('GetUser', {}, key)).User.Arn).toBe(`arn:aws:iam::${management}:user/x/Bob`);
    expect((await identity.call('GetGroup', { GroupName: 'staff' })).Users).toMatchObject([
      { UserName: 'Bob' },
    ]);
    expect(
      (await identity.call('ListEntitiesForPolicy', { PolicyArn: policyArn })).PolicyUsers,
    ).toMatchObject([{ UserName: 'Bob' }]);
    expect((await faultOf(identity.call('GetUser', { UserName: 'alice' }))).code).toBe(
      'NoSuchEntityException',
    );
    // Nothing of the old name is left behind.
    await identity.call('CreateUser', { UserName: 'alice' });
    await identity.call('DeleteUser', { UserName: 'alice' });
  });

  it('deletes a user only once nothing hangs on it', async () => {
    const key = await identity.user('alice', {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
    });
    await identity.call('CreateGroup', { GroupName: 'staff' });
    await identity.call('AddUserToGroup', { GroupName: 'staff', UserName: 'alice' });
    const policyArn = 'arn:aws:iam::aws:policy/SecurityAudit';
    await identity.call('AttachUserPolicy', { UserName: 'alice', PolicyArn: policyArn });
    const remove = () => identity.call('DeleteUser', { UserName: 'alice' });
    const conflict = async () => {
      const fault = await faultOf(remove());
      expect(fault.code).toBe('DeleteConflictException');
      return fault.message;
    };
    expect(await conflict()).toContain('access keys');
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: key.accessKeyId });
    expect(await conflict()).toContain('delete policies');
    await identity.call('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' });
    expect(await conflict()).toContain('detach all policies');
    await identity.call('DetachUserPolicy', { UserName: 'alice', PolicyArn: policyArn });
    expect(await conflict()).toContain('group');
    await identity.call('RemoveUserFromGroup', { GroupName: 'staff', UserName: 'alice' });
    await remove();
    expect((await identity.call('ListUsers')).Users).toEqual([]);
    expect((await identity.state.list(`iam/${management}/`)).map(({ key: left }) => left)).toEqual([
      `iam/${management}/group/staff`,
    ]);
  });
});
