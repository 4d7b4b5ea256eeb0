import { hashTerm, type TermKey } from './term-hash.ts';
import { assert } from '../../kernel/index.ts';
import type { AttributeName } from './history-types.ts';
import { sourceOfBuffer } from './byte-source.ts';
import { unpackPostings } from './postings.ts';
import { attributeValues } from './scanned-record.ts';
import { scanRecord } from './scan-record.ts';
import type { Segment } from './segment.ts';
import type { Tail } from './tail.ts';
import { isMultiple } from './tail.ts';
import { readHashTable } from './term-table.ts';

/** The documents of one value; `docs` is used again for the next, only its first `length` count. */
export interface ValueList {
  /** The value's number, which it gets when first asked: values that match nothing get none. */
  readonly value: () => number;
  readonly docs: Int32Array;
  readonly length: number;
}

/** All values of an attribute in one source, with their documents. */
export interface SourceValues {
  /** Whether a document may have several. */
  readonly isMultiple: boolean;
  lists(): Iterable<ValueList>;
}

/**
 * One number for each value of an attribute over all sources of a count, from 1 (0 stands for no value). A source may
 * know a value as text and another only its hash: both get the same number, because a text's hash can be computed.
 */
export interface ValueNumbers {
  ofText(text: string): number;
  /** `doc` has the value; `texts` tells it, when it is asked for, from that document's record. */
  ofHash(high: number, low: number, doc: number, texts: HashedTexts): number;
  textOf(number: number): string;
}

/** Tells the text of a hashed value from the record of a document that has it. */
type HashedTexts = (doc: number, high: number, low: number) => string;

/** The highest 52 bits of a hash, as one exact number. */
function mostOf(high: number, low: number): number {
  return high * 0x10_0000 + (low >>> 12);
}

/** Numbers by 64-bit hashes. One number of 52 bits is nearly always enough to tell them apart; the rest is compared. */
function openHashNumbers() {
  const byMost = new Map<number, number>();
  const byAll = new Map<string, number>();
  const halves: number[] = [];
  return {
    find(high: number, low: number): number | undefined {
      const number = byMost.get(mostOf(high, low));
      if (number === undefined) return undefined;
      const isSame = halves[number * 2] === high && halves[number * 2 + 1] === low;
      return isSame ? number : byAll.get(`${high},${low}`);
    },
    add(high: number, low: number, number: number): void {
      const most = mostOf(high, low);
      if (byMost.has(most)) byAll.set(`${high},${low}`, number);
      else byMost.set(most, number);
      halves[number * 2] = high;
      halves[number * 2 + 1] = low;
    },
  };
}

/**
 * Opens numbers for the values of one attribute or member. Once a hash comes in, texts are known by their hashes too. `bound` is told of each
 * text that gets a number, and may refuse it.
 */
export function openValueNumbers(hashKey: TermKey, bound?: (text: string) => void): ValueNumbers {
  const byText = new Map<string, number>();
  const byHash = openHashNumbers();
  /** By number: the text, or the document and the source of texts that tell it. */
  const known: (string | number)[] = [''];
  const sources: (HashedTexts | undefined)[] = [undefined];
  const hashes: (readonly [number, number] | undefined)[] = [undefined];
  let usesHashes = false;
  const addText = (text: string): number => {
    bound?.(text);
    sources.push(undefined);
    hashes.push(undefined);
    return known.push(text) - 1;
  };
  return {
    ofText(text) {
      const before = byText.get(text);
      if (before !== undefined) return before;
      const [high, low] = usesHashes ? hashTerm(hashKey, text) : [0, 0];
      const hashed = usesHashes ? byHash.find(high, low) : undefined;
      const number = hashed ?? addText(text);
      known[number] = text;
      byText.set(text, number);
      if (usesHashes && hashed === undefined) byHash.add(high, low, number);
      return number;
    },
    ofHash(high, low, doc, texts) {
      if (!usesHashes) {
        usesHashes = true;
        for (const [text, number] of byText) byHash.add(...hashTerm(hashKey, text), number);
      }
      const before = byHash.find(high, low);
      if (before !== undefined) return before;
      const number = known.push(doc) - 1;
      sources.push(texts);
      hashes.push([high, low]);
      byHash.add(high, low, number);
      return number;
    },
    textOf(number) {
      const value = known[number];
      if (typeof value === 'string') return value;
      const [texts, halves] = [sources[number], hashes[number]];
      assert(value !== undefined && texts && halves, `no value has the number ${number}`);
      return texts(value, ...halves);
    },
  };
}

