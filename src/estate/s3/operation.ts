import type { Clock, Random } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Authorise, Call, Given, Need, Operations, RecordedPart } from '../../wire/index.ts';
import type { DataKeys } from '../kms/data-keys.ts';
import { forwardedCalls } from '../kms/key-uses.ts';
import type { ObjectEvents } from './object-events.ts';
import type { ObjectStore } from './object-store.ts';
import { recordedCall } from './recorded-call.ts';

export type { Given } from '../../wire/index.ts';

/** What the operations of this folder work with, beside the call and the change. */
export interface S3Parts {
  /** What is committed, for what is read before a change begins and for what a change should not depend on. */
  readonly state: StateView;
  readonly objects: ObjectStore;
  readonly events: ObjectEvents;
  readonly keys: DataKeys;
  /** For what a call may do to each of many objects on its own. */
  readonly authorise: Authorise;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One operation of S3, as a file in `api/` declares it under the operation's own name. `wire/service.ts` says what the
 * members are; here they are given what they read and write.
 */
export interface S3Operation<Input, Output> {
  readonly access: 'read' | 'write';
  readonly category?: 'data';
  /** Throws NoSuchBucket, and AccessDenied where ExpectedBucketOwner is another one: see `needs.ts`. */
  needs(input: Given<Input>, call: Call, parts: S3Parts): readonly Need[] | Promise<readonly Need[]>;
  readonly takesLong?: true;
  /** Parts of the call that have records of their own. */
  readonly recordedParts?: (input: Given<Input>, call: Call) => readonly RecordedPart[];
  handle(input: Given<Input>, call: Call, change: Change, parts: S3Parts): Promise<Output>;
}

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: S3Parts,
  operations: Readonly<Record<string, S3Operation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        ...(operation.category && { category: operation.category }),
        ...(operation.takesLong && { takesLong: operation.takesLong }),
        needs: (input, call) => operation.needs(input as never, call, parts),
        ...recordedCall(name, operation.category),
        ...(operation.recordedParts && { recordedParts: operation.recordedParts }),
        forwardedCalls,
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
