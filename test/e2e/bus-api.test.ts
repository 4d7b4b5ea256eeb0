import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import * as events from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

const run = promisify(execFile);

let server: TestServer;
let client: events.EventBridgeClient;
let cloudtrail: CloudTrailClient;
let RoleArn: string;

beforeAll(async () => {
  server = await startServer();
  client = new events.EventBridgeClient(server.clientOptions);
  cloudtrail = new CloudTrailClient(server.clientOptions);
  RoleArn = await makeRole();
});
afterAll(async () => {
  client.destroy();
  cloudtrail.destroy();
  await server[Symbol.asyncDispose]();
});

/** A role that EventBridge invokes targets with. */
async function makeRole(): Promise<string> {
  const iam = new IAMClient(server.clientOptions);
  const trust = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sts:AssumeRole',
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'targets', AssumeRolePolicyDocument }));
  iam.destroy();
  return Role?.Arn ?? '';
}

type AuditRecord = Readonly<Record<string, unknown>>;

/**
 * The record of a management event that says `text`, and the resources that the event history shows with it. Events of one
 * second stand in no order that a test could know.
 */
async function lookUp(
  name: string,
  text: string,
): Promise<{ readonly record: AuditRecord; readonly resources: unknown }> {
  const attribute = { AttributeKey: 'EventName', AttributeValue: name } as const;
  return eventually(async () => {
    const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: [attribute] }));
    const found = Events.find(({ CloudTrailEvent = '' }) => CloudTrailEvent.includes(text));
    if (!found) return undefined;
    return { record: JSON.parse(found.CloudTrailEvent ?? '') as AuditRecord, resources: found.Resources };
  });
}

/** The records of an event name, data events too, newest first. */
async function recordsOf(eventName: string): Promise<readonly AuditRecord[]> {
  const query = { eventName, limit: '10' };
  const answer = await signedFetch(server, '/_cairn/events', { service: 'cairn', query });
  return ((await answer.json()) as { events: readonly AuditRecord[] }).events;
}

const arnOf = (resource: string) => `arn:aws:events:us-east-1:${server.accountId}:${resource}`;
const EventPattern = '{"source":["shop"]}';

/** A detail of so many bytes. */
const detailOf = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;

