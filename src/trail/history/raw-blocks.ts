import { once } from 'node:events';
import { constants, createZstdCompress, zstdDecompressSync, type ZstdCompress } from 'node:zlib';
import { openByteWriter } from './byte-writer.ts';
import { blockBytes, blockRecords } from './segment-format.ts';

/**
 * Raw records in blocks of up to 32 (measured: 16 take 3 % more space), each block one zstd frame with a checksum, compressed with a dictionary of plain
 * records. How it looks unpacked: FORMAT.md, Segment files.
 */
export interface RawBlock {
  readonly records: number;
  /** The bytes of a record; a view. */
  record(slot: number): Buffer;
  /** The records' bytes one behind the other, with or without a byte of zero between them, for searching in all at once. */
  readonly body: Buffer;
  readonly sizeBytes: number;
}

/** In a block's first byte: each record is followed by a byte of zero, and there are no lengths. */
const zeroEnded = 0x80;

/** Where each record begins and ends, of a block that says their lengths. */
function placesByLengths(bytes: Buffer, records: number): readonly number[] {
  const lengths: number[] = [];
  let at = 1;
  for (let slot = 0; slot < records; slot += 1) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at] as number;
      at += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    lengths.push(length);
  }
  return lengths.flatMap((length) => {
    const start = at;
    at += length;
    return [start, at];
  });
}

function placesByZeros(bytes: Buffer, records: number): readonly number[] {
  const places: number[] = [];
  let start = 1;
  for (let slot = 0; slot < records; slot += 1) {
    const end = bytes.indexOf(0, start);
    places.push(start, end);
    start = end + 1;
  }
  return places;
}

/** Unpacks a block. Throws when the frame is damaged (its checksum tells). */
export function unpackBlock(frame: Uint8Array, dictionary: Buffer | undefined): RawBlock {
  const bytes = zstdDecompressSync(
    frame,
    dictionary ? { dictionary, chunkSize: 65_536 } : { chunkSize: 65_536 },
  );
  const head = bytes[0] as number;
  const records = head & ~zeroEnded;
  const places = head & zeroEnded ? placesByZeros(bytes, records) : placesByLengths(bytes, records);
  return {
    records,
    record: (slot) => bytes.subarray(places[slot * 2], places[slot * 2 + 1]),
    body: bytes.subarray(places[0]),
    sizeBytes: bytes.length,
  };
}

/** The bytes of a block before they are compressed. JSON has no byte of zero; what is no JSON is kept with lengths. */
function layOut(records: readonly Uint8Array[]): Uint8Array {
  const isZeroEnded = !records.some((record) => record.includes(0));
  const block = openByteWriter(records.reduce((sum, record) => sum + record.length + 3, 1));
  block.u8(isZeroEnded ? records.length | zeroEnded : records.length);
  if (!isZeroEnded) for (const record of records) block.varint(record.length);
  for (const record of records) {
    block.bytes(record);
    if (isZeroEnded) block.u8(0);
  }
  return block.view();
}

/** Compresses blocks with one dictionary, which is prepared once. */
export interface BlockPacker extends AsyncDisposable {
  pack(records: readonly Uint8Array[]): Promise<Buffer>;
}

/**
 * A stream of zstd whose frames are ended one by one: that way the dictionary is prepared once and not for each block,
 * and the work happens beside the thread that asks.
 */
export function openBlockPacker(dictionary: Buffer | undefined, level: number): BlockPacker {
  const stream: ZstdCompress = createZstdCompress({
    chunkSize: 65_536,
    // Each write is a frame of its own.
    flush: constants.ZSTD_e_end,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      // Records are full of short random parts: shorter matches were measured to cost more than they save, in both ways.
      [constants.ZSTD_c_minMatch]: 6,
      // Enough for the dictionary and a block; a larger window only costs memory at both ends.
      [constants.ZSTD_c_windowLog]: 18,
    },
    ...(dictionary ? { dictionary } : {}),
  });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return {
    async pack(records) {
      await new Promise<void>((resolve, reject) => {
        stream.write(layOut(records), (error) => (error ? reject(error) : resolve()));
      });
      return Buffer.concat(chunks.splice(0));
    },
    async [Symbol.asyncDispose]() {
      const closed = once(stream, 'close');
      stream.destroy();
      await closed;
    },
  };
}

/** Cuts records into blocks, in order: whole numbers of where each block ends. */
export function blockEnds(lengths: (index: number) => number, count: number): readonly number[] {
  const ends: number[] = [];
  let start = 0;
  let size = 0;
  for (let index = 0; index < count; index += 1) {
    const length = lengths(index);
    if (index > start && (index - start === blockRecords || size + length > blockBytes)) {
      ends.push(index);
      start = index;
      size = 0;
    }
    size += length;
  }
  if (count > start) ends.push(count);
  return ends;
}
