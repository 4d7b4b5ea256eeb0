import { headerValue, queryPairs, type SignedRequest } from './canonical.ts';
import type { SignatureClaim } from './claim.ts';
import { badScope, s3Fault, type Dialect } from './faults.ts';

/** How the body of a request is covered by its signature. */
export type PayloadMode =
  /** The signature holds this SHA-256 of the body. */
  | { readonly kind: 'hashed'; readonly sha256: string }
  /** The signature holds the body's SHA-256 and the request does not say which: the body must be read first. */
  | { readonly kind: 'undeclared' }
  /** The signature does not cover the body. */
  | { readonly kind: 'unsigned' }
  /** The body comes in aws-chunked pieces. */
  | {
      readonly kind: 'chunked';
      /** Each piece carries a signature. */
      readonly signed: boolean;
      /** Headers follow the last piece. */
      readonly trailer: boolean;
      /** Bytes of the body without the framing. */
      readonly decodedLength: number;
    };

const chunkedWords: Readonly<Record<string, { readonly signed: boolean; readonly trailer: boolean }>> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
};

/** Services that take bodies in chunks, or unsigned: S3, and Cairn's own routes for chunks. */
function takesChunks(service: string): boolean {
  return service === 's3' || service === 'cairn';
}

/**
 * Reads from `x-amz-content-sha256` (S3 API reference, "Common request headers") how the body is covered. Whether it is, is
 * the caller's choice also over plain HTTP ("Signature Calculations for the Authorization Header: Transferring Payload in a
 * Single Chunk", unsigned payload option); a bucket policy can forbid it by s3:x-amz-content-sha256. Throws the fault of the
 * dialect.
 */
export function payloadMode(request: SignedRequest, claim: SignatureClaim, dialect: Dialect): PayloadMode {
  const word = declaredPayload(request, claim);
  const service = claim.scope.service;
  if (word === undefined) {
    if (service === 's3' && claim.form === 'query') return { kind: 'unsigned' };
    if (service === 's3') {
      throw s3Fault('InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256');
    }
    return { kind: 'undeclared' };
  }
  if (/^[0-9a-f]{64}$/.test(word)) return { kind: 'hashed', sha256: word };
  if (word === 'UNSIGNED-PAYLOAD') return unsignedPayload(claim, dialect);
  const chunked = Object.hasOwn(chunkedWords, word) ? chunkedWords[word] : undefined;
  if (chunked && takesChunks(service) && claim.form === 'header') {
    return { kind: 'chunked', ...chunked, decodedLength: decodedLength(request) };
  }
  throw unknownWord(word, dialect);
}

/** The text that stands for the body in the canonical request; `sha256` is that of the body where it had to be read. */
export function payloadHashText(request: SignedRequest, claim: SignatureClaim, sha256?: string): string {
  return sha256 ?? declaredPayload(request, claim) ?? 'UNSIGNED-PAYLOAD';
}

function declaredPayload(request: SignedRequest, claim: SignatureClaim): string | undefined {
  const header = headerValue(request.headers, 'x-amz-content-sha256');
  if (header !== undefined || claim.form === 'header') return header;
  return queryPairs(request.query).find(([name]) => name === 'X-Amz-Content-Sha256')?.[1];
}

function unsignedPayload(claim: SignatureClaim, dialect: Dialect): PayloadMode {
  if (claim.scope.service === 's3') return { kind: 'unsigned' };
  const message =
    'This service does not take UNSIGNED-PAYLOAD; x-amz-content-sha256 must be the SHA-256 of the payload.';
  throw dialect === 's3' ? s3Fault('InvalidRequest', 400, message) : badScope(dialect, message);
}

function unknownWord(word: string, dialect: Dialect) {
  const message = word.startsWith('STREAMING-AWS4-ECDSA-')
    ? 'Signature Version 4A (STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD) is not supported; use STREAMING-AWS4-HMAC-SHA256-PAYLOAD.'
    : 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.';
  return dialect === 's3' ? s3Fault('InvalidArgument', 400, message) : badScope(dialect, message);
}

function decodedLength(request: SignedRequest): number {
  const text = headerValue(request.headers, 'x-amz-decoded-content-length');
  if (text === undefined) {
    throw s3Fault(
      'MissingContentLength',
      411,
      'You must provide the x-amz-decoded-content-length HTTP header.',
    );
  }
  const length = Number(text);
  if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(length)) {
    throw s3Fault('InvalidArgument', 400, 'x-amz-decoded-content-length must be a number of bytes.');
  }
  return length;
}
