import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector } from '@aws-sdk/client-cloudtrail';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsFault } from '../../../kernel/index.ts';
import { scanLogFile, scanRecord } from '../../history/index.ts';
import { checkAdvancedSelectors, type SelectorOwner } from './check-advanced.ts';
import { checkBasicSelectors } from './check-basic.ts';
import { compileAdvanced, type EventPredicate } from './compile-advanced.ts';
import { compileBasic, defaultSelectors } from './compile-basic.ts';
import { selectableEvent } from './selectable-event.ts';

type Json = Record<string, unknown>;

const base = {
  eventVersion: '1.11',
  userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::000000000000:user/eve', accountId: '000000000000' },
  eventTime: '2026-11-22T10:00:00Z',
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  awsRegion: 'eu-central-1',
  eventID: '1',
  recipientAccountId: '000000000000',
  readOnly: false,
  eventType: 'AwsApiCall',
  eventCategory: 'Management',
};

function ask(predicate: EventPredicate, record: Json): boolean {
  const raw = Buffer.from(JSON.stringify(record));
  const scan = scanRecord(raw);
  if (scan.kind === 'problem') throw new Error(scan.problem);
  return predicate(selectableEvent(scan.record, raw));
}

const same = (value: string, one: string) => value === one;
const begins = (value: string, one: string) => value.startsWith(one);
const ends = (value: string, one: string) => value.endsWith(one);

function holds(selector: AdvancedFieldSelector, found: readonly string[]): boolean {
  const any = (wanted: string[] | undefined, test: (value: string, one: string) => boolean) =>
    (wanted ?? []).some((one) => found.some((value) => test(value, one)));
  const { NotEquals, NotStartsWith, NotEndsWith, Equals, StartsWith, EndsWith } = selector;
  if (any(NotEquals, same) || any(NotStartsWith, begins) || any(NotEndsWith, ends)) return false;
  if (!Equals && !StartsWith && !EndsWith) return true;
  return any(Equals, same) || any(StartsWith, begins) || any(EndsWith, ends);
}

/** Evaluates selectors on the parsed record, as the documentation reads, without anything made ready. */
function naive(selectors: readonly AdvancedEventSelector[], record: Json): boolean {
  const resources = (record['resources'] ?? []) as { type?: string; ARN?: string; ARNPrefix?: string }[];
  const values = (field: string, typed: typeof resources): string[] => {
    if (field === 'resources.type') return typed.flatMap(({ type }) => type ?? []);
    if (field === 'resources.ARN') return typed.flatMap(({ ARN, ARNPrefix }) => ARN ?? ARNPrefix ?? []);
    const value = field
      .split('.')
      .reduce<unknown>((object, name) => (object as Json | undefined)?.[name], record);
    return typeof value === 'string' || typeof value === 'boolean' ? [String(value)] : [];
  };
  return selectors.some(({ FieldSelectors = [] }) => {
    const type = FieldSelectors.find(({ Field }) => Field === 'resources.type')?.Equals?.[0];
    const typed = type === undefined ? resources : resources.filter((one) => one.type === type);
    return FieldSelectors.every((selector) => holds(selector, values(selector.Field ?? '', typed)));
  });
}

const words = fc.constantFrom(
  'Put',
  'PutObject',
  'GetObject',
  'Object',
  'List',
  'arn:aws:s3:::b/',
  'arn:aws:s3:::b/k',
  'k',
);
const operators = ['Equals', 'StartsWith', 'EndsWith', 'NotEquals', 'NotStartsWith', 'NotEndsWith'] as const;
const conditions = fc
  .subarray([...operators], { minLength: 1, maxLength: 3 })
  .chain((chosen) =>
    fc.record(
      Object.fromEntries(chosen.map((one) => [one, fc.array(words, { minLength: 1, maxLength: 3 })])),
    ),
  );
const freeFields = ['eventName', 'resources.ARN', 'userIdentity.arn', 'eventType', 'eventSource'];
const dataSelector = fc
  .record({
    type: fc.constantFrom('AWS::S3::Object', 'AWS::S3::Bucket', 'AWS::Lambda::Function'),
    readOnly: fc.option(fc.constantFrom('true', 'false'), { nil: undefined }),
    console: fc.boolean(),
    fields: fc.uniqueArray(fc.tuple(fc.constantFrom(...freeFields), conditions), {
      selector: ([field]) => field,
      maxLength: 3,
    }),
  })
  .map(({ type, readOnly, console, fields }): AdvancedEventSelector => ({
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: [type] },
      ...(readOnly === undefined ? [] : [{ Field: 'readOnly', Equals: [readOnly] }]),
      ...(console ? [{ Field: 'sessionCredentialFromConsole', NotEquals: ['true'] }] : []),
      ...fields.map(([Field, condition]) => ({ Field, ...condition })),
    ],
  }));
