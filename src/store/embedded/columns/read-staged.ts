import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeFileSync } from 'node:fs';
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
import { rowsWithoutRepeats, rowsWithUniqueKeys } from './unique-keys.ts';

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

const heads = /^\{"s":(-?\d+)/gm;
const halfPair =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./g;

/**
 * JSON can hold one half of a surrogate pair, as `\\ud800`: it is no character, and the engine reads no text that has one. The
 * six characters of its escape stand for it, so that nobody hides a call by naming one.
 */
function showHalfPairs(json: string): string {
  return json.replace(halfPair, (found) => (/^\\u.{4}$/.test(found) ? `\\${found}` : found));
}

/** Writes the staged lines anew with halves of surrogate pairs shown; their sequences. No more than a part is held at a time. */
function mendStaged(staged: string, mended: string): readonly number[] {
  const sequences: number[] = [];
  const [from, to] = [openSync(staged, 'r'), openSync(mended, 'w', 0o600)];
  try {
    const chunk = Buffer.allocUnsafe(4 * 1024 * 1024);
    let left = '';
    for (let read = readSync(from, chunk); read > 0; read = readSync(from, chunk)) {
      const text = left + chunk.toString('latin1', 0, read);
      const end = text.lastIndexOf('\n') + 1;
      const lines = text.slice(0, end);
      left = text.slice(end);
      for (const [, sequence] of lines.matchAll(heads)) sequences.push(Number(sequence));
      writeFileSync(to, showHalfPairs(lines), 'latin1');
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
  return sequences;
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
    await writeParts(engine, task, rowsWithoutRepeats(table, strictRows(table, staged)));
    return { parts: partsIn(scratch), lost: [] };
  } catch {
    return await readLeniently(engine, task);
  }
}

async function readLeniently(
  engine: EngineInstance,
  task: SealTask,
): Promise<{ readonly parts: readonly string[]; readonly lost: readonly number[] }> {
  const { table, staged, scratch } = task;
  const sequence = quoteName(sequenceColumn);
  const mended = `${scratch}.mended`;
  try {
    const all = mendStaged(staged, mended);
    const source = `SELECT * FROM (${lenientRows(table, mended)}) WHERE ${sequence} IS NOT NULL`;
    await writeParts(engine, task, rowsWithUniqueKeys(table, source));
    const parts = partsIn(scratch);
    const rows = parts.length === 0 ? [] : await engine.rows(`SELECT ${sequence} FROM ${rowsOfParts(parts)}`);
    const read = new Set(rows.map(([text]) => Number(text)));
    return { parts, lost: all.filter((place) => !read.has(place)) };
  } finally {
    rmSync(mended, { force: true });
  }
}
