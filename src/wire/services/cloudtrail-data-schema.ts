/**
 * The schema of the CloudTrail Data Service, which no npm client carries ("PutAuditEvents", AWS CloudTrail Data API
 * Reference). It has the form of the SDK clients' schemas: [kind, namespace, name, traits, members, types, number of
 * required members], where kind 3 is a structure, -3 an error, 1 a list, 9 an operation; type 0 is a string.
 */
const namespace = 'com.amazonaws.cloudtraildata';

const auditEvent = [3, namespace, 'AuditEvent', 0, ['id', 'eventData', 'eventDataChecksum'], [0, 0, 0], 2];
const resultEntry = [3, namespace, 'AuditEventResultEntry', 0, ['id', 'eventID'], [0, 0], 2];
const errorEntry = [3, namespace, 'ResultErrorEntry', 0, ['id', 'errorCode', 'errorMessage'], [0, 0, 0], 3];

const request = [
  3,
  namespace,
  'PutAuditEventsRequest',
  0,
  ['auditEvents', 'channelArn', 'externalId'],
  [
    [1, namespace, 'AuditEvents', 0, auditEvent],
    [0, { httpQuery: 'channelArn' }],
    [0, { httpQuery: 'externalId' }],
  ],
  2,
];

const response = [
  3,
  namespace,
  'PutAuditEventsResponse',
  0,
  ['successful', 'failed'],
  [
    [1, namespace, 'AuditEventResultEntries', 0, resultEntry],
    [1, namespace, 'ResultErrorEntries', 0, errorEntry],
  ],
  2,
];

function error(name: string): readonly unknown[] {
  return [-3, namespace, name, { error: 'client', httpError: 400 }, ['message'], [0]];
}

/** What importing a client package would give. */
export const cloudTrailDataExports: Readonly<Record<string, unknown>> = {
  PutAuditEvents$: [
    9,
    namespace,
    'PutAuditEvents',
    { http: ['POST', '/PutAuditEvents', 200] },
    () => request,
    () => response,
  ],
  AuditEvent$: auditEvent,
  AuditEventResultEntry$: resultEntry,
  ResultErrorEntry$: errorEntry,
  PutAuditEventsRequest$: request,
  PutAuditEventsResponse$: response,
  ChannelInsufficientPermission$: error('ChannelInsufficientPermission'),
  ChannelNotFound$: error('ChannelNotFound'),
  ChannelUnsupportedSchema$: error('ChannelUnsupportedSchema'),
  DuplicatedAuditEventId$: error('DuplicatedAuditEventId'),
  InvalidChannelARN$: error('InvalidChannelARN'),
  UnsupportedOperationException$: error('UnsupportedOperationException'),
};
