import { expect, test } from 'vitest';
import { scanRecord } from './scan-record.ts';

function resourcesOf(
  eventName: string,
  sides: object,
  eventSource = 'cloudtrail.amazonaws.com',
): readonly (readonly [unknown, unknown])[] {
  const record = {
    eventID: 'c9d2bb3b-7b1d-4d3e-9f1e-000000000001',
    eventTime: '2026-01-01T00:00:00Z',
    eventSource,
    eventName,
    awsRegion: 'us-east-1',
    recipientAccountId: '000000000000',
    ...sides,
  };
  const scan = scanRecord(Buffer.from(JSON.stringify(record)));
  return scan.kind === 'record' ? scan.record.resources.map(({ type, name }) => [type, name]) : [];
}

test.each([
  ['CreateTrail', 'AWS::CloudTrail::Trail'],
  ['CreateEventDataStore', 'AWS::CloudTrail::EventDataStore'],
  ['UpdateChannel', 'AWS::CloudTrail::Channel'],
  ['CreateDashboard', 'AWS::CloudTrail::Dashboard'],
])('a name in %s is that of %s', (eventName, type) => {
  expect(resourcesOf(eventName, { requestParameters: { name: 'n' } })).toEqual([[type, 'n']]);
});

test('what the answer names is a resource of the event too', () => {
  const sides = {
    requestParameters: { eventDataStore: 'store' },
    responseElements: { eventDataStoreArn: 'arn:aws:cloudtrail:us-east-1:000000000000:eventdatastore/store' },
  };
  expect(resourcesOf('UpdateEventDataStore', sides)).toEqual([
    ['AWS::CloudTrail::EventDataStore', 'store'],
    ['AWS::CloudTrail::EventDataStore', sides.responseElements.eventDataStoreArn],
  ]);
});

test.each([
  ['CreateEventBus', { name: 'n' }, [['AWS::Events::EventBus', 'n']]],
  [
    'PutRule',
    { name: 'n', eventBusName: 'b' },
    [
      ['AWS::Events::Rule', 'n'],
      ['AWS::Events::EventBus', 'b'],
    ],
  ],
  ['PutTargets', { rule: 'n' }, [['AWS::Events::Rule', 'n']]],
  ['CreateConnection', { name: 'n' }, [['AWS::Events::Connection', 'n']]],
  ['CreateApiDestination', { name: 'n' }, [['AWS::Events::ApiDestination', 'n']]],
])(
  '%s of EventBridge names its rule, bus, connection or destination',
  (eventName, requestParameters, expected) => {
    expect(resourcesOf(eventName, { requestParameters }, 'events.amazonaws.com')).toEqual(expected);
  },
);
