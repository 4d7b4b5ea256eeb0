/**
 * What the tree of records costs: `node bench/tlog.ts [ENTRIES] [SECONDS]`, by default 10,000,000 entries and 5 seconds.
 *
 * First the tree alone grows to so many entries, and one is searched in it. Then producers append to a journal with its
 * archive of hashes, without the tree and with it, in turns.
 */
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openLog, seededRandom, systemClock, systemRandom } from '../src/kernel/index.ts';
import { openHashArchive, openJournal, type NewEntry, type Stream } from '../src/journal/index.ts';
import { openMemoryState } from '../src/state/index.ts';
import { openDataDirectory } from '../src/store/embedded/index.ts';
import { openMemoryCursors, openMemoryLog } from '../src/store/memory/index.ts';
import { openProofs } from '../src/trail/proofs/index.ts';
import { openTreeFiles } from '../src/trail/proofs/tree-files.ts';
import { openTreeThread } from '../src/trail/proofs/tree-thread.ts';

const entries = Number(process.argv[2] ?? 10_000_000);
const seconds = Number(process.argv[3] ?? 5);
const hashBytes = 32;
const log = openLog('warn');
const say = (line: string) => void process.stdout.write(`${line}\n`);
const since = (begun: number) => systemClock.monotonic() - begun;

async function sizeOf(directory: string): Promise<number> {
  const files = await readdir(directory);
  const stats = await Promise.all(files.map((file) => stat(join(directory, file))));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

async function growAlone(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await using thread = openTreeThread({ directory, size: 0 });
  const batch = Buffer.alloc(65_536 * hashBytes);
  let cpuMs = 0;
  let [first, last] = [Buffer.alloc(0), Buffer.alloc(0)];
  const begun = systemClock.monotonic();
  for (let at = 0; at < entries; at += 65_536) {
    randomFillSync(batch);
    const part = batch.subarray(0, Math.min(65_536, entries - at) * hashBytes);
    if (at === 0) first = Buffer.from(part.subarray(0, hashBytes));
    last = Buffer.from(part.subarray(-hashBytes));
    cpuMs += (await thread.grow(part)).cpuMs;
  }
  const tookMs = since(begun);
  say(
    `tree alone: ${entries} entries, ${Math.round((entries * 1000) / tookMs)} entries/s, ${((cpuMs * 1000) / entries).toFixed(2)} µs of its thread an entry, ${((await sizeOf(directory)) / entries).toFixed(2)} bytes an entry`,
  );
  await using files = openTreeFiles(directory);
  for (const [what, entry] of [
    ['newest', last] as const,
    ['oldest', first] as const,
    ['absent', Buffer.alloc(32, 1)] as const,
  ]) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const asked = systemClock.monotonic();
    await files.find(entry, entries);
    const foundMs = since(asked);
    delay.disable();
    say(
      `look-up, ${what}: ${foundMs.toFixed(0)} ms; the loop was held up ${(delay.max / 1e6).toFixed(1)} ms at most`,
    );
  }
}

async function produce(stream: Stream, group: number): Promise<number> {
  const random = seededRandom(1);
  const payloads = Array.from({ length: 64 }, () => Buffer.from(random.text(1_700, 'abcdefghijklmnop{}":,')));
  let appended = 0;
  const until = systemClock.monotonic() + seconds * 1000;
  const one = async (producer: number): Promise<void> => {
    for (let round = producer; systemClock.monotonic() < until; round += 1) {
      const given: NewEntry[] = Array.from({ length: group }, (_, index) => ({
        kind: 'ingested',
        payload: payloads[(round + index) % payloads.length] ?? Buffer.alloc(0),
      }));
      await stream.append(given);
      appended += group;
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, producer) => one(producer)));
  return appended;
}

async function ingest(path: string, withTree: boolean): Promise<void> {
  const shared = { clock: systemClock, log };
  await using opening = new AsyncDisposableStack();
  const data = opening.use(await openDataDirectory(path, { ...shared, random: systemRandom }));
  const journal = opening.use(
    await openJournal({ openLog: data.openLog, openCursors: data.openCursors, ...shared }),
  );
  const stream = journal.stream('audit');
  const other = opening.use(
    await openJournal({ openLog: () => openMemoryLog(), openCursors: () => openMemoryCursors(), ...shared }),
  );
  const state = opening.use(await openMemoryState({ stream: other.stream('audit'), ...shared }));
  const hashes = opening.use(
    await openHashArchive({ stream, pages: await data.openLog('audit-hashes'), ...shared }),
  );
  const proofs = withTree
    ? opening.use(
        await openProofs({
          directory: await data.directory('tlog'),
          stream,
          hashes,
          state,
          cipher: { seal: (plain) => Buffer.from(plain), open: (sealed) => Buffer.from(sealed) },
          accountId: '000000000000',
          logOrigin: undefined,
          witnesses: undefined,
          random: systemRandom,
          ...shared,
        }),
      )
    : undefined;
  const gaps: number[] = [];
  let [size, seenAt] = [-1, systemClock.monotonic()];
  const watching = setInterval(() => {
    if (!proofs || proofs.size === size) return;
    if (size > 0) gaps.push(since(seenAt));
    [size, seenAt] = [proofs.size, systemClock.monotonic()];
  }, 5);
  const before = process.cpuUsage();
  const begun = systemClock.monotonic();
  const appended = await produce(stream, 16);
  const tookMs = since(begun);
  clearInterval(watching);
  const { user, system } = process.cpuUsage(before);
  const cost = `${Math.round((appended * 1000) / tookMs)} entries/s, ${((user + system) / appended).toFixed(2)} µs of processor an entry`;
  if (!proofs) {
    say(`ingest without the tree: ${cost}`);
    return;
  }
  await proofs.settled();
  const { cpuMs, entries: taken } = proofs.work;
  say(
    `ingest with the tree:    ${cost}; ${((cpuMs * 1000) / taken).toFixed(2)} µs of the tree's thread an entry; a checkpoint every ${Math.round(Math.max(0, ...gaps))} ms at least`,
  );
}

const directory = await mkdtemp(join(process.env['CAIRN_BENCH_DIRECTORY'] ?? tmpdir(), 'cairn-bench-'));
try {
  await growAlone(join(directory, 'alone'));
  for (let round = 0; round < 3; round += 1) {
    for (const withTree of [false, true])
      await ingest(join(directory, `ingest-${round}-${String(withTree)}`), withTree);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
