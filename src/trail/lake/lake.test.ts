import { gunzipSync, gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bodyOf, managementAccount, otherAccount } from '../../../test/trail-fixture.ts';
import { lakeRecord, openLakeFixture, type LakeFixture } from '../../../test/lake-fixture.ts';
import type { Translation } from './sql/index.ts';
import type { Translate } from './lake-parts.ts';

/** Statements of these tests mean the same to Trino and to the engine; only the table has another name. */
const translate: Translate = (statement, tables): Translation => {
  const ids: string[] = [];
  let missing: string | undefined;
  const sql = statement.replaceAll(/\b(FROM|JOIN) ([-\w]+)/g, (_, word: string, id: string) => {
    const table = tables(id);
    if (!table) missing = id;
    ids.push(id);
    return `${word} "${table?.view ?? id}"`;
  });
  if (missing !== undefined)
    return { kind: 'refused', message: `There is no ${missing}`, line: 1, column: 1 };
  const list = /^SELECT (.*?) FROM/.exec(statement)?.[1] ?? '';
  const columns = list
    .split(', ')
    .map((name) => ({ name: name.split(' AS ').at(-1) ?? '', type: 'VARCHAR' }));
  return { kind: 'query', sql, eventDataStoreIds: ids, columns };
};

const open = (over: Parameters<typeof openLakeFixture>[0] = {}) => openLakeFixture({ translate, ...over });

async function createStore(fixture: LakeFixture, over: object = {}): Promise<{ id: string; arn: string }> {
  const { EventDataStoreArn: arn } = await fixture.call('CreateEventDataStore', {
    Name: 'main',
    TerminationProtectionEnabled: false,
    ...over,
  });
  return { arn, id: arn.split('/')[1] };
}

const countOf = async (fixture: LakeFixture, id: string, account = managementAccount) =>
  Number((await fixture.rows(`SELECT count(*) AS n FROM ${id}`, account))[0]?.[0]);

const dayMs = 86_400_000;

