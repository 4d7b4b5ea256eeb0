import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ColumnsTable } from '../../columns-port.ts';
import { syncFile, syncPath } from './durable-file.ts';
import type { EngineInstance } from './engine-instance.ts';
import type { EngineFile, EngineTask, SealResult, WrittenFile } from './engine-messages.ts';
import { indexIds } from './id-index.ts';
import { readStaged, rowsOfParts } from './read-staged.ts';
import {
  fileFormat,
  idParts,
  idText,
  quoteName,
  quoteText,
  rowGroup,
  rowsOfFiles,
  sequenceColumn,
  timeLiteral,
  versionOf,
} from './table-sql.ts';

type SealTask = Extract<EngineTask, { kind: 'seal' }>;

const mostNamed = 100;

/** What is in the parts of a batch, and what of it cannot be kept, in the table `gone` of their sequences. */
interface Batch {
  readonly engine: EngineInstance;
  readonly table: ColumnsTable;
  readonly parts: readonly string[];
}

const sequence = quoteName(sequenceColumn);
const isKept = `${sequence} NOT IN (SELECT ${sequence} FROM gone)`;

function namesOf(table: ColumnsTable) {
  return {
    owner: quoteName(table.owner),
    id: idText(table, versionOf(table)),
    ids: idParts(table, versionOf(table)),
    time: quoteName(table.time),
  };
}

/** Notes the rows that cannot be kept: those without owner, id or time. Their sequences. */
async function noteUnreadable({ engine, table, parts }: Batch): Promise<readonly number[]> {
  const { owner, ids, time } = namesOf(table);
  const hasNoId = ids.map((part) => `${part} IS NULL`).join(' AND ');
  const bad = `(${hasNoId}) OR ${time} IS NULL OR ${owner} IS NULL OR NOT regexp_full_match(${owner}, '[0-9]{12}')`;
  await engine.run(`CREATE TEMP TABLE gone AS SELECT ${sequence} FROM ${rowsOfParts(parts)} WHERE ${bad}`);
  const found = await engine.rows(`SELECT ${sequence} FROM gone ORDER BY ALL`);
  return found.map(([text]) => Number(text));
}

/** Notes the rows that are there already: earlier in the batch, or in files whose times overlap. */
async function noteDuplicates({ engine, table, parts }: Batch, known: readonly EngineFile[]): Promise<void> {
  const { owner, id, ids, time } = namesOf(table);
  const key = [owner, ...ids].join(', ');
  const kept = `${rowsOfParts(parts)} WHERE ${isKept}`;
  const [[all, distinct] = []] = await engine.rows(`SELECT count(*), count(DISTINCT (${key})) FROM ${kept}`);
  if (all !== distinct) {
    const place = `row_number() OVER (PARTITION BY ${key} ORDER BY ${sequence})`;
    await engine.run(`INSERT INTO gone SELECT ${sequence} FROM ${kept} QUALIFY ${place} > 1`);
  }
  const ranges = await engine.rows(
    `SELECT ${owner}, epoch_ms(min(${time})), epoch_ms(max(${time})) FROM ${kept} GROUP BY ALL ORDER BY ALL`,
  );
  for (const [name, least, greatest] of ranges) {
    const [from, to] = [Number(least), Number(greatest)];
    const near = known.filter((file) => file.owner === name && file.from <= to && file.to >= from);
    if (near.length === 0) continue;
    const mine = `${kept} AND ${owner} = ${quoteText(name ?? '')}`;
    const there = rowsOfFiles(
      table,
      near,
      (version) => `${idText(table, version)} AS id`,
      () => `${time} BETWEEN ${timeLiteral(from)} AND ${timeLiteral(to + 1)}`,
    );
    const both = `SELECT there.id FROM (${there}) there SEMI JOIN (SELECT ${id} AS id FROM ${mine}) mine USING (id)`;
    await engine.run(`INSERT INTO gone SELECT ${sequence} FROM ${mine} AND ${id} IN (${both})`);
  }
}

/** The rows of one owner that are kept, and the parts that they are in. */
interface OwnerRows {
  readonly owner: string;
  readonly rows: number;
  readonly from: number;
  readonly to: number;
  readonly parts: readonly string[];
}

