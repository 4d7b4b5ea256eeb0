import type { StateView } from '../../../state/index.ts';

/** An import of log files from a bucket, under `trail/lake/imports/ACCOUNT/ID`. */
export interface ImportDocument {
  readonly importId: string;
  readonly accountId: string;
  readonly region: string;
  /** ARN of the event data store. */
  readonly destination: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly source: { readonly uri: string; readonly region: string; readonly roleArn: string };
  /** Only events of these times, epoch milliseconds, both inclusive. */
  readonly startEventTime?: number;
  readonly endEventTime?: number;
  readonly status: 'IN_PROGRESS' | 'FAILED' | 'STOPPED' | 'COMPLETED';
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Everything up to this key is done. */
  readonly after?: string;
  readonly prefixes: readonly string[];
  readonly files: number;
  readonly events: number;
  readonly failed: number;
  /** Numbers of failures that are given, also to those that a retry mended; absent: as many as failed. */
  readonly numbered?: number;
}

/** A file, or the listing itself, that could not be imported; under `trail/lake/import-failures/ACCOUNT/ID/NUMBER`. */
export interface ImportFailureDocument {
  readonly location: string;
  readonly errorType: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** RETRY: its file is to be read again; SUCCEEDED: it was, and could be imported. Absent: FAILED. */
  readonly status?: 'RETRY' | 'SUCCEEDED';
}

export const importsPrefix = 'trail/lake/imports/';
export const importKey = (accountId: string, importId: string): string =>
  `${importsPrefix}${accountId}/${importId}`;
export const failuresPrefix = (accountId: string, importId: string): string =>
  `trail/lake/import-failures/${accountId}/${importId}/`;

/** The imports of an account, newest first. */
export async function readImports(view: StateView, accountId: string): Promise<readonly ImportDocument[]> {
  const found = await view.list<ImportDocument>(`${importsPrefix}${accountId}/`);
  return found
    .map(({ value }) => value)
    .toSorted((one, other) => other.createdAt - one.createdAt || (one.importId < other.importId ? -1 : 1));
}

/** How many numbers of failures an import has given. */
export const numberedOf = ({ numbered, failed }: ImportDocument): number => numbered ?? failed;
