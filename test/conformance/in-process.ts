import { buildQueryString, HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { AwsFault } from '../../src/kernel/index.ts';
import {
  decode,
  encodeFault,
  encodeOutput,
  route,
  unrouted,
  type RoutedOperation,
  type WireAnswer,
  type WireRequest,
} from '../../src/wire/protocol/index.ts';
import type { Services } from '../../src/wire/services.ts';

/** What the far end of the wire does with a call that it has decoded. */
export type Answer = (
  routed: RoutedOperation,
  input: Record<string, unknown>,
) => Promise<Record<string, unknown>>;

/**
 * A request handler for the SDK's clients that hands each request straight to the protocols, without sockets. The
 * service is taken from the credential scope, as after authentication, unless `signedAs` says another.
 */
export function inProcess(services: Services, answer: Answer, signedAs?: string) {
  return {
    ...handlerShape,
    async handle(request: HttpRequest): Promise<{ response: HttpResponse }> {
      const wire = wireRequest(request);
      const sent = await bytesOf(request.body);
      const body = wire.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(wire.headers['authorization'] ?? '')?.[1];
      const signingName = signedAs ?? scope;
      try {
        const routed = await route(services, wire, signingName, () => Promise.resolve(body));
        try {
          const output = await answer(routed, decode(routed, wire, body));
          return { response: clientResponse(encodeOutput(routed, output, 'request-1')) };
        } catch (error) {
          if (!(error instanceof AwsFault)) throw error;
          return { response: clientResponse(encodeFault(routed, error, 'request-1')) };
        }
      } catch (error) {
        if (!(error instanceof AwsFault)) throw error;
        const target = await unrouted(services, wire, signingName);
        return { response: clientResponse(encodeFault(target, error, 'request-1')) };
      }
    },
  };
}

/** A request handler that keeps what the client would have sent, and answers nothing that it could read. */
export function capturing(kept: { request: WireRequest; body: Uint8Array }[]) {
  return {
    ...handlerShape,
    async handle(request: HttpRequest): Promise<{ response: HttpResponse }> {
      const sent = await bytesOf(request.body);
      const wire = wireRequest(request);
      const body = wire.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      kept.push({ request: wire, body });
      return { response: new HttpResponse({ statusCode: 400, headers: {}, body: Readable.from([]) }) };
    },
  };
}

const handlerShape = {
  metadata: { handlerProtocol: 'http/1.1' },
  updateHttpClientConfig: () => undefined,
  httpHandlerConfigs: () => ({}),
  destroy: () => undefined,
};

function wireRequest(request: HttpRequest): WireRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    method: request.method,
    path: request.path,
    query: buildQueryString(request.query ?? {}),
    headers,
    host: headers['host'] ?? request.hostname,
  };
}

async function bytesOf(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return body;
  return Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>));
}

function clientResponse(answer: WireAnswer): HttpResponse {
  return new HttpResponse({
    statusCode: answer.status,
    headers: { ...answer.headers },
    body:
      answer.body instanceof Uint8Array
        ? Readable.from([Buffer.from(answer.body)])
        : Readable.from(answer.body),
  });
}
