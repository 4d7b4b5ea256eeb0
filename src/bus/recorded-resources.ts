import type { AuditResource } from '../wire/index.ts';
import type { CalledFrom, NamedBus, NamedRule } from './bus-names.ts';

/**
 * What the record of a call names as resources. Records of EventBridge's management events name none ("Logging Amazon
 * EventBridge API calls using AWS CloudTrail"); a bus or rule of another account is named, so that its owner has a record of
 * the call as well ("CloudTrail record contents", sharedEventID).
 */
export const ownersOfBus = ({ arn, place }: NamedBus, call: CalledFrom): readonly AuditResource[] =>
  place.account === call.accountId
    ? []
    : [{ ARN: arn, accountId: place.account, type: 'AWS::Events::EventBus' }];

export const ownersOfRule = ({ arn, bus }: NamedRule, call: CalledFrom): readonly AuditResource[] =>
  bus.place.account === call.accountId
    ? []
    : [{ ARN: arn, accountId: bus.place.account, type: 'AWS::Events::Rule' }];
