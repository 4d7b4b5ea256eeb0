import type { Constraint, ServiceConstraints } from './constraint.ts';

const anyText = '.*';
const busArn = 'arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/';
const thingArn = '^arn:aws[a-z-]*:events:[a-z\\d-]*:([0-9]{12})?:';
/**
 * The reference writes these two with one repetition inside another over the same characters, which takes time without bound on
 * a text that does not match; they are written here as the same language without it.
 */
const credential: Constraint = {
  length: [1, 512],
  pattern: '^\\t*[^\\x00-\\x1F:\\x7F]([^\\x00-\\x1F:\\x7F]|\\t)*$',
};
const headerValue: Constraint = { length: [0, 512], pattern: '^\\t*[\\x20-\\x7E][\\t\\x20-\\x7E]*$' };
const headerKey: Constraint = { length: [0, 512], pattern: "^[!#$%&'*+-.^_`|~0-9a-zA-Z]+$" };
const httpsEndpoint: Constraint = {
  length: [1, 2048],
  pattern: "^((%[0-9A-Fa-f]{2}|[-()_.!~*';/?:@\\x26=+$,A-Za-z0-9])+)([).!';/?:,])?$",
};
const queryKey: Constraint = { length: [0, 512], pattern: '[^\\x00-\\x1F\\x7F]+' };
const queryValue: Constraint = { length: [0, 512], pattern: '[^\\x00-\\x09\\x0B\\x0C\\x0E-\\x1F\\x7F]+' };
const name: Constraint = { length: [1, 64], pattern: '[\\.\\-_A-Za-z0-9]+' };
/** Of an event bus, also one of a partner. */
const busName: Constraint = { length: [1, 256], pattern: '[/\\.\\-_A-Za-z0-9]+' };
const ownBusName: Constraint = { length: [1, 256], pattern: '[\\.\\-_A-Za-z0-9]+' };
const partnerName: Constraint = { length: [1, 256], pattern: 'aws\\.partner(/[\\.\\-_A-Za-z0-9]+){2,}' };
const free: Constraint = {};

