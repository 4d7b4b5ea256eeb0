import { mkdirSync, readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  assert,
  limits,
  sequence,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import type { CountedBy, EventFilter, History, HistoryStats } from './history-types.ts';
import { countEvents, type CountSource } from './count-events.ts';
import { openDictionaries } from './dictionaries.ts';
import { readToken } from './event-order.ts';
import { prepareQuery, type Cutoffs } from './event-query.ts';
import { openHotTail, type HotTail } from './hot-tail.ts';
import { ManifestDamage, manifestVersion, readManifest, writeManifest, type Manifest } from './manifest.ts';
import { openByteCache } from './page-cache.ts';
import { searchEvents } from './search-events.ts';
import { openSegmentKeeper, type HistoryDamage, type SegmentKeeper } from './segment-keeper.ts';
import { openSegmentList, type ListedSegment, type SegmentList } from './segment-list.ts';
import { sourceOfSegment } from './segment-source.ts';
import type { SegmentShare } from './segment.ts';
import { SegmentDamage } from './segment-format.ts';
import { termKey } from './term-hash.ts';
import { valuesOfSegment, type ValueNumbers } from './value-numbers.ts';
import { openWorkerTasks } from './worker-tasks.ts';

export interface HistoryOptions {
  /** The history's own directory; created if absent. Nobody else may have it open. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the secret key of a new history. */
  readonly random?: Random;
  /** Events and bytes that are kept in memory before they are sealed into a segment. */
  readonly tailEvents?: number;
  readonly tailBytes?: number;
  /** Distinct values of an attribute that a segment keeps as text; beyond it keeps their hashes. */
  readonly mostTextTerms?: number;
}

/** The history, with what the one who runs it wants to know beside. */
export interface OpenedHistory extends History {
  /** Damage found since the start. */
  readonly damage: readonly HistoryDamage[];
  /** Resolves when no merge of segments is running or due. */
  settled(): Promise<void>;
}

const dayMs = 86_400_000;
const defaultTextTerms = 4096;
/** Events of a stream that are found at a time. */
const streamPage = 500;
/** A query meets damage in at most this many segments before it gives up. */
const mostRepairs = 16;

/** The numbers in the names of a directory's files that match. */
function numbersIn(names: readonly string[], pattern: RegExp): readonly number[] {
  return names.map((name) => Number(pattern.exec(name)?.[1] ?? 0));
}

/**
 * A manifest for what lies in the directory: nothing, where the history is new. Segments without their manifest hold all their
 * records, so they are indexed anew with a new key, and the journal is read again from its start.
 */
function manifestOf(directory: string, random: Random): Manifest {
  const names = readdirSync(directory).toSorted();
  const segments = names.filter((name) => name.endsWith('.seg'));
  return {
    version: manifestVersion,
    hashKey: Buffer.from(random.bytes(24)).toString('base64'),
    durable: 0,
    nextFile: 1 + Math.max(0, ...numbersIn(segments, /^segment-(\d+)/)),
    dictionary: Math.max(0, ...numbersIn(names, /^dictionary-(\d+)\.zdict$/)),
    segments,
    ...(segments.length > 0 && { unindexed: segments }),
  };
}

async function loadManifest(directory: string, random: Random, log: Logger): Promise<Manifest> {
  let reason = 'it is missing';
  try {
    const known = readManifest(directory);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof ManifestDamage)) throw error;
    reason = error.message;
  }
  const fresh = manifestOf(directory, random);
  const { segments } = fresh;
  if (segments.length > 0)
    log.error(
      { directory, reason, segments: segments.length },
      'the manifest of the history cannot be read; its segments are indexed anew, which takes a while, and no event is lost',
    );
  await writeManifest(directory, fresh);
  return fresh;
}

/** Retention by account, in days. */
function openRetention(clock: Clock) {
  const days = new Map<string, number>();
  return {
    set(accountId: string, value: number | undefined): void {
      if (value === undefined) days.delete(accountId);
      else days.set(accountId, value);
    },
    cutoffs(now = clock.now()): Cutoffs {
      return new Map([...days].map(([account, value]) => [account, now - value * dayMs]));
    },
  };
}

/** Runs a query over segments; where it meets a damaged one, that is repaired and the query starts again. */
async function overSegments<T>(
  list: SegmentList,
  keeper: SegmentKeeper,
  query: (segments: readonly ListedSegment[]) => Promise<T>,
): Promise<T> {
  for (let repairs = 0; ; repairs += 1) {
    const held = list.acquire();
    let damage: SegmentDamage;
    try {
      return await query(held.segments);
    } catch (error) {
      if (!(error instanceof SegmentDamage) || repairs === mostRepairs) throw error;
      damage = error;
    } finally {
      held.release();
    }
    await keeper.repair(damage);
  }
}

