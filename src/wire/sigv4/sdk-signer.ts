import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import * as fc from 'fast-check';
import { AwsFault } from '../../kernel/index.ts';
import { sha256Hex, type HeaderLine, type SignedRequest } from './canonical.ts';
import { readClaim } from './claim.ts';
import type { Dialect } from './faults.ts';
import { payloadHashText, payloadMode } from './payload-mode.ts';
import { openSigningKeys } from './signing-key.ts';
import { checkClaim, verifySignature } from './verify.ts';

/** Requests for the tests of this folder, signed by the AWS SDK's own signer, and what a server does to verify them. */

export const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY',
};
export const time = Date.parse('2026-11-22T12:00:00Z');
const keys = openSigningKeys(100);

/** The hash that the SDK's signer asks for, over the platform's own. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: Uint8Array | string) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error('not used');
  }
}

export function signer(service: string, sessionToken?: string): SignatureV4 {
  const signed = sessionToken === undefined ? credentials : { ...credentials, sessionToken };
  return new SignatureV4({
    service,
    region: 'eu-central-1',
    credentials: signed,
    sha256: Sha256 as never,
    uriEscapePath: service !== 's3',
    applyChecksum: true,
  });
}

/** What a server would see of a request of the SDK's. */
export function asReceived(request: {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
}): SignedRequest {
  const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
    [value as string | string[]]
      .flat()
      .map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  );
  return {
    method: request.method,
    path: request.path,
    query: query.join('&'),
    headers: Object.entries(request.headers).map(([name, value]): HeaderLine => [
      name.toLowerCase(),
      Buffer.from(value, 'utf8').toString('latin1'),
    ]),
  };
}

/** Everything that is checked before an operation may run, for a body that is in memory. */
export function verify(
  request: SignedRequest,
  body: string | Uint8Array,
  dialect: Dialect = 'aws',
  now = time,
): string {
  const claim = readClaim(request, dialect);
  if (!claim) return 'unsigned';
  checkClaim(request, claim, dialect, now);
  const mode = payloadMode(request, claim, dialect);
  const actual = sha256Hex(Buffer.from(body as string));
  if (mode.kind === 'hashed' && mode.sha256 !== actual) throw new AwsFault('BodyMismatch', 'another body');
  const text = payloadHashText(request, claim, mode.kind === 'undeclared' ? actual : undefined);
  verifySignature(request, claim, credentials.secretAccessKey, text, dialect, keys);
  return 'verified';
}

export function codeOf(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsFault) return error.code;
    throw error;
  }
}

export function messageOf(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
}

const segment = fc
  .string({ unit: 'grapheme', maxLength: 8 })
  .filter((text) => !/^\.{0,2}$/.test(text) && text.isWellFormed());
const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'.split('')), minLength: 1, maxLength: 10 });

export const anyRequest = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
  segments: fc.array(segment, { maxLength: 4 }),
  query: fc.dictionary(
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
      .filter((text) => !/^x-amz/i.test(text) && text.isWellFormed()),
    fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => text.isWellFormed()),
    { maxKeys: 4 },
  ),
  headers: fc.dictionary(
    token.map((name) => `x-amz-meta-${name.toLowerCase()}`),
    fc.string({ unit: fc.constantFrom(...'ab  :;,=/'.split('')), maxLength: 12 }),
    { maxKeys: 3 },
  ),
  body: fc.string({ maxLength: 20 }),
  sessionToken: fc.option(token, { nil: undefined }),
});

export type AnyRequest = typeof anyRequest extends fc.Arbitrary<infer Value> ? Value : never;

export async function signed(service: string, made: AnyRequest): Promise<SignedRequest> {
  const path = `/${made.segments.map(encodeStrictly).join('/')}`;
  const request = await signer(service, made.sessionToken).sign(
    {
      method: made.method,
      protocol: 'https:',
      hostname: 'localhost',
      path,
      query: made.query,
      headers: { host: 'localhost:4747', ...made.headers },
      body: made.body,
    },
    { signingDate: new Date(time) },
  );
  return asReceived(request);
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
