import { isInRange } from './address-range.ts';
import { noDocs, type DocCursor } from './doc-cursor.ts';
import type { EventSource } from './event-source.ts';
import type { Tail } from './tail.ts';
import { isMultiple } from './tail.ts';

/** Negative when event `one` of the tail comes first in the history's order. */
function compareEvents(tail: Tail, one: number, other: number): number {
  const byNumber = tail.timeAt(other) - tail.timeAt(one) || tail.idHashAt(one) - tail.idHashAt(other);
  if (byNumber !== 0) return byNumber;
  const [left, right] = [tail.eventIdAt(one), tail.eventIdAt(other)];
  if (left !== right) return left < right ? -1 : 1;
  return tail.accountIdAt(one) < tail.accountIdAt(other) ? -1 : 1;
}

/** Keeps the events of a tail in the history's order; only what is new since the last time is sorted. */
export function openTailOrder(tail: Tail): () => Int32Array {
  let order = new Int32Array(0);
  return () => {
    if (order.length === tail.count) return order;
    const fresh = Int32Array.from({ length: tail.count - order.length }, (_, index) => order.length + index);
    fresh.sort((one, other) => compareEvents(tail, one, other));
    const merged = new Int32Array(tail.count);
    let left = 0;
    let at = 0;
    for (const event of fresh) {
      const end = firstBehind(tail, order, left, event);
      merged.set(order.subarray(left, end), at);
      at += end - left;
      merged[at++] = event;
      left = end;
    }
    merged.set(order.subarray(left), at);
    order = merged;
    return order;
  };
}

/** The first place from `low` on whose event comes behind `event`. */
function firstBehind(tail: Tail, order: Int32Array, low: number, event: number): number {
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareEvents(tail, order[middle] as number, event) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The tail as it stands now. Events that are added later are not seen. */
export function sourceOfTail(tail: Tail, order: Int32Array): EventSource {
  const documents = order.length;
  const eventAt = (doc: number) => order[doc] as number;
  /** Looks at the events as they are asked for: most conditions hold for most events, and a page is soon full. */
  const docsWhere = (wanted: (event: number) => boolean): DocCursor => ({
    seek(target) {
      let doc = target;
      while (doc < documents && !wanted(order[doc] as number)) doc += 1;
      return Math.min(doc, documents);
    },
  });
  const docsWith = (column: Int32Array, wanted: number): DocCursor => ({
    seek(target) {
      let doc = target;
      while (doc < documents && column[order[doc] as number] !== wanted) doc += 1;
      return Math.min(doc, documents);
    },
  });
  const docsOf = (events: ReadonlySet<number>): DocCursor =>
    events.size === 0 ? noDocs(documents) : docsWhere((event) => events.has(event));
  /** Events that have one of the values with these numbers. */
  const withNumbers = (attribute: Parameters<Tail['attribute']>[0], wanted: readonly number[]): DocCursor => {
    const { column, pairEvents, pairTexts } = tail.attribute(attribute);
    const [first] = wanted;
    if (first === undefined) return noDocs(documents);
    if (!isMultiple(attribute) && wanted.length === 1) return docsWith(column, first);
    const numbers = new Set(wanted);
    if (!isMultiple(attribute)) return docsWhere((event) => numbers.has(column[event] as number));
    const events = new Set<number>();
    for (const [pair, text] of pairTexts.entries())
      if (numbers.has(text)) events.add(pairEvents[pair] as number);
    return docsOf(events);
  };
  return {
    documents,
    newest: documents === 0 ? -Infinity : tail.timeAt(eventAt(0)),
    oldest: documents === 0 ? Infinity : tail.timeAt(eventAt(documents - 1)),
    timeAt: (doc) => tail.timeAt(eventAt(doc)),
    raw: (doc) => tail.raw(eventAt(doc)),
    positionAt(doc) {
      const event = eventAt(doc);
      return {
        eventTime: tail.timeAt(event),
        eventId: tail.eventIdAt(event),
        accountId: tail.accountIdAt(event),
      };
    },
    withValues(attribute, values) {
      if (attribute === 'EventId') return docsOf(new Set(values.flatMap((value) => tail.eventsOf(value))));
      const { numbers } = tail.attribute(attribute);
      return withNumbers(
        attribute,
        values.flatMap((value) => numbers.get(value) ?? []),
      );
    },
    inRange(range) {
      const { texts } = tail.attribute('SourceIpAddress');
      const inside = texts.flatMap((text, number) => (isInRange(text, range) ? [number] : []));
      return withNumbers('SourceIpAddress', inside);
    },
    groups: undefined,
  };
}
