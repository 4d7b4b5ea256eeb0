/**
 * The protocols: a request that was authenticated goes in and becomes an operation with a decoded, checked input; an
 * output or a fault goes in and becomes the bytes that the client expects. The order of calls is `route`, `decode`,
 * `validate`, then `encodeOutput` or `encodeFault`:
 *
 *   route(services, request, signingName, readBody): Promise<RoutedOperation>
 *   decode(routed, request, body): Record<string, unknown>
 *   validate(routed, input): void
 *   encodeOutput(routed, output, requestId): WireAnswer
 *   encodeFault(routed or unrouted, fault, requestId): WireAnswer
 *   unrouted(services, request, signingName): Promise<UnroutedRequest>
 */
export type {
  EncodeFault,
  RoutedOperation,
  UnroutedRequest,
  WireAnswer,
  WireBody,
  WireRequest,
} from './protocol-types.ts';