describe('queries', () => {
  it('see everything that was recorded before they began, with the documented types', async () => {
    await using fixture = await open();
    await fixture.add(
      lakeRecord({ eventID: 'a', requestParameters: { user: { name: 'x' }, n: 1 } }),
      lakeRecord({ eventID: 'b' }),
    );
    expect(
      await fixture.rows(
        "SELECT eventID, requestParameters['user'], userIdentity.userName, readOnly FROM events WHERE eventID = 'a'",
      ),
    ).toEqual([['a', '{"name":"x"}', 'alice', 'false']]);
    // The records of these calls are events of the account themselves.
    expect(await fixture.rows("SELECT eventName FROM events WHERE eventName = 'StartQuery'")).toHaveLength(2);
  });

  it('show an account nothing of another', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord(), lakeRecord({ recipientAccountId: otherAccount, eventID: 'theirs' }));
    expect(
      await fixture.rows("SELECT eventID FROM events WHERE eventName = 'CreateUser'", otherAccount),
    ).toEqual([['theirs']]);
    const { id } = await createStore(fixture);
    await expect(fixture.run(`SELECT eventID FROM ${id}`, { account: otherAccount })).rejects.toMatchObject({
      code: 'InvalidQueryStatementException',
    });
    const { QueryId } = await fixture.run('SELECT eventID FROM events');
    for (const operation of ['DescribeQuery', 'GetQueryResults', 'CancelQuery']) {
      await expect(fixture.call(operation, { QueryId }, { account: otherAccount })).rejects.toMatchObject({
        code: 'QueryIdNotFoundException',
      });
    }
  });

  it('give their rows in pages, each with a token for that query alone', async () => {
    await using fixture = await open();
    await fixture.add(
      ...Array.from({ length: 25 }, (_, at) => lakeRecord({ eventID: `e${String(at).padStart(2, '0')}` })),
    );
    const { QueryId } = await fixture.run(
      "SELECT eventID FROM events WHERE eventName = 'CreateUser' ORDER BY eventID",
    );
    const seen: string[] = [];
    let token: string | undefined;
    let pages = 0;
    do {
      const page = await fixture.call('GetQueryResults', {
        QueryId,
        MaxQueryResults: 10,
        ...(token && { NextToken: token }),
      });
      seen.push(...page.QueryResultRows.map((row: { eventID: string }[]) => row[0]?.eventID));
      expect(page.QueryStatistics).toMatchObject({
        ResultsCount: page.QueryResultRows.length,
        TotalResultsCount: 25,
      });
      token = page.NextToken ?? undefined;
      pages++;
      if (pages === 1) {
        await fixture.reopen();
        const other = await fixture.run('SELECT eventID FROM events');
        await expect(
          fixture.call('GetQueryResults', { QueryId: other.QueryId, NextToken: token }),
        ).rejects.toMatchObject({
          code: 'InvalidNextTokenException',
        });
      }
    } while (token !== undefined);
    expect(pages).toBe(3);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, at) => `e${String(at).padStart(2, '0')}`));
  });

  it('can be cancelled while they run, once', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord());
    const statement =
      'SELECT sum(a.range + b.range) AS n FROM events, range(1000000000) a, range(1000000000) b';
    const { QueryId } = await fixture.call('StartQuery', { QueryStatement: statement });
    expect(await fixture.call('CancelQuery', { QueryId })).toEqual({ QueryId, QueryStatus: 'CANCELLED' });
    await fixture.lake.ended(QueryId);
    expect(await fixture.call('GetQueryResults', { QueryId })).toEqual({ QueryStatus: 'CANCELLED' });
    await expect(fixture.call('CancelQuery', { QueryId })).rejects.toMatchObject({
      code: 'InactiveQueryException',
    });
    expect(await countOf(fixture, 'events')).toBeGreaterThan(0);
  });

  it('end with TIMED_OUT after an hour', async () => {
    await using fixture = await open();
    const statement =
      'SELECT sum(a.range + b.range) AS n FROM events, range(1000000000) a, range(1000000000) b';
    await fixture.add(lakeRecord());
    const { QueryId } = await fixture.call('StartQuery', { QueryStatement: statement });
    await expect
      .poll(async () => (await fixture.call('DescribeQuery', { QueryId })).QueryStatus)
      .toBe('RUNNING');
    await fixture.trail.clock.advance(3_600_000);
    await fixture.lake.ended(QueryId);
    expect(await fixture.call('DescribeQuery', { QueryId })).toMatchObject({ QueryStatus: 'TIMED_OUT' });
  });

  it('are run again by the next start when a stop came between', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord({ eventID: 'a' }));
    const { QueryId } = await fixture.call('StartQuery', {
      QueryStatement: "SELECT eventID FROM events WHERE eventID = 'a'",
    });
    await fixture.reopen();
    await fixture.lake.ended(QueryId);
    const answer = await fixture.call('GetQueryResults', { QueryId });
    expect(answer.QueryResultRows).toEqual([[{ eventID: 'a' }]]);
  });

  it('say what was wrong with them', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord());
    await expect(fixture.run('SELECT x FROM nowhere')).rejects.toMatchObject({
      code: 'InvalidQueryStatementException',
      message: expect.stringContaining('line 1:1'),
    });
    const failed = await fixture.run('SELECT CAST(eventName AS INTEGER) AS n FROM events');
    expect(failed).toMatchObject({ QueryStatus: 'FAILED', ErrorMessage: expect.stringContaining('Create') });
    await expect(
      fixture.run('SELECT eventID FROM events', { input: { QueryAlias: 'x' } }),
    ).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
    });
  });

  it('are bounded for each account, listed for a week and then forgotten with their rows', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord());
    const { id } = await createStore(fixture);
    const { QueryId } = await fixture.run(`SELECT eventID FROM ${id}`);
    await fixture.run('SELECT eventID FROM events');
    const list = (over: object = {}) => fixture.call('ListQueries', { EventDataStore: id, ...over });
    expect((await list()).Queries).toEqual([
      { QueryId, QueryStatus: 'FINISHED', CreationTime: expect.any(Date) },
    ]);
    expect((await list({ QueryStatus: 'FAILED' })).Queries).toEqual([]);
    const endless =
      'SELECT sum(a.range + b.range) AS n FROM events, range(1000000000) a, range(1000000000) b';
    for (let at = 0; at < 10; at++) await fixture.call('StartQuery', { QueryStatement: endless });
    await expect(fixture.call('StartQuery', { QueryStatement: endless })).rejects.toMatchObject({
      code: 'MaxConcurrentQueriesException',
    });
    await fixture.trail.clock.advance(7 * dayMs);
    await expect
      .poll(() =>
        fixture.call('GetQueryResults', { QueryId }).then(
          () => 'there',
          ({ code }: { code: string }) => code,
        ),
      )
      .toBe('QueryIdNotFoundException');
  });

  it('deliver their rows as CSV with a signed list of the files', async () => {
    await using fixture = await open();
    fixture.buckets.addBucket('results');
    await fixture.add(
      lakeRecord({ eventID: 'a', userAgent: 'with "quotes", and\nlines' }),
      lakeRecord({ eventID: 'b' }),
    );
    const done = await fixture.run(
      "SELECT eventID, userAgent FROM events WHERE eventName = 'CreateUser' ORDER BY eventID",
      {
        input: { DeliveryS3Uri: 's3://results/some/where/' },
      },
    );
    expect(done).toMatchObject({ DeliveryStatus: 'SUCCESS', DeliveryS3Uri: 's3://results/some/where/' });
    const folder = `some/where/AWSLogs/${managementAccount}/CloudTrail-Lake/Query/2026/11/22/${done.QueryId}/`;
    const csv = fixture.buckets.files.get(`results/${folder}result_1.csv.gz`)?.body ?? new Uint8Array();
    expect(gunzipSync(csv).toString()).toBe('eventID,userAgent\na,"with ""quotes"", and\nlines"\nb,\n');
    const sign = JSON.parse(
      Buffer.from(fixture.buckets.files.get(`results/${folder}result_sign.json`)?.body ?? '').toString(),
    );
    const fileHashValue = createHash('sha256').update(csv).digest('hex');
    expect(sign).toEqual({
      version: '1.0',
      region: 'eu-central-1',
      files: [{ fileHashValue, fileName: 'result_1.csv.gz' }],
      hashAlgorithm: 'SHA-256',
      signatureAlgorithm: 'SHA256withRSA',
      queryCompleteTime: '2026-11-22T10:00:00Z',
      hashSignature: Buffer.from(fileHashValue).toString('hex'),
      publicKeyFingerprint: 'f00d',
    });
    await expect(
      fixture.run('SELECT eventID FROM events', { input: { DeliveryS3Uri: 's3://nowhere' } }),
    ).rejects.toMatchObject({ code: 'S3BucketDoesNotExistException' });
  });
});

