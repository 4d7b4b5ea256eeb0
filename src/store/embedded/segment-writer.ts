import { crc32 } from 'node:zlib';
import { DiskFullError, limits, saysNoRoom, type Random } from '../../kernel/index.ts';
import { LogFailedError } from '../log-failed-error.ts';
import { type FileSystem, type OpenFile } from './file-system.ts';
import { frameHeadBytes, writeFrameHead } from './frame.ts';
import { openReusedMemory, type Memory } from './reused-memory.ts';
import { nameSegment, segmentHeader, segmentHeaderBytes, segmentPath } from './segment-file.ts';
import { describeSegment, rememberPlace, type Segment } from './segment.ts';

export interface SegmentWriter extends AsyncDisposable {
  /**
   * Writes the groups behind one another and makes them durable. Rejects with DiskFullError when there is no room;
   * then nothing of them is in the log. Rejects with LogFailedError, now and ever after, when the disk failed.
   */
  write(groups: readonly (readonly Uint8Array[])[]): Promise<void>;
}

export interface WriterParts {
  readonly files: FileSystem;
  readonly directory: string;
  readonly random: Random;
  readonly segmentBytes: number;
  /** The log's segments, oldest first; the writer adds to them when it begins a new file. */
  readonly segments: Segment[];
}

interface ActiveFile {
  readonly segment: Segment;
  readonly file: OpenFile;
}

function failure(path: string, cause: unknown): LogFailedError {
  const said = `writing ${path} failed; nothing more is taken until a restart has checked the file: ${String(cause)}`;
  return new LogFailedError(said, { cause });
}

/** What is written at once: the frames' bytes, and how many they are. */
interface Frames {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Each entry's frame head and its bytes, one behind the other. */
function framesOf(
  groups: readonly (readonly Uint8Array[])[],
  first: number,
  salt: number,
  memory: Memory,
): Frames {
  let sizeBytes = 0;
  for (const group of groups) for (const entry of group) sizeBytes += frameHeadBytes + entry.length;
  const bytes = memory(sizeBytes);
  let at = 0;
  let sequence = first;
  for (const group of groups) {
    for (const [index, entry] of group.entries()) {
      const more = index < group.length - 1;
      const sizes = { payloadBytes: entry.length, payloadCrc: crc32(entry) };
      writeFrameHead(bytes, at, { sequence, more, mark: false, batchFirst: first, ...sizes }, salt);
      bytes.set(entry, at + frameHeadBytes);
      at += frameHeadBytes + entry.length;
      sequence += 1;
    }
  }
  return { bytes, count: sequence - first };
}

/** A frame without an entry, which says to the next start that everything before it was durable. */
function markOf(sequence: number, salt: number): Uint8Array {
  const head = Buffer.allocUnsafe(frameHeadBytes);
  const none = { payloadBytes: 0, payloadCrc: 0 };
  writeFrameHead(head, 0, { sequence, more: false, mark: true, batchFirst: sequence, ...none }, salt);
  return head;
}

/** Two files must never claim the same entries, so a file that could not be begun has to go before another try. */
async function removeFailed(
  { files, directory }: WriterParts,
  { file, path }: { readonly file: OpenFile; readonly path: string },
  cause: unknown,
): Promise<void> {
  try {
    await file[Symbol.asyncDispose]();
    await files.remove(path);
    await files.syncDirectory(directory);
  } catch {
    throw failure(path, cause);
  }
}

/** Begins a new segment file; when that fails, nothing of it stays. */
async function createSegment(parts: WriterParts, first: number): Promise<ActiveFile> {
  const { files, directory, random } = parts;
  const name = nameSegment(first, random);
  const path = segmentPath(directory, name);
  const file = await files.open(path, 'create');
  try {
    await file.write([segmentHeader(name)], 0);
    await file.datasync();
    await files.syncDirectory(directory);
  } catch (error) {
    await removeFailed(parts, { file, path }, error);
    throw error;
  }
  return { file, segment: describeSegment(name, path, { offset: segmentHeaderBytes, sequence: first }) };
}

/**
 * Opens the writer of a log's last segment, or of a new one where `parts.segments` has none to write on (then
 * `next` is the sequence to begin at).
 */
export async function openSegmentWriter(
  parts: WriterParts,
  last: Segment | undefined,
  next: number,
): Promise<SegmentWriter> {
  let failed: LogFailedError | undefined;
  /** There is one write at a time. A write of many small pieces would cost the system more than copying them together. */
  const memory = openReusedMemory(limits.journalBatchBytes);
  let active: ActiveFile = last
    ? { segment: last, file: await parts.files.open(last.path, 'change') }
    : await createSegment(parts, next);
  if (!last) parts.segments.push(active.segment);

  function fail(cause: unknown): LogFailedError {
    failed ??= failure(active.segment.path, cause);
    return failed;
  }

  /** Takes a failed write back, so that nothing of it is found later, and says what became of it. */
  async function takeBack({ file, segment }: ActiveFile, cause: unknown): Promise<Error> {
    try {
      await file.truncate(segment.end.offset);
      await file.datasync();
    } catch (error) {
      return fail(saysNoRoom(cause) ? error : cause);
    }
    // After a failed sync other than for room the system may have dropped pages: they must not be taken for written.
    if (!saysNoRoom(cause)) return fail(cause);
    return new DiskFullError(
      `no room on the disk of ${segment.path}; nothing was recorded, reading goes on`,
      { cause },
    );
  }

  async function writeActive(bytes: Uint8Array): Promise<void> {
    try {
      await active.file.write([bytes], active.segment.end.offset);
      await active.file.datasync();
    } catch (error) {
      throw await takeBack(active, error);
    }
  }

  async function roll(): Promise<void> {
    const begun = await createSegment(parts, active.segment.end.sequence).catch((error: unknown) => {
      if (error instanceof LogFailedError) failed = error;
      if (!saysNoRoom(error)) throw error;
      throw new DiskFullError(
        `no room for a new file in ${parts.directory}; nothing was recorded, reading goes on`,
        {
          cause: error,
        },
      );
    });
    const full = active;
    active = begun;
    parts.segments.push(begun.segment);
    await full.file[Symbol.asyncDispose]();
  }

  return {
    async write(groups) {
      if (failed) throw failed;
      if (active.segment.end.offset >= parts.segmentBytes) await roll();
      const { segment } = active;
      const { offset, sequence: first } = segment.end;
      const { bytes, count } = framesOf(groups, first, segment.name.salt, memory);
      await writeActive(bytes);
      rememberPlace(segment, { offset, sequence: first });
      segment.end = { offset: offset + bytes.length, sequence: first + count };
    },
    async [Symbol.asyncDispose]() {
      const { segment, file } = active;
      const { offset, sequence } = segment.end;
      // Without the mark the next start cannot tell a damaged last write from a torn one; nothing else depends on it.
      const marked = failed || writeActive(markOf(sequence, segment.name.salt));
      await Promise.resolve(marked).catch(() => {});
      if (!failed) segment.end = { offset: offset + frameHeadBytes, sequence };
      await file[Symbol.asyncDispose]();
    },
  };
}
