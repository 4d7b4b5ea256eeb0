import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  type PutRuleCommandInput,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { HttpReceiver } from '../http-receiver.ts';
import { eventually, type TestServer } from './harness.ts';

/** What clients set up so that events reach a target. */

type ClientOptions = Pick<TestServer['clientOptions'], 'endpoint' | 'region' | 'credentials'>;

/** A role that EventBridge may assume to invoke targets ("Using IAM roles for targets"); its ARN. */
export async function makeTargetRole(options: ClientOptions, name = 'targets'): Promise<string> {
  // Clients take the time from answers, which is the machine's where the server's is another; so each call has its own.
  const iam = () => new IAMClient(options);
  const trust = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const { Role } = await iam().send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    }),
  );
  const allow = {
    Effect: 'Allow',
    Action: ['events:InvokeApiDestination', 'events:PutEvents'],
    Resource: '*',
  };
  await iam().send(
    new PutRolePolicyCommand({
      RoleName: name,
      PolicyName: 'invoke',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
    }),
  );
  return Role?.Arn ?? '';
}

/** The bodies that a receiver got on a path, once there are as many. */
export const bodiesOf = (
  { requests }: HttpReceiver,
  path: string,
  count: number,
): Promise<readonly string[]> =>
  eventually(() => {
    const found = requests.filter(({ url }) => url === path).map(({ body }) => body);
    return Promise.resolve(found.length >= count ? found : undefined);
  });

/** The key that targets are sent. */
export const apiKey = { name: 'x-key', value: 'the key of the target' };

/** Makes the way from rules to a receiver; `send` puts a rule whose target is a path there. */
export async function openHttpTargets(options: ClientOptions, receiver: HttpReceiver) {
  const events = () => new EventBridgeClient(options);
  const role = await makeTargetRole(options);
  const { ConnectionArn } = await events().send(
    new CreateConnectionCommand({
      Name: 'receiver',
      AuthorizationType: 'API_KEY',
      AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: apiKey.name, ApiKeyValue: apiKey.value } },
    }),
  );
  const { ApiDestinationArn } = await events().send(
    new CreateApiDestinationCommand({
      Name: 'receiver',
      ConnectionArn,
      InvocationEndpoint: `http://${receiver.host}/*`,
      HttpMethod: 'POST',
      InvocationRateLimitPerSecond: 300,
    }),
  );
  const putRule = (pattern: object, rule: Partial<PutRuleCommandInput> & { readonly Name: string }) =>
    events().send(new PutRuleCommand({ EventPattern: JSON.stringify(pattern), ...rule }));
  return {
    events,
    role,
    putRule,
    /** Events that match go to the path of the rule's name. */
    async send(
      pattern: object,
      rule: Partial<PutRuleCommandInput> & { readonly Name: string },
      target: Partial<Target> = {},
    ): Promise<void> {
      const { Name, EventBusName } = rule;
      await putRule(pattern, rule);
      const put = await events().send(
        new PutTargetsCommand({
          Rule: Name,
          EventBusName,
          Targets: [
            {
              Id: 'http',
              Arn: ApiDestinationArn,
              RoleArn: role,
              HttpParameters: { PathParameterValues: [Name] },
              ...target,
            },
          ],
        }),
      );
      if (put.FailedEntryCount) throw new Error(JSON.stringify(put.FailedEntries));
    },
  };
}
