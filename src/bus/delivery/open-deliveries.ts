import { limits, sequence, type Clock, type Logger, type Random, type Timer } from '../../kernel/index.ts';
import type { JournalEntry, Reader, ReaderOptions, Stream } from '../../journal/index.ts';
import type { BusCounts } from '../bus-counts.ts';
import { openQuietLog } from '../quiet-log.ts';
import { decodeDelivery, type DeliveryHead } from './delivery-entry.ts';
import type { Invoker, Outcome } from './delivery-types.ts';
import { writeProgress, type Progress } from './progress-file.ts';
import { readerName } from './reader-name.ts';
import { retryDelayMs } from './retry-delay.ts';
import {
  heldCount,
  heldOf,
  newTargetQueue,
  noteOutcome,
  type Held,
  type TargetQueue,
} from './target-queue.ts';

/** How often progress is written, which is what is repeated at most after a crash. */
const saveEveryMs = 2_000;
/** How long attempts that are under way get to end when Cairn stops. */
const stopMs = 2_000;

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
  const { bus, invoker, clock, random, counts, progress } = options;
  const log = options.log.child({ part: 'bus' });
  const quiet = openQuietLog(log, clock);
  const stop = new AbortController();
  const closing = new AbortController();
  const queues = new Map<string, TargetQueue>();
  /** Queues that could go on if there were not so many attempts under way. */
  const crowdedOut = new Set<TargetQueue>();
  const attempts = new Set<Promise<void>>();
  const known = new Map(progress?.waiting.map(([at, failed, due]) => [at, { failed, due }]));
  const knownPassed = new Map(progress?.passedOver);
  const knownUntil = progress?.read ?? 0;
  /** Everything before it was taken from the stream. */
  let position: number = bus.cursorOf(readerName) ?? bus.start;
  let heldTotal = 0;
  let bodyBytes = 0;
  let isDirty = false;
  let saveTimer: Timer | undefined;
  let saving: Promise<void> = Promise.resolve();
  let refills: Promise<void> = Promise.resolve();

  const queueOf = (target: string): TargetQueue => {
    const there = queues.get(target);
    if (there) return there;
    const made = newTargetQueue(target);
    queues.set(target, made);
    return made;
  };

  const isFull = (queue: TargetQueue): boolean =>
    heldCount(queue) >= limits.busHeldPerTarget ||
    (heldTotal >= limits.busHeld && heldCount(queue) >= limits.busHeldAtLeast);

  /** Whether an entry of before the start was made or given up then. */
  const wasSettled = (at: number, target: string): boolean =>
    at < knownUntil && !known.has(at) && !(at >= (knownPassed.get(target) ?? Infinity));

  const changed = () => {
    isDirty = true;
    saveTimer ??= clock.after(saveEveryMs, () => {
      saveTimer = undefined;
      void save();
    });
  };

  function keepBody(bytes: Uint8Array): Uint8Array | undefined {
    if (bodyBytes + bytes.length > limits.busHeldBytes) return undefined;
    bodyBytes += bytes.length;
    // A copy: what it is cut from may be a whole batch of the journal.
    return Uint8Array.from(bytes);
  }

  function dropBody(held: Held): void {
    bodyBytes -= held.body?.length ?? 0;
    held.body = undefined;
  }

  function hold(queue: TargetQueue, entry: JournalEntry, head: DeliveryHead, body: Uint8Array): void {
    const before = known.get(entry.sequence);
    const wait = before ? Math.max(0, before.due - clock.now()) : 0;
    heldTotal += 1;
    queue.waiting.push({
      sequence: entry.sequence,
      head,
      body: keepBody(body),
      time: entry.time,
      attempts: before?.failed ?? 0,
      due: clock.monotonic() + wait,
    });
  }

  function take(entry: JournalEntry): void {
    const decoded = decode(entry);
    if (!decoded || wasSettled(entry.sequence, decoded.head.target)) return;
    const queue = queueOf(decoded.head.target);
    if (queue.passedFrom !== undefined || isFull(queue)) {
      queue.passedFrom ??= entry.sequence;
      queue.passedCount += 1;
      return;
    }
    hold(queue, entry, decoded.head, decoded.body);
    pump(queue);
  }

  function decode({ payload, sequence: at }: JournalEntry) {
    try {
      return decodeDelivery(payload);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      log.error(
        { err: error, sequence: at },
        'a delivery of the journal cannot be read; its target does not get it',
      );
      return undefined;
    }
  }

  async function readBody(at: number): Promise<Uint8Array | undefined> {
    for await (const { entries } of bus.read(sequence(at))) {
      const found = entries.find((entry) => entry.sequence === at);
      return found && decodeDelivery(found.payload).body;
    }
    return undefined;
  }

  async function attempt(queue: TargetQueue, held: Held): Promise<void> {
    let outcome: Outcome;
    try {
      const body = held.body ?? (await readBody(held.sequence));
      outcome = body
        ? await invoker.invoke(held.head, body, stop.signal)
        : { kind: 'failed', reason: 'the journal is damaged where it stands', isFinal: true };
    } catch (error) {
      if (stop.signal.aborted) return;
      log.error({ err: error, target: queue.target }, 'an attempt to deliver failed for a fault of Cairn');
      outcome = { kind: 'failed', reason: 'a fault of Cairn, which the log names', isFinal: false };
    }
    queue.inFlight.delete(held);
    noteOutcome(queue, outcome.kind === 'delivered', clock.monotonic());
    if (outcome.kind === 'delivered') counts.delivered += 1;
    const again = outcome.kind === 'failed' ? nextAttempt(held, outcome) : undefined;
    if (again) queue.waiting.push(again);
    else settled(held);
    changed();
  }

  /** The delivery as it is tried again; undefined when it is given up. */
  function nextAttempt(held: Held, outcome: Outcome & { readonly kind: 'failed' }): Held | undefined {
    counts.failedAttempts += 1;
    const { head } = held;
    const failed = held.attempts + 1;
    const waitMs = Math.max(retryDelayMs(failed, random), outcome.retryAfterMs ?? 0);
    const isTooOld = clock.now() + waitMs - held.time > head.ageSeconds * 1000;
    const facts = { rule: head.rule, target: head.target, event: head.event, attempts: failed };
    if (!outcome.isFinal && failed <= head.retries && !isTooOld) {
      quiet.warn(
        `retry ${head.target}`,
        { ...facts, reason: outcome.reason },
        'a target did not take an event; it is tried again',
      );
      if (bodyBytes > limits.busHeldBytes / 2) dropBody(held);
      return { ...held, attempts: failed, due: clock.monotonic() + waitMs };
    }
    counts.givenUp += 1;
    quiet.warn(
      `given up ${head.target}`,
      { ...facts, reason: outcome.reason },
      'a target does not get an event: it was given up',
    );
    return undefined;
  }

  function settled(held: Held): void {
    dropBody(held);
    heldTotal -= 1;
  }

  /** Begins the attempts of a queue that are due. */
  function pump(queue: TargetQueue): void {
    if (queue.isPumping || closing.signal.aborted) return;
    queue.isPumping = true;
    void begin(queue).finally(() => {
      queue.isPumping = false;
      forgetIdle(queue);
    });
  }

  async function begin(queue: TargetQueue): Promise<void> {
    while (!closing.signal.aborted && queue.inFlight.size < queue.allowed) {
      const next = queue.waiting.peek();
      if (!next) return;
      if (attempts.size >= limits.busAttempts) {
        crowdedOut.add(queue);
        return;
      }
      const now = clock.monotonic();
      const at = Math.max(next.due, queue.nextSlot);
      if (at > now) {
        wakeAfter(queue, at - now);
        return;
      }
      const rate = await invoker.ratePerSecond(queue.target);
      const due = closing.signal.aborted ? undefined : queue.waiting.pop();
      if (!due) return;
      queue.nextSlot = rate === undefined ? 0 : clock.monotonic() + 1000 / rate;
      queue.inFlight.add(due);
      const running = attempt(queue, due).finally(() => {
        attempts.delete(running);
        goOn(queue);
      });
      attempts.add(running);
    }
  }

  function goOn(queue: TargetQueue): void {
    pump(queue);
    const [other] = crowdedOut;
    if (other) {
      crowdedOut.delete(other);
      pump(other);
    }
    const isRoomy = heldCount(queue) <= limits.busHeldPerTarget / 2 && !isFull(queue);
    if (queue.passedFrom !== undefined && isRoomy && !queue.isRefilling && !closing.signal.aborted) {
      queue.isRefilling = true;
      refills = refills
        .then(() => refill(queue))
        .catch((error: unknown) => log.error({ err: error }, 'deliveries could not be read again'))
        .finally(() => {
          queue.isRefilling = false;
          pump(queue);
        });
    }
  }

  function wakeAfter(queue: TargetQueue, ms: number): void {
    queue.timer?.cancel();
    queue.timer = clock.after(ms, () => {
      queue.timer = undefined;
      pump(queue);
    });
  }

  /** Lets go of a queue that has nothing to do, once its next attempt might begin at any time. */
  function forgetIdle(queue: TargetQueue): void {
    if (closing.signal.aborted || heldCount(queue) > 0 || queue.passedFrom !== undefined) return;
    const pause = queue.nextSlot - clock.monotonic();
    if (pause > 0) wakeAfter(queue, pause);
    else queues.delete(queue.target);
  }

  /** Takes what was passed over for want of room from the journal. */
  async function refill(queue: TargetQueue): Promise<void> {
    while (queue.passedFrom !== undefined && !closing.signal.aborted) {
      const until = position;
      for await (const { entries } of bus.read(sequence(queue.passedFrom))) {
        for (const entry of entries) {
          if (entry.sequence >= until || entry.sequence < queue.passedFrom) continue;
          const decoded = decode(entry);
          if (decoded?.head.target !== queue.target || wasSettled(entry.sequence, queue.target)) continue;
          if (isFull(queue)) return;
          hold(queue, entry, decoded.head, decoded.body);
          queue.passedFrom = entry.sequence + 1;
          queue.passedCount -= 1;
        }
        if ((entries.at(-1)?.sequence ?? 0) >= until || closing.signal.aborted) break;
      }
      if (position !== until) queue.passedFrom = Math.max(queue.passedFrom, until);
      else queue.passedFrom = undefined;
    }
  }

  /** Everything before it is settled. */
  function safe(): number {
    let least = position;
    for (const queue of queues.values()) {
      for (const held of heldOf(queue)) least = Math.min(least, held.sequence);
      least = Math.min(least, queue.passedFrom ?? Infinity);
    }
    return least;
  }

  function progressNow(): Progress {
    const [wall, monotonic] = [clock.now(), clock.monotonic()];
    const all = [...queues.values()];
    return {
      routed: options.routed(),
      read: position,
      waiting: all
        .flatMap(heldOf)
        .map((held) => [held.sequence, held.attempts, Math.round(wall + Math.max(0, held.due - monotonic))]),
      passedOver: all.flatMap(({ target, passedFrom }) =>
        passedFrom === undefined ? [] : [[target, passedFrom] as const],
      ),
    };
  }

  async function saveNow(): Promise<void> {
    // Until everything is read again that the file knows of, it knows better.
    if (!isDirty || position < knownUntil) return;
    isDirty = false;
    const until = safe();
    await writeProgress(options.directory, progressNow());
    await reader.checkpoint(sequence(Math.min(until, reader.applied)));
  }

  function save(): Promise<void> {
    saving = saving.then(saveNow).catch((error: unknown) => {
      isDirty = true;
      quiet.warn('save', { err: error }, 'the progress of deliveries was not written; it is tried again');
      if (!closing.signal.aborted) changed();
    });
    return saving;
  }

  const reader = await bus.follow({
    name: readerName,
    ...(options.onDamage && { onDamage: options.onDamage }),
    apply(entries) {
      for (const entry of entries) {
        if (entry.sequence < position) continue;
        take(entry);
        position = entry.sequence + 1;
      }
      changed();
      return Promise.resolve();
    },
  });

  return {
    reader,
    get waiting() {
      return heldTotal + [...queues.values()].reduce((sum, { passedCount }) => sum + passedCount, 0);
    },
    failingFor(ms) {
      const since = clock.monotonic() - ms;
      return [...queues.values()].filter(({ failingSince }) => (failingSince ?? Infinity) <= since).length;
    },
    save,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await reader[Symbol.asyncDispose]();
      const timer = clock.after(stopMs, () => stop.abort(new Error('Cairn stops')));
      for (const { timer: waiting } of queues.values()) waiting?.cancel();
      await Promise.all(attempts);
      timer.cancel();
      await refills;
      saveTimer?.cancel();
      await save();
    },
  };
}
