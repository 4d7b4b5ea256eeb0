import type { ServerResponse } from 'node:http';
import { limits, type Clock } from '../../kernel/index.ts';

/** Up to so much goes out in one write with its head. */
const smallBytes = 65_536;

/** What goes back to the client. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * Sends an answer. A streamed body is taken only as fast as the client reads; when the client goes away, or reads
 * nothing for `limits.streamIdleMs`, the stream is closed and the connection with it. Rejects when the body's own
 * source fails; the connection is cut then, so that the client cannot take what it got for the whole.
 */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  clock: Clock,
  headOnly: boolean,
): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) {
    if (headOnly) response.end();
    else endWith(response, answer.body);
    return;
  }
  if (headOnly) {
    response.end();
    await answer.body[Symbol.asyncIterator]().return?.();
    return;
  }
  const pieces = answer.body[Symbol.asyncIterator]();
  try {
    if (Number(answer.headers['content-length'] ?? Infinity) <= smallBytes) {
      const whole = await smallBody(response, pieces);
      if (whole) endWith(response, whole);
      return;
    }
    response.flushHeaders();
    for (;;) {
      const next = await nextPiece(response, pieces);
      if (next === 'gone') break;
      if (next.done) {
        response.end();
        return;
      }
      if (!response.write(next.value) && !(await drained(response, clock))) break;
    }
  } catch (error) {
    response.destroy();
    throw error;
  }
  // Not waited for: a source that is asleep hears of the end through the request's signal.
  void Promise.resolve(pieces.return?.()).catch(() => undefined);
}

/** A short stream as a whole; undefined when the client went away before it was there. */
async function smallBody(
  response: ServerResponse,
  pieces: AsyncIterator<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const next = await nextPiece(response, pieces);
    if (next === 'gone') {
      void Promise.resolve(pieces.return?.()).catch(() => undefined);
      return undefined;
    }
    if (next.done) return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    parts.push(next.value);
  }
}

/** Small answers go out as one string with their head, which costs the system half of what two buffers do. */
function endWith(response: ServerResponse, body: string | Uint8Array): void {
  if (typeof body === 'string' || body.length > smallBytes) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}

/** The next piece, or that the client went away before there was one. */
function nextPiece(
  response: ServerResponse,
  pieces: AsyncIterator<Uint8Array>,
): Promise<IteratorResult<Uint8Array> | 'gone'> {
  if (response.destroyed) return Promise.resolve('gone');
  return new Promise((resolve, reject) => {
    const onClose = () => resolve('gone');
    response.on('close', onClose);
    pieces
      .next()
      .then(resolve, reject)
      .finally(() => response.off('close', onClose));
  });
}

/** Waits until the client has read; false when it went away or reads no more. */
function drained(response: ServerResponse, clock: Clock): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (open: boolean) => {
      timer.cancel();
      response.off('drain', onDrain).off('close', onClose);
      resolve(open);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    const timer = clock.after(limits.streamIdleMs, () => {
      response.destroy();
      settle(false);
    });
    response.on('drain', onDrain).on('close', onClose);
  });
}
