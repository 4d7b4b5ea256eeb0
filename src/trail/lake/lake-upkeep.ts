import type { Timer } from '../../kernel/index.ts';
import { retentionOf, type LakeParts } from './lake-parts.ts';
import { aliasKeysOf, queriesPrefix, queryKeptMs, type QueryDocument } from './query-documents.ts';
import type { ResultFiles } from './result-pages.ts';
import { isThere, readStores, storesPrefix, type EventDataStoreDocument } from './store-documents.ts';

/** Lets go of what is over: events past every retention, queries after a week, event data stores that were deleted. */
export interface LakeUpkeep extends AsyncDisposable {
  /** Does it now; it is done by itself at the start and every hour. */
  run(): Promise<void>;
}

const everyMs = 3_600_000;
const dayMs = 86_400_000;
const perCommit = 100;

export function openLakeUpkeep(
  options: LakeParts & { readonly results: ResultFiles; readonly kept: () => Promise<readonly string[]> },
): LakeUpkeep {
  const { state, columns, clock, results } = options;
  const log = options.log.child({ part: 'lake' });
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  /** An account's events stay as long as its history or one of its event data stores keeps them. */
  const dropOld = async (now: number): Promise<void> => {
    const before = new Map<string, number>();
    for (const accountId of columns.owners()) {
      const history = await retentionOf(state, accountId, options.defaultRetentionDays);
      if (history === undefined) continue;
      const stores = await readStores(state, now, accountId);
      const days = Math.max(history, ...stores.map(({ retentionDays }) => retentionDays));
      before.set(accountId, now - days * dayMs);
    }
    const files = await columns.drop(before);
    if (files > 0) log.info({ files }, 'expired events were dropped from the lake');
  };

  const remove = async (keys: readonly string[]): Promise<void> => {
    for (let at = 0; at < keys.length; at += perCommit) {
      const change = state.begin();
      for (const key of keys.slice(at, at + perCommit)) change.delete(key);
      await state.commit(change, []);
    }
  };
  const forgetQueries = async (now: number): Promise<void> => {
    const all = await state.list<QueryDocument>(queriesPrefix);
    const isOver = ({ createdAt, status }: QueryDocument) =>
      status !== 'QUEUED' && createdAt + queryKeptMs <= now;
    const over = all.filter(({ value }) => isOver(value));
    await remove(over.flatMap(({ key, value }) => [key, ...aliasKeysOf(value)]));
    const current = new Set(all.filter(({ value }) => !isOver(value)).map(({ value }) => value.queryId));
    for (const queryId of await options.kept()) if (!current.has(queryId)) await results.remove(queryId);
  };
  const forgetStores = async (now: number): Promise<void> => {
    const all = await state.list<EventDataStoreDocument>(storesPrefix);
    await remove(all.filter(({ value }) => !isThere(value, now)).map(({ key }) => key));
  };

  const runOnce = async (): Promise<void> => {
    if (isClosed) return;
    try {
      const now = clock.now();
      await forgetStores(now);
      await forgetQueries(now);
      await dropOld(now);
    } catch (error) {
      log.error({ err: error }, 'the upkeep of the lake failed; it is tried again within the hour');
    }
  };
  const run = (): Promise<void> => {
    running = running.then(runOnce);
    return running;
  };
  const schedule = () => {
    timer = clock.after(everyMs, () => {
      void run();
      schedule();
    });
  };
  void run();
  schedule();

  return {
    run,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      timer?.cancel();
      await running;
    },
  };
}
