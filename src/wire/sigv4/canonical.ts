import { hash } from 'node:crypto';

/** One header as it stood in the request: the name in lower case, the value untouched, bytes as Latin-1 characters. */
export type HeaderLine = readonly [name: string, value: string];

/**
 * What a signature covers. All text is Latin-1: one character is one byte that was received, so that what is hashed
 * is what the client sent, whatever encoding it had in mind.
 */
export interface SignedRequest {
  readonly method: string;
  /** Raw path, percent-encoding untouched. */
  readonly path: string;
  /** Raw query without the question mark. */
  readonly query: string;
  /** Every header line, in the order received, repeated ones apart. */
  readonly headers: readonly HeaderLine[];
}

/** The value of a header that stands once; undefined when it is absent. */
export function headerValue(headers: readonly HeaderLine[], name: string): string | undefined {
  return headers.find((line) => line[0] === name)?.[1].trim();
}

const unreserved = /^[A-Za-z0-9\-._~]*$/;
const hexDigits = '0123456789ABCDEF';

function isUnreserved(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** Percent-encodes every byte that RFC 3986 does not call unreserved ("URI-encode" of the signing documentation). */
export function encodeBytes(latin1: string): string {
  if (unreserved.test(latin1)) return latin1;
  let out = '';
  for (let at = 0; at < latin1.length; at++) {
    const code = latin1.charCodeAt(at) & 0xff;
    out += isUnreserved(code)
      ? String.fromCharCode(code)
      : `%${hexDigits.charAt(code >> 4)}${hexDigits.charAt(code & 15)}`;
  }
  return out;
}

/** Undoes percent-encoding byte by byte. A percent sign that no two hexadecimal digits follow stands for itself. */
function decodeBytes(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/**
 * Takes `.`, `..` and empty segments out of a raw path (RFC 3986, section 6, as the signing documentation asks for all
 * services but S3). What is routed must be this path, not the raw one: the signature says nothing about the difference.
 */
export function normalisePath(path: string): string {
  if (!/\/(?:\/|\.{1,2}(?:\/|$))/.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** The path as S3 signs it: decoded and encoded once, segment by segment, neither normalised nor encoded twice. */
function canonicalPathOnce(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeBytes(decodeBytes(segment)))
    .join('/');
}

/** The path as every other service signs it: normalised, then what was sent is encoded once more. */
function canonicalPathTwice(path: string): string {
  return normalisePath(path).split('/').map(encodeBytes).join('/');
}

/** Name and value of each query parameter, percent-decoded to bytes, in the order sent. */
export function queryPairs(query: string): (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const [name, value] = equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
      return [decodeBytes(name.replaceAll('+', ' ')), decodeBytes(value.replaceAll('+', ' '))] as const;
    });
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = queryPairs(query)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeBytes(name), encodeBytes(value)] as const);
  if (pairs.length > 1) {
    pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0));
  }
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/**
 * A header's value for signing: without white space at its ends, and inner runs of it as one space. White space is that
 * of ASCII: the byte A0, a blank to JavaScript, is the end of many a character in UTF-8.
 */
function canonicalValue(value: string): string {
  if (!/^[ \t]|[ \t]$|[ \t]{2}|\t/.test(value)) return value;
  return value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '');
}

/** `name:value` lines of the signed headers; undefined where the request lacks one of them. */
function canonicalHeaders(
  headers: readonly HeaderLine[],
  signedHeaders: readonly string[],
): string | undefined {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const earlier = values.get(name);
    const canonical = canonicalValue(value);
    values.set(name, earlier === undefined ? canonical : `${earlier},${canonical}`);
  }
  let lines = '';
  for (const name of signedHeaders) {
    const value = values.get(name);
    if (value === undefined) return undefined;
    lines += `${name}:${value}\n`;
  }
  return lines;
}

/**
 * The canonical request (IAM user guide, "Create a signed AWS API request", step 1). `signedHeaders` are sorted names in
 * lower case; `payloadHash` is a hexadecimal SHA-256 or one of the words that stand for it; `pathEncodedOnce` is set for
 * S3. Undefined when a signed header is not in the request.
 */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
  pathEncodedOnce: boolean,
): string | undefined {
  const headers = canonicalHeaders(request.headers, signedHeaders);
  if (headers === undefined) return undefined;
  const path = pathEncodedOnce ? canonicalPathOnce(request.path) : canonicalPathTwice(request.path);
  return `${request.method}\n${path}\n${canonicalQuery(request.query)}\n${headers}\n${signedHeaders.join(';')}\n${payloadHash}`;
}

/** The string to sign (step 3). `timestamp` is `YYYYMMDDTHHMMSSZ`, `scope` is `date/region/service/aws4_request`. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256Hex(Buffer.from(canonical, 'latin1'))}`;
}

export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** The SHA-256 of nothing. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
