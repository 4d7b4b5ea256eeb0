import { constants, createPublicKey, sign as signWith, verify as verifyWith, createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { region } from '../../kernel/index.ts';
import { faultOf, management } from '../../../test/identity-fixture.ts';
import { kmsRegion, openKmsFixture, type KmsFixture } from '../../../test/kms-fixture.ts';

const dayMs = 86_400_000;
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

describe('encryption', () => {
  it('gives back what was encrypted, under the same context alone, and names the key', async () => {
    const KeyId = await kms.key();
    const EncryptionContext = { purpose: 'test', b: 'c' };
    const { CiphertextBlob, KeyId: arn } = await kms.call('Encrypt', {
      KeyId,
      Plaintext: text('secret'),
      EncryptionContext,
    });
    expect(arn).toBe(arnOf(KeyId));
    expect(Buffer.from(CiphertextBlob).includes('secret')).toBe(false);
    const opened = await kms.call('Decrypt', {
      CiphertextBlob,
      EncryptionContext: { b: 'c', purpose: 'test' },
    });
    expect(Buffer.from(opened.Plaintext).toString()).toBe('secret');
    expect(opened.KeyId).toBe(arn);
    for (const other of [
      undefined,
      {},
      { purpose: 'test' },
      { purpose: 'test', b: 'd' },
      { ...EncryptionContext, x: '' },
    ]) {
      expect(await codeOf(kms.call('Decrypt', { CiphertextBlob, EncryptionContext: other }))).toBe(
        'InvalidCiphertextException',
      );
    }
  });

  it('finds any flipped bit of a ciphertext', async () => {
    const KeyId = await kms.key();
    const { CiphertextBlob } = await kms.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    for (let bit = 0; bit < CiphertextBlob.length * 8; bit += 1) {
      const changed = Buffer.from(CiphertextBlob);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(await codeOf(kms.call('Decrypt', { CiphertextBlob: changed })), `bit ${bit}`).toMatch(
        /^(InvalidCiphertextException|AccessDenied|InvalidArnException)$/,
      );
    }
  });

  it('refuses what is no ciphertext', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (CiphertextBlob) => {
        expect(await codeOf(kms.call('Decrypt', { CiphertextBlob }))).toBe('InvalidCiphertextException');
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('is read by the key that the request names, or refused', async () => {
    const [one, other] = [await kms.key(), await kms.key()];
    const { CiphertextBlob } = await kms.call('Encrypt', { KeyId: one, Plaintext: text('x') });
    expect((await kms.call('Decrypt', { CiphertextBlob, KeyId: one })).KeyId).toBe(arnOf(one));
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob, KeyId: other }))).toBe('IncorrectKeyException');
  });

  it('moves from one key and context to another', async () => {
    const [from, to] = [await kms.key(), await kms.key()];
    const { CiphertextBlob } = await kms.call('Encrypt', {
      KeyId: from,
      Plaintext: text('moved'),
      EncryptionContext: { a: '1' },
    });
    const moved = await kms.call('ReEncrypt', {
      CiphertextBlob,
      SourceEncryptionContext: { a: '1' },
      DestinationKeyId: to,
      DestinationEncryptionContext: { b: '2' },
    });
    expect(moved).toMatchObject({ SourceKeyId: arnOf(from), KeyId: arnOf(to) });
    const opened = await kms.call('Decrypt', {
      CiphertextBlob: moved.CiphertextBlob,
      EncryptionContext: { b: '2' },
    });
    expect(Buffer.from(opened.Plaintext).toString()).toBe('moved');
  });

  it('makes data keys and random bytes of the sizes asked for', async () => {
    const KeyId = await kms.key();
    const made = await kms.call('GenerateDataKey', { KeyId, NumberOfBytes: 100 });
    expect(made.Plaintext).toHaveLength(100);
    const opened = await kms.call('Decrypt', { CiphertextBlob: made.CiphertextBlob });
    expect(Buffer.from(opened.Plaintext)).toEqual(Buffer.from(made.Plaintext));
    const sealed = await kms.call('GenerateDataKeyWithoutPlaintext', { KeyId });
    expect(sealed).not.toHaveProperty('Plaintext');
    expect((await kms.call('Decrypt', { CiphertextBlob: sealed.CiphertextBlob })).Plaintext).toHaveLength(32);
    expect((await kms.call('GenerateRandom', { NumberOfBytes: 1024 })).Plaintext).toHaveLength(1024);
    expect(await codeOf(kms.call('GenerateDataKey', { KeyId }))).toBe('ValidationException');
    const pair = await kms.call('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' });
    const key = { key: Buffer.from(pair.PrivateKeyPlaintext), format: 'der', type: 'pkcs8' } as const;
    const publicKey = createPublicKey({ key: Buffer.from(pair.PublicKey), format: 'der', type: 'spki' });
    const signature = signWith('sha256', text('m'), key);
    expect(verifyWith('sha256', text('m'), publicKey, signature)).toBe(true);
    const again = await kms.call('Decrypt', { CiphertextBlob: pair.PrivateKeyCiphertextBlob });
    expect(Buffer.from(again.Plaintext)).toEqual(key.key);
  });

  it('needs a key that is enabled, of the right kind', async () => {
    const KeyId = await kms.key();
    const rsa = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const { CiphertextBlob } = await kms.call('Encrypt', { KeyId, Plaintext: text('x') });
    expect(await codeOf(kms.call('Encrypt', { KeyId: rsa, Plaintext: text('x') }))).toBe(
      'InvalidKeyUsageException',
    );
    await kms.call('DisableKey', { KeyId });
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob }))).toBe('DisabledException');
    expect((await kms.call('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({
      Enabled: false,
      KeyState: 'Disabled',
    });
    await kms.call('EnableKey', { KeyId });
    await kms.call('Decrypt', { CiphertextBlob });
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob, DryRun: true }))).toBe(
      'DryRunOperationException',
    );
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob, GrantTokens: ['t'] }))).toBe(
      'InvalidGrantTokenException',
    );
  });

  it('keeps no plain key in control state', async () => {
    const KeyId = await kms.key();
    const made = await kms.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    const documents = JSON.stringify(await kms.identity.state.list('kms/'));
    for (const form of ['hex', 'base64', 'base64url'] as const) {
      expect(documents).not.toContain(Buffer.from(made.Plaintext).toString(form));
    }
    expect(documents).toContain('"sealed"');
  });
});

