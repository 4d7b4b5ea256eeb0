import { describe, expect, it } from 'vitest';
import { sequence, type Sequence } from '../../kernel/index.ts';
import { auditRecord, openTrailsFixture, type TrailsFixture } from '../../../test/trails-fixture.ts';
import { openLoggedByTrails } from './logged-by-trails.ts';

const append = ({ trail }: TrailsFixture, ...records: Uint8Array[]): Promise<Sequence> =>
  trail.stream.append(records.map((payload) => ({ kind: 'record', payload })));

/** The eventIDs (or, of calls of CloudTrail, the names) of what is selected from there to the end. */
async function selected({ trail }: TrailsFixture, from: number, openedAt = from): Promise<string[]> {
  const { state, stream } = trail;
  const logged = await openLoggedByTrails({ state, stream, from: sequence(openedAt) });
  const found: string[] = [];
  for await (const { entries } of stream.read(sequence(from))) {
    for (const entry of entries) {
      logged.follow(entry);
      if (entry.kind !== 'record' || !logged.selects(entry)) continue;
      const record = JSON.parse(Buffer.from(entry.payload).toString()) as Record<string, string>;
      found.push(
        record['eventSource'] === 'cloudtrail.amazonaws.com' ? record['eventName']! : record['eventID']!,
      );
    }
  }
  return found;
}

const object = (eventID: string, key: string): Uint8Array =>
  auditRecord(eventID, {
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    eventCategory: 'Data',
    managementEvent: false,
    readOnly: true,
    resources: [{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::data/${key}` }],
  });

describe('what trails log, along the journal', () => {
  it('is nothing without a trail', async () => {
    await using fixture = await openTrailsFixture();
    await append(fixture, auditRecord('one'));
    expect(await selected(fixture, 0)).toEqual([]);
  });

  it('begins with StartLogging and ends with StopLogging or DeleteTrail', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', { Name: 'main', S3BucketName: 'logs' });
    const from = fixture.trail.stream.end;
    await append(fixture, auditRecord('before'));
    await fixture.call('StartLogging', { Name: 'main' });
    await append(fixture, auditRecord('during'));
    await fixture.call('StopLogging', { Name: 'main' });
    await append(fixture, auditRecord('stopped'));
    await fixture.call('StartLogging', { Name: 'main' });
    await fixture.call('DeleteTrail', { Name: 'main' });
    await append(fixture, auditRecord('deleted'));
    await fixture.call('CreateTrail', { Name: 'main', S3BucketName: 'logs' });
    await append(fixture, auditRecord('not yet'));
    // Opened at the end and fed from where nothing logged, it knows each change in its place.
    const expected = ['StartLogging', 'during', 'StopLogging', 'StartLogging', 'DeleteTrail'];
    expect(await selected(fixture, from, fixture.trail.stream.end)).toEqual(expected);
  });

  it('loses nothing where it is not known how a trail was', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    const from = fixture.trail.stream.end;
    await append(fixture, auditRecord('one'));
    await fixture.call('DeleteTrail', { Name: 'main' });
    await append(fixture, auditRecord('two'));
    expect(await selected(fixture, from)).toEqual(['one', 'DeleteTrail']);
  });

  it('goes by selectors, regions and accounts', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail();
    await fixture.call('PutEventSelectors', {
      TrailName: 'main',
      EventSelectors: [
        {
          ReadWriteType: 'All',
          IncludeManagementEvents: true,
          DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::data/in/'] }],
        },
      ],
    });
    const from = await append(
      fixture,
      auditRecord('here'),
      auditRecord('elsewhere', { awsRegion: 'eu-west-1' }),
      auditRecord('of others', { recipientAccountId: '111122223333' }),
      object('selected', 'in/key'),
      object('other', 'out/key'),
      Buffer.from('{"no":"record"}'),
    );
    expect(await selected(fixture, from)).toEqual(['here', 'selected']);
  });
});
