import { existsSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Logger } from '../../kernel/index.ts';
import { documentOfEntry, readIdFilter, type IdFilter } from './id-table.ts';
import { writeManifest, type Manifest } from './manifest.ts';
import { openSegment, type Segment, type SegmentShare } from './segment.ts';
import { missingReason, SegmentDamage } from './segment-format.ts';

/** A segment in use. Its file goes when it is retired and nobody reads it any more. */
export interface ListedSegment {
  readonly segment: Segment;
  readonly sizeBytes: number;
  /** Documents whose eventID has this hash. The filter behind it is read at the first call. */
  candidates(idHash: number): readonly number[];
}

/** What changes the list. */
export interface ListChange {
  /** The segments that go; their files are deleted, or kept aside when `quarantine` says so. */
  readonly gone: readonly ListedSegment[];
  readonly quarantine?: boolean;
  /** A file of the manifest that could not be opened and whose events are now in `files`; it is kept aside. */
  readonly mended?: string;
  /** The new segments: they take the place of the first that goes, or the end. */
  readonly files: readonly string[];
  /** Changes of the manifest beside the segments. */
  readonly manifest?: Partial<Pick<Manifest, 'durable' | 'dictionary'>>;
  /** Runs together with the swap of the list, after the change is durable. */
  readonly onDurable?: () => void;
}

/** The segments of a history and its manifest. */
export interface SegmentList {
  readonly segments: readonly ListedSegment[];
  readonly manifest: Manifest;
  /** Files of the manifest that could not be opened, and why. */
  readonly broken: readonly SegmentDamage[];
  /** A full path for a new segment file. */
  newFile(suffix?: string): string;
  /**
   * Makes a change durable, then visible. Resolves false, and removes the new files, when a segment that should go is no
   * longer there. Changes happen one after the other.
   */
  change(change: ListChange): Promise<boolean>;
  /** Keeps the current segments readable until `release`. */
  acquire(): { readonly segments: readonly ListedSegment[]; release(): void };
  close(): Promise<void>;
}

interface Entry extends ListedSegment {
  readers: number;
  retired: 'no' | 'delete' | 'quarantine';
}

function listSegment(file: string, share: SegmentShare): Entry {
  const segment = openSegment(file, share);
  let filter: IdFilter | undefined;
  return {
    segment,
    sizeBytes: statSync(file).size,
    candidates(idHash) {
      filter ??= readIdFilter(segment.ids, segment.documents);
      const entries = filter.entries(idHash);
      return entries.length === 0
        ? entries
        : entries.map((entry) => documentOfEntry(segment.ids, segment.documents, entry));
    },
    readers: 0,
    retired: 'no',
  };
}

function removeLeftOvers(directory: string, manifest: Manifest, log: Logger): void {
  const named = new Set(manifest.segments);
  for (const name of readdirSync(directory)) {
    const isLeftOver = /\.(tmp|new)$/.test(name) || (name.endsWith('.seg') && !named.has(name));
    if (!isLeftOver) continue;
    unlinkSync(join(directory, name));
    log.info({ file: join(directory, name) }, 'removed what an interrupted seal or merge left behind');
  }
}

async function setAside(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const folder = join(file, '..', 'quarantine');
  mkdirSync(folder, { recursive: true });
  await rename(file, join(folder, basename(file)));
}

/** Closes a retired segment that nobody reads any more. */
async function dispose({ segment, retired }: Entry): Promise<void> {
  segment.close();
  if (retired === 'quarantine') await setAside(segment.file);
  else if (existsSync(segment.file)) await unlink(segment.file);
}

function openAll(directory: string, { segments: names, unindexed = [] }: Manifest, share: SegmentShare) {
  const entries: Entry[] = [];
  const broken: SegmentDamage[] = [];
  for (const name of names) {
    const file = join(directory, name);
    try {
      if (!existsSync(file)) throw new SegmentDamage(file, 0, 0, missingReason);
      if (unindexed.includes(name)) throw new SegmentDamage(file, 0, 0, 'the key of its index is lost');
      entries.push(listSegment(file, share));
    } catch (error) {
      if (!(error instanceof SegmentDamage)) throw error;
      broken.push(error);
    }
  }
  return { entries, broken };
}

