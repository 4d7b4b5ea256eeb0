import type { Clock, Random } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Call, Given, Need, Operations } from '../../wire/index.ts';
import type { DestinationParts } from './destination.ts';
import type { OtherResources } from './other-resources.ts';

export { nothing, type Given, type Nothing } from '../../wire/index.ts';

/** What the operations of this folder work with, beside the call and the change. */
export interface TrailParts extends DestinationParts {
  readonly clock: Clock;
  readonly random: Random;
  /** For what is read before a change begins. */
  readonly state: StateView;
  readonly others: OtherResources;
}

/** One operation, as a file in `api/` declares it under the operation's own name. */
export interface TrailOperation<Input, Output> {
  readonly access: 'read' | 'write';
  needs(input: Given<Input>, call: Call): readonly Need[];
  handle(input: Given<Input>, call: Call, change: Change, parts: TrailParts): Promise<Output>;
}

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: TrailParts,
  operations: Readonly<Record<string, TrailOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        needs: (input, call) => operation.needs(input as never, call),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
