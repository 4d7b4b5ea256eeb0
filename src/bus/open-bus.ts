import type { Clock, Logger, Random } from '../kernel/index.ts';
import type { Reader, ReaderOptions, Stream } from '../journal/index.ts';
import type { AuthoriseRole, MasterKey } from '../identity/index.ts';
import type { Change, State } from '../state/index.ts';
import type { Operations } from '../wire/index.ts';
import { apiDestinationOperations } from './api/api-destinations.ts';
import { connectionOperations } from './api/connections.ts';
import { openBusOperations } from './api/open-bus-operations.ts';
import { bindOperations } from './bus-operation.ts';
import { newBusCounts, type BusCounts } from './bus-counts.ts';
import type { OpenTrailSelection } from './cloudtrail-events.ts';
import { openDeliveries } from './delivery/open-deliveries.ts';
import { readProgress } from './delivery/progress-file.ts';
import { openRouter } from './routing/open-router.ts';
import { checkTarget, openApiDestinations, openEgress, openHttpClient } from './targets/index.ts';

/** A target that fails for so long is a problem that somebody should hear of. */
const troubleMs = 5 * 60_000;
/** How often the journal may let go of what is routed. */
const checkpointEveryMs = 30_000;

export interface BusOptions {
  readonly state: State;
  /** The journal's stream `audit`, and its stream `bus`, which holds what is to be delivered. */
  readonly audit: Stream;
  readonly bus: Stream;
  /** Where the progress of deliveries is kept. */
  readonly directory: string;
  readonly masterKey: Pick<MasterKey, 'cipher'>;
  readonly authoriseRole: AuthoriseRole;
  /** What trails log, of which records go to the bus. */
  readonly openTrailSelection: OpenTrailSelection;
  /** Hosts that events may be sent to although their address is not public, and over HTTP (`CAIRN_HTTP_TARGETS`). */
  readonly httpTargets?: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** How the bus does, for the metrics. */
export interface BusReport extends Readonly<BusCounts> {
  /** Deliveries that are neither made nor given up. */
  readonly waiting: number;
}

/** The event bus, at work. Close it before the state and the journal. */
export interface EventBus extends AsyncDisposable {
  /** Operations of `events`. */
  readonly operations: Operations<Change>;
  /** Of the streams `audit` and `bus`. */
  readonly readers: readonly { readonly stream: string; readonly reader: Reader }[];
  report(): BusReport;
  /** What is wrong, one plain sentence each; of no account. */
  readonly problems: readonly string[];
  /** Resolves once everything in the journal is routed, and what has come of it is durable. */
  settle(): Promise<void>;
}

/** Opens the bus: what becomes durable in the journal is routed to the rules that match it, and delivered to their targets. */
export async function openBus(options: BusOptions): Promise<EventBus> {
  const { state, audit, bus, directory, masterKey, authoriseRole, clock, random, log, onDamage } = options;
  const counts = newBusCounts();
  const progress = await readProgress(directory, log);
  const cipher = masterKey.cipher('bus/v1');
  const egress = openEgress(options.httpTargets ?? []);
  const send = openHttpClient({ egress, clock });
  const damage = onDamage ? { onDamage } : {};
  await using opening = new AsyncDisposableStack();
  const invoker = opening.use(await openApiDestinations({ state, cipher, send, authoriseRole, clock, log }));
  const router = opening.use(
    await openRouter({
      state,
      audit,
      bus,
      authoriseRole,
      counts,
      clock,
      log,
      openTrailSelection: options.openTrailSelection,
      from: progress?.routed,
      ...damage,
    }),
  );
  const deliveries = opening.use(
    await openDeliveries({
      bus,
      invoker,
      directory,
      progress,
      routed: () => router.place,
      counts,
      clock,
      random,
      log,
      ...damage,
    }),
  );

  let timer = clock.after(checkpointEveryMs, keepUp);
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();
  function keepUp(): void {
    running = router
      .checkpoint()
      .catch((error: unknown) => log.error({ err: error }, 'the cursor of the event bus was not written'));
    if (!isClosed) timer = clock.after(checkpointEveryMs, keepUp);
  }
  await router.checkpoint();
  const parts = { cipher, egress };
  const operations = {
    ...openBusOperations({ state, random, checkTarget }),
    ...bindOperations(
      { state, random, checkTarget },
      { ...connectionOperations(parts), ...apiDestinationOperations(parts) },
    ),
  };
  const opened = opening.move();
  return {
    operations,
    readers: [
      { stream: audit.name, reader: router.reader },
      { stream: bus.name, reader: deliveries.reader },
    ],
    report: () => ({ ...counts, waiting: deliveries.waiting }),
    get problems() {
      const failing = deliveries.failingFor(troubleMs);
      if (failing === 0) return [];
      return [
        `events wait for ${failing === 1 ? 'a target' : `${failing} targets`} that did not take any for five minutes: the log names ${failing === 1 ? 'it' : 'them'}`,
      ];
    },
    async settle() {
      await invoker.settle();
      await router.reader.reached(audit.end);
      await deliveries.reader.reached(bus.end);
      await deliveries.save();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      timer.cancel();
      await running;
      // The router first: what it routes last is in the progress of deliveries.
      await router.reader[Symbol.asyncDispose]();
      await router.checkpoint();
      await opened.disposeAsync();
    },
  };
}
