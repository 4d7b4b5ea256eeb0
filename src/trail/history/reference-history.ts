import { sequence, type Clock, type Logger } from '../../kernel/index.ts';
import { holdsRecord, type JournalEntry } from '../../journal/index.ts';
import type {
  CountedBy,
  EventFilter,
  EventPage,
  FoundEvent,
  History,
  HistoryStats,
} from './history-types.ts';
import { isInRange, parseAddressRange } from './address-range.ts';
import { compareCounts } from './count-order.ts';
import { comparePositions, readToken, writeToken } from './event-order.ts';
import { valuesAt } from './record-path.ts';
import { attributeValues, type ScannedRecord } from './scanned-record.ts';
import { scanRecord } from './scan-record.ts';

interface KeptEvent extends ScannedRecord {
  readonly raw: Uint8Array;
}

const dayMs = 86_400_000;

function matches(event: KeptEvent, filter: EventFilter): boolean {
  if (event.eventTime < (filter.from ?? -Infinity) || event.eventTime > (filter.to ?? Infinity)) return false;
  for (const condition of filter.attributes ?? []) {
    const has = attributeValues(event, condition.name).some((value) => condition.values.includes(value));
    if (has === (condition.not ?? false)) return false;
  }
  if (filter.sourceCidr !== undefined) {
    const range = parseAddressRange(filter.sourceCidr);
    if (event.sourceIpAddress === undefined || !isInRange(event.sourceIpAddress, range)) return false;
  }
  return filter.text === undefined || Buffer.from(event.raw).includes(filter.text);
}

function combinations(event: KeptEvent, keys: readonly CountedBy[]): readonly (readonly (string | null)[])[] {
  let rows: readonly (readonly (string | null)[])[] = [[]];
  for (const key of keys) {
    const values =
      typeof key === 'string'
        ? attributeValues(event, key)
        : [...valuesAt(JSON.parse(Buffer.from(event.raw).toString()), key.path)];
    const choices = values.length === 0 ? [null] : values;
    rows = rows.flatMap((row) => choices.map((value) => [...row, value]));
  }
  return rows;
}

/**
 * The history as it is meant, in memory and without an index: the model that the real one is tested against. It
 * follows the whole contract but durability: after a restart it is filled again from the journal.
 */
export function openReferenceHistory(options: { readonly clock: Clock; readonly log: Logger }): History {
  const { clock, log } = options;
  const events = new Map<string, KeptEvent>();
  const retentionDays = new Map<string, number>();

  const isExpired = (event: KeptEvent, now: number) => {
    const days = retentionDays.get(event.accountId);
    return days !== undefined && event.eventTime < now - days * dayMs;
  };
  const found = (filter: EventFilter): readonly KeptEvent[] => {
    const now = clock.now();
    const matching = [...events.values()].filter((event) => !isExpired(event, now) && matches(event, filter));
    return matching.toSorted(comparePositions);
  };
  const shown = (event: KeptEvent): FoundEvent => ({
    eventId: event.eventId,
    eventTime: event.eventTime,
    raw: event.raw,
  });

  return {
    durable: sequence(0),
    async apply(entries: readonly JournalEntry[]) {
      const before = events.size;
      let duplicates = 0;
      for (const entry of entries) {
        if (!holdsRecord(entry)) continue;
        const scan = scanRecord(entry.payload);
        if (scan.kind === 'problem') {
          log.warn({ sequence: entry.sequence, problem: scan.problem }, 'record not taken into the history');
          continue;
        }
        const key = `${scan.record.accountId}/${scan.record.eventId}`;
        if (events.has(key)) duplicates += 1;
        else events.set(key, { ...scan.record, raw: Uint8Array.from(entry.payload) });
      }
      return { added: events.size - before, duplicates };
    },
    async search(filter, page, signal): Promise<EventPage> {
      signal?.throwIfAborted();
      if (!(page.limit >= 1 && page.limit <= 1000))
        throw new RangeError(`limit ${page.limit} is outside 1..1000`);
      const after = page.after === undefined ? undefined : readToken(page.after);
      const rest = after
        ? found(filter).filter((event) => comparePositions(event, after) > 0)
        : found(filter);
      const shownEvents = rest.slice(0, page.limit);
      const last = shownEvents.at(-1);
      const next = last && rest.length > page.limit ? { next: writeToken(last) } : {};
      return { events: shownEvents.map(shown), ...next };
    },
    async *stream(filter, signal) {
      for (const event of found(filter)) {
        signal?.throwIfAborted();
        yield shown(event);
      }
    },
    async count(filter, by, signal) {
      signal?.throwIfAborted();
      const rows = new Map<string, { values: readonly (string | null)[]; bucket?: number; count: number }>();
      for (const event of found(filter)) {
        const bucket =
          by.bucketMs === undefined
            ? {}
            : { bucket: Math.floor(event.eventTime / by.bucketMs) * by.bucketMs };
        for (const values of combinations(event, by.attributes)) {
          const key = JSON.stringify([values, bucket]);
          const row = rows.get(key) ?? { values, ...bucket, count: 0 };
          row.count += 1;
          rows.set(key, row);
        }
      }
      return [...rows.values()].toSorted(compareCounts).slice(0, by.limit);
    },
    setRetention(accountId, days) {
      if (days === undefined) retentionDays.delete(accountId);
      else retentionDays.set(accountId, days);
    },
    async expire(now) {
      for (const [key, event] of events) if (isExpired(event, now)) events.delete(key);
      return { segmentsDropped: 0 };
    },
    async stats(): Promise<HistoryStats> {
      const times = [...events.values()]
        .map((event) => event.eventTime)
        .toSorted((one, other) => one - other);
      const [oldest, newest] = [times[0], times.at(-1)];
      let sizeBytes = 0;
      for (const event of events.values()) sizeBytes += event.raw.length;
      const span =
        oldest === undefined || newest === undefined
          ? {}
          : { oldestEventTime: oldest, newestEventTime: newest };
      return { events: events.size, segments: 0, sizeBytes, ...span };
    },
    flush: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
