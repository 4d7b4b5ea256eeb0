import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { join } from 'node:path';
import { openDictionaries } from './dictionaries.ts';
import { ManifestDamage, readManifest, type Manifest } from './manifest.ts';
import { openByteCache } from './page-cache.ts';
import { openSegment, type Segment, type SegmentShare } from './segment.ts';
import { SegmentDamage, type IndexedAttribute } from './segment-format.ts';
import { termKey } from './term-hash.ts';

/** What a history holds, and what of it cannot be read. */
export interface HistoryFindings {
  readonly events: number;
  readonly segments: number;
  /** One plain sentence each; the first thing that is wrong with a file. */
  readonly damage: readonly string[];
  /** Files that were set aside because they were damaged. */
  readonly quarantine: readonly string[];
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function manifestOrDamage(directory: string): Manifest | string | undefined {
  try {
    const manifest = readManifest(directory);
    const hasSegments = names(directory).some((name) => name.endsWith('.seg'));
    return manifest ?? (hasSegments ? `${join(directory, 'manifest.json')} is missing` : undefined);
  } catch (error) {
    if (!(error instanceof ManifestDamage)) throw error;
    return error.message;
  }
}

/** Reads everything of a segment, whose parts check themselves; gives way between blocks. */
async function readThrough(segment: Segment): Promise<void> {
  const { ids, documents, footer } = segment;
  ids.bytes(0, ids.length);
  for (const attribute of Object.keys(footer.attributes) as readonly IndexedAttribute[]) {
    for (const part of [segment.table(attribute), segment.postings(attribute)]) part.bytes(0, part.length);
  }
  for (let doc = 0; doc < documents; doc++) {
    segment.timeAt(doc);
    segment.placeAt(doc);
  }
  for (let block = 0; block < footer.blocks; block++) {
    segment.block(block);
    await nextTurn();
  }
}

/** Reads a whole history that nobody has open, and changes nothing. */
export async function verifyHistory(directory: string): Promise<HistoryFindings> {
  const quarantine = names(join(directory, 'quarantine')).map((name) => join(directory, 'quarantine', name));
  const manifest = manifestOrDamage(directory);
  if (manifest === undefined) return { events: 0, segments: 0, damage: [], quarantine };
  if (typeof manifest === 'string') return { events: 0, segments: 0, damage: [manifest], quarantine };
  const share: SegmentShare = {
    pages: openByteCache(1024 * 1024),
    blocks: openByteCache(1024 * 1024),
    tables: openByteCache(1024 * 1024),
    dictionaries: openDictionaries(directory),
    hashKey: termKey(manifest.hashKey),
  };
  const damage: string[] = [];
  let events = 0;
  for (const name of manifest.segments) {
    const file = join(directory, name);
    try {
      const segment = openSegment(file, share);
      try {
        await readThrough(segment);
        events += segment.documents;
      } finally {
        segment.close();
      }
    } catch (error) {
      if (error instanceof SegmentDamage) damage.push(error.message);
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT') damage.push(`${file} is missing`);
      else throw error;
    }
  }
  return { events, segments: manifest.segments.length, damage, quarantine };
}
