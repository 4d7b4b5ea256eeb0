import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../../kernel/index.ts';
import type { EventPage, FoundEvent } from './history-types.ts';
import { comparePositions, writeToken, type EventPosition } from './event-order.ts';
import { matchesIn, type EventQuery, type Matches, type WorkMeter } from './event-query.ts';
import { firstAtMost, type EventSource } from './event-source.ts';
import type { ScannedRecord } from './scanned-record.ts';

/** Work units after which a search lets others run: about five milliseconds. */
const sliceWork = 5000;

/** Documents that are looked through between two looks at the meter, and what that may have cost. */
const sliceDocs = 16_384;
const sliceDocWork = 500;

/** The first document behind `after`: a search by halves, by time and among equal times by the records themselves. */
function firstBehind(source: EventSource, after: EventPosition): number {
  let low = firstAtMost(source, after.eventTime);
  let high = firstAtMost(source, after.eventTime - 1);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePositions(source.positionAt(middle), after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Walks the matches of one source. `doc` is the current match, or the number of documents when there are no more. */
interface Walk {
  readonly source: EventSource;
  readonly matches: Matches;
  doc: number;
  /** The next document to look at; behind `doc` when that is a match. */
  target: number;
  position: EventPosition | ScannedRecord | undefined;
}

/** Moves to the next match; false when the slice is used up before one was found. */
function advance(walk: Walk, meter: WorkMeter): boolean {
  const { documents } = walk.source;
  const { cursor, accepts } = walk.matches;
  while (walk.target < documents) {
    const limit = Math.min(documents, walk.target + sliceDocs);
    const doc = cursor.seek(walk.target, limit);
    meter.spent += 1;
    if (doc >= documents) break;
    if (doc >= limit) {
      // Nothing so far; the work of finding that out is not known exactly, but it is bounded.
      walk.target = doc;
      meter.spent += sliceDocWork;
      if (meter.spent > sliceWork) return false;
      continue;
    }
    walk.target = doc + 1;
    if (!accepts || accepts(doc, meter)) {
      walk.doc = doc;
      walk.position = undefined;
      return true;
    }
    if (meter.spent > sliceWork) return false;
  }
  walk.doc = documents;
  return true;
}

function positionOf(walk: Walk): EventPosition | ScannedRecord {
  walk.position ??= walk.source.positionAt(walk.doc);
  return walk.position;
}

/** Of the walks with a match, the one whose match comes first. */
function firstOf(walks: readonly Walk[]): Walk | undefined {
  let first: Walk | undefined;
  let firstTime = -Infinity;
  for (const walk of walks) {
    const time = walk.source.timeAt(walk.doc);
    const comesFirst =
      !first ||
      time > firstTime ||
      (time === firstTime && comparePositions(positionOf(walk), positionOf(first)) < 0);
    if (comesFirst) {
      first = walk;
      firstTime = time;
    }
  }
  return first;
}

/**
 * Finds a page of events, newest first, over all sources. A source is opened only when its newest event could be next,
 * so a page of recent events touches few of them.
 */
export async function searchEvents(
  sources: readonly EventSource[],
  query: EventQuery,
  page: { readonly limit: number; readonly after: EventPosition | undefined },
  signal: AbortSignal | undefined,
): Promise<EventPage> {
  const { after, limit } = page;
  const bound = Math.min(query.to, after?.eventTime ?? Infinity);
  const waiting = sources
    .filter((source) => source.documents > 0 && source.oldest <= bound && source.newest >= query.from)
    .toSorted((one, other) => one.newest - other.newest);
  const meter: WorkMeter = { spent: 0 };
  let walks: Walk[] = [];

  const pause = async (): Promise<void> => {
    await nextTurn();
    signal?.throwIfAborted();
    meter.spent = 0;
  };
  const step = async (walk: Walk): Promise<void> => {
    while (!advance(walk, meter)) await pause();
    if (walk.doc >= walk.source.documents) walks = walks.filter((other) => other !== walk);
    if (meter.spent > sliceWork) await pause();
  };
  const open = async (source: EventSource): Promise<void> => {
    const start = after ? firstBehind(source, after) : 0;
    const walk: Walk = {
      source,
      matches: matchesIn(source, query, start),
      doc: -1,
      target: start,
      position: undefined,
    };
    walks.push(walk);
    meter.spent += 20;
    await step(walk);
  };
  const next = async (): Promise<Walk | undefined> => {
    for (;;) {
      const first = firstOf(walks);
      const newest = waiting.at(-1);
      const couldBeNext =
        newest && (!first || Math.min(newest.newest, bound) >= first.source.timeAt(first.doc));
      if (!couldBeNext) return first;
      waiting.pop();
      await open(newest);
    }
  };

  signal?.throwIfAborted();
  const events: FoundEvent[] = [];
  let last: EventPosition | ScannedRecord | undefined;
  let bytes = 0;
  for (;;) {
    const walk = await next();
    if (!walk) return { events };
    if (events.length === limit || bytes >= limits.searchPageBytes)
      return last ? { events, next: writeToken(last) } : { events };
    last = positionOf(walk);
    // A copy: the source's bytes belong to a whole block, or to the tail.
    const raw = Uint8Array.from(walk.source.raw(walk.doc));
    bytes += raw.length;
    const scanned = 'resources' in last ? last : undefined;
    events.push({ eventId: last.eventId, eventTime: last.eventTime, raw, scanned });
    meter.spent += 30;
    await step(walk);
  }
}
