import { expect, it } from 'vitest';
import { manualClock, seededRandom, sequence, silentLog, type Random } from '../../src/kernel/index.ts';
import { openJournal } from '../../src/journal/index.ts';
import { openSegmentLog } from '../../src/store/embedded/index.ts';
import type { Log, LogDamage } from '../../src/store/index.ts';
import { openMemoryCursors } from '../../src/store/memory/index.ts';
import { forEachSeed } from './seeds.ts';
import { openSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

const directory = '/log';
const headerBytes = 32;
const frameHeadBytes = 28;

/** `saltSeed` is what the files' salts are drawn from. */
const openOn = (disk: SimulatedDisk, saltSeed = 5): Promise<Log> =>
  openSegmentLog({
    directory,
    random: seededRandom(saltSeed),
    log: silentLog,
    files: disk.files,
    segmentBytes: 4000,
  });

/** Fills a log of a few files, closes it, and returns what is in it. */
async function fill(disk: SimulatedDisk, random: Random, saltSeed = 5): Promise<readonly Buffer[]> {
  const entries: Buffer[] = [];
  await using log = await openOn(disk, saltSeed);
  const count = 40 + random.below(60);
  for (let index = 0; index < count; index += 1) {
    const group = Array.from({ length: 1 + random.below(3) }, () =>
      Buffer.from(random.bytes(random.below(300))),
    );
    entries.push(...group);
    await log.append(group);
  }
  return entries;
}

async function readAll(
  log: Log,
): Promise<{ found: Map<number, Buffer>; order: number[]; damage: LogDamage[] }> {
  const found = new Map<number, Buffer>();
  const order: number[] = [];
  const damage: LogDamage[] = [];
  for await (const batch of log.read(sequence(0))) {
    damage.push(...batch.damage);
    for (const entry of batch.entries) {
      found.set(entry.sequence, Buffer.from(entry.bytes));
      order.push(entry.sequence);
    }
  }
  return { found, order, damage };
}

/** The entries that the reports call lost. */
function saidLost(damage: readonly LogDamage[]): Set<number> {
  const lost = new Set<number>();
  for (const { reason } of damage) {
    const [, from = '1', to = '0'] = /entries (\d+) to (\d+) are lost/.exec(reason) ?? [];
    for (let at = Number(from); at <= Number(to); at += 1) lost.add(at);
  }
  return lost;
}

/** What is there must be right and in order, and what is not there must be said. */
async function expectAllToldOf(log: Log, entries: readonly Buffer[]): Promise<readonly LogDamage[]> {
  const { found, order, damage } = await readAll(log);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  for (const [at, bytes] of found)
    expect(bytes.equals(entries[at] ?? Buffer.alloc(0)), `entry ${at}`).toBe(true);
  const missing = entries.flatMap((_, at) => (found.has(at) ? [] : [at]));
  expect([...saidLost(damage)].toSorted((a, b) => a - b)).toEqual(missing);
  return damage;
}

it('reports every flipped bit with file and offset, and reads everything before and after', async () => {
  await forEachSeed(120, async (random) => {
    const disk = openSimulatedDisk(random);
    const entries = await fill(disk, random);
    const sizes = [...disk.sizes()].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const flips = Array.from({ length: 1 + random.below(4) }, () => {
      const [path, size] = sizes[random.below(sizes.length)]!;
      // The mark at the very end carries no entry.
      const end = path === sizes.at(-1)![0] ? size - frameHeadBytes : size;
      return { path, offset: random.below(end) };
    });
    for (const { path, offset } of flips) disk.flip(path, offset);
    await using log = await openOn(disk);
    expect(log.end).toBe(entries.length);
    const damage = await expectAllToldOf(log, entries);
    // Two flips in one bit undo one another.
    const unique = new Set(flips.map(({ path, offset }) => `${path}:${offset}`));
    if (unique.size < flips.length) return;
    for (const { path, offset } of flips) {
      const covering = damage.find(
        (said) => said.file === path && said.offset <= offset && offset < said.offset + said.length,
      );
      expect(covering, `flip at ${path}:${offset}`).toBeDefined();
    }
    expect(saidLost(damage).size).toBeLessThanOrEqual(
      flips.filter(({ offset }) => offset >= headerBytes).length,
    );
    const next = await log.append([Buffer.from('goes on')]);
    expect(next).toBe(entries.length);
  });
});

it('reports files that are gone or cut short, and reads the others', async () => {
  await forEachSeed(60, async (random) => {
    const disk = openSimulatedDisk(random);
    const entries = await fill(disk, random);
    const sizes = [...disk.sizes()].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const [path, size] = sizes[1 + random.below(sizes.length - 2)]!;
    disk.damage(path, random.below(2) === 0 ? undefined : random.below(size));
    await using log = await openOn(disk);
    expect(log.end).toBe(entries.length);
    const damage = await expectAllToldOf(log, entries);
    expect(damage.length).toBeGreaterThan(0);
  });
});

it('does not take a frame inside a payload for one of its own', async () => {
  const random = seededRandom(9);
  const disk = openSimulatedDisk(random);
  const inner = openSimulatedDisk(random);
  const entries = await fill(inner, random, 6);
  const [innerPath = ''] = inner.sizes().keys();
  const innerFile = await inner.files.open(innerPath, 'read');
  const payload = Buffer.alloc(await innerFile.size());
  await innerFile.read(payload, 0);
  {
    await using log = await openOn(disk);
    for (let index = 0; index < 3; index += 1) await log.append([payload]);
  }
  const [path = ''] = disk.sizes().keys();
  disk.flip(path, headerBytes + 3);
  await using log = await openOn(disk);
  const { order, damage } = await readAll(log);
  expect(entries.length).toBeGreaterThan(3);
  expect(order).toEqual([1, 2]);
  expect(damage).toEqual([
    {
      file: path,
      offset: headerBytes,
      length: frameHeadBytes + payload.length,
      reason: 'there is no frame where one should begin; entries 0 to 0 are lost',
    },
  ]);
});

it('lets readers pass damage, also at the very end, and tells them once', async () => {
  const disk = openSimulatedDisk(seededRandom(11));
  const clock = manualClock(0);
  const open = () =>
    openJournal({ openLog: () => openOn(disk), openCursors: openMemoryCursors, clock, log: silentLog });
  {
    await using journal = await open();
    for (const text of ['a', 'b', 'c']) {
      await journal.stream('audit').append([{ kind: 'change', payload: Buffer.from(text) }]);
    }
  }
  const [path = ''] = disk.sizes().keys();
  const frameBytes = frameHeadBytes + 8 + 1;
  for (const index of [1, 2]) disk.flip(path, headerBytes + (index + 1) * frameBytes - 1);
  await using journal = await open();
  const stream = journal.stream('audit');
  const seen: string[] = [];
  const damage: LogDamage[] = [];
  const reader = await stream.follow({
    name: 'reader',
    apply: async (entries) =>
      void seen.push(...entries.map(({ payload }) => Buffer.from(payload).toString())),
    onDamage: (said) => damage.push(said),
  });
  await reader.reached(sequence(3));
  await stream.append([{ kind: 'change', payload: Buffer.from('d') }]);
  await reader.reached(stream.end);
  expect(seen).toEqual(['a', 'd']);
  expect(damage.map(({ reason }) => reason)).toEqual([
    'the checksum of entry 1 is wrong; entries 1 to 2 are lost',
  ]);
});
