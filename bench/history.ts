import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { sequence, silentLog, systemClock } from '../src/kernel/index.ts';
import type { JournalEntry } from '../src/journal/index.ts';
import {
  attributeNames,
  attributeValues,
  openHistory,
  scanRecord,
  type AttributeName,
  type OpenedHistory,
} from '../src/trail/history/index.ts';
import { openEventGenerator } from './events.ts';
import { median, openFigures, round, timed } from './figures.ts';

/** The history inside one process: `node bench/history.ts [--events 1000000] [--directory DIR]`. */
const { report, print } = openFigures();
const batchEvents = 1000;
/** Values of each attribute that are looked up. */
const lookUps = 40;

interface Sample {
  /** For each attribute, values that stand in the events: as frequent as they come. */
  readonly values: ReadonlyMap<AttributeName, readonly string[]>;
}

/** Applies `count` generated events. Making them is left out of the time. */
async function fill(history: OpenedHistory, count: number) {
  const generator = openEventGenerator();
  const values = new Map<AttributeName, string[]>(attributeNames.map((name) => [name, []]));
  let [applyMs, rawBytes, gzipBytes, gzipEvents] = [0, 0, 0, 0];
  const cpuBefore = process.cpuUsage();
  let generatingCpu = 0;
  for (let done = 0; done < count; done += batchEvents) {
    const cpu = process.cpuUsage();
    const texts = Array.from({ length: Math.min(batchEvents, count - done) }, () => generator.next());
    const entries = texts.map((text, index): JournalEntry => ({
      kind: 'imported',
      payload: Buffer.from(text),
      sequence: sequence(done + index),
      time: 0,
      hash: undefined,
    }));
    for (const entry of entries) rawBytes += entry.payload.length;
    if (done % (count / 20) < batchEvents) {
      gzipBytes += gzipSync(`{"Records":[${texts.join(',')}]}`).length;
      gzipEvents += texts.length;
      const scan = scanRecord(entries[0]?.payload ?? new Uint8Array());
      if (scan.kind === 'record') {
        for (const name of attributeNames) values.get(name)?.push(...attributeValues(scan.record, name));
      }
    }
    const spent = process.cpuUsage(cpu);
    generatingCpu += spent.user + spent.system;
    applyMs += await timed(() => history.apply(entries));
  }
  applyMs += await timed(() => history.flush());
  const mergeMs = await timed(() => history.settled());
  const total = process.cpuUsage(cpuBefore);
  const sample: Sample = { values };
  return {
    sample,
    applyMs,
    mergeMs,
    rawBytes,
    gzipBytesPerEvent: gzipBytes / gzipEvents,
    cpuMicros: total.user + total.system - generatingCpu,
  };
}

async function measureLookUps(history: OpenedHistory, sample: Sample): Promise<void> {
  for (const [name, values] of sample.values) {
    const chosen = Array.from({ length: lookUps }, (_, index) => values[index % Math.max(1, values.length)]);
    const times: number[] = [];
    const firstTimes: number[] = [];
    for (const value of chosen) {
      if (value === undefined) continue;
      const search = () => history.search({ attributes: [{ name, values: [value] }] }, { limit: 50 });
      // The first time, its records are most often not unpacked yet.
      firstTimes.push(await timed(search));
      times.push(await timed(search));
      const page = await search();
      if (page.events.length === 0) throw new Error(`${name} ${value} was not found`);
    }
    if (times.length === 0) continue;
    report(
      `look-up of 50 by ${name}`,
      `${median(times).toFixed(2)} ms (first time ${median(firstTimes).toFixed(2)} ms)`,
      name === 'EventId' ? '0.3 ms' : '5 ms',
    );
  }
  const times: number[] = [];
  for (let run = 0; run < lookUps; run += 1) times.push(await timed(() => history.search({}, { limit: 50 })));
  report('newest 50', `${median(times).toFixed(2)} ms`, '5 ms');
}

