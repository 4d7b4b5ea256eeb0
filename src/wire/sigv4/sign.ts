import {
  canonicalRequest,
  emptySha256,
  encodeBytes,
  sha256Hex,
  stringToSign,
  type HeaderLine,
} from './canonical.ts';
import { formatTimestamp } from './claim.ts';
import { deriveSigningKey, formatScope, signText, type CredentialScope } from './signing-key.ts';

/** The secrets that a client signs with. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What a client wants signed, and for which service. */
export interface RequestToSign {
  readonly method: string;
  /** With scheme, host, path and query, as it will be sent. */
  readonly url: URL;
  /**
   * Headers to send and sign, besides those that signing adds. `x-amz-content-sha256` among them is what is signed for
   * the body, instead of its hash.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body; signed. Nothing when absent. */
  readonly body?: Uint8Array | string;
  readonly service: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  /** Epoch milliseconds. */
  readonly time: number;
}

/**
 * Signs a request as a client does, Signature Version 4 in the Authorization header. Returns all headers to send, names
 * in lower case; they include `host`, which `fetch` sets to the same by itself.
 */
export function signRequest(request: RequestToSign): Record<string, string> {
  const { url, credentials } = request;
  const timestamp = formatTimestamp(request.time);
  const headers: Record<string, string> = { host: url.host };
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  headers['x-amz-date'] = timestamp;
  const payloadHash = (headers['x-amz-content-sha256'] ??= bodyHash(request.body));
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;
  const lines = Object.entries(headers).map(([name, value]): HeaderLine => [name, toLatin1(value)]);
  const signedHeaders = Object.keys(headers).toSorted();
  const scope: CredentialScope = {
    date: timestamp.slice(0, 8),
    region: request.region,
    service: request.service,
  };
  const canonical = canonicalRequest(
    { method: request.method, path: url.pathname, query: url.search.slice(1), headers: lines },
    signedHeaders,
    payloadHash,
    request.service === 's3',
  );
  const key = deriveSigningKey(credentials.secretAccessKey, scope);
  const signature = signText(key, stringToSign(timestamp, formatScope(scope), canonical ?? ''));
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${formatScope(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return headers;
}

function bodyHash(body: Uint8Array | string | undefined): string {
  if (body === undefined || body.length === 0) return emptySha256;
  return sha256Hex(typeof body === 'string' ? Buffer.from(body, 'utf8') : body);
}

/** Text as the characters of its UTF-8 bytes, which is how the server sees a header. */
function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** What a presigned URL is for. */
export interface UrlToPresign extends Omit<RequestToSign, 'body' | 'headers'> {
  /** 1 to 604,800. */
  readonly expiresSeconds: number;
}

/** Signs a URL, so that it can be used without credentials until it expires. The body is not covered. */
export function presignUrl(request: UrlToPresign): URL {
  const { credentials, url } = request;
  const timestamp = formatTimestamp(request.time);
  const scope: CredentialScope = {
    date: timestamp.slice(0, 8),
    region: request.region,
    service: request.service,
  };
  const parameters: Record<string, string> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${formatScope(scope)}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': String(request.expiresSeconds),
    'X-Amz-SignedHeaders': 'host',
  };
  if (credentials.sessionToken !== undefined) parameters['X-Amz-Security-Token'] = credentials.sessionToken;
  const own = Object.entries(parameters).map(([name, value]) => `${name}=${encodeBytes(toLatin1(value))}`);
  const query = [url.search.slice(1), ...own].filter((part) => part !== '').join('&');
  const canonical = canonicalRequest(
    { method: request.method, path: url.pathname, query, headers: [['host', url.host]] },
    ['host'],
    request.service === 's3' ? 'UNSIGNED-PAYLOAD' : emptySha256,
    request.service === 's3',
  );
  const key = deriveSigningKey(credentials.secretAccessKey, scope);
  const signature = signText(key, stringToSign(timestamp, formatScope(scope), canonical ?? ''));
  const signed = new URL(url);
  signed.search = `${query}&X-Amz-Signature=${signature}`;
  return signed;
}
