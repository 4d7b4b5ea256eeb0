import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { limits, sequence, silentLog, systemClock } from '../src/kernel/index.ts';
import type { Columns, ColumnsRow } from '../src/store/index.ts';
import { openDuckColumns } from '../src/store/embedded/index.ts';
import { lakeTable } from '../src/trail/lake/index.ts';
import { flatMembers, lakeColumns } from '../src/trail/lake/schema.ts';
import { translate } from '../src/trail/lake/sql/index.ts';
import { openEventGenerator, writeLogFiles } from './events.ts';
import { median, openFigures, round, timed } from './figures.ts';

/**
 * The lake's columns: `node bench/lake.ts [--events 1000000] [--directory DIR] [--accounts 1] [--peers]`. `--peers` also asks
 * DuckDB over the log files as they lie in a bucket. ClickHouse's engine is asked if CHDB names the directory of the module `chdb`.
 */
const { report, print } = openFigures();
const { values: options } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    directory: { type: 'string' },
    accounts: { type: 'string', default: '1' },
    peers: { type: 'boolean', default: false },
  },
});
const count = Number(options.events);
const chunkEvents = 4096;
const never = new AbortController().signal;
const startTime = Date.UTC(2026, 0, 1);
const generated = { accounts: Number(options.accounts), perSecond: 10 };

interface Sample {
  readonly owner: string;
  readonly eventId: string;
  readonly userName: string;
  readonly accessKeyId: string;
}

/** Cumulative processor time of this process's children that have not ended, in milliseconds; Linux alone. */
function childrenCpuMs(): number {
  const text = execFileSync('ps', ['-o', 'cputimes=,args=', '--ppid', String(process.pid)], {
    encoding: 'utf8',
  });
  const seconds = text.split('\n').filter((line) => line.includes('engine-worker'));
  return seconds.reduce((sum, line) => sum + Number(/\d+/.exec(line)?.[0] ?? 0) * 1000, 0);
}

function sampleOf(payload: Uint8Array): Sample {
  const record = JSON.parse(Buffer.from(payload).toString()) as {
    readonly eventID: string;
    readonly recipientAccountId: string;
    readonly userIdentity: { readonly userName?: string; readonly accessKeyId?: string };
  };
  return {
    owner: record.recipientAccountId,
    eventId: record.eventID,
    userName: record.userIdentity.userName ?? '',
    accessKeyId: record.userIdentity.accessKeyId ?? '',
  };
}

async function fill(columns: Columns): Promise<Sample> {
  const generator = openEventGenerator(generated);
  let sample: Sample | undefined;
  let appendMs = 0;
  let rawBytes = 0;
  for (let done = 0; done < count;) {
    const batch = await columns.gather();
    const until = Math.min(count, done + limits.lakeBatchEvents);
    while (done < until) {
      const rows: ColumnsRow[] = [];
      for (const end = Math.min(until, done + chunkEvents); done < end; done++) {
        const payload = Buffer.from(generator.next());
        rawBytes += payload.length;
        rows.push({ sequence: sequence(done), payload });
        if (done === Math.floor(count / 2)) sample = sampleOf(payload);
      }
      appendMs += await timed(() => batch.add(rows));
    }
    appendMs += await timed(() => columns.append({ rows: batch, through: sequence(done) }));
  }
  const mergeMs = await timed(() => columns.settled());
  report('append', `${round(count / (appendMs / 1000))} events/s`, '50,000 a core');
  report('merges still running behind it', `${round(mergeMs)} ms`);
  report(
    'processor time of the engines',
    `${round(childrenCpuMs() / (count / 1_000_000) / 1000)} s a million events`,
  );
  const { sizeBytes, files } = columns.stats();
  report(
    'columns',
    `${round(sizeBytes / count)} bytes/event in ${files} files (${round(rawBytes / count)} as JSON)`,
    '160 bytes/event',
  );
  if (!sample) throw new Error('too few events');
  return sample;
}

/** What is asked of each engine; `{}` stands for the table. */
function questions(
  sample: Sample,
): readonly (readonly [what: string, sql: string, target: string | undefined])[] {
  const hour = `TIMESTAMP '${new Date(startTime + (count / 10 / 2) * 1000).toISOString().slice(0, 19).replace('T', ' ')}'`;
  const bounded = `eventTime BETWEEN ${hour} AND ${hour} + INTERVAL 10 MINUTE`;
  return [
    [
      'an hour’s sixth, by event name',
      `SELECT eventName, count(*) n FROM {} WHERE ${bounded} GROUP BY eventName ORDER BY n DESC`,
      '150 ms',
    ],
    [
      'an hour’s sixth, whole rows',
      `SELECT eventTime, eventName, requestParameters FROM {} WHERE ${bounded} LIMIT 1000`,
      '150 ms',
    ],
    [
      'equality on userName',
      `SELECT eventTime, eventName FROM {} WHERE userIdentity.userName = '${sample.userName}'`,
      '150 ms',
    ],
    [
      'equality on userName, with the ids',
      `SELECT eventID, eventTime, eventName FROM {} WHERE userIdentity.userName = '${sample.userName}'`,
      '150 ms',
    ],
    ['equality on eventID', `SELECT eventName FROM {} WHERE eventID = '${sample.eventId}'`, '150 ms'],
    [
      'equality on accessKeyId',
      `SELECT eventTime, eventName FROM {} WHERE userIdentity.accessKeyId = '${sample.accessKeyId}'`,
      '150 ms',
    ],
    [
      'group by event name over everything',
      'SELECT eventName, count(*) n FROM {} GROUP BY eventName ORDER BY n DESC',
      '2 times ClickHouse’s',
    ],
    [
      'group by source, user and error over everything',
      'SELECT eventSource, userIdentity.arn arn, errorCode, count(*) n FROM {} GROUP BY 1, 2, 3 ORDER BY n DESC LIMIT 20',
      '2 times ClickHouse’s',
    ],
    [
      'a parameter of every request',
      "SELECT element_at(requestParameters, 'bucketName') b, count(*) n FROM {} GROUP BY 1 ORDER BY n DESC LIMIT 20",
      undefined,
    ],
  ];
}

