import { AwsFault, region } from '../../kernel/index.ts';
import type { Credential, FindCredential } from '../endpoint.ts';
import type { ReceivedRequest } from '../http/index.ts';
import { bucketOfHost, type WireRequest } from '../protocol/index.ts';
import type { Call } from '../service.ts';
import {
  badScope,
  checkClaim,
  credentialFault,
  emptySha256,
  hasChecksum,
  payloadHashText,
  payloadMode,
  queryPairs,
  readClaim,
  readVersion2Claim,
  sha256Hex,
  signatureMismatch,
  signatureParameters,
  uncoveredPayload,
  verifiedPayload,
  verifySignature,
  verifyVersion2,
  withoutVersion2,
  type Dialect,
  type PayloadMode,
  type SignatureClaim,
  type SigningKeys,
  type Version2Claim,
} from '../sigv4/index.ts';
import type { RawBody } from './request-body.ts';

/** A request whose caller is known. */
export interface Authenticated {
  readonly call: Call;
  /** The service that the signature is for. */
  readonly signingName: string;
  /** What was signed, without the signature. */
  readonly wire: WireRequest;
  /** The body, all of it and verified. */
  whole(): Promise<Uint8Array>;
  /** The body as it arrives; verified only once it has ended without an error. */
  stream(): AsyncIterable<Uint8Array>;
}

export interface Authentication {
  /** The request with the path that is verified, and without secrets. */
  readonly seen: WireRequest;
  readonly dialect: Dialect;
  readonly now: number;
  readonly keys: SigningKeys;
  readonly findCredential: FindCredential;
}

/**
 * Finds out who sent a request, and that nobody changed it on the way. Undefined when it carries no signature.
 * The signature is verified before the body is read, wherever the request says its hash, and else before anything but
 * its hash is made of it. Throws AwsFault in the words of the service that was called.
 */
export async function authenticate(
  request: ReceivedRequest,
  body: RawBody,
  { seen, dialect, now, keys, findCredential }: Authentication,
): Promise<Authenticated | undefined> {
  const { signed } = request;
  const version2 = dialect === 's3' ? readVersion2Claim(signed, now) : undefined;
  if (version2) return authenticateVersion2(request, body, version2, { seen, dialect, findCredential });
  const claim = readClaim(signed, dialect);
  if (!claim) return undefined;
  checkClaim(signed, claim, dialect, now);
  const mode = payloadMode(signed, claim, dialect);
  const credential = await credentialOf(findCredential, claim, dialect);
  const actual = mode.kind === 'undeclared' ? sha256Hex(await body.unproven()) : undefined;
  const payloadHash = payloadHashText(signed, claim, actual);
  const verified = verifySignature(signed, claim, credential.secretAccessKey, payloadHash, dialect, keys);
  const stream = () =>
    mode.kind === 'undeclared'
      ? body.stream()
      : verifiedPayload(signed, body.stream(), mode, verified, dialect);
  const isUrlOfS3 = dialect === 's3' && claim.form === 'query';
  const payload = claim.form === 'header' ? seen.headers['x-amz-content-sha256'] : undefined;
  return {
    call: {
      ...callFacts(request, credential),
      region: region(claim.scope.region),
      ...(claim.form === 'query' && { authenticationMethod: 'QueryString' as const }),
      signature: { version: 'SigV4', madeAt: claim.time, ...(payload !== undefined && { payload }) },
    },
    signingName: claim.scope.service,
    wire: isUrlOfS3 ? headersOfUrl(withoutSignature(seen, claim, mode)) : withoutSignature(seen, claim, mode),
    stream,
    whole: () => verifiedWhole(body, mode, { dialect, checksummed: hasChecksum(signed), stream }),
  };
}

/** The region of a call whose signature names none. Nothing of S3's objects depends on it. */
const unnamedRegion = region('us-east-1');

/** A URL presigned by Signature Version 2, whose body is not covered by it. */
async function authenticateVersion2(
  request: ReceivedRequest,
  body: RawBody,
  claim: Version2Claim,
  { seen, dialect, findCredential }: Pick<Authentication, 'seen' | 'dialect' | 'findCredential'>,
): Promise<Authenticated> {
  const credential = await credentialOf(findCredential, claim, dialect);
  verifyVersion2(request.signed, claim, credential.secretAccessKey, bucketOfHost(request.host));
  const stream = () => uncoveredPayload(request.signed, body.stream());
  return {
    call: {
      ...callFacts(request, credential),
      region: unnamedRegion,
      authenticationMethod: 'QueryString',
      signature: { version: 'SigV2' },
    },
    signingName: 's3',
    wire: headersOfUrl({ ...seen, query: withoutVersion2(seen.query) }),
    stream,
    whole: () =>
      verifiedWhole(
        body,
        { kind: 'unsigned' },
        { dialect, checksummed: hasChecksum(request.signed), stream },
      ),
  };
}

