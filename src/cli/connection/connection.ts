import { readFileSync } from 'node:fs';
import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { SignatureV4 } from '@smithy/signature-v4';
import { http, https, type Clock } from '../../kernel/index.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { Credentials } from './credentials.ts';
import { accessFailure, explainConnectionError, readFailure } from './failures.ts';

/** Query parameters; a list is a parameter that is given several times. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

export interface CairnRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Query;
  readonly body?: RequestBody;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The service that it is signed for; `cairn`, the server's own routes, unless told. */
  readonly service?: 'cloudtrail';
  /** Without a signature, for routes that take none. */
  readonly unsigned?: true;
  /** Give up when the server says nothing for this long; default 300,000 ms. 0 waits for ever. */
  readonly idleMs?: number;
}

export type RequestBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly sha256?: string }
  /** A stream whose SHA-256 (hex) and length are known beforehand, because the signature covers them. */
  | {
      readonly kind: 'stream';
      readonly open: () => AsyncIterable<Uint8Array>;
      readonly sha256: string;
      readonly sizeBytes: number;
    };

export interface CairnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AnswerBody;
}

/** What an answer carries; throws AnswerBrokenError where the connection ends before it does. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(): void;
}

/** The server, as the commands see it. */
export interface Connection {
  readonly endpoint: URL;
  /** Sends a request; any HTTP status is an answer. Throws ConnectionLostError when there is none. */
  send(request: CairnRequest): Promise<CairnAnswer>;
  /**
   * Sends, and throws CommandError (with the matching exit code) unless the status is 2xx. The body must be read or
   * destroyed: until then its socket takes no other request.
   */
  ask(request: CairnRequest): Promise<CairnAnswer>;
  /** As `ask`, and reads the body as JSON. */
  askJson<T>(request: CairnRequest): Promise<T>;
  close(): void;
}

export interface ConnectionOptions {
  readonly endpoint: URL;
  /** Asked for once, at the first request that is signed. */
  readonly credentials: () => Promise<Credentials>;
  readonly region: string;
  readonly clock: Clock;
  readonly version: string;
  /** PEM file with further certificate authorities (AWS_CA_BUNDLE). */
  readonly caFile: string | undefined;
  /** Requests in flight at once. */
  readonly sockets: number;
}

/** The server was not reached, or the connection broke before the answer was there. */
export class ConnectionLostError extends CommandError {
  override name = 'ConnectionLostError';

  constructor(endpoint: URL, cause: NodeJS.ErrnoException) {
    super(explainConnectionError(endpoint, cause), exitCodes.noAccess, { cause });
  }
}

/** The connection broke in the middle of an answer: what was read of it is not all of it. */
export class AnswerBrokenError extends CommandError {
  override name = 'AnswerBrokenError';

  constructor(endpoint: URL, cause: unknown) {
    const what = `the connection to ${endpoint.origin} broke in the middle of the answer, which is not whole`;
    super(`${what}; the server's log says why if the server ended it`, exitCodes.serverFailed, { cause });
  }
}

/** The body of a request could not be read to its end; the server is not to blame. */
export class BodyError extends Error {
  override name = 'BodyError';
}

/** Reads a whole body of at most 64 MiB, beyond which something is wrong with the server. */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > 64 * 1024 * 1024) {
      throw new CommandError('the server answered with more than 64 MiB', exitCodes.serverFailed);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function openAgent({ endpoint, caFile, sockets }: ConnectionOptions): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets: sockets };
  if (endpoint.protocol === 'http:') return new http.Agent(options);
  if (!caFile) return new https.Agent(options);
  try {
    return new https.Agent({ ...options, ca: [...rootCertificates, readFileSync(caFile, 'utf8')] });
  } catch (error) {
    throw new CommandError(`AWS_CA_BUNDLE: ${(error as Error).message}`, exitCodes.usage, { cause: error });
  }
}

function openSigner(options: ConnectionOptions): (request: CairnRequest) => Promise<Record<string, string>> {
  const { endpoint, clock } = options;
  let signer: Promise<SignatureV4> | undefined;
  const openWith = async () => {
    const { Sha256 } = await import('@smithy/core/checksum');
    const { SignatureV4 } = await import('@smithy/signature-v4');
    const { accessKeyId, secretAccessKey, sessionToken } = await options.credentials();
    const credentials = sessionToken
      ? { accessKeyId, secretAccessKey, sessionToken }
      : { accessKeyId, secretAccessKey };
    return new SignatureV4({ credentials, region: options.region, service: 'cairn', sha256: Sha256 });
  };
  return async ({ method, path, query, body, headers, service }) => {
    signer ??= openWith();
    const known = body?.sha256 === undefined ? {} : { 'x-amz-content-sha256': body.sha256 };
    const signed = await (
      await signer
    ).sign(
      {
        method,
        protocol: endpoint.protocol,
        hostname: endpoint.hostname,
        path,
        query: mutableQuery(query ?? {}),
        headers: { ...headers, ...known, host: endpoint.host },
        body: body?.kind === 'bytes' ? body.bytes : undefined,
      },
      { signingDate: new Date(clock.now()), ...(service && { signingService: service }) },
    );
    return signed.headers;
  };
}

