import { limits, type Logger } from '../../kernel/index.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { frameHeadBytes } from './frame.ts';
import { scanFrames, type Found } from './frame-scanner.ts';
import { headerHolds, segmentHeader, segmentHeaderBytes, type SegmentName } from './segment-file.ts';
import { describeSegment, rememberPlace, type Place, type Segment } from './segment.ts';

/** More than one write can be: a tail longer than this was not torn by a crash. */
const longestWriteBytes = limits.journalInFlightBytes + limits.journalInFlightEntries * frameHeadBytes;

/** What the scan of the last segment says of its end. */
interface Tail {
  /** Everything before this sequence was durable before the last write began. */
  proven: number;
  /** Where the last whole group ends. */
  whole: Place;
  /** The stretches that are no frames, each with where the last whole group before it ended. */
  readonly damaged: { readonly from: number; readonly whole: Place }[];
}

function follow(tail: Tail, segment: Segment, item: Found): void {
  if (item.kind === 'damage') {
    tail.damaged.push({ from: item.from, whole: tail.whole });
    return;
  }
  const { sequence, batchFirst, more, mark } = item.head;
  rememberPlace(segment, { offset: item.offset, sequence });
  tail.proven = Math.max(tail.proven, batchFirst);
  // Groups end where writes end, so that the begin of a write is the end of a group even if damage hides it.
  if (batchFirst === sequence) tail.whole = { offset: item.offset, sequence };
  if (!more) tail.whole = { offset: item.nextOffset, sequence: mark ? sequence : sequence + 1 };
}

/**
 * Where the content of the segment ends. A stretch that is no frame is either damage to what was durable, which
 * stays and is reported when it is read, or the torn last write of a crash, which was never acknowledged. The frames
 * behind the stretch tell which: they say what was durable when they were written.
 */
async function findEnd(file: OpenFile, segment: Segment, size: number): Promise<Place> {
  const start = { offset: segmentHeaderBytes, sequence: segment.name.first };
  const tail: Tail = { proven: start.sequence, whole: start, damaged: [] };
  const range = { salt: segment.name.salt, ...start, endOffset: size, endSequence: undefined };
  for await (const found of scanFrames(file, range, 'passing'))
    for (const item of found) follow(tail, segment, item);
  return tail.damaged.find(({ from }) => from >= tail.proven)?.whole ?? tail.whole;
}

/**
 * Opens the last segment after whatever ended the program: finds its end and cuts off a torn write, saying so.
 * Returns the segment, and whether it may be written on; it may not when what stands behind its end is more than a
 * crash can leave, which is kept for whoever looks into it.
 */
export async function recoverSegment(
  files: FileSystem,
  place: { readonly name: SegmentName; readonly path: string },
  log: Logger,
): Promise<{ readonly segment: Segment; readonly writable: boolean }> {
  await using file = await files.open(place.path, 'change');
  const size = await file.size();
  const segment = describeSegment(place.name, place.path, { offset: size, sequence: place.name.first });
  const headed = await headerHolds(file, place.name);
  segment.end = size > segmentHeaderBytes ? await findEnd(file, segment, size) : segment.end;
  const { offset } = segment.end;
  if (size - offset > longestWriteBytes) {
    const said =
      'a long stretch at the end of the journal is unreadable; it is kept, and writing goes on in a new file';
    log.error({ file: place.path, offset, bytes: size - offset }, said);
    return { segment: { ...segment, end: { ...segment.end, offset: size } }, writable: false };
  }
  if (size <= segmentHeaderBytes || (!headed && offset === segmentHeaderBytes)) {
    // The crash came while the file was being begun.
    await file.truncate(0);
    await file.write([segmentHeader(place.name)], 0);
    await file.datasync();
    segment.end = { offset: segmentHeaderBytes, sequence: place.name.first };
  } else if (offset < size) {
    await file.truncate(offset);
    await file.datasync();
  }
  if (size > Math.max(offset, segmentHeaderBytes)) {
    const said = 'cut a torn write off the end of the journal; it had not been acknowledged';
    log.warn({ file: place.path, offset, bytes: size - offset, nextSequence: segment.end.sequence }, said);
  }
  return { segment, writable: true };
}
