import { parseArn } from '../kernel/index.ts';
import type { StateView } from '../state/index.ts';
import type { Need } from '../wire/index.ts';
import type { BusDocument, RuleDocument } from './bus-documents.ts';
import type { CalledFrom, NamedBus, NamedRule } from './bus-names.ts';
import { busPolicyInForce } from './bus-policy.ts';
import { tagRecord } from './bus-tags.ts';
import { findBus, findRule } from './find-bus.ts';

/**
 * What permission an operation needs, and on what ("Actions, resources, and condition keys for Amazon EventBridge" in the
 * service authorization reference). The policy of a bus has a say in what is done with the bus and with its rules, and alone
 * lets in other accounts ("Permissions for event buses in Amazon EventBridge").
 */

export type Conditions = Readonly<Record<string, readonly string[]>>;

/** Beside action and resource. */
export type NeedDetails = Pick<Need, 'conditions' | 'requestTags'>;

function policyNeed(bus: BusDocument | undefined): Pick<Need, 'resourcePolicy'> {
  const resourcePolicy = bus && busPolicyInForce(bus);
  return resourcePolicy === undefined ? {} : { resourcePolicy };
}

/** The need for one action on a bus, which need not exist. */
export async function needOnBus(
  view: StateView,
  bus: NamedBus,
  action: string,
  details: NeedDetails = {},
): Promise<Need> {
  const found = await findBus(view, bus);
  return {
    action: `events:${action}`,
    resource: bus.arn,
    resourceAccountId: bus.place.account,
    resourceTags: tagRecord(found?.tags),
    ...policyNeed(found),
    ...details,
  };
}

/** "The account the rule was created in": of whoever put it first; no condition key where there is no such rule yet. */
export const creatorOf = ({ createdBy }: RuleDocument): string | undefined => parseArn(createdBy)?.accountId;

function creatorConditions(rule: RuleDocument | undefined): Conditions {
  const creator = rule && creatorOf(rule);
  return creator === undefined ? {} : { 'events:creatorAccount': [creator] };
}

/** The need for one action on a rule, which need not exist. */
export async function needOnRule(
  view: StateView,
  rule: NamedRule,
  action: string,
  details: NeedDetails = {},
): Promise<Need> {
  const [bus, found] = await Promise.all([findBus(view, rule.bus), findRule(view, rule)]);
  return {
    action: `events:${action}`,
    resource: rule.arn,
    resourceAccountId: rule.bus.place.account,
    resourceTags: tagRecord(found?.tags),
    ...policyNeed(bus),
    ...details,
    conditions: { ...creatorConditions(found), ...details.conditions },
  };
}

/** Actions that have no resource. On a bus of another account they are asked of that bus, which only its policy allows. */
export const needOnRulesOf = async (
  view: StateView,
  bus: NamedBus,
  call: CalledFrom,
  action: string,
): Promise<Need> =>
  bus.place.account === call.accountId
    ? { action: `events:${action}`, resource: '*' }
    : needOnBus(view, bus, action);

/** The need to hand a role to EventBridge, where a request names one. */
export function passRole(roleArn: string | undefined, rule: NamedRule): readonly Need[] {
  if (roleArn === undefined) return [];
  const conditions = {
    'iam:PassedToService': ['events.amazonaws.com'],
    'iam:AssociatedResourceArn': [rule.arn],
  };
  return [{ action: 'iam:PassRole', resource: roleArn, conditions }];
}
