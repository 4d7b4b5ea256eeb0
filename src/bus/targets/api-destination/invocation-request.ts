import type { DeliveryHttp } from '../../delivery/delivery-entry.ts';
import type { HttpRequest } from '../http/http-client.ts';
import { namedValues, type ConnectionSecret } from './connection-secret.ts';

/** "Headers EventBridge removes from requests to API destinations". */
const removedHeaders = new Set(
  [
    'A-IM',
    'Accept-Charset',
    'Accept-Datetime',
    'Accept-Encoding',
    'Cache-Control',
    'Connection',
    'Content-Encoding',
    'Content-Length',
    'Content-MD5',
    'Date',
    'Expect',
    'Forwarded',
    'From',
    'Host',
    'HTTP2-Settings',
    'If-Match',
    'If-Modified-Since',
    'If-None-Match',
    'If-Range',
    'If-Unmodified-Since',
    'Max-Forwards',
    'Origin',
    'Pragma',
    'Proxy-Authorization',
    'Range',
    'Referer',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'User-Agent',
    'Upgrade',
    'Via',
    'Warning',
  ].map((name) => name.toLowerCase()),
);

/** "Headers included in requests to API destinations"; the client adds Connection, Content-Length and Host. */
const fixedHeaders = {
  'User-Agent': 'Amazon/EventBridge/ApiDestinations',
  Range: 'bytes=0-1048575',
  'Accept-Encoding': 'gzip,deflate',
} as const;
const usualContentType = 'application/json; charset=utf-8';

/** "Range: bytes=0-1048575": no more of an answer is of interest. */
const mostAnswerBytes = 1_048_576;

export interface Invocation {
  readonly endpoint: string;
  readonly method: string;
  readonly http: DeliveryHttp | undefined;
  readonly secret: ConnectionSecret;
  /** Of an OAuth connection. */
  readonly token: string | undefined;
  readonly body: Uint8Array;
}

/** A request that cannot be made of what the target and the connection say. */
export class InvocationError extends Error {
  override name = 'InvocationError';
}

const dotSegment = /^(?:\.|%2e){1,2}$/i;

/** The `*` of the path are filled with the values, in order ("PathParameterValues"). */
function fillPath(endpoint: string, values: readonly string[]): URL {
  // As it was read when the endpoint was checked: `https:/host/*` leads where `https://host/*` does.
  const url = new URL(endpoint);
  let at = 0;
  const filled = url.pathname.split('/').map((segment) => {
    if (!segment.includes('*')) return segment;
    const value = segment.replaceAll('*', () => {
      const next = values[at++];
      if (next === undefined)
        throw new InvocationError('the endpoint has more * in its path than the target has path parameters');
      return encodeURIComponent(next.toWellFormed());
    });
    // It would lead elsewhere on the server.
    if (dotSegment.test(value)) throw new InvocationError(`a path parameter may not be ${value}`);
    return value;
  });
  url.pathname = filled.join('/');
  return url;
}

/** "In the latter case, these are merged with any InvocationParameters specified on the Connection, with any values from the Connection taking precedence." */
function urlOf({ endpoint, http, secret }: Invocation): URL {
  const url = fillPath(endpoint, http?.path ?? []);
  for (const [key, value] of Object.entries(http?.query ?? {})) url.searchParams.set(key, value);
  for (const [key, value] of namedValues(secret.InvocationHttpParameters, 'QueryStringParameters'))
    url.searchParams.set(key, value);
  return url;
}

function authorizationOf({ secret, token }: Invocation): readonly (readonly [string, string])[] {
  if (token !== undefined) return [['Authorization', `Bearer ${token}`]];
  const { BasicAuthParameters: basic, ApiKeyAuthParameters: key } = secret;
  if (basic) {
    const pair = Buffer.from(`${basic.Username}:${basic.Password}`).toString('base64');
    return [['Authorization', `Basic ${pair}`]];
  }
  return key ? [[key.ApiKeyName ?? '', key.ApiKeyValue ?? '']] : [];
}

function headersOf(invocation: Invocation): Readonly<Record<string, string>> {
  const { http, secret } = invocation;
  const given = [
    ['Content-Type', usualContentType] as const,
    ...Object.entries(http?.headers ?? {}),
    ...namedValues(secret.InvocationHttpParameters, 'HeaderParameters'),
    ...authorizationOf(invocation),
  ];
  const headers = new Map<string, readonly [string, string]>();
  for (const [name, value] of given) {
    if (!removedHeaders.has(name.toLowerCase())) headers.set(name.toLowerCase(), [name, value]);
  }
  return { ...Object.fromEntries(headers.values()), ...fixedHeaders };
}

/** The body with the connection's parameters among its members. */
function bodyOf({ body, secret }: Invocation): Uint8Array {
  const added = namedValues(secret.InvocationHttpParameters, 'BodyParameters');
  if (added.length === 0) return body;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString());
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvocationError('the connection has body parameters, and what is sent is no JSON object');
  }
  return Buffer.from(JSON.stringify({ ...value, ...Object.fromEntries(added) }));
}

/** The request that invokes an API destination ("API destinations as targets"). Throws InvocationError. */
export function invocationRequest(invocation: Invocation): HttpRequest {
  return {
    url: urlOf(invocation),
    method: invocation.method,
    headers: headersOf(invocation),
    body: bodyOf(invocation),
    mostBodyBytes: mostAnswerBytes,
  };
}
