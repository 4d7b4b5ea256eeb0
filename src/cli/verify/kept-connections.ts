import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where requests go to. */
export interface HttpOrigin {
  readonly isTls: boolean;
  readonly hostname: string;
  readonly port: number;
}

export interface PlainAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined with `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly sizeBytes: number;
  /** Whole, or a stream that must be read to its end or given up. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * HTTP/1.1 over connections that are kept, for many small answers: Node's own client spends more on each of them than
 * they take to be hashed. It understands an answer whose length is announced and nothing else.
 */
export interface KeptConnections {
  /**
   * Sends a request without a body, given as its head with the empty line at its end. Undefined when there was no answer,
   * or one that is not understood: then somebody who knows more of HTTP must ask again.
   */
  ask(head: string): Promise<PlainAnswer | undefined>;
  close(): void;
}

/** Answers up to so long are taken whole, and their connection is used again. */
const wholeBytes = 512 * 1024;
const headBytes = 64 * 1024;
const silentMs = 60_000;

interface AnswerHead extends Pick<PlainAnswer, 'status' | 'headers' | 'sizeBytes'> {
  readonly endsConnection: boolean;
}

/** Reads the lines of a head (RFC 9112). Undefined for what is not understood, such as a body in chunks. */
export function readAnswerHead(text: string): AnswerHead | undefined {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, status = ''] = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(statusLine) ?? [];
  if (status === '') return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') return undefined;
    const lower = name.toLowerCase();
    const earlier = headers.get(lower);
    headers.set(lower, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const length = headers.get('content-length') ?? '';
  if (headers.has('transfer-encoding') || !/^\d{1,15}$/.test(length)) return undefined;
  return {
    status: Number(status),
    headers,
    sizeBytes: Number(length),
    endsConnection: headers.get('connection')?.toLowerCase() === 'close',
  };
}

/** A body too long to be held: what is there of it, and what the connection still brings. The connection ends with it. */
async function* longBody(socket: Socket, begin: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let left = sizeBytes - begin.length;
  try {
    yield begin;
    if (left === 0) return;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      yield chunk.subarray(0, left);
      left -= Math.min(left, chunk.length);
      if (left === 0) return;
    }
    throw new Error('the answer was cut off');
  } finally {
    socket.destroy();
  }
}

/** One connection, on which one request is under way or none. */
interface KeptConnection {
  ask(head: string): Promise<PlainAnswer | undefined>;
}

/** Keeps a connection; `onIdle` is called whenever the next request may follow on it. */
function keepConnection(socket: Socket, onIdle: () => void): KeptConnection {
  let received: Buffer = Buffer.alloc(0);
  let answer: AnswerHead | undefined;
  let waiting: ((result: PlainAnswer | undefined) => void) | undefined;

  function settle(result: PlainAnswer | undefined): void {
    if (!result) socket.destroy();
    const resolve = waiting;
    waiting = undefined;
    received = Buffer.alloc(0);
    answer = undefined;
    resolve?.(result);
  }

  function takeHead(): void {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) {
      if (received.length > headBytes) settle(undefined);
      return;
    }
    answer = readAnswerHead(received.toString('latin1', 0, end));
    received = received.subarray(end + 4);
    // More than the whole answer means that the two sides do not understand one another.
    if (!answer || received.length > answer.sizeBytes) settle(undefined);
  }

  function onData(chunk: Buffer): void {
    // Nothing was asked for.
    if (!waiting) {
      socket.destroy();
      return;
    }
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (!answer) takeHead();
    if (!answer) return;
    const { endsConnection, ...said } = answer;
    if (said.sizeBytes > wholeBytes) {
      socket.off('data', onData).pause();
      settle({ ...said, body: longBody(socket, received, said.sizeBytes) });
    } else if (received.length > said.sizeBytes) settle(undefined);
    else if (received.length === said.sizeBytes) {
      settle({ ...said, body: received });
      if (endsConnection) socket.destroy();
      else onIdle();
    }
  }

  socket.on('data', onData).on('close', () => settle(undefined));
  return {
    ask: (head) =>
      new Promise((resolve) => {
        waiting = resolve;
        socket.write(head, 'latin1');
      }),
  };
}

/** Opens them; a connection is made when none is idle, so whoever asks bounds their number. */
export function openKeptConnections(
  { isTls, hostname, port }: HttpOrigin,
  signal: AbortSignal,
): KeptConnections {
  const idle: KeptConnection[] = [];
  const open = new Set<Socket>();
  const host = hostname.replace(/^\[|\]$/g, '');

  function connect(): KeptConnection {
    const options = { host, port, timeout: silentMs };
    const socket = isTls
      ? connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }) })
      : connectPlain(options);
    const connection = keepConnection(socket, () => idle.push(connection));
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
    });
    return connection;
  }

  const close = () => {
    for (const socket of open) socket.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  return {
    ask: async (head) => (signal.aborted ? undefined : (idle.pop() ?? connect()).ask(head)),
    close() {
      signal.removeEventListener('abort', close);
      close();
    },
  };
}
