import type { ClientRequest, IncomingMessage } from 'node:http';
import { http, https, type Clock } from '../../../kernel/index.ts';
import type { Egress } from './egress.ts';

/** "The maximum client execution timeout of 5 seconds" ("API destinations as targets"). */
const answerMs = 5_000;

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Bytes of the answer's body that are of interest; beyond them the answer is cut off. */
  readonly mostBodyBytes: number;
}

/** What came of a request; the reason holds nothing of what was sent. */
export type HttpAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      /** At most `mostBodyBytes`. */
      readonly body: Buffer;
      /** Whether that is all of it. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export type SendHttp = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

/** Reads up to so many bytes of a body. What comes behind them, or too late, is not waited for. */
async function readBody(answer: IncomingMessage, most: number): Promise<{ body: Buffer; isWhole: boolean }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part.subarray(0, most - bytes));
      bytes += part.length;
      if (bytes > most) return { body: Buffer.concat(parts), isWhole: false };
    }
    return { body: Buffer.concat(parts), isWhole: answer.complete };
  } catch {
    return { body: Buffer.concat(parts), isWhole: false };
  }
}

/** The kernel's and OpenSSL's words for what went wrong, without the request. */
function reasonOf(error: unknown): string {
  const { code, message, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  const [first] = errors ?? [];
  const said = message === '' && first ? first.message : message;
  return said === '' ? (code ?? 'the connection failed') : said;
}

/** Resolves, whatever happens to the connection. */
function answerOf(opened: ClientRequest, mostBodyBytes: number): Promise<HttpAnswer> {
  const { promise, resolve } = Promise.withResolvers<HttpAnswer>();
  let hasHead = false;
  const fail = (error: unknown) => {
    // What happens to the body changes nothing of what the head says.
    if (!hasHead) resolve({ kind: 'failed', reason: reasonOf(error) });
  };
  opened.on('error', fail);
  opened.on('close', () => fail(new Error('the connection was closed without an answer')));
  opened.on('upgrade', ({ statusCode: status = 101, headers }: IncomingMessage) =>
    resolve({ kind: 'answered', status, headers, body: Buffer.alloc(0), isWhole: true }),
  );
  opened.on('response', (answer) => {
    hasHead = true;
    const { statusCode: status = 0, headers } = answer;
    void readBody(answer, mostBodyBytes).then((read) =>
      resolve({ kind: 'answered', status, headers, ...read }),
    );
  });
  return promise;
}

/**
 * Sends requests, each on a connection of its own. Redirects are not followed, and proxies of the environment not used: the
 * address that is connected to is the one that `egress` has checked.
 */
export function openHttpClient({
  egress,
  clock,
}: {
  readonly egress: Egress;
  readonly clock: Clock;
}): SendHttp {
  function open(request: HttpRequest): ClientRequest {
    const { url, method, headers, body } = request;
    const { request: make } = url.protocol === 'https:' ? https : http;
    const opened = make(url, {
      method,
      headers: { ...headers, 'Content-Length': String(body.length), Connection: 'close' },
      agent: false,
      lookup: egress.lookupFor(url),
    });
    opened.end(body);
    return opened;
  }

  return async (request, signal) => {
    const refused = egress.refuse(request.url);
    if (refused !== undefined) return { kind: 'failed', reason: refused };
    signal.throwIfAborted();
    let opened: ClientRequest;
    try {
      opened = open(request);
    } catch (error) {
      // A header or method that HTTP cannot have.
      return { kind: 'failed', reason: reasonOf(error) };
    }
    const tooLate = new Error(`no answer within ${answerMs / 1000} seconds`);
    const timer = clock.after(answerMs, () => opened.destroy(tooLate));
    const abort = () => opened.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const answer = await answerOf(opened, request.mostBodyBytes);
    timer.cancel();
    signal.removeEventListener('abort', abort);
    opened.destroy();
    signal.throwIfAborted();
    return answer;
  };
}
