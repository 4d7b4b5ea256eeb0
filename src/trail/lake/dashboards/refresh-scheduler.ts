import { AwsFault, type Timer } from '../../../kernel/index.ts';
import type { NewEntry } from '../../../journal/index.ts';
import type { Change } from '../../../state/index.ts';
import type { LakeParts } from '../lake-parts.ts';
import { dashboardKey, dashboardsPrefix, type DashboardDocument } from './dashboard-documents.ts';
import { checkMayRefresh } from './dashboard-permission.ts';
import { valuesFor } from './query-parameters.ts';
import { nextRefreshAt } from './refresh-schedule.ts';
import { startRefresh, type RefreshParts } from './refresh.ts';
import { serviceCallRecord } from './service-call-record.ts';

/** Refreshes dashboards when their schedules say so. What fell due while the program was stopped is done once, at the start. */
export interface RefreshScheduler extends AsyncDisposable {
  /** Resolves when what was due at the last look has been done, and changes of dashboards up to now are known. */
  settled(): Promise<void>;
}

/** The wall clock may jump; it is looked at this often at least. */
const longestWaitMs = 60_000;

type SchedulerParts = Pick<LakeParts, 'state' | 'clock' | 'random' | 'log'> & Pick<RefreshParts, 'queries'>;

/** The refresh as it is to be written: the queries in the change, or why there are none, and the records of both. */
async function refreshInto(
  change: Change,
  due: DashboardDocument,
  { clock, ...parts }: SchedulerParts,
): Promise<readonly NewEntry[]> {
  const now = clock.now();
  const { lastRefreshFailure: _, nextRefreshAt: __, ...rest } = due;
  const next = nextRefreshAt(due.schedule, now);
  const dashboard = { ...rest, ...(next !== undefined && { nextRefreshAt: next }) };
  const recordOf = (responseElements: unknown, error?: AwsFault) =>
    serviceCallRecord(due, {
      eventName: 'StartDashboardRefresh',
      now,
      random: parts.random,
      requestParameters: { dashboardId: due.arn },
      responseElements,
      error,
    });
  try {
    await checkMayRefresh(change, dashboard, now);
    const started = await startRefresh(change, dashboard, { values: valuesFor(undefined, now), now }, parts);
    return [recordOf({ refreshId: started.dashboard.lastRefreshId }), ...started.records];
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error;
    const lastRefreshFailure = `${error.code}: ${error.message}`;
    change.put(dashboardKey(due.accountId, due.region, due.name), { ...dashboard, lastRefreshFailure });
    return [recordOf(null, error)];
  }
}

export async function openRefreshScheduler(parts: SchedulerParts): Promise<RefreshScheduler> {
  const { state, clock } = parts;
  const log = parts.log.child({ part: 'lake' });
  /** When each dashboard is due, by its key. */
  const due = new Map<string, number>();
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  const refreshOne = async (key: string): Promise<void> => {
    for (;;) {
      const change = state.begin();
      const found = (await change.get<DashboardDocument>(key))?.value;
      // The document decides: the schedule may have been changed meanwhile.
      if (found?.nextRefreshAt === undefined || found.nextRefreshAt > clock.now()) return;
      const records = await refreshInto(change, found, parts);
      if ((await state.commit(change, records)).kind === 'committed') return;
    }
  };
  const note = async (key: string): Promise<void> => {
    const at = (await state.get<DashboardDocument>(key))?.value.nextRefreshAt;
    if (at === undefined) due.delete(key);
    else due.set(key, at);
  };
  /** After this, `key` is looked at again, and its document says what is to be done. */
  const retry = (key: string, error: unknown): void => {
    due.set(key, clock.now() + longestWaitMs);
    if (!isClosed) log.error({ err: error, key }, 'a dashboard could not be refreshed; it is tried again');
  };
  const refreshDue = async (): Promise<void> => {
    const now = clock.now();
    for (const [key, at] of due) {
      if (isClosed || at > now) continue;
      try {
        await refreshOne(key);
        await note(key);
      } catch (error) {
        retry(key, error);
      }
    }
  };
  const schedule = (): void => {
    timer?.cancel();
    if (isClosed || due.size === 0) return;
    const first = Math.min(...due.values());
    timer = clock.after(Math.min(Math.max(first - clock.now(), 0), longestWaitMs), look);
  };
  const look = (): void => {
    running = running.then(refreshDue).then(schedule);
  };

  const stopListening = state.onChange((keys) => {
    for (const key of keys) {
      if (!key.startsWith(dashboardsPrefix)) continue;
      running = running
        .then(() => note(key))
        .catch((error: unknown) => retry(key, error))
        .then(schedule);
    }
  });
  for (const { key, value } of await state.list<DashboardDocument>(dashboardsPrefix)) {
    if (value.nextRefreshAt !== undefined) due.set(key, value.nextRefreshAt);
  }
  look();

  return {
    async settled() {
      await running;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      stopListening();
      timer?.cancel();
      await running;
    },
  };
}
