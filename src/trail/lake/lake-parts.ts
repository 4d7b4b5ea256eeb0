import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { Columns, ColumnsView } from '../../store/index.ts';
import type { State, StateView } from '../../state/index.ts';
import type { Buckets } from '../buckets.ts';
import { readStores, everythingId } from './store-documents.ts';
import { flatMembers, lakeColumns, lakeTable, recordColumns } from './schema.ts';
import type { FindEventDataStore } from './sql/index.ts';
import { viewOfEverything, viewOfStore } from './store-view.ts';

/** Signs the hashes of delivered query results: the key of a region for a time (epoch milliseconds). */
export type SigningKeyFor = (
  region: string,
  time: number,
) => Promise<{ readonly fingerprint: string; sign(text: string): Promise<string> }>;

/** What the parts of the lake work with. */
export interface LakeParts {
  readonly state: State;
  readonly columns: Columns;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** S3, here and elsewhere; undefined where there is none. */
  readonly buckets: Buckets | undefined;
  /** Undefined where there are no keys: then queries cannot deliver their results. */
  readonly signingKeyFor: SigningKeyFor | undefined;
  /** Days that the history keeps the events of accounts without a setting; undefined keeps them. */
  readonly defaultRetentionDays: number | undefined;
  readonly managementAccountId: string;
}

/** Days that an account's events are kept; undefined keeps them for good. */
export async function retentionOf(
  view: StateView,
  accountId: string,
  defaultDays: number | undefined,
): Promise<number | undefined> {
  const own = await view.get<{ readonly days: number | null }>(`trail/retention/${accountId}`);
  return own ? (own.value.days ?? undefined) : defaultDays;
}

/** The tables that a query of an account in a region may name, and their views. */
export interface Tables {
  readonly find: FindEventDataStore;
  viewOf(id: string): ColumnsView | undefined;
}

/** Another name of the event data store over everything, for people who write a query by hand. */
const everythingName = 'events';

export async function openTables(
  parts: Pick<LakeParts, 'state' | 'defaultRetentionDays'>,
  { accountId, region }: { readonly accountId: string; readonly region: string },
  now: number,
): Promise<Tables> {
  const stores = await readStores(parts.state, now, accountId);
  const retentionDays = await retentionOf(parts.state, accountId, parts.defaultRetentionDays);
  const views = new Map<string, ColumnsView>([
    [everythingId, viewOfEverything(accountId, now, retentionDays)],
    ...stores
      .filter((store) => store.region === region)
      .map((store): [string, ColumnsView] => [store.id, viewOfStore(store, now)]),
  ]);
  const viewOf = (id: string) =>
    views.get(id.toLowerCase() === everythingName ? everythingId : id.toLowerCase());
  return {
    find(id) {
      const view = viewOf(id);
      if (!view) return undefined;
      const { id: idColumn, time: timeColumn } = lakeTable;
      return {
        view: view.name,
        columns: lakeColumns,
        flat: flatMembers,
        idColumn,
        timeColumn,
        apart: recordColumns,
      };
    },
    viewOf,
  };
}
