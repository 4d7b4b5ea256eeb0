import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualClock, sequence, silentLog, systemClock } from '../../../kernel/index.ts';
import { contractTable, ownerA, ownerB, rowOf, rowsOf } from '../../columns-contract.ts';
import type { Columns } from '../../columns-port.ts';
import { openDuckColumns } from './duck-columns.ts';
import { EngineDiedError, startEngine } from './engine-process.ts';

const never = new AbortController().signal;
const view = { name: 'v', owner: ownerA, where: 'flag' };
let directory: string;
let columns: Columns;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-hostile-'));
  await writeFile(join(directory, 'secret.csv'), 'a,b\n1,2\n');
  columns = await openDuckColumns({
    clock: systemClock,
    directory: join(directory, 'columns'),
    table: contractTable,
    log: silentLog,
    queryBytes: 128 * 1024 * 1024,
  });
  await columns.append({ rows: [...rowsOf(0, 50), rowOf(50, { owner: ownerB })], through: sequence(51) });
});
afterAll(async () => {
  await columns[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const ask = (sql: string, signal = never) =>
  columns.query(
    { sql, views: [view], into: join(directory, 'result.ndjson'), mostBytes: 1024 * 1024 },
    signal,
  );

/** The engines that this process has started. */
function enginePids(): readonly number[] {
  const text = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return text
    .split('\n')
    .flatMap((line) => (line.includes('engine-worker') ? Number(/\d+/.exec(line)?.[0]) : []));
}

const own = () => join(directory, 'columns', ownerA, '1.parquet');
const other = () => join(directory, 'columns', ownerB, '1.parquet');

describe('a hostile query', () => {
  it.each<[string, () => string]>([
    ['a file', () => `SELECT * FROM '${join(directory, 'secret.csv')}'`],
    ['a file by a function', () => `SELECT * FROM read_csv('${join(directory, 'secret.csv')}')`],
    ['the text of a file', () => `SELECT * FROM read_text('/etc/passwd')`],
    ['the bytes of a file', () => `SELECT * FROM read_blob('/etc/passwd')`],
    ['names of files', () => `SELECT * FROM glob('/*')`],
    ['another owner’s rows', () => `SELECT * FROM read_parquet('${other()}')`],
    ['its own rows beside the view', () => `SELECT * FROM read_parquet('${own()}')`],
    ['its own rows as a table', () => `SELECT * FROM '${own()}'`],
    ['a file inside a subquery', () => `SELECT (SELECT count(*) FROM '${own()}') FROM v`],
    ['a file inside a WITH', () => `WITH v AS (SELECT * FROM '${own()}') SELECT * FROM v`],
    ['a file of another statement', () => `SELECT 1; SELECT * FROM '${own()}'`],
    ['the network', () => `SELECT * FROM 'http://127.0.0.1:1/x.parquet'`],
    ['an object', () => `SELECT * FROM 's3://bucket/x.parquet'`],
    ['the file of its result', () => `SELECT * FROM read_text('${join(directory, 'result.ndjson')}')`],
    ['a copy over its result', () => `COPY (SELECT 1) TO '${join(directory, 'result.ndjson')}'`],
    ['a copy', () => `COPY (SELECT 1) TO '${join(directory, 'out.csv')}'`],
    ['a copy over its own rows', () => `COPY (SELECT 1) TO '${own()}' (FORMAT parquet, USE_TMP_FILE false)`],
    ['an export', () => `EXPORT DATABASE '${directory}'`],
    ['another database', () => `ATTACH '${join(directory, 'x.db')}' AS x`],
    ['an extension', () => 'INSTALL httpfs'],
    ['a loaded extension', () => 'LOAD httpfs'],
    ['a setting', () => 'SET enable_external_access = true'],
    ['the lock of settings', () => 'SET lock_configuration = false'],
    ['more memory', () => `SET memory_limit = '100GB'`],
    ['a pragma', () => 'PRAGMA database_list'],
    ['a call', () => `CALL pragma_version()`],
    ['a table', () => 'CREATE TABLE t AS SELECT 1'],
    ['a view over the view', () => 'CREATE OR REPLACE VIEW v AS SELECT 1'],
    ['a change', () => 'DELETE FROM v'],
    ['a transaction', () => 'BEGIN TRANSACTION'],
    ['an explanation', () => 'EXPLAIN ANALYZE SELECT * FROM v'],
    ['a prepared statement', () => `PREPARE x AS SELECT 1`],
    ['a description', () => 'DESCRIBE v'],
    ['a summary', () => 'SUMMARIZE v'],
    ['the settings', () => 'SELECT * FROM duckdb_settings()'],
    ['the views', () => 'SELECT * FROM duckdb_views()'],
    ['the catalogue', () => 'SELECT * FROM information_schema.tables'],
    ['the master table', () => 'SELECT * FROM sqlite_master'],
    ['a statement as text', () => `SELECT * FROM query('SELECT 1')`],
    ['a table as text', () => `SELECT * FROM query_table('v')`],
    [
      'a serialised statement',
      () => `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
    ],
    ['a schema of its own', () => 'SELECT * FROM memory.main.v'],
    ['a way out of the brackets', () => `SELECT 1) AS x, (SELECT * FROM '${own()}'`],
    ['a comment that never ends', () => 'SELECT 1 /*'],
    ['nothing', () => ''],
    ['nesting without end', () => `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['a text without end', () => `SELECT repeat('x', 100000000) || repeat('y', 1900000000)`],
  ])('gets nothing: %s', async (_, sql) => {
    const before = await readFile(own());
    const outcome = await ask(sql());
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/./) });
    expect(await readFile(own())).toEqual(before);
    expect((await readdir(directory)).filter((name) => /^(out|x)\./.test(name))).toEqual([]);
    expect(await ask('SELECT count(*) FROM v')).toMatchObject({ kind: 'finished' });
  });

  it('is told that it took too much memory, and of no setting of the engine', async () => {
    const sql = 'SELECT list(a.range), list(b.range) FROM range(100000000) a, range(100) b';
    expect(await ask(sql)).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/^it took more than \d+ MiB of memory; narrow it down$/),
    });
  });

  it('is ended when its result is larger than it may be, however fast it grows', async () => {
    const sql = `SELECT repeat('x', 1000) || range FROM range(100000000)`;
    expect(await ask(sql)).toEqual({
      kind: 'failed',
      reason: 'the result is larger than 1048576 bytes; narrow it down, or add a LIMIT',
    });
    const one = `SELECT repeat('x', 1048576)`;
    expect(await ask(one)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/^the result is/) });
    expect((await stat(join(directory, 'result.ndjson'))).size).toBeLessThan(256 * 1024 * 1024);
  });

  it('may still use WITH, functions that make rows, and any name that is in the view', async () => {
    const sql =
      'WITH x AS (SELECT id, flag FROM v) SELECT a.id FROM x a JOIN v b ON a.id = b.id, unnest([1, 2]) u ORDER BY a.id';
    expect(await ask(sql)).toMatchObject({ kind: 'finished', rows: 50 });
  });
});

