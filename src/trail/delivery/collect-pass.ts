import { sequence, type Sequence } from '../../kernel/index.ts';
import type { EventClass, LoggingSettings } from './delivery-documents.ts';
import { openLogFile, type BuiltFile, type LogFileBuilder } from './log-file-builder.ts';
import { openRecordView, type RecordView } from './record-view.ts';
import { openSelection, type Selection } from './selection.ts';
import type { TrailChange } from './trail-changes.ts';

/** A trail whose events are to be collected, and where it stands. */
export interface CollectingTrail {
  readonly accountId: string;
  readonly homeRegion: string;
  readonly name: string;
  readonly incarnation?: string;
  readonly position: Sequence;
  /** As they are at the position. */
  readonly logging: LoggingSettings;
}

export interface CollectedFile extends BuiltFile {
  readonly region: string;
  readonly eventClass: EventClass;
  /** The journal's sequence of its first record. */
  readonly first: number;
}

/** What one trail logs of a stretch of the journal. */
export interface Collected {
  /** Behind the last entry that was looked at. */
  readonly to: Sequence;
  /** As they are at `to`. */
  readonly logging: LoggingSettings;
  /** In the order of their first records. */
  readonly files: readonly CollectedFile[];
}

/** Packed bytes and files of one pass, beyond which it ends. */
export interface CollectBounds {
  readonly mostBytes: number;
  readonly mostFiles: number;
}

/** A record of the journal. Its bytes are not kept. */
export interface RecordEntry {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** A record that cannot be given to trails. */
export interface RecordProblem {
  readonly sequence: number;
  readonly reason: string;
}

/** What has come of the entries that a pass was given. */
export interface PassProgress {
  /** Where the pass has ended because enough is collected: then the entries from there on were not looked at. */
  readonly full: Sequence | undefined;
  readonly problems: readonly RecordProblem[];
}

/**
 * One pass over the journal for several trails, each from its own position on. What comes out for a trail depends on the
 * entries, its position, its settings there and the end alone.
 */
export interface CollectPass {
  /** Takes the records that come next, and the changes among them, both in order. One call at a time, until it is full. */
  add(records: readonly RecordEntry[], changes: readonly TrailChange[]): Promise<PassProgress>;
  /** What each trail logs in front of `to`. */
  finish(to: Sequence): Promise<readonly Collected[]>;
  /** Gives up what is not finished. */
  discard(): void;
}

interface OpenFile {
  readonly region: string;
  readonly eventClass: EventClass;
  readonly first: number;
  readonly builder: LogFileBuilder;
}

interface Collecting {
  readonly trail: CollectingTrail;
  readonly selection: Selection;
  readonly files: Map<string, OpenFile>;
}

interface Pass {
  readonly collecting: readonly Collecting[];
  readonly byAccount: ReadonlyMap<string, readonly Collecting[]>;
  readonly problems: RecordProblem[];
  /** One after the other, so that each record is read once for all trails. */
  readonly view: RecordView;
  openFiles: number;
}

function fileFor(
  pass: Pass,
  { files }: Collecting,
  kind: Pick<OpenFile, 'region' | 'eventClass'>,
  first: number,
): OpenFile {
  const id = `${kind.eventClass} ${kind.region}`;
  const known = files.get(id);
  if (known) return known;
  const file = { ...kind, first, builder: openLogFile() };
  files.set(id, file);
  pass.openFiles++;
  return file;
}

/** Adds a record to the files of the trails that log it; what it has to wait for before the next comes. */
function addRecord(pass: Pass, { sequence: at, payload }: RecordEntry): Promise<void>[] {
  const { collecting, byAccount, problems, view } = pass;
  if (collecting.every(({ selection }) => selection.idle)) return [];
  const reason = view.read(payload);
  if (reason !== undefined) {
    problems.push({ sequence: at, reason });
    return [];
  }
  const { accountId, region, eventTime } = view.event.scanned;
  const waits: Promise<void>[] = [];
  for (const one of byAccount.get(accountId) ?? []) {
    if (at < one.trail.position) continue;
    const eventClass = one.selection.classOf(at, view.event);
    if (!eventClass) continue;
    const file = fileFor(pass, one, { region, eventClass }, at);
    const wait = file.builder.add(payload, eventTime);
    if (wait) waits.push(wait);
  }
  return waits;
}

function isFull({ collecting, openFiles }: Pass, { mostBytes, mostFiles }: CollectBounds): boolean {
  let bytes = 0;
  for (const { files } of collecting) {
    for (const { builder } of files.values()) bytes += builder.packedBytes;
  }
  return bytes >= mostBytes || openFiles >= mostFiles;
}

async function finish({ trail, selection, files }: Collecting, to: Sequence): Promise<Collected> {
  const finished: CollectedFile[] = [];
  for (const { region, eventClass, first, builder } of files.values()) {
    finished.push({ region, eventClass, first, ...(await builder.finish()) });
  }
  return { to: sequence(Math.max(to, trail.position)), logging: selection.logging, files: finished };
}

/** Opens a pass. `pause`, asked for each record, says what to wait for so that others are let in. */
export function openCollectPass(
  trails: readonly CollectingTrail[],
  bounds: CollectBounds,
  pause: () => Promise<void> | undefined = () => undefined,
): CollectPass {
  const collecting = trails.map((trail) => ({
    trail,
    selection: openSelection(trail, trail.logging),
    files: new Map<string, OpenFile>(),
  }));
  const byAccount = Map.groupBy(collecting, ({ trail }) => trail.accountId);
  const pass: Pass = { collecting, byAccount, problems: [], view: openRecordView(), openFiles: 0 };

  /** Adds the records up to where the pass is full; it is so behind a record, never between a change and its record. */
  async function addAll(
    records: readonly RecordEntry[],
    changes: readonly TrailChange[],
  ): Promise<Sequence | undefined> {
    let changed = 0;
    const change = (before: number) => {
      for (let next = changes[changed]; next && next.sequence < before; next = changes[++changed])
        collecting[next.trail]?.selection.change(next.sequence, next.logging);
    };
    for (const record of records) {
      change(record.sequence);
      const { openFiles } = pass;
      const waits = addRecord(pass, record);
      if (waits.length > 0) await Promise.all(waits);
      const hasGrown = waits.length > 0 || pass.openFiles !== openFiles;
      if (hasGrown && isFull(pass, bounds)) return sequence(record.sequence + 1);
      const turn = pause();
      if (turn) await turn;
    }
    change(Infinity);
    return undefined;
  }

  return {
    async add(records, changes) {
      const full = await addAll(records, changes);
      return { full, problems: pass.problems.splice(0) };
    },
    async finish(to) {
      const collected: Collected[] = [];
      for (const one of collecting) collected.push(await finish(one, to));
      return collected;
    },
    discard() {
      for (const { files } of collecting) for (const { builder } of files.values()) builder.discard();
    },
  };
}
