import { OverloadError, type Clock } from '../../kernel/index.ts';
import type { NewEntry, Stream } from '../../journal/index.ts';
import type { Applied, HistoryReader } from '../history-reader.ts';
import { entryOf, type LaidOutRecords } from '../laid-out-records.ts';

const groupEntries = 512;
const groupBytes = 1024 * 1024;
/** Groups of one file that are under way at once, so that they share the journal's writes. */
const groupsInFlight = 4;
const firstPauseMs = 20;
/** How long one group waits for room in the journal. */
const patienceMs = 5_000;

/** Laid out records as journal entries, in groups. */
function* groupsOf(records: LaidOutRecords): Iterable<readonly NewEntry[]> {
  let group: NewEntry[] = [];
  let size = 0;
  for (let index = 0; index < records.spans.length / 2; index += 1) {
    const entry = entryOf('imported', records, index);
    const { length } = entry.payload;
    if (group.length >= groupEntries || (group.length > 0 && size + length > groupBytes)) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(entry);
    size += length;
  }
  if (group.length > 0) yield group;
}

export interface AppendOptions {
  readonly stream: Stream;
  readonly historyReader: Pick<HistoryReader, 'countGroup'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function appendGroup(options: AppendOptions, group: readonly NewEntry[]): Promise<Applied> {
  const { stream, historyReader, clock, signal } = options;
  for (let pauseMs = firstPauseMs, waitedMs = 0; ; waitedMs += pauseMs, pauseMs *= 2) {
    try {
      return await historyReader.countGroup(stream.append(group), group.length);
    } catch (error) {
      if (!(error instanceof OverloadError) || waitedMs >= patienceMs) throw error;
      await clock.sleep(pauseMs, signal);
    }
  }
}

/**
 * Appends the records of a file to the journal and resolves once all of them are durable and searchable. Rejects with
 * OverloadError or DiskFullError when the journal does not take them; what it took until then stays, and is counted as
 * duplicates when the file comes again.
 */
export async function appendRecords(options: AppendOptions, records: LaidOutRecords): Promise<Applied> {
  let added = 0;
  let duplicates = 0;
  const groups = groupsOf(records)[Symbol.iterator]();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const work = async () => {
    for (let group = groups.next(); !group.done; group = groups.next()) {
      signal.throwIfAborted();
      const applied = await appendGroup({ ...options, signal }, group.value);
      added += applied.added;
      duplicates += applied.duplicates;
    }
  };
  const lanes = Array.from({ length: groupsInFlight }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
  return { added, duplicates };
}
