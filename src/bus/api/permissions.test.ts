import { describe, expect, it } from 'vitest';
import { accountId, region } from '../../kernel/index.ts';
import { codeOf, eventsArn, openBusForEachTest, type BusFixture } from '../../../test/bus-fixture.ts';
import { allow, faultOf, management, type Caller } from '../../../test/identity-fixture.ts';

const other = '111111111111';
let bus: BusFixture;
let stranger: Caller;
openBusForEachTest(async (opened) => {
  bus = opened;
  stranger = await bus.identity.account(accountId(other));
  await bus.call('CreateEventBus', { Name: 'orders' });
});

const busArn = (name: string) => eventsArn(`event-bus/${name}`);
const orders = busArn('orders');
const ruleArn = (path: string) => eventsArn(`rule/${path}`);
const document = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const policyOf = async (Name: string): Promise<unknown> => {
  const { Policy } = await bus.call('DescribeEventBus', { Name });
  return Policy === undefined ? undefined : JSON.parse(Policy as string);
};
const put = (input: object, caller?: Caller) =>
  bus.call('PutPermission', { EventBusName: 'orders', ...input }, caller);
const grant = { Action: 'events:PutEvents', Principal: other, StatementId: 'other' };
const entry = { EventBusName: orders, Source: 'shop', DetailType: 'Order', Detail: '{}' };
const send = (over: object = {}, caller = stranger) =>
  bus.call('PutEvents', { Entries: [{ ...entry, ...over }] }, caller);

/** A statement that is longer by so many characters. */
const longer = (length: number) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 'events:PutEvents',
  Resource: `${orders}${'?'.repeat(length)}`,
});

