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

const join = (GroupName: string, UserName: string) =>
  identity.call('AddUserToGroup', { GroupName, UserName });
const groupsOf = async (UserName: string) =>
  ((await identity.call('ListGroupsForUser', { UserName })).Groups as { GroupName: string }[]).map(
    (group) => group.GroupName,
  );

describe('groups', () => {
  it('have members, listed page by page', async () => {
    await identity.call('CreateGroup', { GroupName: 'Staff', Path: '/a/' });
    for (const name of ['c', 'a', 'b']) {
      await identity.call('CreateUser', { UserName: name });
      await join('staff', name);
      await join('Staff', name);
    }
    const first = await identity.call('GetGroup', { GroupName: 'STAFF', MaxItems: 2 });
    expect(first.Group).toMatchObject({
      GroupName: 'Staff',
      Arn: `arn:aws:iam::${management}:group/a/Staff`,
    });
    const second = await identity.call('GetGroup', { GroupName: 'staff', MaxItems: 2, Marker: first.Marker });
    const names = [...first.Users, ...second.Users].map((user: { UserName: string }) => user.UserName);
    expect(names).toEqual(['a', 'b', 'c']);
    expect(second.IsTruncated).toBe(false);
    expect(await groupsOf('a')).toEqual(['Staff']);
  });

  it('keep members and policies under a new name', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/SecurityAudit';
    await identity.call('CreateGroup', { GroupName: 'old' });
    await identity.call('CreateUser', { UserName: 'alice' });
    await join('old', 'alice');
    await identity.call('AttachGroupPolicy', { GroupName: 'old', PolicyArn });
    await identity.call('UpdateGroup', { GroupName: 'old', NewGroupName: 'New', NewPath: '/p/' });
    expect(await groupsOf('alice')).toEqual(['New']);
    expect((await identity.call('GetGroup', { GroupName: 'new' })).Users).toHaveLength(1);
    const { PolicyGroups } = await identity.call('ListEntitiesForPolicy', { PolicyArn });
    expect(PolicyGroups).toMatchObject([{ GroupName: 'New' }]);
    expect((await faultOf(identity.call('GetGroup', { GroupName: 'old' }))).code).toBe(
      'NoSuchEntityException',
    );
  });

  it('are deleted only once they are empty', async () => {
    await identity.call('CreateGroup', { GroupName: 'g' });
    await identity.call('CreateUser', { UserName: 'alice' });
    await join('g', 'alice');
    const remove = () => identity.call('DeleteGroup', { GroupName: 'g' });
    expect((await faultOf(remove())).message).toContain('must remove users from group first');
    await identity.call('RemoveUserFromGroup', { GroupName: 'g', UserName: 'alice' });
    await remove();
    expect((await identity.call('ListGroups')).Groups).toEqual([]);
  });

  it('take a user into ten groups at most', async () => {
    await identity.call('CreateUser', { UserName: 'alice' });
    for (let number = 0; number <= 10; number++)
      await identity.call('CreateGroup', { GroupName: `g${number}` });
    for (let number = 0; number < 10; number++) await join(`g${number}`, 'alice');
    expect(await faultOf(join('g10', 'alice'))).toEqual({
      code: 'LimitExceededException',
      message: 'Cannot exceed quota for GroupsPerUser: 10',
    });
  });

  it('are left also by who is no member; the user is looked for first', async () => {
    await identity.call('CreateGroup', { GroupName: 'g' });
    await identity.call('CreateUser', { UserName: 'alice' });
    const leave = (GroupName: string, UserName: string) =>
      identity.call('RemoveUserFromGroup', { GroupName, UserName });
    await leave('g', 'alice');
    expect((await identity.call('GetGroup', { GroupName: 'g' })).Users).toEqual([]);
    expect((await faultOf(leave('none', 'alice'))).message).toBe('The group with name none cannot be found.');
    expect((await faultOf(leave('none', 'nobody'))).message).toBe(
      'The user with name nobody cannot be found.',
    );
  });
});
