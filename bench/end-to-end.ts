/**
 * Cairn as a whole, as its users drive it, beside PostgreSQL and DuckDB on the same events in the same run: with a trail and
 * its digests, the Merkle tree and the lake.
 *
 *   node bench/end-to-end.ts [--events 1000000] [--peer-events 300000] [--keep DIR]
 */
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CloudTrailClient, LookupEventsCommand, type LookupAttributeKey } from '@aws-sdk/client-cloudtrail';
import { defaultEvents, openEventGenerator, writeLogFiles } from './events.ts';
import { lookUp, openLightClient } from './light-client.ts';
import { median, openFigures, percentile, round, timed } from './figures.ts';
import { callToFound, putAuditEvents } from './live-load.ts';
import { openDuckDb } from './peers/duckdb.ts';
import { copyRow, hasPostgres, openPostgres, type PostgresPeer } from './peers/postgres.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { startTrail } from './trail-setup.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    'peer-events': { type: 'string', default: '300000' },
    keep: { type: 'string' },
  },
});
const events = Number(values.events);
const peerEvents = Math.min(events, Number(values['peer-events']));
const home = values.keep ?? mkdtempSync(join(tmpdir(), 'cairn-bench-'));
mkdirSync(home, { recursive: true });
const logs = join(home, 'logs');
const data = join(home, 'data');
/** One account, so that LookupEvents of the caller's account and region meets everything it is asked for. */
const account = accountOf();
const { report, print } = openFigures();

function accountOf(): string {
  const generator = openEventGenerator();
  generator.next();
  return generator.account;
}

/** What is looked up over the wire; resource types are few and are left out. */
const attributes: readonly LookupAttributeKey[] = [
  'EventId',
  'EventName',
  'Username',
  'EventSource',
  'AccessKeyId',
  'ResourceName',
  'ReadOnly',
];

interface LogFiles {
  readonly files: number;
  readonly sizeBytes: number;
  readonly rawBytes: number;
}

/** The log files; a directory that is kept has those of the run before, with a note of what they are. */
async function logFiles(): Promise<LogFiles> {
  const note = join(home, `logs-${events}.json`);
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as LogFiles;
  rmSync(logs, { recursive: true, force: true });
  const written = await writeLogFiles(logs, events);
  writeFileSync(note, JSON.stringify(written));
  return written;
}

function directoryBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function runImport(server: ServerProcess, directory: string): number {
  const start = performance.now();
  const outcome = spawnSync(process.execPath, ['src/cli/main.js', 'import', directory], {
    env: server.env,
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  if (outcome.status !== 0) throw new Error(`the import ended with ${outcome.status}`);
  return performance.now() - start;
}

/** How often a value is looked up after the first time. */
const warmTurns = 5;

interface LookUpTimes {
  /** Median milliseconds of the first look-up of each value, which reads blocks that nobody has asked for yet. */
  readonly first: number;
  /** Median milliseconds of those that follow. */
  readonly warm: number;
}

/** Times of LookupEvents for up to 50 values of each attribute, over the wire. */
async function lookUps(server: ServerProcess): Promise<Readonly<Record<string, LookUpTimes>>> {
  const sdk = sdkClient(server);
  const client = openLightClient(server);
  const sample = await sdk.send(new LookupEventsCommand({ MaxResults: 50 }));
  const found = (sample.Events ?? []).map((event) => ({
    ...event,
    ResourceName: event.Resources?.[0]?.ResourceName,
  }));
  // Both programs have run their code a few hundred times before the first look-up that counts.
  for (let turn = 0; turn < 300; turn++) await lookUp(client, 'EventName', found[turn % 50]?.EventName ?? '');
  const result: Record<string, LookUpTimes> = {};
  for (const attribute of attributes) {
    const values = [...new Set(found.map((event) => event[attribute as keyof typeof event]))].filter(
      (value) => typeof value === 'string',
    );
    const turns: number[][] = [];
    for (let turn = 0; turn <= warmTurns; turn++) {
      const times: number[] = [];
      for (const value of values) times.push(await timed(() => lookUp(client, attribute, value)));
      turns.push(times);
    }
    const [first = [], ...others] = turns;
    const warm = others.flat();
    if (values.length > 0) result[attribute] = { first: median(first), warm: median(warm) };
  }
  client.close();
  return result;
}

/** Milliseconds that the JavaScript SDK adds to a look-up of one event. */
async function sdkShare(server: ServerProcess): Promise<number> {
  const sdk = sdkClient(server);
  const client = openLightClient(server);
  const [event] = (await sdk.send(new LookupEventsCommand({ MaxResults: 1 }))).Events ?? [];
  const EventId = event?.EventId ?? '';
  const command = new LookupEventsCommand({
    LookupAttributes: [{ AttributeKey: 'EventId', AttributeValue: EventId }],
  });
  const times: number[][] = [[], []];
  for (let turn = 0; turn < 200; turn++) {
    times[0]?.push(await timed(() => lookUp(client, 'EventId', EventId)));
    times[1]?.push(await timed(() => sdk.send(command)));
  }
  client.close();
  const [light = [], heavy = []] = times.map((all) => all.slice(100));
  return median(heavy) - median(light);
}

function sdkClient({ endpoint, credentials }: ServerProcess): CloudTrailClient {
  return new CloudTrailClient({ endpoint, credentials, region: 'us-east-1' });
}

async function measurePostgres(): Promise<
  { readonly rate: number; readonly bytesPerEvent: number; readonly countMs: number } | undefined
> {
  if (!hasPostgres) return undefined;
  await using postgres: PostgresPeer = await openPostgres();
  const generator = openEventGenerator();
  async function* rows() {
    for (let written = 0; written < peerEvents; written += 500) {
      yield Array.from({ length: Math.min(500, peerEvents - written) }, () => copyRow(generator.next())).join(
        '',
      );
      await Promise.resolve();
    }
  }
  const ms = await timed(() => postgres.copy(rows()));
  postgres.query('ANALYZE events');
  const sql = `SELECT event_name, date_trunc('hour', event_time), count(*) FROM events GROUP BY 1, 2`;
  return {
    rate: (peerEvents / ms) * 1000,
    bytesPerEvent: postgres.sizeBytes() / peerEvents,
    countMs: median(postgres.time(sql, 3)),
  };
}

/** How fast one core is, by two things that every event takes part in, so that figures of two machines can be compared. */
function reportMachine(): void {
  const generator = openEventGenerator();
  const records = Array.from({ length: 2000 }, () => generator.next());
  const bytes = records.map((record) => Buffer.from(record));
  const sizeMb = bytes.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const rate = (work: () => void): string => {
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    });
    return round((sizeMb / median(times)) * 1000);
  };
  const parsed = rate(() => {
    for (const record of records) JSON.parse(record);
  });
  const hashed = rate(() => {
    for (const record of bytes) hash('sha256', record);
  });
  report('one core of this machine', `JSON.parse ${parsed} MB/s, SHA-256 ${hashed} MB/s, an event at a time`);
}

