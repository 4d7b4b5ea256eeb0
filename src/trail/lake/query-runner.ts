import { limits } from '../../kernel/index.ts';
import type { ColumnsView } from '../../store/index.ts';
import { deliverResults } from './query-delivery.ts';
import { queriesPrefix, queryKey, type QueryDocument } from './query-documents.ts';
import { openTables, type LakeParts } from './lake-parts.ts';
import type { LakeReader } from './lake-reader.ts';
import type { QueryRecords } from './query-records.ts';
import type { ResultFiles } from './result-pages.ts';
import { translate } from './sql/index.ts';

/** Runs the queries that are in the control state as QUEUED, a few at once, also those that a restart finds there. */
export interface QueryRunner extends AsyncDisposable {
  /** Queries of an account that wait or run, without those that refresh dashboards. */
  activeOf(accountId: string): number;
  /** Queries of an account that wait or run to refresh dashboards. */
  refreshingOf(accountId: string): number;
  isRunning(queryId: string): boolean;
  /** Ends a query; true when its status has become CANCELLED, false when it had ended already. */
  cancel(query: QueryDocument): Promise<boolean>;
  /** Resolves when the query is in none of the lists any more. */
  ended(queryId: string): Promise<void>;
}

interface ActiveQuery {
  readonly query: QueryDocument;
  readonly stop: AbortController;
  readonly done: PromiseWithResolvers<void>;
  isRunning: boolean;
}

class StoppedError extends Error {
  override name = 'StoppedError';
  readonly status: 'CANCELLED' | 'TIMED_OUT' | undefined;

  constructor(status: 'CANCELLED' | 'TIMED_OUT' | undefined) {
    super(status ?? 'the lake is closed');
    this.status = status;
  }
}

type Ending = Partial<QueryDocument> & Pick<QueryDocument, 'status'>;

