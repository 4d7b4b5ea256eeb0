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

const arnOf = (path: string) => eventsArn(`rule/${path}`);
const EventPattern = '{"source":["shop"]}';
const RoleArn = `arn:aws:iam::${management}:role/r`;
const target = {
  Id: 't',
  Arn: eventsArn('event-bus/other'),
  RoleArn,
};

const conditional = (condition: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'events:PutRule', Resource: '*', Condition: condition }],
});
const sourceIs = (...sources: readonly string[]) => ({ StringEquals: { 'events:source': sources } });

/** Whether a user whose only policy allows PutRule under a condition may put a rule of that pattern. */
async function mayPut(condition: object, pattern: object): Promise<boolean> {
  const user = await bus.identity.user('conditional', conditional(condition));
  return bus.call('PutRule', { Name: 'r', EventPattern: JSON.stringify(pattern) }, user).then(
    () => true,
    (error: { code: string }) => {
      expect(error.code).toBe('AccessDenied');
      return false;
    },
  );
}

describe('rules ("PutRule", "DescribeRule", "DeleteRule")', () => {
  it('are put on the default bus or on another, and described as they were put', async () => {
    expect(await bus.call('PutRule', { Name: 'r', EventPattern })).toEqual({ RuleArn: arnOf('r') });
    expect(await bus.call('DescribeRule', { Name: 'r' })).toEqual({
      Name: 'r',
      Arn: arnOf('r'),
      EventPattern,
      State: 'ENABLED',
      EventBusName: 'default',
      CreatedBy: management,
    });
    await bus.call('CreateEventBus', { Name: 'orders' });
    const EventBusName = `arn:aws:events:${busRegion}:${management}:event-bus/orders`;
    const State = 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';
    const put = { Name: 'r', EventPattern, State, Description: 'd', RoleArn, EventBusName };
    expect(await bus.call('PutRule', put)).toEqual({ RuleArn: arnOf('orders/r') });
    expect(await bus.call('DescribeRule', { Name: 'r', EventBusName: 'orders' })).toEqual({
      ...put,
      Arn: arnOf('orders/r'),
      EventBusName: 'orders',
      CreatedBy: management,
    });
  });

  it('are replaced by the next PutRule of that name, but for their tags, creator and targets', async () => {
    const Tags = [{ Key: 'team', Value: 'a' }];
    await bus.call('PutRule', {
      Name: 'r',
      EventPattern,
      Description: 'd',
      State: 'DISABLED',
      Tags,
      RoleArn,
    });
    await bus.call('PutTargets', { Rule: 'r', Targets: [target] });
    const other = '{"source":["other"]}';
    await bus.call('PutRule', { Name: 'r', EventPattern: other, Tags: [{ Key: 'x', Value: 'y' }] });
    expect(await bus.call('DescribeRule', { Name: 'r' })).toEqual({
      Name: 'r',
      Arn: arnOf('r'),
      EventPattern: other,
      State: 'ENABLED',
      EventBusName: 'default',
      CreatedBy: management,
    });
    expect(await bus.call('ListTagsForResource', { ResourceARN: arnOf('r') })).toEqual({ Tags });
    expect((await bus.call('ListTargetsByRule', { Rule: 'r' })).Targets).toEqual([target]);
  });

  it('need a pattern that is one', async () => {
    expect(await faultOf(bus.call('PutRule', { Name: 'r' }))).toEqual({
      code: 'ValidationException',
      message: 'Parameter(s) EventPattern or ScheduleExpression must be specified.',
    });
    for (const pattern of [
      '{',
      '[]',
      '{}',
      '{"source":"shop"}',
      '{"source":[]}',
      '{"source":[{"near":"a"}]}',
    ]) {
      const fault = await faultOf(bus.call('PutRule', { Name: 'r', EventPattern: pattern }));
      expect(fault.code, pattern).toBe('InvalidEventPatternException');
      expect(fault.message).toMatch(/^Event pattern is not valid\. Reason: ./);
    }
    const long = JSON.stringify({ source: ['x'.repeat(4096)] });
    expect(await codeOf(bus.call('PutRule', { Name: 'r', EventPattern: long }))).toBe('ValidationException');
    expect(await bus.call('ListRules')).toEqual({ Rules: [] });
  });

  it('refuse schedules, and what cannot be a name, a state or a role', async () => {
    const put = (over: object) => faultOf(bus.call('PutRule', { Name: 'r', EventPattern, ...over }));
    expect(await put({ ScheduleExpression: 'rate(5 minutes)' })).toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('ScheduleExpression') as string,
    });
    for (const over of [
      { Name: 'a/b' },
      { Name: 'x'.repeat(65) },
      { State: 'ON' },
      { Description: 'x'.repeat(513) },
      { RoleArn: 'arn:aws:iam::000000000000:user/u' },
      { EventBusName: 'a b' },
      { Tags: [{ Key: 'aws:x', Value: '' }] },
    ]) {
      expect((await put(over)).code, JSON.stringify(over)).toBe('ValidationException');
    }
    // Consoles send an empty schedule with a rule that has none.
    await bus.call('PutRule', { Name: 'r', EventPattern, ScheduleExpression: '' });
  });

  it('stand on buses that exist', async () => {
    const EventBusName = 'none';
    const missing = { code: 'ResourceNotFoundException', message: 'Event bus none does not exist.' };
    const on = { EventBusName, Name: 'r' };
    expect(await faultOf(bus.call('PutRule', { ...on, EventPattern }))).toEqual(missing);
    for (const operation of ['DescribeRule', 'DeleteRule', 'EnableRule', 'DisableRule']) {
      expect(await faultOf(bus.call(operation, on)), operation).toEqual(missing);
    }
    expect(await faultOf(bus.call('ListRules', { EventBusName }))).toEqual(missing);
    for (const operation of ['DescribeRule', 'EnableRule', 'DisableRule']) {
      expect(await faultOf(bus.call(operation, { Name: 'r' }))).toEqual({
        code: 'ResourceNotFoundException',
        message: 'Rule r does not exist on EventBus default.',
      });
    }
  });

  it('are deleted once they have no targets, however often', async () => {
    await bus.rule('r', {}, [target]);
    for (const Force of [false, true]) {
      expect(await faultOf(bus.call('DeleteRule', { Name: 'r', Force }))).toEqual({
        code: 'ValidationException',
        message: "Rule can't be deleted since it has targets.",
      });
    }
    await bus.call('RemoveTargets', { Rule: 'r', Ids: ['t'] });
    for (let times = 0; times < 2; times++) expect(await bus.call('DeleteRule', { Name: 'r' })).toEqual({});
    expect(await codeOf(bus.call('DescribeRule', { Name: 'r' }))).toBe('ResourceNotFoundException');
  });

  it('are at most 300 on a bus', async () => {
    for (let made = 0; made < 300; made++) await bus.rule(`r-${made}`);
    expect(await codeOf(bus.call('PutRule', { Name: 'more', EventPattern }))).toBe('LimitExceededException');
    await bus.call('PutRule', { Name: 'r-7', EventPattern, Description: 'one that is there' });
    await bus.call('CreateEventBus', { Name: 'orders' });
    await bus.rule('more', { EventBusName: 'orders' });
  });

  it('are enabled and disabled', async () => {
    await bus.rule('r');
    const state = async () => (await bus.call('DescribeRule', { Name: 'r' })).State as string;
    await bus.call('DisableRule', { Name: 'r' });
    expect(await state()).toBe('DISABLED');
    await bus.call('EnableRule', { Name: 'r' });
    expect(await state()).toBe('ENABLED');
  });
});

