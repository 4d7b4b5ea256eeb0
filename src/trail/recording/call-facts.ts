import { isRegion, type Random } from '../../kernel/index.ts';
import type {
  AuditResource,
  Call,
  DecodedCall,
  Recorded,
  RejectedCall,
  ServiceDescription,
} from '../../wire/index.ts';
import type { AuditFacts } from './audit-record.ts';
import { foreignIdentityOf, unknownIdentity, userIdentityOf } from './user-identity.ts';

/** What an operation is in CloudTrail's eyes. */
export interface OperationClass {
  readonly access: 'read' | 'write';
  readonly category: 'management' | 'data';
  /** The name that CloudTrail records, where it is not the operation's own. */
  readonly eventName: string;
}

/** How a call ended. */
export type CallOutcome =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** The parts of a record that depend on the operation. */
export interface ShownCall extends Recorded {
  readonly resources: readonly AuditResource[];
}

/** Services that AWS runs once for all regions, and the region in which CloudTrail records them. */
const globalServices: ReadonlyMap<string, string> = new Map([['iam.amazonaws.com', 'us-east-1']]);

function recordedRegion(service: ServiceDescription | undefined, region: string): string {
  return (service && globalServices.get(service.eventSource)) ?? region;
}

/** The facts of a decoded call for its record. */
export function factsOf(
  decoded: DecodedCall<never>,
  outcome: CallOutcome,
  shown: ShownCall,
  operationClass: OperationClass,
  at: { readonly time: number; readonly random: Random },
): AuditFacts {
  const { call, service } = decoded;
  return {
    eventId: at.random.uuid(),
    time: at.time,
    userIdentity: userIdentityOf(call.principal),
    eventSource: service.eventSource,
    eventName: operationClass.eventName,
    region: recordedRegion(service, call.region),
    ...whereFrom(call),
    error: outcome.kind === 'failed' ? { code: outcome.code, message: outcome.message } : undefined,
    ...shown,
    readOnly: operationClass.access === 'read',
    category: operationClass.category,
    recipientAccountId: call.accountId,
  };
}

/** The facts of the parts of a call that are recorded on their own, each under an eventID of its own. */
export function partsOf(
  decoded: DecodedCall<never>,
  operationClass: OperationClass,
  at: { readonly time: number; readonly random: Random },
): readonly AuditFacts[] {
  const parts = decoded.operation?.recordedParts?.(decoded.input, decoded.call) ?? [];
  return parts.map(({ eventName, error, ...shown }) => {
    const outcome: CallOutcome = error ? { kind: 'failed', ...error } : { kind: 'done', output: undefined };
    return factsOf(decoded, outcome, shown, { ...operationClass, eventName }, at);
  });
}

/** The facts of the calls of other services that were made with the caller's permissions. They came over no wire. */
export function forwardedOf(
  { operation, call }: DecodedCall<never>,
  at: { readonly time: number; readonly random: Random },
): readonly AuditFacts[] {
  return (operation?.forwardedCalls?.(call) ?? []).map(({ invokedBy, error, ...forwarded }) => ({
    ...forwarded,
    eventId: at.random.uuid(),
    requestId: at.random.uuid(),
    time: at.time,
    userIdentity: { ...userIdentityOf(call.principal), invokedBy },
    sourceIp: invokedBy,
    userAgent: invokedBy,
    error,
    responseElements: null,
    readOnly: true,
    category: 'management',
    recipientAccountId: call.accountId,
  }));
}

function whereFrom(call: Call | RejectedCall) {
  const { requestId, sourceIp, userAgent, host, tls } = call;
  return { requestId, sourceIp, userAgent, host, tls };
}

/**
 * The records of a call: one for the caller's account, and, for a call that succeeded on resources of other accounts,
 * one for each of their owners under the same sharedEventID ("CloudTrail record contents", sharedEventID).
 */
export function recipientsOf(facts: AuditFacts, call: Call, random: Random): readonly AuditFacts[] {
  if (facts.error !== undefined) return [facts];
  const owners = new Set(facts.resources.flatMap(({ accountId }) => accountId ?? []));
  owners.delete(facts.recipientAccountId);
  if (owners.size === 0) return [facts];
  const sharedEventId = random.uuid();
  const { invokedBy } = facts.userIdentity;
  const foreign = [...owners].map((owner) => ({
    ...facts,
    sharedEventId,
    eventId: random.uuid(),
    userIdentity: {
      ...foreignIdentityOf(call.principal),
      ...(invokedBy !== undefined && { invokedBy }),
    },
    recipientAccountId: owner,
  }));
  return [{ ...facts, sharedEventId }, ...foreign];
}

/** The facts of a call that never reached a handler. What the request claims and nobody has proven is marked as such. */
export function rejectedFacts(
  rejected: RejectedCall,
  operationClass: OperationClass,
  at: { readonly random: Random; readonly managementAccountId: string },
): AuditFacts {
  const { call, service } = rejected;
  return {
    eventId: at.random.uuid(),
    time: rejected.time,
    userIdentity: call ? userIdentityOf(call.principal) : unknownIdentity(rejected.claimedAccessKeyId),
    eventSource: service?.eventSource ?? 'unknown',
    eventName: operationClass.eventName,
    region: recordedRegion(service, isRegion(rejected.region) ? rejected.region : 'unknown'),
    ...whereFrom(rejected),
    error: rejected.error,
    requestParameters: null,
    responseElements: null,
    ...(!call && { additionalEventData: { authenticated: false } }),
    readOnly: operationClass.access === 'read',
    category: operationClass.category,
    resources: [],
    recipientAccountId: call?.accountId ?? at.managementAccountId,
  };
}