export async function openQueryRunner(
  parts: LakeParts & {
    readonly reader: LakeReader;
    readonly results: ResultFiles;
    readonly records: QueryRecords;
  },
): Promise<QueryRunner> {
  const { state, columns, clock, results, reader, records } = parts;
  const log = parts.log.child({ part: 'lake' });
  const active = new Map<string, ActiveQuery>();
  const queue: ActiveQuery[] = [];
  let running = 0;
  let isClosed = false;

  /** The translated statement and its views, or why it cannot be run any more. */
  const prepare = async (query: QueryDocument) => {
    const tables = await openTables(parts, query, query.createdAt);
    const translation = translate(query.statement, tables.find, { nowMs: query.createdAt });
    if (translation.kind === 'refused') return { kind: 'refused' as const, message: translation.message };
    const views = new Map<string, ColumnsView>();
    const apart = new Map<string, string>();
    for (const id of translation.eventDataStoreIds) {
      const view = tables.viewOf(id);
      if (!view) continue;
      const [ids, times] = [translation.eventIds[id], translation.eventTimes[id]];
      // What goes by two names in the statement (such as `events`) is one view, and what bounds one name does not bound it.
      const bounded = views.has(view.name) ? view : { ...view, ...(ids && { ids }), ...(times && { times }) };
      views.set(view.name, bounded);
      const asked = [apart.get(view.name), translation.apart[id]].filter((sql) => sql !== undefined);
      if (asked.length > 0) apart.set(view.name, asked.join(' UNION '));
    }
    return {
      kind: 'ready' as const,
      sql: translation.sql,
      views: [...views.values()],
      apart,
      columns: translation.columns,
    };
  };

  const work = async ({ query, stop }: ActiveQuery): Promise<Ending> => {
    await reader.flush(stop.signal);
    const prepared = await prepare(query);
    if (prepared.kind === 'refused') return { status: 'FAILED', error: prepared.message };
    const startedMs = clock.monotonic();
    const views: ColumnsView[] = [];
    for (const view of prepared.views) {
      const ids = prepared.apart.get(view.name);
      const brought =
        ids === undefined
          ? { kind: 'ready' as const, view }
          : await records.bring(query.queryId, view, ids, stop.signal);
      if (brought.kind === 'refused') return { status: 'FAILED', error: brought.message };
      views.push(brought.view);
    }
    const outcome = await columns.query(
      {
        sql: prepared.sql,
        views,
        into: results.pathOf(query.queryId),
        mostBytes: limits.lakeResultBytes,
      },
      stop.signal,
    );
    const executionMs = Math.round(clock.monotonic() - startedMs);
    if (outcome.kind === 'failed') return { status: 'FAILED', error: outcome.reason, executionMs };
    const { rows, scannedRows, scannedBytes } = outcome;
    const names = prepared.columns.map(({ name }) => name);
    return { status: 'FINISHED', columns: names, rows, scannedRows, scannedBytes, executionMs };
  };

  /** Writes how a query ended, unless it has ended otherwise meanwhile. */
  const finish = async (query: QueryDocument, ending: Ending): Promise<QueryDocument | undefined> => {
    for (;;) {
      const change = state.begin();
      const now = (await change.get<QueryDocument>(queryKey(query.accountId, query.queryId)))?.value;
      if (!now || now.status !== 'QUEUED') return now;
      const next: QueryDocument = { ...now, ...ending, completedAt: clock.now() };
      change.put(queryKey(query.accountId, query.queryId), next);
      if ((await state.commit(change, [])).kind === 'committed') return next;
    }
  };

  const deliver = async (query: QueryDocument): Promise<void> => {
    if (query.deliveryStatus !== 'PENDING') return;
    const deliveryStatus =
      query.status === 'FINISHED' ? await deliverResults(parts, results, query) : 'CANCELLED';
    const change = state.begin();
    const now = (await change.get<QueryDocument>(queryKey(query.accountId, query.queryId)))?.value;
    if (!now) return;
    change.put(queryKey(query.accountId, query.queryId), { ...now, deliveryStatus });
    await state.commit(change, []);
  };

  const runOne = async (entry: ActiveQuery): Promise<void> => {
    const { query, stop } = entry;
    const timer = clock.after(limits.lakeQueryMs, () => stop.abort(new StoppedError('TIMED_OUT')));
    try {
      const ending = await work(entry);
      const ended = await finish(query, ending);
      if (ended) await deliver(ended);
    } catch (error) {
      const status = error instanceof StoppedError ? error.status : 'FAILED';
      // A query that the end of the program stopped is run again by the next start.
      if (status === undefined || isClosed) return;
      if (status === 'FAILED') log.error({ err: error, queryId: query.queryId }, 'a query failed');
      const reason = {
        FAILED: 'An internal error ended the query.',
        TIMED_OUT: `The query ran longer than ${limits.lakeQueryMs / 60_000} minutes.`,
      };
      await finish(query, { status, ...(status !== 'CANCELLED' && { error: reason[status] }) });
    } finally {
      timer.cancel();
      await records.release(query.queryId);
    }
  };

  const end = (entry: ActiveQuery): void => {
    active.delete(entry.query.queryId);
    entry.done.resolve();
  };
  const runningOf = (accountId: string): number =>
    [...active.values()].filter((entry) => entry.isRunning && entry.query.accountId === accountId).length;
  /**
   * Takes the query that runs next, if one may: those that are asked for before those of dashboards, then of accounts of which
   * fewer run. An account of which none runs has a place of its own, so that long queries of another do not keep it out.
   */
  const takeNext = (): ActiveQuery | undefined => {
    const ranks = queue.map((entry) => ({
      entry,
      ofDashboard: entry.query.refreshId === undefined ? 0 : 1,
      others: runningOf(entry.query.accountId),
    }));
    const [first] = ranks
      .filter(
        ({ others }) =>
          running < limits.lakeQueriesAtOnce + (others === 0 ? limits.lakeQueriesOfOtherAccounts : 0),
      )
      .toSorted((one, other) => one.ofDashboard - other.ofDashboard || one.others - other.others);
    if (first) queue.splice(queue.indexOf(first.entry), 1);
    return first?.entry;
  };
  const pump = (): void => {
    // A lake that is being closed has emptied the queue.
    for (let entry = takeNext(); entry; entry = takeNext()) {
      const next = entry;
      running++;
      next.isRunning = true;
      void runOne(next)
        .catch((error: unknown) => log.error({ err: error }, 'the end of a query could not be written'))
        .finally(() => {
          running--;
          end(next);
          pump();
        });
    }
  };
  const enqueue = (query: QueryDocument): void => {
    if (isClosed || query.status !== 'QUEUED' || active.has(query.queryId)) return;
    const entry: ActiveQuery = {
      query,
      stop: new AbortController(),
      done: Promise.withResolvers<void>(),
      isRunning: false,
    };
    active.set(query.queryId, entry);
    queue.push(entry);
    pump();
  };

  const stopListening = state.onChange((keys) => {
    for (const key of keys) {
      if (!key.startsWith(queriesPrefix)) continue;
      void state.get<QueryDocument>(key).then((found) => found && enqueue(found.value));
    }
  });
  for (const { value } of await state.list<QueryDocument>(queriesPrefix)) {
    enqueue(value);
    if (value.status === 'FINISHED' && value.deliveryStatus === 'PENDING')
      void deliver(value).catch(() => undefined);
  }

  const activeBy = (accountId: string, isMeant: (query: QueryDocument) => boolean): number =>
    [...active.values()].filter(({ query }) => query.accountId === accountId && isMeant(query)).length;

  return {
    activeOf: (accountId) => activeBy(accountId, (query) => query.refreshId === undefined),
    refreshingOf: (accountId) => activeBy(accountId, (query) => query.refreshId !== undefined),
    isRunning: (queryId) => active.get(queryId)?.isRunning ?? false,
    async cancel(query) {
      const entry = active.get(query.queryId);
      entry?.stop.abort(new StoppedError('CANCELLED'));
      if (entry && !entry.isRunning) {
        queue.splice(queue.indexOf(entry), 1);
        end(entry);
      }
      const ended = await finish(query, { status: 'CANCELLED' });
      return ended?.status === 'CANCELLED';
    },
    async ended(queryId) {
      await active.get(queryId)?.done.promise;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      stopListening();
      const entries = [...active.values()];
      for (const { stop } of entries) stop.abort(new StoppedError(undefined));
      queue.length = 0;
      await Promise.all(entries.filter(({ isRunning }) => isRunning).map(({ done }) => done.promise));
    },
  };
}
