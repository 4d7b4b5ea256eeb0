import { sequence, type Clock, type Logger, type Random, type Timer } from '../../kernel/index.ts';
import {
  holdsRecord,
  type JournalEntry,
  type Reader,
  type ReaderOptions,
  type Stream,
} from '../../journal/index.ts';
import type { Change, State } from '../../state/index.ts';
import type { HttpRoute, Operations } from '../../wire/index.ts';
import { scanEntry, type History } from '../history/index.ts';
import { insightOperations } from './api.ts';
import { listInsightsOperations } from './list-insights-operations.ts';
import { countedRecord, isNotedAsNothing } from './counted-record.ts';
import { insightIds, insightRecord } from './insight-record.ts';
import { insightRoutes } from './insight-routes.ts';
import type { InsightFinding, InsightReceiver } from './insight-types.ts';
import { announce, countEvent, newRateEngine, passTime } from './rate-engine.ts';
import { readSnapshot, writeSnapshot, type Snapshot } from './snapshot-file.ts';
import { insightReceivers } from './subscriptions.ts';

const tickMs = 60_000;
/** Minutes from one snapshot to the next; what was counted since is counted again after a crash. */
const snapshotTicks = 10;

export interface InsightsOptions {
  readonly state: State;
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  readonly history: Pick<History, 'stream' | 'search' | 'count'>;
  /** Where the counts are kept. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The account whose principals see all accounts. */
  readonly managementAccountId: string;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** Insights, at work. Close it before the history, the state and the journal. */
export interface Insights extends AsyncDisposable {
  /** Operations of `cloudtrail`. */
  readonly operations: Operations<Change>;
  readonly routes: readonly HttpRoute[];
  readonly reader: Reader;
  /** Resolves once everything in the journal is counted, and everything that is over by now is judged and appended. */
  settle(): Promise<void>;
}

/** An insight that is found and not yet in the journal. */
interface Outgoing {
  readonly finding: InsightFinding;
  /** The journal holds it from before a crash, and all of it: its records were appended together. */
  isThere: boolean;
}

/** Whom an Insights event of the journal is for. */
function receiverOf(raw: Uint8Array): InsightReceiver {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString();
  const { insightSource } = JSON.parse(text) as { readonly insightSource?: unknown };
  return typeof insightSource === 'string' ? insightSource : 'trails';
}

async function loadSnapshot({ directory, random, stream, log }: InsightsOptions): Promise<Snapshot> {
  const fresh = async (): Promise<Snapshot> => {
    const made = { engine: newRateEngine(0), counted: stream.start, secret: random.bytes(32) };
    // The secret must be there before the first id is made with it.
    await writeSnapshot(directory, made);
    return made;
  };
  try {
    const found = await readSnapshot(directory);
    // What the journal let go of in between was counted by nobody, which costs the baseline and no more.
    return found ? { ...found, counted: Math.max(found.counted, stream.start) } : fresh();
  } catch (error) {
    log.error({ err: error }, 'the counts of insights cannot be read; their baselines begin anew');
    return fresh();
  }
}

/**
 * Opens insights: a reader of the journal that counts calls and errors by the minute, judges each minute when it is over
 * by the journal's own time, and appends Insights events. What it finds depends on the journal alone; so after a crash it
 * finds the same again, and appends what the journal does not hold already.
 */
export async function openInsights(options: InsightsOptions): Promise<Insights> {
  const { state, stream, clock, directory } = options;
  const log = options.log.child({ part: 'insights' });
  const { engine, secret, ...loaded } = await loadSnapshot({ ...options, log });
  /** Everything before it has been counted. */
  let counted: number = loaded.counted;
  const caughtUpAt = stream.end;
  let outgoing: Outgoing[] = [];
  let serial: Promise<unknown> = Promise.resolve();
  let timer: Timer | undefined;
  let closed = false;
  let ticks = 0;
  let uncountedTold = engine.uncounted;

  /** One piece of work at a time. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = serial.then(work);
    serial = done.catch(() => undefined);
    return done;
  };

  const pass = (timeMs: number) => {
    for (const finding of passTime(engine, timeMs)) outgoing.push({ finding, isThere: false });
  };

  const send = async (): Promise<void> => {
    if (outgoing.length === 0 || counted < caughtUpAt) return;
    const receiversOf = await insightReceivers(state, clock.now());
    const wanted: { readonly finding: InsightFinding; readonly receivers: readonly InsightReceiver[] }[] = [];
    const begun = new Map<string, readonly InsightReceiver[]>();
    for (const { finding, isThere } of outgoing) {
      if (isThere) continue;
      const { sharedEventId } = insightIds(secret, finding, 'trails');
      const isStart = finding.state === 'Start';
      // An end goes with its start, whoever has turned insights on or off in between.
      const receivers = isStart
        ? receiversOf(finding.subject)
        : [...new Set([...finding.announcedTo, ...(begun.get(sharedEventId) ?? [])])];
      if (isStart) begun.set(sharedEventId, receivers);
      if (receivers.length > 0) wanted.push({ finding, receivers });
    }
    if (wanted.length > 0) {
      await stream.append(
        wanted.flatMap(({ finding, receivers }) =>
          receivers.map((receiver) => ({
            kind: 'record' as const,
            payload: insightRecord(finding, secret, receiver),
          })),
        ),
      );
      for (const { finding, receivers } of wanted) {
        announce(engine, finding, receivers);
        const { subject, trigger, observed, expected, threshold } = finding;
        log.warn({ ...subject, state: finding.state, trigger, observed, expected, threshold }, 'insight');
      }
    }
    outgoing = [];
  };

  const countEntry = (entry: JournalEntry): void => {
    pass(entry.time);
    if (!holdsRecord(entry) || isNotedAsNothing(entry.note)) return;
    const scan = scanEntry(entry);
    if (scan.kind !== 'record') return;
    if (scan.record.eventCategory === 'Insight') {
      const receiver = receiverOf(entry.payload);
      const found = outgoing.find(
        ({ finding }) => insightIds(secret, finding, receiver).eventId === scan.record.eventId,
      );
      if (!found) return;
      announce(engine, found.finding, [receiver]);
      found.isThere = true;
      return;
    }
    const event = countedRecord(entry.payload, scan);
    if (event) countEvent(engine, event);
  };

  const reader = await stream.follow({
    name: 'insights',
    from: sequence(counted),
    ...(options.onDamage && { onDamage: options.onDamage }),
    apply: (entries) =>
      alone(async () => {
        for (const entry of entries) {
          // Counted before a failure to append: it must not be counted twice.
          if (entry.sequence < counted) continue;
          countEntry(entry);
          counted = entry.sequence + 1;
        }
        await send();
      }),
  });

  const save = async (): Promise<void> => {
    // What could not be appended yet is found again from an earlier snapshot, and from a later one it would not.
    if (outgoing.length > 0) return;
    await writeSnapshot(directory, { engine, counted, secret });
    await reader.checkpoint(sequence(Math.min(counted, reader.applied)));
  };

  /** Judges the minutes that are over now, also when nothing happens any more. */
  const judge = async (): Promise<void> => {
    const { end } = stream;
    const now = clock.now();
    await reader.reached(end);
    await alone(async () => {
      counted = Math.max(counted, end);
      pass(now);
      await send();
    });
  };

  const tick = async (): Promise<void> => {
    try {
      await judge();
      ticks += 1;
      if (ticks % snapshotTicks === 0) await alone(save);
      if (engine.uncounted > uncountedTold) {
        log.warn(
          { events: engine.uncounted - uncountedTold },
          'events were not counted for insights: there are too many different APIs and errors',
        );
        uncountedTold = engine.uncounted;
      }
    } catch (error) {
      if (!closed)
        log.error({ err: error }, 'minutes could not be judged for insights; it is tried again in a minute');
    }
    if (!closed) timer = clock.after(tickMs, () => void tick());
  };
  timer = clock.after(tickMs, () => void tick());

  return {
    operations: { ...insightOperations(stream), ...listInsightsOperations(options) },
    routes: insightRoutes(options),
    reader,
    settle: judge,
    async [Symbol.asyncDispose]() {
      closed = true;
      timer?.cancel();
      await alone(save).catch((error: unknown) =>
        log.error({ err: error }, 'the counts of insights were not saved'),
      );
      await reader[Symbol.asyncDispose]();
    },
  };
}
