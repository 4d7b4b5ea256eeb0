import { setImmediate as nextTurn } from 'node:timers/promises';
import { sequence, type Clock, type Logger, type Sequence } from '../../kernel/index.ts';
import type { JournalEntry, Stream } from '../../journal/index.ts';
import { decodeChange } from '../../state/index.ts';
import { scanRecord } from '../history/index.ts';
import { trailKey, trailsPrefix, type TrailDocument } from '../trails/trail-documents.ts';
import { loggingOf, type EventClass, type LoggingSettings } from './delivery-documents.ts';
import { openLogFile, type BuiltFile, type LogFileBuilder } from './log-file-builder.ts';
import { openSelection, type Selection } from './selection.ts';

export interface CollectOptions {
  readonly stream: Pick<Stream, 'read' | 'start'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Where to end; by default where the journal ends, or where enough is collected. */
  readonly until?: number;
  /** Packed bytes and files of one pass, beyond which it ends. */
  readonly mostBytes: number;
  readonly mostFiles: number;
}

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

/** How long the main thread works before it lets others in, and how many entries pass between looks at the clock. */
const sliceMs = 2;
const entriesBetweenLooks = 32;

const isTrail = (key: string) => key.startsWith(trailsPrefix);
const trailsMark = Buffer.from(`"${trailsPrefix}`);

/** The trails that a change of the control state puts, by key; undefined for those that it deletes. */
function changedTrails({
  sequence: at,
  payload,
}: JournalEntry): ReadonlyMap<string, TrailDocument | undefined> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (!bytes.includes(trailsMark)) return new Map();
  const { puts, deletes } = decodeChange(at, payload);
  return new Map([
    ...deletes.filter(isTrail).map((key) => [key, undefined] as const),
    ...puts
      .filter(({ key }) => isTrail(key))
      .map(({ key, json }) => [key, JSON.parse(json) as TrailDocument] as const),
  ]);
}

/** Lets others use the main thread whenever it was held for a while. */
function openSlices(clock: Clock): () => Promise<void> | undefined {
  let looks = 0;
  let since = clock.monotonic();
  const letOthersIn = async (): Promise<void> => {
    await nextTurn();
    since = clock.monotonic();
  };
  return () => {
    if (++looks % entriesBetweenLooks !== 0 || clock.monotonic() - since < sliceMs) return undefined;
    return letOthersIn();
  };
}

/** One pass over the journal for several trails, each from its own position on. */
interface Pass {
  readonly collecting: readonly Collecting[];
  readonly byAccount: ReadonlyMap<string, readonly Collecting[]>;
  /** Several when a trail was deleted and another one made under its name. */
  readonly byKey: ReadonlyMap<string, readonly Collecting[]>;
  readonly log: Logger;
  openFiles: number;
}

function openPass(trails: readonly CollectingTrail[], log: Logger): Pass {
  const collecting = trails.map((trail) => ({
    trail,
    selection: openSelection(trail.homeRegion, trail.logging),
    files: new Map<string, OpenFile>(),
  }));
  const keyOf = ({ accountId, homeRegion, name }: CollectingTrail) => trailKey(accountId, homeRegion, name);
  return {
    collecting,
    byAccount: Map.groupBy(collecting, ({ trail }) => trail.accountId),
    byKey: Map.groupBy(collecting, ({ trail }) => keyOf(trail)),
    log,
    openFiles: 0,
  };
}