function historyStats(list: SegmentList, hot: HotTail): HistoryStats {
  const sources = [...hot.sources(), ...list.segments.map(({ segment }) => sourceOfSegment(segment))].filter(
    (source) => source.documents > 0,
  );
  const span =
    sources.length === 0
      ? {}
      : {
          oldestEventTime: Math.min(...sources.map((source) => source.oldest)),
          newestEventTime: Math.max(...sources.map((source) => source.newest)),
        };
  return {
    events: sources.reduce((sum, source) => sum + source.documents, 0),
    segments: list.segments.length,
    sizeBytes: list.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ...span,
  };
}

/**
 * Opens the history in its directory. Follow the journal's `audit` stream from its `durable`. Repairs what a crash left
 * behind, and sets damaged segments aside after saving what can be read of them.
 */
export async function openHistory(options: HistoryOptions): Promise<OpenedHistory> {
  const { directory, clock, log } = options;
  mkdirSync(directory, { recursive: true });
  const manifest = await loadManifest(directory, options.random ?? systemRandom, log);
  const hashKey = termKey(manifest.hashKey);
  const share: SegmentShare = {
    pages: openByteCache(limits.historyPageCacheBytes),
    blocks: openByteCache(limits.historyBlockCacheBytes),
    tables: openByteCache(limits.historyTableCacheBytes),
    dictionaries: openDictionaries(directory),
    hashKey,
  };
  const list = openSegmentList(directory, manifest, share, log);
  const start = { directory, terms: { hashKey, mostTextTerms: options.mostTextTerms ?? defaultTextTerms } };
  const tasks = openWorkerTasks(start, clock);
  // A thread of their own, so that a long merge does not hold up the sealing that new events wait for.
  const merges = openWorkerTasks(start, clock);
  const retention = openRetention(clock);
  const keeper = openSegmentKeeper({ list, tasks, merges, log, cutoffs: () => retention.cutoffs() });
  for (const damage of list.broken) await keeper.repair(damage);
  const hot = openHotTail({
    list,
    keeper,
    log,
    mostEvents: options.tailEvents ?? limits.historyTailEvents,
    mostBytes: options.tailBytes ?? limits.historyTailBytes,
  });
  /** Applying, flushing and closing happen one after the other. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work, work);
    turn = done;
    return done;
  };
  const search: History['search'] = async (filter, page, signal) => {
    if (!(page.limit >= 1 && page.limit <= 1000))
      throw new RangeError(`limit ${page.limit} is outside 1..1000`);
    const after = page.after === undefined ? undefined : readToken(page.after);
    const query = prepareQuery(filter, retention.cutoffs());
    return overSegments(list, keeper, (segments) => {
      const sources = [...hot.sources(), ...segments.map(({ segment }) => sourceOfSegment(segment))];
      return searchEvents(sources, query, { limit: page.limit, after }, signal);
    });
  };
  const countSources = (segments: readonly ListedSegment[]) => [
    ...hot.countSources(),
    ...segments.map(({ segment }) => (values: ReadonlyMap<CountedBy, ValueNumbers>): CountSource => ({
      ...sourceOfSegment(segment),
      valuesOf: (attribute) =>
        valuesOfSegment(segment, attribute, values.get(attribute) as ValueNumbers, hashKey),
    })),
  ];
  return {
    get durable() {
      return sequence(list.manifest.durable);
    },
    damage: keeper.damage,
    settled: () => keeper.settled(),
    apply: (entries: readonly JournalEntry[]) => inTurn(() => hot.apply(entries)),
    search,
    async *stream(filter: EventFilter, signal?: AbortSignal) {
      let after: string | undefined;
      do {
        const page = await search(
          filter,
          { limit: streamPage, ...(after === undefined ? {} : { after }) },
          signal,
        );
        yield* page.events;
        after = page.next;
      } while (after !== undefined);
    },
    async count(filter, by, signal) {
      assert(by.attributes.length <= 3, 'a count is by three attributes at most');
      const query = prepareQuery(filter, retention.cutoffs());
      const groups = { attributes: by.attributes, bucketMs: by.bucketMs, limit: by.limit };
      return overSegments(list, keeper, (segments) =>
        countEvents(countSources(segments), query, groups, signal, hashKey),
      );
    },
    setRetention: (accountId, days) => retention.set(accountId, days),
    async expire(now) {
      const cutoffs = retention.cutoffs(now);
      if (cutoffs.size === 0) return { segmentsDropped: 0 };
      return { segmentsDropped: await overSegments(list, keeper, () => keeper.expire(cutoffs)) };
    },
    async stats() {
      await nextTurn();
      return historyStats(list, hot);
    },
    flush: () => inTurn(() => hot.flush()),
    async [Symbol.asyncDispose]() {
      keeper.stop();
      await merges[Symbol.asyncDispose]();
      await turn.catch(() => undefined);
      await hot.close();
      await tasks[Symbol.asyncDispose]();
      await list.close();
    },
  };
}
