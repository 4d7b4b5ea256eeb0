import { attributeNames } from './history-types.ts';
import { hash32 } from './event-order.ts';
import { attributeValues, memberOfAttribute, type ScannedRecord } from './scanned-record.ts';
import { keyOf, rowMembers, unpackScan, type PackedScans } from './packed-scans.ts';
import type { IndexedAttribute } from './segment-format.ts';

/** Records lie in shared memory, so that the worker seals them without a copy while they stay searchable. */
const chunkBytes = 1024 * 1024;

/** An attribute's values in the tail: each distinct text once, and which event has which. */
export interface TailAttribute {
  readonly texts: string[];
  readonly numbers: Map<string, number>;
  /** For attributes with at most one value: the value's number for each event, -1 for none. */
  column: Int32Array;
  /** For resources: pairs of event and value. */
  readonly pairEvents: number[];
  readonly pairTexts: number[];
}

export interface PackedAttribute {
  readonly name: IndexedAttribute;
  readonly texts: readonly string[];
  /** Undefined for resources, which have pairs. */
  readonly column: Int32Array | undefined;
  readonly pairEvents: Int32Array;
  readonly pairTexts: Int32Array;
}

/** What the worker needs to seal a tail; it can be posted. Events are numbered in the order of their arrival. */
export interface PackedTail {
  readonly count: number;
  readonly chunks: readonly SharedArrayBuffer[];
  /** For each event: its chunk, its offset in it and its length. */
  readonly places: Int32Array;
  readonly times: Float64Array;
  readonly idHashes: Uint32Array;
  readonly attributes: readonly PackedAttribute[];
}

/** The newest events, not yet sealed, in memory. */
export interface Tail {
  readonly count: number;
  readonly sizeBytes: number;
  has(eventId: string, accountId: string): boolean;
  /** The events with this eventID: at most one of each account. */
  eventsOf(eventId: string): readonly number[];
  add(raw: Uint8Array, record: ScannedRecord): void;
  /** As `add`, of the scan at `index`: the texts that records share are looked up once for all of them. */
  addPacked(raw: Uint8Array, scans: PackedScans, index: number): void;
  raw(event: number): Buffer;
  timeAt(event: number): number;
  idHashAt(event: number): number;
  eventIdAt(event: number): string;
  accountIdAt(event: number): string;
  attribute(name: IndexedAttribute): TailAttribute;
  pack(): PackedTail;
}

export const indexedAttributes: readonly IndexedAttribute[] = attributeNames.filter(
  (name) => name !== 'EventId',
);

export function isMultiple(name: IndexedAttribute): name is 'ResourceName' | 'ResourceType' {
  return name === 'ResourceName' || name === 'ResourceType';
}

function numberOf(attribute: TailAttribute, text: string): number {
  const known = attribute.numbers.get(text);
  if (known !== undefined) return known;
  const number = attribute.texts.length;
  attribute.texts.push(text);
  attribute.numbers.set(text, number);
  return number;
}

interface Arena {
  add(raw: Uint8Array): readonly [chunk: number, offset: number];
  view(chunk: number, offset: number, length: number): Buffer;
  readonly chunks: readonly SharedArrayBuffer[];
}

function openArena(): Arena {
  const chunks: SharedArrayBuffer[] = [];
  const views: Buffer[] = [];
  let used = chunkBytes;
  return {
    add(raw) {
      const current = views.at(-1);
      if (!current || used + raw.length > current.length) {
        const chunk = new SharedArrayBuffer(Math.max(chunkBytes, raw.length));
        chunks.push(chunk);
        views.push(Buffer.from(chunk));
        used = 0;
      }
      const offset = used;
      views.at(-1)?.set(raw, offset);
      used += raw.length;
      return [chunks.length - 1, offset];
    },
    view: (chunk, offset, length) => (views[chunk] as Buffer).subarray(offset, offset + length),
    chunks,
  };
}

