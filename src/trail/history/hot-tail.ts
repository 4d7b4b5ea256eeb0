import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../../kernel/index.ts';
import { holdsRecord, type JournalEntry } from '../../journal/index.ts';
import type { CountedBy } from './history-types.ts';
import type { CountSource } from './count-events.ts';
import { hash32 } from './event-order.ts';
import type { EventSource } from './event-source.ts';
import { keyOf, scanEntry, scansOf } from './packed-scans.ts';
import type { ScannedRecord } from './scanned-record.ts';
import type { SegmentKeeper } from './segment-keeper.ts';
import type { SegmentList } from './segment-list.ts';
import { positionInSegment } from './segment-source.ts';
import { SegmentDamage } from './segment-format.ts';
import { openTail, type Tail } from './tail.ts';
import { openTailOrder, sourceOfTail } from './tail-source.ts';
import { valuesOfTail, type ValueNumbers } from './value-numbers.ts';

/** The newest events in memory: one tail that takes new events, and behind it the one that is just being sealed. */
export interface HotTail {
  apply(entries: readonly JournalEntry[]): Promise<{ readonly added: number; readonly duplicates: number }>;
  /** Seals everything that was applied. Rejects when that fails; nothing is lost then, and it can be tried again. */
  flush(): Promise<void>;
  /**
   * Before the history is closed: seals what would take the next start noticeable time to read again, and waits for what
   * is being sealed. Never rejects: what is not sealed is in the journal.
   */
  close(): Promise<void>;
  /** The tails as they stand now. */
  sources(): readonly EventSource[];
  countSources(): readonly ((values: ReadonlyMap<CountedBy, ValueNumbers>) => CountSource)[];
}

interface OrderedTail {
  readonly tail: Tail;
  readonly order: () => Int32Array;
}

/** A tail that no longer takes events, until its segment is there. */
interface Sealing extends OrderedTail {
  /** Everything before this sequence is in it or in the segments. */
  readonly durable: number;
  /** Settles with how the last attempt went. */
  attempt: Promise<{ readonly error: unknown } | undefined>;
}

/** What tells one event from another. */
type EventKey = Pick<ScannedRecord, 'eventId' | 'accountId'>;

/** Fewer events are read again in no time, and would make a segment of their own at every stop. */
const worthSealing = 1024;

/** Entries after which applying lets others run: a few milliseconds. */
const sliceEntries = 512;

