import { describe, expect, it } from 'vitest';
import { accountId, region } from '../../kernel/index.ts';
import {
  busRegion,
  codeOf,
  eventsArn,
  openBusForEachTest,
  type BusFixture,
} from '../../../test/bus-fixture.ts';
import { allow, faultOf, management } from '../../../test/identity-fixture.ts';

let bus: BusFixture;
openBusForEachTest((opened) => {
  bus = opened;
});

const arnOf = (name: string) => eventsArn(`event-bus/${name}`);
const names = (answer: { EventBuses: readonly { Name: string }[] }) =>
  answer.EventBuses.map(({ Name }) => Name);

describe('event buses ("CreateEventBus", "DescribeEventBus", "UpdateEventBus", "DeleteEventBus")', () => {
  it('are made, described, changed and deleted', async () => {
    const made = await bus.call('CreateEventBus', { Name: 'orders', Description: 'of the shop' });
    expect(made).toEqual({ EventBusArn: arnOf('orders'), Description: 'of the shop' });
    const madeAt = new Date(bus.identity.clock.now());
    const shown = {
      Name: 'orders',
      Arn: arnOf('orders'),
      Description: 'of the shop',
      CreationTime: madeAt,
      LastModifiedTime: madeAt,
    };
    expect(await bus.call('DescribeEventBus', { Name: 'orders' })).toEqual(shown);
    expect(await bus.call('DescribeEventBus', { Name: arnOf('orders') })).toEqual(shown);

    await bus.identity.clock.advance(60_000);
    const updated = await bus.call('UpdateEventBus', { Name: 'orders', Description: 'other' });
    expect(updated).toEqual({ Arn: arnOf('orders'), Name: 'orders', Description: 'other' });
    expect(await bus.call('UpdateEventBus', { Name: 'orders' })).toHaveProperty('Description', 'other');
    expect(await bus.call('DescribeEventBus', { Name: 'orders' })).toMatchObject({
      CreationTime: madeAt,
      LastModifiedTime: new Date(bus.identity.clock.now()),
    });
    expect(await bus.call('UpdateEventBus', { Name: 'orders', Description: '' })).not.toHaveProperty(
      'Description',
    );

    await bus.call('DeleteEventBus', { Name: 'orders' });
    expect(await faultOf(bus.call('DescribeEventBus', { Name: 'orders' }))).toEqual({
      code: 'ResourceNotFoundException',
      message: 'Event bus orders does not exist.',
    });
    // DeleteEventBus has no ResourceNotFoundException.
    expect(await bus.call('DeleteEventBus', { Name: 'orders' })).toEqual({});
    expect(await codeOf(bus.call('UpdateEventBus', { Name: 'orders' }))).toBe('ResourceNotFoundException');
  });

  it('have a default one in every account and region that nobody made, and nobody can delete or make', async () => {
    for (const where of [busRegion, region('us-west-2')]) {
      expect(await bus.call('DescribeEventBus', {}, undefined, where)).toEqual({
        Name: 'default',
        Arn: `arn:aws:events:${where}:${management}:event-bus/default`,
      });
    }
    const stranger = await bus.identity.account(accountId('111111111111'));
    expect(names(await bus.call('ListEventBuses', {}, stranger))).toEqual(['default']);
    expect(await faultOf(bus.call('DeleteEventBus', { Name: 'default' }))).toEqual({
      code: 'ValidationException',
      message: 'Cannot delete event bus default.',
    });
    expect(await faultOf(bus.call('CreateEventBus', { Name: 'default' }))).toEqual({
      code: 'ResourceAlreadyExistsException',
      message: 'Event bus default already exists.',
    });
    await bus.call('UpdateEventBus', { Description: 'ours' });
    expect(await bus.call('DescribeEventBus')).toMatchObject({ Name: 'default', Description: 'ours' });
    expect(names(await bus.call('ListEventBuses'))).toEqual(['default']);
  });

  it('stand once under a name, in one region', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    expect(await faultOf(bus.call('CreateEventBus', { Name: 'orders' }))).toEqual({
      code: 'ResourceAlreadyExistsException',
      message: 'Event bus orders already exists.',
    });
    const elsewhere = region('us-west-2');
    expect(await codeOf(bus.call('DescribeEventBus', { Name: 'orders' }, undefined, elsewhere))).toBe(
      'ResourceNotFoundException',
    );
    // An ARN reaches other regions.
    const far = await bus.call('DescribeEventBus', { Name: arnOf('orders') }, undefined, elsewhere);
    expect(far.Arn).toBe(arnOf('orders'));
    await bus.call('CreateEventBus', { Name: 'orders' }, undefined, elsewhere);
  });

  it('cannot be deleted while they have rules', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    await bus.rule('r', { EventBusName: 'orders' });
    expect(await codeOf(bus.call('DeleteEventBus', { Name: 'orders' }))).toBe('ValidationException');
    await bus.call('DeleteRule', { Name: 'r', EventBusName: 'orders' });
    await bus.call('DeleteEventBus', { Name: 'orders' });
  });

  it('refuse what is not built, and names that they cannot have', async () => {
    const refusals: readonly (readonly [string, object])[] = [
      ['EventSourceName', { EventSourceName: 'aws.partner/example.com/x' }],
      ['KmsKeyIdentifier', { KmsKeyIdentifier: 'alias/key' }],
      ['DeadLetterConfig', { DeadLetterConfig: { Arn: `arn:aws:sqs:${busRegion}:${management}:dead` } }],
      ['LogConfig', { LogConfig: { Level: 'INFO' } }],
    ];
    for (const [member, over] of refusals) {
      const fault = await faultOf(bus.call('CreateEventBus', { Name: 'orders', ...over }));
      expect(fault.code).toBe('ValidationException');
      expect(fault.message).toContain(member);
    }
    await bus.call('CreateEventBus', { Name: 'orders' });
    for (const [member, over] of refusals.slice(1)) {
      const fault = await faultOf(bus.call('UpdateEventBus', { Name: 'orders', ...over }));
      expect(fault.message).toContain(member);
    }
    // An empty key is the way to ask for none ("UpdateEventBus").
    await bus.call('UpdateEventBus', { Name: 'orders', KmsKeyIdentifier: '' });
    expect(await faultOf(bus.call('CreateEventBus', { Name: 'a/b' }))).toEqual({
      code: 'ValidationException',
      message: "Event bus name must not contain '/'.",
    });
    for (const Name of ['', 'ä', 'a b', 'x'.repeat(257)]) {
      expect(await codeOf(bus.call('CreateEventBus', { Name }))).toBe('ValidationException');
    }
  });

  it('are at most 100 beside the default one', async () => {
    for (let made = 0; made < 100; made++) await bus.call('CreateEventBus', { Name: `bus-${made}` });
    expect(await codeOf(bus.call('CreateEventBus', { Name: 'one-more' }))).toBe('LimitExceededException');
    await bus.call('CreateEventBus', { Name: 'one-more' }, undefined, region('us-west-2'));
    await bus.call('UpdateEventBus', { Description: 'the default one is changed' });
    await bus.call('DeleteEventBus', { Name: 'bus-7' });
    await bus.call('CreateEventBus', { Name: 'one-more' });
  });
});