/** Lengths, ranges, patterns and values of EventBridge, from the pages of its operations and data types. */
export const eventsConstraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/eventbridge/latest/APIReference/',
  members: {
    Account: { length: [12, 12], pattern: '\\d{12}' },
    Action: { length: [1, 64], pattern: 'events:[a-zA-Z]+' },
    ApiKeyName: credential,
    ApiKeyValue: credential,
    ArchiveName: { length: [1, 48], pattern: '[\\.\\-_A-Za-z0-9]+' },
    Arn: { length: [1, 1600] },
    AuthorizationEndpoint: httpsEndpoint,
    AuthorizationType: { values: ['BASIC', 'OAUTH_CLIENT_CREDENTIALS', 'API_KEY'] },
    BodyParameters: { items: [0, 100] },
    ClientID: credential,
    ClientSecret: credential,
    ConnectionArn: {
      length: [1, 1600],
      pattern: `${thingArn}connection\\/[\\.\\-_A-Za-z0-9]+\\/[\\-A-Za-z0-9]+$`,
    },
    ConnectionState: {
      values: [
        'CREATING',
        'UPDATING',
        'DELETING',
        'AUTHORIZED',
        'DEAUTHORIZED',
        'AUTHORIZING',
        'DEAUTHORIZING',
        'ACTIVE',
        'FAILED_CONNECTIVITY',
      ],
    },
    Description: { length: [0, 512], pattern: anyText },
    EndpointId: { length: [1, 50], pattern: '^[A-Za-z0-9\\-]+[\\.][A-Za-z0-9\\-]+$' },
    EventBusName: { length: [1, 1600], pattern: `(${busArn})?[/\\.\\-_A-Za-z0-9]+` },
    EventPattern: { length: [0, 4096] },
    EventSourceArn: { length: [1, 1600], pattern: `${thingArn}.+\\/.+$` },
    EventSourceName: partnerName,
    FilterArns: { element: { length: [1, 1600] } },
    HttpMethod: { values: ['POST', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE'] },
    Id: name,
    Ids: { items: [1, 100], element: name },
    IncludeDetail: { values: ['NONE', 'FULL'] },
    Input: { length: [0, 8192] },
    InputPath: { length: [0, 256] },
    InputPathsMap: {
      items: [0, 100],
      key: { length: [1, 256], pattern: '[A-Za-z0-9_\\-]+' },
      value: { length: [0, 256] },
    },
    InputTemplate: { length: [1, 8192] },
    InvocationEndpoint: httpsEndpoint,
    InvocationRateLimitPerSecond: { range: [1] },
    KmsKeyIdentifier: { length: [0, 2048], pattern: '^[a-zA-Z0-9_\\-/:]*$' },
    Level: { values: ['OFF', 'ERROR', 'INFO', 'TRACE'] },
    Limit: { range: [1, 100] },
    MaxResults: { range: [1, 100] },
    MaximumEventAgeInSeconds: { range: [60, 86_400] },
    MaximumRetryAttempts: { range: [0, 185] },
    Name: name,
    NamePrefix: name,
    NextToken: { length: [1, 2048] },
    Password: credential,
    PathParameterValues: { element: { pattern: '^(?!\\s*$).+' } },
    Principal: { length: [1, 12], pattern: '(\\d{12}|\\*)' },
    ReplayName: name,
    ResourceARN: { length: [1, 1600] },
    Resources: { element: { length: [0, 2048] } },
    RetentionDays: { range: [0] },
    RoleArn: { length: [1, 1600] },
    Rule: name,
    ScheduleExpression: { length: [0, 256] },
    StatementId: { length: [1, 64], pattern: '[a-zA-Z0-9-_]+' },
    TagKeys: { element: { length: [1, 128] } },
    TargetArn: { length: [1, 1600] },
    Targets: { items: [1, 100] },
    TraceHeader: { length: [1, 500] },
    Username: credential,
  },
  structures: {
    ActivateEventSourceRequest: { Name: partnerName },
    ConnectionHeaderParameter: { Key: headerKey, Value: headerValue },
    ConnectionHttpParameters: {
      HeaderParameters: { items: [0, 100] },
      QueryStringParameters: { items: [0, 100] },
    },
    ConnectionQueryStringParameter: { Key: queryKey, Value: queryValue },
    CreateConnectionOAuthRequestParameters: { HttpMethod: { values: ['GET', 'POST', 'PUT'] } },
    CreateEventBusRequest: { Description: { length: [0, 512] }, Name: busName },
    CreatePartnerEventSourceRequest: { Name: partnerName },
    DeactivateEventSourceRequest: { Name: partnerName },
    DeleteEventBusRequest: { Name: busName },
    DeletePartnerEventSourceRequest: { Name: partnerName },
    DescribeEventBusRequest: {
      Name: { length: [1, 1600], pattern: `(${busArn})?[/\\.\\-_A-Za-z0-9]+` },
    },
    DescribeEventSourceRequest: { Name: partnerName },
    DescribePartnerEventSourceRequest: { Name: partnerName },
    HttpParameters: {
      HeaderParameters: { key: headerKey, value: headerValue },
      QueryStringParameters: { key: queryKey, value: queryValue },
    },
    ListArchivesRequest: {
      NamePrefix: { length: [1, 48], pattern: '[\\.\\-_A-Za-z0-9]+' },
      State: {
        values: ['ENABLED', 'DISABLED', 'CREATING', 'UPDATING', 'CREATE_FAILED', 'UPDATE_FAILED'],
      },
    },
    ListEventBusesRequest: { NamePrefix: busName },
    ListEventSourcesRequest: { NamePrefix: busName },
    ListPartnerEventSourcesRequest: {
      NamePrefix: { length: [1, 256], pattern: 'aws\\.partner/[\\.\\-_A-Za-z0-9]+/[/\\.\\-_A-Za-z0-9]*' },
    },
    ListReplaysRequest: {
      State: { values: ['STARTING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'CANCELLED', 'FAILED'] },
    },
    PutEventsRequest: { Entries: { items: [1, 10] } },
    PutEventsRequestEntry: {
      EventBusName: { length: [1, 1600], pattern: `(${busArn})?[\\.\\-_A-Za-z0-9]+` },
    },
    PutPartnerEventsRequest: { Entries: { items: [1, 20] } },
    PutPartnerEventsRequestEntry: { Source: partnerName },
    PutPermissionRequest: { EventBusName: ownBusName },
    PutRuleRequest: {
      Description: { length: [0, 512] },
      State: { values: ['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'] },
    },
    // Targets of Systems Manager Run Command, which have keys and values of their own.
    RunCommandTarget: { Key: free },
    RemovePermissionRequest: { EventBusName: ownBusName },
    SageMakerPipelineParameter: { Name: free },
    Tag: { Key: { length: [1, 128] }, Value: { length: [0, 256] } },
    UpdateConnectionOAuthRequestParameters: { HttpMethod: { values: ['GET', 'POST', 'PUT'] } },
    UpdateEventBusRequest: { Description: { length: [0, 512] }, Name: busName },
  },
};
