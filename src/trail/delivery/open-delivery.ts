import type { Clock, Logger, Random } from '../../kernel/index.ts';
import { sequence } from '../../kernel/index.ts';
import type { Reader, Stream } from '../../journal/index.ts';
import type { State } from '../../state/index.ts';
import type { Buckets } from '../buckets.ts';
import { readEndedTrails } from '../trails/ended-trails.ts';
import { trailId, trailKey, trailsPrefix } from '../trails/trail-documents.ts';
import type { DeliveryTopics } from '../trails/trail-needs.ts';
import { collectFiles } from './collect-files.ts';
import { collectInPlace, type Collecting } from './collect-in-place.ts';
import type { Collected } from './collect-pass.ts';
import { commitDelivery, commitEnd } from './delivery-commits.ts';
import { deliveriesPrefix, deliveryKey, positionOf, type DeliveryDocument } from './delivery-documents.ts';
import { commitPlan, deliverPlan, type DeliverParts } from './deliver-plan.ts';
import { backOff, isHopeless, openRunner, reload, trailEnd, type TrailRunner } from './trail-runner.ts';

export interface DeliveryOptions {
  readonly state: State;
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  readonly buckets: Pick<Buckets, 'put'>;
  readonly topics?: DeliveryTopics | undefined;
  /** Where log files are put together; by default in place. Closed by whoever opened it, after the delivery. */
  readonly collecting?: Collecting | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** How often trails deliver. */
  readonly everySeconds: number;
  /** Bounds, for tests: packed bytes and files of one pass, bytes kept for attempts that failed. */
  readonly mostBytes?: number;
  readonly mostFiles?: number;
  readonly mostKeptBytes?: number;
}

/** The delivery of the log files of all trails. */
export interface Delivery extends AsyncDisposable {
  /** Delivers what is in the journal now; resolves once everything is delivered or its attempt has failed. */
  settle(): Promise<void>;
  /** How far the slowest trail is, as the journal's other readers say it. */
  readonly progress: Pick<Reader, 'name' | 'applied' | 'lag'>;
}

/** Trails that are this close to the foremost one are read for in one pass. */
const inStepEntries = 5_000;
/** Passes of trails that are behind, at once: each of them reads the journal by itself. */
const passesBehind = 2;
/** How long a trail that failed before waits for one of them to end. */
const laneWaitMs = 1_000;
/** A position moves on in memory alone until it is so far ahead of its document, or files are delivered. */
const positionEntries = 20_000;

const mib = 1024 * 1024;

