import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../../test/bucket-fixture.ts';
import { allow, faultOf } from '../../../../test/identity-fixture.ts';
import { bucketKey, readBucket } from '../bucket-documents.ts';

let s3: BucketFixture;
const Bucket = 'bucket';
beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket(Bucket);
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const call = (name: string, input: object = {}) => s3.call(name, { Bucket, ...input });
const putEncryption = (rule: object) =>
  call('PutBucketEncryption', { ServerSideEncryptionConfiguration: { Rules: [rule] } });
const shownEncryption = async () =>
  (await call('GetBucketEncryption')).ServerSideEncryptionConfiguration.Rules[0];
const putRetention = (DefaultRetention?: object) =>
  call('PutObjectLockConfiguration', {
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      ...(DefaultRetention && { Rule: { DefaultRetention } }),
    },
  });

describe('tags', () => {
  it('are there from the first put to the delete', async () => {
    expect(await codeOf(call('GetBucketTagging'))).toBe('NoSuchTagSet');
    const TagSet = [
      { Key: 'team', Value: 'security' },
      { Key: 'empty', Value: '' },
    ];
    await call('PutBucketTagging', { Tagging: { TagSet } });
    expect(await call('GetBucketTagging')).toEqual({ TagSet });
    await call('DeleteBucketTagging');
    expect(await codeOf(call('GetBucketTagging'))).toBe('NoSuchTagSet');
  });

  it.each([
    ['InvalidTag', [{ Key: '', Value: '' }]],
    ['InvalidTag', [{ Key: 'aws:x', Value: '' }]],
    ['InvalidTag', [{ Key: 'a'.repeat(129), Value: '' }]],
    ['InvalidTag', [{ Key: 'a', Value: 'b'.repeat(257) }]],
    [
      'InvalidTag',
      [
        { Key: 'a', Value: '1' },
        { Key: 'a', Value: '2' },
      ],
    ],
    ['BadRequest', Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' }))],
  ])('are refused with %s: %j', async (code, TagSet) => {
    expect(await codeOf(call('PutBucketTagging', { Tagging: { TagSet } }))).toBe(code);
  });
});

describe('default encryption', () => {
  it('is AES256 unless it is set, and again when it is deleted', async () => {
    const usual = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false };
    expect(await shownEncryption()).toEqual(usual);
    const kms = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'alias/logs' },
      BucketKeyEnabled: true,
      BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
    };
    await putEncryption(kms);
    expect(await shownEncryption()).toEqual(kms);
    await call('DeleteBucketEncryption');
    expect(await shownEncryption()).toEqual(usual);
  });

  it('is refused where it cannot be', async () => {
    const key = { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'x' };
    expect(await codeOf(putEncryption({ ApplyServerSideEncryptionByDefault: key }))).toBe('InvalidArgument');
    const dsse = { SSEAlgorithm: 'aws:kms:dsse' };
    expect(await codeOf(putEncryption({ ApplyServerSideEncryptionByDefault: dsse }))).toBe('NotImplemented');
    const none = { ServerSideEncryptionConfiguration: { Rules: [] } };
    expect(await codeOf(call('PutBucketEncryption', none))).toBe('MalformedXML');
  });
});

describe('ownership and ACLs', () => {
  it('knows one ACL, and takes it where ACLs are on', async () => {
    const { Owner, Grants } = await call('GetBucketAcl');
    expect(Grants).toEqual([
      { Grantee: { Type: 'CanonicalUser', ID: Owner.ID }, Permission: 'FULL_CONTROL' },
    ]);
    expect(await codeOf(call('PutBucketAcl', { ACL: 'private' }))).toBe('AccessControlListNotSupported');
    const OwnershipControls = { Rules: [{ ObjectOwnership: 'ObjectWriter' }] };
    await call('PutBucketOwnershipControls', { OwnershipControls });
    await call('PutBucketAcl', { ACL: 'private' });
    await call('PutBucketAcl', { AccessControlPolicy: { Owner, Grants } });
    expect(await codeOf(call('PutBucketAcl', { ACL: 'public-read' }))).toBe('NotImplemented');
    expect(await codeOf(call('PutBucketAcl', { GrantRead: `id=${Owner.ID}` }))).toBe('NotImplemented');
    const foreign = [{ Grantee: { Type: 'CanonicalUser', ID: 'x' }, Permission: 'READ' }];
    const AccessControlPolicy = { Owner, Grants: foreign };
    expect(await codeOf(call('PutBucketAcl', { AccessControlPolicy }))).toBe('NotImplemented');
  });

  it('has no ownership controls once they are deleted', async () => {
    await call('DeleteBucketOwnershipControls');
    expect(await codeOf(call('GetBucketOwnershipControls'))).toBe('OwnershipControlsNotFoundError');
    const OwnershipControls = { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] };
    await call('PutBucketOwnershipControls', { OwnershipControls });
    expect(await call('GetBucketOwnershipControls')).toEqual({ OwnershipControls });
  });
});

