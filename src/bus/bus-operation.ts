import type { Target } from '@aws-sdk/client-eventbridge';
import type { Random } from '../kernel/index.ts';
import type { Change, StateView } from '../state/index.ts';
import type { AuditResource, Call, Given, Need, Operations } from '../wire/index.ts';
import type { BusPlace } from './bus-documents.ts';

export { nothing, type Given, type Nothing } from '../wire/index.ts';

/** What the operations of the bus work with, beside the call and the change. */
export interface BusParts {
  /** For what is read before a change begins, and for counts that a change should not depend on. */
  readonly state: StateView;
  readonly random: Random;
  /** Why a target cannot be one of a rule at this place; undefined when it can. */
  readonly checkTarget: (target: Target, place: BusPlace) => string | undefined;
}

/** One operation of EventBridge, as a file in `api/` declares it under the operation's own name. */
export interface BusOperation<Input, Output> {
  readonly access: 'read' | 'write';
  readonly shownWhenDenied?: true;
  /** Reads what the permission depends on: the bus's policy, tags, and who made the rule. */
  needs(input: Given<Input>, call: Call, view: StateView): readonly Need[] | Promise<readonly Need[]>;
  /** What the record names as resources. */
  resources?(this: void, input: Given<Input>, call: Call): readonly AuditResource[];
  handle(input: Given<Input>, call: Call, change: Change, parts: BusParts): Promise<Output>;
}

const resourcesBy =
  (resources: (input: never, call: Call) => readonly AuditResource[]) =>
  (input: unknown, _output: unknown, call: Call) =>
    resources(input as never, call);

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: BusParts,
  operations: Readonly<Record<string, BusOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        ...(operation.shownWhenDenied && { shownWhenDenied: true as const }),
        needs: (input, call) => operation.needs(input as never, call, parts.state),
        ...(operation.resources && { resources: resourcesBy(operation.resources) }),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
