import { sequence, type Logger, type Sequence } from '../../kernel/index.ts';
import { holdsRecord, type JournalEntry, type Stream } from '../../journal/index.ts';
import type { Collecting } from './collect-in-place.ts';
import type { Collected, CollectBounds, CollectingTrail, PassProgress } from './collect-pass.ts';
import { openTrailChanges, type TrailChange } from './trail-changes.ts';

export interface CollectOptions extends CollectBounds {
  readonly stream: Pick<Stream, 'read' | 'start' | 'end'>;
  readonly collecting: Collecting;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Where to end; by default where the journal ends, or where enough is collected. */
  readonly until?: number;
}

/** A pass that begins where the first of its trails logs, so that there is none while nobody does. */
interface Feed extends Disposable {
  /** Gives what concerns trails to the pass; undefined when nothing does. */
  add(entries: readonly JournalEntry[]): Promise<PassProgress> | undefined;
  finish(to: Sequence): Promise<readonly Collected[]>;
}

function openFeed(trails: readonly CollectingTrail[], { collecting, ...options }: CollectOptions): Feed {
  const { stream, mostBytes, mostFiles } = options;
  const settings = openTrailChanges(trails);
  const openAt = (logging: readonly CollectingTrail['logging'][], at: number) => {
    const there = trails.map((trail, place) => ({ ...trail, logging: logging[place] ?? trail.logging }));
    return collecting.open(there, { mostBytes, mostFiles }, stream.end - at);
  };
  const from = Math.min(...trails.map(({ position }) => position));
  let pass = settings.logging.some(({ isLogging }) => isLogging) ? openAt(settings.logging, from) : undefined;

  return {
    add(entries) {
      const records: JournalEntry[] = [];
      const changes: TrailChange[] = [];
      for (const entry of entries) {
        if (entry.kind === 'change') {
          const before = pass ? settings.logging : [...settings.logging];
          const changed = settings.of(entry);
          if (changed.some(({ logging }) => logging.isLogging)) pass ??= openAt(before, entry.sequence);
          if (pass) changes.push(...changed);
        } else if (pass && holdsRecord(entry) && entry.kind !== 'imported') {
          records.push(entry);
        }
      }
      return records.length + changes.length > 0 ? pass?.add(records, changes) : undefined;
    },
    async finish(to) {
      if (pass) return pass.finish(to);
      return trails.map(({ position }, place) => ({
        to: sequence(Math.max(to, position)),
        logging: settings.logging[place] as CollectingTrail['logging'],
        files: [],
      }));
    },
    [Symbol.dispose]: () => pass?.discard(),
  };
}

function report(log: Logger, progress: PassProgress | undefined): Sequence | undefined {
  for (const { sequence: at, reason } of progress?.problems ?? [])
    log.error({ sequence: at, reason }, 'a record of the journal cannot be delivered to trails');
  return progress?.full;
}

/**
 * Reads the journal into the feed until its end, `until`, or enough; the next stretch is read while the last one is worked
 * on. Returns where it ended. A change and its records are never parted, because a pass ends behind records only.
 */
async function readInto(feed: Feed, from: Sequence, options: CollectOptions): Promise<Sequence> {
  const { stream, signal, log, until = Infinity } = options;
  if (from < stream.start) {
    const lost = { from, until: stream.start };
    log.error(lost, 'the journal no longer holds entries that trails have not delivered');
  }
  let at = from;
  let adding: Promise<PassProgress> | undefined;
  for await (const { entries, damage } of stream.read(from)) {
    const full = report(log, await adding);
    if (full !== undefined) return full;
    adding = undefined;
    signal.throwIfAborted();
    for (const one of damage) log.error({ damage: one }, 'trails cannot be given what is damaged');
    const last = entries.at(-1);
    if (!last) continue;
    const isEnd = last.sequence >= until;
    adding = feed.add(isEnd ? entries.filter((entry) => entry.sequence < until) : entries);
    // It is waited for when the next stretch has been read, or its reading has failed.
    adding?.catch(() => {});
    at = sequence(last.sequence + 1);
    if (isEnd) break;
  }
  const full = report(log, await adding);
  signal.throwIfAborted();
  return full ?? (until === Infinity ? at : sequence(until));
}

/**
 * Collects what trails log, from the first of their positions on, in one pass over the journal: the files as they are to
 * be put. What comes out for a trail depends on the journal, its position, its settings there and the end alone, so it
 * comes out again after a crash. Memory is bounded by `mostBytes` and `mostFiles`.
 */
export async function collectFiles(
  trails: readonly CollectingTrail[],
  options: CollectOptions,
): Promise<readonly Collected[]> {
  using feed = openFeed(trails, options);
  const from = sequence(Math.min(...trails.map(({ position }) => position)));
  return await feed.finish(await readInto(feed, from, options));
}
