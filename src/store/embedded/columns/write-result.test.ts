import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEngineInstance } from './engine-instance.ts';
import { writeResult } from './write-result.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-result-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('writes a result that is larger than the memory, in the order of the rows', async () => {
  const [file, into] = [join(directory, 'rows.parquet'), join(directory, 'result.ndjson')];
  using engine = await openEngineInstance({ memoryBytes: 48 * 1024 * 1024, threads: 2 });
  const rows = 60_000;
  await engine.run(`COPY (SELECT range AS n FROM range(${rows})) TO '${file}' (FORMAT parquet)`);
  const sql = `SELECT n, repeat('x', 1500) AS x FROM '${file}'`;
  const lines = `SELECT to_json([n::VARCHAR, x])::VARCHAR FROM (${sql})`;
  await expect(engine.run(`COPY (${lines}) TO '${into}' (FORMAT csv)`)).rejects.toThrow(/^Out of Memory/);
  const prepared = await engine.connection.prepare(sql);
  const written = await writeResult(engine, sql, prepared, { into, mostBytes: 2 ** 30 });
  const found = (await readFile(into, 'utf8')).split('\n').slice(0, -1);
  expect(written).toMatchObject({ rows });
  expect(found.length).toBe(rows);
  expect(found.every((line, at) => line === `["${at}","${'x'.repeat(1500)}"]`)).toBe(true);
});

it('writes floating numbers that are none by the names that Trino gives them', async () => {
  const into = join(directory, 'result.ndjson');
  using engine = await openEngineInstance({ memoryBytes: 48 * 1024 * 1024, threads: 1 });
  const sql = `SELECT 'nan'::DOUBLE, 'inf'::FLOAT, '-inf'::DOUBLE, NULL::DOUBLE, 1.5::DOUBLE`;
  const prepared = await engine.connection.prepare(sql);
  await writeResult(engine, sql, prepared, { into, mostBytes: 1000 });
  expect(await readFile(into, 'utf8')).toBe('["NaN","Infinity","-Infinity",null,"1.5"]\n');
});

it('writes them as strings inside of lists, maps and rows, so that what is nested is JSON', async () => {
  const into = join(directory, 'result.ndjson');
  using engine = await openEngineInstance({ memoryBytes: 48 * 1024 * 1024, threads: 1 });
  const columns = [
    `['nan'::DOUBLE, 1.5, NULL, '-inf'::DOUBLE]`,
    `MAP {'k': 'inf'::FLOAT, 'n': NULL}`,
    `{'a b': ['nan'::DOUBLE], 'x': 'NaN', 'n': NULL::DOUBLE}`,
    `[[{'d': 'inf'::DOUBLE}], NULL]`,
    `NULL::DOUBLE[]`,
    `NULL::MAP(VARCHAR, DOUBLE)`,
    `NULL::STRUCT(d DOUBLE)`,
    `['NaN', 'Infinity']`,
  ];
  const sql = `SELECT ${columns.join(', ')}`;
  const prepared = await engine.connection.prepare(sql);
  await writeResult(engine, sql, prepared, { into, mostBytes: 10_000 });
  const cells = JSON.parse(await readFile(into, 'utf8')) as readonly (string | null)[];
  expect(cells.map((cell) => (cell === null ? null : (JSON.parse(cell) as unknown)))).toEqual([
    ['NaN', 1.5, null, '-Infinity'],
    { k: 'Infinity', n: null },
    { 'a b': ['NaN'], x: 'NaN', n: null },
    [[{ d: 'Infinity' }], null],
    null,
    null,
    null,
    ['NaN', 'Infinity'],
  ]);
});
