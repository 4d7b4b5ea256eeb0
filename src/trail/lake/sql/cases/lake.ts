import { column, one, rows } from './case.ts';
import type { CaseGroup } from './case.ts';
import { archiveId, eventsId } from './data.ts';

/** Queries over event data stores: those that the CloudTrail user guide has, and what analysts ask. */
export const lakeCases: readonly CaseGroup[] = [
  {
    page: 'CloudTrail user guide: Example queries (with the results that the events of the cases give)',
    cases: [
      rows(
        `SELECT userIdentity.principalid, eventName FROM ${eventsId} WHERE userIdentity.principalid IS NOT NULL AND ` +
          `eventTime > '2023-01-22 00:00:00' AND eventTime < '2023-01-23 00:00:00' AND eventName='CreateBucket'`,
        ['AIDABOB', 'CreateBucket'],
      ),
      rows(
        `SELECT eventID, eventName, eventSource, eventTime FROM ${eventsId} WHERE userIdentity.username = 'bob' AND ` +
          `eventTime > '2023-01-22 00:00:00' AND eventTime < '2023-01-23 00:00:00'`,
        ['e01', 'CreateBucket', 's3.amazonaws.com', '2023-01-22 09:15:00.000'],
        ['e02', 'StartQuery', 'cloudtrail.amazonaws.com', '2023-01-22 16:53:53.250'],
      ),
      rows(
        `SELECT eventSource, eventName, COUNT(*) AS apiCount FROM ${eventsId} WHERE eventTime > '2023-01-23 00:05:00' ` +
          'GROUP BY eventSource, eventName ORDER BY apiCount DESC, eventName',
        ['signin.amazonaws.com', 'ConsoleLogin', '2'],
        ['sts.amazonaws.com', 'AssumeRole', '1'],
        ['ec2.amazonaws.com', 'AuthorizeSecurityGroupIngress', '1'],
        ['iam.amazonaws.com', 'CreateUser', '1'],
        ['s3.amazonaws.com', 'GetObject', '1'],
        ['ec2.amazonaws.com', 'RunInstances', '1'],
      ),
      rows(
        `SELECT eventTime, useridentity.arn, awsRegion FROM ${eventsId} WHERE awsRegion in ('us-east-1', 'us-west-2') AND eventName = 'ConsoleLogin'`,
        ['2023-02-01 12:00:00.000', 'arn:aws:iam::444455556666:user/carol', 'us-west-2'],
      ),
      rows(
        `SELECT element_at(responseElements, 'queryId'), element_at(requestParameters, 'queryStatement') FROM ${eventsId} ` +
          `WHERE eventName='StartQuery' AND eventSource = 'cloudtrail.amazonaws.com' AND responseElements IS NOT NULL ` +
          `AND eventTime > '2023-01-01 00:00:00' AND eventTime < '2023-02-01 00:00:00'`,
        ['12345678-abcd', 'select * from eds limit 1'],
      ),
    ],
  },
  {
    page: 'CloudTrail user guide: CloudTrail Lake SQL constraints; CloudTrail Lake queries; Optimize CloudTrail Lake queries',
    cases: [
      rows(
        `Select eventId, eventName from ${eventsId} WHERE eventName = 'CreateBucket' UNION Select eventId, eventName from "${archiveId}" ` +
          `UNION ALL Select eventId, eventName from ${archiveId} ORDER BY eventId LIMIT 10;`,
        ['e01', 'CreateBucket'],
        ['e01', 'CreateBucket'],
        ['e11', 'Decrypt'],
        ['e11', 'Decrypt'],
      ),
      one(
        `SELECT count(*) FROM ${eventsId} WHERE eventtime >='2023-01-22 16:00:00' and eventtime < ='2023-01-23 00:00:00'`,
        '2',
      ),
      rows(
        `SELECT eventName, eventSource, arbitrary(eventType), count(*) FROM ${eventsId} WHERE eventSource = 's3.amazonaws.com' GROUP BY eventName, eventSource ORDER BY 1`,
        ['CreateBucket', 's3.amazonaws.com', 'AwsApiCall', '1'],
        ['GetObject', 's3.amazonaws.com', 'AwsApiCall', '2'],
      ),
      rows(
        `SELECT eventName, awsRegion, count(*) FROM ${eventsId} WHERE eventName LIKE 'Console%' GROUP BY eventName, awsRegion ORDER BY awsRegion`,
        ['ConsoleLogin', 'eu-west-1', '1'],
        ['ConsoleLogin', 'us-west-2', '1'],
      ),
      column(`SELECT eventID FROM ${eventsId} ORDER BY eventTime LIMIT 2`, 'e01', 'e02'),
      column(
        `SELECT eventID FROM ${eventsId} WHERE regexp_like(eventName, '^Create|^Run') ORDER BY 1`,
        'e01',
        'e07',
        'e09',
      ),
      rows(
        `SELECT eds1.eventID, eds2.eventName FROM ${eventsId} AS eds1 INNER JOIN ${archiveId} AS eds2 ON eds1.eventID = eds2.eventID`,
        ['e01', 'CreateBucket'],
      ),
      one(`SELECT approx_distinct(eventName), count(DISTINCT userIdentity.arn) FROM ${eventsId}`, '8', '4'),
    ],
  },
  {
    page: 'CloudTrail user guide: Supported SQL schemas for event data stores (eventJson, eventJsonChecksum)',
    cases: [
      one(
        `SELECT json_extract_scalar(eventJson, '$.requestParameters.bucketName'), length(eventJsonChecksum) FROM ${eventsId} WHERE eventID = 'e01'`,
        'logs',
        '64',
      ),
      column(
        `SELECT eventID FROM ${eventsId} AS e WHERE e.EVENTJSON LIKE '%"eventName":"RunInstances"%'`,
        'e07',
      ),
      column(
        `SELECT a.eventID FROM ${eventsId} AS a JOIN ${archiveId} AS b ON json_extract_scalar(a.eventJson, '$.eventID') = json_extract_scalar(b.eventJson, '$.eventID')`,
        'e01',
      ),
      column(
        `SELECT name FROM (SELECT json_extract_scalar(eventJson, '$.eventName') AS name FROM ${eventsId} WHERE eventID IN ('e01', 'e02')) ORDER BY name`,
        'CreateBucket',
        'StartQuery',
      ),
      one(
        `SELECT max(json_extract_scalar(eventJson, '$.eventID')), count(DISTINCT eventJsonChecksum) FROM ${eventsId}`,
        'e10',
        '10',
      ),
      one(
        `SELECT cardinality(split(substr(eventJson, 1, 1), '{')) FROM ${archiveId} WHERE eventID = 'e11'`,
        '2',
      ),
    ],
  },
  {
    page: 'CloudTrail user guide: Supported SQL schemas for event data stores; Trino: SELECT',
    cases: [
      rows(
        `SELECT eventID, tlsDetails.tlsVersion FROM ${eventsId} WHERE tlsDetails.tlsVersion LIKE 'TLSv%' AND CAST(REPLACE(tlsDetails.tlsVersion, 'TLSv', '') AS DOUBLE) <= 1.1`,
        ['e04', 'TLSv1.1'],
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE element_at(additionalEventData, 'MFAUsed') = 'No'`,
        'e05',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE userIdentity.sessionContext.attributes.mfaAuthenticated = 'false' ORDER BY 1`,
        'e07',
        'e08',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE any_match(resources, r -> r.arn LIKE 'arn:aws:s3:::logs%') ORDER BY 1`,
        'e01',
        'e03',
      ),
      rows(
        `SELECT eventID, r.type, r.arn FROM ${eventsId} CROSS JOIN UNNEST(resources) AS t(accountId, type, arn) CROSS JOIN LATERAL (SELECT type, arn) AS r WHERE eventID = 'e03' ORDER BY 2`,
        ['e03', 'AWS::S3::Bucket', 'arn:aws:s3:::logs'],
        ['e03', 'AWS::S3::Object', 'arn:aws:s3:::logs/a/1.gz'],
      ),
      one(
        `SELECT element_at(resources, 1).arn, resources[1].type, cardinality(resources) FROM ${eventsId} WHERE eventID = 'e03'`,
        'arn:aws:s3:::logs/a/1.gz',
        'AWS::S3::Object',
        '2',
      ),
      one(
        `SELECT userIdentity.type, eds.userIdentity.sessionContext.sessionIssuer.userName FROM ${eventsId} eds WHERE eventID = 'e07'`,
        'AssumedRole',
        'Deployer',
      ),
      one(
        `SELECT json_extract_scalar(element_at(requestParameters, 'instancesSet'), '$.items[0].imageId'), json_extract(element_at(responseElements, 'instancesSet'), '$.items[1]') FROM ${eventsId} WHERE eventName = 'RunInstances'`,
        'ami-1',
        '{"instanceId":"i-2"}',
      ),
      one(
        `SELECT transform(CAST(json_extract(element_at(responseElements, 'instancesSet'), '$.items') AS array(json)), i -> json_extract_scalar(i, '$.instanceId')) FROM ${eventsId} WHERE eventName = 'RunInstances'`,
        '[i-1, i-2]',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE element_at(requestParameters, 'ipPermissions') LIKE '%0.0.0.0/0%'`,
        'e08',
      ),
      one(
        `SELECT map_filter(requestParameters, (k, v) -> k <> 'Host'), map_keys(additionalEventData) FROM ${eventsId} WHERE eventID = 'e01'`,
        '{bucketName=logs}',
        null,
      ),
      one(
        `SELECT transform_values(requestParameters, (k, v) -> length(v)) FROM ${eventsId} WHERE eventID = 'e03'`,
        '{bucketName=4, key=6}',
      ),
      rows(
        `SELECT date_trunc('day', eventTime) AS day, count(*), count_if(readOnly) FROM ${eventsId} WHERE eventTime < TIMESTAMP '2023-02-01 00:00:00' GROUP BY 1 ORDER BY 1`,
        ['2023-01-22 00:00:00.000', '2', '1'],
        ['2023-01-23 00:00:00.000', '2', '2'],
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE eventTime BETWEEN '2023-02-01' AND '2023-02-01 12:00:00'`,
        'e05',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE eventTime IN ('2023-01-23 00:00:00', '2023-02-04 08:00:00') ORDER BY 1`,
        'e03',
        'e09',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE eventTime = TIMESTAMP '2023-01-22 16:53:53.250' OR '2023-02-28 10:00:00' = eventTime ORDER BY 1`,
        'e02',
        'e10',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE eventTime >= from_iso8601_timestamp('2023-02-28T12:00:00+02:00')`,
        'e10',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE eventTime > date_add('day', -5, TIMESTAMP '2023-03-01 00:00:00') AND eventTime < now() - INTERVAL '7' DAY`,
        'e10',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE date(eventTime) = DATE '2023-02-02' AND CAST(eventTime AS varchar) LIKE '%.999'`,
        'e07',
      ),
      one(
        `SELECT eventTime AT TIME ZONE 'America/New_York', date_format(eventTime, '%Y-%m-%dT%H:%i:%sZ'), to_iso8601(eventTime), hour(eventTime) FROM ${eventsId} WHERE eventID = 'e01'`,
        '2023-01-22 04:15:00.000 America/New_York',
        '2023-01-22T09:15:00Z',
        '2023-01-22T09:15:00.000',
        '9',
      ),
      rows(
        `SELECT userIdentity.accountId, count(*) AS n, array_join(array_sort(array_agg(DISTINCT eventName)), ',') FROM ${eventsId} WHERE userIdentity.accountId = '444455556666' GROUP BY userIdentity.accountId`,
        ['444455556666', '2', 'ConsoleLogin,CreateUser'],
      ),
      rows(
        `SELECT errorCode, count(*) FROM ${eventsId} WHERE errorCode IS NOT NULL GROUP BY errorCode HAVING count(*) > 1`,
        ['AccessDenied', '2'],
      ),
      rows(
        `SELECT * FROM (SELECT userIdentity.arn AS who, eventName, rank() OVER (PARTITION BY userIdentity.arn ORDER BY eventTime DESC) AS latest FROM ${eventsId} WHERE userIdentity.type = 'IAMUser') WHERE latest = 1 ORDER BY who`,
        ['arn:aws:iam::111122223333:user/bob', 'ConsoleLogin', '1'],
        ['arn:aws:iam::444455556666:user/carol', 'CreateUser', '1'],
      ),
      rows(
        `WITH failures AS (SELECT sourceIPAddress, count(*) AS n FROM ${eventsId} WHERE errorMessage IS NOT NULL GROUP BY sourceIPAddress) SELECT f.sourceIPAddress, f.n, count(e.eventID) FROM failures f JOIN ${eventsId} e ON e.sourceIPAddress = f.sourceIPAddress GROUP BY f.sourceIPAddress, f.n ORDER BY 1`,
        ['192.0.2.10', '1', '3'],
        ['198.51.100.7', '1', '2'],
        ['203.0.113.5', '1', '2'],
      ),
      column(
        `SELECT DISTINCT a.userIdentity.userName FROM ${eventsId} a WHERE EXISTS (SELECT 1 FROM ${eventsId} b WHERE b.userIdentity.userName = a.userIdentity.userName AND b.errorCode = 'AccessDenied')`,
        'carol',
      ),
      column(
        `SELECT eventID FROM ${eventsId} WHERE userIdentity.userName IN (SELECT userIdentity.userName FROM "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/${archiveId}") ORDER BY eventTime DESC LIMIT 1`,
        'e06',
      ),
      column(
        `SELECT EVENTID FROM ${eventsId} WHERE "eventname" = 'AssumeRole' AND useridentity.INVOKEDBY = 'lambda.amazonaws.com'`,
        'e10',
      ),
      column(
        `SELECT CASE WHEN userIdentity.type = 'AssumedRole' THEN split_part(userIdentity.arn, '/', 2) ELSE coalesce(userIdentity.userName, userIdentity.invokedBy) END AS who FROM ${eventsId} WHERE eventID IN ('e03', 'e05', 'e10') ORDER BY eventID`,
        'Reader',
        'carol',
        'lambda.amazonaws.com',
      ),
      one(
        `SELECT url_extract_host(element_at(additionalEventData, 'LoginTo')), url_extract_parameter(element_at(additionalEventData, 'LoginTo'), 'state') FROM ${eventsId} WHERE eventID = 'e05'`,
        'console.aws.amazon.com',
        'x',
      ),
      one(
        `SELECT sum(CAST(element_at(additionalEventData, 'bytesTransferredOut') AS bigint)), max_by(eventID, eventTime), min(eventTime) FROM ${eventsId}`,
        '1024',
        'e10',
        '2023-01-22 09:15:00.000',
      ),
      rows(
        `SELECT regexp_extract(userIdentity.arn, 'assumed-role/([^/]+)/', 1) AS role, count(*) FROM ${eventsId} WHERE userIdentity.arn LIKE '%assumed-role%' GROUP BY regexp_extract(userIdentity.arn, 'assumed-role/([^/]+)/', 1) ORDER BY 1`,
        ['Deployer', '2'],
        ['Reader', '2'],
      ),
      rows(
        `SELECT element_at(requestParameters, 'bucketName') AS bucket, count(*) AS requests FROM ${eventsId} WHERE eventName = 'GetObject' GROUP BY requestParameters ORDER BY bucket`,
        ['logs', '1'],
        ['secrets', '1'],
      ),
      rows(
        `SELECT eventID, date_diff('minute', lag(eventTime) OVER (PARTITION BY userIdentity.arn ORDER BY eventTime), eventTime) AS gap FROM ${eventsId} WHERE userIdentity.userName = 'bob' ORDER BY eventTime`,
        ['e01', null],
        ['e02', '458'],
        ['e06', '14111'],
      ),
      rows(
        `SELECT awsRegion, count(*) AS n, round(count(*) * 100e0 / sum(count(*)) OVER (), 1) AS share FROM ${eventsId} GROUP BY awsRegion ORDER BY n DESC, awsRegion`,
        ['us-east-1', '8', '80'],
        ['eu-west-1', '1', '10'],
        ['us-west-2', '1', '10'],
      ),
      rows(
        `SELECT sourceIPAddress, count(*) FROM ${eventsId} WHERE contains('192.0.2.0/24', TRY_CAST(sourceIPAddress AS ipaddress)) OR contains('198.51.100.0/24', TRY_CAST(sourceIPAddress AS ipaddress)) GROUP BY sourceIPAddress ORDER BY 1`,
        ['192.0.2.10', '3'],
        ['192.0.2.99', '1'],
        ['198.51.100.7', '2'],
      ),
      one(`SELECT count(*) FROM ${eventsId} WHERE userIdentity.accountId <> recipientAccountId`, '2'),
      one(
        `SELECT count(*) FROM ${eventsId} WHERE userIdentity.accountId IS DISTINCT FROM recipientAccountId`,
        '3',
      ),
    ],
  },
];