async function main(): Promise<void> {
  reportMachine();
  const files = await logFiles();
  report('events', `${round(events)} of ${round(files.rawBytes / events)} bytes in ${files.files} files`);
  {
    await using server = await startServerProcess(data, { CAIRN_ACCOUNT_ID: account });
    await startTrail(server);
    const importMs = runImport(server, logs);
    const rate = (events / importMs) * 1000;
    report('import of log files to durable and searchable', `${round(rate)} events/s`, '30,000 events/s');
    await server.settled();
    const postgres = await measurePostgres();
    if (postgres) {
      report('PostgreSQL 15 COPY, attributes already taken out', `${round(postgres.rate)} events/s`);
      report('import, against PostgreSQL', `${round(rate / postgres.rate)} times`, '2.5 times');
    }
    // A query seals what waits, so that the columns are all there is of the lake.
    const query = ['src/cli/main.js', 'query', 'SELECT count(*) AS n FROM events'];
    spawnSync(process.execPath, query, { env: server.env });
    await server.settled();
    const bytes = directoryBytes(join(data, 'history')) / events;
    const columns = directoryBytes(join(data, 'lake')) / events;
    report('disk, columns of the lake', `${round(columns)} bytes/event`, '160 bytes/event');
    report('disk, history with raw records', `${round(bytes)} bytes/event`, '260 bytes/event');
    report(
      'disk, against the .json.gz files',
      `${round(bytes / (files.sizeBytes / events))} times`,
      'at most 1.1 times',
    );
    if (postgres)
      report('disk, against PostgreSQL', `1/${round(postgres.bytesPerEvent / bytes)}`, 'at most 1/8');
    for (const [attribute, { first, warm }] of Object.entries(await lookUps(server))) {
      report(
        `LookupEvents of 50 by ${attribute}: warm median (first time)`,
        `${round(warm)} ms (${round(first)} ms)`,
        attribute === 'EventId' ? '3.3 ms' : '8 ms',
      );
    }
    report('the JavaScript SDK adds to a look-up of one event', `${round(await sdkShare(server))} ms`);
    await measureCounts(server, postgres?.countMs);
    await measureDuckDb(server);
    await server.settled();
    // The server has run this code for a while before the calls that count; an account may have 5,000 users.
    await callToFound(server, { perSecond: 200, seconds: 2 });
    const found = await callToFound(server, { perSecond: 500, seconds: 9 });
    report(
      'call answered → found by LookupEvents, 500 calls/s',
      `p50 ${round(median(found))} ms, p99 ${round(percentile(found, 99))} ms`,
      'p99 100 ms',
    );
    await server.settled();
    // Both programs have run their code for a while before the events that count.
    await putAuditEvents(server, { seconds: 3, inFlight: 32 });
    const audited = await putAuditEvents(server, { seconds: 10, inFlight: 32 });
    report(
      'PutAuditEvents of 100 events, durable, one client process',
      `${round(audited)} events/s`,
      '20,000 events/s',
    );
    await server.settled();
  }
  await using server = await startServerProcess(data, { CAIRN_ACCOUNT_ID: account });
  report(`start to ready on ${round(events)} events`, `${round(server.readyMs)} ms`, '1,500 ms');
  // What the server before had no time to seal or merge comes first.
  await pause(60_000);
  await server.alone();
  await server.settled();
  report('idle memory', `${round(server.memoryBytes() / 1024 / 1024)} MiB`, '200 MB');
}

async function measureCounts(server: ServerProcess, postgresMs: number | undefined): Promise<void> {
  const client = openLightClient(server);
  const target = '/_cairn/events/count?bucket=1h&by=eventName&limit=1000';
  const times: number[] = [];
  for (let turn = 0; turn < 5; turn++)
    times.push(await timed(() => client.send({ service: 'cairn', method: 'GET', target })));
  client.close();
  const ms = median(times.slice(1));
  report(`count per eventName and hour over ${round(events)}`, `${round(ms)} ms`, '1,000 ms over 10M');
  if (postgresMs !== undefined) {
    const scaled = postgresMs * (events / peerEvents);
    report(
      `count, against PostgreSQL (${round(postgresMs)} ms over ${round(peerEvents)})`,
      `${round(scaled / ms)} times faster`,
      '3 times',
    );
  }
}

async function measureDuckDb(server: ServerProcess): Promise<void> {
  using duckdb = await openDuckDb(`${logs}/**/*.json.gz`);
  if (!duckdb) return;
  const [event] = (await sdkClient(server).send(new LookupEventsCommand({ MaxResults: 1 }))).Events ?? [];
  const client = openLightClient(server);
  const times: number[] = [];
  for (let turn = 0; turn < 20; turn++)
    times.push(await timed(() => lookUp(client, 'EventId', event?.EventId ?? '')));
  client.close();
  const ours = median(times);
  const theirs = await duckdb.run(`SELECT r.eventTime FROM events WHERE r.eventID = '${event?.EventId}'`);
  report(
    `look-up by eventID against DuckDB over the .json.gz files (${round(theirs.ms)} ms)`,
    `${round(theirs.ms / ours)} times faster`,
    '1,000 times',
  );
}

try {
  await main();
  print(`Cairn as a whole, ${round(events)} events of ${defaultEvents.principals} principals`);
} finally {
  if (values.keep === undefined) rmSync(home, { recursive: true, force: true });
}
