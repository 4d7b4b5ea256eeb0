import type { Services } from '../services.ts';
import { decode } from './decode.ts';
import type { RoutedOperation, WireBody, WireRequest } from './protocol-types.ts';
import { route } from './route.ts';
import { validate } from './validate.ts';

/** The input of an operation as it was sent: plain data, so that another thread can take it. */
export interface EncodedInput {
  /** The service in the signature's scope. */
  readonly signingName: string;
  readonly request: WireRequest;
  /** Whole, verified, without compression. */
  readonly body: Uint8Array;
}

/** Decodes and validates an input. Throws what `decode` and `validate` throw. */
export function decodeValid(
  routed: RoutedOperation,
  request: WireRequest,
  body: WireBody,
): Record<string, unknown> {
  const input = decode(routed, request, body);
  validate(routed, input);
  return input;
}

/**
 * The decoder of inputs that were handed to another thread. It routes, decodes and validates them as the pipeline does,
 * and rejects with the same faults.
 */
export function openInputDecoder(
  services: Services,
): (input: EncodedInput) => Promise<Record<string, unknown>> {
  return async ({ signingName, request, body }) => {
    const routed = await route(services, request, signingName, () => Promise.resolve(body));
    return decodeValid(routed, request, body);
  };
}
