import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AwsFault, limits, OverloadError, type Clock } from '../../kernel/index.ts';
import { readWhole, type BodyFaults, type BodyMemory, type ReceivedRequest } from '../http/index.ts';
import type { Dialect } from '../sigv4/index.ts';

/** The body of one request as it came in, read at most once, in the way that is wanted first. */
export interface RawBody extends Disposable {
  /** All of it, within `bound` bytes; the same bytes again when asked again. */
  whole(bound?: number): Promise<Uint8Array>;
  /**
   * The same before anybody has proven who sent it: in less time, and only while few others are waited for in this way,
   * so that whoever sends nothing behind their head keeps nobody else out. Rejects with OverloadError over that bound.
   */
  unproven(bound?: number): Promise<Uint8Array>;
  /** Memory for what is made of the body, which is given back together with the body's own. */
  readonly memory: BodyMemory;
  /** Piece by piece; of bytes that are in memory already, those. */
  stream(): AsyncIterable<Uint8Array>;
  /** All of it where that is possible without giving up reading it in another way: undefined once it streams. */
  peek(bound: number): Promise<Uint8Array | undefined>;
}

export interface BodyReading {
  readonly clock: Clock;
  readonly memory: BodyMemory;
  readonly unproven: UnprovenBodies;
}

/** How many bodies are waited for whose senders have not proven who they are. */
export interface UnprovenBodies {
  /** Does the work, unless `most` others are at it. Rejects with OverloadError then. */
  read<T>(work: () => Promise<T>): Promise<T>;
}

export function openUnprovenBodies(most: number): UnprovenBodies {
  let reading = 0;
  return {
    async read(work) {
      if (reading >= most) throw new OverloadError('Too many unproven requests are being received.');
      reading++;
      try {
        return await work();
      } finally {
        reading--;
      }
    },
  };
}

/** Memory of which it is known how much is taken. */
function openShare(memory: BodyMemory): BodyMemory & Disposable {
  let held = 0;
  const release = (bytes: number) => {
    held -= bytes;
    memory.release(bytes);
  };
  return {
    take(bytes) {
      const taken = memory.take(bytes);
      if (taken) held += bytes;
      return taken;
    },
    release,
    [Symbol.dispose]: () => release(held),
  };
}

const empty = new Uint8Array();

/** Opens the body of a request. Dispose of it when the answer has been sent. */
export function openRawBody(request: ReceivedRequest, dialect: Dialect, reading: BodyReading): RawBody {
  const faults = bodyFaults(dialect);
  let kept: Promise<{ readonly bytes: Uint8Array } & Disposable> | undefined;
  let streaming = false;
  const share = openShare(reading.memory);
  const readAll = async (bound: number, timeMs: number) => {
    if (request.contentLength !== undefined && request.contentLength > bound) throw tooLarge(bound);
    return readWhole(request.openBody(faults), {
      ...reading,
      bytes: bound,
      timeMs,
      tooLarge: () => tooLarge(bound),
      timeOut: () => faults.timeOut(),
      overload: () => new OverloadError('Too many bytes of requests are being received; try again later.'),
    });
  };
  const whole = async (
    bound: number = limits.requestBodyBytes,
    timeMs: number = limits.requestBodyMs,
  ): Promise<Uint8Array> => {
    if (request.contentLength === 0) return empty;
    if (streaming) throw new Error('the body of a request is read once');
    kept ??= readAll(bound, timeMs);
    return (await kept).bytes;
  };
  const unproven = async (bound?: number): Promise<Uint8Array> =>
    kept || request.contentLength === 0
      ? whole(bound)
      : reading.unproven.read(() => whole(bound, limits.unprovenBodyMs));
  return {
    whole: (bound) => whole(bound),
    unproven,
    memory: share,
    async *stream() {
      if (request.contentLength === 0) return;
      if (kept) {
        yield (await kept).bytes;
        return;
      }
      streaming = true;
      yield* request.openBody(faults);
    },
    async peek(bound) {
      if (streaming || (!kept && (request.contentLength ?? bound + 1) > bound)) return undefined;
      return unproven().catch(() => undefined);
    },
    [Symbol.dispose]() {
      share[Symbol.dispose]();
      void kept?.then((body) => body[Symbol.dispose]()).catch(() => undefined);
    },
  };
}

function tooLarge(bound: number): AwsFault {
  return new AwsFault('RequestEntityTooLarge', `The body of the request is larger than ${bound} bytes.`);
}

function bodyFaults(dialect: Dialect): BodyFaults {
  return {
    timeOut: () =>
      new AwsFault(
        'RequestTimeout',
        'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
      ),
    cutOff: () =>
      dialect === 's3'
        ? new AwsFault(
            'IncompleteBody',
            'You did not provide the number of bytes specified by the Content-Length HTTP header',
            { status: 400 },
          )
        : new AwsFault(
            'RequestAbortedException',
            'The connection was closed before the whole request had arrived.',
            {
              status: 400,
            },
          ),
  };
}

/** Claims memory for what is made of a body. Throws OverloadError when there is none. */
export function claim(memory: BodyMemory, bytes: number): void {
  if (!memory.take(bytes))
    throw new OverloadError('Too many bytes of requests are being received; try again later.');
}

const decompress = promisify(gunzip);

/**
 * Undoes `Content-Encoding: gzip` of a body that has been verified. The size is the one that the body's own end tells,
 * so that the memory can be claimed before it is filled; a body that grows larger than it says is refused. The memory stays
 * claimed for as long as the result is used.
 * Throws AwsFault: RequestEntityTooLarge, SerializationException, UnsupportedMediaTypeException; and OverloadError.
 */
export async function decodeContent(
  bytes: Uint8Array,
  contentEncoding: string | undefined,
  memory: BodyMemory,
): Promise<Uint8Array> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return bytes;
  if (encoding !== 'gzip') {
    throw new AwsFault(
      'UnsupportedMediaTypeException',
      'Content-Encoding of a request may be gzip, and nothing else.',
      {
        status: 415,
      },
    );
  }
  const size = bytes.length < 18 ? 0 : Buffer.from(bytes.slice(-4)).readUInt32LE();
  if (size > limits.requestBodyBytes) throw tooLarge(limits.requestBodyBytes);
  claim(memory, size);
  try {
    return await decompress(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    memory.release(size);
    throw new AwsFault(
      'SerializationException',
      'The gzip body cannot be decompressed, or is larger than its own end says.',
      { status: 400, cause: error },
    );
  }
}
