import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DiskFullError, limits, openLog, seededRandom, sequence } from '../../src/kernel/index.ts';
import { openSegmentLog } from '../../src/store/embedded/index.ts';
import { LogFailedError, type Log } from '../../src/store/index.ts';
import { openSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

const headerBytes = 32;
const frameHeadBytes = 28;

function openOn(disk: SimulatedDisk, lines: string[] = []): Promise<Log> {
  const log = openLog('info', { write: (line) => lines.push(line) });
  return openSegmentLog({
    directory: '/log',
    random: seededRandom(3),
    log,
    files: disk.files,
    segmentBytes: 2000,
  });
}

async function read(log: Log): Promise<{ texts: string[]; damage: number }> {
  const texts: string[] = [];
  let damage = 0;
  for await (const batch of log.read(sequence(0))) {
    texts.push(...batch.entries.map(({ bytes }) => Buffer.from(bytes).toString()));
    damage += batch.damage.length;
  }
  return { texts, damage };
}

const group = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const newDisk = () => openSimulatedDisk(seededRandom(4));
const onlyFile = (disk: SimulatedDisk) => [...disk.sizes().keys()][0] ?? '';

describe('a full disk', () => {
  it('is told to callers by name; reads go on, and writing resumes by itself', async () => {
    const disk = newDisk();
    await using log = await openOn(disk);
    await log.append(group('a', 'b'));
    disk.full = true;
    const refused = ['c', 'd', 'e'].map((text) => log.append(group(text.repeat(500), text)));
    for (const outcome of await Promise.allSettled(refused)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(DiskFullError) });
    }
    expect([log.end, await read(log)]).toEqual([2, { texts: ['a', 'b'], damage: 0 }]);
    disk.full = false;
    expect(await log.append(group('f'))).toBe(2);
    expect(await read(log)).toEqual({ texts: ['a', 'b', 'f'], damage: 0 });
  });

  it('is told as well when there is no room for another file', async () => {
    const disk = newDisk();
    await using log = await openOn(disk);
    await log.append(group('x'.repeat(3000)));
    disk.full = true;
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await expect(log.append(group('y'))).rejects.toThrow(DiskFullError);
    }
    disk.full = false;
    expect(await log.append(group('z'))).toBe(1);
    expect(disk.sizes().size).toBe(2);
    expect((await read(log)).texts[1]).toBe('z');
  });
});

describe('a failed sync', () => {
  it('ends writing until a restart; reads go on', async () => {
    const disk = newDisk();
    const log = await openOn(disk);
    await log.append(group('a'));
    disk.failNextSync();
    await expect(log.append(group('b'))).rejects.toThrow(LogFailedError);
    await expect(log.append(group('c'))).rejects.toThrow('until a restart has checked the file');
    expect(await read(log)).toEqual({ texts: ['a'], damage: 0 });
    await log[Symbol.asyncDispose]();
    disk.restart();
    await using again = await openOn(disk);
    expect(await again.append(group('d'))).toBe(1);
    expect(await read(again)).toEqual({ texts: ['a', 'd'], damage: 0 });
  });
});

/** Writes two entries and goes without closing, as a killed process does. */
async function abandon(disk: SimulatedDisk): Promise<{ path: string; size: number }> {
  const log = await openOn(disk);
  await log.append(group('first'));
  await log.append(group('second', 'third'));
  const path = onlyFile(disk);
  return { path, size: disk.sizes().get(path) ?? 0 };
}

describe('the end of the log', () => {
  it('is cut back to the last whole group, and that is said', async () => {
    const disk = newDisk();
    const { path, size } = await abandon(disk);
    disk.damage(path, size - 1);
    const lines: string[] = [];
    await using log = await openOn(disk, lines);
    expect(await read(log)).toEqual({ texts: ['first'], damage: 0 });
    expect(log.end).toBe(1);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
      level: 40,
      msg: 'cut a torn write off the end of the journal; it had not been acknowledged',
      file: path,
      offset: headerBytes + frameHeadBytes + 'first'.length,
      nextSequence: 1,
    });
  });

  it('says nothing when it is whole', async () => {
    const disk = newDisk();
    await abandon(disk);
    const lines: string[] = [];
    await using log = await openOn(disk, lines);
    expect([log.end, lines]).toEqual([3, []]);
  });

  it('keeps what is proven to have been durable, however damaged', async () => {
    const disk = newDisk();
    const { path } = await abandon(disk);
    disk.flip(path, headerBytes + frameHeadBytes);
    const lines: string[] = [];
    await using log = await openOn(disk, lines);
    expect([log.end, lines]).toEqual([3, []]);
    expect(await read(log)).toEqual({ texts: ['second', 'third'], damage: 1 });
  });

  it('is begun anew when the crash came before the header was written', async () => {
    for (const size of [0, 10, headerBytes]) {
      const disk = newDisk();
      {
        await using _ = await openOn(disk);
      }
      disk.damage(onlyFile(disk), size);
      await using log = await openOn(disk);
      expect(await log.append(group('a'))).toBe(0);
      expect(await read(log)).toEqual({ texts: ['a'], damage: 0 });
    }
  });

  it('is kept, and not written over, when more is unreadable than a crash can leave', async () => {
    const disk = newDisk();
    const { path, size } = await abandon(disk);
    const ruin = Buffer.alloc(limits.journalInFlightBytes + 4 * 1024 * 1024, 1);
    const file = await disk.files.open(path, 'change');
    await file.write([ruin], size);
    const lines: string[] = [];
    await using log = await openOn(disk, lines);
    expect(lines.join('')).toContain('it is kept, and writing goes on in a new file');
    expect(await log.append(group('next'))).toBe(3);
    expect(disk.sizes().get(path)).toBe(size + ruin.length);
    expect(await read(log)).toEqual({ texts: ['first', 'second', 'third', 'next'], damage: 1 });
  });
});

it('refuses files that a later version wrote', async () => {
  const disk = newDisk();
  {
    await using _ = await openOn(disk);
  }
  const path = onlyFile(disk);
  const file = await disk.files.open(path, 'change');
  const header = Buffer.alloc(headerBytes);
  await file.read(header, 0);
  header.writeUInt16LE(2, 8);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  await file.write([header], 0);
  await expect(openOn(disk)).rejects.toThrow(
    'is of log format 2, this version reads up to 1; start the newer version',
  );
});
