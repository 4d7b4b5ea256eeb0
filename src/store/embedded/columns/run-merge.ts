import type { EngineTask, WrittenFile } from './engine-messages.ts';
import { syncFile } from './durable-file.ts';
import type { EngineInstance } from './engine-instance.ts';
import { indexIds } from './id-index.ts';
import {
  columnsOf,
  fileFormat,
  quoteList,
  quoteName,
  quoteText,
  rowsOfFiles,
  sequenceColumn,
  timeLiteral,
} from './table-sql.ts';

type MergeTask = Extract<EngineTask, { kind: 'merge' }>;

/** Writes files of one owner anew as one. */
export async function runMerge(task: MergeTask, engine: EngineInstance): Promise<WrittenFile> {
  const { table, inputs, sort, notBefore, output, owner } = task;
  const time = quoteName(table.time);
  const where = notBefore === undefined ? '' : ` WHERE ${time} >= ${timeLiteral(notBefore)}`;
  // Files of several versions are read one version after the other.
  const isMixed = new Set(inputs.map(({ version }) => version)).size > 1;
  const order = sort || isMixed ? ` ORDER BY ${time}, ${quoteName(sequenceColumn)}` : '';
  const source = rowsOfFiles(
    table,
    inputs.toSorted((one, other) => one.from - other.from),
    (version) => columnsOf(table, version, 'stored'),
  );
  await engine.run(
    `COPY (SELECT * FROM (${source})${where}${order}) TO ${quoteText(output)} (${fileFormat})`,
  );
  const [[rows, from, to] = []] = await engine.rows(
    `SELECT count(*), epoch_ms(min(${time})), epoch_ms(max(${time})) FROM read_parquet(${quoteList([output])})`,
  );
  const written = { path: output, owner, rows: Number(rows), from: Number(from), to: Number(to) };
  const index = await indexIds(engine, table, written, task.fewestIndexed);
  return { ...written, ...index, ...syncFile(output) };
}
