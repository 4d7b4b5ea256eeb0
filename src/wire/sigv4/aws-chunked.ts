import { createHash, type Hash } from 'node:crypto';
import { limits } from '../../kernel/index.ts';
import { emptySha256, sha256Hex } from './canonical.ts';
import { s3Fault, signatureMismatch, type Dialect } from './faults.ts';
import { signText } from './signing-key.ts';
import { equalSignatures } from './signing-key.ts';
import type { VerifiedSignature } from './verify.ts';

/** How to read an aws-chunked body. */
export interface AwsChunkedOptions {
  /** The verified signature of the head, where every chunk carries its own. */
  readonly seed: VerifiedSignature | undefined;
  readonly dialect: Dialect;
  /** Names, in lower case, of the headers that must follow the last chunk; undefined where none may. */
  readonly trailerNames: readonly string[] | undefined;
  /** `x-amz-decoded-content-length` */
  readonly decodedLength: number;
  /** Takes the headers that followed the last chunk, before the body ends. */
  onTrailers(trailers: ReadonlyMap<string, string>): void;
}

const longestLineBytes = 4096;

/**
 * Takes the framing off an aws-chunked body as it flows, keeping no chunk in memory. Data is handed on before the
 * signature of its chunk is checked (that needs the whole chunk), so what was read counts only once the iteration has
 * ended without an error. Format: S3 API reference, "Signature Calculations for the Authorization Header: Transferring
 * Payload in Multiple Chunks" and "Including Trailing Headers".
 * Throws AwsFault: SignatureDoesNotMatch, IncompleteBody, InvalidChunkSizeError, MalformedTrailerError.
 */
export async function* readAwsChunked(
  source: AsyncIterable<Uint8Array>,
  options: AwsChunkedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = openReader(source);
  const signatures = openChunkSignatures(options);
  let received = 0;
  let small = false;
  for (;;) {
    const { size, signature } = readChunkHeader(await reader.line(), options.seed !== undefined);
    if (size === 0) {
      signatures.check(signature);
      break;
    }
    if (small) {
      throw s3Fault(
        'InvalidChunkSizeError',
        403,
        `Only the last chunk is allowed to have a size less than ${limits.awsChunkBytes} bytes`,
      );
    }
    small = size < limits.awsChunkBytes;
    received += size;
    if (received > options.decodedLength) throw incompleteBody();
    for await (const piece of reader.data(size)) {
      signatures.update(piece);
      yield piece;
    }
    await reader.chunkEnd();
    signatures.check(signature);
  }
  if (received !== options.decodedLength) throw incompleteBody();
  options.onTrailers(await readTrailers(reader, signatures, options));
  await reader.end();
}

function incompleteBody() {
  return s3Fault(
    'IncompleteBody',
    400,
    'The request body terminated unexpectedly, or is not as long as x-amz-decoded-content-length says',
  );
}

function malformed(what: string) {
  return s3Fault('InvalidRequest', 400, `The aws-chunked body is malformed: ${what}`);
}

function malformedTrailer() {
  return s3Fault(
    'MalformedTrailerError',
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function readChunkHeader(
  line: string,
  signed: boolean,
): { readonly size: number; readonly signature: string } {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (!match) throw malformed('a chunk does not begin with its size');
  if (signed !== (match[2] !== undefined)) {
    throw malformed(signed ? 'a chunk has no signature' : 'a chunk is signed although the payload is not');
  }
  return { size: Number.parseInt(match[1] ?? '', 16), signature: match[2] ?? '' };
}

interface ChunkSignatures {
  update(data: Uint8Array): void;
  /** Checks the signature of the chunk that has ended. */
  check(signature: string): void;
  checkTrailers(canonical: string, signature: string): void;
}

/** Each chunk's signature covers the one before it, so none can be left out, repeated or moved. */
function openChunkSignatures({ seed, dialect }: AwsChunkedOptions): ChunkSignatures {
  if (!seed) return { update: () => undefined, check: () => undefined, checkTrailers: () => undefined };
  let previous = seed.signature;
  let hash: Hash | undefined;
  const compare = (algorithm: string, hashes: string, given: string) => {
    const text = `${algorithm}\n${seed.timestamp}\n${seed.scopeText}\n${previous}\n${hashes}`;
    if (!equalSignatures(signText(seed.key, text), given)) throw signatureMismatch(dialect);
    previous = given;
  };
  return {
    update(data) {
      hash ??= createHash('sha256');
      hash.update(data);
    },
    check(signature) {
      const dataHash = hash?.digest('hex') ?? emptySha256;
      hash = undefined;
      compare('AWS4-HMAC-SHA256-PAYLOAD', `${emptySha256}\n${dataHash}`, signature);
    },
    checkTrailers(canonical, signature) {
      compare('AWS4-HMAC-SHA256-TRAILER', sha256Hex(Buffer.from(canonical, 'latin1')), signature);
    },
  };
}

async function readTrailers(
  reader: Reader,
  signatures: ChunkSignatures,
  { trailerNames, seed }: AwsChunkedOptions,
): Promise<ReadonlyMap<string, string>> {
  const trailers = new Map<string, string>();
  let signature: string | undefined;
  let canonical = '';
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === '' || signature !== undefined) throw malformedTrailer();
    if (name === 'x-amz-trailer-signature' && seed) {
      signature = value;
      continue;
    }
    if (!trailerNames?.includes(name) || trailers.has(name)) throw malformedTrailer();
    trailers.set(name, value);
    canonical += `${name}:${value}\n`;
  }
  if (trailers.size !== (trailerNames?.length ?? 0)) throw malformedTrailer();
  if (seed && trailerNames) signatures.checkTrailers(canonical, signature ?? '');
  else if (signature !== undefined) throw malformedTrailer();
  return trailers;
}

interface Reader {
  /** The next line without its CRLF. */
  line(): Promise<string>;
  /** The next `size` bytes, in pieces. */
  data(size: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** The CRLF behind a chunk's data. */
  chunkEnd(): Promise<void>;
  /** Nothing may follow. */
  end(): Promise<void>;
}

function openReader(source: AsyncIterable<Uint8Array>): Reader {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  };
  const take = (length: number): Uint8Array => {
    const taken = rest.subarray(0, length);
    rest = rest.subarray(taken.length);
    return taken;
  };
  const line = async (): Promise<string> => {
    let text = '';
    for (;;) {
      if (!(await fill())) throw incompleteBody();
      const newline = rest.indexOf(0x0a);
      text += Buffer.from(take(newline === -1 ? rest.length : newline + 1)).toString('latin1');
      if (text.length > longestLineBytes) throw malformed('a line is too long');
      if (newline === -1) continue;
      if (!text.endsWith('\r\n')) throw malformed('a line does not end in CRLF');
      return text.slice(0, -2);
    }
  };
  return {
    line,
    async *data(size) {
      for (let left = size; left > 0;) {
        if (!(await fill())) throw incompleteBody();
        const piece = take(left);
        left -= piece.length;
        yield piece;
      }
    },
    async chunkEnd() {
      if ((await line()) !== '') throw malformed('a chunk is longer than its size says');
    },
    async end() {
      if (await fill()) throw malformed('something follows the end of the body');
    },
  };
}
