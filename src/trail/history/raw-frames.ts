import { readExactly, SegmentDamage } from './segment-format.ts';

/**
 * Finds the compressed blocks of a damaged segment without its index, by the zstd frames themselves (RFC 8878): each
 * says where it ends. Behind bytes that are no frame, the next frame is looked for by its magic number.
 */
export interface RawFrame {
  readonly offset: number;
  readonly bytes: Buffer;
}

const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The length of the frame at the start of `bytes`; undefined when there is none, or not all of it. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 6 || !bytes.subarray(0, 4).equals(magic)) return undefined;
  const descriptor = bytes[4] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  let at = 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.length) return undefined;
    const head = bytes.readUIntLE(at, 3);
    isLast = (head & 1) === 1;
    const kind = (head >> 1) & 3;
    if (kind === 3) return undefined;
    at += 3 + (kind === 1 ? 1 : head >> 3);
  }
  at += (descriptor & 4) === 0 ? 0 : 4;
  return at <= bytes.length ? at : undefined;
}

/** More than any block takes: 32 records, or one of the largest. */
const windowBytes = 2 * 1024 * 1024;

/** Walks the frames between two offsets of a file. What is no frame is passed over; `skipped` is told. */
export function* walkFrames(
  handle: number,
  file: string,
  [start, end]: readonly [number, number],
  skipped: (offset: number, length: number) => void,
): Generator<RawFrame> {
  let offset = start;
  while (offset < end) {
    let window: Buffer;
    try {
      window = readExactly(handle, file, offset, Math.min(windowBytes, end - offset));
    } catch (error) {
      if (!(error instanceof SegmentDamage)) throw error;
      skipped(offset, end - offset);
      return;
    }
    const length = frameLength(window);
    if (length !== undefined) {
      yield { offset, bytes: window.subarray(0, length) };
      offset += length;
      continue;
    }
    const next = window.indexOf(magic, 1);
    const passed = next < 0 ? window.length : next;
    skipped(offset, passed);
    offset += passed;
  }
}
