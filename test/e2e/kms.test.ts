import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, hasBoto3, python, startServer, type TestServer } from './harness.ts';

const run = promisify(execFile);

let server: TestServer;
let client: kms.KMSClient;
let cloudtrail: CloudTrailClient;
let files: string;

beforeAll(async () => {
  server = await startServer();
  client = new kms.KMSClient(server.clientOptions);
  cloudtrail = new CloudTrailClient(server.clientOptions);
  files = mkdtempSync(join(tmpdir(), 'cairn-kms-'));
});
afterAll(async () => {
  client.destroy();
  cloudtrail.destroy();
  rmSync(files, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
});

/** The record of a call about a key that succeeded; events of one second stand in no order that a test could know. */
async function recordOf(name: string, keyId = ''): Promise<Record<string, unknown>> {
  const attribute = { AttributeKey: 'EventName', AttributeValue: name } as const;
  return eventually(async () => {
    const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: [attribute] }));
    return Events.filter(({ CloudTrailEvent = '' }) => CloudTrailEvent.includes(keyId))
      .map(({ CloudTrailEvent = '' }) => JSON.parse(CloudTrailEvent) as Record<string, unknown>)
      .find(({ errorCode }) => errorCode === undefined);
  });
}

/** A user that may do nothing, and a client with its key. */
async function newUser(UserName: string): Promise<{ readonly arn: string; readonly client: kms.KMSClient }> {
  const users = new IAMClient(server.clientOptions);
  const { User } = await users.send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await users.send(new CreateAccessKeyCommand({ UserName }));
  const credentials = {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
  return { arn: User?.Arn ?? '', client: new kms.KMSClient({ ...server.clientOptions, credentials }) };
}

describe('KMS with the JS SDK', () => {
  it('grants, and records it as CloudTrail does', async () => {
    const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({}));
    const KeyId = KeyMetadata?.KeyId;
    const { arn, client: grantee } = await newUser('grantee');
    const encrypt = () => grantee.send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await expect(encrypt()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const made = await client.send(
      new kms.CreateGrantCommand({
        KeyId,
        GranteePrincipal: arn,
        RetiringPrincipal: arn,
        Operations: ['Encrypt', 'Decrypt'],
        Constraints: { EncryptionContextSubset: { department: 'audit' } },
      }),
    );
    await expect(encrypt()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const sealed = await grantee.send(
      new kms.EncryptCommand({
        KeyId,
        Plaintext: Buffer.from('x'),
        EncryptionContext: { department: 'audit' },
        GrantTokens: [made.GrantToken ?? ''],
      }),
    );
    expect(sealed.KeyId).toBe(KeyMetadata?.Arn);
    const { Grants } = await client.send(new kms.ListGrantsCommand({ KeyId }));
    expect(Grants).toMatchObject([{ GrantId: made.GrantId, GranteePrincipal: arn }]);
    await grantee.send(new kms.RetireGrantCommand({ GrantToken: made.GrantToken }));
    const gone = client.send(new kms.RevokeGrantCommand({ KeyId, GrantId: made.GrantId }));
    await expect(gone).rejects.toBeInstanceOf(kms.NotFoundException);

    const resources = [{ ARN: KeyMetadata?.Arn, accountId: server.accountId, type: 'AWS::KMS::Key' }];
    const created = await recordOf('CreateGrant');
    expect(created).toMatchObject({
      requestParameters: {
        keyId: KeyId,
        granteePrincipal: arn,
        operations: ['Encrypt', 'Decrypt'],
        constraints: { encryptionContextSubset: { department: 'audit' } },
      },
      responseElements: { grantId: made.GrantId, keyId: KeyMetadata?.Arn },
      readOnly: false,
      resources,
    });
    expect(JSON.stringify(created)).not.toContain(made.GrantToken);
    expect(await recordOf('RetireGrant')).toMatchObject({
      requestParameters: null,
      responseElements: null,
      additionalEventData: { grantId: made.GrantId },
      resources,
    });
  });

  it('encrypts, signs and records it without what is secret', async () => {
    const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({ Description: 'for the test' }));
    const KeyId = KeyMetadata?.KeyId;
    const arn = KeyMetadata?.Arn ?? '';
    await client.send(new kms.CreateAliasCommand({ AliasName: 'alias/test', TargetKeyId: KeyId }));
    const Plaintext = Buffer.from('nobody may see this');
    const EncryptionContext = { department: 'audit' };
    const sealed = await client.send(
      new kms.EncryptCommand({ KeyId: 'alias/test', Plaintext, EncryptionContext }),
    );
    const { CiphertextBlob } = sealed;
    const opened = await client.send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext);
    await expect(client.send(new kms.DecryptCommand({ CiphertextBlob }))).rejects.toBeInstanceOf(
      kms.InvalidCiphertextException,
    );
    await expect(
      client.send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })),
    ).rejects.toMatchObject({ name: 'ValidationException' });

    const record = await recordOf('Encrypt', KeyId);
    expect(record).toMatchObject({
      eventSource: 'kms.amazonaws.com',
      readOnly: true,
      managementEvent: true,
      eventCategory: 'Management',
      requestParameters: {
        keyId: 'alias/test',
        encryptionContext: EncryptionContext,
        encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      },
      additionalEventData: { keyMaterialId: opened.KeyMaterialId },
      responseElements: null,
      resources: [{ ARN: arn, accountId: server.accountId, type: 'AWS::KMS::Key' }],
    });
    expect(JSON.stringify(record)).not.toContain(Plaintext.toString('base64'));
    await client.send(new kms.DeleteAliasCommand({ AliasName: 'alias/test' }));
    const alias = { ARN: arn.replace(/key\/.*$/, 'alias/test'), type: 'AWS::KMS::Key' };
    for (const name of ['CreateAlias', 'DeleteAlias']) {
      expect(await recordOf(name, KeyId)).toMatchObject({
        requestParameters: { aliasName: 'alias/test' },
        responseElements: { keyId: arn },
        resources: [{ ARN: arn }, alias],
      });
    }
    await client.send(new kms.EnableKeyRotationCommand({ KeyId }));
    expect(await recordOf('EnableKeyRotation', KeyId)).toMatchObject({ responseElements: { keyId: arn } });
    expect(await recordOf('CreateKey', KeyId)).toMatchObject({
      readOnly: false,
      responseElements: { keyMetadata: { arn } },
      resources: [{ ARN: arn }],
    });
    expect(await recordOf('Decrypt', KeyId)).toMatchObject({
      requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext: EncryptionContext },
      additionalEventData: { keyMaterialId: opened.KeyMaterialId },
    });
    expect(JSON.stringify(await recordOf('Decrypt', KeyId))).not.toMatch(/ciphertextBlob/i);
  });

  it('pages through keys, and everything outlives the process', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-kms-data-'));
    const first = await startServer({ data });
    const before = new kms.KMSClient(first.clientOptions);
    const { KeyMetadata } = await before.send(new kms.CreateKeyCommand({}));
    const { KeyId } = KeyMetadata ?? {};
    const { CiphertextBlob, Plaintext } = await before.send(
      new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
    );
    await before.send(new kms.RotateKeyOnDemandCommand({ KeyId }));
    for (let made = 1; made < 5; made += 1) await before.send(new kms.CreateKeyCommand({}));
    await first.kill();
    const second = await startServer({ data });
    const after = new kms.KMSClient(second.clientOptions);
    const opened = await after.send(new kms.DecryptCommand({ CiphertextBlob }));
    expect(opened.Plaintext).toEqual(Plaintext);
    const keys = [];
    for await (const page of kms.paginateListKeys({ client: after, pageSize: 2 }, {})) {
      keys.push(...(page.Keys ?? []));
    }
    expect(keys).toHaveLength(5);
    await second.stop();
    rmSync(data, { recursive: true, force: true });
  });
});

