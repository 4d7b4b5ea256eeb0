import type { Sequence } from '../../kernel/index.ts';
import type { Collected, CollectBounds, CollectingTrail, PassProgress, RecordEntry } from './collect-pass.ts';
import type { TrailChange } from './trail-changes.ts';

/** Records for the way between threads: their bytes one behind the other, so that they are moved as one. */
export interface PackedRecords {
  /** Where the bytes are, and perhaps more room. It comes back with the answer and is used again. */
  readonly memory: ArrayBuffer;
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
  | {
      readonly kind: 'added';
      readonly pass: number;
      readonly progress: PassProgress;
      readonly memory: ArrayBuffer;
    }
  | { readonly kind: 'finished'; readonly pass: number; readonly collected: readonly Collected[] }
  | { readonly kind: 'failed'; readonly pass: number; readonly message: string };

const memoryStep = 256 * 1024;

/** Packs records, into `memory` if there is room in it. */
export function packRecords(records: readonly RecordEntry[], memory: ArrayBuffer | undefined): PackedRecords {
  const sizeBytes = records.reduce((sum, { payload }) => sum + payload.length, 0);
  const isRoomy = memory !== undefined && memory.byteLength >= sizeBytes;
  const into = isRoomy ? memory : new ArrayBuffer(Math.ceil(sizeBytes / memoryStep) * memoryStep);
  const bytes = new Uint8Array(into);
  const places = new Float64Array(records.length * 2);
  let at = 0;
  for (const [index, { sequence, payload }] of records.entries()) {
    bytes.set(payload, at);
    at += payload.length;
    places[index * 2] = sequence;
    places[index * 2 + 1] = payload.length;
  }
  return { memory: into, places };
}

/** The records, whose payloads are views of the memory. */
export function unpackRecords({ memory, places }: PackedRecords): readonly RecordEntry[] {
  let at = 0;
  return Array.from({ length: places.length / 2 }, (_, index) => {
    const payload = Buffer.from(memory, at, places[index * 2 + 1]);
    at += payload.length;
    return { sequence: places[index * 2] as number, payload };
  });
}
