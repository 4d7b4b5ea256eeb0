import { AwsFault, type Clock } from '../kernel/index.ts';
import type { AuthoriseRole } from '../identity/index.ts';
import type { Need } from '../wire/index.ts';
import type { BusPlace } from './bus-documents.ts';

/** What a rule does with the role of one of its targets ("Using IAM roles for targets"). */
export interface RoleUse {
  /** ARN of the rule. */
  readonly rule: string;
  readonly role: string;
  /** Of the rule. */
  readonly from: BusPlace;
  /** Where the target is. */
  readonly region: string;
  readonly need: Need;
}

/** Why EventBridge may not do that with the role; undefined when it may. */
export async function refuseRole(
  { rule, role, from, region, need }: RoleUse,
  { authoriseRole, clock }: { readonly authoriseRole: AuthoriseRole; readonly clock: Clock },
): Promise<string | undefined> {
  const caller = {
    service: 'events.amazonaws.com',
    sourceArn: rule,
    sourceAccountId: from.account,
    region,
    time: clock.now(),
  };
  const source = { 'aws:SourceAccount': [from.account], 'aws:SourceArn': [rule] };
  try {
    await authoriseRole(caller, role, [{ ...need, conditions: { ...source, ...need.conditions } }]);
    return undefined;
  } catch (error) {
    if (error instanceof AwsFault) return error.message;
    throw error;
  }
}
