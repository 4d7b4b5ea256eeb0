/**
 * A frame of a segment file; `src/journal/FORMAT.md` describes the bytes.
 *
 * The head's checksum is seeded with the file's salt, which is drawn at random and is in no payload, so that a payload
 * cannot pass for a frame when a reader looks for the next good one behind damage.
 */
export interface FrameHead {
  readonly sequence: number;
  /** More frames of the same group follow. */
  readonly more: boolean;
  /** No entry: says that everything before `sequence` was durable when it was written. */
  readonly mark: boolean;
  /** Sequence of the first frame that was written together with this one: all before that was durable by then. */
  readonly batchFirst: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

export const frameHeadBytes = 28;

/** Two bytes that UTF-8 text never contains, so that looking for them skips over JSON fast. */
export const frameMarker = Buffer.from([0xf5, 0xfa]);

const moreFlag = 1;
const markFlag = 2;
const checkedBytes = 24;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** CRC-32 of a head, as zlib's; for so few bytes a call into native code costs more than the sum itself. */
function headCrc(bytes: Buffer, at: number, salt: number): number {
  let value = ~salt;
  for (let index = at; index < at + checkedBytes; index += 1) {
    value = (crcTable[(value ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (value >>> 8);
  }
  return ~value >>> 0;
}

/** Writes a frame's head at `at` of `into`. */
export function writeFrameHead(into: Buffer, at: number, head: FrameHead, salt: number): void {
  into[at] = 0xf5;
  into[at + 1] = 0xfa;
  into[at + 2] = (head.more ? moreFlag : 0) | (head.mark ? markFlag : 0);
  into[at + 3] = 0;
  into.writeUInt32LE(head.payloadBytes, at + 4);
  into.writeUInt32LE(head.sequence % 0x1_0000_0000, at + 8);
  into.writeUInt32LE(Math.floor(head.sequence / 0x1_0000_0000), at + 12);
  into.writeUInt32LE(head.sequence - head.batchFirst, at + 16);
  into.writeUInt32LE(head.payloadCrc, at + 20);
  into.writeUInt32LE(headCrc(into, at, salt), at + checkedBytes);
}

/** The head at `at` of `from`, which holds at least a head's bytes there; undefined when these are none. */
export function readFrameHead(from: Buffer, at: number, salt: number): FrameHead | undefined {
  if (from[at] !== 0xf5 || from[at + 1] !== 0xfa) return undefined;
  if (headCrc(from, at, salt) !== from.readUInt32LE(at + checkedBytes)) return undefined;
  const flags = from[at + 2] ?? 0;
  const sequence = from.readUInt32LE(at + 12) * 0x1_0000_0000 + from.readUInt32LE(at + 8);
  return {
    sequence,
    more: (flags & moreFlag) !== 0,
    mark: (flags & markFlag) !== 0,
    batchFirst: sequence - from.readUInt32LE(at + 16),
    payloadBytes: from.readUInt32LE(at + 4),
    payloadCrc: from.readUInt32LE(at + 20),
  };
}
