import type { Random } from '../kernel/index.ts';
import type { Change, StateView } from '../state/index.ts';
import type { AuditResource, Call, Given, Need, Operations, Recorded, Show } from '../wire/index.ts';
import type { MasterKey } from './master-key.ts';

export { nothing, type Given, type Nothing } from '../wire/index.ts';

/** What the operations of this folder work with, beside the call and the change. */
export interface Parts {
  /** For what is read before a change begins, and for counts that a change should not depend on. */
  readonly state: StateView;
  readonly random: Random;
  readonly masterKey: MasterKey;
}

/**
 * One operation of IAM or STS, as a file in `api/` declares it under the operation's own name. `wire/service.ts` says
 * what the members are; here they are given what they read and write.
 */
export interface IdentityOperation<Input, Output> {
  readonly access: 'read' | 'write';
  /** Reads what the permission depends on: the path and the tags of the resource. */
  needs(input: Given<Input>, call: Call, view: StateView): readonly Need[] | Promise<readonly Need[]>;
  /** What the record names as resources. */
  readonly resources?: (input: Given<Input>, call: Call) => readonly AuditResource[];
  recorded?(
    this: void,
    input: Given<Input>,
    output: Output | undefined,
    call: Call,
    show: Show,
  ): Promise<Recorded>;
  readonly issuesCredentials?: true;
  handle(input: Given<Input>, call: Call, change: Change, parts: Parts): Promise<Output>;
}

const resourcesBy =
  (resources: (input: never, call: Call) => readonly AuditResource[]) =>
  (input: unknown, _output: unknown, call: Call) =>
    resources(input as never, call);

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: Parts,
  operations: Readonly<Record<string, IdentityOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        needs: (input, call) => operation.needs(input as never, call, parts.state),
        ...(operation.resources && { resources: resourcesBy(operation.resources) }),
        ...(operation.recorded && { recorded: operation.recorded }),
        ...(operation.issuesCredentials && { issuesCredentials: true as const }),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
