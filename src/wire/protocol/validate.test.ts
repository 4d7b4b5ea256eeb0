import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import { constraintsOf, openServices, type Constraint } from '../services.ts';
import { validate, type RoutedOperation } from './index.ts';

const services = openServices();

async function operation(
  serviceName: string,
  operationName: string,
  protocolIndex = 0,
): Promise<RoutedOperation> {
  const service = await services.load(serviceName);
  const found = service.schema.operations.get(operationName)!;
  return {
    service,
    protocol: service.description.protocols[protocolIndex]!,
    operation: found,
    operationName,
    streamingInput: false,
    streamingOutput: false,
    labels: {},
    queryMode: false,
    method: 'POST',
  };
}

async function refused(
  serviceName: string,
  operationName: string,
  input: Record<string, unknown>,
  protocolIndex = 0,
): Promise<{ code: string; message: string; status: number | undefined } | undefined> {
  try {
    validate(await operation(serviceName, operationName, protocolIndex), input);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AwsFault);
    const { code, message, status } = error as AwsFault;
    return { code, message, status };
  }
}

describe('messages are in the words of AWS', () => {
  test.each<[string, string, Record<string, unknown>, string, string]>([
    [
      'iam',
      'CreateUser',
      {},
      'ValidationError',
      "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
    ],
    [
      'iam',
      'CreateUser',
      { UserName: 'a'.repeat(65) },
      'ValidationError',
      "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
    ],
    [
      'iam',
      'CreateUser',
      { UserName: 'a b' },
      'ValidationError',
      'The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-',
    ],
    [
      'iam',
      'CreateUser',
      {
        UserName: 'a',
        Tags: [
          { Key: 'k', Value: 'v' },
          { Key: '', Value: 'v' },
        ],
      },
      'ValidationError',
      "2 validation errors detected: Value at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
    ],
    [
      'iam',
      'ListUsers',
      { MaxItems: 0 },
      'ValidationError',
      "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      'sts',
      'AssumeRole',
      { RoleArn: 'arn:aws:iam::000000000000:role/r', RoleSessionName: 's', DurationSeconds: 43_201 },
      'ValidationError',
      "2 validation errors detected: Value 's' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      'cloudtrail',
      'ListImports',
      { ImportStatus: 'DONE' },
      'ValidationException',
      "1 validation error detected: Value 'DONE' at 'importStatus' failed to satisfy constraint: Member must satisfy enum value set: [INITIALIZING, IN_PROGRESS, FAILED, STOPPED, COMPLETED]",
    ],
    [
      'kms',
      'Encrypt',
      { KeyId: 'alias/a', Plaintext: new Uint8Array(4097) },
      'ValidationException',
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    ],
    [
      'kms',
      'Sign',
      {
        KeyId: 'alias/a',
        Message: new Uint8Array(32),
        SigningAlgorithm: 'RSASSA_PSS_SHA_256',
        MessageType: 'HASH',
      },
      'ValidationException',
      "1 validation error detected: Value 'HASH' at 'messageType' failed to satisfy constraint: Member must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]",
    ],
    [
      'kms',
      'CreateKey',
      { KeySpec: 'RSA_2049', KeyUsage: 'SIGN_VERIFY' },
      'ValidationException',
      "1 validation error detected: Value 'RSA_2049' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87, ECC_NIST_EDWARDS25519, ML_KEM_512, ML_KEM_768, ML_KEM_1024]",
    ],
    [
      'cloudtrail-data',
      'PutAuditEvents',
      { auditEvents: [], channelArn: 'arn:x' },
      'ValidationException',
      "1 validation error detected: Value '[]' at 'auditEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'iam',
      'UntagUser',
      { UserName: 'a', TagKeys: ['ok', ''] },
      'ValidationError',
      "1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+, Member must not be null]",
    ],
    [
      'sqs',
      'SendMessage',
      { MessageBody: 'b' },
      'MissingParameter',
      'The request must contain the parameter QueueUrl.',
    ],
    [
      'cloudwatch',
      'PutMetricData',
      { Namespace: 'n', MetricData: [{}] },
      'MissingRequiredParameterException',
      'The parameter MetricData.1.member.metricName is required.',
    ],
    [
      'logs',
      'CreateLogGroup',
      {},
      'InvalidParameterException',
      "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
    ],
  ])('%s %s', async (serviceName, operationName, input, code, message) => {
    expect(await refused(serviceName, operationName, input)).toEqual({ code, message, status: 400 });
  });
});

