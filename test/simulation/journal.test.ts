import { expect, it } from 'vitest';
import { manualClock, sequence, silentLog, type Random, type Sequence } from '../../src/kernel/index.ts';
import { openJournal, type Journal, type JournalEntry, type Stream } from '../../src/journal/index.ts';
import { openFileCursors, openSegmentLog } from '../../src/store/embedded/index.ts';
import type { LogDamage } from '../../src/store/index.ts';
import { forEachSeed } from './seeds.ts';
import { openSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

/** What became of a group that was handed in. */
interface Attempt {
  readonly id: number;
  readonly payloads: readonly string[];
  outcome: 'acknowledged' | 'refused' | 'unknown';
  sequence?: Sequence;
}

function openOn(disk: SimulatedDisk, random: Random): Promise<Journal> {
  const shared = { random, log: silentLog, files: disk.files };
  return openJournal({
    openLog: (stream) => openSegmentLog({ ...shared, directory: `/${stream}`, segmentBytes: 3000 }),
    openCursors: (stream) => openFileCursors({ ...shared, directory: `/cursors-${stream}` }),
    clock: manualClock(1_700_000_000_000),
    log: silentLog,
  });
}

async function append(stream: Stream, attempt: Attempt): Promise<void> {
  try {
    const kinds = ['record', 'change'] as const;
    attempt.sequence = await stream.append(
      attempt.payloads.map((payload, index) => ({
        kind: kinds[(attempt.id + index) % 2] ?? 'record',
        payload: Buffer.from(payload),
      })),
    );
    attempt.outcome = 'acknowledged';
  } catch (error) {
    const named = error instanceof Error && ['DiskFullError', 'OverloadError'].includes(error.name);
    if (named) attempt.outcome = 'refused';
  }
}

function attemptOf(id: number, random: Random): Attempt {
  const size = 1 + random.below(random.below(10) === 0 ? 40 : 4);
  const payloads = Array.from(
    { length: size },
    (_, index) => `${id}:${index}:${size}:${'p'.repeat(random.below(200))}`,
  );
  return { id, payloads, outcome: 'unknown' };
}

async function readStream(stream: Stream): Promise<{ entries: JournalEntry[]; damage: LogDamage[] }> {
  const entries: JournalEntry[] = [];
  const damage: LogDamage[] = [];
  for await (const batch of stream.read(sequence(0))) {
    entries.push(...batch.entries);
    damage.push(...batch.damage);
  }
  return { entries, damage };
}

const textOf = (entry: JournalEntry) => Buffer.from(entry.payload).toString();

/** Checks what is in the stream against what was handed in and what was answered. */
function check(stream: Stream, entries: readonly JournalEntry[], attempts: readonly Attempt[]): void {
  expect(entries.map((entry) => entry.sequence)).toEqual(
    Array.from({ length: stream.end - stream.start }, (_, index) => stream.start + index),
  );
  const found = new Map<number, { first: number; payloads: string[] }>();
  for (const entry of entries) {
    const id = Number(textOf(entry).split(':')[0]);
    const group = found.get(id) ?? { first: entry.sequence, payloads: [] };
    expect(entry.sequence).toBe(group.first + group.payloads.length);
    group.payloads.push(textOf(entry));
    found.set(id, group);
  }
  const order: number[] = [];
  for (const attempt of attempts) {
    const group = found.get(attempt.id);
    const trimmed = attempt.sequence !== undefined && attempt.sequence < stream.start;
    if (trimmed) continue;
    if (attempt.outcome === 'acknowledged') expect(group, `acknowledged ${attempt.id}`).toBeDefined();
    if (attempt.outcome === 'refused') expect(group, `refused ${attempt.id}`).toBeUndefined();
    if (!group) continue;
    const cutByTrim = group.first === stream.start && attempt.sequence === undefined;
    if (!cutByTrim) expect(group.payloads).toEqual(attempt.payloads);
    if (attempt.sequence !== undefined) expect(group.first).toBe(attempt.sequence);
    order.push(group.first);
  }
  expect(order).toEqual(order.toSorted((a, b) => a - b));
}

/** A reader's memory of what it applied, which outlives crashes as far as it checkpointed. */
interface Applied {
  safe: Sequence;
  readonly texts: Map<number, string>;
}

/** One life of the program: it opens what the last one left, checks it, works, and ends or is ended. */
async function live(
  disk: SimulatedDisk,
  random: Random,
  attempts: Attempt[],
  applied: Applied,
): Promise<void> {
  await using journal = await openOn(disk, random);
  const stream = journal.stream('audit');
  const { entries, damage } = await readStream(stream);
  expect(damage).toEqual([]);
  check(stream, entries, attempts);
  for (const attempt of attempts) {
    // What is found once must be found for good, whether it had been answered or not.
    const found = entries.find((entry) => textOf(entry) === attempt.payloads[0]);
    if (found && attempt.outcome === 'unknown')
      Object.assign(attempt, { outcome: 'acknowledged', sequence: found.sequence });
    else if (attempt.outcome === 'unknown') attempt.outcome = 'refused';
  }
  const reader = await stream.follow({
    name: 'follower',
    async apply(batch) {
      for (let ticks = random.below(5); ticks > 0; ticks -= 1) await Promise.resolve();
      if (random.below(20) === 0) throw new Error('the reader could not');
      for (const entry of batch) {
        expect(applied.texts.get(entry.sequence) ?? textOf(entry)).toBe(textOf(entry));
        applied.texts.set(entry.sequence, textOf(entry));
      }
    },
    onDamage: (said) => expect(said).toBeUndefined(),
  });
  expect(reader.applied).toBeGreaterThanOrEqual(applied.safe);

  const fate = random.below(4);
  if (fate > 0) disk.crashAfter(random.below(120));
  const working: Promise<void>[] = [];
  for (let step = 0; step < 40; step += 1) {
    const attempt = attemptOf(attempts.length, random);
    attempts.push(attempt);
    working.push(append(stream, attempt));
    if (random.below(3) === 0) await working.at(-1);
    if (random.below(12) === 0) disk.full = !disk.full;
    if (random.below(60) === 0) disk.failNextSync();
    if (random.below(8) === 0) {
      const safe = reader.applied;
      await reader.checkpoint(safe).then(
        () => (applied.safe = safe),
        () => {},
      );
      await stream.trim().catch(() => {});
      expect(stream.start).toBeLessThanOrEqual(Math.max(applied.safe, 0));
    }
  }
  disk.full = false;
  await Promise.all(working);
}

it('loses nothing acknowledged, keeps order and groups, whatever the disk does', async () => {
  let acknowledged = 0;
  let refused = 0;
  await forEachSeed(150, async (random) => {
    const disk = openSimulatedDisk(random);
    const attempts: Attempt[] = [];
    const applied: Applied = { safe: sequence(0), texts: new Map() };
    for (let round = 0; round < 4; round += 1) {
      // A crash may come at any operation, also while the program starts or ends.
      if (random.below(6) === 0) disk.crashAfter(random.below(30));
      await live(disk, random, attempts, applied).catch((error: unknown) => {
        if (!String(error).includes('EPOWER')) throw error;
      });
      disk.restart();
    }
    await using journal = await openOn(disk, random);
    const { entries, damage } = await readStream(journal.stream('audit'));
    expect(damage).toEqual([]);
    check(journal.stream('audit'), entries, attempts);
    acknowledged += attempts.filter(({ outcome }) => outcome === 'acknowledged').length;
    refused += attempts.filter(({ outcome }) => outcome === 'refused').length;
  });
  // The simulation is worth something only if much was acknowledged and much was not.
  expect(acknowledged).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
});