describe('event data stores', () => {
  it('take from their creation on what their selectors choose, as they are at the time', async () => {
    await using fixture = await open();
    await fixture.add(lakeRecord({ eventID: 'before' }));
    const data = { eventCategory: 'Data', managementEvent: false, eventName: 'GetObject' };
    const objects = (type: string, ARN: string) => ({ ...data, resources: [{ type, ARN }] });
    const { id } = await createStore(fixture, {
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
            { Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::logs/'], NotEndsWith: ['.tmp'] },
          ],
        },
      ],
    });
    await fixture.add(
      lakeRecord({ eventID: 'management' }),
      lakeRecord({ eventID: 'yes', ...objects('AWS::S3::Object', 'arn:aws:s3:::logs/a') }),
      lakeRecord({ eventID: 'tmp', ...objects('AWS::S3::Object', 'arn:aws:s3:::logs/a.tmp') }),
      lakeRecord({ eventID: 'other', ...objects('AWS::S3::Object', 'arn:aws:s3:::other/a') }),
      lakeRecord({ eventID: 'type', ...objects('AWS::Lambda::Function', 'arn:aws:s3:::logs/a') }),
      lakeRecord({ eventID: 'none', ...data }),
    );
    const ids = () => fixture.rows(`SELECT eventID FROM ${id} WHERE eventID NOT LIKE '%-%' ORDER BY eventID`);
    expect(await ids()).toEqual([['yes']]);
    await fixture.call('UpdateEventDataStore', {
      EventDataStore: id,
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Management'] },
            { Field: 'eventName', Equals: ['DeleteUser'] },
          ],
        },
      ],
    });
    await fixture.add(
      lakeRecord({ eventID: 'deleted', eventName: 'DeleteUser' }),
      lakeRecord({ eventID: 'late', ...objects('AWS::S3::Object', 'arn:aws:s3:::logs/a') }),
    );
    expect(await ids()).toEqual([['deleted'], ['yes']]);
  });

  it('take nothing while ingestion is stopped, and another region’s events only when they are for all', async () => {
    await using fixture = await open();
    const { id } = await createStore(fixture, { MultiRegionEnabled: false });
    const mine = () =>
      fixture.rows(`SELECT eventID FROM ${id} WHERE eventName = 'CreateUser' ORDER BY eventID`);
    await fixture.add(
      lakeRecord({ eventID: 'one' }),
      lakeRecord({ eventID: 'elsewhere', awsRegion: 'us-east-1' }),
    );
    await fixture.call('StopEventDataStoreIngestion', { EventDataStore: id });
    await expect(fixture.call('StopEventDataStoreIngestion', { EventDataStore: id })).rejects.toMatchObject({
      code: 'InvalidEventDataStoreStatusException',
    });
    await fixture.add(lakeRecord({ eventID: 'stopped' }));
    await fixture.call('StartEventDataStoreIngestion', { EventDataStore: id });
    await fixture.add(lakeRecord({ eventID: 'two' }));
    expect(await mine()).toEqual([['one'], ['two']]);
  });

  it('hide what is past their retention at once, and files go when nobody keeps them', async () => {
    await using fixture = await open({ defaultRetentionDays: 10 });
    const { id } = await createStore(fixture, { RetentionPeriod: 20 });
    await fixture.add(lakeRecord({ eventID: 'old' }));
    const seen = (store: string) => fixture.rows(`SELECT eventID FROM ${store} WHERE eventID = 'old'`);
    expect(await seen(id)).toHaveLength(1);
    await fixture.trail.clock.advance(11 * dayMs);
    expect(await seen('events')).toEqual([]);
    expect(await seen(id)).toHaveLength(1);
    await fixture.trail.clock.advance(10 * dayMs);
    expect(await seen(id)).toEqual([]);
    const { rows } = fixture.columns.stats();
    await fixture.trail.clock.advance(30 * dayMs);
    await expect.poll(() => fixture.columns.stats().rows).toBeLessThan(rows);
  });

  it('can be restored for seven days after their deletion, and are gone then', async () => {
    await using fixture = await open();
    const { id, arn } = await createStore(fixture);
    await fixture.call('DeleteEventDataStore', { EventDataStore: arn });
    expect(await fixture.call('GetEventDataStore', { EventDataStore: id })).toMatchObject({
      Status: 'PENDING_DELETION',
    });
    await expect(fixture.run(`SELECT eventID FROM ${id}`)).rejects.toMatchObject({
      code: 'InactiveEventDataStoreException',
    });
    await fixture.trail.clock.advance(6 * dayMs);
    expect(await fixture.call('RestoreEventDataStore', { EventDataStore: id })).toMatchObject({
      Status: 'ENABLED',
    });
    await fixture.call('DeleteEventDataStore', { EventDataStore: id });
    await fixture.trail.clock.advance(7 * dayMs);
    await expect(fixture.call('RestoreEventDataStore', { EventDataStore: id })).rejects.toMatchObject({
      code: 'EventDataStoreNotFoundException',
    });
    expect((await fixture.call('ListEventDataStores')).EventDataStores).toHaveLength(1);
  });

  it.each<[string, string, object, string]>([
    ['a taken name', 'CreateEventDataStore', { Name: 'main' }, 'EventDataStoreAlreadyExistsException'],
    [
      'an organization',
      'CreateEventDataStore',
      { Name: 'x', OrganizationEnabled: true },
      'OrganizationsNotInUseException',
    ],
    ['a key', 'CreateEventDataStore', { Name: 'x', KmsKeyId: 'alias/x' }, 'UnsupportedOperationException'],
    [
      'too long a retention',
      'CreateEventDataStore',
      { Name: 'x', RetentionPeriod: 3000, BillingMode: 'FIXED_RETENTION_PRICING' },
      'InvalidParameterException',
    ],
    [
      'selectors that are not understood',
      'CreateEventDataStore',
      { Name: 'x', AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'color', Equals: ['red'] }] }] },
      'InvalidEventSelectorsException',
    ],
    [
      'configuration items',
      'CreateEventDataStore',
      {
        Name: 'x',
        AdvancedEventSelectors: [
          { FieldSelectors: [{ Field: 'eventCategory', Equals: ['ConfigurationItem'] }] },
        ],
      },
      'InvalidEventSelectorsException',
    ],
    [
      'one that is not there',
      'GetEventDataStore',
      { EventDataStore: '11111111-1111-4111-8111-111111111111' },
      'EventDataStoreNotFoundException',
    ],
    [
      'another ARN',
      'GetEventDataStore',
      { EventDataStore: 'arn:aws:s3:::x' },
      'EventDataStoreARNInvalidException',
    ],
    [
      'deleting everything',
      'DeleteEventDataStore',
      { EventDataStore: '00000000-0000-4000-8000-000000000000' },
      'EventDataStoreTerminationProtectedException',
    ],
    ['a bad token', 'ListEventDataStores', { NextToken: 'AAAA' }, 'InvalidNextTokenException'],
  ])('refuse %s', async (_, operation, input, code) => {
    await using fixture = await open();
    await createStore(fixture);
    await expect(fixture.call(operation, input)).rejects.toMatchObject({ code });
  });

  it('are protected from deletion until that is turned off', async () => {
    await using fixture = await open();
    const { id } = await createStore(fixture, { TerminationProtectionEnabled: true });
    await expect(fixture.call('DeleteEventDataStore', { EventDataStore: id })).rejects.toMatchObject({
      code: 'EventDataStoreTerminationProtectedException',
    });
    await fixture.call('UpdateEventDataStore', { EventDataStore: id, TerminationProtectionEnabled: false });
    expect(await fixture.call('DeleteEventDataStore', { EventDataStore: id })).toEqual({});
  });
});

