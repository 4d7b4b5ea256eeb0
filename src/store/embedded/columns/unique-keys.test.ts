import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sequence, silentLog, systemClock } from '../../../kernel/index.ts';
import type { ColumnsTable } from '../../columns-port.ts';
import { contractTable, ownerA } from '../../columns-contract.ts';
import { openDuckColumns } from './duck-columns.ts';

const table: ColumnsTable = {
  ...contractTable,
  columns: [
    ...contractTable.columns,
    {
      name: 'data',
      type: 'STRUCT(a MAP(VARCHAR, VARCHAR), core STRUCT(b MAP(VARCHAR, VARCHAR), n BIGINT))',
      maps: [['a'], ['core', 'b']],
    },
  ],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-keys-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const json = (id: string, members: string) =>
  Buffer.from(`{"owner":"${ownerA}","id":"${id}","time":"2026-11-30T00:00:00Z",${members}}`);

/** The rows of a statement over rows with these members. */
async function ask(members: readonly string[], sql: string) {
  await using columns = await openDuckColumns({ directory, table, clock: systemClock, log: silentLog });
  const rows = members.map((text, at) => ({ sequence: at, payload: json(`id-${at}`, text) }));
  const appended = await columns.append({ rows, through: sequence(rows.length) });
  expect(appended).toMatchObject({ added: rows.length, unreadable: [] });
  const into = join(directory, 'result.ndjson');
  const query = { sql, views: [{ name: 'v', owner: ownerA }], into, mostBytes: 1 << 24 };
  expect(await columns.query(query, new AbortController().signal)).toMatchObject({ kind: 'finished' });
  const lines = (await readFile(into, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as (string | null)[]);
}

/** An object as a map of texts. */
function texts(value: unknown): unknown {
  if (value === null) return null;
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([name, one]) => [name, one === null ? null : String(one)]));
}

const parsed = (text: string | null | undefined) =>
  typeof text === 'string' ? (JSON.parse(text) as unknown) : null;

it('of a name that an object has several times the last one counts, as for JSON.parse', async () => {
  const labels = [
    '{"a":1,"b":2,"a":"3"}',
    '{"z":1,"a":null,"a":null,"é":"x","z":"y"}',
    '{"a":1,"b":2}',
    '{}',
    'null',
  ];
  const rows = await ask(
    labels.map((text) => `"labels":${text}`),
    'SELECT id, labels FROM v ORDER BY id',
  );
  expect(rows.map(([, text]) => parsed(text))).toEqual(labels.map((text) => texts(JSON.parse(text))));
});

it('holds for maps within structs, and leaves what is beside them as it is', async () => {
  const data = '{"a":{"x":1,"x":2},"core":{"b":{"y":1,"y":2,"k":3},"n":7}}';
  const rows = await ask(
    [`"data":${data}`, '"data":{"core":{"n":8}}', '"data":null'],
    'SELECT data FROM v ORDER BY id',
  );
  expect(rows.map(([text]) => parsed(text))).toEqual([
    { a: { x: '2' }, core: { b: { k: '3', y: '2' }, n: 7 } },
    { a: null, core: { b: null, n: 8 } },
    null,
  ]);
});

it('lets functions that make maps see every row, and one with very many names takes no longer than its size', async () => {
  const many = Array.from({ length: 60_000 }, (_, at) => `"n${at % 30_000}":${at}`).join(',');
  const rows = await ask(
    [`"labels":{${many}}`, '"labels":{"a":1,"a":2}'],
    `SELECT cardinality(map_from_entries(list_filter(map_entries(labels), lambda e: e.key <> 'a'))) FROM v ORDER BY id`,
  );
  expect(rows).toEqual([['30000'], ['0']]);
});
