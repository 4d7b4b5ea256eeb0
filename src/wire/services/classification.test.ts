import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { classify, openServices } from '../services.ts';

const services = openServices();

describe('documented classes', () => {
  test.each([
    ['iam', 'CreateUser', 'write', 'management', 'CreateUser'],
    ['iam', 'ListUsers', 'read', 'management', 'ListUsers'],
    ['iam', 'GetUser', 'read', 'management', 'GetUser'],
    ['iam', 'GenerateCredentialReport', 'write', 'management', 'GenerateCredentialReport'],
    ['iam', 'SimulatePrincipalPolicy', 'read', 'management', 'SimulatePrincipalPolicy'],
    ['sts', 'GetCallerIdentity', 'read', 'management', 'GetCallerIdentity'],
    ['sts', 'AssumeRole', 'read', 'management', 'AssumeRole'],
    ['sts', 'GetSessionToken', 'read', 'management', 'GetSessionToken'],
    ['sts', 'GetFederationToken', 'write', 'management', 'GetFederationToken'],
    ['s3', 'PutObject', 'write', 'data', 'PutObject'],
    ['s3', 'GetObject', 'read', 'data', 'GetObject'],
    ['s3', 'HeadObject', 'read', 'data', 'HeadObject'],
    ['s3', 'CreateBucket', 'write', 'management', 'CreateBucket'],
    ['s3', 'PutBucketLifecycleConfiguration', 'write', 'management', 'PutBucketLifecycle'],
    ['s3', 'ListBuckets', 'read', 'management', 'ListBuckets'],
    ['sns', 'Publish', 'write', 'data', 'Publish'],
    ['sqs', 'ReceiveMessage', 'write', 'data', 'ReceiveMessage'],
    ['sqs', 'CreateQueue', 'write', 'management', 'CreateQueue'],
    ['lambda', 'Invoke', 'write', 'data', 'Invoke'],
    ['cloudwatch', 'PutMetricData', 'write', 'data', 'PutMetricData'],
    ['cloudwatch', 'GetMetricData', 'read', 'data', 'GetMetricData'],
    ['cloudwatch', 'DescribeAlarms', 'read', 'management', 'DescribeAlarms'],
    ['logs', 'FilterLogEvents', 'read', 'management', 'FilterLogEvents'],
    ['events', 'PutEvents', 'write', 'data', 'PutEvents'],
    ['events', 'PutRule', 'write', 'management', 'PutRule'],
    ['cloudtrail-data', 'PutAuditEvents', 'write', 'data', 'PutAuditEvents'],
    ['kms', 'Decrypt', 'read', 'management', 'Decrypt'],
    ['config', 'SelectResourceConfig', 'read', 'management', 'SelectResourceConfig'],
  ])('%s %s: %s, %s, as %s', (service, operation, access, category, eventName) => {
    expect(classify(service, operation)).toEqual({ access, category, eventName });
  });
});

test('every exception in the tables is an operation of its service', async () => {
  const names = [
    'sts',
    'iam',
    'kms',
    'logs',
    'events',
    'sns',
    's3',
    'sqs',
    'lambda',
    'cloudwatch',
    'cloudtrail-data',
  ];
  for (const name of names) {
    const { schema } = await services.load(name);
    const source = readFileSync(new URL('classification.ts', import.meta.url), 'utf8');
    const blocks = [...source.matchAll(new RegExp(`^ {2}'?${name}'?: \\[([^\\]]*)\\]`, 'gm'))];
    expect(blocks.length, name).toBeGreaterThan(0);
    for (const [, list = ''] of blocks) {
      for (const [, operation = ''] of list.matchAll(/'(\w+)'/g)) {
        expect(schema.operations.has(operation), `${name} ${operation}`).toBe(true);
      }
    }
  }
});

interface RealRecord {
  readonly eventSource: string;
  readonly eventName: string;
  readonly readOnly?: boolean;
  readonly managementEvent?: boolean;
}

const folder = new URL('../../../../shared/data/cloudtrail/', import.meta.url);

describe.skipIf(!existsSync(folder))('records of real accounts (../shared/data/cloudtrail)', () => {
  test('say what the tables say', async () => {
    let compared = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const content = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as
        | RealRecord[]
        | { Records: RealRecord[] };
      for (const record of Array.isArray(content) ? content : content.Records) {
        const service = services.descriptions.find(({ eventSource }) => eventSource === record.eventSource);
        if (!service) continue;
        const { schema } = await services.load(service.name);
        const operation = [...schema.operations.keys()].find(
          (name) => classify(service.name, name).eventName === record.eventName,
        );
        expect(operation, record.eventName).toBeDefined();
        const { access, category } = classify(service.name, operation!);
        expect(access === 'read', record.eventName).toBe(record.readOnly);
        expect(category === 'management', record.eventName).toBe(record.managementEvent);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(50);
  });
});
