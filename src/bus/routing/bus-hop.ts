import type { Clock } from '../../kernel/index.ts';
import type { AuthoriseRole } from '../../identity/index.ts';
import type { StateView } from '../../state/index.ts';
import { busArn, busKey, defaultBusName, type BusDocument, type BusPlace } from '../bus-documents.ts';
import { busPolicyInForce } from '../bus-policy.ts';
import { refuseRole } from '../target-role.ts';

/** An event on its way from a rule to another bus. */
export interface BusHop {
  readonly from: BusPlace;
  /** ARN of the rule. */
  readonly rule: string;
  readonly role: string;
  readonly to: BusPlace;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
}

export interface BusHopParts {
  readonly state: StateView;
  readonly authoriseRole: AuthoriseRole;
  readonly clock: Clock;
}

/**
 * Why an event may not go to that bus; undefined when it may. It needs the permission events:PutEvents of the target's role and,
 * in another account, of the bus's policy ("Sending and receiving events between AWS accounts", "Permissions for event buses").
 */
export async function refuseHop(hop: BusHop, parts: BusHopParts): Promise<string | undefined> {
  const { from, to, bus } = hop;
  const arn = busArn(to, bus);
  const document = await parts.state.get<BusDocument>(busKey(to, bus));
  if (!document && bus !== defaultBusName) return `there is no event bus ${arn}`;
  const policy = document && busPolicyInForce(document.value);
  return refuseRole(
    {
      rule: hop.rule,
      role: hop.role,
      from,
      region: to.region,
      need: {
        action: 'events:PutEvents',
        resource: arn,
        resourceAccountId: to.account,
        ...(policy !== undefined && { resourcePolicy: policy }),
        conditions: {
          'events:detail-type': [hop.detailType],
          'events:eventBusInvocation': ['true'],
          'events:source': [hop.source],
        },
      },
    },
    parts,
  );
}
