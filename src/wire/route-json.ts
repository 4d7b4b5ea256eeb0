import { AwsFault } from '../kernel/index.ts';
import type { RouteAnswer } from './endpoint.ts';

/** JSON on Cairn's own paths. */

/** The fault for a request of an own path that is not as it should be. */
export function invalidRequest(text: string): AwsFault {
  return new AwsFault('ValidationException', text, { status: 400 });
}

/** Reads the body of a route as JSON. Throws ValidationException for more than `mostBytes`, and for what is not JSON. */
export async function readRouteJson(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) throw invalidRequest(`The body is larger than ${mostBytes} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw invalidRequest('The body is not JSON.');
  }
}

/** An answer with `value` as one line of JSON. `recorded` is what the call's record shows of it, for writes. */
export function jsonAnswer(value: unknown, recorded?: unknown): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: `${JSON.stringify(value)}\n`,
    ...(recorded !== undefined && { recorded }),
  };
}
