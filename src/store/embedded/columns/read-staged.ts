import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineInstance } from './engine-instance.ts';
import type { EngineTask } from './engine-messages.ts';
import {
  columnsOf,
  fileFormat,
  lenientRows,
  quoteList,
  quoteName,
  quoteText,
  rowGroup,
  sequenceColumn,
  strictRows,
} from './table-sql.ts';

type SealTask = Extract<EngineTask, { kind: 'seal' }>;

/** The rows of parts as a relation, with the column `filename` unless told otherwise. The owner in a path is no column. */
export function rowsOfParts(parts: readonly string[], filename = true): string {
  return `read_parquet(${quoteList(parts)}, hive_partitioning = false${filename ? ', filename = true' : ''})`;
}

/** Writes the rows of `source` as Parquet: one file, or one for each owner where there is more than one. */
async function writeParts(engine: EngineInstance, task: SealTask, source: string): Promise<void> {
  const { table, scratch, isOneOwner } = task;
  // The rows have the columns as they are now, and none that is derived from them.
  const asRead = { ...table, columns: table.columns.map((column) => ({ ...column, since: 0 })) };
  const select = `SELECT ${columnsOf(asRead, 0, 'stored')} FROM (${source})`;
  if (isOneOwner) {
    await engine.run(`COPY (${select}) TO ${quoteText(join(scratch, 'all.parquet'))} (${fileFormat})`);
    return;
  }
  await engine.run(`SET partitioned_write_flush_threshold = ${rowGroup}`);
  const byOwner = `PARTITION_BY (${quoteName(table.owner)}), WRITE_PARTITION_COLUMNS true, OVERWRITE`;
  await engine.run(`COPY (${select}) TO ${quoteText(scratch)} (${fileFormat}, ${byOwner})`);
}

function partsIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/**
 * Reads the staged rows once and writes them as Parquet below `scratch`: those files, and the sequences of lines that are no
 * JSON at all. Reading JSON, and holding rows of so many columns, is most of what a row costs.
 */
export async function readStaged(
  engine: EngineInstance,
  task: SealTask,
): Promise<{ readonly parts: readonly string[]; readonly lost: readonly number[] }> {
  const { table, staged, scratch } = task;
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    await writeParts(engine, task, strictRows(table, staged));
    return { parts: partsIn(scratch), lost: [] };
  } catch {
    const sequence = quoteName(sequenceColumn);
    await writeParts(
      engine,
      task,
      `SELECT * FROM (${lenientRows(table, staged)}) WHERE ${sequence} IS NOT NULL`,
    );
  }
  const parts = partsIn(scratch);
  const sequence = quoteName(sequenceColumn);
  const rows = parts.length === 0 ? [] : await engine.rows(`SELECT ${sequence} FROM ${rowsOfParts(parts)}`);
  const read = new Set(rows.map(([text]) => Number(text)));
  const all = [...readFileSync(staged, 'latin1').matchAll(/^\{"s":(-?\d+)/gm)].map(([, text]) =>
    Number(text),
  );
  return { parts, lost: all.filter((place) => !read.has(place)) };
}
