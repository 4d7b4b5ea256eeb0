import { afterEach, describe, expect, it } from 'vitest';
import { DiskFullError, OverloadError } from '../../kernel/index.ts';
import type { HttpRoute, RouteRequest } from '../endpoint.ts';
import { presignUrl, signRequest } from '../sigv4/index.ts';
import { openTestEndpoint, type TestEndpoint } from '../test-endpoint.ts';
import { findRoute, isOwnPath } from './own-routes.ts';

let open: TestEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.map((endpoint) => endpoint.close()));
  open = [];
});

async function endpointWith(edit: Parameters<typeof openTestEndpoint>[0]): Promise<TestEndpoint> {
  const endpoint = await openTestEndpoint(edit);
  open.push(endpoint);
  return endpoint;
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly service?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks as the command line does: signed for `cairn`. */
function ask(endpoint: TestEndpoint, { method = 'GET', path, body, service = 'cairn', headers = {} }: Asked) {
  const url = new URL(endpoint.url + path);
  const signed = signRequest({
    method,
    url,
    headers,
    service,
    region: 'eu-central-1',
    credentials: endpoint.credentials,
    time: endpoint.clock.now(),
    ...(body === undefined ? {} : { body }),
  });
  return fetch(url, { method, headers: signed, ...(body === undefined ? {} : { body }) });
}

/** A route that keeps what it was asked and says back the body. */
function echo(edit: Partial<HttpRoute<undefined>> = {}) {
  const asked: RouteRequest[] = [];
  const route: HttpRoute<undefined> = {
    method: 'GET',
    path: '/_cairn/echo',
    operationName: 'Echo',
    access: 'read',
    async handle(request) {
      asked.push(request);
      const pieces: Uint8Array[] = [];
      for await (const piece of request.body) pieces.push(piece);
      return {
        status: 200,
        headers: { 'Content-Type': 'text/plain' },
        body: `${request.path}: ${Buffer.concat(pieces).toString()}`,
        recorded: { count: 1 },
      };
    },
    ...edit,
  };
  return { route, asked };
}

describe("Cairn's own paths", () => {
  it('signed: performed and recorded as an operation of the service cairn', async () => {
    const { route, asked } = echo();
    const endpoint = await endpointWith({ routes: [route] });
    const answer = await ask(endpoint, {
      path: '/_cairn/echo?eventName=A%20b&ip=1&ip=2',
      headers: { 'x-custom': 'y' },
    });
    expect([answer.status, await answer.text()]).toEqual([200, '/_cairn/echo: ']);
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    const performed = endpoint.performed.at(-1)!;
    expect(performed).toMatchObject({
      service: { name: 'cairn', eventSource: 'cairn', iamPrefix: 'cairn' },
      operationName: 'Echo',
      call: { region: 'eu-central-1', principal: { type: 'Root' } },
    });
    expect(await performed.operation!.needs!({}, performed.call)).toEqual([
      { action: 'cairn:Echo', resource: '*' },
    ]);
    expect(await performed.operation!.recorded!({}, undefined, performed.call, async () => null)).toEqual({
      requestParameters: { eventName: 'A b', ip: ['1', '2'] },
      responseElements: null,
    });
    expect(asked[0]!.call).toBe(performed.call);
    expect(asked[0]!.headers['x-custom']).toBe('y');
    expect(Object.keys(asked[0]!.headers)).not.toContain('authorization');
    expect(endpoint.reports.at(-1)).toMatchObject({
      service: 'cairn',
      operation: 'Echo',
      status: 200,
      errorCode: undefined,
    });
  });

  it('a body comes as it was signed', async () => {
    const { route } = echo({ method: 'POST', access: 'write' });
    const endpoint = await endpointWith({ routes: [route] });
    const answer = await ask(endpoint, { method: 'POST', path: '/_cairn/echo', body: 'hello' });
    expect(await answer.text()).toBe('/_cairn/echo: hello');
    const url = new URL(`${endpoint.url}/_cairn/echo`);
    const headers = signRequest({
      method: 'POST',
      url,
      body: 'hello',
      service: 'cairn',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: endpoint.clock.now(),
    });
    const tampered = await fetch(url, { method: 'POST', headers, body: 'jello' });
    expect([tampered.status, await tampered.json()]).toEqual([
      403,
      expect.objectContaining({ message: expect.stringContaining('signature') }),
    ]);
  });

  it('a call that was performed once is not performed again', async () => {
    const { route } = echo({ method: 'POST', access: 'write' });
    const endpoint = await endpointWith({
      routes: [route],
      pipeline: {
        async perform({ operation, input, call }) {
          await operation!.handle(input, call, undefined);
          return operation!.handle(input, call, undefined);
        },
      },
    });
    const answer = await ask(endpoint, { method: 'POST', path: '/_cairn/echo', body: 'x' });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([409, 'ConflictException']);
  });

  it('signed for another service, changed, or not signed at all: refused and recorded', async () => {
    const { route, asked } = echo();
    const endpoint = await endpointWith({ routes: [route] });
    const other = await ask(endpoint, { path: '/_cairn/echo', service: 'iam' });
    expect([other.status, await other.json()]).toEqual([
      403,
      expect.objectContaining({ message: "Credential should be scoped to correct service: 'cairn'." }),
    ]);
    const unsigned = await fetch(`${endpoint.url}/_cairn/echo`);
    expect([unsigned.status, unsigned.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ]);
    expect(endpoint.rejected).toMatchObject([
      { operationName: 'Echo', service: { name: 'cairn' }, call: { principal: { type: 'Root' } } },
      { operationName: 'Echo', service: { name: 'cairn' }, call: undefined, claimedAccessKeyId: undefined },
    ]);
    expect(asked).toEqual([]);
  });

  it('presigned, for a download link', async () => {
    const { route, asked } = echo();
    const endpoint = await endpointWith({ routes: [route] });
    const url = presignUrl({
      method: 'GET',
      url: new URL(`${endpoint.url}/_cairn/echo?a=1`),
      service: 'cairn',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: endpoint.clock.now(),
      expiresSeconds: 60,
    });
    expect((await fetch(url)).status).toBe(200);
    expect(String(asked[0]!.query)).toBe('a=1');
  });

  it('presigned for a session: the token reaches neither the route nor the record, however its name is spelt', async () => {
    const { route, asked } = echo();
    const endpoint = await endpointWith({ routes: [route] });
    const url = presignUrl({
      method: 'GET',
      url: new URL(`${endpoint.url}/_cairn/echo?a=1`),
      service: 'cairn',
      region: 'us-east-1',
      credentials: { ...endpoint.credentials, accessKeyId: 'ASIASESSION', sessionToken: 'the-token' },
      time: endpoint.clock.now(),
      expiresSeconds: 60,
    });
    const respelt = String(url).replace('X-Amz-Security-Token', 'X-Amz-Security-%54oken');
    expect((await fetch(respelt)).status).toBe(200);
    expect(String(asked[0]!.query)).toBe('a=1');
  });

  it('unsigned where the route says so, and then neither performed nor recorded', async () => {
    const { route } = echo({ unsigned: true });
    const endpoint = await endpointWith({ routes: [route] });
    expect(await (await fetch(`${endpoint.url}/_cairn/echo`)).text()).toBe('/_cairn/echo: ');
    const head = await fetch(`${endpoint.url}/_cairn/echo`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '14', '']);
    expect([endpoint.performed, endpoint.rejected]).toEqual([[], []]);
  });

  it('nothing there, or not with this method', async () => {
    const { route } = echo();
    const endpoint = await endpointWith({ routes: [route] });
    expect((await ask(endpoint, { path: '/_cairn/nothing' })).status).toBe(404);
    const wrong = await ask(endpoint, { method: 'POST', path: '/_cairn/echo', body: '' });
    expect([wrong.status, await wrong.json()]).toEqual([
      405,
      expect.objectContaining({ message: 'This path takes GET.' }),
    ]);
  });

  it('the path that is routed is the one that is signed', async () => {
    const { route } = echo({ path: '/_cairn/a/b' });
    const endpoint = await endpointWith({ routes: [route] });
    const url = new URL(`${endpoint.url}/_cairn/a/b`);
    const headers = signRequest({
      method: 'GET',
      url,
      service: 'cairn',
      region: 'us-east-1',
      credentials: endpoint.credentials,
      time: endpoint.clock.now(),
    });
    // Signature Version 4 signs the normalised path, so that both of these carry a valid signature for /_cairn/a/b.
    for (const path of ['/_cairn/a//b', '/_cairn/a/b']) {
      const answer = await fetch(endpoint.url + path, { headers });
      expect([answer.status, await answer.text()]).toEqual([200, '/_cairn/a/b: ']);
    }
  });
});

