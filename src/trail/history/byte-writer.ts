/** A buffer that grows while it is written. Numbers are little-endian. */
export interface ByteWriter {
  readonly length: number;
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  f64(value: number): void;
  /** The lowest `width` bytes (1 to 6) of a whole number. */
  uint(value: number, width: number): void;
  /** LEB128 of a whole number up to 2^32 - 1. */
  varint(value: number): void;
  bytes(value: Uint8Array): void;
  /** Overwrites four bytes that were written before. */
  setU32(at: number, value: number): void;
  /** What was written, without copying; good until the next write. */
  view(): Buffer;
}

export function openByteWriter(capacity = 4096): ByteWriter {
  let buffer = Buffer.allocUnsafe(capacity);
  let length = 0;
  /** Makes room, which may replace `buffer`: so it is called before `buffer` is looked at. */
  const room = (more: number): number => {
    if (length + more > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more));
      buffer.copy(larger, 0, 0, length);
      buffer = larger;
    }
    const at = length;
    length += more;
    return at;
  };
  return {
    get length() {
      return length;
    },
    u8(value) {
      const at = room(1);
      buffer[at] = value;
    },
    u16(value) {
      const at = room(2);
      buffer.writeUInt16LE(value, at);
    },
    u32(value) {
      const at = room(4);
      buffer.writeUInt32LE(value, at);
    },
    f64(value) {
      const at = room(8);
      buffer.writeDoubleLE(value, at);
    },
    uint(value, width) {
      const at = room(width);
      buffer.writeUIntLE(value, at, width);
    },
    varint(value) {
      let rest = value;
      let at = room(5);
      while (rest >= 0x80) {
        buffer[at] = (rest & 0x7f) | 0x80;
        at += 1;
        rest >>>= 7;
      }
      buffer[at] = rest;
      length = at + 1;
    },
    bytes(value) {
      const at = room(value.length);
      buffer.set(value, at);
    },
    setU32(at, value) {
      buffer.writeUInt32LE(value, at);
    },
    view: () => buffer.subarray(0, length),
  };
}
