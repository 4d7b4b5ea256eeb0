import { describe, expect, it } from 'vitest';
import { invocationRequest, InvocationError, type Invocation } from './invocation-request.ts';

const apiKey = { ApiKeyName: 'X-Key', ApiKeyValue: 'secret' };

function request(over: Partial<Invocation> = {}) {
  return invocationRequest({
    endpoint: 'https://hooks.example.com/a',
    method: 'POST',
    http: undefined,
    secret: { ApiKeyAuthParameters: apiKey },
    token: undefined,
    body: Buffer.from('{"a":1}'),
    ...over,
  });
}

const http = (over: Partial<NonNullable<Invocation['http']>>): Partial<Invocation> => ({
  http: { path: [], headers: {}, query: {}, ...over },
});

describe('the request that invokes an API destination', () => {
  it('has the headers that EventBridge includes ("Headers included in requests to API destinations")', () => {
    expect(request().headers).toEqual({
      'Content-Type': 'application/json; charset=utf-8',
      'User-Agent': 'Amazon/EventBridge/ApiDestinations',
      Range: 'bytes=0-1048575',
      'Accept-Encoding': 'gzip,deflate',
      'X-Key': 'secret',
    });
  });

  it('has another Content-Type where one is given, and the one of the connection before that of the target', () => {
    const given = http({ headers: { 'content-type': 'text/plain', 'X-A': 'target', 'X-B': 'target' } });
    expect(request(given).headers).toMatchObject({ 'content-type': 'text/plain', 'X-A': 'target' });
    const secret = {
      ApiKeyAuthParameters: apiKey,
      InvocationHttpParameters: {
        HeaderParameters: [{ Key: 'x-a', Value: 'connection', IsValueSecret: true }],
      },
    };
    const { headers } = request({ ...given, secret });
    expect(headers).toMatchObject({ 'x-a': 'connection', 'X-B': 'target' });
    expect(headers).not.toHaveProperty('X-A');
  });

  it('has none of the headers that EventBridge removes, and its own User-Agent and Range', () => {
    const removed =
      'A-IM Accept-Charset Accept-Datetime Cache-Control Content-Encoding Content-Length Content-MD5 Date Expect Forwarded From Host HTTP2-Settings If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Max-Forwards Origin Pragma Proxy-Authorization Referer TE Trailer Transfer-Encoding Upgrade Via Warning Connection';
    const names = removed.split(' ');
    const mine = ['User-Agent', 'range', 'ACCEPT-ENCODING'];
    const headers = Object.fromEntries([...names, ...mine].map((name) => [name, 'mine']));
    const sent = request(http({ headers })).headers;
    expect(Object.values(sent)).not.toContain('mine');
    expect(sent['User-Agent']).toBe('Amazon/EventBridge/ApiDestinations');
  });

  it('fills the * of the path in order, each as one segment', () => {
    const endpoint = 'https://hooks.example.com/a/*/b/*?c=*';
    const { url } = request({ endpoint, ...http({ path: ['x/y z', 'ü?#'] }) });
    expect(url.href).toBe('https://hooks.example.com/a/x%2Fy%20z/b/%C3%BC%3F%23?c=*');
  });

  it.each(['https:hooks.example.com/*', 'https:///hooks.example.com/*', 'HTTPS://hooks.example.com:443/*'])(
    'goes where %s leads when it is read as the URL that was checked',
    (endpoint) => {
      const { url } = request({ endpoint, ...http({ path: ['a'] }) });
      expect(url.href).toBe('https://hooks.example.com/a');
    },
  );

  it.each([
    ['..', /may not be \.\./],
    ['.', /may not be \./],
    ['%2e%2e', undefined],
  ])('does not leave the path by a parameter %s', (value, reason) => {
    const make = () => request({ endpoint: 'https://hooks.example.com/a/*/b', ...http({ path: [value] }) });
    if (reason) expect(make).toThrow(reason);
    else expect(make().url.pathname).toBe('/a/%252e%252e/b');
  });

  it('is none where the target has too few path parameters', () => {
    expect(() => request({ endpoint: 'https://hooks.example.com/*/*', ...http({ path: ['a'] }) })).toThrow(
      InvocationError,
    );
  });

  it('has the query of the endpoint, the target and the connection, of which the last wins', () => {
    const secret = {
      ApiKeyAuthParameters: apiKey,
      InvocationHttpParameters: {
        QueryStringParameters: [{ Key: 'b', Value: 'connection', IsValueSecret: false }],
      },
    };
    const { url } = request({
      endpoint: 'https://hooks.example.com/?a=endpoint',
      secret,
      ...http({ query: { b: 'target', c: 'a&b=ü' } }),
    });
    expect(Object.fromEntries(url.searchParams)).toEqual({ a: 'endpoint', b: 'connection', c: 'a&b=ü' });
  });

  it('has the body parameters of the connection among the members of the body', () => {
    const secret = {
      ApiKeyAuthParameters: apiKey,
      InvocationHttpParameters: { BodyParameters: [{ Key: 'token', Value: 'x', IsValueSecret: true }] },
    };
    expect(Buffer.from(request({ secret }).body).toString()).toBe('{"a":1,"token":"x"}');
    expect(() => request({ secret, body: Buffer.from('"text"') })).toThrow(/no JSON object/);
    // Without any, it is sent byte for byte.
    expect(Buffer.from(request({ body: Buffer.from('{ "a": 1.0 }') }).body).toString()).toBe('{ "a": 1.0 }');
  });

  it.each([
    ['BASIC', { BasicAuthParameters: { Username: 'me', Password: 'pw' } }, undefined, 'Basic bWU6cHc='],
    ['OAuth', {}, 'the-token', 'Bearer the-token'],
  ])('authorizes by %s', (_, secret, token, authorization) => {
    expect(request({ secret, token }).headers['Authorization']).toBe(authorization);
  });

  it("has the connection's authorization, whatever the target gives", () => {
    const secret = { BasicAuthParameters: { Username: 'me', Password: 'pw' } };
    const { headers } = request({ secret, ...http({ headers: { authorization: 'mine' } }) });
    expect(headers['Authorization']).toBe('Basic bWU6cHc=');
    expect(headers).not.toHaveProperty('authorization');
  });
});
