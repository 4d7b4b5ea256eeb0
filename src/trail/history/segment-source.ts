import { assert } from '../../kernel/index.ts';
import { isInRange } from './address-range.ts';
import { arrayDocs, noDocs, unionDocs, type DocCursor } from './doc-cursor.ts';
import { hash32 } from './event-order.ts';
import type { EventSource } from './event-source.ts';
import { documentsOfHash } from './id-table.ts';
import { openPostings } from './postings.ts';
import { scanRecord } from './scan-record.ts';
import type { ScannedRecord } from './scanned-record.ts';
import type { Segment } from './segment.ts';
import type { IndexedAttribute } from './segment-format.ts';
import type { TermPlace } from './term-table.ts';

/** Where a document of a segment stands in the history's order; read from its record. */
export function positionInSegment(segment: Segment, doc: number): ScannedRecord {
  const scan = scanRecord(segment.raw(doc));
  assert(scan.kind === 'record', `document ${doc} of ${segment.file} is no record`);
  return scan.record;
}

function docsOfPlace(segment: Segment, attribute: IndexedAttribute, place: TermPlace): DocCursor {
  if (place.kind === 'one') return arrayDocs(Int32Array.of(place.doc), segment.documents);
  return openPostings(segment.postings(attribute), place.offset, segment.documents);
}

function withEventId(segment: Segment, eventId: string): DocCursor {
  const candidates = documentsOfHash(segment.ids, segment.documents, hash32(eventId));
  const docs = candidates.filter((doc) => positionInSegment(segment, doc).eventId === eventId);
  return arrayDocs(Int32Array.from(docs).toSorted(), segment.documents);
}

export function sourceOfSegment(segment: Segment): EventSource {
  const { documents, footer } = segment;
  return {
    documents,
    newest: footer.newest,
    oldest: footer.oldest,
    timeAt: (doc) => segment.timeAt(doc),
    raw: (doc) => segment.raw(doc),
    positionAt: (doc) => positionInSegment(segment, doc),
    withValues(attribute, values) {
      const distinct = [...new Set(values)];
      if (attribute === 'EventId') {
        return unionDocs(
          distinct.map((value) => withEventId(segment, value)),
          documents,
        );
      }
      const cursors = distinct.flatMap((value) => {
        const place = segment.findTerm(attribute, value);
        return place ? [docsOfPlace(segment, attribute, place)] : [];
      });
      return unionDocs(cursors, documents);
    },
    inRange(range) {
      if (footer.attributes.SourceIpAddress.kind === 'hash') return undefined;
      const table = segment.texts('SourceIpAddress');
      const cursors = table.texts.flatMap((text, index) =>
        isInRange(text, range) ? [docsOfPlace(segment, 'SourceIpAddress', table.placeAt(index))] : [],
      );
      return cursors.length === 0 ? noDocs(documents) : unionDocs(cursors, documents);
    },
    groups: { of: (doc) => segment.blockOf(doc), bytes: (group) => segment.block(group).body },
  };
}
