import { describe, expect, it } from 'vitest';
import { accountId } from '../../kernel/index.ts';
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

const RoleArn = `arn:aws:iam::${management}:role/r`;
const busArn = (name: string) => eventsArn(`event-bus/${name}`);
const target = (Id: string, over: object = {}) => ({ Id, Arn: busArn('other'), RoleArn, ...over });
const put = (Targets: readonly object[], over: object = {}) =>
  bus.call('PutTargets', { Rule: 'r', Targets, ...over });
const ids = async (input: object = {}) =>
  (await bus.call('ListTargetsByRule', { Rule: 'r', ...input })).Targets.map(
    ({ Id }: { Id: string }) => Id,
  ) as string[];
const allTaken = { FailedEntryCount: 0, FailedEntries: [] };

describe('targets ("PutTargets", "RemoveTargets", "ListTargetsByRule")', () => {
  it('are put, replaced, listed and removed', async () => {
    await bus.rule('r');
    const retry = { RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 } };
    expect(await put([target('b', retry), target('a')])).toEqual(allTaken);
    expect(await bus.call('ListTargetsByRule', { Rule: 'r' })).toEqual({
      Targets: [target('a'), target('b', retry)],
    });
    await put([target('b', { Arn: busArn('third') })]);
    expect(await bus.call('ListTargetsByRule', { Rule: 'r' })).toEqual({
      Targets: [target('a'), target('b', { Arn: busArn('third') })],
    });
    const Ids = ['a', 'b'];
    expect(await bus.call('RemoveTargets', { Rule: 'r', Ids, Force: true })).toEqual(allTaken);
    expect(await bus.call('ListTargetsByRule', { Rule: 'r' })).toEqual({ Targets: [] });
    expect(await bus.call('RemoveTargets', { Rule: 'r', Ids })).toEqual(allTaken);
  });

  it('are of their own rule and bus', async () => {
    await bus.call('CreateEventBus', { Name: 'orders' });
    await bus.rule('r');
    await bus.rule('r', { EventBusName: 'orders' });
    await bus.rule('r-2');
    await put([target('a')]);
    await put([target('b')], { EventBusName: busArn('orders') });
    await put([target('c')], { Rule: 'r-2' });
    expect(await ids()).toEqual(['a']);
    expect(await ids({ EventBusName: 'orders' })).toEqual(['b']);
    await bus.call('RemoveTargets', { Rule: 'r', Ids: ['a', 'b', 'c'] });
    expect(await ids({ EventBusName: 'orders' })).toEqual(['b']);
    expect(await ids({ Rule: 'r-2' })).toEqual(['c']);
  });

  it('are at most five of a rule, and come all or none', async () => {
    await bus.rule('r');
    await put(['a', 'b', 'c', 'd'].map((id) => target(id)));
    const over = await faultOf(put([target('e'), target('f')]));
    expect(over.code).toBe('LimitExceededException');
    expect(over.message).toContain('The requested resource exceeds the maximum number allowed.');
    expect(await ids()).toHaveLength(4);
    await put([target('a'), target('e')]);
    expect(await ids()).toHaveLength(5);
    const eleven = Array.from({ length: 11 }, (_, at) => target(`t-${at}`));
    expect(await codeOf(put(eleven))).toBe('LimitExceededException');
  });

  it('stand on rules that exist', async () => {
    const missing = {
      code: 'ResourceNotFoundException',
      message: 'Rule r does not exist on EventBus default.',
    };
    for (const [operation, input] of [
      ['PutTargets', { Targets: [target('a')] }],
      ['RemoveTargets', { Ids: ['a'] }],
      ['ListTargetsByRule', {}],
    ] as const) {
      expect(await faultOf(bus.call(operation, { Rule: 'r', ...input })), operation).toEqual(missing);
      const EventBusName = 'none';
      expect(await faultOf(bus.call(operation, { Rule: 'r', EventBusName, ...input })), operation).toEqual({
        code: 'ResourceNotFoundException',
        message: 'Event bus none does not exist.',
      });
    }
  });

  it('are refused where they could not be invoked', async () => {
    await bus.rule('r');
    const queue = `arn:aws:sqs:${busRegion}:${management}:q`;
    const refused: readonly (readonly [object, RegExp])[] = [
      [target('a', { Arn: queue }), /sqs/],
      [target('a', { Arn: 'nothing' }), /nothing/],
      [target('a', { RoleArn: undefined }), /RoleArn is required/],
      [target('a', { RoleArn: 'arn:aws:iam::000000000000:user/u' }), /RoleArn/],
      [target('a', { DeadLetterConfig: { Arn: queue } }), /DeadLetterConfig/],
      [target('a', { Input: '{' }), /input/i],
      [target('a', { Id: 'a b' }), /id/],
      [target('a', { Id: 'x'.repeat(65) }), /id/],
      [target('a', { RetryPolicy: { MaximumRetryAttempts: 186 } }), /maximumRetryAttempts/],
      [target('a', { RetryPolicy: { MaximumEventAgeInSeconds: 59 } }), /maximumEventAgeInSeconds/],
    ];
    for (const [one, message] of refused) {
      const fault = await faultOf(put([target('fine'), one]));
      expect(fault.code, JSON.stringify(one)).toBe('ValidationException');
      expect(fault.message).toMatch(message);
    }
    expect(await codeOf(put([target('a'), target('a')]))).toBe('ValidationException');
    expect(await ids()).toEqual([]);
  });

  it('are listed in pages', async () => {
    await bus.rule(
      'r',
      {},
      ['a', 'b', 'c', 'd', 'e'].map((id) => target(id)),
    );
    const first = await bus.call('ListTargetsByRule', { Rule: 'r', Limit: 3 });
    expect(first.Targets.map(({ Id }: { Id: string }) => Id)).toEqual(['a', 'b', 'c']);
    const second = await bus.call('ListTargetsByRule', { Rule: 'r', Limit: 3, NextToken: first.NextToken });
    expect(second).toEqual({ Targets: [target('d'), target('e')] });
  });
});

