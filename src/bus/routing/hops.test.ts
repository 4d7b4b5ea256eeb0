import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeliveryFixture, type DeliveryFixture } from '../../../test/bus-delivery-fixture.ts';
import { openHttpReceiver, type HttpReceiver } from '../../../test/http-receiver.ts';
import { accountId } from '../../kernel/index.ts';
import { busArn, busKey, type BusDocument, type BusPlace } from '../bus-documents.ts';

let fixture: DeliveryFixture;
let receiver: HttpReceiver;
let role: string;
let hook: { readonly Id: string; readonly Arn: string; readonly RoleArn: string };

const here: BusPlace = { account: '000000000000', region: 'eu-central-1' };
const other = accountId('111111111111');

beforeEach(async () => {
  receiver = await openHttpReceiver();
  fixture = await openDeliveryFixture();
  role = await fixture.role('invoke');
  hook = {
    Id: 'hook',
    Arn: await fixture.destination('hook', `http://${receiver.host}/hook`),
    RoleArn: role,
  };
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const report = () => fixture.bus.report();

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2_000) throw new Error('it did not come to that');
    await fixture.identity.clock.advance(1);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

async function makeBus(place: BusPlace, name: string, policy?: unknown): Promise<string> {
  const change = fixture.identity.state.begin();
  const document: BusDocument = {
    name,
    createdAt: 1,
    updatedAt: 1,
    tags: [],
    ...(policy !== undefined && { policy: JSON.stringify(policy) }),
  };
  change.put(busKey(place, name), document);
  await fixture.identity.state.commit(change, []);
  return busArn(place, name);
}

const everything = { source: [{ prefix: '' }] };
const toBus = (Arn: string, Id = 'bus') => ({ Id, Arn, RoleArn: role });

describe('an event that goes on to another bus', () => {
  it('is matched by the rules of that bus, and stays the event that it was', async () => {
    const central = await makeBus(here, 'central');
    await fixture.rule('forward', everything, [toBus(central)]);
    await fixture.rule('take', { source: ['my.app'] }, [hook], { bus: 'central' });
    const id = await fixture.put({ detail: { a: 1 } });
    await until(() => receiver.requests.length === 1);
    expect(JSON.parse(receiver.requests[0]!.body)).toMatchObject({
      id,
      source: 'my.app',
      account: here.account,
      detail: { a: 1 },
    });
    // The bus took it, and the target of its rule.
    await until(() => report().delivered === 2);
  });

  it('goes to a bus of another region', async () => {
    const place = { ...here, region: 'us-east-1' };
    await fixture.rule('forward', everything, [toBus(await makeBus(place, 'central'))]);
    // Its target is where the rule is; this one is a bus again, which tells that the rule matched.
    await fixture.rule('take', everything, [toBus(busArn(place, 'third'))], { bus: 'central', place });
    await fixture.put({});
    await until(() => report().givenUp === 1);
    expect(report().delivered).toBe(1);
  });

  it('goes to no third bus', async () => {
    const second = await makeBus(here, 'second');
    const third = await makeBus(here, 'third');
    await fixture.rule('first', everything, [toBus(second)]);
    await fixture.rule('second', everything, [toBus(third), hook], { bus: 'second' });
    await fixture.rule('third', everything, [hook], { bus: 'third' });
    await fixture.put({});
    await until(() => report().delivered === 2 && report().givenUp === 1);
    expect(receiver.requests).toHaveLength(1);
  });

  it('does not go round in a circle', async () => {
    const second = await makeBus(here, 'second');
    await fixture.rule('first', everything, [toBus(second), hook]);
    await fixture.rule('second', everything, [toBus(busArn(here, 'default'))], { bus: 'second' });
    await fixture.put({});
    await until(() => report().givenUp === 1);
    await until(() => report().delivered === 2);
    expect(receiver.requests).toHaveLength(1);
  });

  it.each<[string, unknown, boolean]>([
    ['has no policy', undefined, false],
    [
      'lets the account in',
      { Effect: 'Allow', Principal: { AWS: here.account }, Action: 'events:PutEvents', Resource: '*' },
      true,
    ],
    [
      'lets another account in',
      { Effect: 'Allow', Principal: { AWS: '222222222222' }, Action: 'events:PutEvents', Resource: '*' },
      false,
    ],
    [
      'lets in what comes from the rule',
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 'events:PutEvents',
        Resource: '*',
        Condition: {
          ArnEquals: { 'aws:SourceArn': `arn:aws:events:${here.region}:${here.account}:rule/forward` },
        },
      },
      true,
    ],
    [
      'lets in events of another source',
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 'events:PutEvents',
        Resource: '*',
        Condition: { StringEquals: { 'events:source': 'other.app' } },
      },
      false,
    ],
  ])('reaches a bus of another account that %s: as its policy says', async (_, statement, isLetIn) => {
    await fixture.identity.account(other);
    const there = { account: other, region: here.region };
    const policy = statement && { Version: '2012-10-17', Statement: [{ Sid: 'a', ...statement }] };
    const central = await makeBus(there, 'central', policy);
    await fixture.rule('forward', everything, [toBus(central)]);
    await fixture.put({});
    await until(() => report().delivered + report().givenUp === 1);
    expect(report()).toMatchObject(isLetIn ? { delivered: 1, givenUp: 0 } : { delivered: 0, givenUp: 1 });
  });

  it('reaches no bus that is not there, and none that the role does not allow', async () => {
    await fixture.rule('gone', everything, [toBus(busArn(here, 'none'))]);
    await fixture.put({});
    await until(() => report().givenUp === 1);
    const narrow = await fixture.role('narrow', 'events:PutEvents', busArn(here, 'other'));
    await fixture.rule('gone', everything, [{ ...toBus(await makeBus(here, 'none')), RoleArn: narrow }]);
    await fixture.put({});
    await until(() => report().givenUp === 2);
    expect(report().delivered).toBe(0);
  });
});

