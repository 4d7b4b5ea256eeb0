import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId } from '../../kernel/index.ts';
import { allow, deny, faultOf, management } from '../../../test/identity-fixture.ts';
import { kmsRegion, openKmsFixture, type KmsFixture } from '../../../test/kms-fixture.ts';

const text = (value: string) => new TextEncoder().encode(value);

let kms: KmsFixture;
beforeEach(async () => {
  kms = await openKmsFixture();
});
afterEach(async () => {
  await kms[Symbol.asyncDispose]();
});

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const arnOf = (id: string) => `arn:aws:kms:${kmsRegion}:${management}:key/${id}`;
const policy = (...statements: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const delegating = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${management}:root` },
  Action: 'kms:*',
  Resource: '*',
};

describe('who may', () => {
  it('IAM policies count where the key policy delegates to the account, and only there', async () => {
    const user = await kms.identity.user('u', allow('kms:*'));
    const nobody = await kms.identity.user('nobody');
    const KeyId = await kms.key();
    const encrypt = (caller: typeof user, key = KeyId) =>
      kms.call('Encrypt', { KeyId: key, Plaintext: text('x') }, caller);
    await encrypt(user);
    expect(await codeOf(encrypt(nobody))).toBe('AccessDenied');

    const arn = `arn:aws:iam::${management}:user/nobody`;
    const Policy = policy({ Effect: 'Allow', Principal: { AWS: arn }, Action: 'kms:Encrypt', Resource: '*' });
    const own = await kms.key({ Policy, BypassPolicyLockoutSafetyCheck: true });
    await encrypt(nobody, own);
    expect(await codeOf(encrypt(user, own))).toBe('AccessDenied');
    // Not even the account's root.
    expect(await codeOf(kms.call('DescribeKey', { KeyId: own }))).toBe('AccessDenied');

    const denied = await kms.identity.user('denied', deny('kms:*'));
    const all = await kms.key({
      Policy: policy(delegating, { ...delegating, Principal: '*', Action: 'kms:Encrypt' }),
    });
    await encrypt(nobody, all);
    expect(await codeOf(encrypt(denied, all))).toBe('AccessDenied');
  });

  it('a key policy must leave a way to change it, unless the check is bypassed', async () => {
    const Policy = policy({ ...delegating, Action: 'kms:Encrypt' });
    expect(await codeOf(kms.call('CreateKey', { Policy }))).toBe('MalformedPolicyDocumentException');
    const KeyId = await kms.key();
    expect(await codeOf(kms.call('PutKeyPolicy', { KeyId, Policy }))).toBe(
      'MalformedPolicyDocumentException',
    );
    expect(await codeOf(kms.call('PutKeyPolicy', { KeyId, Policy: '{"Statement":[]' }))).toBe(
      'MalformedPolicyDocumentException',
    );
    await kms.call('PutKeyPolicy', { KeyId, Policy: policy(delegating) });
    expect((await kms.call('GetKeyPolicy', { KeyId })).Policy).toBe(policy(delegating));
    await kms.call('PutKeyPolicy', { KeyId, Policy, BypassPolicyLockoutSafetyCheck: true });
    expect(await codeOf(kms.call('PutKeyPolicy', { KeyId, Policy: policy(delegating) }))).toBe(
      'AccessDenied',
    );
  });

  it('conditions see the encryption context, aliases, spec and tags', async () => {
    const KeyId = await kms.key({ Tags: [{ TagKey: 'class', TagValue: 'open' }] });
    await kms.call('CreateAlias', { AliasName: 'alias/app', TargetKeyId: KeyId });
    const under = async (Condition: unknown, input: object = {}) => {
      const Policy = policy(delegating, {
        Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:Encrypt', Resource: '*', Condition,
      }); // prettier-ignore
      await kms.call('PutKeyPolicy', { KeyId, Policy });
      return kms.call('Encrypt', { KeyId, Plaintext: text('x'), ...input }).then(
        () => 'allowed',
        (error: { code: string }) => error.code,
      );
    };
    const context = { EncryptionContext: { app: 'mail' } };
    for (const [condition, input] of [
      [{ StringEquals: { 'kms:EncryptionContext:app': 'mail' } }, context],
      [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'app' } }, context],
      [{ StringEquals: { 'kms:RequestAlias': 'alias/app' } }, { KeyId: 'alias/app' }],
      [{ 'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/a*' } }, {}],
      [{ StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } }, {}],
      [{ StringEquals: { 'kms:CallerAccount': management } }, {}],
      [{ StringEquals: { 'aws:ResourceTag/class': 'open' } }, {}],
      [{ Null: { 'kms:ViaService': 'true' } }, {}],
    ] as const) {
      expect(await under(condition, input), JSON.stringify(condition)).toBe('AccessDenied');
    }
    expect(await under({ StringEquals: { 'kms:EncryptionContext:app': 'mail' } })).toBe('allowed');
    expect(await under({ StringEquals: { 'kms:RequestAlias': 'alias/app' } })).toBe('allowed');
  });

  it('other accounts use a key that lets them in, and never manage it', async () => {
    const stranger = await kms.identity.account(accountId('111111111111'));
    const Policy = policy(delegating, {
      ...delegating,
      Principal: { AWS: '111111111111' },
    });
    const open = arnOf(await kms.key({ Policy }));
    const closed = arnOf(await kms.key());
    const Plaintext = text('x');
    const { CiphertextBlob } = await kms.call('Encrypt', { KeyId: open, Plaintext }, stranger);
    await kms.call('Decrypt', { CiphertextBlob }, stranger);
    for (const operation of [
      'DisableKey',
      'ScheduleKeyDeletion',
      'GetKeyPolicy',
      'ListResourceTags',
      'RotateKeyOnDemand',
    ]) {
      expect(await codeOf(kms.call(operation, { KeyId: open }, stranger)), operation).toBe('AccessDenied');
    }
    for (const operation of ['DescribeKey', 'GetPublicKey', 'GenerateDataKey']) {
      expect(await codeOf(kms.call(operation, { KeyId: closed, KeySpec: 'AES_256' }, stranger))).toBe(
        'AccessDenied',
      );
    }
    const absent = arnOf('00000000-0000-4000-8000-000000000000');
    expect(await codeOf(kms.call('DescribeKey', { KeyId: absent }, stranger))).toBe('AccessDenied');
    expect(await codeOf(kms.call('DescribeKey', { KeyId: absent }))).toBe('NotFoundException');
    expect(await codeOf(kms.call('ListAliases', { KeyId: open }, stranger))).toBe('NotFoundException');
  });
});

describe('data keys of other services', () => {
  const place = { accountId: management, region: kmsRegion };
  const context = { 'aws:s3:arn': 'arn:aws:s3:::logs' };

  it('come from the key of the account for S3, through S3 alone', async () => {
    const user = await kms.identity.user('u');
    const as = { kind: 'call', call: await kms.callOf(user), via: `s3.${kmsRegion}.amazonaws.com` } as const;
    const [made, again] = await Promise.all(
      ['aws/s3', 'alias/aws/s3'].map((keyId) => kms.kms.dataKeys.generate({ keyId, ...place, context, as })),
    );
    expect(made!.keyArn).toBe(again!.keyArn);
    expect(made!.plaintext).toHaveLength(32);
    expect(
      Buffer.from(await kms.kms.dataKeys.decrypt({ ciphertext: made!.ciphertext, context, as })),
    ).toEqual(Buffer.from(made!.plaintext));
    const elsewhere = { ...as, via: 's3.us-west-2.amazonaws.com' };
    const { ciphertext } = made!;
    expect(await codeOf(kms.kms.dataKeys.decrypt({ ciphertext, context, as: elsewhere }))).toBe(
      'AccessDenied',
    );
    expect(
      await codeOf(kms.call('Decrypt', { CiphertextBlob: ciphertext, EncryptionContext: context })),
    ).toBe('AccessDenied');
    expect(await codeOf(kms.kms.dataKeys.decrypt({ ciphertext, context: {}, as }))).toBe(
      'InvalidCiphertextException',
    );
    const { KeyMetadata } = await kms.call('DescribeKey', { KeyId: 'alias/aws/s3' });
    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', Arn: made!.keyArn });
    expect(await codeOf(kms.call('DisableKey', { KeyId: KeyMetadata.KeyId }))).toBe('AccessDenied');
  });

  it('are for services that the key policy names', async () => {
    const caller = {
      service: 'cloudtrail.amazonaws.com',
      sourceArn: 'arn:aws:cloudtrail:eu-central-1:000000000000:trail/t',
      sourceAccountId: management,
      region: kmsRegion,
      time: kms.identity.clock.now(),
    };
    const as = { kind: 'service', caller } as const;
    const keyId = await kms.key();
    expect(await codeOf(kms.kms.dataKeys.generate({ keyId, ...place, context, as }))).toBe('AccessDenied');
    const Policy = policy(delegating, {
      Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 'kms:GenerateDataKey*', Resource: '*',
      Condition: { StringEquals: { 'aws:SourceArn': caller.sourceArn, 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::logs' } },
    }); // prettier-ignore
    await kms.call('PutKeyPolicy', { KeyId: keyId, Policy });
    const { ciphertext } = await kms.kms.dataKeys.generate({ keyId, ...place, context, as });
    expect(await codeOf(kms.kms.dataKeys.decrypt({ ciphertext, context, as }))).toBe('AccessDenied');
    expect(await codeOf(kms.kms.dataKeys.generate({ keyId, ...place, context: {}, as }))).toBe(
      'AccessDenied',
    );
    expect(await codeOf(kms.kms.dataKeys.keyArn({ keyId: 'alias/none', ...place }))).toBe(
      'NotFoundException',
    );
    expect(await kms.kms.dataKeys.keyArn({ keyId, ...place })).toBe(arnOf(keyId));
  });
});
