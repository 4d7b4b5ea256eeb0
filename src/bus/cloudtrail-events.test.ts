import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence } from '../kernel/index.ts';
import type { EntryKind, JournalEntry } from '../journal/index.ts';
import { cloudtrailEvent } from './cloudtrail-events.ts';
import { glanceAtRecord } from './record-glance.ts';

const base = {
  eventVersion: '1.11',
  userIdentity: { type: 'IAMUser', userName: '"},"eventSource":"x', accountId: '111122223333' },
  eventTime: '2026-11-30T10:11:12Z',
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateUser',
  awsRegion: 'us-east-1',
  sourceIPAddress: '127.0.0.1',
  userAgent: 'aws-cli',
  requestParameters: { userName: 'alice' },
  responseElements: null,
  requestID: '2',
  eventID: '12345678-1234-4234-8234-123456789012',
  readOnly: false,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
};

const entryOf = (record: object, kind: EntryKind = 'record'): JournalEntry => ({
  sequence: sequence(0),
  time: 0,
  hash: undefined,
  kind,
  payload: Buffer.from(JSON.stringify(record)),
});

const glanceOf = (over: object) => glanceAtRecord(Buffer.from(JSON.stringify({ ...base, ...over })));

const insight = {
  eventVersion: '1.11',
  eventTime: '2026-11-30T10:11:00Z',
  awsRegion: 'eu-central-1',
  eventID: '22345678-1234-4234-8234-123456789012',
  eventType: 'AwsCloudTrailInsight',
  recipientAccountId: '111122223333',
  sharedEventID: '3',
  insightDetails: { state: 'Start', eventSource: 'iam.amazonaws.com', eventName: 'CreateUser' },
  eventCategory: 'Insight',
};

describe('the event of a record ("AWS service events delivered via AWS CloudTrail")', () => {
  it('has the record as its detail, byte for byte', () => {
    const raw = JSON.stringify(base).replace('"alice"', String.raw`"\u0061l\/ice", "n": 1.0`);
    const found = cloudtrailEvent({ ...entryOf(base), payload: Buffer.from(raw) });
    expect(found?.text).toBe(
      '{"version":"0","id":"12345678-1234-4234-8234-123456789012","detail-type":"AWS API Call via CloudTrail",' +
        '"source":"aws.iam","account":"111122223333","time":"2026-11-30T10:11:12Z","region":"us-east-1",' +
        `"resources":[],"detail":${raw}}`,
    );
    expect(found?.event).toEqual(JSON.parse(found?.text ?? ''));
    expect(found?.place).toEqual({ account: '111122223333', region: 'us-east-1' });
  });

  it.each([
    [{ eventType: 'AwsServiceEvent' }, 'AWS Service Event via CloudTrail', 'aws.iam'],
    [{ eventSource: 'monitoring.amazonaws.com' }, 'AWS API Call via CloudTrail', 'aws.monitoring'],
    [{ eventSource: 'cairn' }, 'AWS API Call via CloudTrail', 'aws.cairn'],
  ])('is named after its type and its service', (over, detailType, source) => {
    expect(cloudtrailEvent(entryOf({ ...base, ...over }))?.event).toMatchObject({
      'detail-type': detailType,
      source,
    });
  });

  it("is CloudTrail's own of an insight", () => {
    expect(cloudtrailEvent(entryOf(insight))).toMatchObject({
      isHidden: false,
      place: { account: '111122223333', region: 'eu-central-1' },
      event: { 'detail-type': 'AWS Insight via CloudTrail', source: 'aws.cloudtrail', detail: insight },
    });
  });

  it('is there of what this Cairn recorded alone', () => {
    for (const kind of ['ingested', 'imported', 'change', 'event'] as const)
      expect(cloudtrailEvent(entryOf(base, kind))).toBeUndefined();
    expect(cloudtrailEvent(entryOf({ ...base, eventType: 'ActivityLog' }))).toBeUndefined();
  });
});

