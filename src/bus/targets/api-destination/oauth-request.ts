import type { HttpAnswer, HttpRequest } from '../http/http-client.ts';
import { namedValues, type ConnectionSecret } from './connection-secret.ts';

/** An answer that is longer than this is no token. */
const mostAnswerBytes = 64 * 1024;

/** Headers that say which server is meant and where the message ends: those of the request itself, which no parameter replaces. */
const messageHeaders =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** An access token, and when it ends: epoch milliseconds. */
export interface OAuthToken {
  readonly value: string;
  readonly expiresAt: number;
}

export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: OAuthToken }
  /** `isRefused` says that the server does not know the client, so that asking again is no use. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isRefused: boolean };

/**
 * The request for a token by the client credentials grant (RFC 6749, section 4.4). AWS does not document how it authenticates:
 * here the client's id and secret stand in the body, as a form or, where the connection says so, as JSON; GET has them in the
 * header Authorization, because URLs end up in logs.
 */
export function tokenRequest(secret: ConnectionSecret): HttpRequest {
  const {
    ClientParameters: client,
    AuthorizationEndpoint = '',
    HttpMethod = 'POST',
  } = secret.OAuthParameters ?? {};
  const parameters = secret.OAuthParameters?.OAuthHttpParameters;
  const url = new URL(AuthorizationEndpoint);
  for (const [key, value] of namedValues(parameters, 'QueryStringParameters'))
    url.searchParams.set(key, value);
  const { ClientID: id = '', ClientSecret: password = '' } = client ?? {};
  const isGet = HttpMethod === 'GET';
  const members = {
    grant_type: 'client_credentials',
    ...(!isGet && { client_id: id, client_secret: password }),
    ...Object.fromEntries(namedValues(parameters, 'BodyParameters')),
  };
  if (isGet) for (const [key, value] of Object.entries(members)) url.searchParams.set(key, value);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (isGet) headers['Authorization'] = `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;
  else headers['Content-Type'] = 'application/x-www-form-urlencoded';
  for (const [name, value] of namedValues(parameters, 'HeaderParameters')) {
    if (messageHeaders.test(name)) continue;
    const same = Object.keys(headers).find((one) => one.toLowerCase() === name.toLowerCase());
    headers[same ?? name] = value;
  }
  const isJson = headers['Content-Type']?.toLowerCase().startsWith('application/json') === true;
  const body = isJson ? JSON.stringify(members) : new URLSearchParams(members).toString();
  return {
    url,
    method: HttpMethod,
    headers,
    body: Buffer.from(isGet ? '' : body),
    mostBodyBytes: mostAnswerBytes,
  };
}

interface TokenMembers {
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
}

function parseAnswer(body: Buffer): TokenMembers | null {
  try {
    return JSON.parse(body.toString()) as TokenMembers | null;
  } catch {
    // What was answered is not said: it may hold half a token.
    return null;
  }
}

/** What an authorization server answered. */
export function readToken(answer: HttpAnswer, now: number): TokenAnswer {
  if (answer.kind === 'failed') return { ...answer, isRefused: false };
  const { status, body, isWhole } = answer;
  if (status < 200 || status > 299) {
    const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return { kind: 'failed', reason: `the authorization server answered ${status}`, isRefused };
  }
  const found = isWhole ? parseAnswer(body) : null;
  const value = found?.access_token;
  if (typeof value !== 'string' || value === '' || !/^[\x21-\x7e]+$/.test(value)) {
    return { kind: 'failed', reason: 'the authorization server answered no access token', isRefused: false };
  }
  const seconds = Number(found?.expires_in ?? Number.NaN);
  return {
    kind: 'token',
    token: { value, expiresAt: Number.isFinite(seconds) ? now + seconds * 1000 : Infinity },
  };
}
