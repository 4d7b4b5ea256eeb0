import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an endpoint got it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Respond = (request: ReceivedRequest, response: ServerResponse) => void;

/** An endpoint on loopback that keeps what it gets. */
export interface HttpReceiver extends AsyncDisposable {
  /** Such as `127.0.0.1:40001`. */
  readonly host: string;
  readonly requests: ReceivedRequest[];
  /** What it answers; 200 unless told otherwise. */
  respond: Respond;
  /** Resolves once so many requests were received. */
  received(count: number): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);

export async function openHttpReceiver(): Promise<HttpReceiver> {
  const requests: ReceivedRequest[] = [];
  let waiting: (() => void)[] = [];
  const receiver = { respond: answer(200) };
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request).catch(() => undefined);
    // Whoever went away in the middle has sent nothing.
    if (body === undefined) return;
    const { method = '', url = '', headers } = request;
    const received = { method, url, headers, body };
    requests.push(received);
    for (const wake of waiting.splice(0)) wake();
    receiver.respond(received, response);
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    get respond() {
      return receiver.respond;
    },
    set respond(respond) {
      receiver.respond = respond;
    },
    async received(count) {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      waiting = [];
    },
  };
}