describe('ListEventBuses', () => {
  it('goes by pages and prefixes, with the default one in its place', async () => {
    for (const Name of ['zoo', 'b-1', 'b-2', 'aardvark']) await bus.call('CreateEventBus', { Name });
    expect(names(await bus.call('ListEventBuses'))).toEqual(['aardvark', 'b-1', 'b-2', 'default', 'zoo']);
    expect(names(await bus.call('ListEventBuses', { NamePrefix: 'b-' }))).toEqual(['b-1', 'b-2']);
    expect(await bus.call('ListEventBuses', { NamePrefix: 'none' })).toEqual({ EventBuses: [] });
    const pages: string[][] = [];
    let NextToken: string | undefined;
    do {
      const page = await bus.call('ListEventBuses', {
        Limit: 2,
        ...(NextToken !== undefined && { NextToken }),
      });
      pages.push(names(page));
      ({ NextToken } = page);
    } while (NextToken !== undefined);
    expect(pages).toEqual([['aardvark', 'b-1'], ['b-2', 'default'], ['zoo']]);
    expect(await codeOf(bus.call('ListEventBuses', { NextToken: '%' }))).toBe('InvalidToken');
    expect(await codeOf(bus.call('ListEventBuses', { Limit: 101 }))).toBe('ValidationException');
    expect(await codeOf(bus.call('ListEventBuses', { Limit: 0 }))).toBe('ValidationException');
  });

  it('shows what DescribeEventBus shows', async () => {
    await bus.call('CreateEventBus', { Name: 'orders', Description: 'd' });
    await bus.call('PutPermission', {
      EventBusName: 'orders', Action: 'events:PutEvents', Principal: '111111111111', StatementId: 's',
    }); // prettier-ignore
    const { EventBuses } = await bus.call('ListEventBuses', { NamePrefix: 'orders' });
    expect(EventBuses).toEqual([await bus.call('DescribeEventBus', { Name: 'orders' })]);
  });
});

it('buses are for whom IAM policies let, each on its own ARN', async () => {
  const user = await bus.identity.user('u', allow('events:*EventBus', arnOf('mine')));
  await bus.call('CreateEventBus', { Name: 'mine' }, user);
  await bus.call('DescribeEventBus', { Name: 'mine' }, user);
  expect(await faultOf(bus.call('CreateEventBus', { Name: 'other' }, user))).toMatchObject({
    code: 'AccessDenied',
    message: expect.stringContaining(`events:CreateEventBus on resource: ${arnOf('other')}`) as string,
  });
  // Tags that are set with a new bus need TagResource as well.
  const Tags = [{ Key: 'team', Value: 'a' }];
  const tagged = bus.call('CreateEventBus', { Name: 'mine', Tags }, user);
  expect((await faultOf(tagged)).message).toContain('events:TagResource');
});
