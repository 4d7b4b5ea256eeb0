import type { StateView } from '../../state/index.ts';

/** A query, under `trail/lake/queries/ACCOUNT/ID`. It is kept for seven days, and so are its rows. */
export interface QueryDocument {
  readonly queryId: string;
  readonly accountId: string;
  readonly region: string;
  readonly statement: string;
  /** Of the event data stores that it reads. */
  readonly storeIds: readonly string[];
  /** Epoch milliseconds; what the statement's current_timestamp gives. */
  readonly createdAt: number;
  readonly status: 'QUEUED' | 'FINISHED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';
  readonly completedAt?: number;
  readonly error?: string;
  /** Names of the result's columns. */
  readonly columns?: readonly string[];
  readonly rows?: number;
  readonly scannedRows?: number;
  readonly scannedBytes?: number;
  readonly executionMs?: number;
  readonly deliveryUri?: string;
  readonly deliveryStatus?:
    | 'PENDING'
    | 'SUCCESS'
    | 'FAILED'
    | 'ACCESS_DENIED'
    | 'RESOURCE_NOT_FOUND'
    | 'CANCELLED'
    | 'UNKNOWN'
    | 'FAILED_SIGNING_FILE';
}

export const queriesPrefix = 'trail/lake/queries/';
export const queryKey = (accountId: string, queryId: string): string =>
  `${queriesPrefix}${accountId}/${queryId}`;

/** How long a query and its rows are kept. */
export const queryKeptMs = 7 * 86_400_000;

export async function readQuery(
  view: StateView,
  accountId: string,
  queryId: string,
): Promise<QueryDocument | undefined> {
  return (await view.get<QueryDocument>(queryKey(accountId, queryId)))?.value;
}
