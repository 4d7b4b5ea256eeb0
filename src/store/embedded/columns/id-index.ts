import type { ColumnsTable } from '../../columns-port.ts';
import type { EngineInstance } from './engine-instance.ts';
import { syncFile } from './durable-file.ts';
import type { EngineFile, WrittenFile } from './engine-messages.ts';
import { idsName } from './manifest.ts';
import { idText, quoteList, quoteName, quoteText, versionOf } from './table-sql.ts';

/**
 * The index of a file's ids: for each row the hash of its id and the second of its time, in the order of the hashes. Whoever
 * asks for ids finds out with it which files, and which times of them, can have their rows.
 */

/** Rows are found by the statistics of row groups, so these are small. */
const indexFormat =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, ROW_GROUP_SIZE 20480';

/** The same for good, unlike the engine's own hash. */
function hashOf(text: string): string {
  return `(md5_number_lower(${text}) >> 32)::UINTEGER`;
}

/** Writes the index of a file of at least so many rows and makes it durable; how many bytes it has. */
export async function indexIds(
  engine: EngineInstance,
  table: ColumnsTable,
  { path: file, rows: count }: Pick<WrittenFile, 'path' | 'rows'>,
  fewestIndexed: number,
): Promise<Pick<WrittenFile, 'idBytes' | 'idCrc'>> {
  if (count < fewestIndexed) return {};
  const into = idsName(file);
  const [id, time] = [idText(table, versionOf(table)), quoteName(table.time)];
  const rows = `SELECT ${hashOf(id)} AS h, epoch_ms(${time}) // 1000 AS t FROM read_parquet(${quoteText(file)})`;
  await engine.run(`COPY (${rows} ORDER BY h, t) TO ${quoteText(into)} (${indexFormat})`);
  const { bytes: idBytes, crc: idCrc } = syncFile(into);
  return { idBytes, idCrc };
}

/** Where rows of some ids can be. */
export interface IdsPlace {
  readonly files: readonly EngineFile[];
  /** A condition that holds for them, over the table's columns. */
  readonly where: string;
}

/** Beyond so many places one stretch of time stands for all. */
const mostPlaces = 64;

/** Finds out where rows of these ids can be: in files whose index has them, and in all files without an index. */
export async function findIds(
  engine: EngineInstance,
  table: ColumnsTable,
  files: readonly EngineFile[],
  ids: readonly string[],
): Promise<readonly IdsPlace[]> {
  const indexed = files.filter((file) => file.ids !== undefined);
  const others = files.filter((file) => file.ids === undefined);
  const places: IdsPlace[] = others.length === 0 ? [] : [{ files: others, where: 'true' }];
  if (indexed.length === 0) return places;
  const hashes = ids.map((id) => hashOf(quoteText(id))).join(', ');
  const found = await engine.rows(
    `SELECT DISTINCT filename, t FROM read_parquet(${quoteList(indexed.map(({ ids: path }) => path ?? ''))}, filename = true) WHERE h IN (${hashes})`,
  );
  if (found.length === 0) return places;
  const names = new Set(found.map(([name]) => name));
  // A second more on both sides: seconds of times before 1970 are rounded up.
  const spans = found.map(([, second]) => ({ from: Number(second) - 1, to: Number(second) + 2 }));
  const all = {
    from: Math.min(...spans.map(({ from }) => from)),
    to: Math.max(...spans.map(({ to }) => to)),
  };
  const time = quoteName(table.time);
  const where = (spans.length > mostPlaces ? [all] : spans)
    .map(({ from, to }) => `${time} BETWEEN epoch_ms(${from * 1000}) AND epoch_ms(${to * 1000})`)
    .join(' OR ');
  places.push({ files: indexed.filter((file) => names.has(file.ids ?? '')), where });
  return places;
}
