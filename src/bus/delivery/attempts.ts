import { limits, type Clock, type Logger, type Random } from '../../kernel/index.ts';
import type { BusCounts } from '../bus-counts.ts';
import type { QuietLog } from '../quiet-log.ts';
import type { Invoker, Outcome } from './delivery-types.ts';
import type { HeldDeliveries } from './held-deliveries.ts';
import { retryDelayMs } from './retry-delay.ts';
import { heldCount, noteOutcome, type Held, type TargetQueue } from './target-queue.ts';

/** How long attempts that are under way get to end when Cairn stops. */
const stopMs = 2_000;

export interface AttemptsOptions {
  readonly held: HeldDeliveries;
  readonly invoker: Invoker;
  readonly counts: BusCounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly quiet: QuietLog;
  /** Told after each attempt. */
  readonly onAttempt: () => void;
}

/** Tries deliveries when they are due, as many at once as there may be. */
export interface Attempts extends AsyncDisposable {
  /** Begins the attempts of a queue that are due; call it when the queue holds more than before. */
  pump(queue: TargetQueue): void;
}

export function openAttempts(options: AttemptsOptions): Attempts {
  const { held, invoker, counts, clock, random, log, quiet } = options;
  const stop = new AbortController();
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  /** Attempts that are about to begin. */
  let beginning = 0;
  /** Queues that could go on if there were not so many attempts under way; those that wait longest stand first. */
  const crowdedOut = new Set<TargetQueue>();
  const isCrowded = (): boolean => running.size + beginning >= limits.busAttempts;
  let refills: Promise<void> = Promise.resolve();

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
    else held.forget(queue);
  }

  function pump(queue: TargetQueue): void {
    if (closing.signal.aborted) return;
    if (queue.isPumping) {
      // It may have looked already at what is new now.
      queue.isPumpedAgain = true;
      return;
    }
    queue.isPumping = true;
    queue.isPumpedAgain = false;
    void pumpOnce(queue);
  }

  async function pumpOnce(queue: TargetQueue): Promise<void> {
    const wasCrowdedOut = await begin(queue);
    queue.isPumping = false;
    if (queue.isPumpedAgain || (wasCrowdedOut && !isCrowded())) pump(queue);
    else if (wasCrowdedOut) crowdedOut.add(queue);
    else forgetIdle(queue);
  }

  /** Begins attempts until there is none to begin; whether there would be one if others had not taken all the room. */
  async function begin(queue: TargetQueue): Promise<boolean> {
    while (!closing.signal.aborted && queue.inFlight.size < queue.allowed) {
      const next = queue.waiting.peek();
      if (!next) return false;
      if (isCrowded()) return true;
      const now = clock.monotonic();
      const at = Math.max(next.due, queue.nextSlot);
      if (at > now) {
        wakeAfter(queue, at - now);
        return false;
      }
      beginning += 1;
      const rate = await invoker.ratePerSecond(queue.target);
      beginning -= 1;
      const due = closing.signal.aborted ? undefined : queue.waiting.pop();
      if (!due) return false;
      queue.nextSlot = rate === undefined ? 0 : clock.monotonic() + 1000 / rate;
      queue.inFlight.add(due);
      const attempted = attempt(queue, due).finally(() => {
        running.delete(attempted);
        goOn(queue);
      });
      running.add(attempted);
    }
    return false;
  }

  async function attempt(queue: TargetQueue, one: Held): Promise<void> {
    let outcome: Outcome;
    try {
      const body = await held.bodyOf(one);
      outcome = body
        ? await invoker.invoke(one.head, body, stop.signal)
        : { kind: 'failed', reason: 'the journal is damaged where it stands', isFinal: true };
    } catch (error) {
      if (stop.signal.aborted) return;
      log.error({ err: error, target: queue.target }, 'an attempt to deliver failed for a fault of Cairn');
      outcome = { kind: 'failed', reason: 'a fault of Cairn, which the log names', isFinal: false };
    }
    queue.inFlight.delete(one);
    noteOutcome(queue, outcome.kind === 'delivered', clock.monotonic());
    if (outcome.kind === 'delivered') counts.delivered += 1;
    const waitMs = outcome.kind === 'failed' ? retryAfter(one, outcome) : undefined;
    if (waitMs === undefined) held.settle(one);
    else held.again(queue, one, waitMs);
    options.onAttempt();
  }

  /** How long a delivery waits for its next attempt; undefined when it is given up. */
  function retryAfter(one: Held, outcome: Outcome & { readonly kind: 'failed' }): number | undefined {
    counts.failedAttempts += 1;
    const { head } = one;
    const failed = one.attempts + 1;
    const waitMs = Math.max(retryDelayMs(failed, random), outcome.retryAfterMs ?? 0);
    const isTooOld = clock.now() + waitMs - one.time > head.ageSeconds * 1000;
    const { rule, target, event } = head;
    const facts = { rule, target, event, attempts: failed, reason: outcome.reason };
    if (!outcome.isFinal && failed <= head.retries && !isTooOld) {
      quiet.warn(`retry ${target}`, facts, 'a target did not take an event; it is tried again');
      return waitMs;
    }
    counts.givenUp += 1;
    quiet.warn(`given up ${target}`, facts, 'a target does not get an event: it was given up');
    return undefined;
  }

  /** After an attempt: there is room for another, of a queue that had to wait or of this one. */
  function goOn(queue: TargetQueue): void {
    const [other] = crowdedOut;
    if (other) {
      crowdedOut.delete(other);
      pump(other);
    }
    pump(queue);
    if (queue.passedFrom === undefined || !held.hasRoom(queue) || queue.isRefilling) return;
    queue.isRefilling = true;
    refills = refills
      .then(() => held.refill(queue, closing.signal))
      .catch((error: unknown) => log.error({ err: error }, 'deliveries could not be read again'))
      .finally(() => {
        queue.isRefilling = false;
        pump(queue);
      });
  }

  return {
    pump,
    async [Symbol.asyncDispose]() {
      closing.abort();
      for (const { timer } of held.queues.values()) timer?.cancel();
      const timer = clock.after(stopMs, () => stop.abort(new Error('Cairn stops')));
      await Promise.all(running);
      timer.cancel();
      await refills;
    },
  };
}