function mutableQuery(query: Query): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

function escapeQuery(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function requestPath(path: string, query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${escapeQuery(name)}=${escapeQuery(one)}`),
  );
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

function sizeOf(body: RequestBody): number {
  return body.kind === 'bytes' ? body.bytes.length : body.sizeBytes;
}

function bodyOf(answer: IncomingMessage, { endpoint }: ConnectionOptions, signal?: AbortSignal): AnswerBody {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* answer as AsyncIterable<Uint8Array>;
      } catch (error) {
        signal?.throwIfAborted();
        throw new AnswerBrokenError(endpoint, error);
      }
    },
    destroy: () => void answer.destroy(),
  };
}

async function writeBody(body: RequestBody, to: NodeJS.WritableStream): Promise<void> {
  if (body.kind === 'bytes') {
    to.end(body.bytes);
    return;
  }
  for await (const chunk of body.open()) {
    if (to.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      to.once('drain', resolve);
      to.once('close', resolve);
    });
  }
  to.end();
}

/** Opens the way to the server. Nothing is sent before the first request. */
export function openConnection(options: ConnectionOptions): Connection {
  const { endpoint, version } = options;
  const agent = openAgent(options);
  const sign = openSigner(options);
  const start = endpoint.protocol === 'https:' ? https.request : http.request;

  const sendOnce = async (request: CairnRequest): Promise<CairnAnswer & { reused: boolean }> => {
    const signed = request.unsigned ? { ...request.headers } : await sign(request);
    const { body } = request;
    return new Promise((resolve, reject) => {
      const outgoing = start({
        agent,
        method: request.method,
        protocol: endpoint.protocol,
        hostname: endpoint.hostname.replace(/^\[|\]$/g, ''),
        port: endpoint.port,
        path: requestPath(request.path, request.query),
        headers: {
          'user-agent': `cairn-cli/${version}`,
          ...signed,
          ...(request.method === 'POST' ? { 'content-length': body ? sizeOf(body) : 0 } : {}),
        },
        timeout: request.idleMs ?? 300_000,
        ...(request.signal ? { signal: request.signal } : {}),
      });
      let answered = false;
      outgoing.on('timeout', () => outgoing.destroy(new Error('the server says nothing')));
      outgoing.on('response', (answer) => {
        answered = true;
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: bodyOf(answer, options, request.signal),
          reused: outgoing.reusedSocket,
        });
      });
      outgoing.on('error', (error) => {
        if (answered) return;
        reject(Object.assign(error, { reused: outgoing.reusedSocket }));
      });
      if (body) {
        writeBody(body, outgoing).catch((cause: unknown) => {
          reject(cause instanceof BodyError ? cause : new BodyError((cause as Error).message, { cause }));
          outgoing.destroy();
        });
      }
      if (!body) outgoing.end();
    });
  };

  const send = async (request: CairnRequest): Promise<CairnAnswer> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await sendOnce(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (error instanceof CommandError || error instanceof BodyError) throw error;
        const { reused, code } = error as NodeJS.ErrnoException & { reused?: boolean };
        // A kept-alive connection that the server had just closed: nothing was taken, so ask on a fresh one.
        if (reused && code === 'ECONNRESET' && attempt < 3) continue;
        throw new ConnectionLostError(endpoint, error as NodeJS.ErrnoException);
      }
    }
  };

  const ask = async (request: CairnRequest): Promise<CairnAnswer> => {
    const answer = await send(request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const failure = readFailure(answer.status, answer.headers, await readBody(answer.body));
    throw accessFailure(failure, request.unsigned ? undefined : (await options.credentials()).source);
  };

  return {
    endpoint,
    send,
    ask,
    async askJson<T>(request: CairnRequest) {
      const answer = await ask(request);
      const bytes = await readBody(answer.body);
      try {
        return JSON.parse(bytes.toString('utf8')) as T;
      } catch (error) {
        throw new CommandError(
          `${endpoint.origin} answered ${request.path} with something that is not JSON: is it a Cairn?`,
          exitCodes.serverFailed,
          { cause: error },
        );
      }
    },
    close: () => agent.destroy(),
  };
}
