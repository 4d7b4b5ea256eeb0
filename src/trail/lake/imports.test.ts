import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { countOf, createStore, lakeRecord, openLakeFixture } from '../../../test/lake-fixture.ts';
import { managementAccount, otherAccount } from '../../../test/trail-fixture.ts';

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
  const fixture = await openLakeFixture();
  fixture.buckets.addBucket('logs');
  const put = (key: string, body: Uint8Array) =>
    fixture.buckets.put(
      { bucket: 'logs', key, body, contentType: 'application/json' },
      { arn: '', accountId: '', region: '' },
    );
  return { fixture, put };
}

describe('imports', () => {
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
  });

  it('read again what failed when they are retried, as StartImport of the API reference has it', async () => {
    const { fixture, put } = await openWithBucket();
    await using _ = fixture;
    const { id, arn } = await createStore(fixture, { StartIngestion: false });
    await put('a.json.gz', Buffer.from('no log file'));
    await put('b.json.gz', Buffer.from('nor this'));
    const { ImportId } = await fixture.call('StartImport', { Destinations: [arn], ...source('s3://logs') });
    await fixture.lake.ended(ImportId);
    const outcome = async () => {
      const { ImportStatus, ImportStatistics } = await fixture.call('GetImport', { ImportId });
      const { Failures } = await fixture.call('ListImportFailures', { ImportId });
      return {
        status: ImportStatus,
        files: ImportStatistics.FilesCompleted,
        failed: ImportStatistics.FailedEntries,
        failures: Failures.map((one: { Location: string; Status: string; ErrorType: string }) => [
          one.Location,
          one.Status,
          one.ErrorType,
        ]),
      };
    };
    expect(await outcome()).toMatchObject({ status: 'FAILED', files: 0, failed: 2 });
    const bad = { recordOfNothing: true };
    await put('a.json.gz', logFile(lakeRecord({ eventID: 'a1' }), bad));
    await fixture.call('StartImport', { ImportId });
    await fixture.lake.ended(ImportId);
    expect(await outcome()).toEqual({
      status: 'COMPLETED',
      files: 1,
      failed: 2,
      failures: [
        ['s3://logs/a.json.gz', 'SUCCEEDED', 'InvalidLogFile'],
        ['s3://logs/b.json.gz', 'FAILED', 'InvalidLogFile'],
        ['s3://logs/a.json.gz', 'FAILED', 'InvalidRecords'],
      ],
    });
    await put('b.json.gz', logFile(lakeRecord({ eventID: 'b1' })));
    await fixture.call('StartImport', { ImportId });
    await fixture.lake.ended(ImportId);
    expect(await outcome()).toMatchObject({ status: 'COMPLETED', files: 2, failed: 1 });
    expect(await fixture.rows(`SELECT eventID FROM ${id} ORDER BY eventID`)).toEqual([['a1'], ['b1']]);
    // Into an event data store that is being deleted nothing is brought.
    await fixture.call('DeleteEventDataStore', { EventDataStore: arn });
    await expect(fixture.call('StartImport', { ImportId })).rejects.toMatchObject({
      code: 'InactiveEventDataStoreException',
    });
  });

  it('that left nothing over are not retried', async () => {
    const { fixture, put } = await openWithBucket();
    await using _ = fixture;
    const { arn } = await createStore(fixture, { StartIngestion: false });
    await put('a.json.gz', logFile(lakeRecord()));
    const { ImportId } = await fixture.call('StartImport', { Destinations: [arn], ...source('s3://logs') });
    await fixture.lake.ended(ImportId);
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
    fixture.buckets.refused.add('not-ours');
    for (const uri of ['s3://absent/x', 'https://logs.example/', 's3://not-ours/x'])
      await expect(
        fixture.call('StartImport', { Destinations: [arn], ...source(uri) }),
      ).rejects.toMatchObject({ code: 'InvalidImportSourceException' });
  });
});
