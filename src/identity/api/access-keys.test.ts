import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId } from '../../kernel/index.ts';
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

describe('access keys', () => {
  it('are two a user at most, and never show their secret again', async () => {
    const first = await identity.user('Alice');
    const { AccessKey } = await identity.call('CreateAccessKey', { UserName: 'alice' });
    expect(AccessKey).toMatchObject({ UserName: 'Alice', Status: 'Active' });
    expect(AccessKey.SecretAccessKey).toHaveLength(40);
    expect(await faultOf(identity.call('CreateAccessKey', { UserName: 'alice' }))).toEqual({
      code: 'LimitExceededException',
      message: 'Cannot exceed quota for AccessKeysPerUser: 2',
    });
    const list = await identity.call('ListAccessKeys', { UserName: 'alice' });
    const ids = (list.AccessKeyMetadata as { AccessKeyId: string }[]).map((key) => key.AccessKeyId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids)).toEqual(new Set([first.accessKeyId, AccessKey.AccessKeyId]));
    expect(JSON.stringify(list)).not.toContain(AccessKey.SecretAccessKey);
  });

  it('belong to one user: nobody else can change or delete them', async () => {
    const alice = await identity.user('alice');
    await identity.call('CreateUser', { UserName: 'bob' });
    for (const [operation, more] of [
      ['UpdateAccessKey', { Status: 'Inactive' }],
      ['DeleteAccessKey', {}],
    ] as const) {
      for (const UserName of ['bob', undefined]) {
        const input = { ...(UserName ? { UserName } : {}), AccessKeyId: alice.accessKeyId, ...more };
        expect(await faultOf(identity.call(operation, input))).toEqual({
          code: 'NoSuchEntityException',
          message: `The Access Key with id ${alice.accessKeyId} cannot be found.`,
        });
      }
    }
    await identity.call('GetCallerIdentity', {}, alice);
  });

  it('of other accounts and none at all are alike to GetAccessKeyLastUsed', async () => {
    const alice = await identity.user('alice');
    const used = (AccessKeyId: string) => identity.call('GetAccessKeyLastUsed', { AccessKeyId }, alice);
    await identity.call('PutUserPolicy', {
      UserName: 'alice',
      PolicyName: 'all',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: 'iam:*', Resource: '*' },
      }),
    });
    expect((await used(alice.accessKeyId)).UserName).toBe('alice');
    const other = await identity.account(accountId('111111111111'));
    for (const id of ['AKIAIOSFODNN7EXAMPLE', other.accessKeyId]) {
      expect(await faultOf(used(id))).toEqual({
        code: 'AccessDenied',
        message: `User: arn:aws:iam::${management}:user/alice is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key ${id}`,
      });
    }
  });

  it('cannot be expired by hand', async () => {
    const alice = await identity.user('alice');
    const input = { UserName: 'alice', AccessKeyId: alice.accessKeyId, Status: 'Expired' };
    expect((await faultOf(identity.call('UpdateAccessKey', input))).code).toBe('ValidationError');
  });

  it('of root are its own: listed, made and deleted by root without a name', async () => {
    const { AccessKey } = await identity.call('CreateAccessKey');
    const second = { accessKeyId: AccessKey.AccessKeyId as string };
    expect((await identity.call('GetCallerIdentity', {}, second)).Arn).toMatch(/:root$/);
    expect((await identity.call('ListAccessKeys', {}, second)).AccessKeyMetadata).toHaveLength(2);
    await identity.call('DeleteAccessKey', { AccessKeyId: identity.root.accessKeyId }, second);
    expect((await faultOf(identity.call('ListUsers'))).code).toBe('InvalidClientTokenId');
  });
});

const Tags = (...keys: string[]) => keys.map((Key) => ({ Key, Value: `value of ${Key}` }));

describe('tags', () => {
  it('are set, replaced regardless of case, listed and taken away', async () => {
    await identity.call('CreateUser', { UserName: 'x', Tags: Tags('One', '__proto__') });
    await identity.call('TagUser', { UserName: 'x', Tags: Tags('ONE', 'two') });
    const list = await identity.call('ListUserTags', { UserName: 'x', MaxItems: 2 });
    expect(list.Tags).toEqual(Tags('__proto__', 'ONE'));
    expect(list.IsTruncated).toBe(true);
    await identity.call('UntagUser', { UserName: 'x', TagKeys: ['one', 'absent'] });
    const rest = await identity.call('ListUserTags', { UserName: 'x' });
    expect(rest).toEqual({ Tags: Tags('__proto__', 'two'), IsTruncated: false });
  });

  it('are refused when reserved, given twice, or more than fifty', async () => {
    await identity.call('CreateUser', { UserName: 'x' });
    const code = async (tags: unknown) =>
      (await faultOf(identity.call('TagUser', { UserName: 'x', Tags: tags }))).code;
    expect(await code(Tags('aws:x'))).toBe('InvalidInputException');
    expect(await code(Tags('a', 'A'))).toBe('InvalidInputException');
    const fifty = Tags(...Array.from({ length: 50 }, (_, place) => `k${place}`));
    await identity.call('TagUser', { UserName: 'x', Tags: fifty });
    await identity.call('TagUser', { UserName: 'x', Tags: Tags('K1') });
    expect(await code(Tags('one-more'))).toBe('LimitExceededException');
  });
});
