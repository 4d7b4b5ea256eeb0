import { assert, sequence, type Clock, type Logger, type Sequence } from '../kernel/index.ts';
import {
  LogFailedError,
  type Cursors,
  type Log,
  type LogBatch,
  type LogDamage,
  type LogEntry,
} from '../store/index.ts';
import { decodeEntry, encodeEntries, EntryFormatError } from './entry-codec.ts';
import { startReader, type RunningReader } from './reader.ts';
import type { JournalEntry, NewEntry, ReaderOptions, Stream, StreamName } from './journal-types.ts';

export interface StreamParts {
  readonly name: StreamName;
  readonly entries: Log;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly log: Logger;
}

interface DecodedBatch {
  readonly entries: readonly JournalEntry[];
  readonly damage: readonly LogDamage[];
}

/** Decodes what was read; an entry that cannot be understood becomes damage, so that it is never skipped silently. */
function decodeBatch(name: StreamName, batch: LogBatch): DecodedBatch {
  const entries: JournalEntry[] = [];
  const damage = [...batch.damage];
  for (const entry of batch.entries) {
    try {
      entries.push(decodeEntry(entry.sequence, entry.bytes));
    } catch (error) {
      if (!(error instanceof EntryFormatError)) throw error;
      damage.push({
        file: `${name}#${entry.sequence}`,
        offset: 0,
        length: entry.bytes.length,
        reason: error.message,
      });
    }
  }
  return { entries, damage };
}

const noteOf = Symbol('note');

/** The bytes of an entry with its note, which stays with them because the log hands live bytes back as it got them. */
interface NotedBytes extends Uint8Array {
  [noteOf]?: unknown;
}

function encodeNoted(entries: readonly NewEntry[], time: number): readonly Uint8Array[] {
  const encoded = encodeEntries(entries, time);
  for (const [index, { note }] of entries.entries()) {
    if (note !== undefined) (encoded[index] as NotedBytes)[noteOf] = note;
  }
  return encoded;
}

function decodeNoted({ sequence: at, bytes }: LogEntry): JournalEntry {
  return decodeEntry(at, bytes, (bytes as NotedBytes)[noteOf]);
}

/** Opens a stream over a log. It does not own the log: whoever opened that closes it after the stream. */
export function openStream(parts: StreamParts): Stream & AsyncDisposable {
  const { name, entries: log, cursors, clock } = parts;
  const running = new Set<RunningReader>();
  let failure: LogFailedError | undefined;

  function deliver(durable: readonly LogEntry[]): void {
    const live = [...running].filter((reader) => reader.live);
    if (live.length > 0) {
      const entries = durable.map(decodeNoted);
      const bytes = durable.reduce((sum, entry) => sum + entry.bytes.length, 0);
      for (const reader of live) reader.offer(entries, bytes);
    }
  }
  const stopListening = log.onDurable(deliver);

  async function* read(from: Sequence): AsyncGenerator<DecodedBatch> {
    for await (const batch of log.read(from)) yield decodeBatch(name, batch);
  }

  /** Where a reader begins. A cursor outside the log means that entries are gone, which is said as damage. */
  function startOf(options: ReaderOptions): Sequence {
    const wanted = options.from ?? cursors.all().get(options.name);
    if (wanted === undefined) return log.start;
    const gone =
      wanted < log.start
        ? `entries ${wanted} to ${log.start - 1} are gone, although reader ${options.name} still needed them`
        : `the journal ends at ${log.end}, although reader ${options.name} had read up to ${wanted}`;
    if (wanted >= log.start && wanted <= log.end) return wanted;
    const damage = { file: name, offset: 0, length: 0, reason: gone };
    parts.log.error({ stream: name, reader: options.name, damage }, 'the journal lost entries');
    options.onDamage?.(damage);
    return wanted < log.start ? log.start : log.end;
  }

  async function follow(options: ReaderOptions) {
    assert(
      ![...running].some(({ reader }) => reader.name === options.name),
      `reader ${options.name} of ${name} runs already`,
    );
    const started = startReader(
      options,
      { from: startOf(options), checkpointed: cursors.all().get(options.name) },
      {
        stream,
        clock,
        log: parts.log,
        saveCursor: (safe) => cursors.save(options.name, safe),
        closed: () => void running.delete(started),
      },
    );
    running.add(started);
    return started.reader;
  }

  /** The smallest cursor of all readers, running or not; nothing may go while one of them has none. */
  function safeToTrim(): Sequence {
    const known = [
      ...cursors.all().values(),
      ...[...running].map((reader) => reader.checkpointed ?? log.start),
    ];
    return known.length === 0 ? log.start : sequence(Math.min(...known));
  }

  const stream: Stream & AsyncDisposable = {
    name,
    get start() {
      return log.start;
    },
    get end() {
      return log.end;
    },
    get failure() {
      return failure;
    },
    async append(entries) {
      try {
        return await log.append(encodeNoted(entries, clock.now()));
      } catch (error) {
        if (error instanceof LogFailedError) failure ??= error;
        throw error;
      }
    },
    follow,
    read,
    get readers() {
      return [...running].map(({ reader }) => reader);
    },
    cursorOf: (reader) => cursors.all().get(reader),
    trim: () => log.trim(safeToTrim()),
    sizeBytes: () => log.sizeBytes(),
    async [Symbol.asyncDispose]() {
      for (const { reader } of [...running].toReversed()) await reader[Symbol.asyncDispose]();
      stopListening();
    },
  };
  return stream;
}