describe('object lock', () => {
  beforeEach(() => call('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled' } }));

  it('comes to a bucket with versions, and stays', async () => {
    await s3.bucket('plain');
    const configuration = { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } };
    const plain = s3.call('PutObjectLockConfiguration', { Bucket: 'plain', ...configuration });
    expect(await codeOf(plain)).toBe('InvalidBucketState');
    expect(await codeOf(call('GetObjectLockConfiguration'))).toBe('ObjectLockConfigurationNotFoundError');
    await putRetention({ Mode: 'COMPLIANCE', Years: 7 });
    expect(await call('GetObjectLockConfiguration')).toEqual({
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Years: 7 } },
      },
    });
    await putRetention();
    expect(await call('GetObjectLockConfiguration')).toEqual(configuration);
    const suspend = { VersioningConfiguration: { Status: 'Suspended' } };
    expect(await codeOf(call('PutBucketVersioning', suspend))).toBe('InvalidBucketState');
  });

  it.each([
    ['MalformedXML', { Mode: 'COMPLIANCE' }],
    ['MalformedXML', { Days: 1 }],
    ['MalformedXML', { Mode: 'GOVERNANCE', Days: 1, Years: 1 }],
    ['InvalidArgument', { Mode: 'GOVERNANCE', Days: 0 }],
    ['InvalidRetentionPeriod', { Mode: 'GOVERNANCE', Days: 36_501 }],
    ['InvalidRetentionPeriod', { Mode: 'GOVERNANCE', Years: 101 }],
  ])('is refused with %s: %j', async (code, retention) => {
    expect(await codeOf(putRetention(retention))).toBe(code);
  });

  it('by default protects what is put', async () => {
    await putRetention({ Mode: 'GOVERNANCE', Days: 1 });
    await s3.put(Bucket, 'a');
    const { readCurrent } = await import('../object-documents.ts');
    const version = await readCurrent(s3.state, Bucket, 'a');
    expect(version?.retention).toEqual({ mode: 'GOVERNANCE', until: s3.clock.now() + 86_400_000 });
  });
});

describe('notifications', () => {
  it('to what does not exist are refused, and none is taken', async () => {
    const put = (NotificationConfiguration: object, over: object = {}) =>
      call('PutBucketNotificationConfiguration', { NotificationConfiguration, ...over });
    const topic = { TopicArn: 'arn:aws:sns:eu-central-1:000000000000:t', Events: ['s3:ObjectCreated:*'] };
    expect(await codeOf(put({ TopicConfigurations: [topic] }))).toBe('InvalidArgument');
    const unchecked = put({ TopicConfigurations: [topic] }, { SkipDestinationValidation: true });
    expect(await codeOf(unchecked)).toBe('NotImplemented');
    expect(await call('GetBucketNotificationConfiguration')).toEqual({});
    await put({});
    expect(await call('GetBucketNotificationConfiguration')).toEqual({});
  });

  it('to EventBridge that a version of before took are on until another configuration is put', async () => {
    const bucket = await readBucket(s3.state, Bucket);
    const change = s3.state.begin();
    change.put(bucketKey(Bucket), { ...bucket, notification: { EventBridgeConfiguration: {} } });
    await s3.state.commit(change, []);
    expect(await call('GetBucketNotificationConfiguration')).toEqual({ EventBridgeConfiguration: {} });
    const { end } = s3.identity.stream;
    await s3.put(Bucket, 'a');
    const kinds: string[] = [];
    for await (const { entries } of s3.identity.stream.read(end))
      kinds.push(...entries.map(({ kind }) => kind));
    expect(kinds).toEqual(['change', 'event']);
    await call('PutBucketNotificationConfiguration', { NotificationConfiguration: {} });
    expect(await call('GetBucketNotificationConfiguration')).toEqual({});
  });
});