describe('EventBridge with the JS SDK', () => {
  it('answers what Terraform reads back of a bus, a rule, a target and a permission', async () => {
    // aws_cloudwatch_event_bus
    const Tags = [{ Key: 'team', Value: 'blue' }];
    const made = await client.send(
      new events.CreateEventBusCommand({ Name: 'orders', Description: 'd', Tags }),
    );
    expect(made.EventBusArn).toBe(arnOf('event-bus/orders'));
    const bus = await client.send(new events.DescribeEventBusCommand({ Name: 'orders' }));
    expect(bus).toMatchObject({ Name: 'orders', Arn: made.EventBusArn, Description: 'd' });
    expect(bus.CreationTime).toBeInstanceOf(Date);
    const ofBus = new events.ListTagsForResourceCommand({ ResourceARN: made.EventBusArn });
    expect((await client.send(ofBus)).Tags).toEqual(Tags);

    // aws_cloudwatch_event_rule
    const on = { EventBusName: 'orders' };
    const rule = { ...on, Name: 'all', EventPattern, State: 'ENABLED' as const, Description: 'every order' };
    const put = await client.send(new events.PutRuleCommand({ ...rule, Tags }));
    expect(put.RuleArn).toBe(arnOf('rule/orders/all'));
    const described = await client.send(new events.DescribeRuleCommand({ ...on, Name: 'all' }));
    expect(described).toMatchObject({ ...rule, Arn: put.RuleArn, CreatedBy: server.accountId });
    const ofRule = new events.ListTagsForResourceCommand({ ResourceARN: put.RuleArn });
    expect((await client.send(ofRule)).Tags).toEqual(Tags);

    // aws_cloudwatch_event_target
    const target = { Id: 'second-bus', Arn: arnOf('event-bus/default'), RoleArn };
    const targets = await client.send(
      new events.PutTargetsCommand({ ...on, Rule: 'all', Targets: [target] }),
    );
    expect(targets).toMatchObject({ FailedEntryCount: 0, FailedEntries: [] });
    const listed = await client.send(new events.ListTargetsByRuleCommand({ ...on, Rule: 'all' }));
    expect(listed.Targets).toEqual([target]);
    expect(listed.NextToken).toBeUndefined();

    // aws_cloudwatch_event_permission
    const permission = { ...on, Action: 'events:PutEvents', Principal: '111111111111', StatementId: 'other' };
    await client.send(new events.PutPermissionCommand(permission));
    const { Policy } = await client.send(new events.DescribeEventBusCommand({ Name: 'orders' }));
    expect(JSON.parse(Policy ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'other',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111111111111:root' },
          Action: 'events:PutEvents',
          Resource: made.EventBusArn,
        },
      ],
    });

    // And destroys again, in the order of what depends on what.
    await client.send(new events.RemovePermissionCommand({ ...on, StatementId: 'other' }));
    const again = client.send(new events.RemovePermissionCommand({ ...on, StatementId: 'other' }));
    await expect(again).rejects.toBeInstanceOf(events.ResourceNotFoundException);
    const early = client.send(new events.DeleteRuleCommand({ ...on, Name: 'all' }));
    await expect(early).rejects.toMatchObject({
      name: 'ValidationException',
      message: "Rule can't be deleted since it has targets.",
    });
    await client.send(new events.RemoveTargetsCommand({ ...on, Rule: 'all', Ids: ['second-bus'] }));
    await client.send(new events.DeleteRuleCommand({ ...on, Name: 'all' }));
    const gone = client.send(new events.DescribeRuleCommand({ ...on, Name: 'all' }));
    await expect(gone).rejects.toBeInstanceOf(events.ResourceNotFoundException);
    await client.send(new events.DeleteEventBusCommand({ Name: 'orders' }));
    const noBus = client.send(new events.DescribeEventBusCommand({ Name: 'orders' }));
    await expect(noBus).rejects.toBeInstanceOf(events.ResourceNotFoundException);
  });

  it('throws the exceptions of the model', async () => {
    const twice = new events.CreateEventBusCommand({ Name: 'twice' });
    await client.send(twice);
    await expect(client.send(twice)).rejects.toBeInstanceOf(events.ResourceAlreadyExistsException);
    const pattern = new events.PutRuleCommand({ Name: 'r', EventPattern: '{"source":"x"}' });
    await expect(client.send(pattern)).rejects.toBeInstanceOf(events.InvalidEventPatternException);
    const long = { EventBusName: 'twice', Policy: ' '.repeat(10_241) };
    await expect(client.send(new events.PutPermissionCommand(long))).rejects.toBeInstanceOf(
      events.PolicyLengthExceededException,
    );
    const Targets = ['a', 'b', 'c', 'd', 'e', 'f'].map((Id) => ({
      Id,
      Arn: arnOf('event-bus/twice'),
      RoleArn,
    }));
    await client.send(new events.PutRuleCommand({ Name: 'r', EventPattern }));
    await expect(client.send(new events.PutTargetsCommand({ Rule: 'r', Targets }))).rejects.toBeInstanceOf(
      events.LimitExceededException,
    );
  });

  it('takes a megabyte of events less a byte', async () => {
    const base = { Source: 's', DetailType: 'd' };
    const send = (bytes: number) =>
      client.send(new events.PutEventsCommand({ Entries: [{ ...base, Detail: detailOf(bytes - 2) }] }));
    expect(await send(1_048_575)).toMatchObject({ FailedEntryCount: 0 });
    await expect(send(1_048_576)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('the records of EventBridge’s calls', () => {
  it('are CloudTrail’s: management events without resources, found by what they name', async () => {
    await client.send(new events.PutRuleCommand({ Name: 'recorded', EventPattern, State: 'DISABLED' }));
    const { record, resources } = await lookUp('PutRule', 'recorded');
    // "Logging Amazon EventBridge API calls using AWS CloudTrail", the example of PutRule.
    expect(record).toMatchObject({
      eventSource: 'events.amazonaws.com',
      eventName: 'PutRule',
      eventType: 'AwsApiCall',
      requestParameters: { name: 'recorded', state: 'DISABLED', eventPattern: EventPattern },
      responseElements: { ruleArn: arnOf('rule/recorded') },
      readOnly: false,
      managementEvent: true,
      eventCategory: 'Management',
      recipientAccountId: server.accountId,
    });
    expect(record).not.toHaveProperty('resources');
    expect(resources).toContainEqual({ ResourceType: 'AWS::Events::Rule', ResourceName: 'recorded' });
    await client.send(new events.DescribeRuleCommand({ Name: 'recorded' }));
    expect((await lookUp('DescribeRule', 'recorded')).record).toMatchObject({
      readOnly: true,
      responseElements: null,
    });
    const byName = { AttributeKey: 'ResourceName', AttributeValue: 'recorded' } as const;
    await eventually(async () => {
      const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: [byName] }));
      return Events.length === 2 ? Events : undefined;
    });
    const Event = JSON.stringify({
      id: '1', account: '1', source: 'shop', time: '', region: '', resources: [], 'detail-type': 'x',
    }); // prettier-ignore
    await client.send(new events.TestEventPatternCommand({ EventPattern, Event }));
    expect((await lookUp('TestEventPattern', 'shop')).record).toMatchObject({ readOnly: true });
  });

  it('of PutEvents are data events with the buses as resources, and without what the events tell', async () => {
    const Entries = [
      {
        Source: 'shop',
        DetailType: 'Order',
        Detail: '{"card":"4111 1111 1111 1111"}',
        Resources: ['arn:aws:x'],
      },
      { Source: 'aws.s3', DetailType: 'Order', Detail: '{"card":"4111 1111 1111 1111"}' },
    ];
    const answer = await client.send(new events.PutEventsCommand({ Entries }));
    const record = await eventually(async () =>
      (await recordsOf('PutEvents')).find(({ requestID }) => requestID === answer.$metadata.requestId),
    );
    // The example of PutEvents on the same page.
    expect(record).toMatchObject({
      requestParameters: {
        entries: [
          {
            source: 'shop',
            detailType: 'Order',
            detail: 'HIDDEN_DUE_TO_SECURITY_REASONS',
            resources: ['arn:aws:x'],
          },
          { source: 'aws.s3', detailType: 'Order', detail: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
        ],
      },
      responseElements: {
        failedEntryCount: 1,
        entries: [
          { eventId: answer.Entries?.[0]?.EventId },
          { errorCode: 'NotAuthorizedForSourceException', errorMessage: 'Not authorized for the source.' },
        ],
      },
      readOnly: false,
      managementEvent: false,
      eventCategory: 'Data',
    });
    expect(record['resources']).toEqual([{ type: 'AWS::Events::EventBus', ARN: arnOf('event-bus/default') }]);
    expect(JSON.stringify(record)).not.toContain('4111 1111');
    const name = { AttributeKey: 'EventName', AttributeValue: 'PutEvents' } as const;
    const { Events } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: [name] }));
    expect(Events).toEqual([]);
  });

  it('go to the owner of a rule of another account as well', async () => {
    const created = await signedFetch(server, '/_cairn/accounts', {
      service: 'cairn',
      method: 'POST',
      body: JSON.stringify({ accountId: '111111111111', name: 'other' }),
    });
    const { rootKey } = (await created.json()) as { rootKey: TestServer['credentials'] };
    const stranger = new events.EventBridgeClient({ ...server.clientOptions, credentials: rootKey });
    const EventBusName = arnOf('event-bus/shared');
    await client.send(new events.CreateEventBusCommand({ Name: 'shared' }));
    const Name = 'of-stranger';
    const putRule = new events.PutRuleCommand({ Name, EventBusName, EventPattern });
    await expect(stranger.send(putRule)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const Principal = '111111111111';
    const grant = { EventBusName: 'shared', Action: 'events:PutRule', Principal, StatementId: 's' };
    // A statement of PutPermission is about the bus; one about its rules comes in a whole policy.
    await client.send(new events.PutPermissionCommand(grant));
    await expect(stranger.send(putRule)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: Principal },
      Action: ['events:PutRule', 'events:PutEvents'],
      Resource: [EventBusName, arnOf('rule/shared/*')],
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await client.send(new events.PutPermissionCommand({ EventBusName: 'shared', Policy }));
    await stranger.send(putRule);
    // The management account sees the records of every account; these are its own.
    const ownOf = async (name: string) =>
      (await recordsOf(name)).filter(({ recipientAccountId: of }) => of === server.accountId);
    const record = await eventually(async () =>
      (await ownOf('PutRule')).find(({ sharedEventID }) => sharedEventID !== undefined),
    );
    expect(record).toMatchObject({
      userIdentity: { type: 'AWSAccount', accountId: Principal },
      recipientAccountId: server.accountId,
      resources: [
        { ARN: arnOf('rule/shared/of-stranger'), accountId: server.accountId, type: 'AWS::Events::Rule' },
      ],
    });
    // "CloudTrail sends data events only to the AWS account that called the API."
    const Entries = [{ EventBusName, Source: 'theirs', DetailType: 'x', Detail: '{}' }];
    const { $metadata } = await stranger.send(new events.PutEventsCommand({ Entries }));
    const { $metadata: own } = await client.send(new events.PutEventsCommand({ Entries }));
    const ids = await eventually(async () => {
      const found = (await ownOf('PutEvents')).map(({ requestID }) => requestID);
      return found.includes(own.requestId) ? found : undefined;
    });
    expect(ids).not.toContain($metadata.requestId);
    stranger.destroy();
  });
});

