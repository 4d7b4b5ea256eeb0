import type {
  ContextEntry,
  EvaluationResult,
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse,
  GetContextKeysForPrincipalPolicyRequest,
  SimulateCustomPolicyRequest,
  SimulatePolicyResponse,
  SimulatePrincipalPolicyRequest,
} from '@aws-sdk/client-iam';
import { AwsFault, isAccountId, limits, parseArn } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { groupArn, roleArn, userArn } from '../arns.ts';
import { keys, read, type GroupDocument, type RoleDocument, type UserDocument } from '../documents.ts';
import { invalidInput } from '../faults.ts';
import { onEverything } from '../needs.ts';
import type { Given, IdentityOperation } from '../operation.ts';
import { pageAnswer, pageOfIndexes } from '../paging.ts';
import {
  permissionsOfGroup,
  permissionsOfRole,
  permissionsOfUser,
  type Permissions,
} from '../permissions.ts';
import { pages } from '../quotas.ts';
import { checkPolicyText } from '../policy-texts.ts';
import {
  contextKeysOf,
  evaluate,
  missingContextKeys,
  type ApplicablePolicies,
  type AttachedPolicy,
  type ConditionKeys,
  type MatchedStatement,
  type PolicyKind,
  type Requester,
} from '../policy/index.ts';

/** What both simulations take. */
type Simulation = Omit<Given<SimulateCustomPolicyRequest>, 'PolicyInputList'> &
  Pick<SimulatePrincipalPolicyRequest, 'PolicyExclusionList' | 'PolicyInputList'>;

/** Whose policies are simulated. */
interface Source {
  readonly requester: Requester;
  readonly permissions: Permissions;
  /** Condition keys that follow from who it is. */
  readonly conditionKeys: ConditionKeys;
}

const charactersOf = (texts: readonly string[] = []): number =>
  texts.reduce((sum, text) => sum + text.length, 0);

function given(texts: readonly string[] | undefined, list: string, kind: PolicyKind): AttachedPolicy[] {
  const most = limits.simulatedPolicyCharacters;
  if (charactersOf(texts) > most) throw invalidInput(`${list} takes up to ${most} characters in all.`);
  return (texts ?? []).map((text, place) => ({
    id: `${list}.${place + 1}`,
    source: 'none',
    policy: checkPolicyText(text, kind),
  }));
}

/** The user, group or role whose policies are asked about. Throws NoSuchEntity. */
async function readSource(view: StateView, call: Call, arnText: string): Promise<Source> {
  const { accountId } = call;
  const arn = parseArn(arnText);
  const name = arnText.slice(arnText.lastIndexOf('/') + 1);
  const [kind] = arn?.resource.split('/') ?? [];
  if (arn?.service === 'iam' && arn.accountId === accountId) {
    const found = await sourceOfKind(view, accountId, kind, name, arnText);
    if (found) return found;
  }
  throw new AwsFault('NoSuchEntityException', `The entity with ARN ${arnText} cannot be found.`);
}

async function sourceOfKind(
  view: StateView,
  accountId: string,
  kind: string | undefined,
  name: string,
  arn: string,
): Promise<Source | undefined> {
  const common = { 'aws:PrincipalAccount': [accountId], 'aws:PrincipalArn': [arn] };
  if (kind === 'user') {
    const user = await read<UserDocument>(view, keys.user(accountId, name));
    if (!user || userArn(accountId, user.path, user.name) !== arn) return undefined;
    const permissions = await permissionsOfUser(view, accountId, user);
    const conditionKeys = {
      ...common,
      'aws:username': [user.name],
      'aws:userid': [user.id],
      'aws:PrincipalType': ['User'],
      ...principalTags(permissions),
    };
    return { requester: { type: 'user', accountId, arn, uniqueId: user.id }, permissions, conditionKeys };
  }
  if (kind === 'group') {
    const group = await read<GroupDocument>(view, keys.group(accountId, name));
    if (!group || groupArn(accountId, group.path, group.name) !== arn) return undefined;
    const permissions = await permissionsOfGroup(view, accountId, group);
    return { requester: { type: 'user', accountId, arn }, permissions, conditionKeys: {} };
  }
  if (kind === 'role') {
    const role = await read<RoleDocument>(view, keys.role(accountId, name));
    if (!role || roleArn(accountId, role.path, role.name) !== arn) return undefined;
    const permissions = await permissionsOfRole(view, accountId, role);
    return {
      requester: { type: 'roleSession', accountId, arn, roleArn: arn, roleUniqueId: role.id },
      permissions,
      conditionKeys: { ...common, 'aws:PrincipalType': ['AssumedRole'], ...principalTags(permissions) },
    };
  }
  return undefined;
}

