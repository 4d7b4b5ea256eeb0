import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import {
  AwsFault,
  http,
  https,
  limits,
  type Clock,
  type Logger,
  type Random,
  type Settings,
} from '../../kernel/index.ts';
import { sendAnswer, type Answer } from './answer.ts';
import { readCertificate, watchCertificate } from './certificate.ts';
import { trustedProxies, type TrustedProxies } from './client-address.ts';
import { readIncoming } from './incoming-body.ts';
import { readHead, type ReceivedRequest } from './received.ts';

export interface HttpServerOptions extends Pick<Settings, 'listen' | 'tls' | 'trustedProxies'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Answers a request; whatever is wrong with it. `sent` is called when the answer has gone out, or cannot. */
  handle(request: ReceivedRequest): Promise<HandledRequest>;
}

export interface HandledRequest {
  readonly answer: Answer;
  /** Called once the answer was sent or the client went away. */
  sent(): void;
}

/** A server that listens. */
export interface HttpServer extends AsyncDisposable {
  /** The address listened on, such as `127.0.0.1`. */
  readonly address: string;
  /** The port listened on, also when the setting was 0. */
  readonly port: number;
  /** What is wrong with the certificate, one plain sentence each. */
  readonly problems: readonly string[];
  /**
   * Stops accepting, lets what was accepted finish for at most `limits.stopMs`, and closes every connection. Event
   * streams, which never end by themselves, are told at once.
   */
  close(): Promise<void>;
}

/** One request that is being answered. */
interface Exchange {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
  /** Set once its answer is known to be an event stream. */
  endless: boolean;
}

/** The signal is made when it is asked for: most requests are answered without anybody listening to it. */
function openExchange(): Exchange {
  let controller: AbortController | undefined;
  let aborted: Error | undefined;
  return {
    endless: false,
    get signal() {
      if (!controller) {
        controller = new AbortController();
        if (aborted) controller.abort(aborted);
      }
      return controller.signal;
    },
    abort(reason) {
      aborted ??= reason;
      controller?.abort(reason);
    },
  };
}

interface Running {
  readonly options: HttpServerOptions;
  readonly proxies: TrustedProxies;
  readonly server: Server | TlsServer;
  readonly exchanges: Set<Exchange>;
  /** Requests being answered on each connection. */
  readonly busy: WeakMap<Socket, Set<IncomingMessage>>;
  /** Connections on which something followed that is no request: they end with the answers under way. */
  readonly doomed: WeakSet<Socket>;
  stopping: boolean;
  /** Called when the last exchange ends while stopping. */
  onIdle: (() => void) | undefined;
}

/**
 * Opens the server on `listen`, with HTTPS where `tls` is set. Bounds on the head are Node's own (size, time, number of
 * connections), set from `limits`; everything behind the head is `handle`'s. Throws SettingError for a certificate or a
 * proxy list that cannot be used, and Node's own error when the address is taken.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const proxies = trustedProxies(options.trustedProxies);
  const settings = {
    maxHeaderSize: limits.requestHeadBytes,
    headersTimeout: limits.requestHeadMs,
    requestTimeout: 0,
    // Looked at where the head is read, so that it is refused like everything else.
    requireHostHeader: false,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
  };
  const { tls } = options;
  const certificate = tls && (await readCertificate(tls));
  const tlsServer =
    certificate &&
    https.createServer({
      ...settings,
      cert: certificate.cert,
      key: certificate.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.requestHeadMs,
    });
  const server = tlsServer ?? http.createServer(settings);
  // Headers are bounded by their size; a bound on their number would drop the rest without a word.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  const running: Running = {
    options,
    proxies,
    server,
    exchanges: new Set(),
    busy: new WeakMap(),
    doomed: new WeakSet(),
    stopping: false,
    onIdle: undefined,
  };
  server.on('request', (message, response) => void serve(running, message, response, false));
  server.on('checkContinue', (message, response) => void serve(running, message, response, true));
  server.on('checkExpectation', (message, response) => void serve(running, message, response, false));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseBytes(running, error, socket),
  );
  server.on('connection', (socket: Socket) => socket.on('error', () => socket.destroy()));
  await listen(server, options.listen);
  const watched =
    tls && tlsServer
      ? watchCertificate(tls, certificate, options, ({ cert, key }) =>
          tlsServer.setSecureContext({ cert, key }),
        )
      : undefined;
  const bound = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    watched?.stop();
    return (closed ??= stop(running));
  };
  return {
    address: bound.address,
    port: bound.port,
    get problems() {
      return watched?.problems ?? [];
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server | TlsServer, { host, port }: Settings['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const answered = new Error('the answer has been sent');

/** Receives one request, has it answered, and sends the answer. Never rejects. */
async function serve(
  running: Running,
  message: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
): Promise<void> {
  const { options, exchanges } = running;
  const { socket } = message;
  const exchange = openExchange();
  const requestId = options.random.uuid();
  exchanges.add(exchange);
  const onSocket = running.busy.get(socket) ?? new Set();
  running.busy.set(socket, onSocket.add(message));
  response.on('error', () => undefined);
  message.on('error', () => undefined);
  response.on('close', () => {
    if (!response.writableFinished) exchange.abort(new Error('the client went away'));
  });
  let continued = !awaitsContinue;
  const onFirstRead = () => {
    if (!continued && !response.headersSent) response.writeContinue();
    continued = true;
  };
  let handled: HandledRequest | undefined;
  try {
    handled = await handle(running, message, requestId, exchange, onFirstRead);
    const { answer } = handled;
    exchange.endless = answer.headers['content-type']?.startsWith('text/event-stream') ?? false;
    if (running.stopping || !continued) response.shouldKeepAlive = false;
    if (running.stopping && exchange.endless) exchange.abort(new Error('the server is stopping'));
    await sendAnswer(response, answer, options.clock, message.method === 'HEAD');
    await finished(response);
    lingerOver(message, options.clock);
  } catch (error) {
    options.log.error({ err: error, requestId }, 'an answer could not be sent whole');
    response.destroy();
  } finally {
    // Ends what a handler began for an answer that was never read: a body asked for with HEAD, or refused after all.
    exchange.abort(answered);
    handled?.sent();
    exchanges.delete(exchange);
    onSocket.delete(message);
    if (onSocket.size === 0 && running.doomed.has(socket)) socket.destroy();
    if (running.stopping) {
      running.server.closeIdleConnections();
      if (exchanges.size === 0) running.onIdle?.();
    }
  }
}

