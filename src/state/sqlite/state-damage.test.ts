import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '../../kernel/index.ts';
import type { Journal } from '../../journal/index.ts';
import { openSqliteState, StateDamagedError, StateLostError, openKeptState } from '../index.ts';
import { clock, openTestJournal, write } from '../state-contract.ts';
import type { State } from '../state-types.ts';

let directory: string;
let journal: Journal;
let told: string[];
const database = () => join(directory, 'state.sqlite');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-state-damage-'));
  journal = await openTestJournal();
  told = [];
});
afterEach(async () => {
  await journal[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const open = () =>
  openSqliteState({
    stream: journal.stream('audit'),
    clock,
    log: silentLog,
    directory,
    onDamage: ({ message }) => void told.push(message),
  });

async function verifyState(at: string) {
  await using kept = await openKeptState(at);
  return kept.files;
}

const written = Object.fromEntries(
  Array.from({ length: 120 }, (_, at) => [`iam/user/${at}`, { name: `user-${at}`, note: 'n'.repeat(at) }]),
);

async function contentOf(state: State): Promise<Record<string, unknown>> {
  return Object.fromEntries((await state.list('')).map(({ key, value }) => [key, value]));
}

/** Writes behind the back of whoever has the database open, as a bad disk does. */
function spoil(statement: string): void {
  const other = new DatabaseSync(database());
  other.exec(statement);
  other.close();
}

/** A thread makes the copy, and takes as long as the machine lets it. */
const patient = { timeout: 20_000 };

/** Until the copy is there and the journal is trimmed by it. */
async function passCheckpoint(): Promise<void> {
  const stream = journal.stream('audit');
  await clock.advance(60_000);
  const trimmed = () => stream.trim().then(() => stream.start);
  await expect.poll(trimmed, patient).toBe(stream.end);
}

const restart = 'start Cairn again: it sets the file aside and rebuilds it from';

it('is what was written after a start, whichever bit of the file is another', async () => {
  {
    await using state = await open();
    await write(state, { ...written, gone: 1 });
    await write(state, { gone: undefined });
  }
  const whole = await readFile(database());
  let rebuilt = 0;
  for (let at = 0; at < whole.length; at += 397) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    await writeFile(database(), flipped);
    await using state = await open();
    expect([at, await contentOf(state)]).toEqual([at, written]);
    if ((await readdir(directory)).includes('state.sqlite.doubtful')) rebuilt += 1;
    await rm(`${database()}.doubtful`, { force: true });
  }
  expect(rebuilt).toBeGreaterThan(20);
});

it('says file and key of a damaged document that is read, and answers nothing of it', async () => {
  await using state = await open();
  await write(state, written);
  spoil(`UPDATE documents SET json = replace(json, 'user-7', 'user-8') WHERE key = 'iam/user/7'`);
  const said = `${database()} is damaged: the document "iam/user/7" has not the sum that stands beside it; ${restart}`;
  await expect(state.get('iam/user/7')).rejects.toThrow(said);
  await expect(state.list('iam/user/7')).rejects.toThrow(StateDamagedError);
  expect(told[0]).toContain(said);
  await expect(state.get('iam/user/8')).resolves.toMatchObject({ value: { name: 'user-8' } });
});

it('finds documents that are missing at the next checkpoint, keeps the last copy, and rebuilds from it', async () => {
  {
    await using state = await open();
    await write(state, written);
    await passCheckpoint();
    await write(state, { more: 1 });
    const copy = await readFile(join(directory, 'state-copy.sqlite'));
    spoil(`DELETE FROM documents WHERE key = 'iam/user/7'`);
    await clock.advance(60_000);
    await expect.poll(() => told, patient).toEqual([expect.stringContaining(restart)]);
    expect(told[0]).toContain('it has 120 documents');
    expect((await readFile(join(directory, 'state-copy.sqlite'))).equals(copy)).toBe(true);
  }
  await using state = await open();
  expect(await contentOf(state)).toEqual({ ...written, more: 1 });
});

it('does not rebuild from a copy that is damaged itself, and then leaves everything where it is', async () => {
  {
    await using state = await open();
    await write(state, written);
    await passCheckpoint();
  }
  for (const name of ['state.sqlite', 'state-copy.sqlite']) {
    const text = await readFile(join(directory, name), 'latin1');
    await writeFile(join(directory, name), text.replaceAll('user-7"', 'USER-7"'), 'latin1');
  }
  await expect(open()).rejects.toThrow(StateLostError);
  expect(await readdir(directory)).not.toContain('state.sqlite.doubtful');
});

it('opens a database of version 1, and gives its documents sums', async () => {
  {
    await using state = await open();
    await write(state, written);
  }
  spoil(`
    ALTER TABLE documents DROP COLUMN sum;
    ALTER TABLE cursor DROP COLUMN documents;
    ALTER TABLE cursor DROP COLUMN sums;
    ALTER TABLE cursor DROP COLUMN sum;
    PRAGMA user_version = 1;
  `);
  expect(await verifyState(directory)).toMatchObject([{ documents: 120, hasSums: false }]);
  {
    await using state = await open();
    expect(await contentOf(state)).toEqual(written);
    await write(state, { more: 1 });
  }
  expect(await readdir(directory)).not.toContain('state.sqlite.doubtful');
  expect(await verifyState(directory)).toEqual([{ file: database(), documents: 121, hasSums: true }]);
});

it('is verified without being changed, also where a crash left a write-ahead log', async () => {
  const files = async () =>
    Object.fromEntries(
      await Promise.all(
        (await readdir(directory)).map(async (name) => [name, await readFile(join(directory, name), 'hex')]),
      ),
    ) as Record<string, string>;
  const crashed = await mkdtemp(join(tmpdir(), 'cairn-state-damage-'));
  {
    await using state = await open();
    await write(state, written);
    for (const name of ['state.sqlite', 'state.sqlite-wal']) {
      await copyFile(join(directory, name), join(crashed, name));
    }
  }
  await rm(directory, { recursive: true });
  directory = crashed;
  const before = await files();
  expect(await verifyState(directory)).toEqual([{ file: database(), documents: 120, hasSums: true }]);
  expect(await files()).toEqual(before);
});

it('says which file cannot be opened, and sets nothing aside for it', async () => {
  await mkdir(database());
  await expect(open()).rejects.toThrow(
    `the control state ${database()} cannot be opened (unable to open database file): the file and its directory must belong to`,
  );
  expect(await readdir(directory)).toEqual(['state.sqlite']);
});
