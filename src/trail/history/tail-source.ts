import { isInRange } from './address-range.ts';
import { arrayDocs } from './doc-cursor.ts';
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
    let [left, right] = [0, 0];
    for (let at = 0; at < merged.length; at += 1) {
      const takeLeft =
        right === fresh.length ||
        (left < order.length && compareEvents(tail, order[left] as number, fresh[right] as number) < 0);
      merged[at] = takeLeft ? (order[left++] as number) : (fresh[right++] as number);
    }
    order = merged;
    return order;
  };
}

/** The tail as it stands now. Events that are added later are not seen. */
export function sourceOfTail(tail: Tail, order: Int32Array): EventSource {
  const documents = order.length;
  const eventAt = (doc: number) => order[doc] as number;
  const docsWhere = (wanted: (event: number) => boolean) => {
    const docs = new Int32Array(documents);
    let count = 0;
    for (let doc = 0; doc < documents; doc += 1) {
      if (!wanted(eventAt(doc))) continue;
      docs[count] = doc;
      count += 1;
    }
    return arrayDocs(docs.subarray(0, count), documents);
  };
  /** Events that have one of the values with these numbers. */
  const withNumbers = (attribute: Parameters<Tail['attribute']>[0], wanted: ReadonlySet<number>) => {
    const { column, pairEvents, pairTexts } = tail.attribute(attribute);
    if (!isMultiple(attribute)) return docsWhere((event) => wanted.has(column[event] as number));
    const events = new Set<number>();
    for (const [pair, text] of pairTexts.entries())
      if (wanted.has(text)) events.add(pairEvents[pair] as number);
    return docsWhere((event) => events.has(event));
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
      if (attribute === 'EventId') {
        const wanted = new Set(values);
        return docsWhere((event) => wanted.has(tail.eventIdAt(event)));
      }
      const { numbers } = tail.attribute(attribute);
      return withNumbers(attribute, new Set(values.map((value) => numbers.get(value) ?? -2)));
    },
    inRange(range) {
      const { texts } = tail.attribute('SourceIpAddress');
      const inside = texts.flatMap((text, number) => (isInRange(text, range) ? [number] : []));
      return withNumbers('SourceIpAddress', new Set(inside));
    },
    groups: undefined,
  };
}
