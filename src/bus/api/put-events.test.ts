import { describe, expect, it } from 'vitest';
import {
  busRegion,
  codeOf,
  eventsArn,
  openBusForEachTest,
  type BusFixture,
} from '../../../test/bus-fixture.ts';
import { allow, deny, faultOf, management } from '../../../test/identity-fixture.ts';

let bus: BusFixture;
openBusForEachTest((opened) => {
  bus = opened;
});

const busArn = (name: string) => eventsArn(`event-bus/${name}`);
const entry = { Source: 'shop', DetailType: 'Order', Detail: '{"id":1}' };
const put = (...Entries: readonly object[]) => bus.call('PutEvents', { Entries });

const required = (name: string) => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
});
/** A detail of so many bytes. */
const detailOf = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;

describe('PutEvents', () => {
  it('puts events as the user guide shows them', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    const answer = await put(
      { ...entry, Detail: ' {"id": 1.50, "id2":"ä"}\n' },
      {
        ...entry,
        EventBusName: 'orders',
        Time: new Date('2026-01-02T03:04:05.678Z'),
        Resources: ['arn:x', 'y'],
      },
      { ...entry, EventBusName: busArn('orders'), TraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793' },
    );
    expect(answer.FailedEntryCount).toBe(0);
    const ids = answer.Entries.map(({ EventId }: { EventId: string }) => EventId) as string[];
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const common = {
      version: '0',
      'detail-type': 'Order',
      source: 'shop',
      account: management,
      region: busRegion,
    };
    const now = `${new Date(bus.identity.clock.now()).toISOString().slice(0, 19)}Z`;
    expect(bus.events).toEqual([
      {
        bus: busArn('default'),
        event: { ...common, id: ids[0], time: now, resources: [], detail: { id: 1.5, id2: 'ä' } },
      },
      {
        bus: busArn('orders'),
        event: {
          ...common,
          id: ids[1],
          time: '2026-01-02T03:04:05Z',
          resources: ['arn:x', 'y'],
          detail: { id: 1 },
        },
      },
      {
        bus: busArn('orders'),
        event: { ...common, id: ids[2], time: now, resources: [], detail: { id: 1 } },
      },
    ]);
  });

  it('answers each entry in its place', async () => {
    const { Source: _, ...withoutSource } = entry;
    const { DetailType: __, ...withoutType } = entry;
    const { Detail: ___, ...withoutDetail } = entry;
    const malformed = { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const answer = await put(
      withoutSource,
      entry,
      withoutType,
      withoutDetail,
      { ...entry, Detail: '[]' },
      { ...entry, Detail: '{"a":}' },
      { ...entry, Source: 'aws.s3' },
      { ...entry, DetailType: 'x'.repeat(129) },
      { ...entry, EventBusName: 'none' },
      { ...entry, Source: 'aws', DetailType: 'x'.repeat(128) },
    );
    expect(answer.FailedEntryCount).toBe(8);
    expect(answer.Entries).toEqual([
      required('Source'),
      { EventId: expect.any(String) as string },
      required('DetailType'),
      required('Detail'),
      malformed,
      malformed,
      { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      { ErrorCode: 'InvalidArgument', ErrorMessage: expect.stringContaining('DetailType') as string },
      {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: expect.stringContaining('none does not exist') as string,
      },
      { EventId: expect.any(String) as string },
    ]);
    expect(bus.events.map(({ event }) => event['source'])).toEqual(['shop', 'aws']);
  });

  it.each<[boolean, string]>([
    [true, '{}'],
    [true, '{"a":9223372036854775807,"b":-9223372036854775808}'],
    [false, '{"a":9223372036854775808}'],
    [false, '{"a":[{"b":-9223372036854775809}]}'],
    [true, '{"a":"9223372036854775808"}'],
    [true, '{"a":"\\"9223372036854775808"}'],
    [true, '{"a":92233720368547758080.5}'],
    [true, '{"a":1e300}'],
    [true, `${'{"a":'.repeat(999)}{}${'}'.repeat(999)}`],
    [false, `${'{"a":'.repeat(1000)}{}${'}'.repeat(1000)}`],
    [false, `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    [true, `{"a":"${'['.repeat(1001)}"}`],
    [true, `{"a":"${'\\\\n\\\\\\\\'.repeat(100_000)}","b":[{}]}`],
    [true, `{"a":"${'\\"'.repeat(100_000)}","b":9}`],
    [false, `{"a":"${'\\"'.repeat(100_000)}","b":99999999999999999999}`],
    [false, '"text"'],
    [false, 'null'],
    [false, 'not json'],
    [false, '{}{}'],
    [false, "{'a':1}"],
  ])('%s: takes %.60s as a detail', async (taken, Detail) => {
    const { Entries } = await put({ ...entry, Detail });
    expect(Entries[0].ErrorCode).toBe(taken ? undefined : 'MalformedDetail');
  });

  it('takes entries of less than 1 MB altogether, as the user guide counts them', async () => {
    const rest = { Source: 'ä', DetailType: 'b', Resources: ['cc', 'd'], Time: new Date() };
    const restBytes = 2 + 1 + 3 + 14;
    const half = { ...rest, Detail: detailOf(524_288 - restBytes) };
    const over = put(half, half);
    expect(await faultOf(over)).toEqual({
      code: 'ValidationException',
      message: 'Total size of the entries in the request is over the limit.',
    });
    const under = { ...rest, Detail: detailOf(524_287 - restBytes) };
    expect((await put(half, under)).FailedEntryCount).toBe(0);
  });

  it('takes one to ten entries, and none for what is not built', async () => {
    expect(await codeOf(put())).toBe('ValidationException');
    expect(await codeOf(put(...Array.from({ length: 11 }, () => entry)))).toBe('ValidationException');
    expect((await put(...Array.from({ length: 10 }, () => entry))).Entries).toHaveLength(10);
    const endpoint = bus.call('PutEvents', { Entries: [entry], EndpointId: 'abcde.veo' });
    expect((await faultOf(endpoint)).message).toContain('EndpointId is not supported');
    for (const over of [{ TraceHeader: '' }, { Resources: ['x'.repeat(2049)] }, { EventBusName: 'a b' }]) {
      expect(await codeOf(put({ ...entry, ...over })), JSON.stringify(over).slice(0, 40)).toBe(
        'ValidationException',
      );
    }
    const far = { ...entry, Time: new Date(8.64e15) };
    expect((await put(far)).Entries).toMatchObject([{ ErrorCode: 'InvalidArgument' }]);
    expect(bus.events).toHaveLength(10);
  });

  it('is for whom policies let, by bus, source and detail type', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    const user = await bus.identity.user('u', allow('events:PutEvents', busArn('orders')));
    const as = (over: object, caller = user) =>
      bus.call('PutEvents', { Entries: [{ ...entry, ...over }] }, caller);
    await as({ EventBusName: 'orders' });
    expect(await codeOf(as({}))).toBe('AccessDenied');
    expect(await codeOf(as({}, await bus.identity.user('d', deny('events:*'))))).toBe('AccessDenied');
    const own = await bus.identity.user('own', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'events:PutEvents',
          Resource: '*',
          Condition: {
            StringEquals: { 'events:source': 'shop', 'events:detail-type': 'Order' },
            Bool: { 'events:eventBusInvocation': 'false' },
          },
        },
      ],
    });
    await as({}, own);
    expect(await codeOf(as({ Source: 'other' }, own))).toBe('AccessDenied');
    const Entries = [entry, { ...entry, DetailType: 'Other' }];
    expect(await codeOf(bus.call('PutEvents', { Entries }, own))).toBe('AccessDenied');
    expect(bus.events).toHaveLength(2);
  });
});

