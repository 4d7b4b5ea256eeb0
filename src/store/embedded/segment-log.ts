import { join } from 'node:path';
import { assert, limits, sequence, type Logger, type Random, type Sequence } from '../../kernel/index.ts';
import { defaultInFlightBounds, openInFlight, type InFlightBounds } from '../in-flight.ts';
import type { Log, LogEntry } from '../log-port.ts';
import type { FileSystem } from './file-system.ts';
import { openGroupCommit, type WaitingGroup } from './group-commit.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { parseSegmentName, type SegmentName } from './segment-file.ts';
import { readSegments } from './segment-reader.ts';
import { recoverSegment } from './segment-recovery.ts';
import { openSegmentWriter } from './segment-writer.ts';
import { describeSegment, type Segment } from './segment.ts';

export interface SegmentLogOptions {
  readonly directory: string;
  readonly random: Random;
  readonly log: Logger;
  readonly files?: FileSystem;
  readonly bounds?: InFlightBounds;
  /** A file is closed once it is this long. */
  readonly segmentBytes?: number;
}

/** The segment files in a directory, oldest first. */
async function namesIn(files: FileSystem, directory: string): Promise<readonly SegmentName[]> {
  const names = (await files.names(directory)).flatMap((file) => parseSegmentName(file) ?? []);
  return names.toSorted((a, b) => a.first - b.first);
}

/** All segments but the last, which was being written: these end where the next begins. */
async function describeSealed(
  files: FileSystem,
  directory: string,
  names: readonly SegmentName[],
): Promise<Segment[]> {
  const sealed: Segment[] = [];
  for (const [index, name] of names.entries()) {
    const next = names[index + 1];
    if (!next) break;
    const path = join(directory, name.file);
    sealed.push(
      describeSegment(name, path, { offset: (await files.sizeOf(path)) ?? 0, sequence: next.first }),
    );
  }
  return sealed;
}

/**
 * Opens a log kept as segment files in a directory (made if it is missing), one process at a time. A torn last write
 * is cut off and said. Rejects with LogFormatError when a later version wrote the files.
 */
export async function openSegmentLog(options: SegmentLogOptions): Promise<Log> {
  const { directory, random, files = nodeFileSystem, segmentBytes = limits.journalSegmentBytes } = options;
  const log = options.log.child({ part: 'log', directory });
  await files.makeDirectory(directory);
  const names = await namesIn(files, directory);
  const segments = await describeSealed(files, directory, names);
  const lastName = names.at(-1);
  const last =
    lastName && (await recoverSegment(files, { name: lastName, path: join(directory, lastName.file) }, log));
  if (last) segments.push(last.segment);
  const writer = await openSegmentWriter(
    { files, directory, random, segmentBytes, segments },
    last?.writable ? last.segment : undefined,
    last?.segment.end.sequence ?? 0,
  );
  const inFlight = openInFlight(options.bounds ?? defaultInFlightBounds);
  const listeners = new Set<(entries: readonly LogEntry[]) => void>();
  let end = sequence(segments.at(-1)?.end.sequence ?? 0);
  let closed = false;

  /** Tells the listeners, then the callers, that a batch is durable. */
  function publish(batch: readonly WaitingGroup[]): void {
    const first = end;
    const entries = batch.flatMap((group) => group.entries);
    end = sequence(first + entries.length);
    if (listeners.size > 0) {
      const durable = entries.map((bytes, index) => ({ sequence: sequence(first + index), bytes }));
      for (const listener of listeners) listener(durable);
    }
    let at = first;
    for (const group of batch) {
      group.resolve(at);
      at = sequence(at + group.entries.length);
    }
  }

  const commits = openGroupCommit(async (batch) => {
    const written = writer.write(batch.map((group) => group.entries));
    const failure = await written.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    return () => {
      for (const group of batch) inFlight.release(group.entries.length, group.bytes);
      if (failure) for (const group of batch) group.reject(failure.error);
      else publish(batch);
    };
  });

  async function append(entries: readonly Uint8Array[]): Promise<Sequence> {
    assert(!closed, 'append to a closed log');
    const bytes = inFlight.admit(entries);
    return new Promise((resolve, reject) => {
      commits.enqueue({ entries, bytes, resolve, reject });
    });
  }

  async function trim(before: Sequence): Promise<void> {
    const gone = segments.slice(0, -1).filter((segment) => segment.end.sequence <= before);
    for (const segment of gone) {
      segment.removed = true;
      segments.shift();
      // The oldest first: a crash in between leaves a log without holes.
      await files.remove(segment.path);
    }
    if (gone.length > 0) await files.syncDirectory(directory);
  }

  return {
    get end() {
      return end;
    },
    get start() {
      return sequence(segments[0]?.name.first ?? 0);
    },
    append,
    read: (from) => readSegments(files, segments, from),
    onDurable(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    trim,
    sizeBytes: async () => segments.reduce((sum, segment) => sum + segment.end.offset, 0),
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await commits.idle();
      await writer[Symbol.asyncDispose]();
    },
  };
}
