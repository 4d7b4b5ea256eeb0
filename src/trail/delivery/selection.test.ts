import { describe, expect, it } from 'vitest';
import { scanRecord } from '../history/index.ts';
import { auditRecord } from '../../../test/trails-fixture.ts';
import { selectableEvent } from '../trails/selectors/selectable-event.ts';
import type { LoggingSettings } from './delivery-documents.ts';
import { openSelection } from './selection.ts';

const trail = { accountId: '000000000000', homeRegion: 'eu-central-1', name: 'main' };
const all: LoggingSettings = { isLogging: true, isMultiRegion: true, includeGlobalServiceEvents: true };

function classOf(logging: LoggingSettings, over: Record<string, unknown>, homeRegion = 'eu-central-1') {
  const raw = auditRecord('1', over);
  const scan = scanRecord(raw);
  if (scan.kind === 'problem') throw new Error(scan.problem);
  return openSelection({ ...trail, homeRegion }, logging).classOf(0, selectableEvent(scan.record, raw));
}

const insight = (insightType: string, sourceEventCategory?: string, insightSource?: string) => ({
  eventCategory: 'Insight',
  insightDetails: { insightType, sourceEventCategory },
  insightSource,
});
const arnOf = (name: string) => `arn:aws:cloudtrail:eu-central-1:000000000000:trail/${name}`;

const ofKms = (eventName: string, invokedBy?: string) => ({
  eventSource: 'kms.amazonaws.com',
  eventName,
  userIdentity: { type: 'AWSService', invokedBy },
});

describe('what a trail logs', () => {
  const rates: LoggingSettings = { ...all, insightSelectors: [{ InsightType: 'ApiCallRateInsight' }] };
  const dataRates: LoggingSettings = {
    ...all,
    insightSelectors: [{ InsightType: 'ApiCallRateInsight', EventCategories: ['Data'] }],
  };

  const noCategories: LoggingSettings = {
    ...all,
    insightSelectors: [{ InsightType: 'ApiCallRateInsight', EventCategories: [] }],
  };

  it.each([
    [all, insight('ApiCallRateInsight'), undefined],
    [rates, insight('ApiCallRateInsight'), 'CloudTrail-Insight'],
    [rates, insight('ApiErrorRateInsight'), undefined],
    [rates, insight('ApiCallRateInsight', 'Data'), undefined],
    [dataRates, insight('ApiCallRateInsight', 'Data'), 'CloudTrail-Insight'],
    [dataRates, insight('ApiCallRateInsight'), undefined],
    [dataRates, insight('ApiCallRateInsight', 'Data', arnOf('main')), 'CloudTrail-Insight'],
    [dataRates, insight('ApiCallRateInsight', 'Data', arnOf('other')), undefined],
    [noCategories, insight('ApiCallRateInsight'), 'CloudTrail-Insight'],
    [noCategories, insight('ApiCallRateInsight', 'Data'), undefined],
  ])('of insights with %j: %j', (logging, over, expected) => {
    expect(classOf(logging, over)).toBe(expected);
  });

  const iam = { eventSource: 'iam.amazonaws.com', awsRegion: 'us-east-1' };
  const local = { ...all, isMultiRegion: false };
  it.each([
    ['in all regions', all, iam, 'eu-central-1', 'CloudTrail'],
    ['of another region', local, iam, 'eu-central-1', undefined],
    ['of us-east-1', local, iam, 'us-east-1', 'CloudTrail'],
    ['without them', { ...local, includeGlobalServiceEvents: false }, iam, 'us-east-1', undefined],
    [
      'of STS elsewhere, which are not global',
      { ...local, includeGlobalServiceEvents: false },
      { eventSource: 'sts.amazonaws.com', awsRegion: 'eu-central-1' },
      'eu-central-1',
      'CloudTrail',
    ],
    ['when it does not log', { ...all, isLogging: false }, iam, 'us-east-1', undefined],
  ])('of global service events %s', (_, logging, over, homeRegion, expected) => {
    expect(classOf(logging, over, homeRegion)).toBe(expected);
  });

  it.each([
    [
      'CloudTrail’s own, since RecursiveLogging is false',
      'GenerateDataKey',
      'cloudtrail.amazonaws.com',
      false,
    ],
    ['what CloudTrail reads', 'Decrypt', 'cloudtrail.amazonaws.com', false],
    ['what S3 does for callers', 'GenerateDataKey', 'fas.s3.amazonaws.com', true],
    ['what callers do', 'GenerateDataKey', undefined, true],
  ])('of uses of keys: %s', (_, eventName, invokedBy, logged) => {
    expect(classOf(all, ofKms(eventName, invokedBy))).toBe(logged ? 'CloudTrail' : undefined);
  });

  it('goes by the settings at each place, and by both for the record of the change', () => {
    const raw = auditRecord('1');
    const scan = scanRecord(raw);
    if (scan.kind === 'problem') throw new Error(scan.problem);
    const event = selectableEvent(scan.record, raw);
    const selection = openSelection(trail, { ...all, isLogging: false });
    expect([selection.idle, selection.classOf(1, event)]).toEqual([true, undefined]);
    selection.change(2, all);
    expect(selection.classOf(3, event)).toBe('CloudTrail');
    selection.change(4, { ...all, isLogging: false });
    expect(selection.classOf(5, event)).toBe('CloudTrail');
    expect(selection.classOf(6, event)).toBeUndefined();
    expect(selection.idle).toBe(true);
  });
});
