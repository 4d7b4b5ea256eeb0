import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  callBy,
  managementAccount,
  openTrailFixture,
  otherAccount,
  rootOf,
  serviceNamed,
} from '../../../test/trail-fixture.ts';
import { OverloadError } from '../../kernel/index.ts';
import type { NewEntry, Stream } from '../../journal/index.ts';
import { scanEntry, scanRecord } from '../history/index.ts';
import { defaultChannelArn } from '../index.ts';
import { prepareInput } from '../ingest/prepare-input.ts';
import type { PutAuditEventsRequest, PutAuditEventsResponse } from '../ingest/prepared-events.ts';
import { PutAuditEvents } from './put-audit-events.ts';

const channelArn = defaultChannelArn(managementAccount, 'eu-central-1');

function eventData(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    version: '1.0',
    userIdentity: { type: 'app', principalId: 'grace', details: { team: 'blue' } },
    userAgent: 'shop/2',
    eventSource: 'shop.example',
    eventName: 'Refund',
    eventTime: '2026-11-22T09:59:58Z',
    UID: 'uid-1',
    requestParameters: { order: 7 },
    sourceIPAddress: '2001:db8::1',
    recipientAccountId: managementAccount,
    ...over,
  });
}

async function openChannel(over: Parameters<typeof openTrailFixture>[0] = {}) {
  const fixture = await openTrailFixture(over);
  const put = async (request: Partial<PutAuditEventsRequest>, account = managementAccount) => {
    const output = await fixture.perform(fixture.trail.operations['cloudtrail-data']['PutAuditEvents'], {
      service: serviceNamed('cloudtrail-data'),
      operationName: 'PutAuditEvents',
      input: { channelArn, auditEvents: [{ id: 'one', eventData: eventData() }], ...request },
      call: callBy(rootOf(account)),
    });
    return output as unknown as PutAuditEventsResponse;
  };
  return { ...fixture, fixture, put, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

describe('PutAuditEvents', () => {
  it.each([
    ['plain', {}],
    ['escapes and other scripts', { eventName: 'Tür "öffnen"\\ \u0000', eventSource: '雪.example' }],
    ['half of a surrogate pair', { eventName: 'a\ud800b' }],
    ['an error, and no address', { errorCode: 'Denied', sourceIPAddress: undefined }],
    [
      "members of CloudTrail's own records",
      { resources: [{ ARN: 'arn:x' }], eventID: 'mine', awsRegion: 'mars' },
    ],
  ])('hands the history what a scan of the record finds: %s', (_, over) => {
    const entries: NewEntry[] = [];
    const request = { channelArn, auditEvents: [{ id: 'one', eventData: eventData(over) }] };
    const call = callBy(rootOf(managementAccount));
    const input = prepareInput(request, { ...call, ingestionTime: '2026-11-22T10:00:00Z' });
    PutAuditEvents(input, call, { append: (entry) => void entries.push(entry) });
    const [{ note, payload } = { note: undefined, payload: new Uint8Array() }] = entries;
    expect(note).toBeDefined();
    expect(scanRecord(payload)).toEqual(scanEntry({ note, payload }));
  });

  it('makes the event durable as CloudTrail Lake shows it, with the data byte for byte', async () => {
    await using channel = await openChannel();
    const data = `{ "note": "kept  as it is",${eventData().slice(1)}`;
    const answer = await channel.put({ auditEvents: [{ id: 'one', eventData: data }] });
    expect(answer).toEqual({
      successful: [{ id: 'one', eventID: expect.stringMatching(/^[-0-9a-f]{36}$/) as string }],
      failed: [],
    });
    const raw: string[] = [];
    for await (const { entries } of channel.stream.read(channel.stream.start)) {
      raw.push(...entries.map(({ payload }) => Buffer.from(payload).toString()));
    }
    expect(raw).toHaveLength(2);
    expect(raw[0]).toContain(data);
    const [ingested, call] = await channel.records();
    expect(ingested).toEqual({
      eventVersion: '1.0',
      eventCategory: 'ActivityAuditLog',
      eventType: 'ActivityLog',
      eventID: answer.successful[0]?.eventID,
      eventTime: '2026-11-22T09:59:58Z',
      awsRegion: 'eu-central-1',
      recipientAccountId: managementAccount,
      metadata: { ingestionTime: '2026-11-22T10:00:00Z', channelARN: channelArn },
      eventData: JSON.parse(data) as unknown,
    });
    expect(call).toMatchObject({
      eventName: 'PutAuditEvents',
      eventCategory: 'Data',
      managementEvent: false,
      requestParameters: { channelArn, auditEventCount: 1 },
      responseElements: { successfulCount: 1, failed: [] },
      resources: [{ type: 'AWS::CloudTrail::Channel', ARN: channelArn }],
    });
  });

  it('is found by its eventID and its UID', async () => {
    await using channel = await openChannel();
    const answer = await channel.put({});
    await channel.trail.settle();
    for (const query of [
      `eventId=${answer.successful[0]?.eventID}`,
      'text=uid-1',
      'category=ActivityAuditLog',
    ]) {
      const found = await bodyOf(await channel.route('GET', `/_cairn/events?${query}`));
      expect(JSON.parse(found.toString())).toMatchObject({ events: [{ eventData: { UID: 'uid-1' } }] });
    }
  });

  it('is one append for a whole request', async () => {
    let appends = 0;
    await using channel = await openChannel({
      wrap: (stream) =>
        Object.assign(Object.create(stream) as Stream, {
          append(entries: Parameters<Stream['append']>[0]) {
            appends++;
            return stream.append(entries);
          },
        }),
    });
    const auditEvents = Array.from({ length: 100 }, (_, index) => ({
      id: `e${index}`,
      eventData: eventData({ UID: `u${index}` }),
    }));
    expect((await channel.put({ auditEvents })).successful).toHaveLength(100);
    expect(appends).toBe(1);
    expect(channel.stream.end).toBe(101);
  });

  it('takes nothing when the journal does not', async () => {
    await using channel = await openChannel({
      wrap: (stream) =>
        Object.assign(Object.create(stream) as Stream, {
          append: () => Promise.reject(new OverloadError('too much')),
        }),
    });
    await expect(channel.put({})).rejects.toMatchObject({ code: 'ServiceUnavailable', status: 503 });
    expect(channel.stream.end).toBe(0);
  });

  it('makes one event of a request that is sent twice, and two of two events with one id', async () => {
    await using channel = await openChannel();
    const first = await channel.put({});
    const again = await channel.put({});
    const other = await channel.put({ auditEvents: [{ id: 'one', eventData: eventData({ UID: 'uid-2' }) }] });
    expect(again.successful).toEqual(first.successful);
    expect(other.successful[0]?.eventID).not.toBe(first.successful[0]?.eventID);
    await channel.trail.settle();
    const found = await bodyOf(await channel.route('GET', '/_cairn/events?category=ActivityAuditLog'));
    expect((JSON.parse(found.toString()) as { events: unknown[] }).events).toHaveLength(2);
  });

  it('verifies the checksum where one is given', async () => {
    await using channel = await openChannel();
    const data = eventData({ additionalEventData: { text: 'grüße' } });
    const eventDataChecksum = createHash('sha256').update(data).digest('base64');
    const answer = await channel.put({
      auditEvents: [
        { id: 'right', eventData: data, eventDataChecksum },
        { id: 'wrong', eventData: `${data} `, eventDataChecksum },
      ],
    });
    expect(answer.successful).toMatchObject([{ id: 'right' }]);
    expect(answer.failed).toMatchObject([{ id: 'wrong', errorCode: 'InvalidChecksum' }]);
  });

  it.each<[string, string, string, RegExp]>([
    ['no JSON', 'not json', 'InvalidData', /not JSON/],
    ['a list', '[]', 'InvalidData', /not a JSON object/],
    ...['version', 'userIdentity', 'eventSource', 'eventName', 'eventTime', 'UID', 'recipientAccountId'].map(
      (name): [string, string, string, RegExp] => [
        `no ${name}`,
        eventData({ [name]: undefined }),
        'FieldNotFound',
        new RegExp(name),
      ],
    ),
    ['no type', eventData({ userIdentity: { principalId: 'x' } }), 'FieldNotFound', /userIdentity\.type/],
    [
      'no principalId',
      eventData({ userIdentity: { type: 'x' } }),
      'FieldNotFound',
      /userIdentity\.principalId/,
    ],
    [
      'details as text',
      eventData({ userIdentity: { type: 'x', principalId: 'x', details: 'x' } }),
      'InvalidData',
      /details/,
    ],
    ['an eventName of 1,025', eventData({ eventName: 'x'.repeat(1_025) }), 'FieldTooLong', /eventName/],
    ['an errorCode of 257', eventData({ errorCode: 'x'.repeat(257) }), 'FieldTooLong', /errorCode/],
    ['a number as version', eventData({ version: 1 }), 'InvalidData', /version/],
    ['requestParameters as text', eventData({ requestParameters: 'x' }), 'InvalidData', /requestParameters/],
    [
      'large requestParameters',
      eventData({ requestParameters: { x: 'x'.repeat(100 * 1024) } }),
      'FieldTooLong',
      /requestParameters/,
    ],
    [
      'large additionalEventData',
      eventData({ additionalEventData: { x: 'x'.repeat(28 * 1024) } }),
      'FieldTooLong',
      /additionalEventData/,
    ],
    ['no time', eventData({ eventTime: 'yesterday' }), 'InvalidData', /eventTime/],
    ['30 February', eventData({ eventTime: '2026-02-30T00:00:00Z' }), 'InvalidData', /eventTime/],
    ['no address', eventData({ sourceIPAddress: '1.2.3' }), 'InvalidData', /sourceIPAddress/],
    [
      'another recipient',
      eventData({ recipientAccountId: otherAccount }),
      'InvalidRecipient',
      /recipientAccountId/,
    ],
    ['more than 256 KB', eventData({ more: 'x'.repeat(256 * 1024) }), 'FieldTooLong', /larger/],
  ])('names an event with %s, and takes the others', async (_name, data, errorCode, errorMessage) => {
    await using channel = await openChannel();
    const answer = await channel.put({
      auditEvents: [
        { id: 'bad', eventData: data },
        { id: 'good', eventData: eventData() },
      ],
    });
    expect(answer.successful).toMatchObject([{ id: 'good' }]);
    expect(answer.failed).toEqual([
      { id: 'bad', errorCode, errorMessage: expect.stringMatching(errorMessage) as string },
    ]);
  });

  it.each(['2026-11-22T09:59:58', '2026-11-22T09:59:58.123Z'])('takes the time %s', async (eventTime) => {
    await using channel = await openChannel();
    await channel.put({ auditEvents: [{ id: 'one', eventData: eventData({ eventTime }) }] });
    expect((await channel.records())[0]).toMatchObject({ eventTime: '2026-11-22T09:59:58Z' });
  });

  it.each<[string, Partial<PutAuditEventsRequest>, string]>([
    ['a name that is no ARN', { channelArn: 'mine' }, 'InvalidChannelARN'],
    ['another service’s ARN', { channelArn: 'arn:aws:sns:eu-central-1:000000000000:t' }, 'InvalidChannelARN'],
    ['an unknown channel', { channelArn: `${channelArn.slice(0, -1)}1` }, 'ChannelNotFound'],
    [
      'another region’s channel',
      { channelArn: defaultChannelArn(managementAccount, 'us-east-1') },
      'ChannelNotFound',
    ],
    [
      'another account’s channel',
      { channelArn: defaultChannelArn(otherAccount, 'eu-central-1') },
      'ChannelInsufficientPermission',
    ],
    [
      'the same id twice',
      { auditEvents: [1, 2].map(() => ({ id: 'x', eventData: eventData() })) },
      'DuplicatedAuditEventId',
    ],
    ['no events', { auditEvents: [] }, 'ValidationException'],
    [
      '101 events',
      { auditEvents: Array.from({ length: 101 }, (_, index) => ({ id: `${index}`, eventData: '{}' })) },
      'ValidationException',
    ],
    [
      'more than 1 MB',
      { auditEvents: [1, 2].map((id) => ({ id: `${id}`, eventData: 'x'.repeat(600_000) })) },
      'ValidationException',
    ],
    [
      'more than 1 MB in fewer characters',
      { auditEvents: [1, 2].map((id) => ({ id: `${id}`, eventData: '雪'.repeat(200_000) })) },
      'ValidationException',
    ],
  ])('refuses %s, takes nothing and records it', async (_name, request, code) => {
    await using channel = await openChannel();
    await expect(channel.put(request)).rejects.toMatchObject({ code });
    expect(await channel.records()).toMatchObject([{ eventName: 'PutAuditEvents', errorCode: code }]);
  });

  it('takes the last part of the channel’s ARN as its name', async () => {
    await using channel = await openChannel();
    const answer = await channel.put({ channelArn: channelArn.replace(/^.*\//, '') });
    expect(answer.successful).toHaveLength(1);
    expect((await channel.records())[0]).toMatchObject({ metadata: { channelARN: channelArn } });
  });

  it('needs the permission on the channel', async () => {
    await using channel = await openChannel();
    channel.denied.add('cloudtrail-data:PutAuditEvents');
    await expect(channel.put({})).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});