describe('channels', () => {
  it('write to their event data stores while they point there', async () => {
    await using fixture = await open();
    const category = (name: string) => [{ FieldSelectors: [{ Field: 'eventCategory', Equals: [name] }] }];
    const outside = await createStore(fixture, { AdvancedEventSelectors: category('ActivityAuditLog') });
    const inside = await createStore(fixture, { Name: 'inside' });
    const Destinations = [{ Type: 'EVENT_DATA_STORE', Location: outside.arn }];
    await expect(
      fixture.call('CreateChannel', {
        Name: 'app',
        Source: 'Custom',
        Destinations: [{ Type: 'EVENT_DATA_STORE', Location: inside.arn }],
      }),
    ).rejects.toMatchObject({ code: 'InvalidEventDataStoreCategoryException' });
    const { ChannelArn } = await fixture.call('CreateChannel', {
      Name: 'app',
      Source: 'Custom',
      Destinations,
    });
    expect(await fixture.call('GetChannel', { Channel: ChannelArn })).toEqual({
      ChannelArn,
      Name: 'app',
      Source: 'Custom',
      Destinations,
    });
    await expect(fixture.call('DeleteEventDataStore', { EventDataStore: outside.id })).rejects.toMatchObject({
      code: 'ChannelExistsForEDSException',
    });
    const put = (channelArn: string, id: string) =>
      fixture.trail.perform(fixture.trail.trail.operations['cloudtrail-data']['PutAuditEvents'], {
        operationName: 'PutAuditEvents',
        input: {
          channelArn,
          auditEvents: [
            {
              id,
              eventData: JSON.stringify({
                version: '1',
                userIdentity: { type: 'app', principalId: 'p', details: { team: 'blue' } },
                eventSource: 'shop',
                eventName: 'Refund',
                eventTime: '2026-11-22T09:00:00Z',
                UID: id,
                recipientAccountId: managementAccount,
              }),
            },
          ],
        },
      });
    await put(ChannelArn, 'through');
    await put('00000000-0000-4000-8000-000000000000', 'elsewhere');
    const found = (store: string) =>
      fixture.rows(
        `SELECT eventData.UID AS uid, eventData.userIdentity.details['team'] AS team FROM ${store} WHERE eventCategory = 'ActivityAuditLog' ORDER BY uid`,
      );
    expect(await found(outside.id)).toEqual([['through', 'blue']]);
    expect(await found('events')).toHaveLength(2);
    await fixture.call('DeleteChannel', { Channel: ChannelArn });
    await expect(put(ChannelArn, 'late')).rejects.toMatchObject({ code: 'ChannelNotFound' });
    expect(await found(outside.id)).toEqual([['through', 'blue']]);
    expect((await fixture.call('ListChannels')).Channels).toEqual([]);
  });
});

