import type { Change, StateView } from '../../state/index.ts';

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
  /** The widget of a dashboard that it fills, and its place among the runs of that widget's query. */
  readonly alias?: { readonly name: string; readonly order: string };
  /** The refresh of the dashboard that started it; absent of one that StartQuery started by its alias. */
  readonly refreshId?: string;
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

/** The runs of a widget's query, under `trail/lake/query-aliases/ACCOUNT/ALIAS/ORDER`: refresh ids, or as large as one. */
interface AliasDocument {
  readonly queryId: string;
}

const aliasPrefix = (accountId: string, alias: string): string =>
  `trail/lake/query-aliases/${accountId}/${alias}/`;
const aliasKey = (accountId: string, alias: string, order: string): string =>
  `${aliasPrefix(accountId, alias)}${order}`;

/** Where the query stands as a run of its widget's query, if it is one. */
export const aliasKeysOf = ({ accountId, alias }: QueryDocument): readonly string[] =>
  alias ? [aliasKey(accountId, alias.name, alias.order)] : [];

/** How long a query and its rows are kept. */
export const queryKeptMs = 7 * 86_400_000;

export async function readQuery(
  view: StateView,
  accountId: string,
  queryId: string,
): Promise<QueryDocument | undefined> {
  return (await view.get<QueryDocument>(queryKey(accountId, queryId)))?.value;
}

/** The query that a refresh started for an alias, or, without a refresh, the last one of that alias. */
export async function findAliasQuery(
  view: StateView,
  accountId: string,
  alias: string,
  refreshId: string | undefined,
): Promise<QueryDocument | undefined> {
  const found =
    refreshId === undefined
      ? (await view.list<AliasDocument>(aliasPrefix(accountId, alias))).at(-1)
      : await view.get<AliasDocument>(aliasKey(accountId, alias, refreshId));
  return found && readQuery(view, accountId, found.value.queryId);
}

/** Writes a new query, so that the runner finds it, and its widget does. */
export function putQuery(change: Change, query: QueryDocument): void {
  change.put(queryKey(query.accountId, query.queryId), query);
  for (const key of aliasKeysOf(query)) {
    const document: AliasDocument = { queryId: query.queryId };
    change.put(key, document);
  }
}
