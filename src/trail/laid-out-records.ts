import type { EntryKind, NewEntry } from '../journal/index.ts';
import { noteScan, type PackedScans } from './history/index.ts';

/** Records that a worker thread made ready for the journal. They can be posted. */
export interface LaidOutRecords {
  /** The records, each behind the room that its journal entry needs. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the records stand in `bytes`: start and end of each, one after the other. */
  readonly spans: Uint32Array<ArrayBuffer>;
  /** What was found in each record. */
  readonly scans: PackedScans;
}

/** One of the records as a journal entry, in place. */
export function entryOf(kind: EntryKind, { bytes, spans, scans }: LaidOutRecords, index: number): NewEntry {
  const payload = bytes.subarray(spans[index * 2], spans[index * 2 + 1]);
  return { kind, payload, inPlace: true, note: noteScan(scans, index) };
}

/** The memory of records, which is moved when they are posted. */
export function memoryOf({ bytes, spans, scans }: LaidOutRecords): ArrayBuffer[] {
  return [bytes, spans, scans.times, scans.starts, scans.rows].map(({ buffer }) => buffer);
}