describe('signatures', () => {
  const schemes = [
    ['RSASSA_PSS_SHA_256', 'sha256', constants.RSA_PKCS1_PSS_PADDING],
    ['RSASSA_PSS_SHA_384', 'sha384', constants.RSA_PKCS1_PSS_PADDING],
    ['RSASSA_PSS_SHA_512', 'sha512', constants.RSA_PKCS1_PSS_PADDING],
    ['RSASSA_PKCS1_V1_5_SHA_256', 'sha256', constants.RSA_PKCS1_PADDING],
    ['RSASSA_PKCS1_V1_5_SHA_384', 'sha384', constants.RSA_PKCS1_PADDING],
    ['RSASSA_PKCS1_V1_5_SHA_512', 'sha512', constants.RSA_PKCS1_PADDING],
  ] as const;

  it('are those of the library, over messages and over digests', async () => {
    const KeyId = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const shown = await kms.call('GetPublicKey', { KeyId });
    const key = createPublicKey({ key: Buffer.from(shown.PublicKey), format: 'der', type: 'spki' });
    const Message = text('the message');
    for (const [SigningAlgorithm, hash, padding] of schemes) {
      const digest = createHash(hash).update(Message).digest();
      const raw = await kms.call('Sign', { KeyId, Message, SigningAlgorithm });
      const digested = await kms.call('Sign', {
        KeyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm,
      });
      const options = { key, padding, saltLength: digest.length };
      for (const { Signature } of [raw, digested]) {
        expect(verifyWith(hash, Message, options, Signature), SigningAlgorithm).toBe(true);
        const valid = await kms.call('Verify', { KeyId, Message, Signature, SigningAlgorithm });
        expect(valid).toMatchObject({ SignatureValid: true, KeyId: arnOf(KeyId) });
        for (const at of [0, 100, 255]) {
          const changed = Buffer.from(Signature);
          changed[at]! ^= 1;
          const verify = kms.call('Verify', { KeyId, Message, Signature: changed, SigningAlgorithm });
          expect(await codeOf(verify)).toBe('KMSInvalidSignatureException');
        }
        const other = kms.call('Verify', { KeyId, Message: text('another'), Signature, SigningAlgorithm });
        expect(await codeOf(other)).toBe('KMSInvalidSignatureException');
      }
    }
    const short = {
      KeyId,
      Message: text('short'),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'RSASSA_PSS_SHA_256',
    };
    expect(await codeOf(kms.call('Sign', short))).toBe('ValidationException');
  });

  it('are not made by symmetric keys, which show no public key', async () => {
    const KeyId = await kms.key();
    const sign = { KeyId, Message: text('m'), SigningAlgorithm: 'RSASSA_PSS_SHA_256' };
    expect(await codeOf(kms.call('Sign', sign))).toBe('InvalidKeyUsageException');
    expect(await codeOf(kms.call('GetPublicKey', { KeyId }))).toBe('UnsupportedOperationException');
  });
});

