import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, Json } from '@duckdb/node-api';
import { archive, archiveId, columns, events, eventsId, withheld } from './cases/data.ts';
import { expressionCases } from './cases/expressions.ts';
import { functionCases } from './cases/functions.ts';
import { lakeCases } from './cases/lake.ts';
import { queryCases } from './cases/queries.ts';
import { translate } from './index.ts';
import type { LakeTable, Translation } from './index.ts';

const nowMs = Date.UTC(2024, 4, 6, 7, 8, 9, 123);
let connection: DuckDBConnection;

async function createStore(view: string, records: readonly object[]): Promise<void> {
  const structure = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  const rows = records.map((record) => `('${JSON.stringify(record).replaceAll("'", "''")}')`).join(', ');
  await connection.run(
    `CREATE TEMP TABLE "${view.replaceAll('"', '""')}" AS SELECT unnest(json_transform(j, '${structure}')) FROM (VALUES ${rows}) AS t(j)`,
  );
}

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await createStore('events "of" cases', events);
  await createStore('archive', archive);
});

afterAll(() => connection.closeSync());

function find(id: string): LakeTable | undefined {
  if (id === eventsId) return { view: 'events "of" cases', columns, withheld };
  return id === archiveId ? { view: 'archive', columns, withheld } : undefined;
}

/** A value of the engine as the cases write it. */
function show(value: Json): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) {
    const isMap = value.length > 0 && value.every((entry) => isEntry(entry));
    if (!isMap) return `[${value.map(show).join(', ')}]`;
    const entries = (value as { key: Json; value: Json }[]).map((entry) => `${show(entry.key)}=${show(entry.value)}`);
    return `{${entries.toSorted().join(', ')}}`;
  }
  if (typeof value !== 'object') return String(value);
  return `(${Object.values(value).map(show).join(', ')})`;
}

function isEntry(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).join(',') === 'key,value';
}

function cell(value: Json, type: string): string | null {
  if (value === null) return null;
  if (type.startsWith('map(') && Array.isArray(value) && value.length === 0) return '{}';
  if (type.startsWith('array(row(') && Array.isArray(value))
    return `[${value.map((row) => `(${Object.values(row as object).map(show).join(', ')})`).join(', ')}]`;
  const digits = /^(?:timestamp|time)\((\d)\)$/.exec(type)?.[1];
  if (digits === undefined || digits === '0') return show(value);
  const [whole = '', fraction = ''] = String(value).split('.');
  return `${whole}.${fraction.padEnd(Number(digits), '0')}`;
}

async function run(translation: Translation): Promise<(string | null)[][]> {
  if (translation.kind === 'refused') throw new Error(`refused: ${translation.message} (${translation.line}:${translation.column})`);
  const reader = await connection.runAndReadAll(translation.sql);
  return reader.getRowsJson().map((row) => row.map((value, index) => cell(value, translation.columns[index]?.type ?? '')));
}

describe.each([...expressionCases, ...functionCases, ...queryCases, ...lakeCases])('$page', ({ cases }) => {
  it.each(cases.map((item) => [item.sql, item] as const))('%s', async (_sql, { sql, rows, fails }) => {
    const translation = translate(sql, find, { nowMs });
    if (fails !== undefined) await expect(run(translation)).rejects.toThrow(fails);
    else expect(await run(translation)).toEqual(rows);
  });
});
