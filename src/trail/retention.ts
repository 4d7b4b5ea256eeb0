import { AwsFault, isAccountId, type Clock, type Logger, type Timer } from '../kernel/index.ts';
import type { Change, State } from '../state/index.ts';
import {
  invalidRequest,
  jsonAnswer,
  readRouteJson,
  type HttpRoute,
  type RouteRequest,
} from '../wire/index.ts';
import type { History } from './history/index.ts';

/** How long the event history keeps an account's events. */
interface RetentionDocument {
  /** null keeps them for good. */
  readonly days: number | null;
}

export interface RetentionOptions {
  readonly state: State;
  readonly history: Pick<History, 'setRetention' | 'expire' | 'count'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** For accounts without a setting of their own; undefined keeps their events for good. */
  readonly defaultDays: number | undefined;
  readonly managementAccountId: string;
}

/** Applies retention to the history. */
export interface Retention extends AsyncDisposable {
  /** `GET /_cairn/retention` and `POST /_cairn/retention`, for the management account's principals. */
  readonly routes: readonly HttpRoute<Change>[];
  /** Applies the settings and drops what expired; runs by itself every hour. */
  apply(): Promise<void>;
}

const prefix = 'trail/retention/';
const everyMs = 3_600_000;
const mostDays = 36_500;
const mostAccounts = 10_000;
const bodyBytes = 64 * 1024;

async function readSetting(
  body: AsyncIterable<Uint8Array>,
): Promise<{ accountId: string; days: number | null }> {
  const value = await readRouteJson(body, bodyBytes);
  const { accountId, days, ...others } = (value ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw invalidRequest(`The member "${unknown}" is not known; there are accountId and days.`);
  if (typeof accountId !== 'string' || !isAccountId(accountId))
    throw invalidRequest('accountId takes twelve digits.');
  if (days === null) return { accountId, days };
  if (typeof days !== 'number' || !Number.isInteger(days) || days < 1 || days > mostDays) {
    throw invalidRequest(
      `days takes a whole number from 1 to ${mostDays}, or null to keep the events for good.`,
    );
  }
  return { accountId, days };
}

/**
 * Opens retention: settings per account are documents of the control state; the history hides what is older at once and
 * drops it by whole segments. Imported accounts without a setting get the default when they are first seen.
 */
export async function openRetention(options: RetentionOptions): Promise<Retention> {
  const { state, history, clock, defaultDays, managementAccountId } = options;
  const log = options.log.child({ part: 'retention' });
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  const settings = async (): Promise<ReadonlyMap<string, number | undefined>> => {
    const documents = await state.list<RetentionDocument>(prefix, { limit: mostAccounts });
    return new Map(documents.map(({ key, value }) => [key.slice(prefix.length), value.days ?? undefined]));
  };

  const applySettings = async (): Promise<void> => {
    const own = await settings();
    for (const [accountId, days] of own) history.setRetention(accountId, days);
    if (defaultDays === undefined) return;
    const seen = await history.count({}, { attributes: ['AccountId'], limit: mostAccounts });
    const accounts = new Set([managementAccountId, ...seen.flatMap(({ values }) => values[0] ?? [])]);
    for (const accountId of accounts) if (!own.has(accountId)) history.setRetention(accountId, defaultDays);
  };

  const applyOnce = async (): Promise<void> => {
    if (closed) return;
    try {
      await applySettings();
      const { segmentsDropped } = await history.expire(clock.now());
      if (segmentsDropped > 0) log.info({ segmentsDropped }, 'expired events were dropped');
    } catch (error) {
      log.error({ err: error }, 'retention could not be applied; it is tried again within the hour');
    }
  };

  const apply = (): Promise<void> => {
    running = running.then(applyOnce);
    return running;
  };

  const schedule = () => {
    timer = clock.after(everyMs, () => {
      void apply();
      schedule();
    });
  };

  const stopListening = state.onChange((keys) => {
    if (keys.some((key) => key.startsWith(prefix))) void apply();
  });
  await apply();
  schedule();

  const refuseOthers = ({ call }: RouteRequest) => {
    if (call?.accountId === managementAccountId) return;
    const text = `Only principals of the management account ${managementAccountId} may see and set retention.`;
    throw new AwsFault('AccessDenied', text, { status: 403 });
  };
  const routes: readonly HttpRoute<Change>[] = [
    {
      method: 'GET',
      path: '/_cairn/retention',
      operationName: 'GetRetention',
      access: 'read',
      async handle(request) {
        refuseOthers(request);
        const accounts = [...(await settings())].map(([accountId, days]) => ({
          accountId,
          days: days ?? null,
        }));
        return jsonAnswer({ defaultDays: defaultDays ?? null, accounts });
      },
    },
    {
      method: 'POST',
      path: '/_cairn/retention',
      operationName: 'SetRetention',
      access: 'write',
      async handle(request, change) {
        refuseOthers(request);
        const { accountId, days } = await readSetting(request.body);
        change.put(prefix + accountId, { days } satisfies RetentionDocument);
        const setting = { accountId, days };
        return jsonAnswer(setting, setting);
      },
    },
  ];

  return {
    routes,
    apply,
    async [Symbol.asyncDispose]() {
      closed = true;
      stopListening();
      timer?.cancel();
      await running;
    },
  };
}