describe('TestEventPattern', () => {
  const event = {
    id: '1',
    account: management,
    source: 'shop',
    time: '2026-01-02T03:04:05Z',
    region: busRegion,
    resources: [],
    'detail-type': 'Order',
    detail: { total: 7 },
  };
  const test = (pattern: unknown, over: object = {}) =>
    bus.call('TestEventPattern', {
      EventPattern: JSON.stringify(pattern),
      Event: JSON.stringify({ ...event, ...over }),
    });

  it('says whether an event matches', async () => {
    expect(await test({ source: ['shop'] })).toEqual({ Result: true });
    expect(await test({ source: ['other'] })).toEqual({ Result: false });
    expect(await test({ source: ['shop'], 'detail-type': ['Order'] })).toEqual({ Result: true });
  });

  it('needs a pattern and a whole event', async () => {
    expect(await codeOf(test({ source: 'shop' }))).toBe('InvalidEventPatternException');
    const invalid = { code: 'ValidationException' };
    const optional = ['detail', 'resources'];
    for (const field of Object.keys(event).filter((name) => !optional.includes(name))) {
      const fault = await faultOf(test({ source: ['shop'] }, { [field]: undefined }));
      expect(fault).toMatchObject(invalid);
      expect(fault.message).toContain(field);
    }
    for (const field of optional)
      expect(await test({ source: ['shop'] }, { [field]: undefined })).toEqual({ Result: true });
    for (const Event of ['', '{', '[]', 'null']) {
      const answer = bus.call('TestEventPattern', { EventPattern: '{"source":["shop"]}', Event });
      expect(await faultOf(answer), Event).toMatchObject(invalid);
    }
  });

  it('is for whom policies let', async () => {
    const user = await bus.identity.user('u');
    const answer = bus.call('TestEventPattern', { EventPattern: '{}', Event: '{}' }, user);
    expect(await codeOf(answer)).toBe('AccessDenied');
  });
});