const principalTags = ({ tags }: Permissions): ConditionKeys =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, [value]]));

function entriesGiven(entries: readonly ContextEntry[] | undefined): ConditionKeys {
  return Object.fromEntries(
    (entries ?? []).map(({ ContextKeyName = '', ContextKeyValues = [] }) => [
      ContextKeyName,
      ContextKeyValues,
    ]),
  );
}

/** In whose name a resource policy is asked: CallerArn, which must be a user. */
function requesterGiven(callerArn: string): Requester {
  const arn = parseArn(callerArn);
  if (arn?.service !== 'iam' || !arn.resource.startsWith('user/')) {
    throw invalidInput(`Invalid CallerArn ${callerArn}: it must be the ARN of a user.`);
  }
  return { type: 'user', accountId: arn.accountId, arn: callerArn };
}

function checkSimulation(input: Simulation): void {
  if (input.ResourceHandlingOption !== undefined) {
    throw invalidInput(
      `ResourceHandlingOption ${input.ResourceHandlingOption} is not supported: EC2 scenarios are not known here.`,
    );
  }
  if (input.PolicyExclusionList?.length) throw invalidInput('PolicyExclusionList is not supported.');
  if (input.OrderedOrganizationPolicyInputList?.length) {
    throw invalidInput(
      'OrderedOrganizationPolicyInputList is not supported: there are no organization policies here.',
    );
  }
}

const statementShown = ({ policy, statement }: MatchedStatement) => ({
  SourcePolicyId: policy.id,
  SourcePolicyType: policy.source,
  StartPosition: { Line: statement.start.line, Column: statement.start.column },
  EndPosition: { Line: statement.end.line, Column: statement.end.column },
});

/** Who asks, with which policies and condition keys: the same for every action and resource of a simulation. */
interface Setting {
  readonly requester: Requester;
  readonly policies: ApplicablePolicies;
  readonly conditionKeys: ConditionKeys;
  /** Whose resources are that do not say it in their ARNs. */
  readonly resourceOwner: string | undefined;
}

function settingOf(input: Simulation, source: Source): Setting {
  const [boundary, ...more] = given(
    input.PermissionsBoundaryPolicyInputList,
    'PermissionsBoundaryPolicyInputList',
    'boundary',
  );
  if (more.length > 0) throw invalidInput('Only one permissions boundary can be given.');
  const [resource] = given(
    input.ResourcePolicy === undefined ? [] : [input.ResourcePolicy],
    'ResourcePolicy',
    'resource',
  );
  if (resource && input.CallerArn === undefined && source.requester.type !== 'user') {
    throw invalidInput('CallerArn is needed with ResourcePolicy.');
  }
  const { identity, boundary: own } = source.permissions;
  const bounding = boundary ?? own;
  return {
    requester: input.CallerArn === undefined ? source.requester : requesterGiven(input.CallerArn),
    policies: {
      identity,
      ...(bounding ? { boundary: bounding } : {}),
      ...(resource ? { resource: { ...resource, source: 'resource' } } : {}),
    },
    conditionKeys: { ...source.conditionKeys, ...entriesGiven(input.ContextEntries) },
    resourceOwner: input.ResourceOwner === undefined ? undefined : accountIn(input.ResourceOwner),
  };
}

/** ResourceOwner is `arn:aws:iam::ACCOUNT:root`. */
function accountIn(resourceOwner: string): string {
  const account = parseArn(resourceOwner)?.accountId ?? resourceOwner;
  if (!/^\d{12}$/.test(account)) throw invalidInput(`Invalid ResourceOwner ${resourceOwner}.`);
  return account;
}

function simulateOne(setting: Setting, action: string, resource: string): EvaluationResult {
  const { requester, policies, conditionKeys, resourceOwner } = setting;
  // "…the owner of any simulated resource that does not identify its owner in the resource ARN".
  const isUnnamed = !isAccountId(parseArn(resource)?.accountId ?? '');
  const owner = isUnnamed && resourceOwner !== undefined ? { resourceAccountId: resourceOwner } : {};
  const evaluation = evaluate({ requester, action, resource, conditionKeys, ...owner }, policies);
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: evaluation.decision,
    MatchedStatements: evaluation.matched.map(statementShown),
    MissingContextValues: [...missingContextKeys(policies, conditionKeys)],
    ...(evaluation.allowedByBoundary === undefined
      ? {}
      : {
          PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: evaluation.allowedByBoundary },
        }),
  };
}

