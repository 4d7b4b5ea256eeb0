import { describe, expect, it } from 'vitest';
import { tokenRequest } from './oauth-request.ts';

const request = (HeaderParameters: readonly { readonly Key: string; readonly Value: string }[]) =>
  tokenRequest({
    OAuthParameters: {
      ClientParameters: { ClientID: 'client', ClientSecret: 'secret' },
      AuthorizationEndpoint: 'https://login.example.com/token',
      HttpMethod: 'POST',
      OAuthHttpParameters: { HeaderParameters: [...HeaderParameters] },
    },
  });

describe('the request for a token', () => {
  it('has the headers of the connection', () => {
    const headers = request([
      { Key: 'X-Tenant', Value: 'shop' },
      { Key: 'user-agent', Value: 'mine' },
      { Key: 'content-type', Value: 'application/json' },
    ]);
    expect(headers).toMatchObject({
      headers: { 'X-Tenant': 'shop', 'user-agent': 'mine', 'Content-Type': 'application/json' },
      body: Buffer.from('{"grant_type":"client_credentials","client_id":"client","client_secret":"secret"}'),
    });
  });

  // A server that is allowed to be asked would else be told to be another, or where a second request begins.
  it.each(
    'Host HOST Connection Content-Length content-length Expect HTTP2-Settings Keep-Alive Proxy-Authorization proxy-connection TE Trailer Transfer-Encoding Upgrade'.split(
      ' ',
    ),
  )('has no header %s of the connection', (Key) => {
    expect(request([{ Key, Value: 'mine' }]).headers).toEqual(request([]).headers);
  });
});