describe('what no bucket has', () => {
  it('is answered as S3 answers it for a bucket without', async () => {
    expect(await call('GetBucketAccelerateConfiguration')).toEqual({});
    expect(await call('GetBucketLogging')).toEqual({});
    expect(await call('GetBucketRequestPayment')).toEqual({ Payer: 'BucketOwner' });
    expect(await codeOf(call('GetBucketWebsite'))).toBe('NoSuchWebsiteConfiguration');
    expect(await codeOf(call('GetBucketCors'))).toBe('NoSuchCORSConfiguration');
    expect(await codeOf(call('GetBucketReplication'))).toBe('ReplicationConfigurationNotFoundError');
    expect(await codeOf(s3.call('GetBucketCors', { Bucket: 'none' }))).toBe('NoSuchBucket');
  });
});

describe('versioning', () => {
  it('is enabled and suspended, and never with MFA delete', async () => {
    const put = (VersioningConfiguration: object) => call('PutBucketVersioning', { VersioningConfiguration });
    await put({ Status: 'Enabled' });
    await put({ Status: 'Suspended' });
    expect(await call('GetBucketVersioning')).toEqual({ Status: 'Suspended' });
    expect(await codeOf(put({ Status: 'Enabled', MFADelete: 'Enabled' }))).toBe('NotImplemented');
    expect(await codeOf(put({}))).toBe('MalformedXML');
  });
});

// "Actions, resources, and condition keys for Amazon S3".
it.each([
  ['GetBucketTagging', 's3:GetBucketTagging'],
  ['DeleteBucketTagging', 's3:PutBucketTagging'],
  ['GetBucketEncryption', 's3:GetEncryptionConfiguration'],
  ['DeleteBucketEncryption', 's3:PutEncryptionConfiguration'],
  ['GetBucketLifecycleConfiguration', 's3:GetLifecycleConfiguration'],
  ['DeleteBucketLifecycle', 's3:PutLifecycleConfiguration'],
  ['GetPublicAccessBlock', 's3:GetBucketPublicAccessBlock'],
  ['DeletePublicAccessBlock', 's3:PutBucketPublicAccessBlock'],
  ['GetBucketVersioning', 's3:GetBucketVersioning'],
  ['GetObjectLockConfiguration', 's3:GetBucketObjectLockConfiguration'],
  ['GetBucketOwnershipControls', 's3:GetBucketOwnershipControls'],
  ['DeleteBucketOwnershipControls', 's3:PutBucketOwnershipControls'],
  ['GetBucketNotificationConfiguration', 's3:GetBucketNotification'],
  ['GetBucketAcl', 's3:GetBucketAcl'],
  ['GetBucketPolicy', 's3:GetBucketPolicy'],
  ['GetBucketPolicyStatus', 's3:GetBucketPolicyStatus'],
  ['GetBucketLocation', 's3:GetBucketLocation'],
  ['HeadBucket', 's3:ListBucket'],
  ['DeleteBucket', 's3:DeleteBucket'],
  ['GetBucketCors', 's3:GetBucketCORS'],
  ['GetBucketReplication', 's3:GetReplicationConfiguration'],
  ['GetBucketAccelerateConfiguration', 's3:GetAccelerateConfiguration'],
])('%s needs %s, and nothing else', async (operation, action) => {
  const nobody = await s3.identity.user('nobody', allow('s3:ListAllMyBuckets'));
  const { code, message } = await faultOf(s3.call(operation, { Bucket }, nobody));
  expect([code, message]).toEqual(['AccessDenied', expect.stringContaining(`perform: ${action} on`)]);
  const user = await s3.identity.user('user', allow(action, 'arn:aws:s3:::bucket'));
  const answered = await s3.call(operation, { Bucket }, user).catch((error: { code: string }) => error.code);
  expect(answered).not.toBe('AccessDenied');
});