const aws = async (...command: string[]): Promise<Record<string, unknown>> => {
  const options = ['--endpoint-url', server.endpoint, '--output', 'json'];
  const { stdout } = await run(awsCli, [...options, 'events', ...command], { env: server.env });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
};

describe.skipIf(!hasAwsCli)('EventBridge with the aws CLI (skipped where /usr/bin/aws is absent)', () => {
  it('makes, lists, tests and takes away', async () => {
    expect(await aws('create-event-bus', '--name', 'cli', '--tags', 'Key=a,Value=b')).toEqual({
      EventBusArn: arnOf('event-bus/cli'),
    });
    const on = ['--event-bus-name', 'cli'];
    const rule = (name: string) => aws('put-rule', '--name', name, ...on, '--event-pattern', EventPattern);
    const [put] = await Promise.all(['b', 'a'].map(rule));
    expect(put).toEqual({ RuleArn: arnOf('rule/cli/b') });
    const target = JSON.stringify([{ Id: '1', Arn: arnOf('event-bus/default'), RoleArn }]);
    expect(await aws('put-targets', '--rule', 'a', ...on, '--targets', target)).toEqual({
      FailedEntryCount: 0,
      FailedEntries: [],
    });
    const byTarget = ['--target-arn', arnOf('event-bus/default')];
    const [buses, rules, targets, names, tags] = await Promise.all([
      aws('list-event-buses', '--name-prefix', 'c'),
      aws('list-rules', ...on, '--query', 'Rules[].Name', '--page-size', '1'),
      aws('list-targets-by-rule', '--rule', 'a', ...on),
      aws('list-rule-names-by-target', ...byTarget, ...on),
      aws('list-tags-for-resource', '--resource-arn', arnOf('event-bus/cli')),
    ]);
    expect(buses).toMatchObject({ EventBuses: [{ Name: 'cli' }] });
    expect(rules).toEqual(['a', 'b']);
    expect(targets).toEqual({ Targets: JSON.parse(target) as unknown });
    expect(names).toEqual({ RuleNames: ['a'] });
    expect(tags).toEqual({ Tags: [{ Key: 'a', Value: 'b' }] });
    const statement = ['--action', 'events:PutEvents', '--principal', '222222222222', '--statement-id', 's'];
    await Promise.all([
      aws('disable-rule', '--name', 'a', ...on),
      aws('put-permission', ...on, ...statement),
      aws('remove-targets', '--rule', 'a', ...on, '--ids', '1'),
    ]);
    expect(await aws('describe-rule', '--name', 'a', ...on)).toMatchObject({ State: 'DISABLED' });
    await aws('delete-rule', '--name', 'b', ...on);
  }, 180_000);

  it('puts events and tests patterns', async () => {
    const entries = JSON.stringify([
      { Source: 'shop', DetailType: 'Order', Detail: '{"id":1}', Time: '2026-01-02T03:04:05Z' },
      { Source: 'shop', DetailType: 'Order', Detail: '[1]' },
    ]);
    expect(await aws('put-events', '--entries', entries)).toEqual({
      FailedEntryCount: 1,
      Entries: [
        { EventId: expect.any(String) as string },
        { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
      ],
    });
    const event = JSON.stringify({
      id: '1', account: '1', source: 'shop', time: '2026-01-02T03:04:05Z', region: 'us-east-1', resources: [],
      'detail-type': 'Order', detail: { total: 7 },
    }); // prettier-ignore
    const tested = (pattern: object) =>
      aws('test-event-pattern', '--event-pattern', JSON.stringify(pattern), '--event', event);
    const [more, less] = await Promise.all(
      ['>', '<'].map((sign) => tested({ detail: { total: [{ numeric: [sign, 5] }] } })),
    );
    expect([more, less]).toEqual([{ Result: true }, { Result: false }]);
  }, 120_000);
});
