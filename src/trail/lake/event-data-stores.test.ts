import { describe, expect, it } from 'vitest';
import { createStore, lakeRecord, openLakeFixture } from '../../../test/lake-fixture.ts';
import { managementAccount } from '../../../test/trail-fixture.ts';

const dayMs = 86_400_000;
const category = (name: string) => [{ FieldSelectors: [{ Field: 'eventCategory', Equals: [name] }] }];

describe('event data stores', () => {
  it('take from their creation on what their selectors choose, as they are at the time', async () => {
    await using fixture = await openLakeFixture();
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
    await using fixture = await openLakeFixture();
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

  it('keep what they took when they change between one region and all', async () => {
    await using fixture = await openLakeFixture();
    const { id } = await createStore(fixture, { MultiRegionEnabled: false });
    const far = { awsRegion: 'us-east-1' };
    const ids = () => fixture.rows(`SELECT eventID FROM ${id} WHERE eventName = 'CreateUser' ORDER BY 1`);
    const change = (MultiRegionEnabled: boolean) =>
      fixture.call('UpdateEventDataStore', { EventDataStore: id, MultiRegionEnabled });
    await fixture.add(lakeRecord({ eventID: 'a-near' }), lakeRecord({ eventID: 'b-far', ...far }));
    await change(true);
    expect(await ids()).toEqual([['a-near']]);
    await fixture.add(lakeRecord({ eventID: 'c-near' }), lakeRecord({ eventID: 'd-far', ...far }));
    await change(false);
    await fixture.add(lakeRecord({ eventID: 'e-near' }), lakeRecord({ eventID: 'f-far', ...far }));
    expect(await ids()).toEqual([['a-near'], ['c-near'], ['d-far'], ['e-near']]);
  });

  it('hide what is past their retention at once, and files go when nobody keeps them', async () => {
    await using fixture = await openLakeFixture({ defaultRetentionDays: 10 });
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
    await using fixture = await openLakeFixture();
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
    await using fixture = await openLakeFixture();
    await createStore(fixture);
    await expect(fixture.call(operation, input)).rejects.toMatchObject({ code });
  });

  it('are protected from deletion until that is turned off', async () => {
    await using fixture = await openLakeFixture();
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
    await using fixture = await openLakeFixture();
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
        `SELECT eventData.UID AS uid, eventData.userIdentity.details['team'] AS team, eventData.eventTime AS at FROM ${store} WHERE eventCategory = 'ActivityAuditLog' ORDER BY uid`,
      );
    expect(await found(outside.id)).toEqual([['through', 'blue', '2026-11-22T09:00:00Z']]);
    expect(await found('events')).toHaveLength(2);
    await fixture.call('DeleteChannel', { Channel: ChannelArn });
    await expect(put(ChannelArn, 'late')).rejects.toMatchObject({ code: 'ChannelNotFound' });
    expect(await found(outside.id)).toEqual([['through', 'blue', '2026-11-22T09:00:00Z']]);
    expect((await fixture.call('ListChannels')).Channels).toEqual([]);
  });
});
