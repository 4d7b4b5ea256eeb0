import { closeSync, fstatSync, openSync } from 'node:fs';
import type { TermOptions } from './merge-terms.ts';
import type { Dictionaries } from './dictionaries.ts';
import { unpackBlock, type BlockPacker, type RawBlock } from './raw-blocks.ts';
import { walkBlocks } from './raw-frames.ts';
import { scanRecord } from './scan-record.ts';
import { sealTail } from './seal-tail.ts';
import { headerBytes, readFooter, SegmentDamage } from './segment-format.ts';
import { openTail, type Tail } from './tail.ts';

/** Events in one new segment; merging makes them large again. */
const eventsPerSegment = 16_384;

/** A frame with whichever dictionary its checksum agrees to. */
function unpackWithAny(frame: Buffer, candidates: readonly Buffer[]): RawBlock | undefined {
  for (const dictionary of [...candidates, undefined]) {
    try {
      return unpackBlock(frame, dictionary);
    } catch {
      // Another dictionary, or none, may be the right one.
    }
  }
  return undefined;
}

function endOfRecords(handle: number, file: string): { readonly end: number; readonly isEndKnown: boolean } {
  try {
    return { end: readFooter(handle, file).indexAt, isEndKnown: true };
  } catch (error) {
    if (!(error instanceof SegmentDamage)) throw error;
    return { end: fstatSync(handle).size, isEndKnown: false };
  }
}

function knownDictionaries(dictionaries: Dictionaries): readonly Buffer[] {
  return dictionaries.numbers().flatMap((number) => {
    try {
      return dictionaries.get(number) ?? [];
    } catch {
      return [];
    }
  });
}

/**
 * Saves what can be read of a damaged segment: the records hold everything that the index was made from, so every block
 * that still agrees with its checksum is indexed anew, into new segments. Returns their files, and what is lost.
 */
export async function repairSegment(
  file: string,
  prefix: string,
  options: {
    readonly packer: BlockPacker;
    readonly dictionary: number;
    readonly dictionaries: Dictionaries;
    readonly terms: TermOptions;
  },
): Promise<{
  readonly files: readonly string[];
  readonly lost: readonly { readonly offset: number; readonly length: number }[];
  readonly isEndKnown: boolean;
}> {
  const files: string[] = [];
  const lost: { offset: number; length: number }[] = [];
  const candidates = knownDictionaries(options.dictionaries);
  let tail: Tail = openTail(eventsPerSegment);
  const seal = async (): Promise<void> => {
    if (tail.count === 0) return;
    const next = `${prefix}-${files.length}.seg`;
    await sealTail(tail.pack(), next, options);
    files.push(next);
    tail = openTail(eventsPerSegment);
  };
  const handle = openSync(file, 'r');
  const { end, isEndKnown } = endOfRecords(handle, file);
  try {
    const blocks = walkBlocks(handle, file, [headerBytes, end], {
      unpack: (frame) => unpackWithAny(frame, candidates),
      skipped: (offset, length) => lost.push({ offset, length }),
    });
    for (const block of blocks) {
      for (let slot = 0; slot < block.records; slot += 1) {
        const raw = block.record(slot);
        const scan = scanRecord(raw);
        if (scan.kind === 'record') tail.add(raw, scan.record);
        if (tail.count === eventsPerSegment) await seal();
      }
    }
    await seal();
  } finally {
    closeSync(handle);
  }
  return { files, lost, isEndKnown };
}
