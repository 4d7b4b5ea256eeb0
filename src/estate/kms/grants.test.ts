import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allow, deny, faultOf, management, type Caller } from '../../../test/identity-fixture.ts';
import { kmsRegion, openKmsFixture, type KmsFixture } from '../../../test/kms-fixture.ts';
import { accountId } from '../../kernel/index.ts';

/** Grants as "Grants in AWS KMS", "Creating grants" and "Retiring and revoking grants" of the developer guide have them. */

const text = (value: string) => new TextEncoder().encode(value);
const arnOf = (name: string) => `arn:aws:iam::${management}:user/${name}`;

/** Constraints of grants, and whether they let a request with some encryption context through ("GrantConstraints"). */
const constraintCases: readonly {
  readonly constraint: object;
  readonly context: Readonly<Record<string, string>> | undefined;
  readonly allowed: boolean;
}[] = [
  { constraint: { EncryptionContextEquals: { app: 'mail' } }, context: { app: 'mail' }, allowed: true },
  {
    constraint: { EncryptionContextEquals: { app: 'mail' } },
    context: { app: 'mail', to: 'all' },
    allowed: false,
  },
  { constraint: { EncryptionContextEquals: { app: 'mail' } }, context: undefined, allowed: false },
  {
    constraint: { EncryptionContextSubset: { app: 'mail' } },
    context: { app: 'mail', to: 'all' },
    allowed: true,
  },
  // "The key in each key-value pair is not case sensitive, but the value is."
  { constraint: { EncryptionContextSubset: { app: 'mail' } }, context: { App: 'mail' }, allowed: true },
  { constraint: { EncryptionContextSubset: { app: 'mail' } }, context: { app: 'Mail' }, allowed: false },
  { constraint: { EncryptionContextSubset: { app: 'mail' } }, context: { to: 'mail' }, allowed: false },
  { constraint: { EncryptionContextSubset: {} }, context: undefined, allowed: true },
];

let kms: KmsFixture;
let KeyId: string;
let grantee: Caller;

beforeEach(async () => {
  kms = await openKmsFixture();
  KeyId = await kms.key();
  grantee = await kms.identity.user('grantee');
});
afterEach(() => kms[Symbol.asyncDispose]());

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const grant = (Operations: readonly string[], over = {}, caller?: Caller) =>
  kms.call('CreateGrant', { KeyId, GranteePrincipal: arnOf('grantee'), Operations, ...over }, caller);
const encrypt = (caller: Caller, over = {}) =>
  kms.call('Encrypt', { KeyId, Plaintext: text('x'), ...over }, caller);
const ids = async (over = {}) =>
  (await kms.call('ListGrants', { KeyId, ...over })).Grants.map(
    ({ GrantId }: { GrantId: string }) => GrantId,
  );

const refusal = (operations: readonly string[], over = {}) => codeOf(grant(operations, over));

const maker = (name: string, Condition: object) =>
  kms.identity.user(name, {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'kms:CreateGrant', Resource: '*', Condition }],
  });