describe('ListRules', () => {
  it('goes by bus, prefix and page', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    for (const Name of ['b', 'a-2', 'a-1']) await bus.rule(Name);
    await bus.rule('of-orders', { EventBusName: 'orders' });
    const names = async (input: object) =>
      (await bus.call('ListRules', input)).Rules.map(({ Name }: { Name: string }) => Name) as string[];
    expect(await names({})).toEqual(['a-1', 'a-2', 'b']);
    expect(await names({ NamePrefix: 'a-' })).toEqual(['a-1', 'a-2']);
    expect(await names({ EventBusName: 'orders' })).toEqual(['of-orders']);
    const first = await bus.call('ListRules', { Limit: 2 });
    expect(first.Rules).toHaveLength(2);
    // A page stays right while others come and go.
    await bus.call('DeleteRule', { Name: 'a-2' });
    await bus.rule('a-3');
    const second = await bus.call('ListRules', { Limit: 2, NextToken: first.NextToken });
    expect(second.Rules.map(({ Name }: { Name: string }) => Name)).toEqual(['a-3', 'b']);
    expect(second).not.toHaveProperty('NextToken');
    const { CreatedBy: _, ...described } = await bus.call('DescribeRule', { Name: 'b' });
    expect(second.Rules[1]).toEqual(described);
  });

  it('has a hundred on a page where nothing else is asked for', async () => {
    for (let made = 0; made < 101; made++) await bus.rule(`r-${made}`);
    const page = await bus.call('ListRules');
    expect(page.Rules).toHaveLength(100);
    expect((await bus.call('ListRules', { NextToken: page.NextToken })).Rules).toHaveLength(1);
  });
});