/** Opens the segments that the manifest names. */
export function openSegmentList(
  directory: string,
  start: Manifest,
  share: SegmentShare,
  log: Logger,
): SegmentList {
  removeLeftOvers(directory, start, log);
  let manifest = start;
  let { entries, broken }: { entries: readonly Entry[]; broken: readonly SegmentDamage[] } = openAll(
    directory,
    start,
    share,
  );
  let disposing: Promise<void>[] = [];
  let isClosed = false;
  const settle = async (): Promise<void> => {
    const all = disposing;
    disposing = [];
    await Promise.all(all);
  };
  const retire = (entry: Entry): void => {
    if (entry.readers === 0) disposing.push(dispose(entry));
  };

  const apply = async (change: ListChange): Promise<boolean> => {
    const { gone, files, mended } = change;
    if (gone.some((one) => !entries.some((entry) => entry === one))) {
      for (const file of files) await unlink(file);
      return false;
    }
    const fresh = files.map((file) => listSegment(file, share));
    const at = gone[0] ? entries.findIndex((entry) => entry === gone[0]) : entries.length;
    const stays = (entry: Entry) => !gone.includes(entry);
    const next = [...entries.slice(0, at).filter(stays), ...fresh, ...entries.slice(at).filter(stays)];
    const stillBroken = broken.filter((damage) => damage.file !== mended);
    const names = [...next.map(({ segment }) => segment.file), ...stillBroken.map(({ file }) => file)];
    const unindexed = stillBroken
      .map(({ file }) => basename(file))
      .filter((name) => manifest.unindexed?.includes(name));
    const { unindexed: _, ...known } = manifest;
    const written: Manifest = {
      ...known,
      ...change.manifest,
      segments: names.map((file) => basename(file)),
      ...(unindexed.length > 0 && { unindexed }),
    };
    try {
      await writeManifest(directory, written);
    } catch (error) {
      for (const { segment } of fresh) segment.close();
      for (const file of files) await unlink(file).catch(() => undefined);
      throw error;
    }
    const retired = entries.filter((entry) => gone.includes(entry));
    manifest = { ...written, nextFile: manifest.nextFile };
    entries = next;
    broken = stillBroken;
    change.onDurable?.();
    for (const entry of retired) {
      entry.retired = change.quarantine ? 'quarantine' : 'delete';
      retire(entry);
    }
    if (mended !== undefined) await setAside(mended);
    await settle();
    return true;
  };
  let changes: Promise<unknown> = Promise.resolve();

  return {
    get segments() {
      return entries;
    },
    get manifest() {
      return manifest;
    },
    get broken() {
      return broken;
    },
    newFile(suffix = '.seg') {
      const number = manifest.nextFile;
      manifest = { ...manifest, nextFile: number + 1 };
      return join(directory, `segment-${String(number).padStart(8, '0')}${suffix}`);
    },
    change(change) {
      const done = changes.then(
        () => apply(change),
        () => apply(change),
      );
      changes = done;
      return done;
    },
    acquire() {
      const held = entries;
      for (const entry of held) entry.readers += 1;
      let isHeld = true;
      return {
        segments: held,
        release() {
          if (!isHeld) return;
          isHeld = false;
          for (const entry of held) {
            entry.readers -= 1;
            if (isClosed && entry.retired === 'no' && entry.readers === 0) entry.segment.close();
            else if (entry.retired !== 'no') retire(entry);
          }
        },
      };
    },
    async close() {
      await changes.catch(() => undefined);
      isClosed = true;
      for (const entry of entries) if (entry.readers === 0) entry.segment.close();
      await settle();
    },
  };
}
