import type { ColumnsTable } from '../../store/index.ts';

/** One column of an event data store. */
export interface LakeColumn {
  /** As it stands in the event record; queries match names without regard to case. */
  readonly name: string;
  /** The documented type, such as `string`, `timestamp`, `map<string,string>` or `struct<type:string,arn:string>`. */
  readonly type: string;
}

const identity =
  'struct<type:string,principalId:string,arn:string,accountId:string,accessKeyId:string,userName:string,' +
  'sessionContext:struct<attributes:struct<creationDate:timestamp,mfaAuthenticated:string>,' +
  'sessionIssuer:struct<type:string,principalId:string,arn:string,accountId:string,userName:string>,' +
  'webIdFederationData:struct<federatedProvider:string,attributes:map<string,string>>,' +
  'sourceIdentity:string,ec2RoleDelivery:string,ec2IssuedInVpc:string>,' +
  'onBehalfOf:struct<userId:string,identityStoreArn:string>,' +
  'inScopeOf:struct<sourceArn:string,sourceAccount:string,issuerType:string,credentialsIssuedTo:string>,' +
  'invokedBy:string,identityProvider:string>';

const eventData =
  'struct<version:string,userIdentity:struct<type:string,principalId:string,details:map<string,string>>,' +
  'userAgent:string,eventSource:string,eventName:string,eventTime:timestamp,UID:string,' +
  'requestParameters:map<string,string>,responseElements:map<string,string>,errorCode:string,errorMessage:string,' +
  'sourceIPAddress:string,recipientAccountId:string,additionalEventData:map<string,string>>';

/**
 * The columns of an event data store, from "Supported SQL schemas for event data stores": those of CloudTrail event records,
 * and `metadata` and `eventData` of events from outside AWS. Times are UTC. The values of maps are text: what is a string
 * in the record stands as it is, everything else as JSON. A member of another type than its column's is null.
 *
 * `eventJson` and `eventJsonChecksum` are left out: the record itself is kept once, in the history, where LookupEvents and
 * `cairn lookup` find it by its eventID. A query that names them is refused.
 */
export const lakeColumns: readonly LakeColumn[] = [
  { name: 'eventVersion', type: 'string' },
  { name: 'userIdentity', type: identity },
  { name: 'eventTime', type: 'timestamp' },
  { name: 'eventSource', type: 'string' },
  { name: 'eventName', type: 'string' },
  { name: 'awsRegion', type: 'string' },
  { name: 'sourceIPAddress', type: 'string' },
  { name: 'userAgent', type: 'string' },
  { name: 'errorCode', type: 'string' },
  { name: 'errorMessage', type: 'string' },
  { name: 'requestParameters', type: 'map<string,string>' },
  { name: 'responseElements', type: 'map<string,string>' },
  { name: 'additionalEventData', type: 'map<string,string>' },
  { name: 'requestID', type: 'string' },
  { name: 'eventID', type: 'string' },
  { name: 'readOnly', type: 'boolean' },
  { name: 'resources', type: 'array<struct<accountId:string,type:string,ARN:string,ARNPrefix:string>>' },
  { name: 'eventType', type: 'string' },
  { name: 'apiVersion', type: 'string' },
  { name: 'managementEvent', type: 'boolean' },
  { name: 'recipientAccountId', type: 'string' },
  { name: 'sharedEventID', type: 'string' },
  { name: 'annotation', type: 'string' },
  { name: 'vpcEndpointId', type: 'string' },
  { name: 'vpcEndpointAccountId', type: 'string' },
  { name: 'serviceEventDetails', type: 'map<string,string>' },
  { name: 'addendum', type: 'map<string,string>' },
  { name: 'edgeDeviceDetails', type: 'map<string,string>' },
  { name: 'insightDetails', type: 'map<string,string>' },
  { name: 'eventCategory', type: 'string' },
  {
    name: 'tlsDetails',
    type: 'struct<tlsVersion:string,cipherSuite:string,clientProvidedHostHeader:string>',
  },
  { name: 'sessionCredentialFromConsole', type: 'string' },
  { name: 'metadata', type: 'struct<ingestionTime:timestamp,channelARN:string>' },
  { name: 'eventData', type: eventData },
];

/** The table of the lake, for whoever opens its columns. */
export const lakeTable: ColumnsTable = {
  columns: lakeColumns,
  owner: 'recipientAccountId',
  id: 'eventID',
  time: 'eventTime',
};