/** Starts delivering. Every trail goes on where it was, whatever happened. */
export async function openDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { state, stream, clock, random } = options;
  const { mostBytes = 16 * mib, mostFiles = 64, mostKeptBytes = 64 * mib } = options;
  const { collecting = collectInPlace(clock) } = options;
  const log = options.log.child({ part: 'delivery' });
  const stop = new AbortController();
  const parts: DeliverParts = { ...options, collecting, log, signal: stop.signal };
  const runners = new Map<string, TrailRunner>();
  const running = new Set<Promise<void>>();
  let nudge = new AbortController();
  let nudged = false;
  let behindNow = 0;
  let checkpointed = -1;
  // It reads nothing itself: it keeps the journal from letting go of what a trail still needs.
  const reader = await stream.follow({ name: 'trails', from: stream.end, apply: () => Promise.resolve() });

  function wake(): void {
    nudged = true;
    nudge.abort();
  }

  const stopListening = state.onChange((keys) => {
    const changed = new Set(keys.filter((key) => key.startsWith(trailsPrefix)));
    if (changed.size === 0) return;
    for (const runner of runners.values()) {
      const { accountId, homeRegion, name } = runner.document.value;
      // Whoever changes a trail has perhaps mended what kept it from delivering.
      if (changed.has(trailKey(accountId, homeRegion, name))) runner.retryAt = 0;
    }
    if ([...runners.values()].some(({ failures }) => failures > 0)) wake();
  });

  /** Takes up trails that were created and drops those that are gone, and lets the journal go where nobody needs it. */
  async function refresh(): Promise<void> {
    const seen = Math.min(reader.applied, state.reader.applied);
    const documents = await state.list<DeliveryDocument>(deliveriesPrefix);
    const known = new Set(documents.map(({ key }) => key));
    for (const [key, runner] of runners) if (!known.has(key) && !runner.busy) runners.delete(key);
    for (const document of documents) {
      const runner = runners.get(document.key);
      if (!runner) runners.set(document.key, openRunner(document));
      else if (!runner.busy && runner.document.version !== document.version) reload(runner, document);
    }
    for (const ended of await readEndedTrails(state)) {
      const runner = runners.get(deliveryKey(trailId(ended.value)));
      if (runner) runner.ended ??= trailEnd(ended);
    }
    const safe = Math.min(seen, ...documents.map(positionOf));
    if (safe <= checkpointed) return;
    await reader.checkpoint(sequence(safe));
    checkpointed = safe;
  }

  function keptBytes(): number {
    let bytes = 0;
    for (const { bodies } of runners.values()) for (const body of bodies ?? []) bytes += body.length;
    return bytes;
  }

  function fail(runner: TrailRunner, code: string, error: unknown): void {
    const retryInMs = backOff(runner, clock, random);
    if (runner.alerted === code) return;
    runner.alerted = code;
    const { bucket } = runner.document.value.plan ?? {};
    log.error(
      { trail: runner.arn, bucket, code, err: error, retryInMs },
      'log files cannot be delivered; the journal keeps the events and delivery is tried again',
    );
  }

  function recover(runner: TrailRunner): void {
    if (runner.alerted !== undefined) log.warn({ trail: runner.arn }, 'log files are delivered again');
    runner.alerted = undefined;
    runner.failures = 0;
  }

  async function giveUp(runner: TrailRunner, code: string): Promise<void> {
    const { plan, position } = runner.document.value;
    log.error(
      { trail: runner.arn, bucket: plan?.bucket, code, from: position, to: runner.ended?.at },
      'what a deleted trail logged cannot be delivered and is given up; the event history has the events',
    );
    await commitEnd(state, runner);
  }

  async function attempt(runner: TrailRunner): Promise<void> {
    const outcome = await deliverPlan(parts, runner);
    if (outcome.kind === 'failed') {
      if (isHopeless(runner, outcome.code, clock.now())) return giveUp(runner, outcome.code);
      fail(runner, outcome.code, outcome.message);
      if (keptBytes() > mostKeptBytes) runner.bodies = undefined;
      return;
    }
    runner.bodies = undefined;
    if (outcome.kind === 'gone') return;
    if (runner.failures > 0) runner.behind = true;
    recover(runner);
  }

  /** Moves a trail on behind what was collected: at once when it logs nothing of it, else by delivering it. */
  async function take(runner: TrailRunner, collected: Collected): Promise<void> {
    if (collected.files.length > 0) {
      if (!(await commitPlan(parts, runner, collected))) return;
      runner.bodies = collected.files.map(({ body }) => body);
      await attempt(runner);
      return;
    }
    runner.position = collected.to;
    runner.logging = collected.logging;
    recover(runner);
    if (runner.position - positionOf(runner.document) < positionEntries) return;
    const { position, logging } = runner;
    await commitDelivery(state, runner, ({ document }) => ({ ...document, position, logging }));
  }

  /** Runs a trail's work. Whatever goes wrong is tried again. */
  async function work(runner: TrailRunner, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!stop.signal.aborted) fail(runner, 'InternalError', error);
    } finally {
      runner.busy = undefined;
      if (runner.behind) wake();
    }
  }

  async function pass(group: readonly TrailRunner[]): Promise<void> {
    const { end } = stream;
    const trails = group.map(({ document: { value }, position, logging }) => ({
      ...value,
      position,
      logging,
    }));
    const collected = await collectFiles(trails, { ...parts, mostBytes, mostFiles });
    await Promise.all(
      group.map((runner, place) => {
        const own = collected[place];
        runner.behind = own !== undefined && own.to < end;
        return work(runner, () => (own ? take(runner, own) : Promise.resolve()));
      }),
    );
  }

  function launch(group: readonly TrailRunner[], run: () => Promise<void>): void {
    const busy = {};
    for (const runner of group) runner.busy = busy;
    // A trail whose part of a pass has ended may be at its next one by the time that the slowest of them has.
    const ours = () => group.filter((runner) => runner.busy === busy);
    const done = run()
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        for (const runner of ours()) fail(runner, 'InternalError', error);
      })
      .finally(() => {
        for (const runner of ours()) runner.busy = undefined;
        running.delete(done);
      });
    running.add(done);
  }

  function launchBehind(runner: TrailRunner): void {
    if (behindNow >= passesBehind) {
      // It is its turn when one of the others has ended, which wakes the rounds.
      runner.behind = true;
      if (runner.failures > 0) runner.retryAt = clock.monotonic() + laneWaitMs;
      return;
    }
    behindNow++;
    launch([runner], async () => {
      try {
        await pass([runner]);
      } finally {
        behindNow--;
        wake();
      }
    });
  }

  /** Starts what is due. What finds no room now is due the next time. */
  function start(due: readonly TrailRunner[]): void {
    const fresh: TrailRunner[] = [];
    for (const runner of due) {
      runner.behind = false;
      if (runner.document.value.plan) launch([runner], () => work(runner, () => attempt(runner)));
      else if (runner.ended && runner.position >= runner.ended.at)
        launch([runner], () => work(runner, () => commitEnd(state, runner)));
      else if (runner.position < stream.end) fresh.push(runner);
      else recover(runner);
    }
    const front = Math.max(...[...runners.values()].map(({ position }) => position));
    const inStep = fresh.filter(({ position }) => front - position <= inStepEntries);
    if (inStep.length > 0) launch(inStep, () => pass(inStep));
    for (const runner of fresh) if (!inStep.includes(runner)) launchBehind(runner);
  }

  const idle = () =>
    [...runners.values()].filter(({ busy, retryAt }) => !busy && retryAt <= clock.monotonic());

  async function sleepUntil(at: number): Promise<void> {
    if (nudged) return;
    nudge = new AbortController();
    const either = AbortSignal.any([stop.signal, nudge.signal]);
    await clock.sleep(Math.max(0, at - clock.monotonic()), either).catch(() => {});
  }

  async function rounds(): Promise<void> {
    const everyMs = options.everySeconds * 1000;
    let next = clock.monotonic();
    while (!stop.signal.aborted) {
      const retries = [...runners.values()].filter(({ failures, busy }) => failures > 0 && !busy);
      await sleepUntil(Math.min(next, ...retries.map(({ retryAt }) => retryAt)));
      if (stop.signal.aborted) return;
      nudged = false;
      const isTime = clock.monotonic() >= next;
      if (isTime) next = clock.monotonic() + everyMs;
      try {
        await refresh();
        start(idle().filter(({ behind, failures }) => isTime || behind || failures > 0));
      } catch (error) {
        log.error({ err: error }, 'a round of delivery failed; it is tried again');
      }
    }
  }
  const looping = rounds();

  async function settle(): Promise<void> {
    const target = stream.end;
    await Promise.all(running);
    await refresh();
    for (const runner of runners.values()) runner.retryAt = 0;
    const failuresBefore = new Map([...runners].map(([key, { failures }]) => [key, failures]));
    for (;;) {
      const due = [...runners.values()].filter(
        (runner) =>
          !runner.busy &&
          runner.failures <= (failuresBefore.get(runner.document.key) ?? 0) &&
          (runner.position < target ||
            runner.document.value.plan !== undefined ||
            runner.ended !== undefined),
      );
      if (due.length === 0 && running.size === 0) return;
      start(due);
      await Promise.all(running);
      await refresh();
    }
  }

  return {
    settle,
    progress: {
      name: 'trails',
      get applied() {
        return sequence(Math.min(reader.applied, ...[...runners.values()].map(({ position }) => position)));
      },
      get lag() {
        return Math.max(0, stream.end - this.applied);
      },
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('delivery is closed'));
      stopListening();
      await looping;
      await Promise.all(running);
      await reader[Symbol.asyncDispose]();
    },
  };
}
