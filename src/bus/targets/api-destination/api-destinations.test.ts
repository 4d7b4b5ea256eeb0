import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeliveryFixture, type DeliveryFixture } from '../../../../test/bus-delivery-fixture.ts';
import { answer, openHttpReceiver, type HttpReceiver } from '../../../../test/http-receiver.ts';
import { faultOf } from '../../../../test/identity-fixture.ts';

let fixture: DeliveryFixture;
let receiver: HttpReceiver;
let role: string;

beforeEach(async () => {
  receiver = await openHttpReceiver();
  fixture = await openDeliveryFixture();
  role = await fixture.role('invoke');
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const report = () => fixture.bus.report();

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await condition()); turn++) {
    if (turn > 2_000) throw new Error('it did not come to that');
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

/** Time passes, and what falls due is done, network and all, before it goes on. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await fixture.identity.clock.advance(Math.min(left, 500));
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

const stateOf = async (Name: string) =>
  (await fixture.call('DescribeConnection', { Name })) as {
    readonly ConnectionState: string;
    readonly StateReason?: string;
  };

/** A rule whose target is an API destination at the receiver, with a connection of this kind. */
async function connect(
  connection: Record<string, unknown>,
  over: { target?: object; destination?: object } = {},
) {
  const { ConnectionArn } = await fixture.call('CreateConnection', { Name: 'c', ...connection });
  const { ApiDestinationArn: Arn } = await fixture.call('CreateApiDestination', {
    Name: 'd',
    ConnectionArn,
    InvocationEndpoint: `http://${receiver.host}/hook`,
    HttpMethod: 'POST',
    ...over.destination,
  });
  await fixture.rule('r', { source: ['my.app'] }, [{ Id: 't', Arn, RoleArn: role, ...over.target }]);
  return Arn as string;
}

const basic = {
  AuthorizationType: 'BASIC',
  AuthParameters: { BasicAuthParameters: { Username: 'me', Password: 'the password' } },
};
const oauth = (over: object = {}) => ({
  AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
  AuthParameters: {
    OAuthParameters: {
      ClientParameters: { ClientID: 'client', ClientSecret: 'the client secret' },
      AuthorizationEndpoint: `http://${receiver.host}/token`,
      HttpMethod: 'POST',
      OAuthHttpParameters: { BodyParameters: [{ Key: 'scope', Value: 'all', IsValueSecret: false }] },
      ...over,
    },
  },
});

const requestsTo = (path: string) => receiver.requests.filter(({ url }) => url === path);

describe('an API destination', () => {
  it.each([
    // "Retries events associated with error codes 401, 407, 409, 429, and 5xx."
    ...[401, 407, 409, 429, 500, 502, 503, 504, 599].map((status) => [status, true] as const),
    // "Does not retry events associated with error codes 1xx, 2xx, 3xx, and 4xx (other than those noted above)."
    ...[300, 301, 307, 400, 403, 404, 408, 410, 422].map((status) => [status, false] as const),
  ])('that answers %s is tried again: %s', async (status, isRetried) => {
    await connect(oauth());
    receiver.respond = ({ url }, response) => {
      if (url === '/token') answer(200, {}, '{"access_token":"t","expires_in":3600}')({} as never, response);
      else answer(status, { Location: '/elsewhere' })({} as never, response);
    };
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    expect(report()).toMatchObject(isRetried ? { givenUp: 0, waiting: 1 } : { givenUp: 1, waiting: 0 });
    expect(requestsTo('/elsewhere')).toEqual([]);
  });

  it.each([200, 201, 202, 204, 299])('that answers %s has taken the event', async (status) => {
    await connect(basic);
    receiver.respond = answer(status);
    await fixture.put({});
    await until(() => report().delivered === 1);
  });

  it('is left alone for as long as it asks, where that is longer than the retry policy', async () => {
    await connect(basic);
    receiver.respond = answer(503, { 'Retry-After': '60' });
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    await pass(59_500);
    expect(receiver.requests).toHaveLength(1);
    receiver.respond = answer(200);
    await pass(500);
    await until(() => report().delivered === 1);
  });

  it('gets the event no more where it says so by a negative Retry-After', async () => {
    await connect(basic);
    receiver.respond = answer(503, { 'Retry-After': '-1' });
    await fixture.put({});
    await until(() => report().givenUp === 1);
    expect(report()).toMatchObject({ failedAttempts: 1, waiting: 0 });
  });

  it('gets no more requests a second than it wants', async () => {
    await connect(basic, { destination: { InvocationRateLimitPerSecond: 2 } });
    for (let count = 0; count < 7; count++) await fixture.put({});
    await until(() => receiver.requests.length === 1);
    await pass(2_000);
    await until(() => receiver.requests.length === 5);
    await pass(1_000);
    await until(() => report().delivered === 7);
  });

  it('is invoked with a role that may do so, and else not', async () => {
    const may = await fixture.role(
      'other',
      'events:InvokeApiDestination',
      'arn:aws:events:*:*:api-destination/other/*',
    );
    const Arn = await connect(basic, { target: { RoleArn: may } });
    await fixture.put({});
    await until(() => report().givenUp === 1);
    await fixture.rule('r', { source: ['my.app'] }, [
      { Id: 't', Arn, RoleArn: 'arn:aws:iam::000000000000:role/none' },
    ]);
    await fixture.put({});
    await pass(500);
    await until(() => report().givenUp === 2);
    await fixture.identity.call('CreateRole', {
      RoleName: 'untrusting',
      Path: '/',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      }),
    });
    await fixture.rule('r', { source: ['my.app'] }, [
      { Id: 't', Arn, RoleArn: 'arn:aws:iam::000000000000:role/untrusting' },
    ]);
    await fixture.put({});
    await pass(500);
    await until(() => report().givenUp === 3);
    expect(receiver.requests).toEqual([]);
  });

  it('gets what its target takes from the event: in the path, and in the query', async () => {
    const InvocationEndpoint = `http://${receiver.host}/users/*/things/*`;
    const HttpParameters = {
      PathParameterValues: ['$.detail.user', '$.detail.thing.id'],
      QueryStringParameters: { state: '$.detail.state', none: '$.detail.none', fixed: '$5' },
      HeaderParameters: { 'X-State': '$.detail.state' },
    };
    await connect(basic, { destination: { InvocationEndpoint }, target: { HttpParameters } });
    await fixture.put({ detail: { user: 'a/b', thing: { id: 7 }, state: 'on & off' } });
    await until(() => report().delivered === 1);
    expect(receiver.requests[0]?.url).toBe('/users/a%2Fb/things/7?state=on+%26+off&none=&fixed=%245');
    // "Dynamic syntax can be used on … HttpParameters (except HeaderParameters)".
    expect(receiver.requests[0]?.headers['x-state']).toBe('$.detail.state');
    await fixture.put({ detail: { user: 'a' } });
    await until(() => report().givenUp === 1);
    expect(receiver.requests).toHaveLength(1);
  });

  it('that is deleted takes no events, and one of the same name does not get them', async () => {
    receiver.respond = answer(500);
    await connect(basic);
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    await fixture.call('DeleteApiDestination', { Name: 'd' });
    const { ConnectionArn } = await stateOf('c').then(() =>
      fixture.call('DescribeConnection', { Name: 'c' }),
    );
    await fixture.call('CreateApiDestination', {
      Name: 'd',
      ConnectionArn,
      InvocationEndpoint: `http://${receiver.host}/other`,
      HttpMethod: 'POST',
    });
    await pass(2_000);
    await until(() => report().givenUp === 1);
    expect(requestsTo('/other')).toEqual([]);
  });

  it('at another address gets what waited for it', async () => {
    receiver.respond = answer(500);
    await connect(basic);
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    receiver.respond = answer(200);
    await fixture.call('UpdateApiDestination', {
      Name: 'd',
      InvocationEndpoint: `http://${receiver.host}/other`,
      HttpMethod: 'PUT',
    });
    await pass(2_000);
    await until(() => report().delivered === 1);
    expect(requestsTo('/other')).toMatchObject([{ method: 'PUT' }]);
  });
});

