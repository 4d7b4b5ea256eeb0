import { describe, expect, it } from 'vitest';
import {
  callBy,
  managementAccount,
  openTrailFixture,
  otherAccount,
  rootOf,
  type TrailFixture,
} from '../../../test/trail-fixture.ts';
import { limits } from '../../kernel/index.ts';

function record(eventID: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventID,
    eventName: 'RunInstances',
    eventTime: '2026-11-22T10:00:00Z',
    awsRegion: 'eu-central-1',
    recipientAccountId: otherAccount,
    ...over,
  };
}

async function add(fixture: TrailFixture, ...records: unknown[]): Promise<void> {
  await fixture.stream.append(
    records.map((one) => ({ kind: 'imported' as const, payload: Buffer.from(JSON.stringify(one, null, 1)) })),
  );
  await fixture.trail.settle();
}

interface TailEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
}

/** A listener that reads one event at a time, when it is asked to. */
async function follow(
  fixture: TrailFixture,
  query = '',
  over: { lastEventId?: string; account?: typeof managementAccount } = {},
) {
  const away = new AbortController();
  const answer = await fixture.route('GET', `/_cairn/events/tail?${query}`, {
    signal: away.signal,
    call: callBy(rootOf(over.account ?? managementAccount)),
    headers: over.lastEventId === undefined ? {} : { 'last-event-id': over.lastEventId },
  });
  expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream' });
  const chunks = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let waiting: TailEvent[] = [];
  const read = async (): Promise<readonly TailEvent[]> => {
    const { value, done } = await chunks.next();
    if (done) return [];
    const blocks = Buffer.from(value).toString().split('\n\n');
    return blocks.flatMap((block) => {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      return block === '' ? [] : [{ id: field('id'), event: field('event'), data: field('data') }];
    });
  };
  // The greeting.
  await read();
  return {
    away,
    /** The next event with data. */
    async next(): Promise<TailEvent> {
      while (!waiting.some(({ data }) => data !== undefined)) waiting = [...(await read())];
      const at = waiting.findIndex(({ data }) => data !== undefined);
      const [event] = waiting.slice(at);
      waiting = waiting.slice(at + 1);
      return event!;
    },
    /** The next piece, whatever it is. */
    read,
    async eventId(): Promise<string> {
      return (JSON.parse((await this.next()).data ?? '') as { eventID: string }).eventID;
    },
    async end(): Promise<void> {
      away.abort(new Error('gone'));
      await chunks.return?.();
    },
  };
}

describe('GET /_cairn/events/tail', () => {
  it('sends records as they come, each on one line with its place in the journal', async () => {
    await using fixture = await openTrailFixture();
    await add(fixture, record('before'));
    const tail = await follow(fixture);
    await fixture.trail.settle();
    await add(fixture, record('a'), record('b'));
    const places: number[] = [];
    const found: string[] = [];
    // The record of the tail's own call comes first.
    for (let count = 0; count < 3; count++) {
      const { id, data } = await tail.next();
      places.push(Number(id));
      found.push((JSON.parse(data ?? '') as { eventID: string }).eventID);
    }
    expect(found.slice(1)).toEqual(['a', 'b']);
    expect(places).toEqual([1, 2, 3]);
    await tail.end();
  });

  it('takes the filters of searches', async () => {
    await using fixture = await openTrailFixture();
    const tail = await follow(
      fixture,
      'eventName=Wanted&not.region=us-east-1&sourceIp=10.0.0.0/8&text=needle',
    );
    const wanted = { eventName: 'Wanted', sourceIPAddress: '10.1.1.1', requestParameters: { x: 'needle' } };
    await add(
      fixture,
      record('1'),
      record('2', { ...wanted, awsRegion: 'us-east-1' }),
      record('3', { ...wanted, sourceIPAddress: '11.1.1.1' }),
      record('4', { ...wanted, requestParameters: null }),
      record('5', { ...wanted, eventName: 'Other' }),
      record('6', wanted),
    );
    expect(await tail.eventId()).toBe('6');
    await tail.end();
    await expect(follow(fixture, 'limit=1')).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('shows other accounts their own events alone', async () => {
    await using fixture = await openTrailFixture();
    const tail = await follow(fixture, '', { account: otherAccount });
    await add(fixture, record('theirs', { recipientAccountId: managementAccount }), record('own'));
    await tail.next();
    expect(await tail.eventId()).toBe('own');
    await tail.end();
    await expect(
      follow(fixture, `accountId=${managementAccount}`, { account: otherAccount }),
    ).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('goes on behind Last-Event-ID, from the journal into what comes live, without gap or repetition', async () => {
    await using fixture = await openTrailFixture();
    await add(fixture, ...Array.from({ length: 1_000 }, (_, index) => record(`e${index}`)));
    const tail = await follow(fixture, 'eventName=RunInstances', { lastEventId: '9' });
    const seen: string[] = [];
    for (let index = 0; index < 500; index++) seen.push(await tail.eventId());
    await add(fixture, ...Array.from({ length: 200 }, (_, index) => record(`e${1_000 + index}`)));
    while (seen.length < 1_190) seen.push(await tail.eventId());
    expect(seen).toEqual(Array.from({ length: 1_190 }, (_, index) => `e${index + 10}`));
    await tail.end();
  });

  it('lets a slow listener fall back to the journal, and costs the writers nothing', async () => {
    await using fixture = await openTrailFixture();
    const slow = await follow(fixture, 'eventName=RunInstances');
    const total = limits.tailEntries * 2 + 100;
    for (let at = 0; at < total; at += 2_000) {
      const count = Math.min(2_000, total - at);
      await add(fixture, ...Array.from({ length: count }, (_, index) => record(`e${at + index}`)));
    }
    const seen: string[] = [];
    while (seen.length < total) seen.push(await slow.eventId());
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => `e${index}`));
    await slow.end();
  });

  it('sends a heartbeat with the place that was reached', async () => {
    await using fixture = await openTrailFixture();
    const tail = await follow(fixture, 'eventName=Nothing');
    await add(fixture, record('a'), record('b'));
    const heartbeat = tail.read();
    for (let turns = 0; turns < 5; turns++) await fixture.clock.advance(15_000);
    expect(await heartbeat).toEqual([{ id: '2', event: undefined, data: undefined }]);
    await tail.end();
  });

  it('says what it cannot show: entries that do not exist yet', async () => {
    await using fixture = await openTrailFixture();
    const tail = await follow(fixture, 'eventName=RunInstances', { lastEventId: '500' });
    expect(await tail.next()).toMatchObject({ event: 'gap', data: expect.stringContaining('501') as string });
    await add(fixture, record('a'));
    expect(await tail.eventId()).toBe('a');
    await tail.end();
    await expect(follow(fixture, '', { lastEventId: 'x' })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  it('ends when the client goes away, and bounds the listeners', async () => {
    await using fixture = await openTrailFixture();
    const all = await Promise.all(
      Array.from({ length: limits.tailListeners }, () => follow(fixture, 'eventName=x')),
    );
    await expect(follow(fixture)).rejects.toMatchObject({ code: 'ServiceUnavailable', status: 503 });
    all[0]?.away.abort(new Error('gone'));
    expect(await all[0]?.read()).toEqual([]);
    const another = await follow(fixture, 'eventName=x');
    for (const tail of [...all, another]) await tail.end();
  });
});
