import type { KeyObject } from 'node:crypto';
import { isRegion, limits } from '../../kernel/index.ts';
import { canonicalRequest, stringToSign, type SignedRequest } from './canonical.ts';
import { formatTimestamp, type SignatureClaim } from './claim.ts';
import { badScope, s3Fault, signatureMismatch, type Dialect } from './faults.ts';
import { equalSignatures, formatScope, signText, type SigningKeys } from './signing-key.ts';

/**
 * Checks everything about a claim that needs no secret: scope, time, and that what must be signed is.
 * `now` is epoch milliseconds. Throws the fault of the dialect.
 * Source: IAM user guide, "Troubleshoot signed requests for AWS APIs"; S3 API reference, "Error responses".
 */
export function checkClaim(
  request: SignedRequest,
  claim: SignatureClaim,
  dialect: Dialect,
  now: number,
): void {
  if (claim.scope.date !== claim.timestamp.slice(0, 8)) {
    throw badScope(
      dialect,
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.scope.date}' != '${claim.timestamp.slice(0, 8)}', from '${claim.timestamp}'.`,
    );
  }
  if (!isRegion(claim.scope.region)) {
    throw badScope(dialect, 'Credential should be scoped to a valid region.');
  }
  checkTime(claim, dialect, now);
  checkSignedHeaders(request, claim, dialect);
}

function checkTime(claim: SignatureClaim, dialect: Dialect, now: number): void {
  const skew = limits.signatureSkewMs;
  const validMs = claim.expiresSeconds === undefined ? skew : claim.expiresSeconds * 1000;
  const expired = now > claim.time + validMs;
  const early = claim.time > now + skew;
  if (!expired && !early) return;
  if (dialect === 's3') throw s3TimeFault(claim, now, validMs, expired);
  const clock = formatTimestamp(now);
  const minutes = skew / 60_000;
  throw badScope(
    dialect,
    expired
      ? `Signature expired: ${claim.timestamp} is now earlier than ${formatTimestamp(now - validMs)} (${clock} - ${validMs === skew ? `${minutes} min.` : `${validMs / 1000} s.`})`
      : `Signature not yet current: ${claim.timestamp} is still later than ${formatTimestamp(now + skew)} (${clock} + ${minutes} min.)`,
  );
}

function iso(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function s3TimeFault(claim: SignatureClaim, now: number, validMs: number, expired: boolean) {
  if (claim.form === 'query') {
    return s3Fault('AccessDenied', 403, expired ? 'Request has expired' : 'Request is not valid yet', {
      ...(claim.expiresSeconds !== undefined && { 'X-Amz-Expires': claim.expiresSeconds }),
      Expires: iso(claim.time + validMs),
      ServerTime: iso(now),
    });
  }
  return s3Fault(
    'RequestTimeTooSkewed',
    403,
    'The difference between the request time and the current time is too large.',
    {
      RequestTime: claim.timestamp,
      ServerTime: iso(now),
      MaxAllowedSkewMilliseconds: String(limits.signatureSkewMs),
    },
  );
}

/** The Host header and every x-amz-… header that is there must be signed. */
function checkSignedHeaders(request: SignedRequest, claim: SignatureClaim, dialect: Dialect): void {
  const signed = new Set(claim.signedHeaders);
  if (!signed.has('host')) {
    throw badScope(dialect, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const unsigned = request.headers
    .map(([name]) => name)
    .filter((name) => name.startsWith('x-amz-') && !signed.has(name));
  if (unsigned.length === 0) return;
  const names = [...new Set(unsigned)].join(', ');
  throw dialect === 's3'
    ? s3Fault('AccessDenied', 403, 'There were headers present in the request which were not signed', {
        HeadersNotSigned: names,
      })
    : badScope(dialect, `These headers of the request must be signed: ${names}.`);
}

/** What a verified signature leaves for the signatures of chunks. */
export interface VerifiedSignature {
  readonly key: KeyObject;
  readonly timestamp: string;
  readonly scopeText: string;
  readonly signature: string;
}

/**
 * Verifies the signature itself. `payloadHash` is what stands in the canonical request for the body.
 * Throws the dialect's refusal when it is not the one that `secretAccessKey` gives.
 */
export function verifySignature(
  request: SignedRequest,
  claim: SignatureClaim,
  secretAccessKey: string,
  payloadHash: string,
  dialect: Dialect,
  keys: SigningKeys,
): VerifiedSignature {
  const canonical = canonicalRequest(request, claim.signedHeaders, payloadHash, claim.scope.service === 's3');
  if (canonical === undefined) throw signatureMismatch(dialect);
  const key = keys.get(claim.accessKeyId, secretAccessKey, claim.scope);
  const scopeText = formatScope(claim.scope);
  const expected = signText(key, stringToSign(claim.timestamp, scopeText, canonical));
  if (!equalSignatures(expected, claim.signature)) throw signatureMismatch(dialect);
  keys.keep(claim.accessKeyId, secretAccessKey, claim.scope, key);
  return { key, timestamp: claim.timestamp, scopeText, signature: claim.signature };
}