describe('routing', () => {
  it('goes on with the rules in force: disabled and deleted ones get nothing more', async () => {
    await fixture.rule('mine', everything, [hook]);
    await fixture.put({});
    await until(() => report().delivered === 1);
    await fixture.rule('mine', everything, [hook], { state: 'DISABLED' });
    await fixture.put({});
    await fixture.bus.settle();
    await fixture.rule('mine', { source: ['nothing'] }, [hook]);
    await fixture.put({});
    await fixture.bus.settle();
    await fixture.rule('mine', everything, [hook]);
    await fixture.put({});
    await until(() => report().delivered === 2);
    expect(receiver.requests).toHaveLength(2);
  });

  it('does not route again, after a restart, what was routed before', async () => {
    await fixture.rule('mine', everything, [hook]);
    for (let count = 0; count < 3; count++) await fixture.put({});
    await until(() => report().delivered === 3);
    await fixture.restart();
    const id = await fixture.put({});
    await until(() => report().delivered === 1);
    expect(receiver.requests).toHaveLength(4);
    expect(JSON.parse(receiver.requests[3]!.body)).toMatchObject({ id });
  });

  it('does not go through what is older than the bus, where there never was a rule', async () => {
    // As in a data directory of a version without an event bus: the journal has entries, and the reader no cursor.
    await using fresh = await openDeliveryFixture();
    const { stream, busStream } = fresh.identity;
    expect(stream.end).toBeGreaterThan(0);
    expect(stream.cursorOf('bus')).toBe(stream.end);
    expect(busStream.end).toBe(0);
  });

  it('goes on for the other targets where one cannot be asked whether it may be reached', async () => {
    await fixture.identity.account(other);
    // As nothing but a fault of Cairn can leave it: a policy that was never checked.
    const broken = await makeBus({ account: other, region: here.region }, 'central', {
      Statement: 'nonsense',
    });
    await fixture.rule('mine', everything, [toBus(broken), hook]);
    await fixture.put({});
    await until(() => report().delivered === 1 && report().givenUp === 1);
    expect(receiver.requests).toHaveLength(1);
  });

  it('costs a broken event, and no more, where the journal holds one', async () => {
    await fixture.rule('mine', everything, [hook]);
    const head = JSON.stringify({ version: 1, bus: busArn(here, 'default') });
    await fixture.identity.stream.append([{ kind: 'event', payload: Buffer.from(`${head}\nno JSON`) }]);
    await fixture.identity.stream.append([{ kind: 'event', payload: Buffer.from('nothing') }]);
    const id = await fixture.put({});
    await until(() => report().delivered === 1);
    expect(JSON.parse(receiver.requests[0]!.body)).toMatchObject({ id });
  });
});
