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

/** One page: the sequence of its first entry, then a hash for each entry; an entry without hash has zeros. */
function encodePage(first: Sequence, entries: readonly JournalEntry[]): Uint8Array {
  const page = Buffer.alloc(headBytes + entries.length * hashBytes);
  page.writeBigUInt64LE(BigInt(first));
  entries.forEach((entry, index) => {
    if (entry.hash) page.set(entry.hash, headBytes + index * hashBytes);
  });
  return page;
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

/** Consecutive runs of entries: damage in the stream leaves gaps, and a page has none. */
function runsOf(entries: readonly JournalEntry[]): JournalEntry[][] {
  const runs: JournalEntry[][] = [];
  let expected = -1;
  for (const entry of entries) {
    if (entry.sequence === expected) runs.at(-1)?.push(entry);
    else runs.push([entry]);
    expected = entry.sequence + 1;
  }
  return runs;
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
  let gathered: JournalEntry[] = [];
  let timer: { cancel(): void } | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    const entries = gathered;
    const end = entries.at(-1)?.sequence;
    if (end === undefined) return;
    gathered = [];
    try {
      await pages.append(runsOf(entries).map((run) => encodePage((run[0] as JournalEntry).sequence, run)));
    } catch (error) {
      gathered = [...entries, ...gathered];
      throw error;
    }
    // What is being applied right now counts as applied only when `apply` has returned.
    await reader.checkpoint(sequence(Math.min(end + 1, reader.applied)));
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
      // Without the payloads: the hashes are all that is waited with.
      gathered.push(...entries.map((entry) => ({ ...entry, payload: new Uint8Array() })));
      if (gathered.length >= gatherEntries) await writeNext();
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
