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
  lists(): Iterable<ValueList>;
}

/**
 * One number for each value of an attribute over all sources of a count, from 1 (0 stands for no value). A source may
 * know a value as text and another only its hash: both get the same number, because a text's hash can be computed.
 */
export interface ValueNumbers {
  ofText(text: string): number;
  /** `text` tells the value when it is asked for: from a record that has it. */
  ofHash(high: number, low: number, text: () => string): number;
  textOf(number: number): string;
}

function hashName(high: number, low: number): string {
  return `${high},${low}`;
}

/** Opens numbers for one attribute. Once a hash comes in, texts are known by their hashes too. */
export function openValueNumbers(attribute: AttributeName, hashKey: TermKey): ValueNumbers {
  const byText = new Map<string, number>();
  const byHash = new Map<string, number>();
  const texts: (string | (() => string))[] = [''];
  let usesHashes = false;
  const startHashes = (): void => {
    usesHashes = true;
    for (const [text, number] of byText) byHash.set(hashName(...hashTerm(hashKey, text)), number);
  };
  return {
    ofText(text) {
      const known = byText.get(text);
      if (known !== undefined) return known;
      const name = usesHashes ? hashName(...hashTerm(hashKey, text)) : undefined;
      const number = (name === undefined ? undefined : byHash.get(name)) ?? texts.push(text) - 1;
      texts[number] = text;
      byText.set(text, number);
      if (name !== undefined) byHash.set(name, number);
      return number;
    },
    ofHash(high, low, text) {
      if (!usesHashes) startHashes();
      const name = hashName(high, low);
      const known = byHash.get(name);
      if (known !== undefined) return known;
      const number = texts.push(text) - 1;
      byHash.set(name, number);
      return number;
    },
    textOf(number) {
      const text = texts[number];
      assert(text !== undefined, `${attribute} has no value number ${number}`);
      return typeof text === 'string' ? text : text();
    },
  };
}

function textFromRecord(
  segment: Segment,
  attribute: AttributeName,
  doc: number,
  hashKey: TermKey,
  wanted: readonly [number, number],
) {
  return (): string => {
    const scan = scanRecord(segment.raw(doc));
    assert(scan.kind === 'record', `document ${doc} of ${segment.file} is no record`);
    const text = attributeValues(scan.record, attribute).find((value) => {
      const [high, low] = hashTerm(hashKey, value);
      return high === wanted[0] && low === wanted[1];
    });
    assert(
      text !== undefined,
      `document ${doc} of ${segment.file} has no value of ${attribute} with the hash of its term`,
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
    return { lists: () => eventIdLists(segment.documents, eventIdAt, numbers) };
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
      const wanted = [high[term] as number, low[term] as number] as const;
      const first = docs[0] as number;
      yield {
        value: () => numbers.ofHash(...wanted, textFromRecord(segment, name, first, hashKey, wanted)),
        docs,
        length,
      };
    }
  }
  return { lists: () => lists(attribute) };
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
      lists: () => eventIdLists(order.length, (doc) => tail.eventIdAt(order[doc] as number), numbers),
    };
  }
  const { texts, column, pairEvents, pairTexts } = tail.attribute(attribute);
  function* lists(): Iterable<ValueList> {
    const byText = new Map<number, number[]>();
    const add = (text: number, doc: number): void => {
      const docs = byText.get(text);
      if (docs) docs.push(doc);
      else byText.set(text, [doc]);
    };
    if (isMultiple(attribute as Exclude<AttributeName, 'EventId'>)) {
      const docOf = new Map<number, number>();
      for (const [doc, event] of order.entries()) docOf.set(event, doc);
      for (const [pair, event] of pairEvents.entries()) {
        const doc = docOf.get(event);
        if (doc !== undefined) add(pairTexts[pair] as number, doc);
      }
    } else {
      for (const [doc, event] of order.entries())
        if ((column[event] as number) >= 0) add(column[event] as number, doc);
    }
    for (const [text, docs] of byText) {
      const ascending = Int32Array.from(docs).toSorted();
      yield { value: () => numbers.ofText(texts[text] as string), docs: ascending, length: ascending.length };
    }
  }
  return { lists };
}