describe('failures of the program', () => {
  it.each([
    [new OverloadError('full'), 503, 'ServiceUnavailableException', /Too many requests/],
    [new DiskFullError('full'), 503, 'ServiceUnavailableException', /The disk is full/],
    [new TypeError('secret cause'), 500, 'InternalFailure', /unknown error/],
  ])('%s', async (error, status, code, message) => {
    const { route } = echo();
    const endpoint = await endpointWith({
      routes: [route],
      pipeline: {
        perform: async () => {
          throw error;
        },
      },
    });
    const answer = await ask(endpoint, { path: '/_cairn/echo' });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, code]);
    expect(await answer.text()).toMatch(message);
    expect(endpoint.logged()).toContain(answer.headers.get('x-amzn-requestid'));
    expect(endpoint.reports.at(-1)).toMatchObject({ status });
  });

  it('an attempt that cannot be recorded is told so', async () => {
    const endpoint = await endpointWith({
      routes: [echo().route],
      pipeline: { recordRejected: () => Promise.reject(new DiskFullError('full')) },
    });
    const answer = await fetch(`${endpoint.url}/_cairn/echo`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ message: expect.stringContaining('disk is full') }),
    ]);
  });

  it('nothing secret is logged', async () => {
    const endpoint = await endpointWith({
      routes: [echo().route],
      pipeline: { perform: () => Promise.reject(new Error('broken')) },
    });
    await ask(endpoint, { path: '/_cairn/echo' });
    expect(endpoint.logged()).toContain('broken');
    expect(endpoint.logged()).not.toMatch(/wJalrXUtnFEMI|Signature=|AWS4-HMAC/);
  });
});

