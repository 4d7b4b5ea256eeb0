/**
 * What events are sent to: which targets there can be, and the invoking of API destinations. In flow deliveries; out flow
 * HTTP requests, and what came of them.
 */
export { checkTarget } from './target-kinds.ts';
export { openEgress, type Egress } from './http/egress.ts';
export { openHostLookups } from './http/host-lookups.ts';
export { openHttpClient } from './http/http-client.ts';
export { openApiDestinations } from './api-destination/open-api-destinations.ts';
export {
  namedValues,
  openConnection,
  sealConnection,
  type ConnectionSecret,
} from './api-destination/connection-secret.ts';
