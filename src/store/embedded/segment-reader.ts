import { sequence } from '../../kernel/index.ts';
import type { LogBatch, LogDamage, LogEntry } from '../log-port.ts';
import { codeOf, type FileSystem, type OpenFile } from './file-system.ts';
import { scanFrames, type Found, type FoundDamage, type ScanRange } from './frame-scanner.ts';
import { headerHolds, segmentHeaderBytes } from './segment-file.ts';
import { placeBefore, rememberPlace, type Place, type Segment } from './segment.ts';

/** A segment with its end as it was when the read was called. */
interface ReadableSegment {
  readonly segment: Segment;
  readonly end: Place;
}

function batchOf(segment: Segment, from: number, found: readonly Found[]): LogBatch {
  const entries: LogEntry[] = [];
  const damage: LogDamage[] = [];
  for (const item of found) {
    if (item.kind === 'damage') {
      if (concerns(item, from)) damage.push(damageOf(segment, item));
      continue;
    }
    rememberPlace(segment, { offset: item.offset, sequence: item.head.sequence });
    if (item.head.mark || item.head.sequence < from) continue;
    entries.push({ sequence: sequence(item.head.sequence), bytes: item.payload });
  }
  return { entries, damage };
}

/** Damage that hit only entries before those asked for is not this reader's. */
function concerns(damage: FoundDamage, from: number): boolean {
  return damage.until > from || damage.from >= from;
}

function damageOf(segment: Segment, { offset, length, reason }: FoundDamage): LogDamage {
  return { file: segment.path, offset, length, reason };
}

async function* readSegment(
  files: FileSystem,
  { segment, end }: ReadableSegment,
  from: number,
): AsyncGenerator<LogBatch> {
  const place = placeBefore(segment, from);
  const range: ScanRange = {
    salt: segment.name.salt,
    offset: place.offset,
    sequence: place.sequence,
    endOffset: end.offset,
    endSequence: end.sequence,
  };
  let file: OpenFile;
  try {
    file = await files.open(segment.path, 'read');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (segment.removed) return;
    const lost = `entries ${Math.max(from, segment.name.first)} to ${end.sequence - 1} are lost`;
    const damage = { file: segment.path, offset: 0, length: end.offset, reason: `the file is gone; ${lost}` };
    yield { entries: [], damage: [damage] };
    return;
  }
  await using opened = file;
  if (place.offset === segmentHeaderBytes && !(await headerHolds(opened, segment.name))) {
    const damage = {
      file: segment.path,
      offset: 0,
      length: segmentHeaderBytes,
      reason: "the file's header is damaged",
    };
    yield { entries: [], damage: [damage] };
  }
  for await (const found of scanFrames(opened, range)) {
    const batch = batchOf(segment, from, found);
    if (batch.entries.length > 0 || batch.damage.length > 0) yield batch;
  }
}

/** Reads the segments, oldest first, from `from` on, each up to the end that it had when this was called. */
export function readSegments(
  files: FileSystem,
  segments: readonly Segment[],
  from: number,
): AsyncGenerator<LogBatch> {
  const readable = segments.map((segment) => ({ segment, end: segment.end }));
  return (async function* read() {
    let expected = Math.max(from, readable[0]?.segment.name.first ?? 0);
    for (const part of readable) {
      if (part.end.sequence > expected)
        yield* readSegment(files, part, Math.max(expected, part.segment.name.first));
      expected = Math.max(expected, part.end.sequence);
    }
  })();
}