function openHashedTexts(segment: Segment, attribute: AttributeName, hashKey: TermKey): HashedTexts {
  return (doc, wantedHigh, wantedLow) => {
    const scan = scanRecord(segment.raw(doc));
    assert(scan.kind === 'record', `document ${doc} of ${segment.file} is no record`);
    const text = attributeValues(scan.record, attribute).find((value) => {
      const [high, low] = hashTerm(hashKey, value);
      return high === wantedHigh && low === wantedLow;
    });
    assert(
      text !== undefined,
      `document ${doc} of ${segment.file} has no ${attribute} with the hash of its term`,
    );
    return text;
  };
}

/** Every document's own eventID: the one attribute that has no term table. */
function* eventIdLists(
  documents: number,
  eventIdAt: (doc: number) => string,
  numbers: ValueNumbers,
): Iterable<ValueList> {
  for (let doc = 0; doc < documents; doc += 1) {
    yield { value: () => numbers.ofText(eventIdAt(doc)), docs: Int32Array.of(doc), length: 1 };
  }
}

/** The values of an attribute in a segment. */
export function valuesOfSegment(
  segment: Segment,
  attribute: AttributeName,
  numbers: ValueNumbers,
  hashKey: TermKey,
): SourceValues {
  if (attribute === 'EventId') {
    const eventIdAt = (doc: number) => {
      const scan = scanRecord(segment.raw(doc));
      assert(scan.kind === 'record', `document ${doc} of ${segment.file} is no record`);
      return scan.record.eventId;
    };
    return { isMultiple: false, lists: () => eventIdLists(segment.documents, eventIdAt, numbers) };
  }
  const { kind, terms, pointerBytes } = segment.footer.attributes[attribute];
  function* lists(name: Exclude<AttributeName, 'EventId'>): Iterable<ValueList> {
    const section = segment.postings(name);
    const postings = sourceOfBuffer(section.bytes(0, section.length));
    const text = kind === 'text' ? segment.texts(name) : undefined;
    const table = segment.table(name);
    const hashed = text
      ? undefined
      : readHashTable(sourceOfBuffer(table.bytes(0, table.length)), terms, pointerBytes);
    const hashedTexts = openHashedTexts(segment, name, hashKey);
    const docs = new Int32Array(segment.documents);
    for (let term = 0; term < terms; term += 1) {
      const place = (text ?? (hashed as NonNullable<typeof hashed>)).placeAt(term);
      let length = 1;
      if (place.kind === 'one') docs[0] = place.doc;
      else length = unpackPostings(postings, place.offset, segment.documents, docs);
      if (text) {
        yield { value: () => numbers.ofText(text.texts[term] as string), docs, length };
        continue;
      }
      const { high, low } = (hashed as NonNullable<typeof hashed>).terms;
      const [one, other, first] = [high[term] as number, low[term] as number, docs[0] as number];
      yield { value: () => numbers.ofHash(one, other, first, hashedTexts), docs, length };
    }
  }
  return { isMultiple: isMultiple(attribute), lists: () => lists(attribute) };
}

/** Gathers the documents of each value; `key` stands for the value. */
export function openDocLists() {
  const docsOf = new Map<number, number[]>();
  return {
    docsOf: docsOf as ReadonlyMap<number, readonly number[]>,
    add(key: number, doc: number): void {
      const docs = docsOf.get(key);
      if (docs) docs.push(doc);
      else docsOf.set(key, [doc]);
    },
  };
}

/** The values of an attribute in a tail, of which `order` gives the events by document. */
export function valuesOfTail(
  tail: Tail,
  order: Int32Array,
  attribute: AttributeName,
  numbers: ValueNumbers,
): SourceValues {
  if (attribute === 'EventId') {
    return {
      isMultiple: false,
      lists: () => eventIdLists(order.length, (doc) => tail.eventIdAt(order[doc] as number), numbers),
    };
  }
  const { texts, column, pairEvents, pairTexts } = tail.attribute(attribute);
  const hasPairs = isMultiple(attribute);
  function* lists(): Iterable<ValueList> {
    const found = openDocLists();
    if (hasPairs) {
      const docOf = new Map<number, number>();
      for (const [doc, event] of order.entries()) docOf.set(event, doc);
      for (const [pair, event] of pairEvents.entries()) {
        const doc = docOf.get(event);
        if (doc !== undefined) found.add(pairTexts[pair] as number, doc);
      }
    } else {
      for (const [doc, event] of order.entries())
        if ((column[event] as number) >= 0) found.add(column[event] as number, doc);
    }
    for (const [text, docs] of found.docsOf) {
      const ascending = Int32Array.from(docs).toSorted();
      yield { value: () => numbers.ofText(texts[text] as string), docs: ascending, length: ascending.length };
    }
  }
  return { isMultiple: hasPairs, lists };
}
