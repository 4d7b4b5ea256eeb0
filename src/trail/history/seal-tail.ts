import { scanRecord } from './scan-record.ts';
import { comparePositions } from './event-order.ts';
import { mergeTerms, type TermOptions } from './merge-terms.ts';
import { blockEnds, type BlockPacker } from './raw-blocks.ts';
import { blockRecords, type SegmentFooter } from './segment-format.ts';
import { openSegmentWriter } from './segment-writer.ts';
import type { PackedAttribute, PackedTail } from './tail.ts';
import { groupColumn, groupPairs } from './term-groups.ts';
import { termCount } from './term-table.ts';

/** The records of a packed tail, by event. */
export function recordsOf(tail: PackedTail): (event: number) => Buffer {
  const views = tail.chunks.map((chunk) => Buffer.from(chunk));
  const { places } = tail;
  return (event) => {
    const offset = places[event * 3 + 1] as number;
    return (views[places[event * 3] as number] as Buffer).subarray(
      offset,
      offset + (places[event * 3 + 2] as number),
    );
  };
}

/** The events of a tail in the history's order. */
function orderOf(tail: PackedTail, recordAt: (event: number) => Buffer): Int32Array {
  const { times, idHashes } = tail;
  const compareRecords = (one: number, other: number): number => {
    const [left, right] = [scanRecord(recordAt(one)), scanRecord(recordAt(other))];
    return left.kind === 'record' && right.kind === 'record'
      ? comparePositions(left.record, right.record)
      : 0;
  };
  return Int32Array.from({ length: tail.count }, (_, event) => event).toSorted(
    (one, other) =>
      (times[other] as number) - (times[one] as number) ||
      (idHashes[one] as number) - (idHashes[other] as number) ||
      (one === other ? 0 : compareRecords(one, other)),
  );
}

function groupsOf(attribute: PackedAttribute, numbers: Int32Array, docOf: Int32Array, terms: number) {
  const { column, pairEvents, pairTexts } = attribute;
  if (!column) {
    const docs = pairEvents.map((event) => docOf[event] as number);
    return groupPairs(
      docs,
      pairTexts.map((text) => numbers[text] as number),
      docOf.length,
      terms,
    );
  }
  const byDoc = new Int32Array(column.length);
  for (let event = 0; event < column.length; event += 1) {
    const number = column[event] as number;
    byDoc[docOf[event] as number] = number < 0 ? -1 : (numbers[number] as number);
  }
  return groupColumn(byDoc, terms);
}

/** Writes a tail as a segment. */
export async function sealTail(
  tail: PackedTail,
  file: string,
  options: { readonly packer: BlockPacker; readonly dictionary: number; readonly terms: TermOptions },
): Promise<SegmentFooter> {
  const recordAt = recordsOf(tail);
  const order = orderOf(tail, recordAt);
  const docOf = new Int32Array(tail.count);
  for (const [doc, event] of order.entries()) docOf[event] = doc;
  const eventAt = (doc: number) => order[doc] as number;

  const writer = openSegmentWriter(file);
  try {
    const places = new Float64Array(tail.count);
    let start = 0;
    for (const end of blockEnds((doc) => tail.places[eventAt(doc) * 3 + 2] as number, tail.count)) {
      const records = Array.from({ length: end - start }, (_, slot) => recordAt(eventAt(start + slot)));
      for (let doc = start; doc < end; doc += 1) places[doc] = writer.blocks * blockRecords + doc - start;
      const frame = await options.packer.pack(records);
      writer.addBlocks(frame, [frame.length], options.dictionary);
      start = end;
    }
    writer.addColumns({
      times: Float64Array.from(order, (event) => tail.times[event] as number),
      places,
      idHashes: Uint32Array.from(order, (event) => tail.idHashes[event] as number),
    });
    for (const attribute of tail.attributes) {
      const { terms, numbers } = mergeTerms(
        attribute.name,
        [{ kind: 'loose', texts: attribute.texts }],
        options.terms,
      );
      const groups = groupsOf(attribute, numbers[0] ?? new Int32Array(), docOf, termCount(terms));
      writer.addAttribute(attribute.name, terms, groups);
    }
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