describe('PutPermission and RemovePermission', () => {
  it('keep one statement for each id', async () => {
    await put(grant);
    const statement = {
      Sid: 'other',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${other}:root` },
      Action: 'events:PutEvents',
      Resource: orders,
    };
    expect(await policyOf('orders')).toEqual({ Version: '2012-10-17', Statement: [statement] });
    await put({ ...grant, Principal: '*', StatementId: 'all' });
    await put({ ...grant, Principal: '222222222222' });
    expect(await policyOf('orders')).toEqual({
      Version: '2012-10-17',
      Statement: [
        { ...statement, Sid: 'all', Principal: '*' },
        { ...statement, Principal: { AWS: 'arn:aws:iam::222222222222:root' } },
      ],
    });
    await bus.call('RemovePermission', { EventBusName: 'orders', StatementId: 'all' });
    expect(await policyOf('orders')).toMatchObject({ Statement: [{ Sid: 'other' }] });
    expect(
      await faultOf(bus.call('RemovePermission', { EventBusName: 'orders', StatementId: 'all' })),
    ).toEqual({
      code: 'ResourceNotFoundException',
      message: 'Statement with the provided id does not exist.',
    });
    await bus.call('RemovePermission', { EventBusName: 'orders', StatementId: 'other' });
    expect(await policyOf('orders')).toBeUndefined();
    expect(await codeOf(bus.call('RemovePermission', { EventBusName: 'orders', StatementId: 'other' }))).toBe(
      'ResourceNotFoundException',
    );
  });

  it('act on the default bus where none is named', async () => {
    await bus.call('PutPermission', grant);
    expect(await policyOf('default')).toMatchObject({ Statement: [{ Resource: busArn('default') }] });
    await bus.call('PutPermission', { ...grant, StatementId: 'more' });
    await bus.call('RemovePermission', { RemoveAllPermissions: true });
    expect(await policyOf('default')).toBeUndefined();
  });

  it('take a whole policy in the place of the one before', async () => {
    await put(grant);
    const Policy = document({
      Sid: 'rules',
      Effect: 'Allow',
      Principal: { AWS: other },
      Action: 'events:*',
      Resource: '*',
    });
    await put({ Policy });
    expect((await bus.call('DescribeEventBus', { Name: 'orders' })).Policy).toBe(Policy);
    // The statements of both ways stand in one policy.
    await put(grant);
    expect(await policyOf('orders')).toMatchObject({ Statement: [{ Sid: 'rules' }, { Sid: 'other' }] });
  });

  it('refuse what is not understood', async () => {
    const unknown = `arn:aws:iam::${management}:user/nobody`;
    const statement = { Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: '*' };
    const refused: readonly (readonly [object, RegExp])[] = [
      [{}, /Action, Principal and StatementId/],
      [{ Action: 'events:PutEvents', Principal: other }, /StatementId/],
      [{ ...grant, Policy: document(statement) }, /Policy cannot be given together/],
      [{ ...grant, Action: 's3:GetObject' }, /action/],
      [{ ...grant, Principal: '1' }, /principal/],
      [{ Policy: '{' }, /Policy/],
      [{ Policy: document() }, /Policy/],
      [{ Policy: document({ ...statement, Principal: undefined }) }, /Policy/],
      [{ Policy: document({ ...statement, Action: 's3:GetObject' }) }, /s3:GetObject/],
      [{ Policy: document({ ...statement, Principal: { AWS: unknown } }) }, /nobody does not exist/],
      [{ Policy: document({ ...statement, Condition: { Near: { 'aws:SourceArn': 'x' } } }) }, /Near/],
      [
        {
          ...grant,
          Principal: '*',
          Condition: { Type: 'StringEquals', Key: 'aws:PrincipalOrgID', Value: 'o-1' },
        },
        /there are no organizations/,
      ],
    ];
    for (const [input, message] of refused) {
      const fault = await faultOf(put(input));
      expect(fault.code, JSON.stringify(input)).toBe('ValidationException');
      expect(fault.message).toMatch(message);
    }
    expect(await policyOf('orders')).toBeUndefined();
    const none = { EventBusName: 'none' };
    expect(await codeOf(bus.call('PutPermission', { ...none, ...grant }))).toBe('ResourceNotFoundException');
    expect(await codeOf(bus.call('RemovePermission', { ...none, StatementId: 'x' }))).toBe(
      'ResourceNotFoundException',
    );
    expect(await codeOf(bus.call('RemovePermission', { EventBusName: 'orders' }))).toBe(
      'ValidationException',
    );
  });

  it('keep at most 10,240 characters', async () => {
    const rest = document(longer(0)).length;
    expect(await codeOf(put({ Policy: document(longer(10_241 - rest)) }))).toBe(
      'PolicyLengthExceededException',
    );
    await put({ Policy: document(longer(10_240 - rest)) });
    expect(await codeOf(put(grant))).toBe('PolicyLengthExceededException');
  });

  it('are for their own account alone, by name', async () => {
    const input = { ...grant, EventBusName: orders };
    expect(await codeOf(bus.call('PutPermission', input, stranger))).toBe('ValidationException');
    expect(await codeOf(bus.call('PutPermission', { ...grant, EventBusName: 'orders' }, stranger))).toBe(
      'ResourceNotFoundException',
    );
    const user = await bus.identity.user('u', allow('events:PutEvents'));
    expect(await codeOf(put(grant, user))).toBe('AccessDenied');
    expect(await codeOf(bus.call('RemovePermission', { RemoveAllPermissions: true }, user))).toBe(
      'AccessDenied',
    );
  });
});

describe('the policy of a bus ("Permissions for event buses in Amazon EventBridge")', () => {
  it('alone lets other accounts put events on it, which are theirs', async () => {
    const denied = { code: 'AccessDenied', message: expect.stringContaining(orders) as string };
    expect(await faultOf(send())).toMatchObject(denied);
    await put(grant);
    expect(await send()).toMatchObject({ FailedEntryCount: 0 });
    expect(bus.events).toMatchObject([{ bus: orders, event: { account: other, source: 'shop' } }]);
    // The other account has to let its users as well.
    const user = await bus.identity.user('u', undefined, stranger);
    expect(await faultOf(send({}, user))).toMatchObject(denied);
    // One entry that may not be put keeps the whole request out.
    const Entries = [entry, { ...entry, EventBusName: busArn('default') }];
    expect(await codeOf(bus.call('PutEvents', { Entries }, stranger))).toBe('AccessDenied');
    expect(bus.events).toHaveLength(1);
    await bus.call('RemovePermission', { EventBusName: 'orders', StatementId: 'other' });
    expect(await faultOf(send())).toMatchObject(denied);
  });

  it('may ask for sources and detail types', async () => {
    const condition = { 'events:source': 'com.shop', 'events:detail-type': 'newOrderCreated' };
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: other },
      Action: 'events:PutEvents',
      Resource: orders,
      Condition: { StringEquals: condition, BoolIfExists: { 'events:eventBusInvocation': 'false' } },
    };
    await put({ Policy: document(statement) });
    const fine = { Source: 'com.shop', DetailType: 'newOrderCreated' };
    await send(fine);
    for (const over of [
      { ...fine, Source: 'com.other' },
      { ...fine, DetailType: 'other' },
      { Source: 'com.shop' },
    ]) {
      expect(await codeOf(send(over)), JSON.stringify(over)).toBe('AccessDenied');
    }
    const mixed = [{ ...entry, ...fine }, entry];
    expect(await codeOf(bus.call('PutEvents', { Entries: mixed }, stranger))).toBe('AccessDenied');
  });

  it('denies the own account as well', async () => {
    await put({
      Policy: document(
        { Effect: 'Deny', Principal: '*', Action: 'events:PutEvents', Resource: orders,
          Condition: { StringEquals: { 'events:source': 'secret' } } },
      ), // prettier-ignore
    });
    expect(await codeOf(send({ Source: 'secret' }, bus.identity.root))).toBe('AccessDenied');
    expect(await send({ Source: 'open' }, bus.identity.root)).toMatchObject({ FailedEntryCount: 0 });
  });

  it('evaluates conditions on organizations: nobody here is of one', async () => {
    const statement = {
      Effect: 'Allow',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource: orders,
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
    };
    await put({ Policy: document(statement) });
    expect(await codeOf(send())).toBe('AccessDenied');
  });

  it('lets other accounts manage rules, each its own', async () => {
    const third = await bus.identity.account(accountId('222222222222'));
    const statement = (Action: string | readonly string[], Resource: string, Condition?: object) => ({
      Effect: 'Allow',
      Principal: { AWS: [other, '222222222222'] },
      Action,
      Resource,
      ...(Condition && { Condition }),
    });
    const rule = { Name: 'theirs', EventBusName: orders };
    const rules = [
      'events:PutRule',
      'events:DeleteRule',
      'events:DescribeRule',
      'events:DisableRule',
      'events:EnableRule',
      'events:PutTargets',
      'events:RemoveTargets',
      'events:ListTargetsByRule',
      'events:TagResource',
      'events:ListTagsForResource',
    ];
    const own = { StringEqualsIfExists: { 'events:creatorAccount': '${aws:PrincipalAccount}' } };
    await put({ Policy: document(statement(rules, `${ruleArn('orders/')}*`, own)) });
    const putRule = { ...rule, EventPattern: '{"source":["shop"]}' };
    expect(await bus.call('PutRule', putRule, stranger)).toEqual({ RuleArn: ruleArn('orders/theirs') });
    expect(await bus.call('DescribeRule', rule, stranger)).toMatchObject({
      CreatedBy: other,
      EventBusName: 'orders',
      Arn: ruleArn('orders/theirs'),
    });
    expect(await bus.call('DescribeRule', { Name: 'theirs', EventBusName: 'orders' })).toMatchObject({
      CreatedBy: other,
    });
    const onRule = { Rule: 'theirs', EventBusName: orders };
    expect(await bus.call('ListTargetsByRule', onRule, stranger)).toEqual({ Targets: [] });
    await bus.call('DisableRule', rule, stranger);
    const ResourceARN = ruleArn('orders/theirs');
    await bus.call('TagResource', { ResourceARN, Tags: [{ Key: 'a', Value: 'b' }] }, stranger);
    expect(await codeOf(bus.call('DescribeRule', rule, third))).toBe('AccessDenied');
    expect(await codeOf(bus.call('PutRule', putRule, third))).toBe('AccessDenied');
    expect(await codeOf(bus.call('DeleteRule', rule, third))).toBe('AccessDenied');
    // What the policy does not name stays closed, also what has no resource in IAM's eyes.
    expect(await codeOf(bus.call('DescribeEventBus', { Name: orders }, stranger))).toBe('AccessDenied');
    expect(await codeOf(bus.call('ListRules', { EventBusName: orders }, stranger))).toBe('AccessDenied');
    const TargetArn = orders;
    expect(
      await codeOf(bus.call('ListRuleNamesByTarget', { TargetArn, EventBusName: orders }, stranger)),
    ).toBe('AccessDenied');
    expect(await codeOf(bus.call('PutRule', { ...putRule, EventBusName: busArn('default') }, stranger))).toBe(
      'AccessDenied',
    );
    await put({ Policy: document(statement('events:*', '*')) });
    expect((await bus.call('ListRules', { EventBusName: orders }, stranger)).Rules).toHaveLength(1);
    expect(await bus.call('DescribeEventBus', { Name: orders }, stranger)).toHaveProperty('Policy');
    await bus.call('DeleteRule', rule, third);
  });

  it('means its users by their unique ids', async () => {
    const theirs = await bus.identity.user('ada', allow('events:PutEvents'), stranger);
    const ada = `arn:aws:iam::${other}:user/ada`;
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: ada },
      Action: 'events:PutEvents',
      Resource: orders,
    };
    await put({ Policy: document(statement) });
    await send({}, theirs);
    await bus.identity.call('DeleteUserPolicy', { UserName: 'ada', PolicyName: 'p' }, stranger);
    await bus.identity.call(
      'DeleteAccessKey',
      { UserName: 'ada', AccessKeyId: theirs.accessKeyId },
      stranger,
    );
    const before = await bus.identity.call('GetUser', { UserName: 'ada' }, stranger);
    await bus.identity.call('DeleteUser', { UserName: 'ada' }, stranger);
    const namesake = await bus.identity.user('ada', allow('events:PutEvents'), stranger);
    expect(await codeOf(send({}, namesake))).toBe('AccessDenied');
    expect(await policyOf('orders')).toMatchObject({
      Statement: [{ Principal: { AWS: before.User.UserId as string } }],
    });
    // A policy that names somebody who is gone can be added to all the same.
    await put(grant);
    expect(await send({}, namesake)).toMatchObject({ FailedEntryCount: 0 });
  });

  it('is asked wherever the call is made', async () => {
    await put(grant);
    const far = region('us-west-2');
    await bus.call('PutEvents', { Entries: [entry] }, stranger, far);
    expect(bus.events).toMatchObject([{ bus: orders, event: { account: other, region: far } }]);
  });
});
