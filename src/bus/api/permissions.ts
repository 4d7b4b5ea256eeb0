import type { PutPermissionRequest, RemovePermissionRequest } from '@aws-sdk/client-eventbridge';
import type { Change } from '../../state/index.ts';
import { busKey, type BusDocument } from '../bus-documents.ts';
import { ownBus, type NamedBus } from '../bus-names.ts';
import { nothing, type BusOperation, type Given, type Nothing } from '../bus-operation.ts';
import {
  checkBusPolicy,
  putStatement,
  removeStatement,
  type BusPolicy,
  type Statement,
} from '../bus-policy.ts';
import { invalid, notFound } from '../faults.ts';
import { readBus } from '../find-bus.ts';

function writePolicy(
  change: Change,
  bus: NamedBus,
  document: BusDocument,
  policy: BusPolicy,
  updatedAt: number,
): void {
  const { policy: _, policyPrincipals: __, ...rest } = document;
  change.put(busKey(bus.place, bus.name), { ...rest, ...policy, updatedAt } satisfies BusDocument);
}

/** The statement that the parameters beside `Policy` describe, which are one account (or all), one action and an id. */
function statementOf(input: Given<PutPermissionRequest>, bus: NamedBus): Statement {
  const { Action, Principal, StatementId, Condition } = input;
  if (Action === undefined || Principal === undefined || StatementId === undefined) {
    throw invalid('Either Policy, or Action, Principal and StatementId must be given.');
  }
  if (Condition) {
    throw invalid(
      `Condition is not supported: ${Condition.Key} would have to be the id of an organization, and there are no organizations here.`,
    );
  }
  return {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: `arn:aws:iam::${Principal}:root` },
    Action,
    Resource: bus.arn,
  };
}

export const PutPermission: BusOperation<PutPermissionRequest, Nothing> = {
  access: 'write',
  needs: () => [{ action: 'events:PutPermission', resource: '*' }],
  async handle(input, call, change) {
    const { Policy, Action, Principal, StatementId, Condition } = input;
    const bus = ownBus(input.EventBusName, call);
    const document = await readBus(change, bus);
    if (Policy === undefined) {
      writePolicy(change, bus, document, putStatement(document, statementOf(input, bus)), call.time);
      return nothing;
    }
    if ([Action, Principal, StatementId, Condition].some((member) => member !== undefined)) {
      throw invalid('Policy cannot be given together with StatementId, Action, Principal or Condition.');
    }
    writePolicy(change, bus, document, await checkBusPolicy(change, Policy), call.time);
    return nothing;
  },
};

export const RemovePermission: BusOperation<RemovePermissionRequest, Nothing> = {
  access: 'write',
  needs: () => [{ action: 'events:RemovePermission', resource: '*' }],
  async handle(input, call, change) {
    const { StatementId, RemoveAllPermissions } = input;
    const bus = ownBus(input.EventBusName, call);
    const document = await readBus(change, bus);
    if (RemoveAllPermissions) {
      writePolicy(change, bus, document, {}, call.time);
      return nothing;
    }
    if (StatementId === undefined) throw invalid('Either StatementId or RemoveAllPermissions must be given.');
    const left = removeStatement(document, StatementId);
    if (!left) throw notFound('Statement with the provided id does not exist.');
    writePolicy(change, bus, document, left, call.time);
    return nothing;
  },
};
