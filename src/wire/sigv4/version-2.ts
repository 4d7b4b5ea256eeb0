import { createHmac } from 'node:crypto';
import { headerValue, queryPairs, type SignedRequest } from './canonical.ts';
import { s3Fault, signatureMismatch } from './faults.ts';
import { equalSignatures } from './signing-key.ts';

/**
 * Presigned URLs of Signature Version 2, which S3 takes beside those of Version 4, and which today's aws CLI makes where it
 * is not told otherwise ("Signing and authenticating REST requests", query string request authentication alternative, in the
 * S3 developer guide). Version 2 covers the method, the path, some query parameters, Content-MD5, Content-Type and every
 * x-amz-… header. What it does not cover could be changed by whoever holds the URL, and so is refused here.
 */

export interface Version2Claim {
  readonly accessKeyId: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

const keyParameter = 'AWSAccessKeyId';

/** Parameters that carry the signature; they are no part of the operation's input. */
const signatureParameters: ReadonlySet<string> = new Set([
  keyParameter,
  'Signature',
  'Expires',
  'x-amz-security-token',
]);

/** Query parameters that a signature covers as a part of the resource. */
const coveredParameters: ReadonlySet<string> = new Set([
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'delete',
  'inventory',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'select',
  'select-type',
  'storageClass',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/** What stands in the query for a header of the same name. */
const isHeaderParameter = (name: string): boolean =>
  name.startsWith('x-amz-') || name === 'content-type' || name === 'content-md5';

/** The access key of a URL that is presigned by Version 2, unchecked; undefined where it is not. */
export function version2Key(query: string): string | undefined {
  if (!query.includes(keyParameter)) return undefined;
  return queryPairs(query).find(([name]) => name === keyParameter)?.[1];
}

const refuse = (message: string) => s3Fault('InvalidArgument', 400, message);

/** Takes a URL presigned by Version 2 apart; undefined where it is not. Throws S3's refusals. */
export function readVersion2Claim(request: SignedRequest, now: number): Version2Claim | undefined {
  if (version2Key(request.query) === undefined) return undefined;
  const values = new Map<string, string>();
  for (const [name, value] of queryPairs(request.query)) {
    if (values.has(name)) throw refuse(`The query parameter ${name} stands twice.`);
    values.set(name, value);
    if (signatureParameters.has(name) || coveredParameters.has(name) || isHeaderParameter(name)) continue;
    throw refuse(`Signature Version 2 does not cover the query parameter ${name}; use Signature Version 4.`);
  }
  if (headerValue(request.headers, 'authorization') !== undefined) {
    throw refuse('Only one auth mechanism allowed; this URL is presigned and has an Authorization header.');
  }
  if (headerValue(request.headers, 'x-amz-content-sha256')?.startsWith('STREAMING-')) {
    throw refuse('Signature Version 2 knows no bodies in chunks; use Signature Version 4.');
  }
  const [signature, expires] = [values.get('Signature'), values.get('Expires')];
  if (signature === undefined || expires === undefined) {
    const message =
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters';
    throw s3Fault('AccessDenied', 403, message);
  }
  if (!/^\d{1,12}$/.test(expires))
    throw s3Fault('AccessDenied', 403, 'Invalid date (should be seconds since epoch)');
  const expiresAt = Number(expires) * 1000;
  if (now > expiresAt) {
    const times = { Expires: new Date(expiresAt).toISOString(), ServerTime: new Date(now).toISOString() };
    throw s3Fault('AccessDenied', 403, 'Request has expired', times);
  }
  const sessionToken =
    values.get('x-amz-security-token') ?? headerValue(request.headers, 'x-amz-security-token');
  return { accessKeyId: values.get(keyParameter) ?? '', expiresAt, signature, sessionToken };
}

/** Headers by name in lower case, also those that stand in the query alone; several of one name joined by commas. */
function headersOf(request: SignedRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value.trim() : `${before},${value.trim()}`);
  }
  // Clients write the headers that they signed into the URL, and may send them as well.
  for (const [name, value] of queryPairs(request.query)) {
    if (isHeaderParameter(name) && !headers.has(name)) headers.set(name, value.trim());
  }
  return headers;
}

function resourceOf(request: SignedRequest, bucket: string | undefined): string {
  const covered = queryPairs(request.query).filter(([name]) => coveredParameters.has(name));
  const parameters = covered
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    // One without a value was written without the equals sign, or with nothing behind it.
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
  const path = bucket === undefined ? request.path : `/${bucket}${request.path}`;
  return parameters === '' ? path : `${path}?${parameters}`;
}

function stringToSign(request: SignedRequest, claim: Version2Claim, bucket: string | undefined): string {
  const headers = headersOf(request);
  const amz = [...headers]
    .filter(([name]) => name.startsWith('x-amz-'))
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`);
  return [
    request.method,
    headers.get('content-md5') ?? '',
    headers.get('content-type') ?? '',
    String(claim.expiresAt / 1000),
    `${amz.join('')}${resourceOf(request, bucket)}`,
  ].join('\n');
}

/** Verifies the signature. `bucket` is that of the host, in virtual-host style. Throws S3's SignatureDoesNotMatch. */
export function verifyVersion2(
  request: SignedRequest,
  claim: Version2Claim,
  secretAccessKey: string,
  bucket: string | undefined,
): void {
  const text = Buffer.from(stringToSign(request, claim, bucket), 'latin1');
  const expected = createHmac('sha1', secretAccessKey).update(text).digest('base64');
  if (!equalSignatures(expected, claim.signature)) throw signatureMismatch('s3');
}

/** The query as the operation may see it. */
export function withoutVersion2(query: string): string {
  return query
    .split('&')
    .filter((part) => !queryPairs(part).some(([name]) => signatureParameters.has(name)))
    .join('&');
}