describe('what rules in state ENABLED do not get ("Receiving read-only management events from AWS services")', () => {
  it.each([
    ['ListUsers', true, 'Management', true],
    ['GetUser', true, 'Management', true],
    ['DescribeTrails', true, 'Management', true],
    // A management event that writes, whatever its name.
    ['GetFederationToken', false, 'Management', false],
    // "You may already be receiving read-only management events even if those events don't start with …".
    ['TestEventPattern', true, 'Management', false],
    ['AssumeRole', true, 'Management', false],
    // "Data events — Matched by rules in the default ENABLED state."
    ['GetObject', true, 'Data', false],
  ])('%s (readOnly %s, %s): %s', (eventName, readOnly, eventCategory, hidden) => {
    const over = { eventName, readOnly, eventCategory };
    expect(cloudtrailEvent(entryOf({ ...base, ...over }))?.isHidden).toBe(hidden);
    expect(glanceOf(over)?.isHidden).toBe(hidden);
  });
});

describe('a glance at a record', () => {
  it('reads what stands at the beginning', () => {
    const region = 'us-east-1';
    expect(glanceOf({})).toEqual({ source: 'aws.iam', eventName: 'CreateUser', region, isHidden: false });
    expect(glanceAtRecord(Buffer.from(JSON.stringify(insight)))).toEqual({
      source: 'aws.cloudtrail',
      eventName: undefined,
      region: 'eu-central-1',
      isHidden: false,
    });
  });

  it('is not taken in by members that stand deeper, nor by texts', () => {
    const userIdentity = {
      sessionContext: {
        eventSource: 's3.amazonaws.com',
        eventName: 'ListBuckets',
        awsRegion: 'x',
        list: [{}],
      },
      userName: String.raw`\","eventSource":"s3.amazonaws.com`,
    };
    expect(glanceOf({ userIdentity })).toEqual(glanceOf({}));
    const requestParameters = { readOnly: true, eventCategory: 'Management' };
    expect(glanceOf({ eventName: 'GetIt', requestParameters })?.isHidden).toBe(false);
    const data = { eventName: 'GetObject', readOnly: true, eventCategory: 'Data', requestParameters };
    expect(glanceOf(data)?.isHidden).toBe(false);
  });

  it('never says what the parsed record does not', () => {
    const name = fc.constantFrom('eventSource', 'eventName', 'awsRegion', 'insightDetails', 'userName');
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('iam.amazonaws.com', '"},', 'Get'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, texts, fc.integer(), fc.constant(null), tie('object'), tie('list')),
      object: fc.dictionary(name, tie('value')),
      list: fc.array(tie('value')),
    }));
    const head = {
      eventSource: fc.constantFrom('iam.amazonaws.com', 's3.amazonaws.com'),
      eventName: fc.oneof(fc.constantFrom('GetUser', 'PutObject'), fc.string({ unit: 'binary' })),
      awsRegion: fc.constantFrom('us-east-1', 'eu-central-1'),
      readOnly: fc.boolean(),
      eventCategory: fc.constantFrom('Management', 'Data'),
    };
    let told = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), value, fc.record(head), (before, behind, of) => {
        const record = { ...base, userIdentity: before, ...of, requestParameters: behind };
        const glance = glanceOf(record);
        if (!glance) return;
        told += 1;
        const { event, place, isHidden } = cloudtrailEvent(entryOf(record))!;
        expect(glance).toMatchObject({
          source: event['source'],
          eventName: record.eventName,
          region: place.region,
        });
        if (glance.isHidden) expect(isHidden).toBe(true);
      }),
    );
    expect(told).toBeGreaterThan(30);
  });

  it('says nothing of what it cannot tell', () => {
    expect(glanceOf({ eventName: 'Naïve' })).toBeUndefined();
    expect(glanceOf({ eventName: 'a"b' })).toBeUndefined();
    expect(glanceAtRecord(Buffer.from('{"a":1}'))).toBeUndefined();
    expect(glanceAtRecord(Buffer.from('{"eventSource":"x'))).toBeUndefined();
    expect(glanceAtRecord(Buffer.alloc(0))).toBeUndefined();
  });
});
