import { AwsFault, isAccountId, limits, parseArn, region, type AccountId } from '../kernel/index.ts';
import type { State, StateView } from '../state/index.ts';
import type { Authorise, Call, Need, Principal } from '../wire/index.ts';
import { assumedRoleArn, roleArn } from './arns.ts';
import { keys, read, type RoleDocument } from './documents.ts';
import { accessDenied } from './faults.ts';
import type { LastUsed } from './last-used.ts';
import { knownPolicy, permissionsOf, type Permissions } from './permissions.ts';
import {
  accessDeniedMessage,
  evaluate,
  globalConditionKeys,
  requesterOf,
  serviceConditionKeys,
  type AttachedPolicy,
  type EvaluationRequest,
  type Policy,
} from './policy/index.ts';
import { requestedRegion } from './requested-region.ts';
import { openStateCache } from './state-cache.ts';
import { trustPolicyInForce } from './trust-policies.ts';

/** A service that acts by itself, such as CloudTrail when it delivers log files. */
export interface ServiceCaller {
  /** Such as `cloudtrail.amazonaws.com`. */
  readonly service: string;
  /** The resource on whose behalf it acts, such as a trail's ARN, for aws:SourceArn. */
  readonly sourceArn: string;
  /** The account of that resource, for aws:SourceAccount. */
  readonly sourceAccountId: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** Throws AccessDenied unless the resource's own policy allows the service each need: nothing else speaks of services. */
export type AuthoriseService = (caller: ServiceCaller, needs: readonly Need[]) => void;

/**
 * Rejects with AccessDenied unless the role trusts the service, and allows each need to whoever assumes it: for services that
 * act with a role of their customer, such as EventBridge when it invokes targets.
 */
export type AuthoriseRole = (caller: ServiceCaller, roleArn: string, needs: readonly Need[]) => Promise<void>;

/** Decides whether calls are allowed. */
export interface Authorisation {
  readonly authorise: Authorise;
  readonly authoriseService: AuthoriseService;
  readonly authoriseRole: AuthoriseRole;
  [Symbol.dispose](): void;
}

/** Caches must tell apart what was deleted and made again under the same name, hence the unique id. */
function cacheKey(principal: Principal): string {
  switch (principal.type) {
    case 'Root':
      return principal.arn;
    case 'IAMUser':
      return `${principal.arn} ${principal.principalId}`;
    case 'AssumedRole':
      return `${principal.role.arn} ${principal.role.principalId}`;
  }
}

/** The trust policy of a role that does not exist trusts nobody, and so says no more than that. */
const trustsNobody: Policy = { kind: 'trust', version: '2012-10-17', id: undefined, statements: [] };

function resourcePolicy(need: Need): { readonly resource?: AttachedPolicy } {
  const isTrust = need.resourcePolicyRequired === true && need.action.startsWith('sts:');
  if (need.resourcePolicy === undefined && !isTrust) return {};
  const policy =
    need.resourcePolicy === undefined
      ? trustsNobody
      : knownPolicy(need.resourcePolicy, isTrust ? 'trust' : 'resource', need.resource);
  return { resource: { id: need.resource, source: 'resource', policy } };
}

/**
 * What GetSessionToken's credentials can never do, whatever policies say: call IAM without MFA, or STS beyond AssumeRole
 * and GetCallerIdentity (API reference of GetSessionToken). The need is that of the call itself, the first.
 */
function refuseToSessions({ principal }: Call, { action, resource }: Need): void {
  if (principal.type === 'AssumedRole' || !principal.session) return;
  if (action.startsWith('iam:') && !principal.session.mfaAuthenticated) {
    throw new AwsFault('InvalidClientTokenId', 'The security token included in the request is invalid', {
      status: 403,
    });
  }
  if (action === 'sts:GetAccessKeyInfo') {
    throw accessDenied(
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} with credentials of GetSessionToken`,
    );
  }
}

/**
 * Whose the resource is, for aws:ResourceAccount, which is there for every action ("AWS global condition context keys"):
 * what the service says, else what the ARN says, else the account in which the call is made.
 */
function resourceOwner(call: Call, { resource, resourceAccountId }: Need): string {
  const named = resourceAccountId ?? parseArn(resource)?.accountId;
  return named !== undefined && isAccountId(named) ? named : call.accountId;
}

function decide(call: Call, need: Need, permissions: Permissions): void {
  const { principal } = call;
  const request: EvaluationRequest = {
    requester: requesterOf(principal),
    action: need.action,
    resource: need.resource,
    conditionKeys: {
      ...globalConditionKeys(call, {
        principalTags: permissions.tags,
        ...(need.resourceTags ? { resourceTags: need.resourceTags } : {}),
        ...(need.requestTags ? { requestTags: need.requestTags } : {}),
        resourceAccountId: resourceOwner(call, need),
      }),
      ...need.conditions,
    },
    ...(need.resourceAccountId === undefined ? {} : { resourceAccountId: need.resourceAccountId }),
  };
  const evaluation = evaluate(request, {
    identity: permissions.identity,
    ...(permissions.boundary ? { boundary: permissions.boundary } : {}),
    session: (principal.session?.policies ?? []).map((text, place) => ({
      id: `session policy ${place + 1}`,
      source: 'none',
      policy: knownPolicy(text, 'session', `of ${principal.arn}`),
    })),
    ...resourcePolicy(need),
    ...(need.resourcePolicyRequired ? { resourcePolicyRequired: true } : {}),
  });
  if (evaluation.decision !== 'allowed') throw accessDenied(accessDeniedMessage(request, evaluation));
}

function decideForService(caller: ServiceCaller, need: Need): void {
  const request: EvaluationRequest = {
    requester: { type: 'service', name: caller.service },
    action: need.action,
    resource: need.resource,
    conditionKeys: {
      ...serviceConditionKeys(caller),
      ...(need.resourceAccountId !== undefined && { 'aws:ResourceAccount': [need.resourceAccountId] }),
      ...need.conditions,
    },
    ...(need.resourceAccountId === undefined ? {} : { resourceAccountId: need.resourceAccountId }),
  };
  const evaluation = evaluate(request, { identity: [], ...resourcePolicy(need) });
  if (evaluation.decision !== 'allowed') throw accessDenied(accessDeniedMessage(request, evaluation));
}

/** A role that a service is to act with. */
interface FoundRole {
  readonly arn: string;
  readonly accountId: AccountId;
  readonly document: RoleDocument;
}

async function findRole(view: StateView, arn: string): Promise<FoundRole | undefined> {
  const { accountId = '', resource = '' } = parseArn(arn) ?? {};
  if (!isAccountId(accountId)) return undefined;
  const name = resource.slice(resource.lastIndexOf('/') + 1);
  const document = await read<RoleDocument>(view, keys.role(accountId, name));
  if (!document || roleArn(accountId, document.path, document.name) !== arn) return undefined;
  return { arn, accountId, document };
}

/** The call of a service that has assumed a role. It never leaves the process: instead of an address it has the service's name. */
function callAsRole(caller: ServiceCaller, { arn, accountId, document }: FoundRole): Call {
  const { service, time } = caller;
  const [sessionName = service] = service.split('.');
  return {
    principal: {
      type: 'AssumedRole',
      accountId,
      arn: assumedRoleArn(accountId, document.name, sessionName),
      principalId: `${document.id}:${sessionName}`,
      accessKeyId: '',
      role: { arn, principalId: document.id, name: document.name },
      session: { issuedAt: time, expiresAt: time, mfaAuthenticated: false },
    },
    accountId,
    region: region(caller.region),
    time,
    requestId: '',
    sourceIp: service,
    userAgent: service,
    tls: { version: '', cipher: '' },
    host: service,
  };
}

/**
 * Opens authorisation: every need must be allowed by the policies in force at this moment, else AccessDenied names the
 * first that is not. `lastUsed` is told who called, before the decision: a denied call is a use as well.
 */
export function openAuthorisation(options: {
  readonly state: Pick<State, 'get' | 'list' | 'count' | 'onChange'>;
  readonly lastUsed?: Pick<LastUsed, 'note'>;
}): Authorisation {
  const { state, lastUsed } = options;
  const cache = openStateCache<Permissions>(state, limits.permissionCacheEntries);
  return {
    async authorise(call, needs) {
      lastUsed?.note(call, needs[0]?.action);
      if (needs.length === 0) return;
      const permissions = await cache.get(cacheKey(call.principal), () =>
        permissionsOf(state, call.principal),
      );
      const [called] = needs;
      const region = requestedRegion(call, called?.action);
      const asked = region === call.region ? call : { ...call, region };
      if (called) refuseToSessions(asked, called);
      for (const need of needs) decide(asked, need, permissions);
    },
    authoriseService(caller, needs) {
      for (const need of needs) decideForService(caller, need);
    },
    async authoriseRole(caller, arn, needs) {
      const role = await findRole(state, arn);
      if (!role) {
        const why = 'there is no such role';
        throw accessDenied(`${caller.service} is not authorized to assume the role ${arn}: ${why}`);
      }
      decideForService(caller, {
        action: 'sts:AssumeRole',
        resource: arn,
        resourcePolicy: trustPolicyInForce(role.document),
        resourcePolicyRequired: true,
      });
      const call = callAsRole(caller, role);
      const permissions = await cache.get(cacheKey(call.principal), () =>
        permissionsOf(state, call.principal),
      );
      for (const need of needs) decide(call, need, permissions);
    },
    [Symbol.dispose]: () => cache[Symbol.dispose](),
  };
}
