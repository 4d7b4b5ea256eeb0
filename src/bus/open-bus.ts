import type { Clock, Logger, Random } from '../kernel/index.ts';
import type { Reader, ReaderOptions, Stream } from '../journal/index.ts';
import type { AuthoriseRole, MasterKey } from '../identity/index.ts';
import type { Change, State } from '../state/index.ts';
import type { Operations } from '../wire/index.ts';
import { newBusCounts, type BusCounts } from './bus-counts.ts';
import type { OpenTrailSelection } from './cloudtrail-events.ts';
import { openLazyDeliveries } from './delivery/lazy-deliveries.ts';
import { readProgress } from './delivery/progress-file.ts';
import { presentOperations } from './present-operations.ts';
import { openRouter } from './routing/open-router.ts';
import { openInvoker } from './targets/open-invoker.ts';

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
  const { httpTargets = [] } = options;
  const damage = onDamage ? { onDamage } : {};
  await using opening = new AsyncDisposableStack();
  const invoker = opening.use(await openInvoker({ state, cipher, authoriseRole, httpTargets, clock, log }));
  let routed = () => progress?.routed ?? { audit: 0, bus: 0 };
  const deliveries = opening.use(
    await openLazyDeliveries({
      bus,
      invoker,
      directory,
      progress,
      routed: () => routed(),
      counts,
      clock,
      random,
      log,
      ...damage,
    }),
  );
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
      onRouted: () => void deliveries.begin(),
      ...damage,
    }),
  );
  routed = () => router.place;

  let saved: number | undefined = audit.cursorOf(router.reader.name);
  const saveCursor = async (): Promise<void> => {
    const { audit: routed } = router.place;
    if (routed === saved) return;
    await router.checkpoint();
    saved = routed;
  };
  let timer = clock.after(checkpointEveryMs, keepUp);
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();
  function keepUp(): void {
    running = saveCursor().catch((error: unknown) =>
      log.error({ err: error }, 'the cursor of the event bus was not written'),
    );
    if (!isClosed) timer = clock.after(checkpointEveryMs, keepUp);
  }
  // Without a cursor the journal could not be trimmed, and the next start would not know that nothing is to be routed.
  if (saved === undefined) await saveCursor();
  const operations = presentOperations(async () => {
    const [{ allOperations }, { checkTarget, openEgress }] = await Promise.all([
      import('./api/all-operations.ts'),
      import('./targets/index.ts'),
    ]);
    return allOperations({ state, random, checkTarget, cipher, egress: openEgress(httpTargets) });
  });
  const opened = opening.move();
  return {
    operations,
    get readers() {
      const { reader } = deliveries;
      return [
        { stream: audit.name, reader: router.reader },
        ...(reader ? [{ stream: bus.name, reader }] : []),
      ];
    },
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
      const begun = await deliveries.begin();
      await begun.reader.reached(bus.end);
      await begun.save();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      timer.cancel();
      await running;
      // The router first: what it routes last is in the progress of deliveries.
      await router.reader[Symbol.asyncDispose]();
      await saveCursor();
      await opened.disposeAsync();
    },
  };
}
