import type { ColumnsTable, ColumnType, DerivedColumn } from '../../store/index.ts';

/** A struct of version 1 whose member `time` was a TIMESTAMP, with that as text. */
function withTextTime(struct: string, members: readonly string[], time: string): string {
  const values = members.map((member) => {
    const value = `"${struct}"."${member}"`;
    return `"${member}" := ${member === time ? `strftime(${value}, '%Y-%m-%dT%H:%M:%SZ')` : value}`;
  });
  return `CASE WHEN "${struct}" IS NULL THEN NULL ELSE struct_pack(${values.join(', ')}) END`;
}

const eventDataMembers = [
  'version',
  'userIdentity',
  'userAgent',
  'eventSource',
  'eventName',
  'eventTime',
  'UID',
  'requestParameters',
  'responseElements',
  'errorCode',
  'errorMessage',
  'sourceIPAddress',
  'recipientAccountId',
  'additionalEventData',
];

/**
 * The columns of an event data store: what "Supported SQL schemas for event data stores" lists for CloudTrail event
 * records and for Insights events, and `metadata` and `eventData` of events from outside AWS. Names are matched without regard to case; they are
 * written as in the event record. Times are UTC. The values of maps are text: what is a string in the record stands as it
 * is, everything else as JSON. A member of another type than its column's is null.
 */
