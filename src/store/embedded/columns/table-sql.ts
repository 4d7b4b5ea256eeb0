import type { ColumnsTable, ColumnType } from '../../columns-port.ts';

/** The names and types of the columns in DuckDB's SQL. */

/** The column that holds the place in the journal, beside those of the table. */
export const sequenceColumn = '_sequence';

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

function structOf(columns: readonly ColumnType[]): string {
  return `STRUCT(${columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')})`;
}

/** The rows of staged files, each line `{"s":SEQUENCE,"r":ROW}`. Fails when a member is not of its column's type. */
export function strictRows({ columns }: ColumnsTable, file: string): string {
  const types = `{s: 'BIGINT', r: ${quoteText(structOf(columns))}}`;
  return `SELECT s AS ${quoteName(sequenceColumn)}, unnest(r) FROM read_json(${quoteText(file)}, format = 'newline_delimited', columns = ${types})`;
}

/** As `strictRows`, slower: a member that is not of its column's type is null, a line that is no JSON is left out. */
export function lenientRows({ columns }: ColumnsTable, file: string): string {
  const types = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  return (
    `SELECT s AS ${quoteName(sequenceColumn)}, unnest(json_transform(r, ${quoteText(types)})) ` +
    `FROM read_json(${quoteText(file)}, format = 'newline_delimited', ignore_errors = true, columns = {s: 'BIGINT', r: 'JSON'})`
  );
}

function isIn({ since = 1 }: { readonly since?: number }, version: number): boolean {
  return since <= version;
}

/** What is written into files: the table's columns, those derived from them, and `_sequence`. */
export function storedColumns({ columns, derived = [] }: ColumnsTable): readonly string[] {
  return [...columns, ...derived].map(({ name }) => name).concat(sequenceColumn);
}

/** The stored columns as expressions over the columns of a version. */
export function columnsOf({ columns, derived = [] }: ColumnsTable, version: number): string {
  const own = columns.map((column) =>
    isIn(column, version)
      ? quoteName(column.name)
      : `(${column.earlier ?? 'NULL'})::${column.type} AS ${quoteName(column.name)}`,
  );
  const made = derived.map((column) =>
    isIn(column, version) ? quoteName(column.name) : `${column.from} AS ${quoteName(column.name)}`,
  );
  return [...own, ...made, quoteName(sequenceColumn)].join(', ');
}

/** The stored columns of files as one SELECT, whichever version wrote them. With `where`, of the rows that it holds for. */
export function rowsOfFiles(table: ColumnsTable, files: readonly TableFile[], where = 'true'): string {
  const versions = [...new Set(files.map(({ version }) => version))];
  const parts = versions.map((version) => {
    const paths = files.filter((file) => file.version === version).map(({ path }) => path);
    return `SELECT ${columnsOf(table, version)} FROM read_parquet(${quoteList(paths)}) WHERE ${where}`;
  });
  return parts.length === 0 ? noRows(table) : parts.join(' UNION ALL ');
}

/** A file and the version of the table that wrote it. */
export interface TableFile {
  readonly path: string;
  readonly version: number;
}

function noRows(table: ColumnsTable): string {
  const nulls = table.columns.map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`);
  const none = `(SELECT ${nulls.join(', ')}, NULL::BIGINT AS ${quoteName(sequenceColumn)})`;
  return `SELECT ${columnsOf({ ...table, columns: table.columns.map(({ name, type }) => ({ name, type })) }, 0)} FROM ${none} WHERE false`;
}

/** Rows of a row group, whose statistics tell which times are in it. */
export const rowGroup = 122_880;

/**
 * How files are written. The second version of Parquet's encodings keeps ids and paths short; higher levels of zstd take
 * longer, and no less space.
 */
export const fileFormat = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, ROW_GROUP_SIZE ${rowGroup}`;

/** How files are written that other engines read. */
export const exportFormat = 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE 122880';

/** Epoch milliseconds as a TIMESTAMP. */
export function timeLiteral(epochMs: number): string {
  return `epoch_ms(${Math.trunc(epochMs)})`;
}
