import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';

/** A log file that is being put together. */
export interface LogFileBuilder {
  /** Adds the bytes of a record; resolves (or is done at once) when there is room for the next. */
  add(record: Uint8Array, eventTime: number): Promise<void> | undefined;
  /** Bytes that are ready, packed. */
  readonly packedBytes: number;
  readonly records: number;
  finish(): Promise<BuiltFile>;
  /** Gives it up. */
  discard(): void;
}

/** A log file as it is put. */
export interface BuiltFile {
  /** One gzip member. */
  readonly body: Uint8Array;
  /** SHA-256 of the inflated bytes, in hexadecimal. */
  readonly sha256: string;
  readonly records: number;
  readonly oldestEventTime: number;
  readonly newestEventTime: number;
}

/** So much is packed at a time: a few milliseconds of one thread of Node's pool. */
const chunkBytes = 256 * 1024;
const packedChunkBytes = 64 * 1024;
/** Packs about twice as fast as the default, into some 10 % more. */
const level = 4;

const opening = Buffer.from('{"Records":[');
const closing = Buffer.from(']}');
const comma = 0x2c;

/**
 * Puts a log file together: `{"Records":[…]}` around the records as they are, in one gzip member, packed outside the main
 * thread. Holds one chunk unpacked and the packed bytes.
 */
export function openLogFile(): LogFileBuilder {
  const gzip = createGzip({ level, chunkSize: packedChunkBytes });
  const hash = createHash('sha256');
  const packed: Buffer[] = [];
  let packedBytes = 0;
  let failure: Error | undefined;
  let records = 0;
  let oldestEventTime = Infinity;
  let newestEventTime = -Infinity;
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let filled = opening.copy(chunk);
  gzip.on('data', (bytes: Buffer) => {
    packed.push(bytes);
    packedBytes += bytes.length;
  });
  gzip.on('error', (error) => (failure = error));

  const pack = async (bytes: Buffer): Promise<void> => {
    hash.update(bytes);
    await new Promise<void>((resolve, reject) => {
      gzip.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    if (failure) throw failure;
  };

  /** Nobody adds before this resolves, so the chunk is used again. */
  const packChunk = async (): Promise<void> => {
    await pack(chunk.subarray(0, filled));
    filled = 0;
  };

  const addToNext = async (record: Uint8Array): Promise<void> => {
    await packChunk();
    chunk.set(record, filled);
    filled += record.length;
  };

  const addLarge = async (record: Uint8Array): Promise<void> => {
    await packChunk();
    await pack(Buffer.from(record));
  };

  return {
    add(record, eventTime) {
      oldestEventTime = Math.min(oldestEventTime, eventTime);
      newestEventTime = Math.max(newestEventTime, eventTime);
      if (records > 0) chunk[filled++] = comma;
      records++;
      // The comma of the next record has to fit as well.
      if (filled + record.length < chunkBytes - closing.length) {
        chunk.set(record, filled);
        filled += record.length;
        return undefined;
      }
      return record.length >= chunkBytes / 2 ? addLarge(record) : addToNext(record);
    },
    get packedBytes() {
      return packedBytes;
    },
    get records() {
      return records;
    },
    async finish() {
      filled += closing.copy(chunk, filled);
      await packChunk();
      gzip.end();
      await once(gzip, 'end');
      const body = Buffer.concat(packed);
      return { body, sha256: hash.digest('hex'), records, oldestEventTime, newestEventTime };
    },
    discard: () => gzip.destroy(),
  };
}
