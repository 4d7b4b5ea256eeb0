import { expect, test } from 'vitest';
import { auditStyleOf, openServices } from '../services.ts';
import { auditName, toAuditJson } from './index.ts';

const services = openServices();

async function audited(
  serviceName: string,
  operationName: string,
  side: 'input' | 'output',
  value: Record<string, unknown>,
): Promise<unknown> {
  const { schema } = await services.load(serviceName);
  const operation = schema.operations.get(operationName)!;
  return toAuditJson(operation[side], value, auditStyleOf(serviceName));
}

// The forms are those of records of real accounts (../shared/data/cloudtrail).
test('IAM leaves secrets out and writes dates without the second comma', async () => {
  const output = {
    AccessKey: {
      UserName: 'u',
      AccessKeyId: 'AKIA',
      Status: 'Active',
      SecretAccessKey: 'secret',
      CreateDate: new Date('2024-08-01T13:33:28Z'),
    },
  };
  expect(await audited('iam', 'CreateAccessKey', 'output', output)).toEqual({
    accessKey: { userName: 'u', accessKeyId: 'AKIA', status: 'Active', createDate: 'Aug 1, 2024 1:33:28 PM' },
  });
  expect(await audited('iam', 'CreateLoginProfile', 'input', { UserName: 'u', Password: 'p' })).toEqual({
    userName: 'u',
  });
});

test('STS writes dates with the second comma, and midnight as twelve', async () => {
  const output = {
    Credentials: {
      AccessKeyId: 'ASIA',
      SecretAccessKey: 'secret',
      SessionToken: 'token',
      Expiration: new Date('2024-11-30T00:05:07Z'),
    },
  };
  expect(await audited('sts', 'AssumeRole', 'output', output)).toEqual({
    credentials: { accessKeyId: 'ASIA', sessionToken: 'token', expiration: 'Nov 30, 2024, 12:05:07 AM' },
  });
});

test('other services say that something is hidden', async () => {
  const input = { DocumentName: 'd', Parameters: { commands: ['rm'] } };
  expect(await audited('ssm', 'SendCommand', 'input', input)).toEqual({
    documentName: 'd',
    parameters: 'HIDDEN_DUE_TO_SECURITY_REASONS',
  });
  const message = { QueueUrl: 'q', MessageBody: 'private' };
  expect(await audited('sqs', 'SendMessage', 'input', message)).toEqual({
    queueUrl: 'q',
    messageBody: 'HIDDEN_DUE_TO_SECURITY_REASONS',
  });
});

test('bytes and streams are left out, keys of maps stay as they are', async () => {
  const input = {
    Bucket: 'b',
    Key: 'k',
    Body: new Uint8Array([1]),
    Metadata: { 'My-Key': 'v', ['__proto__']: 'w' },
  };
  const written = (await audited('s3', 'PutObject', 'input', input)) as { metadata: Record<string, string> };
  expect(JSON.stringify(written)).toBe('{"bucket":"b","key":"k","metadata":{"My-Key":"v","__proto__":"w"}}');
});

test('an input or output with nothing to show is null in the record', async () => {
  expect(await audited('sts', 'GetCallerIdentity', 'input', {})).toBeUndefined();
  expect(await audited('iam', 'DeleteUser', 'output', {})).toBeUndefined();
});

test.each([
  ['UserName', 'userName'],
  ['TrailARN', 'trailARN'],
  ['SSHPublicKey', 'sSHPublicKey'],
  ['MD5OfMessageBody', 'mD5OfMessageBody'],
  ['DBInstance', 'dBInstance'],
  ['name', 'name'],
])('%s is written as %s', (name, written) => {
  expect(auditName(name)).toBe(written);
});

test('no sensitive member of any service shows its value', async () => {
  for (const { name } of services.descriptions) {
    const { schema } = await services.load(name);
    for (const shape of schema.structures.values()) {
      for (const member of shape.members.filter(({ sensitive }) => sensitive)) {
        const value = member.shape.kind === 'string' ? 'sEcReT' : { sEcReT: 'sEcReT' };
        const written = toAuditJson(shape, { [member.name]: value }, auditStyleOf(name));
        expect(JSON.stringify(written ?? null), `${shape.name}.${member.name}`).not.toContain('sEcReT');
      }
    }
  }
});