/**
 * How many results one answer has. Every result may match every statement, and matching takes as long as the policy and
 * the resource are, so large policies make short pages.
 */
function pageSize(
  { MaxItems = pages.usual, PolicyInputList }: Simulation,
  resources: readonly string[],
): number {
  const longest = resources.reduce((most, { length }) => Math.max(most, length), usualResource);
  const perResult = (charactersOf(PolicyInputList) * longest) / usualResource;
  return Math.max(1, Math.min(MaxItems, Math.floor(limits.simulatedPageCharacters / perResult)));
}

/** Characters of a resource's ARN that are nothing special. */
const usualResource = 256;

/** One result for each action on each resource. Only those of the page asked for are evaluated. */
function simulate(input: Simulation, source: Source): SimulatePolicyResponse {
  checkSimulation(input);
  const resources = input.ResourceArns?.length ? input.ResourceArns : ['*'];
  const setting = settingOf(input, source);
  const page = pageOfIndexes(input.ActionNames.length * resources.length, {
    ...input,
    MaxItems: pageSize(input, resources),
  });
  const results = page.items.map((index) => {
    const action = input.ActionNames[Math.floor(index / resources.length)] ?? '';
    return simulateOne(setting, checkAction(action), resources[index % resources.length] ?? '*');
  });
  return { EvaluationResults: results, ...pageAnswer(page) };
}

function checkAction(action: string): string {
  if (/^[A-Za-z0-9-]+:[A-Za-z0-9_-]+$/.test(action)) return action;
  throw invalidInput(`Invalid Action: ${action}. Give service:Action, without wildcards.`);
}

const withInput = (source: Source, texts: readonly string[] | undefined): Source => ({
  ...source,
  permissions: {
    ...source.permissions,
    identity: [...source.permissions.identity, ...given(texts, 'PolicyInputList', 'identity')],
  },
});

export const SimulatePrincipalPolicy: IdentityOperation<
  SimulatePrincipalPolicyRequest,
  SimulatePolicyResponse
> = {
  access: 'read',
  needs: (input) => [{ action: 'iam:SimulatePrincipalPolicy', resource: input.PolicySourceArn }],
  async handle(input, call, change) {
    const source = await readSource(change, call, input.PolicySourceArn);
    return simulate(input, withInput(source, input.PolicyInputList));
  },
};

export const SimulateCustomPolicy: IdentityOperation<SimulateCustomPolicyRequest, SimulatePolicyResponse> = {
  access: 'read',
  needs: () => onEverything('iam:SimulateCustomPolicy'),
  handle(input, call) {
    if (input.ResourcePolicy !== undefined && input.CallerArn === undefined) {
      return Promise.reject(invalidInput('CallerArn is needed with ResourcePolicy.'));
    }
    const nobody: Source = {
      requester: { type: 'user', accountId: call.accountId, arn: userArn(call.accountId, '/', 'simulated') },
      permissions: { identity: [], tags: {} },
      conditionKeys: {},
    };
    return Promise.resolve(simulate(input, withInput(nobody, input.PolicyInputList)));
  },
};

const contextKeys = (policies: readonly AttachedPolicy[]): GetContextKeysForPolicyResponse => ({
  ContextKeyNames: [...new Set(policies.flatMap(({ policy }) => contextKeysOf(policy)))].toSorted(),
});

export const GetContextKeysForCustomPolicy: IdentityOperation<
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse
> = {
  access: 'read',
  needs: () => onEverything('iam:GetContextKeysForCustomPolicy'),
  // eslint-disable-next-line require-await -- so that a malformed policy is a rejection
  handle: async (input) => contextKeys(given(input.PolicyInputList, 'PolicyInputList', 'identity')),
};

export const GetContextKeysForPrincipalPolicy: IdentityOperation<
  GetContextKeysForPrincipalPolicyRequest,
  GetContextKeysForPolicyResponse
> = {
  access: 'read',
  needs: (input) => [{ action: 'iam:GetContextKeysForPrincipalPolicy', resource: input.PolicySourceArn }],
  async handle(input, call, change) {
    const { permissions } = await readSource(change, call, input.PolicySourceArn);
    const more = given(input.PolicyInputList, 'PolicyInputList', 'identity');
    const boundary = permissions.boundary ? [permissions.boundary] : [];
    return contextKeys([...permissions.identity, ...boundary, ...more]);
  },
};
