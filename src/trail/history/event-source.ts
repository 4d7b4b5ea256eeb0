import type { AttributeName } from './history-types.ts';
import type { AddressRange } from './address-range.ts';
import type { DocCursor } from './doc-cursor.ts';
import type { EventPosition } from './event-order.ts';
import type { ScannedRecord } from './scanned-record.ts';

/**
 * Events that can be searched: a segment, or the hot tail as it stands. Documents are numbered from the newest in the
 * history's fixed order (`comparePositions`).
 */
export interface EventSource {
  readonly documents: number;
  /** eventTime of the first and the last document, epoch milliseconds. */
  readonly newest: number;
  readonly oldest: number;
  timeAt(doc: number): number;
  /** The bytes of a record; a view that must not be kept. */
  raw(doc: number): Buffer;
  /** A whole scan where the place is read from the record. */
  positionAt(doc: number): EventPosition | ScannedRecord;
  /** The documents that have one of the values. */
  withValues(attribute: AttributeName, values: readonly string[]): DocCursor;
  /** The documents whose sourceIPAddress lies in the range; undefined where only the records tell. */
  inRange(range: AddressRange): DocCursor | undefined;
  /**
   * For searching texts: a number that neighbouring records share, so that the records of one group can be ruled out at
   * once, and the bytes of all records of the group. Undefined where records stand alone.
   */
  readonly groups: { of(doc: number): number; bytes(group: number): Buffer } | undefined;
}

/** The first document whose time is `time` or earlier (the number of documents if none). */
export function firstAtMost(source: Pick<EventSource, 'documents' | 'timeAt'>, time: number): number {
  let low = 0;
  let high = source.documents;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (source.timeAt(middle) > time) low = middle + 1;
    else high = middle;
  }
  return low;
}
