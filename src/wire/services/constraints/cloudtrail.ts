import type { ServiceConstraints } from './constraint.ts';

const anyLine = '.*';
const arnOrId = '^[a-zA-Z0-9._/\\-:]+$';
const dashboardName = '^[a-zA-Z0-9_\\-]+$';
const digits = '\\d+';
const printable = '^[ -~\\n]*$';
const someLine = '.+';
const storeName = '^[a-zA-Z0-9._\\-]+$';
const uuid = '^[a-f0-9\\-]+$';

/**
 * Lengths, ranges, patterns and values of CloudTrail, from the pages of its operations and data types. What CloudTrail
 * has an exception of its own for (InvalidLookupAttributesException, InvalidMaxResultsException,
 * InvalidTrailNameException, InvalidS3BucketNameException, …) is left to its operations.
 */
export const cloudTrailConstraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/',
  members: {
    AggregationConfigurations: { items: [0, 1] },
    BillingMode: { values: ['EXTENDABLE_RETENTION_PRICING', 'FIXED_RETENTION_PRICING'] },
    Channel: { length: [3, 256], pattern: arnOrId },
    ContextKeySelectors: { items: [0, 2] },
    DashboardId: { pattern: arnOrId },
    DataType: { values: ['InsightsEvents'] },
    DelegatedAdminAccountId: { length: [12, 16], pattern: digits },
    DeliveryS3Uri: { length: [0, 1024], pattern: 's3://[a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9](/.*)?' },
    Destination: { length: [3, 256], pattern: arnOrId },
    Destinations: { items: [1, 200] },
    Dimensions: {
      items: [1, 1],
      key: { values: ['EventId', 'EventName', 'EventSource'] },
      value: { length: [1, 2000] },
    },
    EndsWith: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    Equals: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    ErrorCode: { length: [0, 128], pattern: '^[\\w\\d\\s_.,\\-:\\[\\]]+$' },
    EventCategories: { element: { values: ['Management', 'Data'] } },
    EventDataStoreOwnerAccountId: { length: [12, 16], pattern: digits },
    EventDataStores: { items: [1, 1], element: { length: [3, 256], pattern: arnOrId } },
    EventName: { length: [0, 128], pattern: '^[A-Za-z0-9_]+$' },
    EventSource: { length: [0, 256], pattern: '^[a-z0-9_-]+\\.amazonaws\\.com$' },
    FederationRoleArn: { length: [3, 125], pattern: '^[a-zA-Z0-9._/\\-:@=\\+,\\.]+$' },
    Field: { length: [1, 1000], pattern: '[\\w|\\d|\\.|_]+' },
    FieldSelectors: { items: [1] },
    ImportId: { length: [36, 36], pattern: uuid },
    ImportStatus: { values: ['INITIALIZING', 'IN_PROGRESS', 'FAILED', 'STOPPED', 'COMPLETED'] },
    InsightSource: { length: [3, 256], pattern: arnOrId },
    InsightType: { values: ['ApiCallRateInsight', 'ApiErrorRateInsight'] },
    InsightsDestination: { length: [3, 256], pattern: arnOrId },
    Key: { length: [1, 128] },
    Location: { length: [3, 1024], pattern: '^[a-zA-Z0-9._/\\-:*]+$' },
    MaxEventSize: { values: ['Standard', 'Large'] },
    MaxQueryResults: { range: [1, 1000] },
    MaxResults: { range: [1, 1000] },
    MemberAccountId: { length: [12, 16], pattern: digits },
    NamePrefix: { length: [3, 128], pattern: dashboardName },
    NotEndsWith: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    NotEquals: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    NotStartsWith: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    Period: { range: [60, 3600] },
    Prompt: { length: [3, 500], pattern: printable },
    QueryAlias: { length: [1, 256], pattern: '^[a-zA-Z][a-zA-Z0-9._\\-]*$' },
    QueryId: { length: [36, 36], pattern: uuid },
    QueryParameterValues: {
      key: { length: [3, 128], pattern: '^[a-zA-Z0-9._/\\-:$]+$' },
      value: { length: [1, 128], pattern: arnOrId },
    },
    QueryParameters: { items: [1, 10], element: { length: [1, 1024], pattern: anyLine } },
    QueryStatement: { length: [1, 10000] },
    QueryStatus: { values: ['QUEUED', 'RUNNING', 'FINISHED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] },
    RefreshId: { length: [10, 20], pattern: digits },
    ResourceArn: { length: [3, 256], pattern: arnOrId },
    ResourcePolicy: { length: [1, 8192] },
    RetentionPeriod: { range: [7, 3653] },
    SearchPhrase: { length: [2, 1000], pattern: printable },
    Source: { length: [1, 256], pattern: anyLine },
    StartsWith: { items: [1], element: { length: [1, 2048], pattern: someLine } },
    Status: { values: ['ENABLED', 'DISABLED'] },
    Tags: { items: [0, 200] },
    TagsList: { items: [0, 200] },
    Templates: { items: [1, 50], element: { values: ['API_ACTIVITY', 'RESOURCE_ACCESS', 'USER_ACTIONS'] } },
    TimeOfDay: { pattern: '^[0-9]{2}:[0-9]{2}' },
    Unit: { values: ['HOURS', 'DAYS'] },
    ViewProperties: {
      key: { length: [3, 128], pattern: storeName },
      value: { length: [1, 128], pattern: '^[a-zA-Z0-9._\\- ]+$' },
    },
  },
  structures: {
    AdvancedEventSelector: { Name: { length: [0, 1000], pattern: anyLine } },
    AggregationConfiguration: { EventCategory: { values: ['Data'] } },
    CancelQueryRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    ContextKeySelector: {
      Equals: { items: [1, 50], element: { length: [1, 128] } },
      Type: { values: ['TagContext', 'RequestContext'] },
    },
    CreateChannelRequest: { Name: { length: [3, 128], pattern: storeName } },
    CreateDashboardRequest: { Name: { length: [3, 128], pattern: dashboardName } },
    CreateEventDataStoreRequest: {
      KmsKeyId: { length: [1, 350], pattern: arnOrId },
      Name: { length: [3, 128], pattern: storeName },
    },
    DeleteEventDataStoreRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    DescribeQueryRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    Destination: { Type: { values: ['EVENT_DATA_STORE', 'AWS_SERVICE'] } },
    DisableFederationRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    EnableFederationRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    GetEventDataStoreRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    GetInsightSelectorsRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    GetQueryResultsRequest: {
      EventDataStore: { length: [3, 256], pattern: arnOrId },
      NextToken: { length: [4, 1000], pattern: anyLine },
    },
    ListChannelsRequest: { NextToken: { length: [4, 1000], pattern: anyLine } },
    // The page of the operation has no bounds for it; "List dashboards with the AWS CLI" does.
    ListDashboardsRequest: {
      MaxResults: { range: [1, 100] },
      NextToken: { length: [4, 1000], pattern: anyLine },
      Type: { values: ['MANAGED', 'CUSTOM'] },
    },
    ListEventDataStoresRequest: { NextToken: { length: [4, 1000], pattern: anyLine } },
    ListImportFailuresRequest: { NextToken: { length: [4, 1000], pattern: anyLine } },
    ListImportsRequest: { NextToken: { length: [4, 1000], pattern: anyLine } },
    ListInsightsDataRequest: {
      MaxResults: { range: [1, 50] },
      NextToken: { length: [4, 1000], pattern: anyLine },
    },
    ListInsightsMetricDataRequest: {
      DataType: { values: ['FillWithZeros', 'NonZeroData'] },
      MaxResults: { range: [1, 21600] },
      NextToken: { length: [1, 5000] },
    },
    ListQueriesRequest: {
      EventDataStore: { length: [3, 256], pattern: arnOrId },
      NextToken: { length: [4, 1000], pattern: anyLine },
    },
    PutInsightSelectorsRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    RestoreEventDataStoreRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    SearchSampleQueriesRequest: {
      MaxResults: { range: [1, 50] },
      NextToken: { length: [4, 1000], pattern: anyLine },
    },
    StartEventDataStoreIngestionRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    StartImportRequest: { Destinations: { items: [1, 1], element: { length: [3, 256], pattern: arnOrId } } },
    StopEventDataStoreIngestionRequest: { EventDataStore: { length: [3, 256], pattern: arnOrId } },
    Tag: { Value: { length: [1, 256] } },
    UpdateChannelRequest: { Name: { length: [3, 128], pattern: storeName } },
    UpdateEventDataStoreRequest: {
      EventDataStore: { length: [3, 256], pattern: arnOrId },
      KmsKeyId: { length: [1, 350], pattern: arnOrId },
      Name: { length: [3, 128], pattern: storeName },
    },
  },
};
