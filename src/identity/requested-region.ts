import { region, type Region } from '../kernel/index.ts';
import type { Call } from '../wire/index.ts';

const globalRegion = region('us-east-1');

/**
 * The region in which a call is made; `action` is the first that it needs. IAM is one service for all regions, whose calls
 * "are always made to the us-east-1 Region" ("AWS global condition context keys", aws:RequestedRegion). Clients that are
 * told an endpoint sign with any region of theirs, and nobody may pass a policy by choosing that.
 */
export const requestedRegion = (call: Pick<Call, 'region'>, action: string | undefined): Region =>
  action?.startsWith('iam:') ? globalRegion : call.region;
