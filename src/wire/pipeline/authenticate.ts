import { AwsFault, region } from '../../kernel/index.ts';
import type { FindCredential } from '../endpoint.ts';
import type { ReceivedRequest } from '../http/index.ts';
import type { WireRequest } from '../protocol/index.ts';
import type { Call } from '../service.ts';
import {
  badScope,
  checkClaim,
  credentialFault,
  normalisePath,
  payloadHashText,
  payloadMode,
  readClaim,
  sha256Hex,
  signatureMismatch,
  signatureParameters,
  verifiedPayload,
  verifySignature,
  type Dialect,
  type PayloadMode,
  type SignatureClaim,
  type SigningKeys,
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
  { dialect, now, keys, findCredential }: Authentication,
): Promise<Authenticated | undefined> {
  const { signed } = request;
  const claim = readClaim(signed, dialect);
  if (!claim) return undefined;
  checkClaim(signed, claim, dialect, now);
  const mode = payloadMode(signed, claim, dialect, request.secure);
  const credential = await findCredential(claim.accessKeyId, claim.sessionToken).catch((error: unknown) => {
    throw error instanceof AwsFault ? credentialFault(dialect, error) : error;
  });
  const actual = mode.kind === 'undeclared' ? sha256Hex(await body.whole()) : undefined;
  const payloadHash = payloadHashText(signed, claim, actual);
  const verified = verifySignature(signed, claim, credential.secretAccessKey, payloadHash, dialect, keys);
  const stream = () =>
    mode.kind === 'undeclared'
      ? body.stream()
      : verifiedPayload(signed, body.stream(), mode, verified, dialect);
  return {
    call: {
      principal: credential.principal,
      accountId: credential.principal.accountId,
      region: region(claim.scope.region),
      time: request.time,
      requestId: request.requestId,
      sourceIp: request.sourceIp,
      userAgent: request.userAgent,
      tls: request.tls,
      host: request.host,
    },
    signingName: claim.scope.service,
    wire: withoutSignature(request, claim, mode),
    stream,
    whole: () => verifiedWhole(body, mode, dialect, stream),
  };
}

/** Bodies in memory are hashed in one go, which is several times faster than piece by piece. */
async function verifiedWhole(
  body: RawBody,
  mode: PayloadMode,
  dialect: Dialect,
  stream: () => AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  if (mode.kind === 'undeclared') return body.whole();
  const bytes = mode.kind === 'chunked' ? undefined : await body.whole();
  if (bytes && mode.kind === 'hashed' && dialect === 'aws') {
    if (sha256Hex(bytes) !== mode.sha256) throw signatureMismatch(dialect);
    return bytes;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of stream()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What the operation may see: the path that was verified, and neither signature nor session token. */
function withoutSignature(request: ReceivedRequest, claim: SignatureClaim, mode: PayloadMode): WireRequest {
  const { path, query, method } = request.signed;
  return {
    method,
    path: claim.scope.service === 's3' ? path : normalisePath(path),
    query: claim.form === 'query' ? withoutParameters(query) : query,
    headers: visibleHeaders(request.headers, mode),
    host: request.host,
  };
}

function withoutParameters(query: string): string {
  return query
    .split('&')
    .filter((part) => !signatureParameters.has(part.replace(/=.*$/s, '')))
    .join('&');
}

/** The headers without secrets, and for a body in chunks with what they say of the body inside the chunks. */
export function visibleHeaders(
  headers: Readonly<Record<string, string>>,
  mode?: PayloadMode,
): Readonly<Record<string, string>> {
  const visible = Object.assign(Object.create(null) as Record<string, string>, headers);
  delete visible['authorization'];
  delete visible['x-amz-security-token'];
  if (mode?.kind !== 'chunked') return visible;
  visible['content-length'] = String(mode.decodedLength);
  const encodings = (visible['content-encoding'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name.toLowerCase() !== 'aws-chunked');
  if (encodings.length > 0) visible['content-encoding'] = encodings.join(',');
  else delete visible['content-encoding'];
  return visible;
}

/** Throws unless the signature is for `service`. */
export function checkService(authenticated: Authenticated, service: string, dialect: Dialect): void {
  if (authenticated.signingName === service) return;
  throw badScope(dialect, `Credential should be scoped to correct service: '${service}'.`);
}
