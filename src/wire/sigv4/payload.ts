import { createHash, timingSafeEqual } from 'node:crypto';
import { readAwsChunked } from './aws-chunked.ts';
import { headerValue, queryPairs, type HeaderLine, type SignedRequest } from './canonical.ts';
import {
  checksumLengths,
  isChecksumName,
  openChecksum,
  type Checksum,
  type ChecksumName,
} from './checksums.ts';
import { s3Fault, signatureMismatch, type Dialect } from './faults.ts';
import type { PayloadMode } from './payload-mode.ts';
import type { VerifiedSignature } from './verify.ts';

/** A checksum that the sender gave for a body, in a header or behind it. */
export interface BodyChecksum {
  readonly algorithm: ChecksumName;
  /** Base 64. Only once the body has ended without an error: then it was found to be right. */
  value(): string;
}

const bodyChecksums = new WeakMap<AsyncIterable<Uint8Array>, BodyChecksum>();

/** The checksum that came with a body which the pipeline handed to an operation, so that nobody makes it twice. */
export function checksumOfBody(body: AsyncIterable<Uint8Array>): BodyChecksum | undefined {
  return bodyChecksums.get(body);
}

const checksumPrefix = 'x-amz-checksum-';

/** Whether headers say something of the body beside its SHA-256, which must then be checked too. */
export function hasChecksum({ headers }: SignedRequest): boolean {
  return headers.some(([name]) => name === 'content-md5' || name.startsWith(checksumPrefix));
}

/** A digest that the body must have. */
interface Expectation {
  readonly algorithm?: ChecksumName;
  readonly running: Checksum;
  /** Undefined until it has arrived as a trailer. */
  expected: Buffer | undefined;
  readonly refuse: () => Error;
}

