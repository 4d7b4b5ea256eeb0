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

/** How sealed files are written. The second version of Parquet's encodings keeps ids and paths short. */
export const sealedFormat =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION V2, ROW_GROUP_SIZE 122880';

/** How files are written that other engines read. */
export const exportFormat = 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE 122880';

/** Epoch milliseconds as a TIMESTAMP. */
export function timeLiteral(epochMs: number): string {
  return `epoch_ms(${Math.trunc(epochMs)})`;
}