function applyChange({ byKey }: Pass, entry: JournalEntry): void {
  for (const [key, changed] of changedTrails(entry)) {
    for (const { trail, selection } of byKey.get(key) ?? []) {
      if (entry.sequence < trail.position) continue;
      // The last record that a trail logs is that of its deletion.
      if (!changed) selection.change(entry.sequence, { ...selection.logging, isLogging: false });
      else if (changed.incarnation === trail.incarnation)
        selection.change(entry.sequence, loggingOf(changed));
    }
  }
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

/** Adds a record to the files of the trails that log it. */
function addRecord(pass: Pass, { sequence: at, payload }: JournalEntry): Promise<void>[] {
  const { collecting, byAccount, log } = pass;
  if (collecting.every(({ selection }) => selection.idle)) return [];
  const scan = scanRecord(payload);
  if (scan.kind === 'problem') {
    log.error(
      { sequence: at, reason: scan.problem },
      'a record of the journal cannot be delivered to trails',
    );
    return [];
  }
  const { record } = scan;
  const waits: Promise<void>[] = [];
  for (const one of byAccount.get(record.accountId) ?? []) {
    if (at < one.trail.position) continue;
    const eventClass = one.selection.classOf(at, record, payload);
    if (!eventClass) continue;
    const file = fileFor(pass, one, { region: record.region, eventClass }, at);
    const wait = file.builder.add(payload, record.eventTime);
    if (wait) waits.push(wait);
  }
  return waits;
}

function isFull({ collecting, openFiles }: Pass, { mostBytes, mostFiles }: CollectOptions): boolean {
  let bytes = 0;
  for (const { files } of collecting) {
    for (const { builder } of files.values()) bytes += builder.packedBytes;
  }
  return bytes >= mostBytes || openFiles >= mostFiles;
}

/**
 * Reads the journal into the pass until its end, `until`, or enough. Returns where it ended. A change and its records are
 * never parted, because a pass ends behind records only.
 */
async function readInto(pass: Pass, from: Sequence, options: CollectOptions): Promise<Sequence> {
  const { stream, signal, until = Infinity } = options;
  const pause = openSlices(options.clock);
  if (from < stream.start) {
    const lost = { from, until: stream.start };
    options.log.error(lost, 'the journal no longer holds entries that trails have not delivered');
  }
  let at = from;
  for await (const { entries, damage } of stream.read(from)) {
    for (const one of damage) options.log.error({ damage: one }, 'trails cannot be given what is damaged');
    for (const entry of entries) {
      if (entry.sequence >= until) return sequence(until);
      at = sequence(entry.sequence + 1);
      if (entry.kind === 'change') applyChange(pass, entry);
      else if (entry.kind !== 'imported') {
        const { openFiles } = pass;
        const waits = addRecord(pass, entry);
        if (waits.length > 0) await Promise.all(waits);
        const hasGrown = waits.length > 0 || pass.openFiles !== openFiles;
        if (hasGrown && until === Infinity && isFull(pass, options)) return at;
      }
      const turn = pause();
      if (turn) await turn;
      signal.throwIfAborted();
    }
  }
  return until === Infinity ? at : sequence(until);
}

async function finish({ selection, files }: Collecting, to: Sequence): Promise<Collected> {
  const finished: CollectedFile[] = [];
  for (const { region, eventClass, first, builder } of files.values()) {
    finished.push({ region, eventClass, first, ...(await builder.finish()) });
  }
  return { to, logging: selection.logging, files: finished };
}

/**
 * Collects what trails log, from the first of their positions on, in one pass over the journal: the files as they are to
 * be put. What comes out for a trail depends on the journal, its position, its settings there and the end alone, so it
 * comes out again after a crash. Memory is bounded by `mostBytes` and `mostFiles`.
 */
export async function collectFiles(
  trails: readonly CollectingTrail[],
  options: CollectOptions,
): Promise<readonly Collected[]> {
  const pass = openPass(trails, options.log);
  try {
    const from = sequence(Math.min(...trails.map(({ position }) => position)));
    const to = await readInto(pass, from, options);
    const collected: Collected[] = [];
    for (const one of pass.collecting) {
      collected.push(await finish(one, sequence(Math.max(to, one.trail.position))));
    }
    return collected;
  } finally {
    for (const { files } of pass.collecting) for (const { builder } of files.values()) builder.discard();
  }
}
