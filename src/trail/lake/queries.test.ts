import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { countOf, createStore, lakeRecord, openLakeFixture } from '../../../test/lake-fixture.ts';
import { limits } from '../../kernel/index.ts';
import { openQueryRecords } from './query-records.ts';
import { bodyOf, managementAccount, otherAccount } from '../../../test/trail-fixture.ts';

const dayMs = 86_400_000;
const rows = 'CROSS JOIN UNNEST(sequence(1, 10000))';
const endless = `SELECT count(DISTINCT a.x * b.x * c.x) AS n FROM events ${rows} AS a(x) ${rows} AS b(x) ${rows} AS c(x)`;

describe('queries', () => {
  it('see everything that was recorded before they began, with the documented types', async () => {
    await using fixture = await openLakeFixture();
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

  it('are for who may start them, also those that read no event data store', async () => {
    await using fixture = await openLakeFixture();
    fixture.trail.denied.add('cloudtrail:StartQuery');
    for (const QueryStatement of ['SELECT 1', 'SELECT eventID FROM events', 'no statement at all'])
      await expect(fixture.call('StartQuery', { QueryStatement })).rejects.toMatchObject({
        code: 'AccessDenied',
      });
  });

  it('bring the record of an event from the history as eventJson, byte for byte, for who names it', async () => {
    await using fixture = await openLakeFixture();
    const items = [{ key: 'team', value: 'a "b" é\n' }];
    const tags = lakeRecord({
      eventID: 'a',
      eventName: 'CreateTags',
      requestParameters: { tagSet: { items } },
    });
    const other = lakeRecord({ eventID: 'a', recipientAccountId: otherAccount, eventName: 'Other' });
    await fixture.add(tags, other, lakeRecord({ eventID: 'b' }));
    const raw = JSON.stringify(tags);
    expect(
      await fixture.rows("SELECT eventJson, eventJsonChecksum FROM events WHERE eventID IN ('a', 'none')"),
    ).toEqual([[raw, createHash('sha256').update(raw).digest('hex')]]);
    const { id } = await createStore(fixture);
    await fixture.add(lakeRecord({ eventID: 'c', requestParameters: { tagSet: { items } } }));
    // As of a sample that AWS publishes, over the tags of resources.
    const key = "json_extract_scalar(eventjson, '$.requestParameters.tagSet.items[0].key')";
    expect(
      await fixture.rows(
        `SELECT eventID, ${key} AS k FROM events WHERE eventName LIKE 'Create%' AND ${key} = 'team' ORDER BY eventID`,
      ),
    ).toEqual([
      ['a', 'team'],
      ['c', 'team'],
    ]);
    expect(
      await fixture.rows(
        `SELECT one.eventID FROM ${id} AS one JOIN events AS other ON one.eventJson = other.eventJson WHERE ${key.replace('eventjson', 'one.eventJson')} = 'team'`,
      ),
    ).toEqual([['c']]);
    expect(
      (await fixture.rows('SELECT * FROM events'))[0]?.some((value) => value.includes('tagSet":{')),
    ).toBe(false);
  });

  it('that ask for eventJson of what the history does not keep fail, and say so', async () => {
    await using fixture = await openLakeFixture();
    const { id } = await createStore(fixture);
    await fixture.add(lakeRecord({ eventID: 'old' }));
    expect(await fixture.rows(`SELECT eventJson FROM ${id} WHERE eventID = 'old'`)).toHaveLength(1);
    fixture.trail.history.setRetention(managementAccount, 1);
    await fixture.trail.clock.advance(3 * dayMs);
    expect(await fixture.run(`SELECT eventJson FROM ${id} WHERE eventID = 'old'`)).toMatchObject({
      QueryStatus: 'FAILED',
      ErrorMessage: expect.stringContaining('eventJson is not to be had of 1 of the events'),
    });
    expect(await fixture.rows(`SELECT eventID FROM ${id} WHERE eventID = 'old'`)).toEqual([['old']]);
  });

  it('that ask for eventJson of too many events are told to ask for fewer', async () => {
    await using fixture = await openLakeFixture();
    const directory = await mkdtemp(join(tmpdir(), 'cairn-records-'));
    const { history, stream } = fixture.trail;
    const records = openQueryRecords({ columns: fixture.columns, history, stream, directory });
    const view = { name: 'v', owner: managementAccount };
    const ids = `SELECT unnest(generate_series(0, ${limits.lakeQueryRecords}))::VARCHAR AS "id"`;
    expect(await records.bring('q', view, ids, new AbortController().signal)).toEqual({
      kind: 'refused',
      message: expect.stringContaining('for at most 20000 events'),
    });
    await records.release('q');
    expect(await readdir(directory)).toEqual([]);
    await rm(directory, { recursive: true });
  });

  it('have every documented column of an event', async () => {
    await using fixture = await openLakeFixture();
    const tlsDetails = {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: 'iam.amazonaws.com',
    };
    await fixture.add(lakeRecord({ eventID: 'a', tlsDetails }));
    // "Supported SQL schemas for event data stores", the schema of CloudTrail event records.
    const documented =
      'eventversion useridentity eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage ' +
      'requestparameters responseelements additionaleventdata requestid eventid readonly resources eventtype apiversion ' +
      'managementevent recipientaccountid sharedeventid annotation vpcendpointid vpcendpointaccountid serviceeventdetails ' +
      'addendum edgedevicedetails insightdetails eventcategory tlsdetails sessioncredentialfromconsole eventjson eventjsonchecksum';
    const columns = documented.replaceAll(' ', ', ');
    expect(
      await fixture.rows(
        `SELECT tlsDetails.tlsVersion, tlsDetails.cipherSuite, tlsDetails.clientProvidedHostHeader FROM (SELECT ${columns} FROM events WHERE eventID = 'a') AS e`,
      ),
    ).toEqual([Object.values(tlsDetails)]);
  });

  it('may name an event data store in two ways, each with bounds of its own', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord({ eventID: 'a' }), lakeRecord({ eventID: 'b' }));
    const everything = '"00000000-0000-4000-8000-000000000000"';
    const statement = `SELECT one.eventID, other.eventID FROM events AS one, ${everything} AS other WHERE one.eventID = 'a' AND other.eventID = 'b'`;
    expect(await fixture.rows(statement)).toEqual([['a', 'b']]);
  });

  it('show an account nothing of another', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord(), lakeRecord({ recipientAccountId: otherAccount, eventID: 'theirs' }));
    expect(
      await fixture.rows("SELECT eventID FROM events WHERE eventName = 'CreateUser'", otherAccount),
    ).toEqual([['theirs']]);
    const { id } = await createStore(fixture);
    await expect(fixture.run(`SELECT eventID FROM ${id}`, { account: otherAccount })).rejects.toMatchObject({
      code: 'EventDataStoreNotFoundException',
    });
    const { QueryId } = await fixture.run('SELECT eventID FROM events');
    for (const operation of ['DescribeQuery', 'GetQueryResults', 'CancelQuery']) {
      await expect(fixture.call(operation, { QueryId }, { account: otherAccount })).rejects.toMatchObject({
        code: 'QueryIdNotFoundException',
      });
    }
  });

  it('give their rows in pages, each with a token for that query alone', async () => {
    await using fixture = await openLakeFixture();
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
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord());
    const { QueryId } = await fixture.call('StartQuery', { QueryStatement: endless });
    expect(await fixture.call('CancelQuery', { QueryId })).toEqual({ QueryId, QueryStatus: 'CANCELLED' });
    await fixture.lake.ended(QueryId);
    expect(await fixture.call('GetQueryResults', { QueryId })).toEqual({ QueryStatus: 'CANCELLED' });
    await expect(fixture.call('CancelQuery', { QueryId })).rejects.toMatchObject({
      code: 'InactiveQueryException',
    });
    expect(await countOf(fixture, 'events')).toBeGreaterThan(0);
  });

  it('of one account do not keep those of another from running', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord(), lakeRecord({ recipientAccountId: otherAccount, eventID: 'theirs' }));
    for (let at = 0; at < 3; at++) await fixture.call('StartQuery', { QueryStatement: endless });
    const statement = "SELECT eventID FROM events WHERE eventID = 'theirs'";
    expect(await fixture.rows(statement, otherAccount)).toEqual([['theirs']]);
    const { Queries } = await fixture.call('ListQueries', {
      EventDataStore: '00000000-0000-4000-8000-000000000000',
      QueryStatus: 'RUNNING',
    });
    expect(Queries).toHaveLength(2);
  });

  it('end with TIMED_OUT after an hour', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord());
    const { QueryId } = await fixture.call('StartQuery', { QueryStatement: endless });
    await expect
      .poll(async () => (await fixture.call('DescribeQuery', { QueryId })).QueryStatus)
      .toBe('RUNNING');
    await fixture.trail.clock.advance(3_600_000);
    await fixture.lake.ended(QueryId);
    expect(await fixture.call('DescribeQuery', { QueryId })).toMatchObject({ QueryStatus: 'TIMED_OUT' });
  });

  it('are run again by the next start when a stop came between', async () => {
    await using fixture = await openLakeFixture();
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
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord());
    await expect(fixture.run('SELECT x FROM nowhere')).rejects.toMatchObject({
      code: 'InvalidQueryStatementException',
      message: expect.stringContaining('line 1:1'),
    });
    // "StartQuery", Errors: the specified event data store was not found.
    const unknown = fixture.run('SELECT eventID FROM 11111111-2222-4333-8444-555555555555');
    await expect(unknown).rejects.toMatchObject({ code: 'EventDataStoreNotFoundException' });
    const failed = await fixture.run('SELECT CAST(eventName AS INTEGER) AS n FROM events');
    expect(failed).toMatchObject({ QueryStatus: 'FAILED', ErrorMessage: expect.stringContaining('cast') });
  });

  it('are bounded for each account, listed for a week and then forgotten with their rows', async () => {
    await using fixture = await openLakeFixture();
    await fixture.add(lakeRecord());
    const { id } = await createStore(fixture);
    const { QueryId } = await fixture.run(`SELECT eventID FROM ${id}`);
    await fixture.run('SELECT eventID FROM events');
    const list = (over: object = {}) => fixture.call('ListQueries', { EventDataStore: id, ...over });
    expect((await list()).Queries).toEqual([
      { QueryId, QueryStatus: 'FINISHED', CreationTime: expect.any(Date) },
    ]);
    expect((await list({ QueryStatus: 'FAILED' })).Queries).toEqual([]);
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
    await using fixture = await openLakeFixture();
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
    fixture.buckets.refused.add('not-ours');
    await expect(
      fixture.run('SELECT eventID FROM events', { input: { DeliveryS3Uri: 's3://not-ours' } }),
    ).rejects.toMatchObject({ code: 'InsufficientS3BucketPolicyException' });
  });
});

describe('exports', () => {
  it('give partitions by account, region and day, to each account its own', async () => {
    await using fixture = await openLakeFixture();
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
    const answer = await fixture.route(`${path}&region=nowhere`);
    const body = await bodyOf(answer);
    // One file for each region, one behind the other; each begins and ends with its name.
    const sizes = String(answer.headers?.['cairn-file-sizes']).split(',').map(Number);
    expect(sizes).toHaveLength(2);
    expect(body.length).toBe(sizes[0]! + sizes[1]!);
    for (const at of [0, sizes[0]! - 4, sizes[0]!, body.length - 4])
      expect(body.subarray(at, at + 4).toString()).toBe('PAR1');
    await expect(fixture.route(path, otherAccount)).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});