describe('imports', () => {
  const logFile = (...records: object[]) => gzipSync(JSON.stringify({ Records: records }));
  const source = (uri: string) => ({
    ImportSource: {
      S3: {
        S3LocationUri: uri,
        S3BucketRegion: 'eu-central-1',
        S3BucketAccessRoleArn: 'arn:aws:iam::000000000000:role/r',
      },
    },
  });

  async function openWithBucket() {
    const fixture = await open();
    fixture.buckets.addBucket('logs');
    const put = (key: string, body: Uint8Array) =>
      fixture.buckets.put(
        { bucket: 'logs', key, body, contentType: 'application/json' },
        { arn: '', accountId: '', region: '' },
      );
    return { fixture, put };
  }

  it('bring the log files of a bucket into the event data store, and name what they cannot read', async () => {
    const { fixture, put } = await openWithBucket();
    await using _ = fixture;
    const { id, arn } = await createStore(fixture, { StartIngestion: false });
    const base = `AWSLogs/${managementAccount}/CloudTrail/eu-central-1/2026/11/22`;
    await put(`${base}/a.json.gz`, logFile(lakeRecord({ eventID: 'a1' }), lakeRecord({ eventID: 'a2' })));
    await put(`${base}/b.json.gz`, logFile(lakeRecord({ eventID: 'b1', recipientAccountId: otherAccount })));
    await put(`${base}/c.json.gz`, Buffer.from('no log file'));
    await put(
      `AWSLogs/${managementAccount}/CloudTrail-Digest/eu-central-1/2026/d.json.gz`,
      Buffer.from('{}'),
    );
    const { ImportId, ImportStatus } = await fixture.call('StartImport', {
      Destinations: [arn],
      ...source('s3://logs/AWSLogs/'),
    });
    expect(ImportStatus).toBe('IN_PROGRESS');
    await fixture.lake.ended(ImportId);
    expect(await fixture.call('GetImport', { ImportId })).toMatchObject({
      ImportStatus: 'COMPLETED',
      ImportStatistics: {
        PrefixesFound: 1,
        PrefixesCompleted: 1,
        FilesCompleted: 2,
        EventsCompleted: 3,
        FailedEntries: 1,
      },
    });
    const { Failures } = await fixture.call('ListImportFailures', { ImportId });
    expect(Failures).toMatchObject([
      { Location: `s3://logs/${base}/c.json.gz`, ErrorType: 'InvalidLogFile', Status: 'FAILED' },
    ]);
    expect(await fixture.rows(`SELECT eventID FROM ${id} ORDER BY eventID`)).toEqual([['a1'], ['a2']]);
    // Once more changes nothing.
    const again = await fixture.call('StartImport', { Destinations: [arn], ...source('s3://logs/AWSLogs/') });
    await fixture.lake.ended(again.ImportId);
    expect(await countOf(fixture, id)).toBe(2);
    expect((await fixture.call('ListImports', { Destination: arn })).Imports).toHaveLength(2);
    await expect(fixture.call('StartImport', { ImportId })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  });

  it('take of other accounts nothing, unless the management account asks', async () => {
    const { fixture, put } = await openWithBucket();
    await using _ = fixture;
    await put(
      'x.json',
      Buffer.from(
        JSON.stringify({
          Records: [
            lakeRecord({ eventID: 'forged' }),
            lakeRecord({ eventID: 'own', recipientAccountId: otherAccount }),
          ],
        }),
      ),
    );
    const destination = `arn:aws:cloudtrail:eu-central-1:${otherAccount}:eventdatastore/00000000-0000-4000-8000-000000000000`;
    const { ImportId } = await fixture.call(
      'StartImport',
      { Destinations: [destination], ...source('s3://logs') },
      { account: otherAccount },
    );
    await fixture.lake.ended(ImportId);
    expect(await fixture.call('GetImport', { ImportId }, { account: otherAccount })).toMatchObject({
      ImportStatistics: { EventsCompleted: 1, FailedEntries: 1 },
    });
    expect(await fixture.rows("SELECT eventID FROM events WHERE eventID = 'forged'")).toEqual([]);
    expect(await fixture.rows("SELECT eventID FROM events WHERE eventID = 'own'", otherAccount)).toEqual([
      ['own'],
    ]);
  });

  it('refuse sources that are not there', async () => {
    const { fixture } = await openWithBucket();
    await using _ = fixture;
    const { arn } = await createStore(fixture);
    for (const uri of ['s3://absent/x', 'https://logs.example/'])
      await expect(
        fixture.call('StartImport', { Destinations: [arn], ...source(uri) }),
      ).rejects.toMatchObject({ code: 'InvalidImportSourceException' });
  });
});

describe('exports', () => {
  it('give partitions by account, region and day, to each account its own', async () => {
    await using fixture = await open();
    await fixture.add(
      lakeRecord(),
      lakeRecord({
        recipientAccountId: otherAccount,
        awsRegion: 'us-east-1',
        eventTime: '2026-11-21T08:00:00Z',
      }),
    );
    const partitions = async (account = managementAccount) =>
      (
        JSON.parse((await bodyOf(await fixture.route('/_cairn/lake/partitions', account))).toString()) as {
          partitions: unknown[];
        }
      ).partitions;
    const theirs = { account: otherAccount, region: 'us-east-1', day: '2026-11-21', events: 1 };
    expect(await partitions()).toEqual([
      { account: managementAccount, region: 'eu-central-1', day: '2026-11-22', events: 1 },
      theirs,
    ]);
    expect(await partitions(otherAccount)).toEqual([theirs]);
    const path = `/_cairn/lake/partition?account=${managementAccount}&region=eu-central-1&day=2026-11-22`;
    expect((await bodyOf(await fixture.route(path))).subarray(0, 4).toString()).toBe('PAR1');
    await expect(fixture.route(path, otherAccount)).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});
