import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequence, silentLog } from '../kernel/index.ts';
import { openJournal, type Journal } from '../journal/index.ts';
import { openMemoryCursors, openMemoryLog } from '../store/memory/index.ts';
import { openMemoryState, openSqliteState, StateLostError } from './index.ts';
import { clock, describeState, keysOf, openTestJournal, record, write } from './state-contract.ts';

let root = '';
let last = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cairn-state-'));
});
afterAll(() => rm(root, { recursive: true }));

async function freshDirectory(): Promise<string> {
  last = await mkdtemp(join(root, 'state-'));
  return last;
}

const told: string[] = [];
const onDamage = ({ message }: Error) => void told.push(message);

describeState({ name: 'memory', open: openMemoryState, reopen: openMemoryState });
describeState({
  name: 'SQLite',
  open: async (options) => openSqliteState({ ...options, directory: await freshDirectory(), onDamage }),
  reopen: (options) => openSqliteState({ ...options, directory: last, onDamage }),
});

const openOn = (journal: Journal, directory: string) =>
  openSqliteState({ stream: journal.stream('audit'), clock, log: silentLog, directory, onDamage });

/** Turns the clock until the checkpoint that falls due then has been made. */
async function passCheckpoint(directory: string, journal: Journal): Promise<void> {
  const before = journal.stream('audit').start;
  await clock.advance(60_000);
  while (journal.stream('audit').start === before) {
    await journal.stream('audit').trim();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  expect(existsSync(join(directory, 'state-copy.sqlite'))).toBe(true);
}

async function spoil(directory: string, file: string): Promise<void> {
  await rm(join(directory, `${file}-wal`), { force: true });
  await writeFile(join(directory, file), Buffer.alloc(20_000, 'spoilt'));
}

describe('SQLite state', () => {
  it('goes on from its own cursor, not from the start of the journal', async () => {
    await using journal = await openTestJournal();
    const directory = await freshDirectory();
    {
      await using state = await openOn(journal, directory);
      await write(state, { a: 1 });
      await journal.stream('audit').append([record('r'), record('r')]);
      await state.reader.reached(journal.stream('audit').end);
    }
    await using state = await openOn(journal, directory);
    const heard: (readonly string[])[] = [];
    state.onChange((keys) => heard.push(keys));
    await write(state, { b: 1 });
    expect(heard).toEqual([['b']]);
  });

  it('lets the journal be trimmed behind a checkpoint, and rebuilds from its copy', async () => {
    await using journal = await openTestJournal();
    const directory = await freshDirectory();
    {
      await using state = await openOn(journal, directory);
      await write(state, { a: 1, b: 1 });
      await passCheckpoint(directory, journal);
      await write(state, { b: 2, c: 2 });
    }
    expect(journal.stream('audit').start).toBe(1);
    await spoil(directory, 'state.sqlite');
    {
      await using state = await openOn(journal, directory);
      expect((await state.list('')).map(({ key, value }) => [key, value])).toEqual([
        ['a', 1],
        ['b', 2],
        ['c', 2],
      ]);
    }
    expect(await readdir(directory)).toContain('state.sqlite.doubtful');
    await spoil(directory, 'state.sqlite');
    await spoil(directory, 'state-copy.sqlite');
    await expect(openOn(journal, directory)).rejects.toThrow(StateLostError);
  });

  it('is rebuilt from the journal when it is damaged or ahead', async () => {
    const directory = await freshDirectory();
    {
      await using journal = await openTestJournal();
      await using state = await openOn(journal, directory);
      for (let index = 0; index < 5; index += 1) await write(state, { [`old/${index}`]: index });
    }
    await using journal = await openTestJournal();
    {
      await using state = await openOn(journal, directory);
      expect(await state.list('')).toEqual([]);
      await write(state, { a: 1 });
    }
    await spoil(directory, 'state.sqlite');
    await using state = await openOn(journal, directory);
    expect(keysOf(await state.list(''))).toEqual(['a']);
  });

  it('refuses a journal whose beginning is gone when it has nothing itself', async () => {
    const log = await openMemoryLog();
    await using journal = await openJournal({
      openLog: async () => log,
      openCursors: openMemoryCursors,
      clock,
      log: silentLog,
    });
    await journal.stream('audit').append([record('r')]);
    await log.trim(sequence(1));
    await expect(openOn(journal, await freshDirectory())).rejects.toThrow(
      'restore the data directory from a backup',
    );
  });
});
