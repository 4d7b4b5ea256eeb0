import type { JournalEntry } from '../../journal/index.ts';
import { scanRecord } from './scan-record.ts';
import {
  memberOfAttribute,
  type EventResource,
  type RecordScan,
  type ScannedRecord,
} from './scanned-record.ts';

/**
 * Scans of many records in a form that passes between threads cheaply: each text (but for eventIDs) once, and numbers.
 * Whoever receives them sees equal texts as one object, which makes looking them up cheap as well.
 */
export interface PackedScans {
  readonly texts: readonly string[];
  /** eventTime of each record. */
  readonly times: Float64Array<ArrayBuffer>;
  /** Where each record's row begins in `rows`. */
  readonly starts: Int32Array<ArrayBuffer>;
  /** A row: the number of each member's text or -1; how many resources; name and type of each. */
  readonly rows: Int32Array<ArrayBuffer>;
}

/** What a row begins with, in this order. */
export const rowMembers = Object.values(memberOfAttribute);
const noResources: readonly EventResource[] = [];

/** Packs scans, one after the other. */
export function openScanPacker(): { add(record: ScannedRecord): void; pack(): PackedScans } {
  const numbers = new Map<string, number>();
  const texts: string[] = [];
  const times: number[] = [];
  const starts: number[] = [];
  const rows: number[] = [];
  const numberOf = (text: string | undefined): number => {
    if (text === undefined) return -1;
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, texts.length);
    return texts.push(text) - 1;
  };
  return {
    add(record) {
      times.push(record.eventTime);
      starts.push(rows.length);
      // No two records share an eventID, so it is not looked for among the texts.
      for (const member of rowMembers) {
        rows.push(member === 'eventId' ? texts.push(record.eventId) - 1 : numberOf(record[member]));
      }
      rows.push(record.resources.length);
      for (const { name, type } of record.resources) rows.push(numberOf(name), numberOf(type));
    },
    pack: () => ({
      texts,
      times: Float64Array.from(times),
      starts: Int32Array.from(starts),
      rows: Int32Array.from(rows),
    }),
  };
}

/** The scan of the record at `index`. */
export function unpackScan({ texts, times, starts, rows }: PackedScans, index: number): ScannedRecord {
  let at = starts[index] as number;
  const next = (): string | undefined => texts[rows[at++] as number];
  const record: Record<string, unknown> = { eventTime: times[index] };
  for (const member of rowMembers) record[member] = next();
  const count = rows[at++] as number;
  record['resources'] = noResources;
  if (count > 0) {
    const resources: EventResource[] = [];
    for (let left = count; left > 0; left -= 1) resources.push({ name: next(), type: next() });
    record['resources'] = resources;
  }
  return record as unknown as ScannedRecord;
}

/** One member of the record at `index`, without making the whole of its scan. */
export function memberAt(
  { texts, starts, rows }: PackedScans,
  index: number,
  member: (typeof rowMembers)[number],
): string | undefined {
  return texts[rows[(starts[index] as number) + rowMembers.indexOf(member)] as number];
}

const [eventIdAt, accountIdAt] = [rowMembers.indexOf('eventId'), rowMembers.indexOf('accountId')];

/** The eventID and the account of the record at `index`, which every record has. */
export function keyOf(
  { texts, starts, rows }: PackedScans,
  index: number,
): Pick<ScannedRecord, 'eventId' | 'accountId'> {
  const start = starts[index] as number;
  return {
    eventId: texts[rows[start + eventIdAt] as number] as string,
    accountId: texts[rows[start + accountIdAt] as number] as string,
  };
}

const scansOfNote = Symbol('scans');

/** What whoever has scanned a record hands along with its journal entry, so that it need not be scanned again. */
export interface ScanNote {
  readonly [scansOfNote]: PackedScans;
  readonly index: number;
}

export function noteScan(scans: PackedScans, index: number): ScanNote {
  return { [scansOfNote]: scans, index };
}

/** The scans and the place in them that were handed along; undefined when there are none. */
export function scansOf(note: unknown): { readonly scans: PackedScans; readonly index: number } | undefined {
  if (typeof note !== 'object' || note === null || !(scansOfNote in note)) return undefined;
  const { [scansOfNote]: scans, index } = note as ScanNote;
  return { scans, index };
}

/** What the history indexes of a journal entry's record: from what was handed along, else from its bytes. */
export function scanEntry({ note, payload }: Pick<JournalEntry, 'note' | 'payload'>): RecordScan {
  const packed = scansOf(note);
  return packed ? { kind: 'record', record: unpackScan(packed.scans, packed.index) } : scanRecord(payload);
}
