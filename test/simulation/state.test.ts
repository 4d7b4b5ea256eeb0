import { expect, it } from 'vitest';
import { manualClock, sequence, silentLog, type Random } from '../../src/kernel/index.ts';
import { openJournal } from '../../src/journal/index.ts';
import { openMemoryState, type State } from '../../src/state/index.ts';
import { openFileCursors, openSegmentLog } from '../../src/store/embedded/index.ts';
import { forEachSeed } from './seeds.ts';
import { openSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

const accounts = Array.from({ length: 6 }, (_, index) => `account/${index}`);
const openingBalance = 100;

interface Transfer {
  readonly id: string;
  outcome: 'committed' | 'nothing' | 'unknown';
}

async function openOn(disk: SimulatedDisk, random: Random) {
  const clock = manualClock(1_700_000_000_000);
  const shared = { random, log: silentLog, files: disk.files };
  const stack = new AsyncDisposableStack();
  try {
    const journal = stack.use(
      await openJournal({
        openLog: (name) => openSegmentLog({ ...shared, directory: `/${name}`, segmentBytes: 3000 }),
        openCursors: (name) => openFileCursors({ ...shared, directory: `/cursors-${name}` }),
        clock,
        log: silentLog,
      }),
    );
    const stream = journal.stream('audit');
    const state = stack.use(await openMemoryState({ stream, clock, log: silentLog }));
    return { stream, state, stack };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Moves something from one account to another and notes the transfer, again and again until it is no conflict. */
async function transfer(state: State, random: Random, done: Transfer): Promise<void> {
  const [from = '', to = ''] = [random.below(3), 3 + random.below(3)].map((index) => accounts[index]);
  try {
    for (;;) {
      const change = state.begin();
      const balances = await change.list<number>('account/');
      const balanceOf = (key: string) =>
        balances.find((document) => document.key === key)?.value ?? openingBalance;
      const amount = 1 + random.below(9);
      change.put(from, balanceOf(from) - amount);
      change.put(to, balanceOf(to) + amount);
      if (random.below(3) === 0) change.delete('note/last');
      else change.put('note/last', done.id);
      const result = await state.commit(change, [{ kind: 'record', payload: Buffer.from(done.id) }]);
      if (result.kind === 'conflict') continue;
      done.outcome = 'committed';
      return;
    }
  } catch (error) {
    if (error instanceof Error && ['DiskFullError', 'OverloadError'].includes(error.name))
      done.outcome = 'nothing';
  }
}

async function live(disk: SimulatedDisk, random: Random, transfers: Transfer[]): Promise<void> {
  const { state, stream, stack } = await openOn(disk, random);
  await using _ = stack;
  const records: string[] = [];
  let changes = 0;
  for await (const { entries, damage } of stream.read(sequence(0))) {
    expect(damage).toEqual([]);
    for (const entry of entries) {
      if (entry.kind === 'change') changes += 1;
      else records.push(Buffer.from(entry.payload).toString());
    }
  }
  // Each change has its record, and each is there once.
  expect(changes).toBe(records.length);
  expect(new Set(records).size).toBe(records.length);
  for (const done of transfers) {
    const recorded = records.includes(done.id);
    if (done.outcome !== 'unknown') expect(recorded, done.id).toBe(done.outcome === 'committed');
    done.outcome = recorded ? 'committed' : 'nothing';
  }
  const balances = await state.list<number>('account/');
  const total = balances.reduce((sum, { value }) => sum + value, 0);
  expect(total).toBe(balances.length * openingBalance);

  if (random.below(3) > 0) disk.crashAfter(random.below(80));
  const working: Promise<void>[] = [];
  for (let step = 0; step < 15; step += 1) {
    const done: Transfer = { id: `t${transfers.length}`, outcome: 'unknown' };
    transfers.push(done);
    working.push(transfer(state, random, done));
    if (random.below(3) === 0) await working.at(-1);
    if (random.below(10) === 0) disk.full = !disk.full;
  }
  await Promise.all(working);
}

it('has every committed change with its record, and nothing of the others, whatever the disk does', async () => {
  let committed = 0;
  let nothing = 0;
  await forEachSeed(60, async (random) => {
    const disk = openSimulatedDisk(random);
    const transfers: Transfer[] = [];
    for (let round = 0; round < 4; round += 1) {
      await live(disk, random, transfers).catch((error: unknown) => {
        if (!String(error).includes('EPOWER')) throw error;
      });
      disk.restart();
    }
    committed += transfers.filter(({ outcome }) => outcome === 'committed').length;
    nothing += transfers.filter(({ outcome }) => outcome === 'nothing').length;
  });
  expect(committed).toBeGreaterThan(500);
  expect(nothing).toBeGreaterThan(100);
});
