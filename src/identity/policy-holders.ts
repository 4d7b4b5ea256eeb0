import type { Change, StateView } from '../state/index.ts';
import type { Call, Need } from '../wire/index.ts';
import { keys, type EntityDocument } from './documents.ts';
import { readGroup, readRole, readUser, type HolderKind } from './entities.ts';
import { onGroup, onRole, onUser, type Conditions } from './needs.ts';
import type { QuotaName } from './quotas.ts';

/** Users, groups and roles as what policies are put into and attached to, which works alike for all three. */
interface HolderKindFacts {
  read(view: StateView, accountId: string, name: string): Promise<EntityDocument>;
  key(accountId: string, name: string): string;
  need(
    action: string,
    name: string,
    call: Call,
    view: StateView,
    conditions?: Conditions,
  ): Promise<readonly [Need]>;
  /** Total of the inline policies' sizes. */
  readonly inlineQuota: QuotaName;
  /** Number of attached managed policies. */
  readonly attachedQuota: QuotaName;
}

export const holderKinds: Readonly<Record<HolderKind, HolderKindFacts>> = {
  user: {
    read: readUser,
    key: keys.user,
    need: onUser,
    inlineQuota: 'UserPolicySize',
    attachedQuota: 'PoliciesPerUser',
  },
  group: {
    read: readGroup,
    key: keys.group,
    need: onGroup,
    inlineQuota: 'GroupPolicySize',
    attachedQuota: 'PoliciesPerGroup',
  },
  role: {
    read: readRole,
    key: keys.role,
    need: onRole,
    inlineQuota: 'RolePolicySize',
    attachedQuota: 'PoliciesPerRole',
  },
};

/** Changes a user, group or role. Throws NoSuchEntity. */
export async function updateHolder(
  change: Change,
  accountId: string,
  kind: HolderKind,
  name: string,
  update: (holder: EntityDocument) => Partial<EntityDocument>,
): Promise<EntityDocument> {
  const facts = holderKinds[kind];
  const holder = await facts.read(change, accountId, name);
  const updated = { ...holder, ...update(holder) };
  change.put(facts.key(accountId, holder.name), updated);
  return updated;
}
