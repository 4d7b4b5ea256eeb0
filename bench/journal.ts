/**
 * Append throughput of the journal on this machine's disk: `node bench/journal.ts [SECONDS]`.
 *
 * Producers append entries of about 1.7 KB, the size of a CloudTrail record, and wait for each to be durable.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog, seededRandom, systemClock, systemRandom } from '../src/kernel/index.ts';
import { openJournal, type NewEntry, type Stream } from '../src/journal/index.ts';
import { openDataDirectory } from '../src/store/embedded/index.ts';
import { percentile } from './figures.ts';

const entryBytes = 1_700;

interface Measured {
  readonly producers: number;
  readonly group: number;
  readonly entriesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(stream: Stream, producers: number, group: number, seconds: number): Promise<Measured> {
  const random = seededRandom(producers);
  const payloads = Array.from({ length: 64 }, () =>
    Buffer.from(random.text(entryBytes, 'abcdefghijklmnop{}":,')),
  );
  const latencies: number[] = [];
  const begun = systemClock.monotonic();
  const until = begun + seconds * 1000;
  async function produce(producer: number): Promise<void> {
    for (let round = producer; systemClock.monotonic() < until; round += 1) {
      const entries: NewEntry[] = Array.from({ length: group }, (_, index) => ({
        kind: 'ingested',
        payload: payloads[(round + index) % payloads.length] ?? Buffer.alloc(0),
      }));
      const before = systemClock.monotonic();
      await stream.append(entries);
      latencies.push(systemClock.monotonic() - before);
    }
  }
  await Promise.all(Array.from({ length: producers }, (_, producer) => produce(producer)));
  const tookMs = systemClock.monotonic() - begun;
  return {
    producers,
    group,
    entriesPerSecond: Math.round((latencies.length * group * 1000) / tookMs),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
  };
}

const seconds = Number(process.argv[2] ?? 3);
const directory = await mkdtemp(join(process.env['CAIRN_BENCH_DIRECTORY'] ?? tmpdir(), 'cairn-bench-'));
const log = openLog('warn');
try {
  await using data = await openDataDirectory(directory, { clock: systemClock, random: systemRandom, log });
  await using journal = await openJournal({
    openLog: data.openLog,
    openCursors: data.openCursors,
    clock: systemClock,
    log,
  });
  const stream = journal.stream('audit');
  const rows: Measured[] = [];
  for (const [producers, group] of [
    [1, 1],
    [64, 1],
    [1024, 1],
    [4, 100],
  ] as const) {
    rows.push(await measure(stream, producers, group, seconds));
  }
  const begun = systemClock.monotonic();
  let read = 0;
  for await (const { entries } of stream.read(stream.start)) read += entries.length;
  const readPerSecond = Math.round((read * 1000) / (systemClock.monotonic() - begun));
  console.log(
    `| producers | entries a group | entries/s | MB/s | p50 ms | p99 ms |\n|--:|--:|--:|--:|--:|--:|`,
  );
  for (const row of rows) {
    const megabytes = Math.round((row.entriesPerSecond * entryBytes) / 1e6);
    console.log(
      `| ${row.producers} | ${row.group} | ${row.entriesPerSecond} | ${megabytes} | ${row.p50Ms.toFixed(2)} | ${row.p99Ms.toFixed(2)} |`,
    );
  }
  console.log(`\nRead back: ${read} entries at ${readPerSecond} entries/s.`);
} finally {
  await rm(directory, { recursive: true });
}