it('ListRuleNamesByTarget names each rule of a bus once', async () => {
  await bus.call('CreateEventBus', { Name: 'orders' });
  for (const name of ['c', 'a', 'b']) await bus.rule(name, {}, [target('1'), target('2')]);
  await bus.rule('without', {}, [target('1', { Arn: busArn('third') })]);
  await bus.rule('elsewhere', { EventBusName: 'orders' }, [target('1')]);
  const TargetArn = busArn('other');
  expect(await bus.call('ListRuleNamesByTarget', { TargetArn })).toEqual({ RuleNames: ['a', 'b', 'c'] });
  expect(await bus.call('ListRuleNamesByTarget', { TargetArn, EventBusName: 'orders' })).toEqual({
    RuleNames: ['elsewhere'],
  });
  const { RuleNames, NextToken } = await bus.call('ListRuleNamesByTarget', { TargetArn, Limit: 2 });
  expect(RuleNames).toEqual(['a', 'b']);
  expect(await bus.call('ListRuleNamesByTarget', { TargetArn, Limit: 2, NextToken })).toEqual({
    RuleNames: ['c'],
  });
  expect(await bus.call('ListRuleNamesByTarget', { TargetArn: 'arn:none' })).toEqual({ RuleNames: [] });
  expect(await codeOf(bus.call('ListRuleNamesByTarget', { TargetArn, EventBusName: 'none' }))).toBe(
    'ResourceNotFoundException',
  );
});

it('who may put targets: by rule, by what they are, and with roles that they may pass', async () => {
  await bus.rule('r');
  const onRule = `arn:aws:events:${busRegion}:${management}:rule/r`;
  const user = await bus.identity.user('u', {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'events:PutTargets',
        Resource: onRule,
        Condition: { ArnLike: { 'events:TargetArn': busArn('o*') } },
      },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: RoleArn },
    ],
  });
  const as = (...Targets: readonly object[]) => bus.call('PutTargets', { Rule: 'r', Targets }, user);
  await as(target('a'), target('b'));
  expect(await codeOf(as(target('c', { Arn: busArn('third') })))).toBe('AccessDenied');
  expect(await codeOf(as(target('c'), target('d', { Arn: busArn('third') })))).toBe('AccessDenied');
  const otherRole = as(target('c', { RoleArn: `${RoleArn}2` }));
  expect((await faultOf(otherRole)).message).toContain(`iam:PassRole on resource: ${RoleArn}2`);
  await bus.rule('s');
  expect(await codeOf(bus.call('PutTargets', { Rule: 's', Targets: [target('a')] }, user))).toBe(
    'AccessDenied',
  );
  const lister = await bus.identity.user(
    'l',
    allow(['events:ListTargetsByRule', 'events:RemoveTargets'], onRule),
  );
  await bus.call('ListTargetsByRule', { Rule: 'r' }, lister);
  await bus.call('RemoveTargets', { Rule: 'r', Ids: ['a'] }, lister);
  expect(await codeOf(bus.call('ListTargetsByRule', { Rule: 's' }, lister))).toBe('AccessDenied');
  expect(await codeOf(bus.call('ListRuleNamesByTarget', { TargetArn: busArn('other') }, lister))).toBe(
    'AccessDenied',
  );
});

it('PutTargets hands on no role of another account, whoever asks', async () => {
  const other = accountId('111111111111');
  await bus.identity.account(other);
  await bus.rule('r');
  const user = await bus.identity.user('u', allow(['events:PutTargets', 'iam:PassRole']));
  const foreign = target('a', { RoleArn: `arn:aws:iam::${other}:role/r` });
  for (const caller of [user, bus.identity.root]) {
    const fault = await faultOf(bus.call('PutTargets', { Rule: 'r', Targets: [foreign] }, caller));
    expect(fault).toMatchObject({ code: 'AccessDenied' });
    expect(fault.message).toContain('iam:PassRole');
  }
  const rule = { Name: 's', EventPattern: '{"source":["shop"]}', RoleArn: foreign.RoleArn };
  expect(await codeOf(bus.call('PutRule', rule))).toBe('AccessDenied');
  await bus.call('PutTargets', { Rule: 'r', Targets: [target('a')] }, user);
});