describe('a grant', () => {
  it('allows its operations to its grantee alone, until it is revoked', async () => {
    expect(await codeOf(encrypt(grantee))).toBe('AccessDenied');
    const { GrantId, GrantToken } = await grant(['Encrypt', 'DescribeKey']);
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/);
    const { CiphertextBlob } = await encrypt(grantee);
    await encrypt(grantee, { GrantTokens: [GrantToken] });
    await kms.call('DescribeKey', { KeyId }, grantee);
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob }, grantee))).toBe('AccessDenied');
    expect(await codeOf(kms.call('DisableKey', { KeyId }, grantee))).toBe('AccessDenied');
    expect(await codeOf(encrypt(await kms.identity.user('other')))).toBe('AccessDenied');
    const other = await kms.key();
    expect(await codeOf(encrypt(grantee, { KeyId: other }))).toBe('AccessDenied');
    expect(await codeOf(encrypt(grantee, { GrantTokens: ['bm9uZQ=='] }))).toBe('InvalidGrantTokenException');
    await kms.call('RevokeGrant', { KeyId, GrantId });
    expect(await codeOf(encrypt(grantee))).toBe('AccessDenied');
    const late = kms.call('Encrypt', { KeyId, Plaintext: text('x'), GrantTokens: [GrantToken] });
    expect(await codeOf(late)).toBe('InvalidGrantTokenException');
    expect(await codeOf(kms.call('RevokeGrant', { KeyId, GrantId }))).toBe('NotFoundException');
  });

  it('yields to a deny, of the user or of the key', async () => {
    const denied = await kms.identity.user('denied', deny('kms:Encrypt'));
    await grant(['Encrypt'], { GranteePrincipal: arnOf('denied') });
    expect((await faultOf(encrypt(denied))).message).toContain('explicit deny');
    await grant(['Encrypt']);
    await encrypt(grantee);
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: management }, Action: 'kms:*', Resource: '*' },
      { Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt', Resource: '*' },
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await kms.call('PutKeyPolicy', { KeyId, Policy });
    expect(await codeOf(encrypt(grantee))).toBe('AccessDenied');
  });

  it('is not for somebody who is made under the name of a grantee that was deleted', async () => {
    const { GrantId } = await grant(['Encrypt']);
    await kms.identity.call('DeleteAccessKey', { UserName: 'grantee', AccessKeyId: grantee.accessKeyId });
    await kms.identity.call('DeleteUser', { UserName: 'grantee' });
    const next = await kms.identity.user('grantee');
    expect(await codeOf(encrypt(next))).toBe('AccessDenied');
    const { Grants } = await kms.call('ListGrants', { KeyId, GrantId });
    expect(Grants[0].GranteePrincipal).toMatch(/^AIDA/);
  });

  it.each(constraintCases)('with $constraint is held to it by $context: $allowed', async (one) => {
    await grant(['Encrypt', 'DescribeKey'], { Constraints: one.constraint });
    const answer = encrypt(grantee, { EncryptionContext: one.context });
    if (one.allowed) await answer;
    else expect(await codeOf(answer)).toBe('AccessDenied');
    // "Grants with grant constraints can include DescribeKey …, but the constraint doesn't apply to these operations."
    await kms.call('DescribeKey', { KeyId }, grantee);
  });

  it('lets another account in, which can retire what it made itself', async () => {
    const stranger = await kms.identity.account(accountId('111111111111'));
    const GranteePrincipal = 'arn:aws:iam::111111111111:root';
    const key = { KeyId: `arn:aws:kms:${kmsRegion}:${management}:key/${KeyId}` };
    expect(await codeOf(encrypt(stranger, key))).toBe('AccessDenied');
    const { GrantToken } = await grant(['Encrypt', 'CreateGrant'], { GranteePrincipal });
    await encrypt(stranger, key);
    expect(await codeOf(kms.call('RetireGrant', { GrantToken }, stranger))).toBe('AccessDenied');
    expect(await codeOf(kms.call('ListGrants', key, stranger))).toBe('AccessDenied');
    const own = await grant(['Encrypt'], { ...key, GranteePrincipal }, stranger);
    expect((await kms.call('ListGrants', { KeyId, GrantId: own.GrantId })).Grants).toMatchObject([
      { IssuingAccount: GranteePrincipal },
    ]);
    await kms.call('RetireGrant', { GrantToken: own.GrantToken }, stranger);
    expect(await ids()).toHaveLength(1);
  });

  it('to re-encrypt, to sign, and to make data keys by way of S3 is one as well', async () => {
    await grant(['Encrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey']);
    const { CiphertextBlob } = await encrypt(grantee);
    await kms.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }, grantee);
    const signing = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const sign = {
      KeyId: signing,
      Message: text('m'),
      SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
    };
    expect(await codeOf(kms.call('Sign', sign, grantee))).toBe('AccessDenied');
    await grant(['Sign', 'GetPublicKey'], { KeyId: signing });
    await kms.call('Sign', sign, grantee);
    await kms.call('GetPublicKey', { KeyId: signing }, grantee);
    const generate = async (caller: Caller) =>
      kms.kms.dataKeys.generate({
        keyId: KeyId,
        accountId: management,
        region: kmsRegion,
        context: { 'aws:s3:arn': 'arn:aws:s3:::b' },
        as: { kind: 'call', call: await kms.callOf(caller), via: `s3.${kmsRegion}.amazonaws.com` },
      });
    await generate(grantee);
    expect(await codeOf(generate(await kms.identity.user('other')))).toBe('AccessDenied');
  });
});

