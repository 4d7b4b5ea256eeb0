import { describe, expect, it } from 'vitest';
import { accountId } from '../../kernel/index.ts';
import { codeOf, eventsArn, openBusForEachTest, type BusFixture } from '../../../test/bus-fixture.ts';

let bus: BusFixture;
openBusForEachTest(async (opened) => {
  bus = opened;
  await bus.call('CreateEventBus', { Name: 'orders', Tags: [{ Key: 'team', Value: 'a' }] });
  await bus.rule('r', { EventBusName: 'orders' });
  await bus.rule('r');
});

const tagsOf = async (ResourceARN: string): Promise<unknown> =>
  (await bus.call('ListTagsForResource', { ResourceARN })).Tags;

/** What the three answer. */
const codesOf = (ResourceARN: string) =>
  Promise.all([
    codeOf(bus.call('TagResource', { ResourceARN, Tags: [{ Key: 'a', Value: 'b' }] })),
    codeOf(bus.call('UntagResource', { ResourceARN, TagKeys: ['a'] })),
    codeOf(bus.call('ListTagsForResource', { ResourceARN })),
  ]);

describe('tags ("TagResource", "UntagResource", "ListTagsForResource")', () => {
  it.each(['event-bus/orders', 'event-bus/default', 'rule/orders/r', 'rule/r'])(
    'are put on, replaced and taken from %s',
    async (resource) => {
      const ResourceARN = eventsArn(resource);
      const before = resource === 'event-bus/orders' ? [{ Key: 'team', Value: 'a' }] : [];
      expect(await tagsOf(ResourceARN)).toEqual(before);
      const Tags = [
        { Key: 'team', Value: 'b' },
        { Key: 'empty', Value: '' },
      ];
      expect(await bus.call('TagResource', { ResourceARN, Tags })).toEqual({});
      expect(await tagsOf(ResourceARN)).toEqual(Tags);
      expect(await bus.call('UntagResource', { ResourceARN, TagKeys: ['team', 'none'] })).toEqual({});
      expect(await tagsOf(ResourceARN)).toEqual([{ Key: 'empty', Value: '' }]);
      for (const other of ['event-bus/orders', 'rule/orders/r', 'rule/r'].filter((one) => one !== resource)) {
        expect(await tagsOf(eventsArn(other))).not.toContainEqual({ Key: 'empty', Value: '' });
      }
    },
  );

  it('leave the rest of a rule as it is', async () => {
    const ResourceARN = eventsArn('rule/r');
    const before = await bus.call('DescribeRule', { Name: 'r' });
    await bus.call('TagResource', { ResourceARN, Tags: [{ Key: 'a', Value: 'b' }] });
    expect(await bus.call('DescribeRule', { Name: 'r' })).toEqual(before);
  });

  it('are only on what exists', async () => {
    for (const resource of ['event-bus/none', 'rule/none', 'rule/orders/none', 'rule/none/r']) {
      expect(new Set(await codesOf(eventsArn(resource))), resource).toEqual(
        new Set(['ResourceNotFoundException']),
      );
    }
    for (const arn of [
      eventsArn('archive/a'),
      eventsArn('rule/a/b/c'),
      eventsArn('event-bus/a/b'),
      eventsArn('rule/a\0b'),
      eventsArn('rule/\ud800'),
      eventsArn('rule/r').replace(':eu-central-1:', '::'),
      eventsArn('rule/r').replace('arn:aws:', 'arn:aws-cn:'),
      'orders',
      'arn:aws:s3:::b',
    ]) {
      expect(new Set(await codesOf(arn)), arn).toEqual(new Set(['ValidationException']));
    }
  });

  it('are at most 50, each key once, none of AWS’s own', async () => {
    const ResourceARN = eventsArn('rule/r');
    const tag = (Tags: readonly object[]) => bus.call('TagResource', { ResourceARN, Tags });
    const many = Array.from({ length: 50 }, (_, at) => ({ Key: `k-${at}`, Value: 'v' }));
    await tag(many);
    expect(await codeOf(tag([{ Key: 'more', Value: 'v' }]))).toBe('LimitExceededException');
    await tag([{ Key: 'k-7', Value: 'other' }]);
    const twice = { Key: 'k-7', Value: 'v' };
    for (const Tags of [
      [twice, twice],
      [{ Key: 'AWS:x', Value: 'v' }],
      [{ Key: '', Value: 'v' }],
      [{ Key: 'x'.repeat(129), Value: 'v' }],
      [{ Key: 'x', Value: 'x'.repeat(257) }],
    ]) {
      expect(await codeOf(tag(Tags)), JSON.stringify(Tags).slice(0, 40)).toBe('ValidationException');
    }
  });

  it('are for whom policies let', async () => {
    const stranger = await bus.identity.account(accountId('111111111111'));
    const ResourceARN = eventsArn('event-bus/orders');
    const Tags = [{ Key: 'team', Value: 'x' }];
    expect(await codeOf(bus.call('TagResource', { ResourceARN, Tags }, stranger))).toBe('AccessDenied');
    expect(await codeOf(bus.call('ListTagsForResource', { ResourceARN }, stranger))).toBe('AccessDenied');
    const user = await bus.identity.user('u', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['events:TagResource', 'events:UntagResource'],
          Resource: ResourceARN,
          Condition: {
            StringEquals: { 'aws:ResourceTag/team': 'a' },
            'ForAllValues:StringEquals': { 'aws:TagKeys': ['cost'] },
          },
        },
      ],
    });
    await bus.call('TagResource', { ResourceARN, Tags: [{ Key: 'cost', Value: '1' }] }, user);
    expect(await codeOf(bus.call('TagResource', { ResourceARN, Tags }, user))).toBe('AccessDenied');
    expect(await codeOf(bus.call('UntagResource', { ResourceARN, TagKeys: ['team'] }, user))).toBe(
      'AccessDenied',
    );
    await bus.call('UntagResource', { ResourceARN, TagKeys: ['cost'] }, user);
  });
});