async function handle(
  { options, proxies }: Running,
  message: IncomingMessage,
  requestId: string,
  exchange: Exchange,
  onFirstRead: () => void,
): Promise<HandledRequest> {
  let head;
  try {
    head = readHead(message, proxies);
  } catch (error) {
    if (error instanceof AwsFault) return malformedRequest(error, requestId);
    throw error;
  }
  return options.handle({
    ...head,
    requestId,
    time: options.clock.now(),
    openBody: (faults) => readIncoming(message, options.clock, faults, onFirstRead),
    get signal() {
      return exchange.signal;
    },
  });
}

/** A head of which not even the service can be told is answered in the plainest form there is. */
function malformedRequest(fault: AwsFault, requestId: string): HandledRequest {
  return {
    answer: {
      status: fault.status ?? 400,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': fault.code,
        connection: 'close',
      },
      body: JSON.stringify({ __type: fault.code, message: fault.message }),
    },
    sent: () => undefined,
  };
}

/** Resolves when the whole answer was handed to the system, or the connection is gone. */
function finished(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    response.once('finish', resolve).once('close', resolve);
  });
}

/**
 * Throws away what the client still sends of a body that was refused, for a short while: closing at once could take the
 * answer away from a client that has not read it yet.
 */
function lingerOver(message: IncomingMessage, clock: Clock): void {
  if (message.complete || message.destroyed) return;
  const timer = clock.after(2_000, () => message.socket.destroy());
  message.on('end', () => timer.cancel()).on('close', () => timer.cancel());
  message.resume();
}

const refusals: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'RequestHeaderSectionTooLarge',
    `The request line and headers take more than ${limits.requestHeadBytes} bytes.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'RequestTimeoutException',
    'The head of the request did not arrive in time.',
  ],
};

/** Answers bytes that are no HTTP request, unless answers are under way on this connection: those come first. */
function refuseBytes({ options, busy, doomed }: Running, error: NodeJS.ErrnoException, socket: Socket): void {
  const underWay = [...(busy.get(socket) ?? [])];
  if (error.code !== 'ECONNRESET' && underWay.length > 0 && underWay.every((message) => message.complete)) {
    doomed.add(socket);
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable || underWay.length > 0) {
    socket.destroy();
    return;
  }
  const [status, code, message] = refusals[error.code ?? ''] ?? [
    '400 Bad Request',
    'MalformedHttpRequestException',
    'Problems with the request at the HTTP level.',
  ];
  const body = JSON.stringify({ __type: code, message });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    `x-amzn-requestid: ${options.random.uuid()}`,
    `x-amzn-errortype: ${code}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

async function stop(running: Running): Promise<void> {
  const { server, exchanges, options } = running;
  running.stopping = true;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  for (const exchange of exchanges) {
    if (exchange.endless) exchange.abort(new Error('the server is stopping'));
  }
  if (exchanges.size > 0) {
    const idle = new Promise<void>((resolve) => {
      running.onIdle = resolve;
    });
    const enough = new AbortController();
    const late = options.clock.sleep(limits.stopMs, enough.signal).catch(() => undefined);
    await Promise.race([idle, late]);
    enough.abort();
    for (const exchange of exchanges) exchange.abort(new Error('the server is stopping'));
  }
  server.closeAllConnections();
  await closed;
}
