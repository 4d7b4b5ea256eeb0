import type { Sequence } from '../kernel/index.ts';
import type { NewEntry, Reader } from '../journal/index.ts';

/** A small JSON document under a key such as `iam/000000000000/user/alice`. */
export interface StateDocument<T> {
  readonly key: string;
  readonly value: T;
  /** The journal sequence of the change that wrote it. */
  readonly version: Sequence;
}

export interface ListOptions {
  /** Only keys strictly after this one. */
  readonly after?: string;
  readonly limit?: number;
}

/** Reads of what is committed. Values are the caller's own copy. */
export interface StateView {
  get<T>(key: string): Promise<StateDocument<T> | undefined>;
  /** Documents whose keys begin with `prefix`, in key order. */
  list<T>(prefix: string, options?: ListOptions): Promise<readonly StateDocument<T>[]>;
  /** How many documents there are whose keys begin with `prefix`. A change does not remember it as something it read. */
  count(prefix: string): Promise<number>;
}

/**
 * A change in the making: reads through it are remembered, and the commit fails as a conflict if any of them would
 * now answer otherwise (also a list that would have more or fewer documents). It sees its own puts and deletes.
 */
export interface Change extends StateView {
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** A further journal entry, which becomes durable in the same append as the change and the record of the call. */
  append(entry: NewEntry): void;
  /** What was appended, in order. */
  readonly entries: readonly NewEntry[];
}

export type CommitResult =
  | { readonly kind: 'committed'; readonly sequence: Sequence }
  | { readonly kind: 'conflict' };

/**
 * Control state: small documents with transactions, a projection of the journal's `audit` stream.
 */
export interface State extends StateView, AsyncDisposable {
  begin(): Change;
  /**
   * Appends the change, its further entries and its records to the journal as one group, and applies the change once that is
   * durable: all or nothing, visible when it resolves. A change without puts and deletes appends what is left of these.
   * Rejects as `Stream.append` does; then nothing has changed.
   */
  commit(change: Change, records: readonly NewEntry[]): Promise<CommitResult>;
  /** Calls back after a commit (or a replayed change) with the keys it touched. */
  onChange(listener: (keys: readonly string[]) => void): () => void;
  /** The reader that keeps the projection, for its lag. */
  readonly reader: Reader;
}