const aws = async (...command: string[]): Promise<Record<string, unknown>> => {
  const options = ['--endpoint-url', server.endpoint, '--output', 'json'];
  const { stdout } = await run(awsCli, [...options, 'kms', ...command], { env: server.env });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
};

const file = (name: string): string => join(files, name);

describe.skipIf(!hasAwsCli)('KMS with the aws CLI (skipped where /usr/bin/aws is absent)', () => {
  it('signs what openssl verifies', async () => {
    const spec = ['--key-spec', 'RSA_2048', '--key-usage', 'SIGN_VERIFY'];
    const { KeyMetadata } = (await aws('create-key', ...spec)) as { KeyMetadata: { KeyId: string } };
    writeFileSync(file('message'), 'a message to be signed');
    const { PublicKey } = await aws('get-public-key', '--key-id', KeyMetadata.KeyId);
    writeFileSync(file('public.der'), Buffer.from(PublicKey as string, 'base64'));
    const signed = await aws(
      'sign', '--key-id', KeyMetadata.KeyId, '--message', `fileb://${file('message')}`,
      '--signing-algorithm', 'RSASSA_PSS_SHA_256',
    ); // prettier-ignore
    writeFileSync(file('signature'), Buffer.from(signed['Signature'] as string, 'base64'));
    const { stdout } = await run('openssl', [
      'dgst', '-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32', '-keyform', 'DER',
      '-verify', file('public.der'), '-signature', file('signature'), file('message'),
    ]); // prettier-ignore
    expect(stdout).toContain('Verified OK');
  });

  it('grants, lists and revokes', async () => {
    const { KeyMetadata } = (await aws('create-key')) as { KeyMetadata: { KeyId: string } };
    const key = ['--key-id', KeyMetadata.KeyId];
    const root = `arn:aws:iam::${server.accountId}:root`;
    const granted = await aws(
      'create-grant', ...key, '--grantee-principal', root, '--operations', 'Decrypt', 'DescribeKey', '--name', 'cli',
    ); // prettier-ignore
    const listed = ['--query', 'Grants[].GrantId'];
    expect(await aws('list-grants', ...key, ...listed)).toEqual([granted['GrantId']]);
    await aws('revoke-grant', ...key, '--grant-id', granted['GrantId'] as string);
    expect(await aws('list-grants', ...key, ...listed)).toEqual([]);
  });

  it('encrypts files, shows and schedules', async () => {
    const { KeyMetadata } = (await aws('create-key')) as { KeyMetadata: { KeyId: string } };
    const key = ['--key-id', KeyMetadata.KeyId];
    writeFileSync(join(files, 'plain'), 'plain text');
    const sealed = await aws('encrypt', ...key, '--plaintext', `fileb://${join(files, 'plain')}`);
    writeFileSync(join(files, 'sealed'), Buffer.from(sealed['CiphertextBlob'] as string, 'base64'));
    expect(readFileSync(join(files, 'sealed')).includes('plain text')).toBe(false);
    const opened = await aws('decrypt', '--ciphertext-blob', `fileb://${join(files, 'sealed')}`);
    expect(Buffer.from(opened['Plaintext'] as string, 'base64').toString()).toBe('plain text');
    await aws('enable-key-rotation', ...key);
    expect(await aws('get-key-rotation-status', ...key)).toMatchObject({ KeyRotationEnabled: true });
    const { Policy } = await aws('get-key-policy', ...key, '--policy-name', 'default');
    expect(JSON.parse(Policy as string)).toMatchObject({ Id: 'key-default-1' });
    await aws('put-key-policy', ...key, '--policy-name', 'default', '--policy', Policy as string);
    const scheduled = await aws('schedule-key-deletion', ...key, '--pending-window-in-days', '7');
    expect(scheduled).toMatchObject({ KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    await aws('cancel-key-deletion', ...key);
    expect(await aws('describe-key', ...key)).toMatchObject({ KeyMetadata: { KeyState: 'Disabled' } });
  });
});

const script = `
import boto3, os, json
kms = boto3.client('kms', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
key = kms.create_key(Tags=[{'TagKey': 'team', 'TagValue': 'blue'}])['KeyMetadata']
kms.create_alias(AliasName='alias/python', TargetKeyId=key['KeyId'])
made = kms.generate_data_key(KeyId='alias/python', KeySpec='AES_256', EncryptionContext={'a': 'b'})
opened = kms.decrypt(CiphertextBlob=made['CiphertextBlob'], EncryptionContext={'a': 'b'})
assert opened['Plaintext'] == made['Plaintext'] and opened['KeyId'] == key['Arn']
other = kms.create_key()['KeyMetadata']
moved = kms.re_encrypt(CiphertextBlob=made['CiphertextBlob'], SourceEncryptionContext={'a': 'b'}, DestinationKeyId=other['Arn'])
assert kms.decrypt(CiphertextBlob=moved['CiphertextBlob'])['Plaintext'] == made['Plaintext']
kms.disable_key(KeyId=other['KeyId'])
try:
    kms.decrypt(CiphertextBlob=moved['CiphertextBlob'])
except kms.exceptions.DisabledException as error:
    print(error.response['Error']['Code'])
try:
    kms.describe_key(KeyId='alias/absent')
except kms.exceptions.NotFoundException as error:
    print(error.response['Error']['Code'])
print(len([a for p in kms.get_paginator('list_aliases').paginate() for a in p['Aliases'] if a['AliasName'] == 'alias/python']))
print(json.dumps(kms.list_resource_tags(KeyId=key['KeyId'])['Tags']))
print(len(kms.generate_random(NumberOfBytes=16)['Plaintext']))
`;

describe.skipIf(!hasBoto3)('KMS with boto3 (skipped where python3-boto3 is absent)', () => {
  it('does all of it', async () => {
    const { stdout } = await run(python, ['-c', script], { env: server.env });
    expect(stdout.trim().split('\n')).toEqual([
      'DisabledException',
      'NotFoundException',
      '1',
      '[{"TagKey": "team", "TagValue": "blue"}]',
      '16',
    ]);
  });
});