describe('the life of a key', () => {
  it('begins as asked for, and refuses by name what is absent', async () => {
    const Tags = [{ TagKey: 'team', TagValue: 'a' }];
    const { KeyMetadata } = await kms.call('CreateKey', { Description: 'mine', Tags });
    expect(KeyMetadata).toMatchObject({
      Arn: arnOf(KeyMetadata.KeyId),
      Description: 'mine',
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    });
    expect((await kms.call('ListResourceTags', { KeyId: KeyMetadata.KeyId })).Tags).toEqual(Tags);
    for (const input of [
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
      { Origin: 'EXTERNAL' },
      { MultiRegion: true },
      { CustomKeyStoreId: 'cks-1' },
    ]) {
      expect(await codeOf(kms.call('CreateKey', input))).toBe('UnsupportedOperationException');
    }
    expect(await codeOf(kms.call('CreateKey', { KeySpec: 'RSA_2048' }))).toBe('ValidationException');
  });

  it('ends when its waiting period is over, with everything encrypted under it', async () => {
    const KeyId = await kms.key();
    await kms.call('CreateAlias', { AliasName: 'alias/doomed', TargetKeyId: KeyId });
    const { CiphertextBlob } = await kms.call('Encrypt', { KeyId, Plaintext: text('x') });
    expect(await codeOf(kms.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 6 }))).toBe(
      'ValidationException',
    );
    const scheduled = await kms.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    expect(scheduled.DeletionDate.getTime()).toBe(kms.identity.clock.now() + 7 * dayMs);
    for (const operation of [
      'EnableKey',
      'ScheduleKeyDeletion',
      'EnableKeyRotation',
      'GetKeyRotationStatus',
    ]) {
      expect(await codeOf(kms.call(operation, { KeyId })), operation).toBe('KMSInvalidStateException');
    }
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob }))).toBe('KMSInvalidStateException');

    await kms.identity.clock.advance(7 * dayMs - 1000);
    await kms.call('CancelKeyDeletion', { KeyId });
    await kms.call('EnableKey', { KeyId });
    await kms.call('Decrypt', { CiphertextBlob });

    await kms.call('ScheduleKeyDeletion', { KeyId });
    await kms.identity.clock.advance(30 * dayMs - 1000);
    await kms.kms.settle();
    expect((await kms.call('DescribeKey', { KeyId: 'alias/doomed' })).KeyMetadata.KeyState).toBe(
      'PendingDeletion',
    );
    await kms.identity.clock.advance(1000);
    await kms.kms.settle();
    expect(await codeOf(kms.call('DescribeKey', { KeyId }))).toBe('NotFoundException');
    expect(await codeOf(kms.call('Decrypt', { CiphertextBlob }))).toBe('AccessDenied');
    expect((await kms.call('ListAliases')).Aliases).toEqual([]);
    expect(await kms.identity.state.list('kms/')).toEqual([]);
  });

  it('keeps old ciphertexts readable over rotations, by itself and on demand', async () => {
    const KeyId = await kms.key();
    const seal = () => kms.call('Encrypt', { KeyId, Plaintext: text('kept') });
    const blobs = [await seal()];
    await kms.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    await kms.identity.clock.advance(90 * dayMs);
    await kms.kms.settle();
    blobs.push(await seal());
    await kms.call('RotateKeyOnDemand', { KeyId });
    blobs.push(await seal());
    const materials = new Set<string>();
    for (const { CiphertextBlob } of blobs) {
      const opened = await kms.call('Decrypt', { CiphertextBlob });
      expect(Buffer.from(opened.Plaintext).toString()).toBe('kept');
      materials.add(opened.KeyMaterialId);
    }
    expect(materials.size).toBe(3);
    const { Rotations } = await kms.call('ListKeyRotations', { KeyId });
    expect(Rotations.map((one: { RotationType: string }) => one.RotationType)).toEqual([
      'AUTOMATIC',
      'ON_DEMAND',
    ]);
    expect(
      (await kms.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).Rotations,
    ).toHaveLength(3);
    const status = await kms.call('GetKeyRotationStatus', { KeyId });
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    expect(status.NextRotationDate.getTime()).toBe(kms.identity.clock.now() + 90 * dayMs);
  });

  it('is not rotated while disabled, and at once when it is enabled after its time', async () => {
    const KeyId = await kms.key();
    await kms.call('EnableKeyRotation', { KeyId });
    await kms.call('DisableKey', { KeyId });
    await kms.identity.clock.advance(400 * dayMs);
    await kms.kms.settle();
    expect((await kms.call('ListKeyRotations', { KeyId })).Rotations).toEqual([]);
    await kms.call('EnableKey', { KeyId });
    await kms.kms.settle();
    expect((await kms.call('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1);
  });
});

describe('aliases and lists', () => {
  it('name keys, move, and go', async () => {
    const [one, two] = [await kms.key(), await kms.key()];
    const rsa = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const AliasName = 'alias/team/data';
    await kms.call('CreateAlias', { AliasName, TargetKeyId: one });
    expect(await codeOf(kms.call('CreateAlias', { AliasName, TargetKeyId: two }))).toBe(
      'AlreadyExistsException',
    );
    expect(await codeOf(kms.call('CreateAlias', { AliasName: 'alias/aws/mine', TargetKeyId: two }))).toBe(
      'InvalidAliasNameException',
    );
    expect((await kms.call('DescribeKey', { KeyId: AliasName })).KeyMetadata.KeyId).toBe(one);
    await kms.call('UpdateAlias', { AliasName, TargetKeyId: two });
    const aliasArn = `arn:aws:kms:${kmsRegion}:${management}:${AliasName}`;
    expect((await kms.call('DescribeKey', { KeyId: aliasArn })).KeyMetadata.KeyId).toBe(two);
    expect(await codeOf(kms.call('UpdateAlias', { AliasName, TargetKeyId: rsa }))).toBe(
      'ValidationException',
    );
    expect((await kms.call('ListAliases', { KeyId: one })).Aliases).toEqual([]);
    expect((await kms.call('ListAliases', { KeyId: two })).Aliases).toMatchObject([
      { AliasName, AliasArn: aliasArn },
    ]);
    expect(await codeOf(kms.call('DisableKey', { KeyId: AliasName }))).toBe('NotFoundException');
    await kms.call('DeleteAlias', { AliasName });
    expect(await codeOf(kms.call('DescribeKey', { KeyId: AliasName }))).toBe('NotFoundException');
    expect(await codeOf(kms.call('DescribeKey', { KeyId: arnOf(one) }, undefined, region('us-west-2')))).toBe(
      'NotFoundException',
    );
  });

  it('come in pages', async () => {
    const made = [];
    for (let n = 0; n < 5; n += 1) made.push(await kms.key());
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.call('ListKeys', { Limit: 2, Marker });
      found.push(...page.Keys.map((key: { KeyId: string }) => key.KeyId));
      expect(page.Truncated).toBe(page.NextMarker !== undefined);
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(found.toSorted()).toEqual(made.toSorted());
    expect(await codeOf(kms.call('ListKeys', { Marker: 'not one' }))).toBe('InvalidMarkerException');
  });

  it('tags are added, replaced and taken away', async () => {
    const KeyId = await kms.key({ Tags: [{ TagKey: 'a', TagValue: '1' }] });
    await kms.call('TagResource', {
      KeyId,
      Tags: [
        { TagKey: 'a', TagValue: '2' },
        { TagKey: 'b', TagValue: '' },
      ],
    });
    await kms.call('UntagResource', { KeyId, TagKeys: ['b', 'c'] });
    expect((await kms.call('ListResourceTags', { KeyId })).Tags).toEqual([{ TagKey: 'a', TagValue: '2' }]);
    expect(await codeOf(kms.call('TagResource', { KeyId, Tags: [{ TagKey: 'aws:x', TagValue: '' }] }))).toBe(
      'TagException',
    );
  });
});
