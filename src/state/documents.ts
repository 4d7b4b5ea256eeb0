import type { Sequence } from '../kernel/index.ts';
import type { ListOptions } from './state-types.ts';

/** A document as an adapter keeps it: `json` is the value's text, so that nobody shares an object with another. */
export interface StoredDocument {
  readonly key: string;
  readonly json: string;
  readonly version: Sequence;
}

/** One durable change: what the journal entry `version` says is to be put and deleted. */
export interface DurableChange {
  readonly version: Sequence;
  readonly puts: readonly { readonly key: string; readonly json: string }[];
  readonly deletes: readonly string[];
}

/** What of the stream is there to rebuild from. */
export interface StreamBounds {
  readonly start: Sequence;
  readonly end: Sequence;
}

/**
 * The port behind control state: the projection that changes of the journal are applied to. Calls are synchronous and
 * never wait for the disk to sync; what is lost in a crash is applied again from the journal.
 */
export interface Documents extends AsyncDisposable {
  /**
   * Makes ready what is kept: returns the cursor, everything before which is applied. What is in doubt (damaged, or
   * ahead of the journal) is dropped for an older durable copy or for nothing, to be applied again. Throws
   * StateLostError when neither reaches back far enough for the journal that is left.
   */
  recover(bounds: StreamBounds): Promise<Sequence>;
  get(key: string): StoredDocument | undefined;
  /** In the order of the keys' UTF-8 bytes. */
  list(prefix: string, options?: ListOptions): readonly StoredDocument[];
  count(prefix: string): number;
  /** Applies the changes, in order, and moves the cursor, all in one transaction. */
  apply(changes: readonly DurableChange[], cursor: Sequence): void;
  /** Makes sure that a change can be applied once it is durable. Throws DiskFullError when there is no room for that. */
  reserve(): void;
  /** Makes everything up to `cursor` durable, off the main thread; returns the cursor that is safe. */
  checkpoint(cursor: Sequence): Promise<Sequence>;
}

/** The control state cannot be brought back: what is kept is damaged and the journal no longer reaches back far enough. */
export class StateLostError extends Error {
  override name = 'StateLostError';
}

/** The control state cannot be opened, and nothing is said about what is in it. */
export class StateUnreadableError extends Error {
  override name = 'StateUnreadableError';
}

/** What is kept is not what was written. Nothing of it is answered any more; opening it anew rebuilds it. */
export class StateDamagedError extends Error {
  override name = 'StateDamagedError';
}