function routeAt(path: string, method: 'GET' | 'POST' = 'GET'): HttpRoute<undefined> {
  return { ...echo().route, path, method };
}

describe('finding a route', () => {
  const routes = [
    routeAt('/console/*'),
    routeAt('/console/assets/*'),
    routeAt('/_cairn/events'),
    routeAt('/_cairn/events', 'POST'),
    routeAt('/_cairn/*'),
  ];

  it.each([
    ['GET', '/_cairn/events', '/_cairn/events'],
    ['POST', '/_cairn/events', '/_cairn/events'],
    ['HEAD', '/_cairn/events', '/_cairn/events'],
    ['GET', '/_cairn/other/deep', '/_cairn/*'],
    ['GET', '/console/', '/console/*'],
    ['GET', '/console/assets/x.js', '/console/assets/*'],
  ])('%s %s is %s', (method, path, expected) => {
    expect(findRoute(routes, method, path)).toMatchObject({
      path: expected,
      method: method === 'HEAD' ? 'GET' : method,
    });
  });

  it.each([
    ['DELETE', '/_cairn/events', 'MethodNotAllowedException'],
    ['POST', '/console/x', 'MethodNotAllowedException'],
    ['GET', '/elsewhere', 'ResourceNotFoundException'],
    ['GET', '/_cairn', 'ResourceNotFoundException'],
  ])('%s %s is %s', (method, path, code) => {
    expect(() => findRoute(routes, method, path)).toThrow(expect.objectContaining({ code }));
  });

  it('a bucket named console stays reachable', () => {
    expect(isOwnPath('/console/key', undefined)).toBe(true);
    expect(isOwnPath('/console/key', 'cairn')).toBe(true);
    expect(isOwnPath('/console/key', 's3')).toBe(false);
    expect(isOwnPath('/_cairn/key', 's3')).toBe(true);
    expect(isOwnPath('/consoles', undefined)).toBe(false);
  });
});
