import type { RawBlock } from './raw-blocks.ts';
import { readExactly, SegmentDamage } from './segment-format.ts';

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

/**
 * Finds the blocks of a damaged segment without its index, between two offsets of the file, by the zstd frames themselves
 * (RFC 8878): each says where it ends. The damage may be in what says so: behind a frame that does not unpack, as behind
 * bytes that are no frame, the next one is looked for by its magic number. `skipped` is told what was passed over.
 */
export function* walkBlocks(
  handle: number,
  file: string,
  [start, end]: readonly [number, number],
  {
    unpack,
    skipped,
  }: {
    readonly unpack: (frame: Buffer) => RawBlock | undefined;
    readonly skipped: (offset: number, length: number) => void;
  },
): Generator<RawBlock> {
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
    const block = length === undefined ? undefined : unpack(window.subarray(0, length));
    if (length !== undefined && block) {
      yield block;
      offset += length;
      continue;
    }
    const next = window.indexOf(magic, 1);
    // A magic number may begin in the window's last bytes.
    const passed = next < 0 ? Math.max(1, window.length - magic.length + 1) : next;
    skipped(offset, passed);
    offset += passed;
  }
}