const resource = fc.record(
  {
    type: fc.constantFrom('AWS::S3::Object', 'AWS::S3::Bucket', 'AWS::Lambda::Function'),
    ARN: words,
    ARNPrefix: words,
  },
  { requiredKeys: ['type'] },
);
const dataRecord = fc
  .record(
    {
      eventCategory: fc.constantFrom('Data', 'Data', 'Data', 'Management'),
      eventName: words,
      eventSource: words,
      readOnly: fc.boolean(),
      resources: fc.array(resource, { maxLength: 3 }),
      sessionCredentialFromConsole: fc.constantFrom('true', true),
    },
    { requiredKeys: ['eventCategory', 'eventName', 'readOnly'] },
  )
  .map((over): Json => ({ ...base, ...over }));

describe('advanced selectors', () => {
  it('agree with a naive reading of the documentation', () => {
    let matched = 0;
    fc.assert(
      fc.property(fc.array(dataSelector, { minLength: 1, maxLength: 3 }), dataRecord, (selectors, record) => {
        checkAdvancedSelectors(selectors, 'trail');
        const expected = naive(selectors, record);
        if (expected) matched++;
        expect(ask(compileAdvanced(selectors), record)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
    expect(matched).toBeGreaterThan(50);
  });

  const management = { Field: 'eventCategory', Equals: ['Management'] };
  const data = { Field: 'eventCategory', Equals: ['Data'] };
  const network = { Field: 'eventCategory', Equals: ['NetworkActivity'] };
  const objects = { Field: 'resources.type', Equals: ['AWS::S3::Object'] };
  const kms = { Field: 'eventSource', Equals: ['kms.amazonaws.com'] };
  const refused: readonly (readonly [string, AdvancedFieldSelector[]])[] = [
    ['no category', [objects]],
    ['a category twice', [data, data, objects]],
    ['two categories in one', [{ Field: 'eventCategory', Equals: ['Data', 'Management'] }, objects]],
    ['a category by another operator', [{ Field: 'eventCategory', StartsWith: ['Data'] }, objects]],
    ['a category of event data stores', [{ Field: 'eventCategory', Equals: ['Evidence'] }]],
    ['data without a type', [data]],
    [
      'two types in one',
      [data, { Field: 'resources.type', Equals: ['AWS::S3::Object', 'AWS::Lambda::Function'] }],
    ],
    ['a type by another operator', [data, { Field: 'resources.type', NotEquals: ['AWS::S3::Object'] }]],
    ['a type that is none', [data, { Field: 'resources.type', Equals: ['S3'] }]],
    ['readOnly neither true nor false', [management, { Field: 'readOnly', Equals: ['maybe'] }]],
    ['readOnly by another operator', [management, { Field: 'readOnly', NotEquals: ['true'] }]],
    ['readOnly both', [management, { Field: 'readOnly', Equals: ['true', 'false'] }]],
    [
      'another source of management events',
      [management, { Field: 'eventSource', NotEquals: ['ec2.amazonaws.com'] }],
    ],
    ['one source of management events', [management, kms]],
    ['a name of management events', [management, { Field: 'eventName', Equals: ['X'] }]],
    ['an unknown field', [data, objects, { Field: 'userAgent', Equals: ['x'] }]],
    [
      'a field twice',
      [data, objects, { Field: 'eventName', Equals: ['x'] }, { Field: 'eventName', Equals: ['y'] }],
    ],
    ['a field without values', [data, objects, { Field: 'eventName' }]],
    ['a field with an empty list', [data, objects, { Field: 'eventName', Equals: [] }]],
    ['network activity without a source', [network]],
    ['another error of network activity', [network, kms, { Field: 'errorCode', Equals: ['AccessDenied'] }]],
    [
      '501 values',
      [data, objects, { Field: 'eventName', Equals: Array.from({ length: 499 }, (_, n) => `n${n}`) }],
    ],
  ];
  it.each(refused)('are refused with %s', (_, FieldSelectors) => {
    expect(() => checkAdvancedSelectors([{ FieldSelectors }], 'trail')).toThrow(AwsFault);
  });

  const taken: readonly (readonly [string, SelectorOwner, AdvancedFieldSelector[]])[] = [
    [
      '500 values',
      'trail',
      [data, objects, { Field: 'eventName', Equals: Array.from({ length: 498 }, (_, n) => `n${n}`) }],
    ],
    [
      'both sources that can be left out',
      'trail',
      [management, { Field: 'eventSource', NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] }],
    ],
    ['network activity', 'trail', [network, kms, { Field: 'errorCode', Equals: ['VpceAccessDenied'] }]],
    [
      'a name of management events of a store',
      'eventdatastore',
      [management, { Field: 'eventName', StartsWith: ['X'] }],
    ],
    ['evidence of a store', 'eventdatastore', [{ Field: 'eventCategory', Equals: ['Evidence'] }]],
  ];
  it.each(taken)('are taken with %s', (_, owner, FieldSelectors) => {
    expect(() => checkAdvancedSelectors([{ FieldSelectors }], owner)).not.toThrow();
  });
});

const s3 = (...Values: string[]) => ({ Type: 'AWS::S3::Object', Values });
const many = (count: number) => Array.from({ length: count }, (_, n) => `arn:aws:s3:::bucket-${n}/`);

describe('basic selectors', () => {
  const object = (ARN: string, over: Json = {}): Json => ({
    ...base,
    eventCategory: 'Data',
    resources: [{ type: 'AWS::S3::Object', ARN }],
    ...over,
  });
  const fn = (ARN: string): Json => ({ ...object(ARN), resources: [{ type: 'AWS::Lambda::Function', ARN }] });
  const functionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:f';
  const lambda = { Type: 'AWS::Lambda::Function', Values: [functionArn] };
  const kms = { ...base, eventSource: 'kms.amazonaws.com' };
  const cases: readonly (readonly [string, EventSelector, Json, boolean])[] = [
    ['everything that manages', {}, base, true],
    ['no data', {}, object('arn:aws:s3:::b/k'), false],
    ['reads only', { ReadWriteType: 'ReadOnly' }, base, false],
    ['reads only, of a read', { ReadWriteType: 'ReadOnly' }, { ...base, readOnly: true }, true],
    ['writes only, of a read', { ReadWriteType: 'WriteOnly' }, { ...base, readOnly: true }, false],
    ['without KMS', { ExcludeManagementEventSources: ['kms.amazonaws.com'] }, kms, false],
    ['without RDS', { ExcludeManagementEventSources: ['rdsdata.amazonaws.com'] }, kms, true],
    ['all objects', { DataResources: [s3('arn:aws:s3')] }, object('arn:aws:s3:::b/k'), true],
    ['one bucket', { DataResources: [s3('arn:aws:s3:::bkt/')] }, object('arn:aws:s3:::bkt/k'), true],
    ['another bucket', { DataResources: [s3('arn:aws:s3:::bkt/')] }, object('arn:aws:s3:::bkt-2/k'), false],
    ['a prefix', { DataResources: [s3('arn:aws:s3:::bkt/a')] }, object('arn:aws:s3:::bkt/abc'), true],
    ['data alone', { IncludeManagementEvents: false, DataResources: [s3('arn:aws:s3')] }, base, false],
    ['a function', { DataResources: [lambda] }, fn(functionArn), true],
    ['a version of it', { DataResources: [lambda] }, fn(`${functionArn}:1`), true],
    ['one whose name begins so', { DataResources: [lambda] }, fn(`${functionArn}2`), false],
    ['what was handed in', {}, { ...base, eventCategory: 'ActivityAuditLog' }, true],
    ['no network activity', {}, { ...base, eventCategory: 'NetworkActivity' }, false],
  ];
  it.each(cases)('log %s', (_, selector, record, expected) => {
    expect(ask(compileBasic(checkBasicSelectors([selector])), record)).toBe(expected);
  });

  const refused: readonly (readonly [string, EventSelector[]])[] = [
    ['none', []],
    ['six', Array.from({ length: 6 }, () => ({}))],
    ['another ReadWriteType', [{ ReadWriteType: 'read-only' as 'All' }]],
    ['another source', [{ ExcludeManagementEventSources: ['ec2.amazonaws.com'] }]],
    ['another type', [{ DataResources: [{ Type: 'AWS::SNS::Topic', Values: ['arn:aws:sns'] }] }]],
    ['no values', [{ DataResources: [s3()] }]],
    ['a wildcard', [{ DataResources: [s3('arn:aws:s3:::*')] }]],
    ['a bucket without its slash', [{ DataResources: [s3('arn:aws:s3:::bucket')] }]],
    ['nothing at all', [{ IncludeManagementEvents: false }]],
    ['251 resources', [{ DataResources: [s3(...many(125))] }, { DataResources: [s3(...many(126))] }]],
  ];
  it.each(refused)('are refused: %s', (_, selectors) => {
    expect(() => checkBasicSelectors(selectors)).toThrow(AwsFault);
  });

  it('take 250 resources', () => {
    expect(checkBasicSelectors([{ DataResources: [s3(...many(250))] }])).toHaveLength(1);
  });
});

const real = '../shared/data/cloudtrail';

describe('real events', () => {
  it.skipIf(!existsSync(real))('are all management or data events that selectors find', () => {
    const all = compileBasic(defaultSelectors);
    const reads = compileBasic(checkBasicSelectors([{ ReadWriteType: 'ReadOnly' }]));
    const writes = compileBasic(checkBasicSelectors([{ ReadWriteType: 'WriteOnly' }]));
    let seen = 0;
    for (const name of readdirSync(real).filter((file) => file.endsWith('.json'))) {
      const bytes = readFileSync(join(real, name));
      for (const { start, end, scan } of scanLogFile(bytes).records) {
        if (scan.kind === 'problem') continue;
        const event = selectableEvent(scan.record, bytes.subarray(start, end));
        seen++;
        expect(all(event)).toBe(scan.record.eventCategory === 'Management');
        expect(Number(reads(event)) + Number(writes(event))).toBe(Number(all(event)));
      }
    }
    expect(seen).toBeGreaterThan(100);
  });
});
