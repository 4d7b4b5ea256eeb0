import type { Change, StateView } from '../../state/index.ts';
import type { AuditResource, Call, Need, Operations } from '../../wire/index.ts';
import { bucketArn } from './bucket-documents.ts';

/** What the operations on buckets work with, beside the call and the change. */
export interface BucketParts {
  /** For what permissions depend on. */
  readonly state: StateView;
  /**
   * Whether a bucket holds nothing: no object, no version, no delete marker, no part of an upload. Read through the change, so
   * that an object which is put meanwhile makes the deletion of its bucket a conflict.
   */
  isEmpty(change: Change, bucket: string): Promise<boolean>;
  /** Lets go of what else is kept of a bucket that is deleted, such as uploads that were never completed. */
  forget(change: Change, bucket: string): Promise<void>;
}

/** An SDK input after validation: the members that the model requires are there. */
export type Given<T> = {
  readonly [Member in keyof T]: object extends Pick<T, Member> ? T[Member] : Exclude<T[Member], undefined>;
};

/** The answer of an operation that has nothing to say. */
export type Nothing = Readonly<Record<string, never>>;
export const nothing: Nothing = {};

/** One operation on buckets, as a file in `api/` declares it under the operation's own name. */
export interface BucketOperation<Input, Output> {
  readonly access: 'read' | 'write';
  needs(input: Given<Input>, call: Call, view: StateView): readonly Need[] | Promise<readonly Need[]>;
  handle(input: Given<Input>, call: Call, change: Change, parts: BucketParts): Promise<Output>;
}

/** The record of a call on a bucket names it, as CloudTrail's records of bucket-level calls do. */
function bucketResources(input: { readonly Bucket?: string }, call: Call): readonly AuditResource[] {
  const { Bucket } = input;
  if (Bucket === undefined) return [];
  return [{ ARN: bucketArn(Bucket), accountId: call.accountId, type: 'AWS::S3::Bucket' }];
}

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindBucketOperations(
  parts: BucketParts,
  operations: Readonly<Record<string, BucketOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        needs: (input, call) => operation.needs(input as never, call, parts.state),
        resources: (input: unknown, _output: unknown, call) =>
          bucketResources(input as { readonly Bucket?: string }, call),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}
