import type { TermOptions } from './merge-terms.ts';
import type { PackedTail } from './tail.ts';

/** What the history asks its worker thread to do. Files are full paths. */
export type WorkerTask =
  | { readonly kind: 'seal'; readonly tail: PackedTail; readonly file: string; readonly dictionary: number }
  | {
      readonly kind: 'merge';
      readonly files: readonly string[];
      readonly file: string;
      readonly dictionary: number;
      /** By account: what is older (epoch milliseconds) is left out. */
      readonly cutoffs: ReadonlyMap<string, number>;
    }
  | {
      readonly kind: 'repair';
      readonly file: string;
      /** The new segments' files are this with `-0.seg`, `-1.seg`, … behind. */
      readonly prefix: string;
      readonly dictionary: number;
    };

export interface WorkerResult {
  /** The files that were written, durable under their names; none when everything had expired. */
  readonly files: readonly string[];
  /** The dictionary to use from now on. */
  readonly dictionary: number;
  /** Repair only: stretches of the file whose records could not be read. */
  readonly lost: readonly { readonly offset: number; readonly length: number }[];
  /** Repair only: whether the file says where its records end; a file that is cut off does not. */
  readonly isEndKnown: boolean;
}

export interface WorkerRequest {
  readonly id: number;
  readonly task: WorkerTask;
}

export type WorkerAnswer =
  | { readonly id: number; readonly ok: true; readonly result: WorkerResult }
  | {
      readonly id: number;
      readonly ok: false;
      readonly message: string;
      readonly code: string | undefined;
      /** Set when a segment turned out to be damaged. */
      readonly damage:
        | {
            readonly file: string;
            readonly offset: number;
            readonly sizeBytes: number;
            readonly reason: string;
          }
        | undefined;
    };

/** Handed to the worker when it starts. */
export interface WorkerStart {
  readonly directory: string;
  readonly terms: TermOptions;
}
