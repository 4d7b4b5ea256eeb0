import type {
  DeleteResourcePolicyRequest,
  GetResourcePolicyRequest,
  GetResourcePolicyResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault, parseArn } from '../../../kernel/index.ts';
import { bindPrincipals, policyShown } from '../../../identity/index.ts';
import { parsePolicy } from '../../../identity/policy/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import {
  notFoundCodes,
  readResourcePolicy,
  resourcePolicyKey,
  type ResourcePolicyDocument,
} from '../other-resources.ts';
import { nothing, type Nothing, type TrailOperation, type TrailParts } from '../trail-operation.ts';

/** Throws unless the ARN is that of an event data store, channel or dashboard of the caller's account that exists. */
async function checkResource(view: StateView, arn: string, call: Call, parts: TrailParts): Promise<void> {
  const parsed = parseArn(arn);
  const [type = ''] = parsed?.resource.split('/') ?? [];
  if (parsed?.service !== 'cloudtrail') {
    throw new AwsFault('ResourceARNNotValidException', `${arn} is not the ARN of a CloudTrail resource.`);
  }
  if (!Object.hasOwn(notFoundCodes, type)) {
    throw new AwsFault(
      'ResourceTypeNotSupportedException',
      `Resources of type ${type} have no policy; event data stores, channels and dashboards have.`,
    );
  }
  const kind = parts.others[type as keyof typeof notFoundCodes];
  const exists =
    parsed.accountId === call.accountId &&
    (kind?.isAlwaysThere?.(arn, call) === true || (await kind?.readTags(view, arn)) !== undefined);
  if (!exists) throw new AwsFault('ResourceNotFoundException', `There is no resource ${arn}.`);
}

function policyNotFound(arn: string): AwsFault {
  return new AwsFault('ResourcePolicyNotFoundException', `${arn} has no resource policy.`);
}

const notValid = (reason: string): AwsFault =>
  new AwsFault('ResourcePolicyNotValidException', `The resource policy is not valid: ${reason}`);

/** Throws ResourcePolicyNotValidException, also for a user or role that does not exist. */
async function checkPolicy(view: StateView, json: string): Promise<ResourcePolicyDocument> {
  const parsed = parsePolicy(json, 'resource');
  if (parsed.kind === 'malformed') throw notValid(parsed.problems.map(({ detail }) => detail).join('; '));
  const bound = await bindPrincipals(view, parsed.policy, json);
  if (bound.kind === 'unknown') throw notValid(`the principal ${bound.principal} does not exist`);
  return { policy: bound.text, principals: bound.principals };
}

const mostStatements = 20;
const mostPrincipals = 50;

const listed = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

interface RawStatement {
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly Action?: string | readonly string[];
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
}

const statementsOf = (json: string): readonly RawStatement[] =>
  listed((JSON.parse(json) as { readonly Statement: RawStatement | readonly RawStatement[] }).Statement);

/** What the policy of a channel has to be ("AWS::CloudTrail::ResourcePolicy"). Throws ResourcePolicyNotValidException. */
function checkChannelPolicy(json: string): void {
  const statements = statementsOf(json);
  if (statements.length > mostStatements)
    throw notValid(`it has ${statements.length} statements; it can have ${mostStatements}`);
  for (const { Action, Principal } of statements) {
    const actions = listed(Action);
    if (actions.length === 0 || actions.some((one) => one.toLowerCase() !== 'cloudtrail-data:putauditevents'))
      throw notValid('the policy of a channel has the one action cloudtrail-data:PutAuditEvents');
    const named =
      typeof Principal === 'string' ? [Principal] : Object.values(Principal ?? {}).flatMap(listed);
    if (named.length > mostPrincipals)
      throw notValid(`a statement has ${named.length} principals; it can have ${mostPrincipals}`);
  }
}

const dashboardConditions = new Set(['aws:sourcearn', 'aws:sourceaccount']);

/** What the policy of a dashboard has to be ("Resource-based policy example for a dashboard"). */
function checkDashboardPolicy(json: string): void {
  for (const { Action, Principal, Condition = {} } of statementsOf(json)) {
    const actions = listed(Action);
    if (actions.length !== 1 || actions[0]?.toLowerCase() !== 'cloudtrail:startdashboardrefresh')
      throw notValid('the policy of a dashboard has the one action cloudtrail:StartDashboardRefresh');
    const named = typeof Principal === 'string' ? [] : Object.entries(Principal ?? {});
    const isCloudTrail = named.every(
      ([type, names]) =>
        type === 'Service' && listed(names).every((one) => one === 'cloudtrail.amazonaws.com'),
    );
    if (named.length === 0 || !isCloudTrail)
      throw notValid('the policy of a dashboard has the one principal cloudtrail.amazonaws.com');
    const other = Object.values(Condition)
      .flatMap((keys) => Object.keys(keys))
      .find((key) => !dashboardConditions.has(key.toLowerCase()));
    if (other !== undefined)
      throw notValid(`the conditions of a dashboard are aws:SourceArn and aws:SourceAccount, not ${other}`);
  }
}

export const PutResourcePolicy: TrailOperation<PutResourcePolicyRequest, PutResourcePolicyResponse> = {
  access: 'write',
  needs: (input) => [{ action: 'cloudtrail:PutResourcePolicy', resource: input.ResourceArn }],
  async handle({ ResourceArn, ResourcePolicy }, call, change, parts) {
    await checkResource(change, ResourceArn, call, parts);
    const document = await checkPolicy(change, ResourcePolicy);
    const { resource = '' } = parseArn(ResourceArn) ?? {};
    if (resource.startsWith('channel/')) checkChannelPolicy(ResourcePolicy);
    if (resource.startsWith('dashboard/')) checkDashboardPolicy(ResourcePolicy);
    change.put(resourcePolicyKey(ResourceArn), document);
    return { ResourceArn, ResourcePolicy };
  },
};

export const GetResourcePolicy: TrailOperation<GetResourcePolicyRequest, GetResourcePolicyResponse> = {
  access: 'read',
  needs: (input) => [{ action: 'cloudtrail:GetResourcePolicy', resource: input.ResourceArn }],
  async handle({ ResourceArn }, call, change, parts) {
    await checkResource(change, ResourceArn, call, parts);
    const found = await readResourcePolicy(change, ResourceArn);
    if (!found) throw policyNotFound(ResourceArn);
    return { ResourceArn, ResourcePolicy: await policyShown(change, found.policy, found.principals) };
  },
};

export const DeleteResourcePolicy: TrailOperation<DeleteResourcePolicyRequest, Nothing> = {
  access: 'write',
  needs: (input) => [{ action: 'cloudtrail:DeleteResourcePolicy', resource: input.ResourceArn }],
  async handle({ ResourceArn }, call, change, parts) {
    await checkResource(change, ResourceArn, call, parts);
    if ((await readResourcePolicy(change, ResourceArn)) === undefined) throw policyNotFound(ResourceArn);
    change.delete(resourcePolicyKey(ResourceArn));
    return nothing;
  },
};