describe('who makes grants', () => {
  it('may be kept to operations, grantees and constraints by conditions', async () => {
    const Constraints = { EncryptionContextSubset: { app: 'mail' } };
    for (const [name, condition, good, bad] of [
      [
        'a',
        { 'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt'] } },
        {},
        { Operations: ['Decrypt'] },
      ],
      [
        'b',
        { StringEquals: { 'kms:GranteePrincipal': arnOf('grantee') } },
        {},
        { GranteePrincipal: arnOf('a') },
      ],
      ['c', { StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextSubset' } }, { Constraints }, {}],
      ['d', { StringEquals: { 'kms:RetiringPrincipal': arnOf('a') } }, { RetiringPrincipal: arnOf('a') }, {}],
      ['e', { Bool: { 'kms:GrantIsForAWSResource': 'false' } }, {}, undefined],
      ['f', { StringEquals: { 'kms:EncryptionContext:app': 'mail' } }, { Constraints }, {}],
    ] as const) {
      const caller = await maker(name, condition);
      await grant(['Encrypt'], good, caller);
      if (bad) expect(await codeOf(grant(['Encrypt'], bad, caller)), name).toBe('AccessDenied');
    }
  });

  it('by a grant gives no more than that allows', async () => {
    await grant(['CreateGrant', 'Encrypt'], { Constraints: { EncryptionContextSubset: { app: 'mail' } } });
    await kms.identity.user('child');
    const child = (operations: readonly string[], Constraints?: object) =>
      grant(operations, { GranteePrincipal: arnOf('child'), Constraints }, grantee);
    expect(await codeOf(child(['Encrypt']))).toBe('AccessDenied');
    expect(await codeOf(child(['Encrypt'], { EncryptionContextSubset: { app: 'web' } }))).toBe(
      'AccessDenied',
    );
    expect(await codeOf(child(['Decrypt'], { EncryptionContextSubset: { app: 'mail' } }))).toBe(
      'AccessDenied',
    );
    await child(['Encrypt'], { EncryptionContextSubset: { app: 'mail', to: 'all' } });
    await child(['Encrypt'], { EncryptionContextEquals: { app: 'mail' } });
    expect(await ids()).toHaveLength(3);
  });

  it('is told what cannot be', async () => {
    expect(await refusal(['Sign'])).toBe('ValidationException');
    expect(await refusal([])).toBe('ValidationException');
    expect(await refusal(['Encrypt'], { GranteePrincipal: arnOf('nobody') })).toBe('InvalidArnException');
    expect(await refusal(['Encrypt'], { GranteePrincipal: '*' })).toBe('InvalidArnException');
    expect(await refusal(['Encrypt'], { RetiringPrincipal: 'arn:aws:s3:::b' })).toBe('InvalidArnException');
    expect(await refusal(['Encrypt'], { GranteeServicePrincipal: 's3.amazonaws.com' })).toBe(
      'UnsupportedOperationException',
    );
    expect(await refusal(['Encrypt'], { DryRun: true })).toBe('DryRunOperationException');
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`k${at}`, 'v']));
    expect(await refusal(['Encrypt'], { Constraints: { EncryptionContextEquals: many } })).toBe(
      'ValidationException',
    );
    await kms.call('DisableKey', { KeyId });
    expect(await refusal(['Encrypt'])).toBe('DisabledException');
    expect(await ids()).toEqual([]);
  });

  it('makes one grant of the same request with a name, and two without', async () => {
    const first = await grant(['Encrypt'], { Name: 'once' });
    const again = await grant(['Encrypt'], { Name: 'once' });
    expect(again.GrantId).toBe(first.GrantId);
    expect(again.GrantToken).not.toBe(first.GrantToken);
    expect((await grant(['Encrypt', 'Decrypt'], { Name: 'once' })).GrantId).not.toBe(first.GrantId);
    await grant(['Encrypt']);
    await grant(['Encrypt']);
    expect(await ids()).toHaveLength(4);
  });
});