describe('who may put rules ("Using IAM policy conditions in Amazon EventBridge")', () => {
  // The tables of that page, row by row, and what follows from them for filters and alternatives.
  const instance = 'EC2 Instance State-change Notification';
  const both = {
    StringEquals: { 'events:source': 'aws.ec2', 'events:detail-type': instance },
  };
  const listed = {
    'ForAllValues:StringEquals': { 'events:source': ['aws.ec2', 'aws.s3'] },
    Null: { 'events:source': 'false' },
  };
  const principal = {
    StringEquals: {
      'events:detail-type': ['AWS API Call via CloudTrail'],
      'events:detail.userIdentity.principalId': ['AIDAJ45Q7YFFAREXAMPLE'],
    },
  };
  const called = { 'detail-type': ['AWS API Call via CloudTrail'] };
  const by = (id: string) => ({ ...called, detail: { userIdentity: { principalId: [id] } } });
  it.each<[boolean, object, object]>([
    [true, sourceIs('aws.ec2'), { source: ['aws.ec2'] }],
    [false, sourceIs('aws.ec2'), { source: ['aws.ec2', 'aws.s3'] }],
    [true, sourceIs('aws.ec2'), { source: ['aws.ec2'], 'detail-type': [instance] }],
    [false, sourceIs('aws.ec2'), { 'detail-type': [instance] }],
    [true, sourceIs('aws.ec2', 'aws.ecs'), { source: ['aws.ecs'] }],
    [false, sourceIs('aws.ec2', 'aws.ecs'), { source: ['aws.s3'] }],
    [false, both, { source: ['aws.ec2'] }],
    [true, both, { source: ['aws.ec2'], 'detail-type': [instance] }],
    [false, both, { source: ['aws.ec2'], 'detail-type': ['EC2 Instance Health Failed'] }],
    [true, { Null: { 'events:source': 'false' } }, { source: ['aws.ecs', 'aws.ec2'] }],
    [false, { Null: { 'events:source': 'false' } }, { 'detail-type': [instance] }],
    [true, listed, { source: ['aws.ec2', 'aws.s3'] }],
    [false, listed, { source: ['aws.ec2', 'aws.autoscaling'] }],
    [false, listed, { 'detail-type': [instance] }],
    [false, principal, called],
    [true, principal, by('AIDAJ45Q7YFFAREXAMPLE')],
    [false, principal, by('AROAIDPPEZS35WEXAMPLE:AssumedRoleSessionName')],
    [true, { StringEquals: { 'events:detail.service': 'ABUSE' } }, { detail: { service: ['ABUSE'] } }],
    [false, { StringEquals: { 'events:detail.service': 'ABUSE' } }, { detail: { eventTypeCode: ['X'] } }],
    [true, { StringEquals: { 'events:detail.eventTypeCode': 'X' } }, { detail: { eventTypeCode: ['X'] } }],
    [false, sourceIs('aws.ec2'), { source: [{ prefix: 'aws.' }] }],
    [false, listed, { source: ['aws.ec2', { prefix: 'aws.auto' }] }],
    [false, sourceIs('aws.ec2'), { $or: [{ source: ['aws.ec2'] }, { 'detail-type': ['any'] }] }],
    [false, sourceIs('aws.ec2'), { $or: [{ source: ['aws.ec2'] }, { source: ['aws.s3'] }] }],
    [true, sourceIs('aws.ec2'), { $or: [{ source: ['aws.ec2'], id: ['1'] }, { source: ['aws.ec2'] }] }],
    [
      false,
      sourceIs('aws.ec2'),
      { source: ['aws.ec2'], $or: [{ source: ['aws.s3'] }, { source: ['aws.s3'], id: ['1'] }] },
    ],
    [
      false,
      { StringEquals: { 'events:detail.service': 'ABUSE' } },
      { detail: { service: ['ABUSE'] }, 'detail.service': ['RISK'] },
    ],
    [true, { StringLike: { 'events:source': '*' } }, { source: [{ prefix: 'aws.' }] }],
    [false, { StringLike: { 'events:source': 'aws.*' } }, { source: [{ prefix: 'aws' }] }],
    [false, sourceIs('aws.ec2'), { source: ['aws.ec2', { exists: false }] }],
    [false, { StringEqualsIfExists: { 'events:source': 'aws.ec2' } }, { source: [{ exists: true }] }],
    [true, { StringEqualsIfExists: { 'events:source': 'aws.ec2' } }, { id: ['1'] }],
  ])('%s: %j lets put %j', async (expected, condition, pattern) => {
    expect(await mayPut(condition, pattern)).toBe(expected);
  });

  it('knows the account that a rule was made in, and no such key before', async () => {
    const own = await bus.identity.user('own', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['events:PutRule', 'events:DescribeRule', 'events:DeleteRule'],
          Resource: '*',
          Condition: { StringEqualsIfExists: { 'events:creatorAccount': '${aws:PrincipalAccount}' } },
        },
      ],
    });
    await bus.call('PutRule', { Name: 'r', EventPattern }, own);
    await bus.call('PutRule', { Name: 'r', EventPattern }, own);
    const creator = { StringEquals: { 'events:creatorAccount': '111111111111' } };
    const other = await bus.identity.user('other', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'events:*', Resource: '*', Condition: creator }],
    });
    expect(await codeOf(bus.call('DescribeRule', { Name: 'r' }, other))).toBe('AccessDenied');
  });

  it('asks for TagResource with tags of a rule, and for PassRole with its role', async () => {
    const user = await bus.identity.user('u', allow('events:PutRule'));
    const withTags = bus.call('PutRule', { Name: 'r', EventPattern, Tags: [{ Key: 'a', Value: 'b' }] }, user);
    expect((await faultOf(withTags)).message).toContain(`events:TagResource on resource: ${arnOf('r')}`);
    const withRole = bus.call('PutRule', { Name: 'r', EventPattern, RoleArn }, user);
    expect((await faultOf(withRole)).message).toContain(`iam:PassRole on resource: ${RoleArn}`);
    const passer = await bus.identity.user('passer', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'events:PutRule', Resource: arnOf('r') },
        {
          Effect: 'Allow',
          Action: 'iam:PassRole',
          Resource: RoleArn,
          Condition: {
            StringEquals: { 'iam:PassedToService': 'events.amazonaws.com' },
            ArnEquals: { 'iam:AssociatedResourceArn': arnOf('r') },
          },
        },
      ],
    });
    await bus.call('PutRule', { Name: 'r', EventPattern, RoleArn }, passer);
    expect(await codeOf(bus.call('PutRule', { Name: 's', EventPattern }, passer))).toBe('AccessDenied');
  });

  it('knows the tags of rules', async () => {
    await bus.rule('r', { Tags: [{ Key: 'team', Value: 'a' }] });
    const user = await bus.identity.user('u', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'events:DisableRule',
          Resource: '*',
          Condition: { StringEquals: { 'aws:ResourceTag/team': 'a' } },
        },
      ],
    });
    await bus.call('DisableRule', { Name: 'r' }, user);
    await bus.rule('s');
    expect(await codeOf(bus.call('DisableRule', { Name: 's' }, user))).toBe('AccessDenied');
    const denied = await bus.identity.user('d', deny('events:*'));
    for (const operation of ['DescribeRule', 'EnableRule', 'DisableRule', 'DeleteRule']) {
      expect(await codeOf(bus.call(operation, { Name: 'r' }, denied)), operation).toBe('AccessDenied');
    }
    expect(await codeOf(bus.call('ListRules', {}, denied))).toBe('AccessDenied');
  });
});
