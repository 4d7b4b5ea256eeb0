import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ColumnsTable } from '../../columns-port.ts';
import { openEngineInstance, type EngineInstance } from './engine-instance.ts';
import type { EngineFile, EngineTask, SealResult, WrittenFile } from './engine-messages.ts';
import { writeIds } from './id-index.ts';
import {
  columnsOf,
  lenientRows,
  mergedFormat,
  quoteList,
  quoteName,
  quoteText,
  rowsOfFiles,
  sealedFormat,
  sequenceColumn,
  strictRows,
  timeLiteral,
} from './table-sql.ts';

type SealTask = Extract<EngineTask, { kind: 'seal' }>;
type MergeTask = Extract<EngineTask, { kind: 'merge' }>;

const mostNamed = 100;

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a file and its name durable. */
function syncFile(path: string): number {
  syncPath(path);
  syncPath(dirname(path));
  return statSync(path).size;
}

/** Reads the staged rows into the table `batch`; the sequences of lines that are no JSON at all. */
async function readStaged(
  engine: EngineInstance,
  table: ColumnsTable,
  staged: string,
): Promise<readonly number[]> {
  try {
    await engine.run(`CREATE TEMP TABLE batch AS ${strictRows(table, staged)}`);
    return [];
  } catch {
    await engine.run(`CREATE TEMP TABLE batch AS ${lenientRows(table, staged)}`);
    await engine.run(`DELETE FROM batch WHERE ${quoteName(sequenceColumn)} IS NULL`);
  }
  const read = new Set(
    (await engine.rows(`SELECT ${quoteName(sequenceColumn)} FROM batch`)).map(([text]) => Number(text)),
  );
  const all = [...readFileSync(staged, 'latin1').matchAll(/^\{"s":(\d+)/gm)].map(([, text]) => Number(text));
  return all.filter((sequence) => !read.has(sequence));
}

/** Takes out of `batch` what cannot be kept: rows without owner, id or time. */
async function removeUnreadable(engine: EngineInstance, table: ColumnsTable): Promise<readonly number[]> {
  const [owner, id, time] = [table.owner, table.id, table.time].map(quoteName);
  const bad = `${id} IS NULL OR ${time} IS NULL OR ${owner} IS NULL OR NOT regexp_full_match(${owner}, '[0-9]{12}')`;
  const found = await engine.rows(`SELECT ${quoteName(sequenceColumn)} FROM batch WHERE ${bad} ORDER BY ALL`);
  if (found.length > 0) await engine.run(`DELETE FROM batch WHERE ${bad}`);
  return found.map(([text]) => Number(text));
}

/** Takes out of `batch` what is there already: earlier in the batch, or in files whose times overlap. */
async function removeDuplicates(
  engine: EngineInstance,
  table: ColumnsTable,
  known: readonly EngineFile[],
): Promise<void> {
  const [owner = '', id = '', time = ''] = [table.owner, table.id, table.time].map(quoteName);
  const sequence = quoteName(sequenceColumn);
  const [[all, distinct] = []] = await engine.rows(
    `SELECT count(*), count(DISTINCT (${owner}, ${id})) FROM batch`,
  );
  if (all !== distinct) {
    await engine.run(
      `DELETE FROM batch WHERE ${sequence} NOT IN (SELECT min(${sequence}) FROM batch GROUP BY ${owner}, ${id})`,
    );
  }
  const ranges = await engine.rows(
    `SELECT ${owner}, epoch_ms(min(${time})), epoch_ms(max(${time})) FROM batch GROUP BY ALL ORDER BY ALL`,
  );
  for (const [name, least, greatest] of ranges) {
    const [from, to] = [Number(least), Number(greatest)];
    const near = known.filter((file) => file.owner === name && file.from <= to && file.to >= from);
    if (near.length === 0) continue;
    const mine = `(SELECT ${id} FROM batch WHERE ${owner} = ${quoteText(name ?? '')}) mine`;
    const there =
      `SELECT file.${id} FROM read_parquet(${quoteList(near.map(({ path }) => path))}) file SEMI JOIN ${mine} USING (${id}) ` +
      `WHERE file.${time} BETWEEN ${timeLiteral(from)} AND ${timeLiteral(to + 1)}`;
    const found = await engine.rows(there);
    if (found.length === 0) continue;
    const ids = found.map(([value]) => quoteText(value ?? '')).join(', ');
    await engine.run(`DELETE FROM batch WHERE ${owner} = ${quoteText(name ?? '')} AND ${id} IN (${ids})`);
  }
}

async function writeOwners(engine: EngineInstance, task: SealTask): Promise<readonly WrittenFile[]> {
  const { table, directory, name } = task;
  // The batch has the columns as they are now, and none that is derived from them.
  const asRead = { ...table, columns: table.columns.map((column) => ({ ...column, since: 0 })) };
  const [owner, time] = [table.owner, table.time].map(quoteName);
  const owners = await engine.rows(
    `SELECT ${owner}, count(*), epoch_ms(min(${time})), epoch_ms(max(${time})) FROM batch GROUP BY ALL ORDER BY ALL`,
  );
  const files: WrittenFile[] = [];
  for (const [who = null, rows, from, to] of owners) {
    if (who === null) continue;
    const path = join(directory, who, name);
    if (mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined) syncPath(directory);
    await engine.run(
      `COPY (SELECT ${columnsOf(asRead, 0)} FROM batch WHERE ${owner} = ${quoteText(who)} ORDER BY ${time}, ${quoteName(sequenceColumn)}) ` +
        `TO ${quoteText(path)} (${sealedFormat})`,
    );
    files.push({
      path,
      owner: who,
      rows: Number(rows),
      bytes: syncFile(path),
      from: Number(from),
      to: Number(to),
    });
  }
  return files;
}

/** Seals a batch: one file for each owner, sorted by time, durable when it resolves. */
export async function runSeal(task: SealTask): Promise<SealResult> {
  const { table } = task;
  using engine = await openEngineInstance(task.bounds);
  const lost = await readStaged(engine, table, task.staged);
  const unreadable = [...lost, ...(await removeUnreadable(engine, table))];
  const [[before] = []] = await engine.rows('SELECT count(*) FROM batch');
  await removeDuplicates(engine, table, task.known);
  const files = await writeOwners(engine, task);
  const added = files.reduce((sum, { rows }) => sum + rows, 0);
  return { files, duplicates: Number(before) - added, unreadable: unreadable.slice(0, mostNamed) };
}

/** Writes files of one owner anew as one. */
export async function runMerge(task: MergeTask): Promise<WrittenFile> {
  const { table, inputs, sort, notBefore, output, owner } = task;
  using engine = await openEngineInstance(task.bounds);
  const where = notBefore === undefined ? '' : ` WHERE ${quoteName(table.time)} >= ${timeLiteral(notBefore)}`;
  // Files of several versions are read one version after the other.
  const isMixed = new Set(inputs.map(({ version }) => version)).size > 1;
  const order = sort || isMixed ? ` ORDER BY ${quoteName(table.time)}, ${quoteName(sequenceColumn)}` : '';
  const source = rowsOfFiles(table, inputs);
  await engine.run(
    `COPY (SELECT * FROM (${source})${where}${order}) TO ${quoteText(output)} (${mergedFormat})`,
  );
  const time = quoteName(table.time);
  const [[rows, from, to] = []] = await engine.rows(
    `SELECT count(*), epoch_ms(min(${time})), epoch_ms(max(${time})) FROM read_parquet(${quoteList([output])})`,
  );
  const written = { path: output, owner, rows: Number(rows), from: Number(from), to: Number(to) };
  if (written.rows < task.fewestIndexed) return { ...written, bytes: syncFile(output) };
  await writeIds(engine, table, output, task.ids);
  const idBytes = syncFile(task.ids);
  return { ...written, bytes: syncFile(output), idBytes };
}