describe('retiring', () => {
  it('is for whom the grant names, and for the account that made it', async () => {
    const retirer = await kms.identity.user('retirer');
    const RetiringPrincipal = arnOf('retirer');
    const first = await grant(['Encrypt'], { RetiringPrincipal });
    expect(await codeOf(kms.call('RetireGrant', { GrantToken: first.GrantToken }, grantee))).toBe(
      'AccessDenied',
    );
    await kms.call('RetireGrant', { GrantToken: first.GrantToken }, retirer);
    expect(await codeOf(encrypt(grantee))).toBe('AccessDenied');

    const second = await grant(['Encrypt', 'RetireGrant']);
    await kms.call('RetireGrant', { KeyId, GrantId: second.GrantId }, grantee);

    const third = await grant(['Encrypt']);
    const delegate = await kms.identity.user('delegate', allow('kms:RetireGrant'));
    const keyAdministrator = await kms.identity.user('administrator', deny('kms:RetireGrant'));
    const retire = { KeyId, GrantId: third.GrantId };
    expect(await codeOf(kms.call('RetireGrant', retire, keyAdministrator))).toBe('AccessDenied');
    await kms.call('RetireGrant', retire, delegate);
    expect(await codeOf(kms.call('RetireGrant', retire))).toBe('NotFoundException');
    expect(await codeOf(kms.call('RetireGrant', { KeyId }))).toBe('ValidationException');
    expect(await ids()).toEqual([]);
  });
});

describe('lists of grants', () => {
  it('are of a key, of a grantee, and of who may retire them, in pages', async () => {
    await kms.identity.user('other');
    const RetiringPrincipal = arnOf('other');
    const Constraints = { EncryptionContextEquals: { app: 'mail' } };
    const { GrantId } = await grant(['Encrypt'], { RetiringPrincipal, Constraints, Name: 'mail' });
    await grant(['Encrypt'], { GranteePrincipal: arnOf('other') });
    expect((await kms.call('ListGrants', { KeyId, GrantId })).Grants).toEqual([
      {
        KeyId: `arn:aws:kms:${kmsRegion}:${management}:key/${KeyId}`,
        GrantId,
        Name: 'mail',
        CreationDate: expect.any(Date),
        GranteePrincipal: arnOf('grantee'),
        RetiringPrincipal,
        IssuingAccount: `arn:aws:iam::${management}:root`,
        Operations: ['Encrypt'],
        Constraints,
      },
    ]);
    expect(await ids({ GranteePrincipal: arnOf('grantee') })).toEqual([GrantId]);
    const first = await kms.call('ListGrants', { KeyId, Limit: 1 });
    expect(first).toMatchObject({ Truncated: true, Grants: [{}] });
    expect(await ids({ Limit: 1, Marker: first.NextMarker })).toHaveLength(1);
    const retirable = await kms.call('ListRetirableGrants', { RetiringPrincipal });
    expect(retirable).toMatchObject({ Truncated: false, Grants: [{ GrantId }] });
    const stranger = await kms.identity.account(accountId('111111111111'));
    expect(await codeOf(kms.call('ListRetirableGrants', { RetiringPrincipal }, stranger))).toBe(
      'ValidationException',
    );
    expect(await codeOf(kms.call('ListGrants', { KeyId }, grantee))).toBe('AccessDenied');
  });

  it('end with their key', async () => {
    const { GrantToken } = await grant(['Encrypt'], { RetiringPrincipal: arnOf('grantee') });
    await kms.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await kms.identity.clock.advance(8 * 86_400_000);
    await kms.kms.settle();
    expect(await kms.identity.state.list('kms/grant')).toEqual([]);
    expect(await kms.identity.state.list('kms/retirable')).toEqual([]);
    expect(await codeOf(kms.call('RetireGrant', { GrantToken }))).toBe('InvalidGrantTokenException');
  });
});
