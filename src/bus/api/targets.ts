import type {
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse,
  ListTargetsByRuleRequest,
  ListTargetsByRuleResponse,
  PutTargetsRequest,
  PutTargetsResponse,
  RemoveTargetsRequest,
  RemoveTargetsResponse,
  Target,
} from '@aws-sdk/client-eventbridge';
import { targetKey, targetPrefix, type TargetDocument } from '../bus-documents.ts';
import { busNamed, ruleAt, type CalledFrom, type NamedRule } from '../bus-names.ts';
import { needOnRule, needOnRulesOf, passRole } from '../bus-needs.ts';
import type { BusOperation, BusParts, Given } from '../bus-operation.ts';
import { pageOf } from '../bus-paging.ts';
import { busQuotas } from '../bus-quotas.ts';
import { invalid, limitExceeded } from '../faults.ts';
import { readBus, readRule, targetsOf } from '../find-bus.ts';
import { checkInput } from '../inputs/index.ts';
import { ownersOfBus, ownersOfRule } from '../recorded-resources.ts';
import { checkRoleArn } from '../role-arns.ts';

interface OnRule {
  readonly Rule: string;
  readonly EventBusName?: string | undefined;
}

const ruleOf = (input: OnRule, call: CalledFrom): NamedRule =>
  ruleAt(busNamed(input.EventBusName, call), input.Rule);

/** `PutTargets` adds all targets of a request or none: what is wrong with one of them is said for the whole request. */
function checkTargets(targets: readonly Target[], { bus }: NamedRule, parts: BusParts): void {
  if (targets.length > busQuotas.putTargetsEntries) {
    throw limitExceeded(`${busQuotas.putTargetsEntries} targets in a request`);
  }
  if (new Set(targets.map(({ Id }) => Id)).size < targets.length) {
    throw invalid('Two targets of the request have the same Id.');
  }
  for (const target of targets) {
    checkRoleArn(target.RoleArn);
    const reason = parts.checkTarget(target, bus.place) ?? checkInput(target);
    if (reason !== undefined) throw invalid(reason);
  }
}

const allTaken = { FailedEntryCount: 0, FailedEntries: [] };

export const PutTargets: BusOperation<PutTargetsRequest, PutTargetsResponse> = {
  access: 'write',
  async needs(input, call, view) {
    const rule = ruleOf(input, call);
    const arns = [...new Set(input.Targets.map(({ Arn = '' }) => Arn))];
    const roles = [...new Set(input.Targets.map(({ RoleArn }) => RoleArn))];
    const put = await needOnRule(view, rule, 'PutTargets', { conditions: { 'events:TargetArn': arns } });
    return [put, ...roles.flatMap((roleArn) => passRole(roleArn, rule))];
  },
  resources: (input, call) => ownersOfRule(ruleOf(input, call), call),
  async handle(input, call, change, parts) {
    const rule = ruleOf(input, call);
    await readRule(change, rule);
    checkTargets(input.Targets, rule, parts);
    const before = (await targetsOf(change, rule)).map(({ target }) => target.Id);
    const after = new Set([...before, ...input.Targets.map(({ Id }) => Id)]);
    if (after.size > busQuotas.targetsPerRule) {
      throw limitExceeded(`${busQuotas.targetsPerRule} targets of a rule`);
    }
    const { place, name: bus } = rule.bus;
    for (const target of input.Targets) {
      const document: TargetDocument = { rule: rule.name, bus, target };
      change.put(targetKey(place, bus, rule.name, target.Id ?? ''), document);
    }
    return allTaken;
  },
};

export const RemoveTargets: BusOperation<RemoveTargetsRequest, RemoveTargetsResponse> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnRule(view, ruleOf(input, call), 'RemoveTargets')],
  resources: (input, call) => ownersOfRule(ruleOf(input, call), call),
  // `Force` "is ignored for rules that are not managed rules", and no service manages rules here.
  async handle(input, call, change) {
    const rule = ruleOf(input, call);
    await readRule(change, rule);
    const { place, name: bus } = rule.bus;
    for (const id of input.Ids) change.delete(targetKey(place, bus, rule.name, id));
    return allTaken;
  },
};

export const ListTargetsByRule: BusOperation<ListTargetsByRuleRequest, ListTargetsByRuleResponse> = {
  access: 'read',
  needs: async (input, call, view) => [await needOnRule(view, ruleOf(input, call), 'ListTargetsByRule')],
  resources: (input, call) => ownersOfRule(ruleOf(input, call), call),
  async handle(input, call, change) {
    const rule = ruleOf(input, call);
    await readRule(change, rule);
    const all = (await targetsOf(change, rule)).map(({ target }) => target);
    const { items, answer } = pageOf(all, ({ Id = '' }) => Id, input);
    return { Targets: [...items], ...answer };
  },
};

/** In the order of their names; each once, however many of its targets it is. */
async function ruleNamesBy(
  input: Given<ListRuleNamesByTargetRequest>,
  call: CalledFrom,
  view: Parameters<typeof readBus>[0],
): Promise<readonly string[]> {
  const bus = busNamed(input.EventBusName, call);
  await readBus(view, bus);
  const all = await view.list<TargetDocument>(targetPrefix(bus.place, bus.name));
  const aimed = all.filter(({ value }) => value.target.Arn === input.TargetArn);
  return [...new Set(aimed.map(({ value }) => value.rule))].toSorted();
}

export const ListRuleNamesByTarget: BusOperation<
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse
> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnRulesOf(view, busNamed(input.EventBusName, call), call, 'ListRuleNamesByTarget'),
  ],
  resources: (input, call) => ownersOfBus(busNamed(input.EventBusName, call), call),
  async handle(input, call, change) {
    const { items, answer } = pageOf(await ruleNamesBy(input, call, change), (name) => name, input);
    return { RuleNames: [...items], ...answer };
  },
};
