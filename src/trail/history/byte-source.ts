/**
 * Random reads of checked bytes: a section of a segment through the page cache, or a buffer in memory. Offsets are
 * relative to the section.
 */
export interface ByteSource {
  readonly length: number;
  /** `length` bytes from `offset`; a view where possible, so it is neither changed nor kept. */
  bytes(offset: number, length: number): Buffer;
}

export function sourceOfBuffer(buffer: Buffer): ByteSource {
  return {
    length: buffer.length,
    bytes: (offset, length) => buffer.subarray(offset, offset + length),
  };
}
