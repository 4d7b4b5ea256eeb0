import type { Sequence } from '../../kernel/index.ts';
import type {
  Collected,
  CollectBounds,
  CollectingTrail,
  PassProgress,
  RecordEntry,
} from './collect-pass.ts';
import type { TrailChange } from './trail-changes.ts';

/** Records for the way between threads: their bytes one behind the other, so that they are moved as one. */
export interface PackedRecords {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each record its sequence and its length. */
  readonly places: Float64Array<ArrayBuffer>;
}

/** What the main thread asks of the thread that puts log files together. `add` and `finish` are answered. */
export type PassRequest =
  | {
      readonly kind: 'open';
      readonly pass: number;
      readonly trails: readonly CollectingTrail[];
      readonly bounds: CollectBounds;
    }
  | {
      readonly kind: 'add';
      readonly pass: number;
      readonly records: PackedRecords;
      readonly changes: readonly TrailChange[];
    }
  | { readonly kind: 'finish'; readonly pass: number; readonly to: Sequence }
  | { readonly kind: 'discard'; readonly pass: number };

export type PassAnswer =
  | { readonly kind: 'added'; readonly pass: number; readonly progress: PassProgress }
  | { readonly kind: 'finished'; readonly pass: number; readonly collected: readonly Collected[] }
  | { readonly kind: 'failed'; readonly pass: number; readonly message: string };

export function packRecords(records: readonly RecordEntry[]): PackedRecords {
  const sizeBytes = records.reduce((sum, { payload }) => sum + payload.length, 0);
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  const places = new Float64Array(records.length * 2);
  let at = 0;
  for (const [index, { sequence, payload }] of records.entries()) {
    bytes.set(payload, at);
    at += payload.length;
    places[index * 2] = sequence;
    places[index * 2 + 1] = payload.length;
  }
  return { bytes, places };
}

/** The records, whose payloads are views of the packed bytes. */
export function unpackRecords({ bytes, places }: PackedRecords): readonly RecordEntry[] {
  let at = 0;
  return Array.from({ length: places.length / 2 }, (_, index) => {
    const payload = bytes.subarray(at, (at += places[index * 2 + 1] as number));
    return { sequence: places[index * 2] as number, payload };
  });
}