async function measureCounts(history: OpenedHistory): Promise<void> {
  const count = (attributes: readonly AttributeName[], bucketMs?: number) =>
    timed(() =>
      history.count({}, { attributes, limit: 100, ...(bucketMs === undefined ? {} : { bucketMs }) }),
    );
  report(
    'count per eventName and hour',
    `${(await count(['EventName'], 3_600_000)).toFixed(0)} ms`,
    '1000 ms at 10M',
  );
  report('count per eventName and errorCode', `${(await count(['EventName', 'ErrorCode'])).toFixed(0)} ms`);
  const denied = await timed(() =>
    history.count(
      { attributes: [{ name: 'ErrorCode', values: ['AccessDenied', 'Client.UnauthorizedOperation'] }] },
      { attributes: ['PrincipalArn'], limit: 20 },
    ),
  );
  report('top 20 denied principals', `${denied.toFixed(0)} ms`);
}

/** Memory of a fresh process that has opened the history, looked something up, and applied something known. */
async function idleMegabytes(directory: string): Promise<string> {
  const script = `
    import { openHistory } from ${JSON.stringify(new URL('../src/trail/history/index.ts', import.meta.url).href)};
    import { silentLog, systemClock } from ${JSON.stringify(new URL('../src/kernel/index.ts', import.meta.url).href)};
    const history = await openHistory({ directory: ${JSON.stringify(directory)}, clock: systemClock, log: silentLog });
    const { events } = await history.search({}, { limit: 50 });
    await history.apply(events.map(({ raw }) => ({ kind: 'imported', payload: raw, sequence: 0, time: 0, hash: undefined })));
    globalThis.gc?.();
    console.log((process.memoryUsage().rss / 1024 / 1024).toFixed(0));
    await history[Symbol.asyncDispose]();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return stdout.trim();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { events: { type: 'string', default: '1000000' }, directory: { type: 'string' } },
  });
  const events = Number(values.events);
  if (!Number.isInteger(events) || events < 1000 || events > 20_000_000) {
    throw new RangeError('--events takes a whole number from 1000 to 20000000');
  }
  const directory = values.directory ?? (await mkdtemp(join(tmpdir(), 'cairn-bench-')));
  try {
    let history = await openHistory({ directory, clock: systemClock, log: silentLog });
    const filled = await fill(history, events);
    const stats = await history.stats();
    const perSecond = (events / (filled.applyMs + filled.mergeMs)) * 1000;
    report(`events of ${(filled.rawBytes / events).toFixed(0)} bytes applied`, String(stats.events));
    report('ingest, with merging', `${perSecond.toFixed(0)} events/s`, 'over 30000 with everything else');
    report('CPU of ingest', `${(filled.cpuMicros / events).toFixed(1)} us/event`, 'under 30 us');
    const bytes = stats.sizeBytes / events;
    report('disk, with raw records', `${bytes.toFixed(1)} bytes/event`, '260 bytes/event');
    const ratio = bytes / filled.gzipBytesPerEvent;
    report('against .json.gz', `${ratio.toFixed(2)} of ${filled.gzipBytesPerEvent.toFixed(1)}`, '1.1');
    await measureLookUps(history, filled.sample);
    await measureCounts(history);
    await history[Symbol.asyncDispose]();
    const openMs = await timed(async () => {
      history = await openHistory({ directory, clock: systemClock, log: silentLog });
    });
    report(`open of ${stats.segments} segments`, `${openMs.toFixed(1)} ms`, '1000 ms');
    const user = filled.sample.values.get('Username')?.[0] ?? '';
    const first = await timed(() =>
      history.search({ attributes: [{ name: 'Username', values: [user] }] }, { limit: 50 }),
    );
    report('first look-up after opening', `${first.toFixed(1)} ms`, '100 ms');
    await history[Symbol.asyncDispose]();
    report('memory (RSS) of a process that has it open', `${await idleMegabytes(directory)} MB`, '200 MB');
    print(`The history, ${round(events)} events`);
  } finally {
    if (values.directory === undefined) await rm(directory, { recursive: true });
  }
}

await main();
