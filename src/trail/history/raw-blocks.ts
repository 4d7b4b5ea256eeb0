import { once } from 'node:events';
import { constants, createZstdCompress, zstdDecompressSync, type ZstdCompress } from 'node:zlib';
import { openByteWriter } from './byte-writer.ts';
import { blockBytes, blockRecords } from './segment-format.ts';

/**
 * Raw records in blocks of up to 32 (measured: 16 take 3 % more space), each block one zstd frame with a checksum, compressed with a dictionary of plain
 * records. Unpacked, a block is: the number of records (u8), the length of each (varint), the records.
 */
export interface RawBlock {
  readonly records: number;
  /** The bytes of a record; a view. */
  record(slot: number): Buffer;
  /** The records' bytes one behind the other, for searching in all at once. */
  readonly body: Buffer;
  readonly sizeBytes: number;
}

/** Unpacks a block. Throws when the frame is damaged (its checksum tells). */
export function unpackBlock(frame: Uint8Array, dictionary: Buffer | undefined): RawBlock {
  const bytes = zstdDecompressSync(
    frame,
    dictionary ? { dictionary, chunkSize: 65_536 } : { chunkSize: 65_536 },
  );
  const records = bytes[0] as number;
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
  const starts = [at];
  for (const length of lengths) starts.push((starts.at(-1) as number) + length);
  return {
    records,
    record: (slot) => bytes.subarray(starts[slot], starts[slot + 1]),
    body: bytes.subarray(at),
    sizeBytes: bytes.length,
  };
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
      const size = records.reduce((sum, record) => sum + record.length + 3, 1);
      const block = openByteWriter(size);
      block.u8(records.length);
      for (const record of records) block.varint(record.length);
      for (const record of records) block.bytes(record);
      await new Promise<void>((resolve, reject) => {
        stream.write(block.view(), (error) => (error ? reject(error) : resolve()));
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
