import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId, seededRandom } from '../kernel/index.ts';
import {
  allow,
  faultOf,
  management,
  openIdentityFixture,
  type IdentityFixture,
} from '../../test/identity-fixture.ts';
import { hasEncryptedData, openManagementAccount } from './accounts.ts';
import { masterKeyFrom } from './master-key.ts';

let identity: IdentityFixture;
const other = accountId('111111111111');
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

describe('the management account', () => {
  const random = seededRandom(99);
  const masterKey = masterKeyFrom(random.bytes(32), random);
  const open = (over: object = {}) =>
    openManagementAccount({
      state: identity.state,
      clock: identity.clock,
      random,
      masterKey,
      accountId: management,
      rootKey: undefined,
      ...over,
    });

  it('is made once, and its root key stays', async () => {
    expect(await hasEncryptedData(identity.state)).toBe(true);
    // The same randomness as the fixture's, hence the same master key.
    const same = seededRandom(1);
    const sameKey = masterKeyFrom(same.bytes(32), same);
    const again = await open({ masterKey: sameKey });
    expect(again).toEqual({ accountId: management, created: false, rootKey: identity.root });
  });

  it('does not open under another master key, or for another account', async () => {
    await expect(open()).rejects.toThrow(/cannot be decrypted/);
    await expect(open({ accountId: other })).rejects.toThrow(/belongs to account 000000000000/);
  });

  it('takes the root key of the settings as its only one', async () => {
    const same = seededRandom(1);
    const sameKey = masterKeyFrom(same.bytes(32), same);
    const rootKey = { accessKeyId: 'AKIAFROMSETTINGS0001', secretAccessKey: 'a-secret-of-the-settings' };
    expect((await open({ masterKey: sameKey, rootKey })).rootKey).toEqual(rootKey);
    const { secretAccessKey } = await identity.findCredential(rootKey.accessKeyId, undefined);
    expect(secretAccessKey).toBe(rootKey.secretAccessKey);
    expect((await faultOf(identity.call('GetCallerIdentity'))).code).toBe('InvalidClientTokenId');
    const before = (await identity.state.get('iam/account/000000000000'))?.version;
    await open({ masterKey: sameKey, rootKey });
    expect((await identity.state.get('iam/account/000000000000'))?.version).toBe(before);
    const rotated = { ...rootKey, secretAccessKey: 'another-secret-of-the-settings' };
    await open({ masterKey: sameKey, rootKey: rotated });
    const credential = await identity.findCredential(rootKey.accessKeyId, undefined);
    expect(credential.secretAccessKey).toBe(rotated.secretAccessKey);
    const alice = await identity.user('alice', undefined, rootKey);
    await expect(open({ masterKey: sameKey, rootKey: alice })).rejects.toThrow(/somebody else's/);
  });

  it('keeps secrets encrypted in its documents', async () => {
    const alice = await identity.user('alice');
    const stored = JSON.stringify(await identity.state.list(''));
    for (const secret of [alice.secretAccessKey, identity.root.secretAccessKey]) {
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret).toString('base64'));
    }
  });
});

const list = async () => {
  const answer = await identity.route('GET', '');
  return (JSON.parse(answer.body as string) as { accounts: { accountId: string }[] }).accounts;
};

describe('member accounts', () => {
  it('are created with a root key that is shown once, and listed', async () => {
    const answer = await identity.route('POST', {
      accountId: other,
      name: 'Other',
      email: 'other@example.com',
    });
    const created = JSON.parse(answer.body as string) as {
      account: object;
      rootKey: { accessKeyId: string };
    };
    expect(answer.status).toBe(201);
    expect(created.account).toMatchObject({ accountId: other, name: 'Other', management: false });
    expect(JSON.stringify(answer.recorded)).not.toContain('secret');
    expect((await identity.call('GetCallerIdentity', {}, created.rootKey)).Account).toBe(other);
    expect((await list()).map((account) => account.accountId)).toEqual([management, other]);
    expect((await faultOf(identity.account(other))).code).toBe('EntityAlreadyExistsException');
  });

  it('get a random id when none is given', async () => {
    await identity.route('POST', { name: 'drawn' });
    expect((await list()).map((account) => account.accountId)).toEqual([
      management,
      expect.stringMatching(/^\d{12}$/),
    ]);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', []],
    ['no name', { accountId: other }],
    ['an empty name', { name: '' }],
    ['an unknown member', { name: 'x', Role: 'y' }],
    ['a number for a name', { name: 1 }],
    ['a bad account id', { name: 'x', accountId: '12' }],
  ])('are not created from %s', async (_, body) => {
    expect((await faultOf(identity.route('POST', body))).code).toBe('ValidationException');
  });

  it('are not managed from member accounts', async () => {
    const root = await identity.account(other);
    expect((await faultOf(identity.route('POST', { name: 'x' }, root))).code).toBe('AccessDenied');
    expect((await faultOf(identity.route('GET', '', root))).code).toBe('AccessDenied');
    const alice = await identity.user('alice');
    expect((await faultOf(identity.route('GET', '', alice))).code).toBe('AccessDenied');
    const bob = await identity.user('bob', allow('cairn:ListAccounts'));
    expect((await identity.route('GET', '', bob)).status).toBe(200);
  });

  it('have names and quotas of their own, and see nothing of others', async () => {
    const root = await identity.account(other);
    await identity.user('alice', allow('*'));
    const theirs = await identity.user('alice', allow('*'), root);
    expect((await identity.call('ListUsers', {}, theirs)).Users).toHaveLength(1);
    await identity.call('CreateUser', { UserName: 'bob' }, theirs);
    expect((await faultOf(identity.call('GetUser', { UserName: 'bob' }))).code).toBe('NoSuchEntityException');
    const { Policy } = await identity.call('CreatePolicy', {
      PolicyName: 'mine',
      PolicyDocument: JSON.stringify(allow('*')),
    });
    expect((await faultOf(identity.call('GetPolicy', { PolicyArn: Policy.Arn }, theirs))).code).toBe(
      'AccessDenied',
    );
    await identity.call('CreateAccountAlias', { AccountAlias: 'taken' });
    const alias = identity.call('CreateAccountAlias', { AccountAlias: 'taken' }, root);
    expect((await faultOf(alias)).code).toBe('EntityAlreadyExistsException');
  });
});
