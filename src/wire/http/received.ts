import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { AwsFault } from '../../kernel/index.ts';
import type { HeaderLine, SignedRequest } from '../sigv4/index.ts';
import { clientAddress, plainAddress, type TrustedProxies } from './client-address.ts';

/** Why a body could not be read whole, each as the fault that the called service words it with. */
export interface BodyFaults {
  timeOut(): AwsFault;
  cutOff(): AwsFault;
}

/** A request whose head has been received. */
export interface ReceivedRequest {
  readonly requestId: string;
  /** Epoch milliseconds at which the head had arrived. */
  readonly time: number;
  /** What the signature covers: the raw head. */
  readonly signed: SignedRequest;
  /** Names in lower case; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** Set when it came over TLS, here or at a trusted proxy. */
  readonly tls: { readonly version: string; readonly cipher: string } | undefined;
  /** Bytes announced; 0 when there is no body, undefined when it comes in chunks. */
  readonly contentLength: number | undefined;
  /** The body as it arrives. Read it once. Rejects with one of `faults`. */
  openBody(faults: BodyFaults): AsyncIterable<Uint8Array>;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

/** The facts of a request that stand in its head. */
export type RequestHead = Omit<ReceivedRequest, 'requestId' | 'time' | 'openBody' | 'signal'>;

/** Headers that may stand only once: of two that differ, one would be verified and the other believed. */
const singletons: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'host',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-target',
  'x-amz-trailer',
  'x-forwarded-proto',
]);

/** A head that cannot be taken for a request, in the words of "Common Errors". */
function malformed(message: string): AwsFault {
  return new AwsFault('MalformedHttpRequestException', message, { status: 400 });
}

/** Reads the head. Throws AwsFault (MalformedHttpRequestException) for a target or headers that can be read two ways. */
export function readHead(message: IncomingMessage, proxies: TrustedProxies): RequestHead {
  const target = message.url ?? '';
  if (!target.startsWith('/')) throw malformed('The request target must be a path.');
  const lines = headerLines(message.rawHeaders);
  const headers = joinHeaders(lines);
  if (!headers['host']) throw malformed('The header Host is missing.');
  if ((headers['expect'] ?? '100-continue').toLowerCase() !== '100-continue')
    throw malformed('The header Expect may be 100-continue and nothing else.');
  const question = target.indexOf('?');
  const peer = message.socket.remoteAddress ?? '';
  const viaTls =
    proxies.trusts(plainAddress(peer)) &&
    headers['x-forwarded-proto']?.split(',').at(-1)?.trim().toLowerCase() === 'https';
  const tls = tlsOf(message.socket as TLSSocket);
  return {
    signed: {
      method: message.method ?? '',
      path: question === -1 ? target : target.slice(0, question),
      query: question === -1 ? '' : target.slice(question + 1),
      headers: lines,
    },
    headers,
    host: headers['host'],
    sourceIp: clientAddress(peer, headers['x-forwarded-for'], proxies),
    userAgent: headers['user-agent'] ?? '',
    // A proxy that ends TLS says that it did, and not how: an unknown version is still a protected connection.
    tls: tls ?? (viaTls ? { version: '-', cipher: '-' } : undefined),
    contentLength: contentLengthOf(headers),
  };
}

function headerLines(raw: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    lines.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  }
  return lines;
}

function joinHeaders(lines: readonly HeaderLine[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of lines) {
    const earlier = headers[name];
    if (earlier !== undefined && (singletons.has(name) || name.startsWith('x-amz-checksum-'))) {
      throw malformed(`The header ${name} stands more than once.`);
    }
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return headers;
}

function contentLengthOf(headers: Readonly<Record<string, string>>): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return Number(headers['content-length'] ?? '0');
}

function tlsOf(socket: TLSSocket): ReceivedRequest['tls'] {
  if (!socket.encrypted) return undefined;
  return { version: socket.getProtocol() ?? '-', cipher: socket.getCipher()?.name ?? '-' };
}