describe('the engine’s process', () => {
  it('says that it died, and is started anew for the next query', async () => {
    expect(await ask('SELECT 1')).toMatchObject({ kind: 'finished' });
    const running = ask('SELECT sum(a.range + b.range) FROM range(10000000000) a, range(1000) b');
    await expect.poll(() => enginePids().length).toBeGreaterThan(0);
    for (const pid of enginePids()) process.kill(pid, 'SIGKILL');
    expect(await running).toEqual({
      kind: 'failed',
      reason: 'the query engine died: it was ended by SIGKILL',
    });
    expect(await ask('SELECT count(*) FROM v')).toMatchObject({ kind: 'finished' });
  });

  it('loses nothing of a batch when it is killed while it writes', async () => {
    const home = join(directory, 'killed');
    const open = () =>
      openDuckColumns({ directory: home, table: contractTable, clock: systemClock, log: silentLog });
    {
      await using fresh = await open();
      await fresh.append({ rows: rowsOf(0, 10), through: sequence(10) });
      const appending = fresh.append({ rows: rowsOf(10, 120_000), through: sequence(120_000) });
      const failure = expect(appending).rejects.toThrow(EngineDiedError);
      // The second file is there under some name as soon as the engine writes it.
      const writing = () => readdir(join(home, 'work', '2')).catch(() => []);
      await expect.poll(async () => (await writing()).length, { interval: 5, timeout: 20_000 }).toBe(1);
      for (const pid of enginePids()) process.kill(pid, 'SIGKILL');
      await failure;
      expect(fresh.durable).toBe(10);
    }
    // What a crash leaves behind does not count.
    await writeFile(join(home, ownerA, '99.parquet'), 'half a file');
    await using again = await open();
    expect(await readdir(join(home, ownerA))).toEqual(['1.parquet']);
    expect(await again.append({ rows: rowsOf(10, 120_000), through: sequence(120_000) })).toMatchObject({
      added: 119_990,
    });
    expect(again.stats().rows).toBe(120_000);
  });

  it('ends when it has had no work for half a minute, and not before', async () => {
    const clock = manualClock(0);
    const engine = startEngine(clock, 'awaited');
    const task = {
      kind: 'own',
      table: contractTable,
      bounds: { memoryBytes: 1 << 28, threads: 1 },
      view: { name: 'none', owner: ownerA, files: [], where: 'true' },
      sql: 'SELECT 1',
    } as const;
    await engine.run<'own'>(task);
    await clock.advance(29_000);
    await engine.run<'own'>(task);
    await clock.advance(29_000);
    expect(engine.alive).toBe(true);
    await clock.advance(1_000);
    expect(engine.alive).toBe(false);
    await engine.kill();
  });

  it('is gone when whoever started it lets go of it', async () => {
    const engine = startEngine(systemClock, 'awaited');
    await engine.run<'own'>({
      kind: 'own',
      table: contractTable,
      bounds: { memoryBytes: 1 << 28, threads: 1 },
      view: { name: 'v', owner: ownerA, files: [], where: 'true' },
      sql: 'SELECT 1',
    });
    expect(engine.alive).toBe(true);
    await engine.kill();
    expect(engine.alive).toBe(false);
  });
});