/** A body of S3 that no signature covers, with the checksums that its headers give. Throws as `verifiedPayload`. */
export const uncoveredPayload = (
  request: SignedRequest,
  source: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> => checked(source, headerChecksums(request));

/**
 * The body as the operation may read it: the framing of aws-chunked is off, and its hash, chunk signatures and
 * checksums are checked as it flows. What was read counts only once the iteration has ended without an error.
 * Throws AwsFault, from the call for what the headers say wrongly, else from the iteration: XAmzContentSHA256Mismatch,
 * BadDigest, InvalidDigest, InvalidRequest, and what `readAwsChunked` throws.
 */
export function verifiedPayload(
  request: SignedRequest,
  source: AsyncIterable<Uint8Array>,
  mode: PayloadMode,
  verified: VerifiedSignature,
  dialect: Dialect,
): AsyncIterable<Uint8Array> {
  const expectations: Expectation[] = [];
  if (mode.kind === 'hashed') expectations.push(expectSha256(mode.sha256, dialect));
  if (dialect === 's3') expectations.push(...headerChecksums(request));
  if (mode.kind !== 'chunked') return checked(source, expectations);
  const trailers = mode.trailer ? trailerNames(request.headers) : undefined;
  const awaited = new Map<string, { readonly algorithm: ChecksumName; readonly expectation: Expectation }>();
  for (const name of trailers ?? []) {
    const algorithm = checksumOf(name);
    const expectation = expectChecksum(algorithm, undefined);
    awaited.set(name, { algorithm, expectation });
    expectations.push(expectation);
  }
  const decoded = readAwsChunked(source, {
    seed: mode.signed ? verified : undefined,
    dialect,
    trailerNames: trailers,
    decodedLength: mode.decodedLength,
    onTrailers(values) {
      for (const [name, { algorithm, expectation }] of awaited) {
        expectation.expected = checksumValue(algorithm, values.get(name) ?? '');
      }
    },
  });
  return checked(decoded, expectations);
}

function checked(
  source: AsyncIterable<Uint8Array>,
  expectations: readonly Expectation[],
): AsyncIterable<Uint8Array> {
  const body = checkedPieces(source, expectations);
  for (const expectation of expectations) {
    const { algorithm } = expectation;
    if (algorithm === undefined) continue;
    const value = () => (expectation.expected ?? Buffer.alloc(0)).toString('base64');
    bodyChecksums.set(body, { algorithm, value });
  }
  return body;
}

async function* checkedPieces(
  source: AsyncIterable<Uint8Array>,
  expectations: readonly Expectation[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source) {
    for (const { running } of expectations) running.update(piece);
    yield piece;
  }
  for (const { running, expected, refuse } of expectations) {
    const actual = running.digest();
    if (!expected || actual.length !== expected.length || !timingSafeEqual(actual, expected)) throw refuse();
  }
}

function expectSha256(hex: string, dialect: Dialect): Expectation {
  return {
    running: openChecksum('sha256'),
    expected: Buffer.from(hex, 'hex'),
    refuse: () =>
      dialect === 's3'
        ? s3Fault(
            'XAmzContentSHA256Mismatch',
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
          )
        : signatureMismatch(dialect),
  };
}

function expectChecksum(algorithm: ChecksumName, expected: Buffer | undefined): Expectation {
  return {
    algorithm,
    running: openChecksum(algorithm),
    expected,
    refuse: () =>
      s3Fault(
        'BadDigest',
        400,
        `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      ),
  };
}

/** Checksums of the body given in headers: one of x-amz-checksum-…, and Content-MD5. */
function headerChecksums(request: SignedRequest): Expectation[] {
  const found: Expectation[] = [];
  const md5 = headerValue(request.headers, 'content-md5');
  if (md5 !== undefined) found.push(expectMd5(md5));
  const names = checksumHeaderNames(request);
  if (names.length > 1) {
    throw s3Fault(
      'InvalidRequest',
      400,
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const [name] = names;
  if (name !== undefined) {
    const algorithm = checksumOf(name);
    found.push(expectChecksum(algorithm, checksumValue(algorithm, headerValue(request.headers, name) ?? '')));
  }
  return found;
}

/** In CompleteMultipartUpload these headers speak of the whole object and not of the body. */
function checksumHeaderNames(request: SignedRequest): string[] {
  const completes =
    request.method === 'POST' && queryPairs(request.query).some(([name]) => name === 'uploadId');
  if (completes) return [];
  return request.headers
    .map(([name]) => name)
    .filter((name) => name.startsWith(checksumPrefix) && !/-(?:algorithm|mode|type)$/.test(name));
}

function checksumOf(headerName: string): ChecksumName {
  const name = headerName.slice(checksumPrefix.length);
  if (!headerName.startsWith(checksumPrefix) || !isChecksumName(name)) {
    throw s3Fault(
      'InvalidRequest',
      400,
      `The checksum ${headerName} is not supported; use one of ${Object.keys(checksumLengths)
        .map((known) => checksumPrefix + known)
        .join(', ')}.`,
    );
  }
  return name;
}

function checksumValue(algorithm: ChecksumName, base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== checksumLengths[algorithm] || bytes.toString('base64') !== base64) {
    throw s3Fault('InvalidRequest', 400, `Value for ${checksumPrefix}${algorithm} header is invalid.`);
  }
  return bytes;
}

function expectMd5(base64: string): Expectation {
  const expected = Buffer.from(base64, 'base64');
  if (expected.length !== 16 || expected.toString('base64') !== base64) {
    throw s3Fault('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', {
      'Content-MD5': base64,
    });
  }
  const hash = createHash('md5');
  return {
    running: { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() },
    expected,
    refuse: () => s3Fault('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.'),
  };
}

function trailerNames(headers: readonly HeaderLine[]): string[] {
  const text = headerValue(headers, 'x-amz-trailer');
  const names = (text ?? '').split(',').flatMap((name) => name.trim().toLowerCase() || []);
  if (names.length !== 1) {
    throw s3Fault(
      'InvalidRequest',
      400,
      'x-amz-trailer must name the one checksum that follows the payload.',
    );
  }
  return names;
}
