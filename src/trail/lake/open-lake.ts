import type { Change } from '../../state/index.ts';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reader, ReaderOptions, Stream } from '../../journal/index.ts';
import type { HttpRoute, Operations } from '../../wire/index.ts';
import {
  CreateEventDataStore,
  UpdateEventDataStore,
  GetEventDataStore,
  ListEventDataStores,
  DeleteEventDataStore,
  RestoreEventDataStore,
  StartEventDataStoreIngestion,
  StopEventDataStoreIngestion,
} from './api/event-data-stores.ts';
import { CreateChannel, GetChannel, ListChannels, UpdateChannel, DeleteChannel } from './api/channels.ts';
import { StartQuery, DescribeQuery, GetQueryResults, CancelQuery, ListQueries } from './api/queries.ts';
import { StartImport, GetImport, ListImports, ListImportFailures, StopImport } from './api/imports.ts';
import { bindOperations } from './api/lake-operation.ts';
import {
  CreateDashboard,
  DeleteDashboard,
  GetDashboard,
  ListDashboards,
  UpdateDashboard,
} from './dashboards/api/dashboards.ts';
import { StartDashboardRefresh } from './dashboards/api/start-dashboard-refresh.ts';
import { openRefreshScheduler } from './dashboards/refresh-scheduler.ts';
import { openBackfill, type BackfillOptions } from './backfill.ts';
import { exportRoutes } from './export-routes.ts';
import { openImportRunner } from './imports/import-runner.ts';
import type { TakeLogFile } from './imports/take-log-file.ts';
import type { LakeParts } from './lake-parts.ts';
import { openLakeReader } from './lake-reader.ts';
import { openLakeUpkeep } from './lake-upkeep.ts';
import { openQueryRecords } from './query-records.ts';
import { openQueryRunner } from './query-runner.ts';
import { openResultFiles } from './result-pages.ts';

export interface LakeOptions extends LakeParts {
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  /** For the rows of queries and for exports under way; made if it is missing. */
  readonly directory: string;
  readonly takeLogFile: TakeLogFile;
  readonly history: BackfillOptions['history'];
  readonly backfillEvents?: number;
  /** Told of stretches of the journal that cannot be read. */
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** Everything of the lake, put together. Close it before the columns, the state and the journal. */
export interface Lake extends AsyncDisposable {
  readonly operations: Operations<Change>;
  readonly routes: readonly HttpRoute<Change>[];
  /** The reader that brings the journal into the columns, for its lag. */
  readonly reader: Reader;
  /** Records of the journal that queries do not see, since the start. */
  readonly unreadable: number;
  /** Resolves when what the journal has no more has been brought from the history. */
  backfilled(): Promise<void>;
  /** Resolves when the dashboards that were due have been refreshed: their queries are there, and wait or run. */
  refreshed(): Promise<void>;
  /** Resolves when nothing is being done for the query, or the import, of this id. */
  ended(id: string): Promise<void>;
}

async function emptyDirectory(directory: string): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Opens the lake over its parts. */
export async function openLake(options: LakeOptions): Promise<Lake> {
  await using opening = new AsyncDisposableStack();
  const resultDirectory = join(options.directory, 'results');
  await mkdir(resultDirectory, { recursive: true, mode: 0o700 });
  const exports = await emptyDirectory(join(options.directory, 'exports'));
  const results = openResultFiles(resultDirectory);
  const { backfillEvents, ...others } = options;
  const backfill = await openBackfill({
    ...others,
    file: join(options.directory, 'backfill.json'),
    ...(backfillEvents !== undefined && { backfillEvents }),
  });
  const reader = opening.use(await openLakeReader(options));
  opening.use(backfill).start(reader);
  const imports = opening.use(await openImportRunner({ ...options, take: options.takeLogFile }));
  const recordDirectory = await emptyDirectory(join(options.directory, 'records'));
  const records = openQueryRecords({ ...options, directory: recordDirectory });
  const queries = opening.use(await openQueryRunner({ ...options, reader, results, records }));
  const scheduler = opening.use(await openRefreshScheduler({ ...options, queries }));
  const kept = async () => (await readdir(resultDirectory)).map((name) => name.replace(/\.ndjson$/, ''));
  opening.use(openLakeUpkeep({ ...options, results, kept }));
  const parts = { ...options, queries, imports, results };
  const opened = opening.move();
  return {
    operations: bindOperations(parts, {
      CreateEventDataStore,
      UpdateEventDataStore,
      GetEventDataStore,
      ListEventDataStores,
      DeleteEventDataStore,
      RestoreEventDataStore,
      StartEventDataStoreIngestion,
      StopEventDataStoreIngestion,
      CreateChannel,
      GetChannel,
      ListChannels,
      UpdateChannel,
      DeleteChannel,
      StartQuery,
      DescribeQuery,
      GetQueryResults,
      CancelQuery,
      ListQueries,
      StartImport,
      GetImport,
      ListImports,
      ListImportFailures,
      StopImport,
      CreateDashboard,
      UpdateDashboard,
      GetDashboard,
      ListDashboards,
      DeleteDashboard,
      StartDashboardRefresh,
    }),
    routes: exportRoutes({ ...options, reader, directory: exports }),
    reader: reader.reader,
    get unreadable() {
      return reader.unreadable;
    },
    backfilled: () => backfill.settled(),
    refreshed: () => scheduler.settled(),
    async ended(id) {
      await Promise.all([queries.ended(id), imports.ended(id)]);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