describe('a connection', () => {
  it('with a password or an API key authorizes each request', async () => {
    await connect(basic);
    await fixture.put({});
    await until(() => report().delivered === 1);
    expect(receiver.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('me:the password').toString('base64')}`,
    );
    expect(await stateOf('c')).toMatchObject({ ConnectionState: 'AUTHORIZED' });
  });

  it.each([401, 407])('that gets %s is deauthorized until it is updated', async (status) => {
    await connect(basic);
    receiver.respond = answer(status);
    await fixture.put({});
    await until(async () => (await stateOf('c')).ConnectionState === 'DEAUTHORIZED');
    expect((await stateOf('c')).StateReason).toMatch(String(status));
    expect(await fixture.call('DescribeApiDestination', { Name: 'd' })).toMatchObject({
      ApiDestinationState: 'INACTIVE',
    });
    await pass(3_000);
    expect(receiver.requests).toHaveLength(1);
    receiver.respond = answer(200);
    await fixture.call('UpdateConnection', {
      Name: 'c',
      AuthParameters: { BasicAuthParameters: { Password: 'another password' } },
    });
    expect(await stateOf('c')).toMatchObject({ ConnectionState: 'AUTHORIZED' });
    await pass(16_000);
    await until(() => report().delivered === 1);
    expect(receiver.requests[1]?.headers.authorization).toBe(
      `Basic ${Buffer.from('me:another password').toString('base64')}`,
    );
  });

  it('of OAuth fetches its token once, and again where it ends within a minute', async () => {
    let issued = 0;
    receiver.respond = ({ url }, response) => {
      if (url !== '/token') return void response.writeHead(200).end();
      issued += 1;
      return void response
        .writeHead(200)
        .end(JSON.stringify({ access_token: `t${issued}`, expires_in: 600 }));
    };
    await connect(oauth());
    await until(async () => (await stateOf('c')).ConnectionState === 'AUTHORIZED');
    const form = new URLSearchParams(requestsTo('/token')[0]?.body);
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: 'the client secret',
      scope: 'all',
    });
    await fixture.put({});
    await until(() => report().delivered === 1);
    await pass(539_000);
    await fixture.put({});
    await until(() => report().delivered === 2);
    expect(issued).toBe(1);
    await pass(2_000);
    await fixture.put({});
    await until(() => report().delivered === 3);
    expect(requestsTo('/hook').map(({ headers }) => headers.authorization)).toEqual([
      'Bearer t1',
      'Bearer t1',
      'Bearer t2',
    ]);
  });

  it('of OAuth fetches another token when the endpoint does not take the one it has', async () => {
    let issued = 0;
    receiver.respond = ({ url, headers }, response) => {
      if (url === '/token') {
        issued += 1;
        return void response.writeHead(200).end(JSON.stringify({ access_token: `t${issued}` }));
      }
      return void response.writeHead(headers.authorization === 'Bearer t2' ? 200 : 401).end();
    };
    await connect(oauth());
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    await pass(2_000);
    await until(() => report().delivered === 1);
    expect(issued).toBe(2);
    expect(await stateOf('c')).toMatchObject({ ConnectionState: 'AUTHORIZED' });
  });

  it.each([
    ['does not know the client', answer(401, {}, 'no: the client secret'), /answered 401/],
    ['answers no token', answer(200, {}, '{"token_type":"the client secret"}'), /no access token/],
    ['answers garbage', answer(200, {}, '<html>the client secret'), /no access token/],
    [
      'answers what cannot stand in a header',
      answer(200, {}, '{"access_token":"a\\r\\nb"}'),
      /no access token/,
    ],
    [
      'answers without an end',
      answer(200, {}, `{"access_token":"${'a'.repeat(70_000)}"}`),
      /no access token/,
    ],
  ])('of OAuth is deauthorized where the authorization server %s', async (_, respond, reason) => {
    receiver.respond = respond;
    await connect(oauth());
    await until(async () => (await stateOf('c')).ConnectionState === 'DEAUTHORIZED');
    const { StateReason } = await stateOf('c');
    expect(StateReason).toMatch(reason);
    expect(StateReason).not.toContain('secret');
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    receiver.respond = ({ url }, response) =>
      void response.writeHead(200).end(url === '/token' ? '{"access_token":"t"}' : '');
    await pass(3_000);
    await until(() => report().delivered === 1);
    expect(await stateOf('c')).toMatchObject({ ConnectionState: 'AUTHORIZED' });
  });

  it('that is deauthorized holds no secret, and its API destinations get nothing', async () => {
    await connect(basic);
    await fixture.call('DeauthorizeConnection', { Name: 'c' });
    const described = await fixture.call('DescribeConnection', { Name: 'c' });
    expect(described).toMatchObject({ ConnectionState: 'DEAUTHORIZED', AuthParameters: {} });
    const [stored] = await fixture.identity.state.list<object>('bus/000000000000/eu-central-1/connection/');
    expect(stored?.value).not.toHaveProperty('sealed');
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    expect(receiver.requests).toEqual([]);
  });

  it('shows no secret, and is sealed where it is kept', async () => {
    await fixture.call('CreateConnection', {
      Name: 'c',
      AuthorizationType: 'API_KEY',
      AuthParameters: {
        ApiKeyAuthParameters: { ApiKeyName: 'X-Key', ApiKeyValue: 'hidden-1' },
        InvocationHttpParameters: {
          HeaderParameters: [
            { Key: 'a', Value: 'hidden-2', IsValueSecret: true },
            { Key: 'b', Value: 'shown' },
          ],
        },
      },
    });
    const described = await fixture.call('DescribeConnection', { Name: 'c' });
    expect(described.AuthParameters).toEqual({
      ApiKeyAuthParameters: { ApiKeyName: 'X-Key' },
      InvocationHttpParameters: {
        HeaderParameters: [
          { Key: 'a', IsValueSecret: true },
          { Key: 'b', Value: 'shown', IsValueSecret: false },
        ],
      },
    });
    const stored = JSON.stringify(await fixture.identity.state.list('bus/'));
    expect(stored).toContain('shown');
    expect(stored).not.toContain('hidden');
  });
});

describe('operations on connections and API destinations', () => {
  const key = {
    AuthorizationType: 'API_KEY',
    AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'X-Key', ApiKeyValue: 'secret' } },
  };

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'no parameters of its type',
      { ...key, AuthorizationType: 'BASIC' },
      /ApiKeyAuthParameters is not valid/,
    ],
    [
      'two types',
      { ...key, AuthParameters: { ...key.AuthParameters, ...basic.AuthParameters } },
      /BasicAuth/,
    ],
    ['none', { AuthorizationType: 'BASIC', AuthParameters: {} }, /needs all of BasicAuthParameters/],
    [
      'a private API',
      { ...key, InvocationConnectivityParameters: {} },
      /InvocationConnectivityParameters is not supported/,
    ],
    ['a KMS key', { ...key, KmsKeyIdentifier: 'alias/a' }, /KmsKeyIdentifier is not supported/],
  ])('refuse a connection with %s', async (_, input, message) => {
    const fault = await faultOf(fixture.call('CreateConnection', { Name: 'c', ...input }));
    expect(fault).toMatchObject({
      code: 'ValidationException',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['http://hooks.example.com/', /is not HTTPS/],
    ['https://169.254.169.254/latest', /no public address/],
    ['https://localhost.example/*', undefined],
    ['https://*.example.com/', /\* stands in paths alone/],
    ['not a URL', /Must be a valid HTTPS URL/],
  ])('take an endpoint by where it leads: %s', async (InvocationEndpoint, message) => {
    const { ConnectionArn } = await fixture.call('CreateConnection', { Name: 'c', ...key });
    const made = fixture.call('CreateApiDestination', {
      Name: 'd',
      ConnectionArn,
      InvocationEndpoint,
      HttpMethod: 'GET',
    });
    if (message)
      expect(await faultOf(made)).toMatchObject({
        code: 'ValidationException',
        message: expect.stringMatching(message) as string,
      });
    else expect(await made).toMatchObject({ ApiDestinationState: 'ACTIVE' });
    const asks = oauth({ AuthorizationEndpoint: InvocationEndpoint });
    const connection = fixture.call('CreateConnection', { Name: 'o', ...asks });
    if (message) expect((await faultOf(connection)).code).toBe('ValidationException');
    else expect(await connection).toMatchObject({ ConnectionState: 'AUTHORIZING' });
  });

  it('answer ResourceAlreadyExistsException and ResourceNotFoundException', async () => {
    const { ConnectionArn } = await fixture.call('CreateConnection', { Name: 'c', ...key });
    expect((await faultOf(fixture.call('CreateConnection', { Name: 'c', ...key }))).code).toBe(
      'ResourceAlreadyExistsException',
    );
    const destination = {
      Name: 'd',
      ConnectionArn,
      InvocationEndpoint: 'https://a.example.com',
      HttpMethod: 'GET',
    };
    await fixture.call('CreateApiDestination', destination);
    expect((await faultOf(fixture.call('CreateApiDestination', destination))).code).toBe(
      'ResourceAlreadyExistsException',
    );
    const elsewhere = { ...destination, Name: 'e', ConnectionArn: `${ConnectionArn}1` };
    expect((await faultOf(fixture.call('CreateApiDestination', elsewhere))).code).toBe(
      'ResourceNotFoundException',
    );
    for (const [operation, input] of [
      ['DescribeConnection', {}],
      ['UpdateConnection', {}],
      ['DeleteConnection', {}],
      ['DeauthorizeConnection', {}],
      ['DescribeApiDestination', {}],
      ['UpdateApiDestination', {}],
      ['DeleteApiDestination', {}],
    ] as const) {
      expect((await faultOf(fixture.call(operation, { Name: 'none', ...input }))).code).toBe(
        'ResourceNotFoundException',
      );
    }
  });

  it('list by prefix, state and connection, page by page', async () => {
    for (const Name of ['a1', 'a2', 'b1']) await fixture.call('CreateConnection', { Name, ...key });
    await fixture.call('DeauthorizeConnection', { Name: 'a2' });
    const names = async (input: object) =>
      ((await fixture.call('ListConnections', input)) as { Connections: { Name: string }[] }).Connections.map(
        ({ Name }) => Name,
      );
    expect(await names({})).toEqual(['a1', 'a2', 'b1']);
    expect(await names({ NamePrefix: 'a' })).toEqual(['a1', 'a2']);
    expect(await names({ ConnectionState: 'DEAUTHORIZED' })).toEqual(['a2']);
    const first = await fixture.call('ListConnections', { Limit: 2 });
    expect(first.NextToken).toBeDefined();
    expect(await names({ Limit: 2, NextToken: first.NextToken })).toEqual(['b1']);
    const { ConnectionArn } = await fixture.call('DescribeConnection', { Name: 'a1' });
    const made = { ConnectionArn, InvocationEndpoint: 'https://a.example.com', HttpMethod: 'GET' };
    await fixture.call('CreateApiDestination', { Name: 'd', ...made });
    expect(await fixture.call('ListApiDestinations', { ConnectionArn })).toMatchObject({
      ApiDestinations: [{ Name: 'd', ApiDestinationState: 'ACTIVE', InvocationRateLimitPerSecond: 300 }],
    });
    expect(await fixture.call('ListApiDestinations', { NamePrefix: 'x' })).toEqual({ ApiDestinations: [] });
  });
});