async function ownersIn({ engine, table, parts }: Batch): Promise<readonly OwnerRows[]> {
  const { owner, time } = namesOf(table);
  const found = await engine.rows(
    `SELECT ${owner}, count(*), epoch_ms(min(${time})), epoch_ms(max(${time})), to_json(list(DISTINCT filename)) ` +
      `FROM ${rowsOfParts(parts)} WHERE ${isKept} GROUP BY ${owner} ORDER BY ${owner}`,
  );
  return found.map(([name, rows, from, to, files]) => ({
    owner: name ?? '',
    rows: Number(rows),
    from: Number(from),
    to: Number(to),
    parts: JSON.parse(files ?? '[]') as string[],
  }));
}

/**
 * Whether the rows of a part stand nearly in the order of their times: its row groups have stretches of time of their own, or
 * nearly so, and a query for some time reads few of them.
 */
async function isOrdered({ engine, table }: Batch, part: string): Promise<boolean> {
  const { time } = namesOf(table);
  const groups =
    `SELECT epoch_ms(min(${time})) a, epoch_ms(max(${time})) z FROM read_parquet(${quoteText(part)}, hive_partitioning = false, file_row_number = true) ` +
    `GROUP BY file_row_number // ${rowGroup}`;
  const [[answer] = []] = await engine.rows(`SELECT sum(z - a) <= 1.5 * (max(z) - min(a)) FROM (${groups})`);
  return answer === 'true';
}

/** Makes the file of one owner: the part itself where it holds just these rows, else a file with them, sorted. */
async function writeOwner(batch: Batch, rows: OwnerRows, rowsIn: ReadonlyMap<string, number>, path: string) {
  const { engine, table } = batch;
  const [part, ...more] = rows.parts;
  if (
    part !== undefined &&
    more.length === 0 &&
    rowsIn.get(part) === rows.rows &&
    (await isOrdered(batch, part))
  ) {
    renameSync(part, path);
    return;
  }
  const { owner, time } = namesOf(table);
  const source = `${rowsOfParts(rows.parts, false)} WHERE ${owner} = ${quoteText(rows.owner)} AND ${isKept}`;
  await engine.run(
    `COPY (SELECT * FROM ${source} ORDER BY ${time}, ${sequence}) TO ${quoteText(path)} (${fileFormat})`,
  );
}

async function writeOwners(batch: Batch, task: SealTask): Promise<readonly WrittenFile[]> {
  const { directory, name } = task;
  const counts = await batch.engine.rows(
    `SELECT filename, count(*) FROM ${rowsOfParts(batch.parts)} GROUP BY filename`,
  );
  const rowsIn = new Map(counts.map(([part, rows]) => [part ?? '', Number(rows)]));
  const files: WrittenFile[] = [];
  for (const rows of await ownersIn(batch)) {
    const { parts: _parts, ...written } = rows;
    const path = join(directory, rows.owner, name);
    if (mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined) syncPath(directory);
    await writeOwner(batch, rows, rowsIn, path);
    const index = await indexIds(batch.engine, batch.table, { ...written, path }, task.fewestIndexed);
    files.push({ ...written, ...index, path, ...syncFile(path) });
  }
  return files;
}

/** Seals what is staged: one file for each owner, durable when it resolves. */
export async function runSeal(task: SealTask, engine: EngineInstance): Promise<SealResult> {
  const { table, scratch } = task;
  try {
    const { parts, lost } = await readStaged(engine, task);
    const batch = { engine, table, parts };
    if (parts.length === 0) return { files: [], duplicates: 0, unreadable: lost.slice(0, mostNamed) };
    const unreadable = [...lost, ...(await noteUnreadable(batch))];
    const [[before] = []] = await engine.rows(`SELECT count(*) FROM ${rowsOfParts(parts)} WHERE ${isKept}`);
    await noteDuplicates(batch, task.known);
    const files = await writeOwners(batch, task);
    const added = files.reduce((sum, { rows }) => sum + rows, 0);
    return { files, duplicates: Number(before) - added, unreadable: unreadable.slice(0, mostNamed) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
