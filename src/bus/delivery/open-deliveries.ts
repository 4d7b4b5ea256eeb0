import { sequence, type Clock, type Logger, type Random, type Timer } from '../../kernel/index.ts';
import type { Reader, ReaderOptions, Stream } from '../../journal/index.ts';
import type { BusCounts } from '../bus-counts.ts';
import { openQuietLog } from '../quiet-log.ts';
import { openAttempts } from './attempts.ts';
import type { Invoker } from './delivery-types.ts';
import { openHeldDeliveries } from './held-deliveries.ts';
import { writeProgress, type Progress } from './progress-file.ts';
import { readerName } from './reader-name.ts';

/** How often progress is written, which is what is repeated at most after a crash. */
const saveEveryMs = 2_000;

export interface DeliveriesOptions {
  /** The journal's stream `bus`. */
  readonly bus: Stream;
  readonly invoker: Invoker;
  /** Where progress is kept. */
  readonly directory: string;
  /** What the file of before says. */
  readonly progress: Progress | undefined;
  /** How far events are routed now, for the file. */
  readonly routed: () => Progress['routed'];
  readonly counts: BusCounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** Deliveries to targets, at work. */
export interface Deliveries extends AsyncDisposable {
  readonly reader: Reader;
  /** Deliveries that are neither made nor given up. */
  readonly waiting: number;
  /** Targets of which every attempt has failed for so long. */
  failingFor(ms: number): number;
  /** Writes progress now. */
  save(): Promise<void>;
}

/** Opens deliveries: each is tried at once, and again by its target's retry policy, until it is made or given up. */
export async function openDeliveries(options: DeliveriesOptions): Promise<Deliveries> {
  const { bus, clock } = options;
  const log = options.log.child({ part: 'bus' });
  const quiet = openQuietLog(log, clock);
  const from = bus.cursorOf(readerName) ?? bus.start;
  const held = openHeldDeliveries({ bus, from, known: options.progress, clock, log });
  const attempts = openAttempts({ ...options, held, log, quiet, onAttempt: changed });
  let isDirty = false;
  let isClosed = false;
  let timer: Timer | undefined;
  let saving: Promise<void> = Promise.resolve();

  function changed(): void {
    isDirty = true;
    timer ??= clock.after(saveEveryMs, () => {
      timer = undefined;
      void save();
    });
  }

  async function saveNow(): Promise<void> {
    if (!isDirty || !held.isCaughtUp) return;
    isDirty = false;
    const safe = held.safe();
    await writeProgress(options.directory, held.progress(options.routed()));
    await reader.checkpoint(sequence(Math.min(safe, reader.applied)));
  }

  function save(): Promise<void> {
    saving = saving.then(saveNow).catch((error: unknown) => {
      quiet.warn('save', { err: error }, 'the progress of deliveries was not written; it is tried again');
      isDirty = true;
      if (!isClosed) changed();
    });
    return saving;
  }

  const reader = await bus.follow({
    name: readerName,
    ...(options.onDamage && { onDamage: options.onDamage }),
    apply(entries) {
      for (const entry of entries) {
        const queue = held.take(entry);
        if (queue) attempts.pump(queue);
      }
      changed();
      return Promise.resolve();
    },
  });

  return {
    reader,
    get waiting() {
      return held.waiting;
    },
    failingFor(ms) {
      const since = clock.monotonic() - ms;
      return [...held.queues.values()].filter(({ failingSince }) => (failingSince ?? Infinity) <= since)
        .length;
    },
    save,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await reader[Symbol.asyncDispose]();
      await attempts[Symbol.asyncDispose]();
      timer?.cancel();
      await save();
    },
  };
}
