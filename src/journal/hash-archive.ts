import { sequence, type Clock, type Logger, type Sequence } from '../kernel/index.ts';
import type { Log } from '../store/index.ts';
import type { JournalEntry, Reader, ReaderOptions, Stream } from './journal-types.ts';

const hashBytes = 32;
const headBytes = 8;
/** Hashes wait for others, so that one sync serves many; the journal keeps their entries meanwhile. */
const gatherMs = 1000;
const gatherEntries = 8192;

export interface ArchivedHash {
  readonly sequence: Sequence;
  /** SHA-256 of the entry's payload. */
  readonly hash: Uint8Array;
}

/** The hashes of entries that follow one another without a gap. */
export interface ArchivedPage {
  readonly first: Sequence;
  /** 32 bytes for each entry; zeros for one without a hash. */
  readonly hashes: Uint8Array;
}

/** The hashes of a stream's entries, kept for good. */
export interface HashArchive extends AsyncDisposable {
  readonly reader: Reader;
  /** The hashes of all records so far, in order; entries without one (a `change`) are passed over. */
  read(): AsyncIterable<ArchivedHash>;
  /**
   * The same in bulk, as it was written: stretches that end behind `from`, in order. A failed write that was tried again
   * may have left an entry in two of them.
   */
  pages(from: Sequence): AsyncIterable<ArchivedPage>;
}

/** Hashes that are gathered: those of entries that follow one another without a gap, as they will be written. */
interface OpenPage {
  readonly first: Sequence;
  /** The sequence of the first entry, then a hash for each entry; an entry without hash has zeros. */
  readonly bytes: Buffer;
  count: number;
}

function openPage(first: Sequence): OpenPage {
  const bytes = Buffer.alloc(headBytes + gatherEntries * hashBytes);
  bytes.writeBigUInt64LE(BigInt(first));
  return { first, bytes, count: 0 };
}

const endOf = ({ first, count }: OpenPage) => sequence(first + count);

/** Adds an entry's hash. It is copied, because the entry's would hold the whole entry in memory. */
function addHash(pages: OpenPage[], { sequence: at, hash }: JournalEntry): void {
  let page = pages.at(-1);
  // Damage in the stream leaves gaps, and a page has none.
  if (!page || page.count === gatherEntries || endOf(page) !== at) {
    page = openPage(at);
    pages.push(page);
  }
  if (hash) page.bytes.set(hash, headBytes + page.count * hashBytes);
  page.count += 1;
}

function firstOf(page: Uint8Array): Sequence {
  return sequence(Number(Buffer.from(page.buffer, page.byteOffset, headBytes).readBigUInt64LE()));
}

function* hashesOf(page: Uint8Array): Generator<ArchivedHash> {
  const first = firstOf(page);
  for (let at = headBytes; at < page.length; at += hashBytes) {
    const hash = page.subarray(at, at + hashBytes);
    if (hash.some((byte) => byte !== 0))
      yield { sequence: sequence(first + (at - headBytes) / hashBytes), hash };
  }
}

async function lastPage(log: Log): Promise<Uint8Array | undefined> {
  for await (const { entries } of log.read(sequence(Math.max(log.start, log.end - 1)))) {
    const last = entries.at(-1);
    if (last) return last.bytes;
  }
  return undefined;
}

/**
 * Keeps the SHA-256 of every record of a stream in a log of its own that is never trimmed: a Merkle tree can be built on
 * it after the entries themselves were let go. It is a reader of the stream, so that nothing is let go before its hash
 * is durable. The archive owns `pages`.
 */
export async function openHashArchive(options: {
  readonly stream: Stream;
  readonly pages: Log;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onDamage?: ReaderOptions['onDamage'];
}): Promise<HashArchive> {
  const { stream, pages, clock, log } = options;
  const last = await lastPage(pages);
  const from = last && sequence(firstOf(last) + (last.length - headBytes) / hashBytes);
  let gathered: OpenPage[] = [];
  let timer: { cancel(): void } | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    const full = gathered;
    const last = full.at(-1);
    if (!last) return;
    gathered = [];
    try {
      await pages.append(full.map(({ bytes, count }) => bytes.subarray(0, headBytes + count * hashBytes)));
    } catch (error) {
      gathered = [...full, ...gathered];
      throw error;
    }
    // What is being applied right now counts as applied only when `apply` has returned.
    await reader.checkpoint(sequence(Math.min(endOf(last), reader.applied)));
  }

  function writeNext(): Promise<void> {
    writing = writing.catch(() => {}).then(write);
    return writing;
  }

  const reader = await stream.follow({
    name: 'hashes',
    ...(from === undefined ? {} : { from }),
    ...(options.onDamage && { onDamage: options.onDamage }),
    async apply(entries) {
      for (const entry of entries) addHash(gathered, entry);
      if (gathered.reduce((sum, { count }) => sum + count, 0) >= gatherEntries) await writeNext();
      else {
        timer ??= clock.after(gatherMs, () => {
          writeNext().catch((error: unknown) =>
            log.error({ err: error }, 'hashes could not be kept; they are tried again'),
          );
        });
      }
    },
  });
  return {
    reader,
    async *read() {
      await writeNext();
      for await (const { entries } of pages.read(pages.start)) {
        for (const { bytes } of entries) yield* hashesOf(bytes);
      }
    },
    async *pages(from) {
      await writeNext();
      for await (const { entries } of pages.read(pages.start)) {
        for (const { bytes } of entries) {
          const page = { first: firstOf(bytes), hashes: bytes.subarray(headBytes) };
          if (page.first + page.hashes.length / hashBytes > from) yield page;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await writeNext().catch((error: unknown) =>
        log.error({ err: error }, 'the last hashes are kept at the next start'),
      );
      await pages[Symbol.asyncDispose]();
    },
  };
}
