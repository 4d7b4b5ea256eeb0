import type { ColumnsTable } from '../../columns-port.ts';
import { prepareStatement } from './check-statement.ts';
import type { EngineInstance } from './engine-instance.ts';
import type { EngineResults, EngineTask, EngineView } from './engine-messages.ts';
import { filesOfTimes } from './files-of-times.ts';
import { findIds } from './id-index.ts';
import {
  columnsOf,
  exportFormat,
  isOneOf,
  quoteList,
  quoteName,
  quoteText,
  rowsOfFiles,
} from './table-sql.ts';
import { writeResult } from './write-result.ts';

type QueryTask = Extract<EngineTask, { kind: 'query' }>;
type OwnTask = Extract<EngineTask, { kind: 'own' }>;
type ExportTask = Extract<EngineTask, { kind: 'export' }>;

/** What a view is made of: the rows of its files, or of where its ids can be. */
async function sourceOf(engine: EngineInstance, table: ColumnsTable, view: EngineView): Promise<string> {
  const { ids } = view;
  const files = await filesOfTimes(engine, view.files, view.times);
  const select = (version: number) => columnsOf(table, version, 'shown');
  if (ids === undefined) return rowsOfFiles(table, files, select);
  const places = await findIds(engine, table, files, ids);
  const rows = places.map(({ files: some, where }) =>
    rowsOfFiles(table, some, select, (version) => `${isOneOf(table, version, ids)} AND (${where})`),
  );
  return rows.length === 0 ? rowsOfFiles(table, [], select) : rows.join(' UNION ALL ');
}

/** The rows together with the columns that stand in a file of their own. */
function withApart(table: ColumnsTable, source: string, { apart }: EngineView): string {
  if (!apart) return source;
  const types = ['id', ...apart.columns].map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const file = `read_json(${quoteText(apart.file)}, format = 'newline_delimited', columns = {${types}})`;
  const more = apart.columns.map((name) => `"apart".${quoteName(name)}`).join(', ');
  return `SELECT "row".*, ${more} FROM (${source}) AS "row" LEFT JOIN ${file} AS "apart" ON "apart"."id" = "row".${quoteName(table.id)}`;
}

async function makeView(engine: EngineInstance, table: ColumnsTable, view: EngineView): Promise<void> {
  // All rows of the files are the owner's, so the column that says so need not be read.
  const shown = (name: string) =>
    name === table.owner ? `${quoteText(view.owner)} AS ${quoteName(name)}` : quoteName(name);
  const more = view.apart?.columns.map((name) => quoteName(name)) ?? [];
  const own = [...table.columns, ...(table.derived ?? [])].map(({ name }) => shown(name));
  const columns = [...own, ...more].join(', ');
  const source = withApart(table, await sourceOf(engine, table, view), view);
  await engine.run(
    `CREATE VIEW ${quoteName(view.name)} AS SELECT ${columns} FROM (${source}) WHERE ${view.where}`,
  );
}

/** Shuts the engine in with the files of its views and the one for its result. */
async function lockIn(engine: EngineInstance, paths: readonly string[]): Promise<void> {
  await engine.run(`SET allowed_paths = ${quoteList(paths)}`);
  await engine.run('SET enable_external_access = false');
  await engine.run('SET lock_configuration = true');
}

/** Runs a caller's query over its views, in an engine that can reach nothing else. */
export async function runQuery(task: QueryTask, engine: EngineInstance): Promise<EngineResults['query']> {
  const { table, views, sql, into } = task;
  const paths = views.flatMap(({ files }) => files.flatMap(({ path, ids }) => (ids ? [path, ids] : [path])));
  const apart = views.flatMap((view) => (view.apart ? [view.apart.file] : []));
  await lockIn(engine, [...new Set(paths), ...apart, into]);
  for (const view of views) await makeView(engine, table, view);
  const names = views.map(({ name }) => name);
  const prepared = await prepareStatement(engine, sql, names);
  const columns = Array.from({ length: prepared.columnCount }, (_, at) => ({
    name: prepared.columnName(at),
    type: String(prepared.columnType(at)),
  }));
  return { columns, ...(await writeResult(engine, sql, prepared, task)) };
}

/** Runs a statement of the program's own over one view. */
export async function runOwn(task: OwnTask, engine: EngineInstance): Promise<EngineResults['own']> {
  await makeView(engine, task.table, task.view);
  return await engine.rows(task.sql);
}

/** Writes files for other engines from one view. */
export async function runExport(task: ExportTask, engine: EngineInstance): Promise<undefined> {
  await makeView(engine, task.table, task.view);
  for (const { sql, into } of task.files)
    await engine.run(`COPY (${sql}) TO ${quoteText(into)} (${exportFormat})`);
}