test('CloudTrail’s own exceptions are left to its operations', async () => {
  expect(await refused('cloudtrail', 'LookupEvents', { MaxResults: 51 })).toBeUndefined();
  expect(await refused('cloudtrail', 'CreateTrail', { Name: '!', S3BucketName: '' })).toBeUndefined();
});

test('not-a-number lies in no range, and neither do fractions', async () => {
  expect(await refused('iam', 'ListUsers', { MaxItems: 1.5 })).toBeDefined();
  expect(await refused('iam', 'ListUsers', { MaxItems: Number.NaN })).toBeDefined();
});

test('a secret is not repeated in the message', async () => {
  const secret = `secret ${'x'.repeat(200)}`;
  const fault = await refused('iam', 'CreateLoginProfile', { UserName: 'a', Password: secret });
  expect(fault?.message).not.toContain('secret');
  expect(fault?.message).toContain("at 'password'");
});

test('an answer lists a bounded number of violations, each of bounded length', async () => {
  const tags = Array.from({ length: 50 }, () => ({ Key: 'x'.repeat(100_000), Value: 'v' }));
  const fault = await refused('iam', 'CreateUser', { UserName: 'a', Tags: tags });
  expect(fault?.message).toContain('10 validation errors detected');
  expect(fault?.message.length).toBeLessThan(5000);
});

describe('every pattern of every table', () => {
  const patterns = new Map<string, number | undefined>();
  const collect = (constraint: Constraint | undefined): void => {
    if (!constraint) return;
    if (constraint.pattern !== undefined) patterns.set(constraint.pattern, constraint.length?.[1]);
    for (const inner of [constraint.element, constraint.key, constraint.value]) collect(inner);
  };
  for (const name of ['iam', 'sts', 'cloudtrail', 'cloudtrail-data', 'events']) {
    const table = constraintsOf(name)!;
    for (const constraint of Object.values(table.members)) collect(constraint);
    for (const members of Object.values(table.structures))
      for (const one of Object.values(members)) collect(one);
  }

  test.each([...patterns.keys()])('%s compiles and takes linear time on what almost matches', (pattern) => {
    const compiled = new RegExp(`^(?:${pattern})$`, 'u');
    // A pattern with catastrophic backtracking would not come back from these within the test's time.
    for (const part of ['/', '/a', 'a', 'a-', '-', '0', ' ', '=', '.', 's3://a']) {
      const text = part.repeat(20_000);
      expect(typeof compiled.test(`${text}\u0000`)).toBe('boolean');
      expect(typeof compiled.test(`/${text}\u0000`)).toBe('boolean');
    }
  });
});

describe('the tables and the schemas', () => {
  test.each(['iam', 'sts', 'cloudtrail', 'cloudtrail-data', 'events'])(
    'every name in the table of %s is in its schema',
    async (name) => {
      const { schema } = await services.load(name);
      const table = constraintsOf(name)!;
      const names = new Set(
        [...schema.structures.values()].flatMap(({ members }) => members.map((one) => one.name)),
      );
      expect(Object.keys(table.members).filter((member) => !names.has(member))).toEqual([]);
      for (const [structure, members] of Object.entries(table.structures)) {
        const shape = schema.structures.get(structure);
        expect(shape, structure).toBeDefined();
        expect(
          Object.keys(members).filter((member) => !shape!.byName.has(member)),
          structure,
        ).toEqual([]);
      }
    },
  );
});

test('any text for any name is taken or refused in bounded time', async () => {
  const routed = await operation('iam', 'CreateUser');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary-ascii', maxLength: 200 }),
      fc.string({ maxLength: 600 }),
      (name, path) => {
        try {
          validate(routed, { UserName: name, Path: path });
          expect(name).toMatch(/^[\w+=,.@-]{1,64}$/);
          expect(path).toMatch(/^\/(?:[!-~]+\/)?$/);
        } catch (error) {
          if (!(error instanceof AwsFault)) throw error;
        }
      },
    ),
  );
});
