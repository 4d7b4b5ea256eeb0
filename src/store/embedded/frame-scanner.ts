import { crc32 } from 'node:zlib';
import { limits } from '../../kernel/index.ts';
import type { OpenFile } from './file-system.ts';
import { frameHeadBytes, frameMarker, readFrameHead, type FrameHead } from './frame.ts';
import { openReusedMemory, type Memory } from './reused-memory.ts';

/** A frame that was found whole. */
interface FoundFrame {
  readonly kind: 'frame';
  readonly head: FrameHead;
  readonly offset: number;
  readonly nextOffset: number;
  readonly payload: Uint8Array;
}

export type Found = FoundFrame | FoundDamage;

/** Bytes that are no frame, and the entries that are missing for it: `from` up to, not including, `until`. */
export interface FoundDamage {
  readonly kind: 'damage';
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  readonly from: number;
  readonly until: number;
}

export interface ScanRange {
  readonly salt: number;
  /** Byte offset to begin at, and the sequence that is expected there. */
  readonly offset: number;
  readonly sequence: number;
  /** Byte offset to end at. */
  readonly endOffset: number;
  /** The sequence behind the last frame of the range; undefined when that is what the scan is to find out. */
  readonly endSequence: number | undefined;
}

/** A part of a file in memory, which moves forward over it. */
interface Window {
  /** File offset of the first byte held. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** For windows whose views stay valid. */
const freshMemory: Memory = (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes);

async function moveWindow(
  file: OpenFile,
  window: Window,
  memory: Memory,
  to: number,
  need: number,
  end: number,
): Promise<Window> {
  const size = Math.max(0, Math.min(Math.max(limits.journalReadBytes, need), end - to));
  const bytes = memory(size);
  const kept = window.bytes.subarray(Math.min(Math.max(0, to - window.at), window.bytes.length));
  kept.copy(bytes);
  const had = Math.min(kept.length, size);
  const read = await file.read(bytes.subarray(had), to + had);
  return { at: to, bytes: bytes.subarray(0, had + read) };
}

/** Where a scan stands, and what it found since it was last asked. */
interface Scan {
  at: number;
  expected: number;
  /** Where the stretch that is being skipped began. */
  damage: { readonly offset: number; readonly reason: string } | undefined;
  found: Found[];
}

/** Ends the stretch that is being skipped, in front of a frame of sequence `until` or the range's end. */
function endDamage(scan: Scan, until: number): void {
  const { offset, reason } = scan.damage ?? { offset: scan.at, reason: 'entries are missing' };
  const lost = until > scan.expected ? `; entries ${scan.expected} to ${until - 1} are lost` : '';
  scan.found.push({
    kind: 'damage',
    offset,
    length: scan.at - offset,
    reason: reason + lost,
    from: scan.expected,
    until,
  });
  scan.damage = undefined;
}

/** Moves on to where the next frame may begin. */
function skip(scan: Scan, window: Window, reason: string): void {
  scan.damage ??= { offset: scan.at, reason };
  const next = window.bytes.indexOf(frameMarker, scan.at - window.at + 1);
  // The marker's first byte may be the window's last, so that one is looked at again in the next window.
  scan.at = next < 0 ? Math.max(scan.at + 1, window.at + window.bytes.length - 1) : window.at + next;
}

/** Whether a frame with a good checksum may stand here: order is never broken, whatever an old copy says. */
function inPlace(head: FrameHead, scan: Scan, range: ScanRange): boolean {
  if (head.sequence < scan.expected || scan.at + frameHeadBytes + head.payloadBytes > range.endOffset)
    return false;
  return range.endSequence === undefined || head.sequence < range.endSequence + (head.mark ? 1 : 0);
}

/** Takes or skips what stands at `scan.at`; returns how many bytes the window has to hold for it, if it does not. */
function scanOne(scan: Scan, window: Window, range: ScanRange): number {
  const inWindow = scan.at - window.at;
  const held = window.bytes.length - inWindow;
  const headNeed = Math.min(frameHeadBytes, range.endOffset - scan.at);
  if (held < headNeed) return headNeed;
  const head = headNeed < frameHeadBytes ? undefined : readFrameHead(window.bytes, inWindow, range.salt);
  if (!head || !inPlace(head, scan, range)) {
    skip(scan, window, head ? 'a frame is out of place' : 'there is no frame where one should begin');
    return 0;
  }
  const need = frameHeadBytes + head.payloadBytes;
  if (held < need) return need;
  const payload = window.bytes.subarray(inWindow + frameHeadBytes, inWindow + need);
  const nextOffset = scan.at + need;
  if (crc32(payload) === head.payloadCrc) {
    if (scan.damage || head.sequence !== scan.expected) endDamage(scan, head.sequence);
    scan.found.push({ kind: 'frame', head, offset: scan.at, nextOffset, payload });
    scan.expected = head.mark ? head.sequence : head.sequence + 1;
  } else {
    scan.damage ??= { offset: scan.at, reason: `the checksum of entry ${head.sequence} is wrong` };
  }
  scan.at = nextOffset;
  return 0;
}

/** Scans what the window holds; returns how many bytes it has to hold to go on, 0 at the end of the range. */
function scanWindow(scan: Scan, window: Window, range: ScanRange): number {
  while (scan.at < range.endOffset) {
    const need = scanOne(scan, window, range);
    if (need > 0) return need;
  }
  return 0;
}

/**
 * Reads the frames of a range, a window at a time. What is not a frame is skipped up to the next one that is, and
 * comes as damage in its place. With `payloads: 'passing'` a payload is valid only until the next step, and a long range
 * takes no more memory than a short one.
 */
export async function* scanFrames(
  file: OpenFile,
  range: ScanRange,
  payloads: 'kept' | 'passing' = 'kept',
): AsyncGenerator<readonly Found[]> {
  const memory = payloads === 'kept' ? freshMemory : openReusedMemory();
  const scan: Scan = { at: range.offset, expected: range.sequence, damage: undefined, found: [] };
  let window: Window = { at: range.offset, bytes: Buffer.alloc(0) };
  for (;;) {
    const need = scanWindow(scan, window, range);
    if (scan.found.length > 0) yield scan.found;
    scan.found = [];
    if (need === 0) break;
    window = await moveWindow(file, window, memory, scan.at, need, range.endOffset);
    if (window.bytes.length >= need) continue;
    scan.damage ??= { offset: scan.at, reason: 'the file is shorter than it was' };
    break;
  }
  scan.at = range.endOffset;
  const until = range.endSequence ?? scan.expected;
  if (scan.damage || scan.expected < until) endDamage(scan, until);
  if (scan.found.length > 0) yield scan.found;
}
