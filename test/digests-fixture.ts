import { masterKeyFrom } from '../src/identity/master-key.ts';
import { openJournal } from '../src/journal/index.ts';
import { AwsFault, manualClock, seededRandom, silentLog, type ManualClock } from '../src/kernel/index.ts';
import { openMemoryState, type Change, type State } from '../src/state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../src/store/memory/index.ts';
import type { FileToPut } from '../src/trail/buckets.ts';
import { deliveredKey, type DeliveredFile } from '../src/trail/delivery/delivered-file.ts';
import { trailId, trailKey, type TrailDocument } from '../src/trail/trails/trail-documents.ts';
import { openDigests, type Digests } from '../src/trail/digests/open-digests.ts';
import { sha256Hex } from '../src/trail/digests/digest-format.ts';

/** Digests over real parts in memory, the time turned by hand; buckets are a table that can be told to fail. */

export const hourMs = 3_600_000;
export const startMs = Date.UTC(2026, 10, 22, 10, 0, 0);
export const accountId = '111122223333';

export function trailNamed(name: string, over: Partial<TrailDocument> = {}): TrailDocument {
  return {
    name,
    arn: `arn:aws:cloudtrail:us-east-1:${accountId}:trail/${name}`,
    accountId,
    homeRegion: 'us-east-1',
    bucket: 'logs',
    includeGlobalServiceEvents: true,
    isMultiRegion: true,
    logFileValidation: true,
    isLogging: true,
    createdAt: startMs,
    startedAt: startMs,
    ...over,
  };
}

export interface DigestsFixture extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly state: State;
  /** What stands in buckets, by `bucket/key`. */
  readonly files: Map<string, FileToPut>;
  /** Every put that was asked for and did not fail, in order. */
  readonly puts: FileToPut[];
  /** Asked before and after each put; what it throws, the put throws. */
  failing: ((file: FileToPut, when: 'before' | 'after') => void) | undefined;
  readonly digests: Digests;
  change(work: (change: Change) => void | Promise<void>): Promise<void>;
  setTrail(trail: TrailDocument): Promise<void>;
  /** A log file was delivered now, or at `deliveredAt`. */
  deliver(trail: TrailDocument, over?: Partial<DeliveredFile>): Promise<DeliveredFile>;
  /** Turns the clock in steps, letting the digests catch up at each. */
  pass(ms: number, stepMs?: number): Promise<void>;
  /** As a crash and a start: the state and the buckets stay. */
  restart(): Promise<void>;
}

export async function openDigestsFixture(
  options: { readonly digestSeconds?: number; readonly keyRotationMs?: number } = {},
): Promise<DigestsFixture> {
  const clock = manualClock(startMs);
  const log = silentLog;
  const random = seededRandom(7);
  const masterKey = masterKeyFrom(random.bytes(32), random);
  await using opening = new AsyncDisposableStack();
  const journal = opening.use(
    await openJournal({ openLog: () => openMemoryLog(), openCursors: () => openMemoryCursors(), clock, log }),
  );
  const state = opening.use(await openMemoryState({ stream: journal.stream('audit'), clock, log }));
  const opened = opening.move();
  const files = new Map<string, FileToPut>();
  const puts: FileToPut[] = [];
  let sequence = 0;
  const open = () =>
    openDigests({
      state,
      buckets: {
        async put(file) {
          fixture.failing?.(file, 'before');
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
          files.set(`${file.bucket}/${file.key}`, file);
          puts.push(file);
          fixture.failing?.(file, 'after');
        },
      },
      masterKey,
      clock,
      log,
      digestSeconds: options.digestSeconds ?? 3600,
      ...(options.keyRotationMs !== undefined && { keyRotationMs: options.keyRotationMs }),
    });
  let digests: Digests | undefined;
  const fixture: DigestsFixture = {
    clock,
    state,
    files,
    puts,
    failing: undefined,
    get digests() {
      return (digests ??= open());
    },
    async change(work) {
      for (;;) {
        const change = state.begin();
        await work(change);
        if ((await state.commit(change, [])).kind === 'committed') return;
      }
    },
    setTrail: (trail) =>
      fixture.change((change) => change.put(trailKey(trail.accountId, trail.homeRegion, trail.name), trail)),
    async deliver(trail, over = {}) {
      const region = over.region ?? trail.homeRegion;
      const number = sequence++;
      const file: DeliveredFile = {
        trailArn: trail.arn,
        region,
        bucket: trail.bucket,
        key: `AWSLogs/${trail.accountId}/CloudTrail/${region}/file-${number}.json.gz`,
        sha256: sha256Hex(String(number)),
        oldestEventTime: clock.now() - 5000,
        newestEventTime: clock.now() - 1000,
        deliveredAt: clock.now(),
        ...over,
      };
      await fixture.change((change) => change.put(deliveredKey(trailId(trail), file, number, 0), file));
      return file;
    },
    async pass(ms, stepMs = ms) {
      await fixture.digests.settle();
      for (let passed = 0; passed < ms; passed += stepMs) {
        await clock.advance(Math.min(stepMs, ms - passed));
        await fixture.digests.settle();
      }
    },
    async restart() {
      await digests?.[Symbol.asyncDispose]();
      digests = open();
    },
    async [Symbol.asyncDispose]() {
      await digests?.[Symbol.asyncDispose]();
      await opened.disposeAsync();
    },
  };
  return fixture;
}

export function bucketDown(): never {
  throw new AwsFault('ServiceUnavailable', 'Please reduce your request rate.', { status: 503 });
}