export function openHotTail(options: {
  readonly list: SegmentList;
  readonly keeper: SegmentKeeper;
  readonly log: Logger;
  readonly mostEvents: number;
  readonly mostBytes: number;
}): HotTail {
  const { list, keeper, log, mostEvents, mostBytes } = options;
  const openOrdered = (): OrderedTail => {
    const tail = openTail(mostEvents);
    return { tail, order: openTailOrder(tail) };
  };
  let current = openOrdered();
  let sealing: Sealing | undefined;
  /** Everything before this sequence was applied. */
  let applied: number = list.manifest.durable;

  const attempt = async (tail: Tail, durable: number): Promise<{ readonly error: unknown } | undefined> => {
    try {
      await keeper.seal(tail, durable, () => {
        sealing = undefined;
      });
      return undefined;
    } catch (error) {
      log.error(
        { err: error },
        'sealing events into a segment failed; they stay in the journal and in memory',
      );
      return { error };
    }
  };
  /** Waits until nothing is being sealed. A seal that failed before is tried again once. */
  const sealed = async (): Promise<void> => {
    if (!sealing) return;
    if (!(await sealing.attempt) || !sealing) return;
    sealing.attempt = attempt(sealing.tail, sealing.durable);
    const failure = await sealing.attempt;
    if (failure) throw failure.error;
  };
  const rotate = async (): Promise<void> => {
    await sealed();
    const durable = applied;
    sealing = { ...current, durable, attempt: Promise.resolve(undefined) };
    sealing.attempt = attempt(current.tail, durable);
    current = openOrdered();
  };

  const isKnown = ({ eventId, accountId }: EventKey): boolean => {
    if (current.tail.has(eventId, accountId) || sealing?.tail.has(eventId, accountId)) return true;
    const idHash = hash32(eventId);
    for (const listed of list.segments) {
      for (const doc of listed.candidates(idHash)) {
        const other = positionInSegment(listed.segment, doc);
        if (other.eventId === eventId && other.accountId === accountId) return true;
      }
    }
    return false;
  };
  const isKnownAfterRepair = async (record: EventKey): Promise<boolean> => {
    for (;;) {
      try {
        return isKnown(record);
      } catch (error) {
        if (!(error instanceof SegmentDamage)) throw error;
        await keeper.repair(error);
      }
    }
  };

  const isFull = (sizeBytes: number): boolean => {
    const { tail } = current;
    return tail.count >= mostEvents || (tail.count > 0 && tail.sizeBytes + sizeBytes > mostBytes);
  };

  /**
   * Takes a record in whose scan was handed along; undefined where something must be waited for, and nothing was done.
   * Nearly all of an import's and of PutAuditEvents' records are taken so, without a promise for each.
   */
  const takeAtOnce = ({ payload, note }: JournalEntry): boolean | undefined => {
    const packed = scansOf(note);
    if (!packed) return undefined;
    try {
      if (isKnown(keyOf(packed.scans, packed.index))) return false;
    } catch {
      return undefined;
    }
    if (isFull(payload.length)) return undefined;
    current.tail.addPacked(payload, packed.scans, packed.index);
    return true;
  };

  /** Makes room for an event in the tail; false when the event is there already. */
  const makeRoom = async (key: EventKey, sizeBytes: number): Promise<boolean> => {
    let known: boolean;
    try {
      known = isKnown(key);
    } catch {
      known = await isKnownAfterRepair(key);
    }
    if (known) return false;
    if (isFull(sizeBytes)) await rotate();
    return true;
  };

  /** Takes one record in; false when its event is there already, undefined when it is none. */
  const take = async (entry: JournalEntry): Promise<boolean | undefined> => {
    const raw = entry.payload;
    const packed = scansOf(entry.note);
    if (packed) {
      const { scans, index } = packed;
      if (!(await makeRoom(keyOf(scans, index), raw.length))) return false;
      current.tail.addPacked(raw, scans, index);
      return true;
    }
    const scan = scanEntry(entry);
    if (scan.kind === 'problem') {
      log.warn({ sequence: entry.sequence, problem: scan.problem }, 'record not taken into the history');
      return undefined;
    }
    if (!(await makeRoom(scan.record, raw.length))) return false;
    current.tail.add(raw, scan.record);
    return true;
  };

  return {
    async apply(entries) {
      let [added, duplicates, sinceLast] = [0, 0, 0];
      for (const entry of entries) {
        const taken = holdsRecord(entry) ? (takeAtOnce(entry) ?? (await take(entry))) : undefined;
        if (taken === true) added += 1;
        if (taken === false) duplicates += 1;
        applied = Math.max(applied, entry.sequence + 1);
        sinceLast += 1;
        if (sinceLast < sliceEntries) continue;
        sinceLast = 0;
        await nextTurn();
      }
      return { added, duplicates };
    },
    async flush() {
      if (current.tail.count > 0) await rotate();
      await sealed();
      if (applied > list.manifest.durable) {
        await list.change({ gone: [], files: [], manifest: { durable: applied } });
      }
    },
    async close() {
      if (current.tail.count >= worthSealing) await rotate().catch(() => undefined);
      await sealing?.attempt;
    },
    sources: () =>
      [current, ...(sealing ? [sealing] : [])].map(({ tail, order }) => sourceOfTail(tail, order())),
    countSources: () =>
      [current, ...(sealing ? [sealing] : [])].map(({ tail, order }) => {
        const now = order();
        return (values: ReadonlyMap<CountedBy, ValueNumbers>): CountSource => ({
          ...sourceOfTail(tail, now),
          valuesOf: (attribute) => valuesOfTail(tail, now, attribute, values.get(attribute) as ValueNumbers),
        });
      }),
  };
}
