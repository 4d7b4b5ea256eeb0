import { setImmediate as nextTurn } from 'node:timers/promises';
import { AwsFault, limits, type Clock, type Logger, type Timer } from '../../kernel/index.ts';
import type { Change, State } from '../../state/index.ts';
import { bucketsPrefix, readBucket, type BucketDocument } from './bucket-documents.ts';
import { planOf } from './lifecycle-plan.ts';
import { scanBucket, type LifecycleFinding } from './lifecycle-scan.ts';
import type { ObjectStore } from './object-store.ts';

const dayMs = 86_400_000;
/** The wall clock may jump, so midnight is looked for this often at the least. */
const lookEveryMs = 3_600_000;
const firstPauseMs = 60_000;
/** Buckets are read this many at a time. */
const bucketsAtOnce = 100;

/** Up to which midnight all lifecycles were carried out, under `s3/lifecycle`. */
interface LifecycleDocument {
  /** Epoch milliseconds. */
  readonly doneThrough: number;
}

const progressKey = 's3/lifecycle';

export interface LifecycleOptions {
  readonly state: State;
  readonly objects: Pick<ObjectStore, 'remove' | 'abandonUpload' | 'commit'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one bucket lost in a run. */
export interface LifecycleTally {
  expired: number;
  aborted: number;
  /** Due, and kept by retention or a legal hold. */
  protected: number;
}

/** Carries out the lifecycles of all buckets. */
export interface Lifecycle extends AsyncDisposable {
  /** Does what is due since the last midnight, if that has not been done; resolves when it is, or has failed and waits. */
  run(): Promise<void>;
}

type Due = Exclude<LifecycleFinding, { kind: 'nothing' | 'protected' }>;

/** The rules of the bucket were changed while they were carried out. */
const rulesChanged = Symbol('the rules changed');

/**
 * Opens the lifecycles: every midnight UTC everything that is due expires, in bounded steps, without an API call and its
 * record, and with one line of the log for each bucket. What was not done before a crash is done at the next start: a run
 * looks at what is there, so doing it twice changes nothing.
 */
export function openLifecycle(options: LifecycleOptions): Lifecycle {
  const { state, objects, clock } = options;
  const log = options.log.child({ part: 's3-lifecycle' });
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;
  let pauseMs = firstPauseMs;
  /** What is kept is written only where there is anything to carry out, so that an idle Cairn writes nothing. */
  let doneThrough = 0;
  let anyRules = false;

  /** Checks again what the scan found, because meanwhile it may have been replaced. */
  async function removeOne(change: Change, bucket: BucketDocument, due: Due): Promise<boolean> {
    const { value } = due.document;
    const now = await change.get<typeof value>(due.document.key);
    if (!now || now.version !== due.document.version) return false;
    const cause = { kind: 'lifecycle' } as const;
    if (due.kind === 'upload') await objects.abandonUpload(change, bucket.name, due.document.value);
    else if (due.kind === 'current') await objects.remove(change, bucket, value.key, { cause });
    else {
      const { versionId } = due.document.value;
      await objects.remove(change, bucket, value.key, { versionId, cause });
    }
    return true;
  }

  const commit = (name: string, lifecycle: string, batch: readonly Due[]): Promise<readonly boolean[]> =>
    objects.commit(async (change) => {
      const bucket = await readBucket(change, name);
      if (!bucket || JSON.stringify(bucket.lifecycle) !== lifecycle) throw rulesChanged;
      const done: boolean[] = [];
      for (const due of batch) done.push(await removeOne(change, bucket, due));
      return done;
    });

  /** Of a batch that is refused, each alone: one that was locked at the last moment keeps no other. */
  async function removeBatch(
    bucket: BucketDocument,
    batch: readonly Due[],
    tally: LifecycleTally,
  ): Promise<void> {
    const lifecycle = JSON.stringify(bucket.lifecycle);
    try {
      const done = await commit(bucket.name, lifecycle, batch);
      for (const [place, due] of batch.entries()) {
        if (done[place]) tally[due.kind === 'upload' ? 'aborted' : 'expired'] += 1;
      }
    } catch (error) {
      if (!(error instanceof AwsFault) || error.code !== 'AccessDenied') throw error;
      if (batch.length === 1) tally.protected += 1;
      else for (const due of batch) await removeBatch(bucket, [due], tally);
    }
  }

  async function runBucket(bucket: BucketDocument, midnight: number): Promise<void> {
    const plan = planOf(bucket);
    if (!plan) return;
    const tally: LifecycleTally = { expired: 0, aborted: 0, protected: 0 };
    let batch: Due[] = [];
    let seen = 0;
    for await (const finding of scanBucket(state, bucket.name, plan, midnight)) {
      if (closed) return;
      seen += 1;
      if (seen % limits.lifecycleTurnDocuments === 0) await nextTurn();
      if (finding.kind === 'nothing') continue;
      if (finding.kind === 'protected') tally.protected += 1;
      else batch.push(finding);
      if (batch.length < limits.lifecycleRemovedAtOnce) continue;
      await removeBatch(bucket, batch, tally);
      batch = [];
    }
    if (batch.length > 0) await removeBatch(bucket, batch, tally);
    if (tally.expired + tally.aborted + tally.protected === 0) return;
    const { expired, aborted } = tally;
    const about = { bucket: bucket.name, expired, abortedUploads: aborted, protected: tally.protected };
    log.info(about, 'the lifecycle of a bucket was carried out');
  }

  /** Whether everything that is due in the bucket is gone. */
  async function runNamed(name: string, midnight: number): Promise<boolean> {
    try {
      const bucket = await readBucket(state, name);
      if (bucket) await runBucket(bucket, midnight);
      return true;
    } catch (error) {
      if (error === rulesChanged) return runNamed(name, midnight);
      log.error(
        { err: error, bucket: name },
        'the lifecycle of a bucket could not be carried out; it is tried again',
      );
      return false;
    }
  }

  async function runAll(midnight: number): Promise<boolean> {
    let done = true;
    let after: string | undefined;
    for (;;) {
      if (closed) return false;
      const page = await state.list<BucketDocument>(bucketsPrefix, {
        limit: bucketsAtOnce,
        ...(after !== undefined && { after }),
      });
      for (const { value } of page) {
        if (!value.lifecycle) continue;
        anyRules = true;
        if (!(await runNamed(value.name, midnight))) done = false;
      }
      after = page.at(-1)?.key;
      if (after === undefined) return done;
    }
  }

  async function runOnce(): Promise<void> {
    if (closed) return;
    const midnight = Math.floor(clock.now() / dayMs) * dayMs;
    const progress = await state.get<LifecycleDocument>(progressKey);
    // A midnight of the future is one of a clock that was ahead: what falls due until then is not done by that.
    if (doneThrough === midnight || progress?.value.doneThrough === midnight) return;
    anyRules = false;
    if (!(await runAll(midnight))) throw new Error('not all lifecycles were carried out');
    doneThrough = midnight;
    if (!anyRules) return;
    await objects.commit((change) => {
      change.put(progressKey, { doneThrough: midnight } satisfies LifecycleDocument);
      return Promise.resolve();
    });
  }

  const schedule = (delayMs: number): void => {
    timer?.cancel();
    timer = clock.after(delayMs, () => void lifecycle.run());
  };

  const untilMidnight = (): number => Math.min(lookEveryMs, dayMs - (clock.now() % dayMs));

  const attempt = async (): Promise<void> => {
    try {
      await runOnce();
      pauseMs = firstPauseMs;
      if (!closed) schedule(untilMidnight());
    } catch (error) {
      if (closed) return;
      log.error({ err: error, againInMs: pauseMs }, 'lifecycles are carried out again after a pause');
      schedule(pauseMs);
      pauseMs = Math.min(lookEveryMs, pauseMs * 2);
    }
  };

  const lifecycle: Lifecycle = {
    run() {
      running = running.then(attempt);
      return running;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      timer?.cancel();
      await running;
    },
  };
  void lifecycle.run();
  return lifecycle;
}