export const lakeColumns: readonly ColumnType[] = [
  { name: 'eventVersion', type: 'VARCHAR' },
  {
    name: 'userIdentity',
    type:
      'STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, ' +
      'accessKeyId VARCHAR, userName VARCHAR, ' +
      'sessionContext STRUCT(attributes STRUCT(creationDate TIMESTAMP, mfaAuthenticated VARCHAR), ' +
      'sessionIssuer STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, ' +
      'userName VARCHAR), webIdFederationData STRUCT(federatedProvider VARCHAR, ' +
      'attributes MAP(VARCHAR, VARCHAR)), sourceIdentity VARCHAR, ec2RoleDelivery VARCHAR, ' +
      'ec2IssuedInVpc VARCHAR), onBehalfOf STRUCT(userId VARCHAR, identityStoreArn VARCHAR), ' +
      'inScopeOf STRUCT(sourceArn VARCHAR, sourceAccount VARCHAR, issuerType VARCHAR, ' +
      'credentialsIssuedTo VARCHAR), invokedBy VARCHAR, identityProvider VARCHAR)',
    maps: [['sessionContext', 'webIdFederationData', 'attributes']],
  },
  { name: 'eventTime', type: 'TIMESTAMP' },
  { name: 'eventSource', type: 'VARCHAR' },
  { name: 'eventName', type: 'VARCHAR' },
  { name: 'awsRegion', type: 'VARCHAR' },
  { name: 'sourceIPAddress', type: 'VARCHAR' },
  { name: 'userAgent', type: 'VARCHAR' },
  { name: 'errorCode', type: 'VARCHAR' },
  { name: 'errorMessage', type: 'VARCHAR' },
  { name: 'requestParameters', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'responseElements', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'additionalEventData', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'requestID', type: 'VARCHAR', uuidsSince: 4 },
  { name: 'eventID', type: 'VARCHAR', uuidsSince: 4 },
  { name: 'readOnly', type: 'BOOLEAN' },
  {
    name: 'resources',
    type: 'STRUCT(accountId VARCHAR, "type" VARCHAR, ARN VARCHAR, ARNPrefix VARCHAR)[]',
  },
  { name: 'eventType', type: 'VARCHAR' },
  { name: 'apiVersion', type: 'VARCHAR' },
  { name: 'managementEvent', type: 'BOOLEAN' },
  { name: 'recipientAccountId', type: 'VARCHAR' },
  { name: 'sharedEventID', type: 'VARCHAR' },
  { name: 'annotation', type: 'VARCHAR' },
  { name: 'vpcEndpointId', type: 'VARCHAR' },
  { name: 'vpcEndpointAccountId', type: 'VARCHAR' },
  { name: 'serviceEventDetails', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'addendum', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'edgeDeviceDetails', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'insightDetails', type: 'MAP(VARCHAR, VARCHAR)' },
  { name: 'eventCategory', type: 'VARCHAR' },
  {
    name: 'tlsDetails',
    type: 'STRUCT(tlsVersion VARCHAR, cipherSuite VARCHAR, clientProvidedHostHeader VARCHAR)',
    since: 2,
  },
  { name: 'sessionCredentialFromConsole', type: 'VARCHAR' },
  { name: 'insightSource', type: 'VARCHAR', since: 3 },
  { name: 'insightState', type: 'VARCHAR', since: 3 },
  { name: 'insightEventSource', type: 'VARCHAR', since: 3 },
  { name: 'insightEventName', type: 'VARCHAR', since: 3 },
  { name: 'insightErrorCode', type: 'VARCHAR', since: 3 },
  { name: 'insightType', type: 'VARCHAR', since: 3 },
  {
    name: 'insightContext',
    type:
      'STRUCT(baselineAverage DOUBLE, insightAverage DOUBLE, baselineDuration INTEGER, insightDuration INTEGER, ' +
      'attributions STRUCT(attribute VARCHAR, insight STRUCT("value" VARCHAR, average DOUBLE)[], ' +
      'baseline STRUCT("value" VARCHAR, average DOUBLE)[])[])',
    since: 3,
  },
  {
    name: 'metadata',
    type: 'STRUCT(ingestionTime VARCHAR, channelARN VARCHAR)',
    since: 2,
    earlier: withTextTime('metadata', ['ingestionTime', 'channelARN'], 'ingestionTime'),
  },
  {
    name: 'eventData',
    type:
      'STRUCT(version VARCHAR, userIdentity STRUCT("type" VARCHAR, principalId VARCHAR, ' +
      'details MAP(VARCHAR, VARCHAR)), userAgent VARCHAR, eventSource VARCHAR, eventName VARCHAR, ' +
      'eventTime VARCHAR, UID VARCHAR, requestParameters MAP(VARCHAR, VARCHAR), ' +
      'responseElements MAP(VARCHAR, VARCHAR), errorCode VARCHAR, errorMessage VARCHAR, ' +
      'sourceIPAddress VARCHAR, recipientAccountId VARCHAR, additionalEventData MAP(VARCHAR, VARCHAR))',
    since: 2,
    earlier: withTextTime('eventData', eventDataMembers, 'eventTime'),
    maps: [['userIdentity', 'details'], ['requestParameters'], ['responseElements'], ['additionalEventData']],
  },
];

/**
 * Members of userIdentity that many queries ask for. A whole struct takes several times longer to read than a column, and the
 * index of values that a file has for a column is of no use for a member of a struct.
 */
export const flatMembers: readonly string[] = [
  'userIdentity.type',
  'userIdentity.arn',
  'userIdentity.accessKeyId',
  'userIdentity.userName',
];

const derivedColumns: readonly DerivedColumn[] = flatMembers.map((path) => ({
  name: path,
  from: path
    .split('.')
    .map((name) => `"${name}"`)
    .join('.'),
  since: 2,
}));

/**
 * Columns of an event data store that are brought from the history for the queries that name them: the record as it came, and
 * its SHA-256 in hexadecimal (AWS does not say which checksum it is).
 */
export const recordColumns: readonly string[] = ['eventJson', 'eventJsonChecksum'];

/** The table of the lake, for whoever opens its columns. */
export const lakeTable: ColumnsTable = {
  // 2: tlsDetails; metadata.ingestionTime and eventData.eventTime are texts; the flat members.
  // 3: Insights events of event data stores.
  // 4: UUIDs of eventID and requestID as such.
  version: 4,
  columns: lakeColumns,
  derived: derivedColumns,
  owner: 'recipientAccountId',
  id: 'eventID',
  time: 'eventTime',
};
