import type {
  DeleteRuleRequest,
  DescribeRuleRequest,
  DescribeRuleResponse,
  DisableRuleRequest,
  EnableRuleRequest,
  ListRulesRequest,
  ListRulesResponse,
  PutRuleRequest,
  PutRuleResponse,
  Rule,
  RuleState,
} from '@aws-sdk/client-eventbridge';
import type { Change } from '../../state/index.ts';
import { ruleKey, rulePrefix, targetPrefix, type RuleDocument } from '../bus-documents.ts';
import { busNamed, ruleAt, ruleNamed, type NamedRule } from '../bus-names.ts';
import { creatorOf, needOnRule, needOnRulesOf, passRole } from '../bus-needs.ts';
import { nothing, type BusOperation, type Given, type Nothing } from '../bus-operation.ts';
import { pageOf } from '../bus-paging.ts';
import { busQuotas } from '../bus-quotas.ts';
import { addTags, requestTags } from '../bus-tags.ts';
import { checkedPattern } from '../checked-pattern.ts';
import { invalid, limitExceeded, refuseMember } from '../faults.ts';
import { findRule, readBus, readRule } from '../find-bus.ts';
import { patternConditions } from '../pattern-conditions.ts';
import { ownersOfBus, ownersOfRule } from '../recorded-resources.ts';
import { checkRoleArn } from '../role-arns.ts';

function requirePattern(text: string | undefined): string {
  if (text === undefined || text === '') {
    throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
  }
  checkedPattern(text);
  return text;
}

async function checkRoom(change: Change, { bus }: NamedRule): Promise<void> {
  if ((await change.count(rulePrefix(bus.place, bus.name))) < busQuotas.rulesPerBus) return;
  throw limitExceeded(`${busQuotas.rulesPerBus} rules of an event bus`);
}

/** "If you omit arguments in PutRule, the old values for those arguments are not kept"; tags and the creator are. */
function ruleDocument(
  input: Given<PutRuleRequest>,
  eventPattern: string,
  kept: Pick<RuleDocument, 'createdBy' | 'tags' | 'bus'>,
): RuleDocument {
  const { Name, State, Description, RoleArn } = input;
  return {
    ...kept,
    name: Name,
    eventPattern,
    state: State ?? 'ENABLED',
    ...(Description !== undefined && { description: Description }),
    ...(RoleArn !== undefined && { roleArn: RoleArn }),
  };
}

export const PutRule: BusOperation<PutRuleRequest, PutRuleResponse> = {
  access: 'write',
  async needs(input, call, view) {
    const rule = ruleNamed(input, call);
    const tags = requestTags(input.Tags);
    const put = await needOnRule(view, rule, 'PutRule', {
      conditions: patternConditions(input.EventPattern),
      ...tags,
    });
    const tag = input.Tags?.length ? [await needOnRule(view, rule, 'TagResource', tags)] : [];
    return [put, ...tag, ...passRole(input.RoleArn, rule)];
  },
  resources: (input, call) => ownersOfRule(ruleNamed(input, call), call),
  async handle(input, call, change) {
    refuseMember('ScheduleExpression', input.ScheduleExpression, 'rules run on events alone.');
    const eventPattern = requirePattern(input.EventPattern);
    checkRoleArn(input.RoleArn);
    const rule = ruleNamed(input, call);
    await readBus(change, rule.bus);
    const before = await findRule(change, rule);
    if (!before) await checkRoom(change, rule);
    const { createdBy, tags } = before ?? { createdBy: call.principal.arn, tags: addTags([], input.Tags) };
    const document = ruleDocument(input, eventPattern, { bus: rule.bus.name, createdBy, tags });
    change.put(ruleKey(rule.bus.place, rule.bus.name, rule.name), document);
    return { RuleArn: rule.arn };
  },
};

export const DeleteRule: BusOperation<DeleteRuleRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnRule(view, ruleNamed(input, call), 'DeleteRule')],
  resources: (input, call) => ownersOfRule(ruleNamed(input, call), call),
  // `Force` "is ignored for rules that are not managed rules", and no service manages rules here.
  async handle(input, call, change) {
    const { bus, name } = ruleNamed(input, call);
    await readBus(change, bus);
    const targets = await change.list(targetPrefix(bus.place, bus.name, name), { limit: 1 });
    if (targets.length > 0) throw invalid("Rule can't be deleted since it has targets.");
    // "If you call delete rule multiple times for the same rule, all calls will succeed."
    change.delete(ruleKey(bus.place, bus.name, name));
    return nothing;
  },
};

function ruleShown(rule: NamedRule, document: RuleDocument): Rule {
  const { description, roleArn } = document;
  return {
    Name: rule.name,
    Arn: rule.arn,
    EventPattern: document.eventPattern,
    State: document.state,
    ...(description !== undefined && { Description: description }),
    ...(roleArn !== undefined && { RoleArn: roleArn }),
    EventBusName: rule.bus.name,
  };
}

export const DescribeRule: BusOperation<DescribeRuleRequest, DescribeRuleResponse> = {
  access: 'read',
  needs: async (input, call, view) => [await needOnRule(view, ruleNamed(input, call), 'DescribeRule')],
  resources: (input, call) => ownersOfRule(ruleNamed(input, call), call),
  async handle(input, call, change) {
    const rule = ruleNamed(input, call);
    const document = await readRule(change, rule);
    return { ...ruleShown(rule, document), CreatedBy: creatorOf(document) };
  },
};

export const ListRules: BusOperation<ListRulesRequest, ListRulesResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnRulesOf(view, busNamed(input.EventBusName, call), call, 'ListRules'),
  ],
  resources: (input, call) => ownersOfBus(busNamed(input.EventBusName, call), call),
  async handle(input, call, change) {
    const bus = busNamed(input.EventBusName, call);
    await readBus(change, bus);
    const prefix = rulePrefix(bus.place, bus.name) + (input.NamePrefix ?? '');
    const found = (await change.list<RuleDocument>(prefix)).map(({ value }) => value);
    const { items, answer } = pageOf(found, ({ name }) => name, input);
    return { Rules: items.map((document) => ruleShown(ruleAt(bus, document.name), document)), ...answer };
  },
};

type StateRequest = Given<EnableRuleRequest | DisableRuleRequest>;

const setState = (name: 'EnableRule' | 'DisableRule', state: RuleState) =>
  ({
    access: 'write',
    needs: async (input, call, view) => [await needOnRule(view, ruleNamed(input, call), name)],
    resources: (input, call) => ownersOfRule(ruleNamed(input, call), call),
    async handle(input: StateRequest, call, change) {
      const rule = ruleNamed(input, call);
      const document = await readRule(change, rule);
      change.put(ruleKey(rule.bus.place, rule.bus.name, rule.name), { ...document, state });
      return nothing;
    },
  }) satisfies BusOperation<EnableRuleRequest | DisableRuleRequest, Nothing>;

export const EnableRule: BusOperation<EnableRuleRequest, Nothing> = setState('EnableRule', 'ENABLED');
export const DisableRule: BusOperation<DisableRuleRequest, Nothing> = setState('DisableRule', 'DISABLED');
