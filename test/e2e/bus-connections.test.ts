import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  DescribeConnectionCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHttpReceiver, type HttpReceiver } from '../http-receiver.ts';
import { makeTargetRole } from './bus-fixture.ts';
import { awsCli, eventually, hasAwsCli, startServer, type TestServer } from './harness.ts';

/** Connections over a real server: what they authorize with is used, and shown nowhere. */

const secrets = ['SECRET-api-key-1', 'SECRET-client-2', 'SECRET-header-3', 'SECRET-token-4'] as const;
const [apiKey, clientSecret, header, token] = secrets;
const run = promisify(execFile);

let receiver: HttpReceiver;
let server: TestServer;
let events: EventBridgeClient;
let logged = '';

beforeAll(async () => {
  receiver = await openHttpReceiver();
  receiver.respond = ({ url, headers }, response) => {
    if (url === '/token') return void response.writeHead(200).end(JSON.stringify({ access_token: token }));
    // Says what it was told, as an endpoint in trouble may.
    return void response.writeHead(500).end(JSON.stringify(headers));
  };
  server = await startServer({ env: { CAIRN_HTTP_TARGETS: receiver.host, CAIRN_LOG_LEVEL: 'trace' } });
  server.process.stderr?.on('data', (chunk: Buffer) => {
    logged += chunk.toString();
  });
  events = new EventBridgeClient(server.clientOptions);
});
afterAll(async () => {
  events.destroy();
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const holdsSecret = (text: string): boolean => secrets.some((secret) => text.includes(secret));

async function aws(...args: string[]): Promise<Record<string, unknown>> {
  const command = ['events', ...args, '--endpoint-url', server.endpoint, '--output', 'json'];
  const { stdout } = await run(awsCli, command, { env: server.env });
  return JSON.parse(stdout || '{}') as Record<string, unknown>;
}

describe('connections', () => {
  it('are made, used and described, and their secrets stand in no record, no log and no file', async () => {
    const role = await makeTargetRole(server.clientOptions);
    await events.send(new PutRuleCommand({ Name: 'all', EventPattern: '{"source":["my.app"]}' }));
    const InvocationHttpParameters = {
      HeaderParameters: [{ Key: 'X-Extra', Value: header, IsValueSecret: true }],
    };
    const connections = [
      {
        Name: 'key',
        AuthorizationType: 'API_KEY',
        AuthParameters: {
          ApiKeyAuthParameters: { ApiKeyName: 'X-Key', ApiKeyValue: apiKey },
          InvocationHttpParameters,
        },
      },
      {
        Name: 'oauth',
        AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
        AuthParameters: {
          OAuthParameters: {
            ClientParameters: { ClientID: 'client', ClientSecret: clientSecret },
            AuthorizationEndpoint: `http://${receiver.host}/token`,
            HttpMethod: 'POST',
          },
          InvocationHttpParameters,
        },
      },
    ] as const;
    for (const connection of connections) {
      const { ConnectionArn } = await events.send(
        new CreateConnectionCommand(structuredClone(connection) as never),
      );
      const { ApiDestinationArn } = await events.send(
        new CreateApiDestinationCommand({
          Name: connection.Name,
          ConnectionArn,
          InvocationEndpoint: `http://${receiver.host}/${connection.Name}`,
          HttpMethod: 'POST',
        }),
      );
      const Targets = [{ Id: connection.Name, Arn: ApiDestinationArn, RoleArn: role }];
      const put = await events.send(new PutTargetsCommand({ Rule: 'all', Targets }));
      expect(put.FailedEntries).toEqual([]);
    }
    await eventually(async () => {
      const { ConnectionState } = await events.send(new DescribeConnectionCommand({ Name: 'oauth' }));
      return ConnectionState === 'AUTHORIZED' ? true : undefined;
    });
    await events.send(
      new PutEventsCommand({ Entries: [{ Source: 'my.app', DetailType: 'a', Detail: '{}' }] }),
    );
    const asked = (path: string) => receiver.requests.filter(({ url }) => url === path);
    await eventually(() =>
      Promise.resolve(asked('/key').length > 0 && asked('/oauth').length > 0 ? true : undefined),
    );
    expect(asked('/key')[0]?.headers).toMatchObject({ 'x-key': apiKey, 'x-extra': header });
    expect(asked('/oauth')[0]?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'x-extra': header,
    });

    const trail = new CloudTrailClient(server.clientOptions);
    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'CreateConnection' }];
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
    trail.destroy();
    expect(Events).toHaveLength(2);
    for (const { CloudTrailEvent = '' } of Events) {
      expect(CloudTrailEvent).toContain('HIDDEN_DUE_TO_SECURITY_REASONS');
      expect(holdsSecret(CloudTrailEvent)).toBe(false);
    }
    const status = await fetch(`${server.endpoint}/_cairn/health`);
    expect(holdsSecret(await status.text())).toBe(false);
    // What is kept is there once the server has stopped.
    expect(await server.stop()).toBe(0);
    expect(logged).toContain('a target did not take an event');
    expect(holdsSecret(logged)).toBe(false);
    const leaking = filesIn(server.data).filter((file) => holdsSecret(readFileSync(file, 'latin1')));
    expect(leaking).toEqual([]);
    server = await startServer({ data: server.data, env: { CAIRN_HTTP_TARGETS: receiver.host } });
    events.destroy();
    events = new EventBridgeClient(server.clientOptions);
  }, 60_000);

  it.skipIf(!hasAwsCli)(
    'are shown by the aws CLI, before and after they are deauthorized',
    async () => {
      expect(await aws('describe-connection', '--name', 'key')).toMatchObject({
        Name: 'key',
        ConnectionState: 'AUTHORIZED',
        AuthorizationType: 'API_KEY',
        AuthParameters: {
          ApiKeyAuthParameters: { ApiKeyName: 'X-Key' },
          InvocationHttpParameters: { HeaderParameters: [{ Key: 'X-Extra', IsValueSecret: true }] },
        },
      });
      expect(await aws('deauthorize-connection', '--name', 'key')).toMatchObject({
        ConnectionState: 'DEAUTHORIZED',
      });
      expect(await aws('describe-api-destination', '--name', 'key')).toMatchObject({
        ApiDestinationState: 'INACTIVE',
      });
      expect(await aws('list-api-destinations', '--name-prefix', 'k')).toMatchObject({
        ApiDestinations: [{ Name: 'key', ApiDestinationState: 'INACTIVE' }],
      });
      await aws('delete-api-destination', '--name', 'key');
      expect(await aws('delete-connection', '--name', 'key')).toMatchObject({
        ConnectionState: 'DELETING',
      });
      const listed = (await aws('list-connections')) as { readonly Connections: readonly { Name: string }[] };
      expect(listed.Connections.map(({ Name }) => Name)).toEqual(['oauth']);
    },
    60_000,
  );
});