function credentialOf(
  findCredential: FindCredential,
  { accessKeyId, sessionToken }: Pick<SignatureClaim, 'accessKeyId' | 'sessionToken'>,
  dialect: Dialect,
): Promise<Credential> {
  return findCredential(accessKeyId, sessionToken).catch((error: unknown) => {
    throw error instanceof AwsFault ? credentialFault(dialect, error) : error;
  });
}

function callFacts(request: ReceivedRequest, { principal }: Credential): Omit<Call, 'region'> {
  const { referer } = request.headers;
  return {
    principal,
    accountId: principal.accountId,
    time: request.time,
    requestId: request.requestId,
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    ...(referer !== undefined && { referer }),
    tls: request.tls,
    host: request.host,
  };
}

/** Within the bound on bodies in memory, framing included; hashed in one go, which is much faster than piece by piece. */
async function verifiedWhole(
  body: RawBody,
  mode: PayloadMode,
  {
    dialect,
    checksummed,
    stream,
  }: {
    readonly dialect: Dialect;
    readonly checksummed: boolean;
    readonly stream: () => AsyncIterable<Uint8Array>;
  },
): Promise<Uint8Array> {
  const bytes = await body.whole();
  if (mode.kind === 'undeclared') return bytes;
  if (mode.kind === 'hashed' && dialect === 'aws') {
    if (sha256Hex(bytes) !== mode.sha256) throw signatureMismatch(dialect);
    return bytes;
  }
  if (bytes.length === 0 && mode.kind === 'hashed' && mode.sha256 === emptySha256 && !checksummed)
    return bytes;
  const pieces: Uint8Array[] = [];
  for await (const piece of stream()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What the operation may see, without what a presigned URL or the framing of chunks adds. */
function withoutSignature(seen: WireRequest, claim: SignatureClaim, mode: PayloadMode): WireRequest {
  return {
    ...seen,
    query: claim.form === 'query' ? withoutParameters(seen.query) : seen.query,
    headers: mode.kind === 'chunked' ? unframedHeaders(seen.headers, mode.decodedLength) : seen.headers,
  };
}

const isHeader = (name: string): boolean => /^x-amz-(?!checksum-|sdk-checksum-algorithm$)/i.test(name);

/**
 * A presigned URL of S3 with the headers that its maker wrote into it, such as x-amz-meta-…, as headers. Checksums are left
 * out, as S3 does: whoever makes a URL cannot know the body, and SDKs write that of an empty one.
 */
function headersOfUrl(seen: WireRequest): WireRequest {
  const pairs = queryPairs(seen.query).filter(([name]) => isHeader(name));
  if (pairs.length === 0) return seen;
  const headers = Object.assign(Object.create(null) as Record<string, string>, seen.headers);
  for (const [name, value] of pairs) headers[name.toLowerCase()] ??= value;
  const query = seen.query
    .split('&')
    .filter((part) => !queryPairs(part).some(([name]) => isHeader(name)))
    .join('&');
  return { ...seen, headers, query };
}

function withoutParameters(query: string): string {
  return query
    .split('&')
    .filter((part) => !queryPairs(part).some(([name]) => signatureParameters.has(name)))
    .join('&');
}

/** The headers that an operation may see: all but the signature and the session token. */
export function visibleHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const visible = Object.create(null) as Record<string, string>;
  for (const name in headers) {
    if (name !== 'authorization' && name !== 'x-amz-security-token') visible[name] = headers[name] ?? '';
  }
  return visible;
}

/** For a body in chunks, the headers as they would be without the framing. */
function unframedHeaders(
  headers: Readonly<Record<string, string>>,
  decodedLength: number,
): Readonly<Record<string, string>> {
  const { 'content-encoding': encoding = '', ...others } = headers;
  const encodings = encoding
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name.toLowerCase() !== 'aws-chunked');
  return Object.assign(Object.create(null) as Record<string, string>, others, {
    'content-length': String(decodedLength),
    ...(encodings.length > 0 ? { 'content-encoding': encodings.join(',') } : {}),
  });
}

/** Throws unless the signature is for `service`. */
export function checkService(authenticated: Authenticated, service: string, dialect: Dialect): void {
  if (authenticated.signingName === service) return;
  throw badScope(dialect, `Credential should be scoped to correct service: '${service}'.`);
}