/** Opens an empty tail with room for `capacity` events. */
export function openTail(capacity: number): Tail {
  const arena = openArena();
  const places = new Int32Array(capacity * 3);
  const times = new Float64Array(capacity);
  const idHashes = new Uint32Array(capacity);
  const eventIds: string[] = [];
  const accountIds: string[] = [];
  /** Events by eventID; the few that share one across accounts are in a list. */
  const byId = new Map<string, number | number[]>();
  const attributes = new Map<IndexedAttribute, TailAttribute>();
  for (const name of indexedAttributes) {
    const column = new Int32Array(isMultiple(name) ? 0 : capacity).fill(-1);
    attributes.set(name, { texts: [], numbers: new Map(), column, pairEvents: [], pairTexts: [] });
  }
  const attribute = (name: IndexedAttribute) => attributes.get(name) as TailAttribute;
  const singles = indexedAttributes.flatMap((name) =>
    isMultiple(name) ? [] : [[memberOfAttribute[name], attribute(name)] as const],
  );
  const multiples = indexedAttributes.flatMap((name) =>
    isMultiple(name) ? [[name, attribute(name)] as const] : [],
  );
  /** The single attributes in the order of a row of packed scans; undefined for the eventID, which has no column. */
  const rowSingles = rowMembers.map((member) => singles.find(([other]) => other === member)?.[1]);
  let remembered: { readonly scans: PackedScans; readonly numbers: readonly Int32Array[] } | undefined;
  let count = 0;
  let sizeBytes = 0;

  const indexResources = (event: number, record: ScannedRecord): void => {
    if (record.resources.length === 0) return;
    for (const [name, values] of multiples) {
      for (const text of attributeValues(record, name)) {
        values.pairEvents.push(event);
        values.pairTexts.push(numberOf(values, text));
      }
    }
  };
  const index = (event: number, record: ScannedRecord): void => {
    for (const [member, values] of singles) {
      const text = record[member];
      if (text !== undefined) values.column[event] = numberOf(values, text);
    }
    indexResources(event, record);
  };

  /** For each member of a row: the value's number in this tail by the number of its text, -1 where not looked up. */
  const numbersOf = (scans: PackedScans): readonly Int32Array[] => {
    if (remembered?.scans !== scans) {
      const numbers = rowMembers.map(() => new Int32Array(scans.texts.length).fill(-1));
      remembered = { scans, numbers };
    }
    return remembered.numbers;
  };

  const place = (raw: Uint8Array, eventTime: number, eventId: string, accountId: string): number => {
    const event = count;
    const [chunk, offset] = arena.add(raw);
    places[event * 3] = chunk;
    places[event * 3 + 1] = offset;
    places[event * 3 + 2] = raw.length;
    times[event] = eventTime;
    idHashes[event] = hash32(eventId);
    eventIds.push(eventId);
    accountIds.push(accountId);
    const others = byId.get(eventId);
    if (others === undefined) byId.set(eventId, event);
    else byId.set(eventId, typeof others === 'number' ? [others, event] : [...others, event]);
    sizeBytes += raw.length;
    return event;
  };

  return {
    get count() {
      return count;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    eventsOf(eventId) {
      const events = byId.get(eventId) ?? [];
      return typeof events === 'number' ? [events] : events;
    },
    has(eventId, accountId) {
      const events = byId.get(eventId);
      if (events === undefined) return false;
      if (typeof events === 'number') return accountIds[events] === accountId;
      return events.some((event) => accountIds[event] === accountId);
    },
    add(raw, record) {
      index(place(raw, record.eventTime, record.eventId, record.accountId), record);
      count += 1;
    },
    addPacked(raw, scans, at) {
      const { texts, rows } = scans;
      const start = scans.starts[at] as number;
      const { eventId, accountId } = keyOf(scans, at);
      const event = place(raw, scans.times[at] as number, eventId, accountId);
      const numbers = numbersOf(scans);
      for (let member = 0; member < rowMembers.length; member += 1) {
        const values = rowSingles[member];
        const text = rows[start + member] as number;
        if (text < 0 || !values) continue;
        const known = numbers[member] as Int32Array;
        if ((known[text] as number) < 0) known[text] = numberOf(values, texts[text] as string);
        values.column[event] = known[text] as number;
      }
      if ((rows[start + rowMembers.length] as number) > 0) indexResources(event, unpackScan(scans, at));
      count += 1;
    },
    raw: (event) =>
      arena.view(
        places[event * 3] as number,
        places[event * 3 + 1] as number,
        places[event * 3 + 2] as number,
      ),
    timeAt: (event) => times[event] as number,
    idHashAt: (event) => idHashes[event] as number,
    eventIdAt: (event) => eventIds[event] as string,
    accountIdAt: (event) => accountIds[event] as string,
    attribute,
    pack() {
      const packed = indexedAttributes.map((name) => {
        const { texts, column, pairEvents, pairTexts } = attribute(name);
        return {
          name,
          texts,
          column: isMultiple(name) ? undefined : column.slice(0, count),
          pairEvents: Int32Array.from(pairEvents),
          pairTexts: Int32Array.from(pairTexts),
        };
      });
      return {
        count,
        chunks: arena.chunks,
        places: places.slice(0, count * 3),
        times: times.slice(0, count),
        idHashes: idHashes.slice(0, count),
        attributes: packed,
      };
    },
  };
}