/** A question as a statement of the lake, and as the engine is asked it. */
function translated(sql: string, owner: string) {
  const table = {
    view: 'lake',
    columns: lakeColumns,
    flat: flatMembers,
    idColumn: lakeTable.id,
    timeColumn: lakeTable.time,
  };
  const statement = sql.replace('{}', 'lake').replaceAll('10 MINUTE', "'10' MINUTE");
  const translation = translate(statement, () => table);
  if (translation.kind === 'refused') throw new Error(`${statement}: ${translation.message}`);
  const [ids, times] = [translation.eventIds['lake'], translation.eventTimes['lake']];
  const view = { name: 'lake', owner, ...(ids && { ids }), ...(times && { times }) };
  return { sql: translation.sql, views: [view] };
}

async function askLake(columns: Columns, sample: Sample, into: string): Promise<void> {
  for (const [what, sql, target] of questions(sample)) {
    const times: number[] = [];
    let rows = 0;
    for (let turn = 0; turn < 5; turn++) {
      // An engine that has answered gets ready for the next question, as it does between those that people ask.
      await pause(300);
      times.push(
        await timed(async () => {
          const query = { ...translated(sql, sample.owner), into, mostBytes: 1 << 30 };
          const outcome = await columns.query(query, never);
          if (outcome.kind === 'failed') throw new Error(`${what}: ${outcome.reason}`);
          rows = outcome.rows;
        }),
      );
    }
    report(`${what}: ${round(rows)} rows`, `${round(median(times))} ms`, target);
  }
}

/** DuckDB over the log files: what one has without a lake. */
async function askFiles(sample: Sample, directory: string): Promise<void> {
  const logs = join(directory, 'logs');
  await writeLogFiles(logs, count, generated);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const table = `(SELECT unnest(r) FROM (SELECT unnest(Records) r FROM read_json('${logs}/**/*.json.gz', columns = {Records: 'STRUCT(eventName VARCHAR, eventID VARCHAR, eventTime TIMESTAMP, eventSource VARCHAR, errorCode VARCHAR, userIdentity STRUCT(arn VARCHAR, accessKeyId VARCHAR, userName VARCHAR), requestParameters MAP(VARCHAR, VARCHAR))[]'}, maximum_object_size = 67108864)))`;
  for (const [what, sql] of questions(sample)) {
    const ms = await timed(() => connection.runAndReadAll(sql.replace('{}', table)));
    report(`DuckDB over .json.gz: ${what}`, `${round(ms)} ms`);
  }
}

/** ClickHouse's engine over the lake's own files, which it reads as any other engine may. */
async function askClickHouse(sample: Sample, directory: string): Promise<void> {
  const home = process.env['CHDB'];
  if (home === undefined) return;
  const { Session } = (await import(join(home, 'index.js'))) as {
    readonly Session: new (path: string) => { query(sql: string, format?: string): string };
  };
  const session = new Session(join(directory, 'chdb'));
  const names = await readdir(join(directory, 'columns', sample.owner));
  const numbers = names.flatMap((name) => /^(\d+)\.parquet$/.exec(name)?.[1] ?? []);
  session.query('CREATE DATABASE bench ENGINE = Atomic');
  session.query(
    `CREATE TABLE bench.lake ENGINE = MergeTree ORDER BY eventTime SETTINGS allow_nullable_key = 1 AS SELECT eventTime, eventName, eventSource, errorCode, tupleElement(userIdentity, 'arn') AS arn FROM file('${directory}/columns/${sample.owner}/{${numbers.join(',')}}.parquet', Parquet) SETTINGS input_format_parquet_case_insensitive_column_matching = 1`,
  );
  const asked = [
    [
      'group by event name over everything',
      'SELECT eventName, count(*) n FROM bench.lake GROUP BY eventName ORDER BY n DESC',
    ],
    [
      'group by source, user and error over everything',
      'SELECT eventSource, arn, errorCode, count(*) n FROM bench.lake GROUP BY ALL ORDER BY n DESC LIMIT 20',
    ],
  ] as const;
  for (const [what, sql] of asked) {
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn++) times.push(await timed(() => session.query(sql, 'CSV')));
    report(`ClickHouse’s engine: ${what}`, `${round(median(times))} ms`);
  }
}

const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'cairn-bench-')));
{
  await using columns = await openDuckColumns({
    clock: systemClock,
    directory: join(directory, 'columns'),
    table: lakeTable,
    log: silentLog,
  });
  const sample = await fill(columns);
  await askLake(columns, sample, join(directory, 'result.ndjson'));
  if (options.peers) await askFiles(sample, directory);
  await askClickHouse(sample, directory);
}
if (options.directory === undefined) await rm(directory, { recursive: true });
print(`The lake, ${round(count)} events`);
