import { policyInForce, type ServiceCaller } from '../../../identity/index.ts';
import {
  accessDeniedMessage,
  evaluate,
  parsePolicy,
  serviceConditionKeys,
  type ApplicablePolicies,
  type EvaluationRequest,
} from '../../../identity/policy/index.ts';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import { readResourcePolicy } from '../../trails/other-resources.ts';
import { storeArn } from '../store-documents.ts';
import type { DashboardDocument } from './dashboard-documents.ts';

/** What CloudTrail may do for a dashboard: resource policies alone say so, of the dashboard and of event data stores. */

/** CloudTrail, acting for a dashboard. */
function callerFor({ arn, accountId, region }: DashboardDocument, time: number): ServiceCaller {
  return { service: 'cloudtrail.amazonaws.com', sourceArn: arn, sourceAccountId: accountId, region, time };
}

async function policyOf(
  view: StateView,
  arn: string,
): Promise<Pick<ApplicablePolicies, 'resource' | 'identity'>> {
  const found = await readResourcePolicy(view, arn);
  if (!found) return { identity: [] };
  const parsed = parsePolicy(policyInForce(found.policy, found.principals), 'resource');
  if (parsed.kind === 'malformed') throw new Error(`the stored resource policy of ${arn} is malformed`);
  return { identity: [], resource: { id: arn, source: 'resource', policy: parsed.policy } };
}

/**
 * Throws AccessDenied unless the policy of the resource allows CloudTrail the action. `alsoNamed` are other ARNs that the
 * policy's statements may name for it; a statement that denies any of them denies.
 */
async function checkPolicy(
  view: StateView,
  need: { readonly action: string; readonly resource: string; readonly alsoNamed?: readonly string[] },
  caller: ServiceCaller,
): Promise<void> {
  const policies = await policyOf(view, need.resource);
  const requests = [need.resource, ...(need.alsoNamed ?? [])].map((resource): EvaluationRequest => ({
    requester: { type: 'service', name: caller.service },
    action: need.action,
    resource,
    conditionKeys: serviceConditionKeys(caller),
  }));
  const decided = requests.map((request) => ({ request, evaluation: evaluate(request, policies) }));
  const denied = decided.find(({ evaluation }) => evaluation.decision === 'explicitDeny') ?? decided[0];
  const isAllowed =
    denied?.evaluation.decision !== 'explicitDeny' &&
    decided.some(({ evaluation }) => evaluation.decision === 'allowed');
  if (isAllowed || !denied || denied.evaluation.decision === 'allowed') return;
  throw new AwsFault('AccessDenied', accessDeniedMessage(denied.request, denied.evaluation), { status: 403 });
}

/** Throws AccessDenied unless the dashboard's policy lets CloudTrail refresh it ("Resource-based policy example for a dashboard"). */
export async function checkMayRefresh(
  view: StateView,
  dashboard: DashboardDocument,
  time: number,
): Promise<void> {
  const need = { action: 'cloudtrail:StartDashboardRefresh', resource: dashboard.arn };
  await checkPolicy(view, need, callerFor(dashboard, time));
}

/**
 * Throws AccessDenied unless the policy of every event data store that the widgets read lets CloudTrail query it for the
 * dashboard. AWS's own example names dashboards as the Resource of that statement ("Example: Allow CloudTrail to run
 * queries to refresh a dashboard"), so it may.
 */
export async function checkMayQuery(
  view: StateView,
  dashboard: DashboardDocument,
  time: number,
): Promise<void> {
  const ids = new Set(dashboard.widgets.flatMap(({ storeIds }) => storeIds));
  for (const id of ids) {
    const need = {
      action: 'cloudtrail:StartQuery',
      resource: storeArn(dashboard.accountId, dashboard.region, id),
      alsoNamed: [dashboard.arn],
    };
    await checkPolicy(view, need, callerFor(dashboard, time));
  }
}
