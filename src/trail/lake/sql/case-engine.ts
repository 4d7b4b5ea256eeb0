import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, Json } from '@duckdb/node-api';
import { translate } from './index.ts';
import type { LakeTable, Translation } from './index.ts';
import { apart, archive, archiveId, columns, events, eventsId, flat } from './cases/data.ts';

/** An engine that holds the events of the cases. */
export interface CaseEngine {
  readonly connection: DuckDBConnection;
  translate(sql: string): Translation;
  /** The rows of a statement as the cases write them; a refusal is thrown. */
  rows(sql: string): Promise<(string | null)[][]>;
}

async function createStore(
  connection: DuckDBConnection,
  view: string,
  records: readonly object[],
): Promise<void> {
  const structure = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  const members = flat.map((path) => `${path} AS "${path}"`);
  const rows = records.map((record) => `('${JSON.stringify(record).replaceAll("'", "''")}')`).join(', ');
  await connection.run(
    `CREATE TEMP TABLE "${view.replaceAll('"', '""')}" AS SELECT *, ${members.join(', ')}, sha256(eventJson) AS eventJsonChecksum FROM (SELECT unnest(json_transform(j, '${structure}')), j AS eventJson FROM (VALUES ${rows}) AS t(j))`,
  );
}

function isEntry(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).join(',') === 'key,value';
}

function show(value: Json): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) {
    const isMap = value.length > 0 && value.every((entry) => isEntry(entry));
    if (!isMap) return `[${value.map(show).join(', ')}]`;
    const entries = (value as { key: Json; value: Json }[]).map(
      (entry) => `${show(entry.key)}=${show(entry.value)}`,
    );
    return `{${entries.toSorted().join(', ')}}`;
  }
  if (typeof value !== 'object') return String(value);
  return `(${Object.values(value).map(show).join(', ')})`;
}

function cell(value: Json, type: string): string | null {
  if (value === null) return null;
  if (type.startsWith('map(') && Array.isArray(value) && value.length === 0) return '{}';
  if (type.startsWith('array(row(') && Array.isArray(value))
    return `[${value
      .map(
        (row) =>
          `(${Object.values(row as object)
            .map(show)
            .join(', ')})`,
      )
      .join(', ')}]`;
  const digits = /^(?:timestamp|time)\((\d)\)$/.exec(type)?.[1];
  if (digits === undefined || digits === '0') return show(value);
  const [whole = '', fraction = ''] = show(value).split('.');
  return `${whole}.${fraction.padEnd(Number(digits), '0')}`;
}

const stores: Readonly<Record<string, string>> = { [eventsId]: 'events "of" cases', [archiveId]: 'archive' };

function find(id: string): LakeTable | undefined {
  const view = Object.hasOwn(stores, id) ? stores[id] : undefined;
  return view === undefined
    ? undefined
    : { view, columns, apart, flat, idColumn: 'eventID', timeColumn: 'eventTime' };
}

/** Opens an engine in memory; its clock stands at 2024-05-06 07:08:09.123 UTC. */
export async function openCaseEngine(): Promise<CaseEngine> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await createStore(connection, 'events "of" cases', events);
  await createStore(connection, 'archive', archive);
  const nowMs = Date.UTC(2024, 4, 6, 7, 8, 9, 123);
  return {
    connection,
    translate: (sql) => translate(sql, find, { nowMs }),
    async rows(sql) {
      const translation = translate(sql, find, { nowMs });
      if (translation.kind === 'refused')
        throw new Error(`refused: ${translation.message} (${translation.line}:${translation.column})`);
      const reader = await connection.runAndReadAll(translation.sql);
      return reader
        .getRowsJson()
        .map((row) => row.map((value, index) => cell(value, translation.columns[index]?.type ?? '')));
    },
  };
}
