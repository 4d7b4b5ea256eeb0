import { closeSync, openSync, writeSync } from 'node:fs';
import { DuckDBTypeId, type DuckDBType } from '@duckdb/node-api';
import type { ColumnsTable } from '../../columns-port.ts';
import { statementProblem } from './check-statement.ts';
import { openEngineInstance, type EngineInstance } from './engine-instance.ts';
import type { EngineResults, EngineTask, EngineView } from './engine-messages.ts';
import { findIds } from './id-index.ts';
import {
  exportFormat,
  quoteList,
  quoteName,
  quoteText,
  rowsOfFiles,
  sequenceColumn,
  storedColumns,
} from './table-sql.ts';

type QueryTask = Extract<EngineTask, { kind: 'query' }>;
type OwnTask = Extract<EngineTask, { kind: 'own' }>;

/** What a query did wrong, or more than it may. */
class QueryProblem extends Error {
  override name = 'QueryProblem';
}

/** What a view is made of: the rows of its files, or of where its ids can be. */
async function sourceOf(engine: EngineInstance, table: ColumnsTable, view: EngineView): Promise<string> {
  if (view.ids === undefined) return rowsOfFiles(table, view.files);
  const places = await findIds(engine, table, view.files, view.ids);
  const ids = `${quoteName(table.id)} IN (${view.ids.map(quoteText).join(', ')})`;
  return places.length === 0
    ? rowsOfFiles(table, [])
    : places
        .map(({ files, where }) => rowsOfFiles(table, files, `${ids} AND (${where})`))
        .join(' UNION ALL ');
}

async function makeView(engine: EngineInstance, table: ColumnsTable, view: EngineView): Promise<void> {
  const columns = storedColumns(table)
    .filter((name) => name !== sequenceColumn)
    .map(quoteName)
    .join(', ');
  const source = await sourceOf(engine, table, view);
  await engine.run(
    `CREATE VIEW ${quoteName(view.name)} AS SELECT ${columns} FROM (${source}) WHERE ${view.where}`,
  );
}

/** Shuts the engine in with the files of its views. */
async function lockIn(engine: EngineInstance, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await engine.run(`SET allowed_paths = ${quoteList(paths)}`);
  await engine.run('SET enable_external_access = false');
  await engine.run('SET lock_configuration = true');
}

const timestamps = new Set([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_S,
]);
const nested = new Set([DuckDBTypeId.LIST, DuckDBTypeId.STRUCT, DuckDBTypeId.MAP, DuckDBTypeId.ARRAY]);

/** A value as a query's result shows it: times as Trino writes them, what is nested as JSON. */
function textOf(column: string, type: DuckDBType): string {
  const { typeId } = type;
  if (typeId === DuckDBTypeId.VARCHAR) return column;
  if (timestamps.has(typeId)) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%g')`;
  if (typeId === DuckDBTypeId.TIMESTAMP_TZ) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%g UTC')`;
  return nested.has(typeId) ? `to_json(${column})::VARCHAR` : `${column}::VARCHAR`;
}

/** Writes the rows to the file as they come; how many, and how many bytes. */
async function writeRows(
  engine: EngineInstance,
  sql: string,
  into: string,
  mostBytes: number,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const result = await engine.connection.stream(sql);
  const file = openSync(into, 'w', 0o600);
  let rows = 0;
  let bytes = 0;
  try {
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return { rows, bytes };
      const lines = chunk.getRows().map((row) => `${JSON.stringify(row)}\n`);
      const text = Buffer.from(lines.join(''));
      bytes += text.length;
      rows += lines.length;
      if (bytes > mostBytes)
        throw new QueryProblem(
          `the result is larger than ${mostBytes} bytes; narrow it down, or add a LIMIT`,
        );
      for (let done = 0; done < text.length;) done += writeSync(file, text, done);
    }
  } finally {
    closeSync(file);
  }
}

/** Runs a caller's query over its views, in an engine that can reach nothing else. */
export async function runQuery(task: QueryTask): Promise<EngineResults['query']> {
  const { table, views, sql, into, mostBytes } = task;
  using engine = await openEngineInstance(task.bounds);
  for (const view of views) await makeView(engine, table, view);
  await lockIn(engine, [...new Set(views.flatMap(({ files }) => files.map(({ path }) => path)))]);
  const names = views.map(({ name }) => name);
  const problem = await statementProblem(engine, sql, names);
  if (problem !== undefined) throw new QueryProblem(problem);
  const prepared = await engine.connection.prepare(sql);
  const count = prepared.columnCount;
  const columns = Array.from({ length: count }, (_, at) => ({
    name: prepared.columnName(at),
    type: String(prepared.columnType(at)),
  }));
  const cells = columns.map((_, at) => textOf(quoteName(`c${at}`), prepared.columnType(at)));
  const aliases = columns.map((_, at) => quoteName(`c${at}`)).join(', ');
  // The statement stands on lines of its own, so that a comment at its end comments nothing else out.
  const shown = `SELECT ${cells.join(', ')} FROM (\n${sql}\n) AS result(${aliases})`;
  return { columns, ...(await writeRows(engine, shown, into, mostBytes)) };
}

/** Runs a statement of the program's own over one view. */
export async function runOwn(task: OwnTask): Promise<EngineResults['own']> {
  using engine = await openEngineInstance(task.bounds);
  await makeView(engine, task.table, task.view);
  if (task.into === undefined) return await engine.rows(task.sql);
  await engine.run(`COPY (${task.sql}) TO ${quoteText(task.into)} (${exportFormat})`);
  return [];
}
